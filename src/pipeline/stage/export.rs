//! One export through one staging file: rows in the contract's columns, every record accounted for.

use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::engine::{Parameters, Session};
use crate::pipeline::stage::contract::Table;
use crate::pipeline::stage::definition::Staging;
use crate::pipeline::stage::fold::{Keys, Part};
use crate::pipeline::stage::typed::{self, Origin};
use crate::pipeline::stage::{cell, money};
use crate::run_context::RunContext;
use crate::settings::Fold;
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Int64Type;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The exports that a staging file reads: of a full table those of the newest night, else all, oldest first; and those
/// superseded whole.
pub(super) fn exports<'a>(
    night: &RunContext<'_>,
    staging: &Staging<'_>,
    snapshots: &'a [Snapshot],
) -> (Vec<&'a Snapshot>, Vec<&'a Snapshot>) {
    let mut all = of_table(staging.source, &staging.header.from, snapshots);
    let fold = night.settings.sources[staging.source].tables[&staging.header.from].fold;
    match (fold, all.pop()) {
        (Fold::Full, Some(newest)) => {
            // Several files of one night are parts of one export.
            let (mut parts, earlier): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| s.data_date == newest.data_date);
            parts.push(newest);
            (parts, earlier)
        }
        (_, Some(newest)) => {
            all.push(newest);
            (all, Vec::new())
        }
        (_, None) => (Vec::new(), Vec::new()),
    }
}

/// All exports of a source's table, oldest first.
pub(super) fn of_table<'a>(source: &str, table: &str, snapshots: &'a [Snapshot]) -> Vec<&'a Snapshot> {
    let mut found: Vec<_> = snapshots.iter().filter(|s| s.source == source && s.table == table).collect();
    found.sort_by(|a, b| (a.data_date, &a.path).cmp(&(b.data_date, &b.path)));
    found
}

/// The exports that a staging file joins as lookups: the newest of each; for a night that is past, the newest then.
pub(super) fn lookups<'a>(
    staging: &Staging<'_>,
    snapshots: &'a [Snapshot],
    night: Option<Date>,
) -> Vec<Option<&'a Snapshot>> {
    let newest = |lookup: &String| {
        let all = of_table(staging.source, lookup, snapshots);
        let then = all.iter().rev().find(|s| night.is_none_or(|night| s.data_date <= night));
        then.or(all.first()).copied()
    };
    staging.header.lookups.iter().map(newest).collect()
}

/// A staging file at work.
pub(super) struct Reader<'a> {
    pub night: &'a RunContext<'a>,
    /// The model's table.
    pub name: &'a str,
    /// Its part of the contract.
    pub table: &'a Table,
    pub keys: &'a Keys,
}

impl Reader<'_> {
    /// Runs a staging file over one export.
    pub(super) async fn part(
        &self,
        staging: &Staging<'_>,
        snapshot: &Snapshot,
        lookups: &[Option<&Snapshot>],
    ) -> Result<Part> {
        let session = Session::new(self.night.limits, self.night.store)?;
        let header = &staging.header;
        session.register_parquet_with(&header.from, &snapshot.raw_path(), &header.optional).await?;
        for (lookup, newest) in staging.header.lookups.iter().zip(lookups) {
            match newest {
                Some(newest) => session.register_parquet(lookup, &newest.raw_path()).await?,
                None => {
                    return Err(Diagnostic::data(format!("there is no export of `{lookup}`"))
                        .at(Place::file(staging.path))
                        .note(format!("{} joins it as a lookup", staging.path))
                        .help("export it, or take it out of the header's `lookups` and the SQL"));
                }
            }
        }
        let read = session.query(&staging.sql, &Parameters::new()).await;
        let (schema, batches) = read.map_err(|fault| undecided(staging, snapshot, fault))?;
        let rows = concat_batches(&schema, &batches);
        let rows = rows.map_err(|error| Diagnostic::internal(format!("cannot stage {}: {error}", staging.path)))?;
        self.refuse_unknown_columns(staging, &rows)?;
        let numbers = record_numbers(staging, &rows, snapshot)?;
        let (rows, numbers) = in_order_of_records(rows, numbers)?;
        let zone = self.night.time_zone()?;
        let formats = &staging.header.formats;
        let sources = self.night.source_names();
        let origin = Origin { file: staging.path, source: staging.source, sources: &sources, formats, zone: &zone };
        let table = money::as_read(self.table);
        let typed = typed::typed(&origin, &table.columns, table.schema(), &rows)?;
        let texts = |name: &str| rows.column_by_name(name).and_then(|array| array.as_string_opt::<i32>().cloned());
        let skips = match texts("_skip") {
            Some(reasons) => reasons.iter().map(|reason| reason.map(String::from)).collect(),
            None => vec![None; rows.num_rows()],
        };
        let mut faults = typed.faults;
        let deleted = deleted(staging, &rows, &mut faults)?;
        let keyless = self.keys.missing(&typed.batch);
        let not = || vec![false; rows.num_rows()];
        let fold = self.night.settings.sources[staging.source].tables[&staging.header.from].fold;
        Ok(Part {
            batch: typed.batch,
            numbers,
            is_whole: fold == Fold::Full,
            faults,
            dangling: vec![None; rows.num_rows()],
            skips,
            deleted,
            keyless,
            renamed: not(),
            gone: not(),
        })
    }

    fn refuse_unknown_columns(&self, staging: &Staging<'_>, rows: &RecordBatch) -> Result<()> {
        let known: BTreeSet<&str> = self.table.columns.iter().map(|c| c.name.as_str()).collect();
        for field in rows.schema().fields() {
            let name = field.name().as_str();
            if !known.contains(name) && !matches!(name, "_row" | "_skip" | "_deleted") {
                return Err(Diagnostic::project(format!("`{name}` is no column of {}", self.name))
                    .at(staging.sql.place_of(name))
                    .closest(name, known)
                    .help("add it to queries/model.toml, or leave it out here"));
            }
            if let Some(column) = money::fills(self.table, name) {
                return Err(Diagnostic::project(format!("`{name}` is filled by the engine"))
                    .at(staging.sql.place_of(name))
                    .note(format!("it shows {}.{} in another form", self.name, column.name))
                    .help(format!("leave it out here, and return the amount as `{}`", column.name)));
            }
        }
        Ok(())
    }
}

