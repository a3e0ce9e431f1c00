//! Control totals that a source's owner supplies: how many records a night's export has, and the sums of its columns.

use crate::artifact::baseline::Baseline;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::number::Number;
use crate::parquet_file;
use crate::pipeline::check::exports::{are_same, nights};
use crate::pipeline::check::finding::{Found, SHOWN};
use crate::run_context::RunContext;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

/// The check's name.
const CHECK: &str = "control_totals";
/// The columns of a table of control totals.
const COLUMNS: [&str; 3] = ["table", "what", "value"];

/// A row of the table.
struct Total {
    record: i64,
    table: String,
    /// The column whose sum it is, or none for the number of records.
    column: Option<String>,
    value: Number,
}

/// Holds a source's exports against the totals of their night.
pub(super) async fn compare(
    night: &RunContext<'_>,
    observed: &[Snapshot],
    source: &str,
    table: &str,
    baseline: &Baseline<'_>,
) -> Result<Vec<Found>> {
    let Some((date, parts)) = nights(observed, source, table).pop_last() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for part in parts {
        for total in read(night, part).await? {
            let name = format!("{source}.{}", total.table);
            let exports = nights(observed, source, &total.table).remove(&date).unwrap_or_default();
            let known = baseline.earlier.map(|earlier| nights(&earlier.observations, source, &total.table));
            let sealed = known.and_then(|mut known| known.remove(&date)).is_some_and(|of| are_same(&of, &exports));
            if exports.is_empty() {
                let title = format!("there is a control total for {name} of {date}, and no export");
                let one = Found::error(CHECK, name, title).at(Place::file(&part.path));
                found.push(one.note(said(part, &total)).help("have the CRM export it, or take the total out"));
                continue;
            }
            let (counted, notes) = match &total.column {
                None => {
                    let records: u64 = exports.iter().map(|export| export.rows + export.rejected).sum();
                    (Number::whole(i64::try_from(records).unwrap_or(i64::MAX)), Vec::new())
                }
                Some(column) => match sum(night, &exports, column).await? {
                    Some(sum) => sum,
                    None => {
                        let title = format!("there is a control total for {name}.{column}, and no such column");
                        let one = Found::error(CHECK, name, title).at(Place::file(&part.path));
                        found.push(one.note(said(part, &total)).help("correct the column in the control totals"));
                        continue;
                    }
                },
            };
            if counted == total.value {
                continue;
            }
            let title = match &total.column {
                None => format!("{name} of {date} has {counted} records, and its control total is {}", total.value),
                Some(column) => {
                    format!(
                        "{column} of {name} of {date} adds up to {counted}, and its control total is {}",
                        total.value
                    )
                }
            };
            let first = exports.first().map_or("", |export| export.path.as_str());
            let one = Found::error(CHECK, name, title).at(Place::file(first)).note(said(part, &total));
            let one = notes.into_iter().fold(one, Found::note);
            found.push(
                one.help("ask the CRM's owner which of the two is right, and have the wrong one made again")
                    .sealed_before(sealed),
            );
        }
    }
    Ok(found)
}

fn said(part: &Snapshot, total: &Total) -> String {
    format!("the total is record {} of {}", total.record, part.path)
}

/// The totals of a file.
async fn read(night: &RunContext<'_>, part: &Snapshot) -> Result<Vec<Total>> {
    let path = part.raw_path();
    let mut totals = Vec::new();
    let wrong = |what: String| {
        Diagnostic::data(what)
            .at(Place::file(&part.path))
            .note("a control total has a `table`, a `what` (`rows`, or `sum` and a column), and a `value`")
            .help("`Opportunity,rows,2527` and `Opportunity,sum Amount,1234567.89` are two")
    };
    for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
        let columns = COLUMNS.map(|name| column(&batch, name).map(|found| found.as_string::<i32>().clone()));
        let [Some(tables), Some(whats), Some(values)] = columns else {
            return Err(wrong(format!("the control totals of {} lack a column", part.source)));
        };
        let Some(numbers) = column(&batch, "_row").map(|rows| rows.as_primitive::<Int64Type>().clone()) else {
            continue;
        };
        for row in 0..batch.num_rows() {
            let record = numbers.value(row);
            let text = |of: &arrow::array::StringArray| {
                if of.is_valid(row) { of.value(row).trim().to_owned() } else { String::new() }
            };
            let (table, what, value) = (text(&tables), text(&whats), text(&values));
            let rest = what.strip_prefix("sum").filter(|rest| rest.starts_with([' ', '(']));
            let column = rest.map(|rest| rest.trim().trim_matches(['(', ')']).to_owned());
            let what_is_known = what == "rows" || column.as_ref().is_some_and(|column| !column.is_empty());
            let known = &night.settings.sources[&part.source].tables;
            if !what_is_known || !known.contains_key(&table) {
                let word = if what_is_known { &table } else { &what };
                return Err(wrong(format!("record {record} of the control totals has `{word}`, which means nothing"))
                    .closest(word, known.keys().map(String::as_str)));
            }
            let value = value.parse().map_err(|why| wrong(format!("record {record} of the control totals: {why}")))?;
            totals.push(Total { record, table, column, value });
        }
    }
    Ok(totals)
}

/// A column of any case.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a dyn Array> {
    let schema = batch.schema();
    let position = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name))?;
    Some(batch.column(position).as_ref())
}

/// The sum of a column as exported, and what is not in it; nothing if an export has no such column.
async fn sum(night: &RunContext<'_>, exports: &[&Snapshot], name: &str) -> Result<Option<(Number, Vec<String>)>> {
    let (mut sum, mut notes) = (Number::ZERO, Vec::new());
    for export in exports {
        let path = export.raw_path();
        for batch in parquet_file::read(night.store.file(&path).await?, parquet_file::ROW_GROUP_ROWS)? {
            let batch = batch?;
            let (Some(cells), Some(rows)) = (column(&batch, name), column(&batch, "_row")) else { return Ok(None) };
            let (cells, rows) = (cells.as_string::<i32>(), rows.as_primitive::<Int64Type>());
            for (cell, row) in cells.iter().zip(rows.values()) {
                let Some(cell) = cell.map(str::trim).filter(|cell| !cell.is_empty()) else { continue };
                match cell.parse::<Number>().ok().and_then(|number| sum.checked_add(number)) {
                    Some(more) => sum = more,
                    None => notes.push(format!("record {row} is not in the sum: `{cell}` is no number")),
                }
            }
        }
        if export.rejected > 0 {
            notes.push(format!("{} records of {} could not be read and are not in it", export.rejected, export.path));
        }
    }
    notes.truncate(SHOWN);
    Ok(Some((sum, notes)))
}