/// Says over which export a query failed, and which of the columns that it names are not there because nobody decided on them.
fn undecided(staging: &Staging<'_>, snapshot: &Snapshot, fault: Box<Diagnostic>) -> Box<Diagnostic> {
    let fault = fault.note(format!("it was read over {}", snapshot.path));
    let waiting = snapshot.undecided.iter().filter(|column| staging.sql.text.contains(column.as_str()));
    waiting.fold(fault, |fault, column| {
        fault
            .note(format!(
                "`{column}` waits for a decision, so nothing of it was written: its table has private columns"
            ))
            .help(format!(
                "decide in scorebook.toml: {} = {{ columns = {{ \"{column}\" = \"keep\" }} }}",
                snapshot.table
            ))
    })
}

/// Checks that the query returns every record of the export once, and gives their numbers.
fn record_numbers(staging: &Staging<'_>, rows: &RecordBatch, snapshot: &Snapshot) -> Result<Vec<i64>> {
    let numbers = rows.column_by_name("_row").and_then(|array| array.as_primitive_opt::<Int64Type>());
    let Some(numbers) = numbers else {
        return Err(Diagnostic::project("the query does not return `_row`")
            .at(Place::line(staging.path, staging.sql.source, staging.sql.first_line))
            .help("pass the export's `_row` through: it leads from a number back to its record"));
    };
    let numbers = numbers.values().to_vec();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Diagnostic::project(format!("the query returns record {} of {} twice", twice[0], snapshot.path))
            .at(Place::line(staging.path, staging.sql.source, staging.sql.first_line))
            .note("a join in it finds several rows for one record")
            .help("join on a key that is unique in the lookup"));
    }
    if sorted.first().is_some_and(|first| *first < 1)
        || sorted.last().is_some_and(|last| *last > (snapshot.rows + snapshot.rejected) as i64)
    {
        return Err(Diagnostic::project(format!("the query changes the record numbers of {}", snapshot.path))
            .at(staging.sql.place_of("_row"))
            .help("return `_row` as it is: it leads from a number back to its record"));
    }
    if numbers.len() as u64 != snapshot.rows {
        let (got, of) = (numbers.len(), snapshot.rows);
        return Err(Diagnostic::project(format!("the query returns {got} of the {of} records of {}", snapshot.path))
            .at(staging.sql.place_of("WHERE"))
            .note("a staging file drops no record, so that every one can be accounted for")
            .help("instead of a WHERE, return a reason: `CASE WHEN ... THEN 'a test record' END AS _skip`"));
    }
    Ok(numbers)
}

/// The rows in the order of the export's records, which the order of a query's rows is not: of a key that stands twice the
/// first record counts, whatever a join returns first, and however many threads it runs on.
fn in_order_of_records(rows: RecordBatch, mut numbers: Vec<i64>) -> Result<(RecordBatch, Vec<i64>)> {
    if numbers.is_sorted() {
        return Ok((rows, numbers));
    }
    let mut order: Vec<u64> = (0..numbers.len() as u64).collect();
    order.sort_unstable_by_key(|row| numbers[*row as usize]);
    numbers.sort_unstable();
    let rows = take_record_batch(&rows, &UInt64Array::from(order));
    Ok((rows.map_err(|error| Diagnostic::internal(format!("cannot order rows: {error}")))?, numbers))
}

/// Which rows say that their record was deleted: `_deleted`, a boolean or a text that reads as one. A text that says
/// neither faults its row: nobody knows whether it counts.
fn deleted(staging: &Staging<'_>, rows: &RecordBatch, faults: &mut [Option<String>]) -> Result<Vec<bool>> {
    let Some(array) = rows.column_by_name("_deleted") else { return Ok(vec![false; rows.num_rows()]) };
    if let Some(flags) = array.as_any().downcast_ref::<BooleanArray>() {
        return Ok(flags.iter().map(|flag| flag == Some(true)).collect());
    }
    let Some(texts) = array.as_string_opt::<i32>() else {
        return Err(Diagnostic::project("`_deleted` must be true or false").at(staging.sql.place_of("_deleted")));
    };
    let said = texts.iter().zip(faults).map(|(text, fault)| match text.filter(|text| !text.trim().is_empty()) {
        None => false,
        Some(text) => cell::boolean(text).unwrap_or_else(|reason| {
            fault.get_or_insert_with(|| format!("_deleted: {reason}"));
            false
        }),
    });
    Ok(said.collect())
}
