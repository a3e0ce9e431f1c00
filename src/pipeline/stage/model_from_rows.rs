//! A model from rows written by hand, for the metric tests: no exports, no staging.

use crate::artifact::model::{Model, ModelTable};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::parquet_file;
use crate::pipeline::stage::contract::{Contract, OnMissing, Table};
use crate::pipeline::stage::contract_check;
use crate::pipeline::stage::matching::tables;
use crate::pipeline::stage::typed::{Origin, typed};
use crate::pipeline::stage::{calendar, credits, derived, organisation};
use crate::run_context::RunContext;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows of a table by hand: column names, and cells as text.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Where the table starts.
    pub place: Place,
    /// The columns that are given; the others are empty.
    pub head: Vec<String>,
    /// Where they are named.
    pub head_place: Place,
    /// The rows beneath.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line.
    pub place: Place,
    /// As many cells as the head has names; `None` is empty.
    pub cells: Vec<Option<String>>,
}

impl Rows {
    /// A row's cell in a column, if there is the column and something in it.
    pub fn cell<'a>(&self, row: &'a Row, column: &str) -> Option<&'a str> {
        let i = self.head.iter().position(|head| head == column)?;
        row.cells[i].as_deref()
    }

    /// What stands in a column.
    pub fn column<'a>(&'a self, column: &str) -> impl Iterator<Item = &'a str> {
        self.rows.iter().filter_map(move |row| self.cell(row, column))
    }
}

/// The cells of a line: what stands between `|`, where `\\|` is one within a cell.
pub fn cells(line: &str) -> Vec<&str> {
    let mut cells = Vec::new();
    let mut start = 0;
    for (i, _) in line.match_indices('|').filter(|(i, _)| !line[..*i].ends_with('\\')) {
        cells.push(&line[start..i]);
        start = i + 1;
    }
    cells.push(&line[start..]);
    cells
}

impl Row {
    /// Where the cell stands that follows so many others.
    pub fn place_of(&self, i: usize) -> Place {
        let cells = cells(&self.place.text);
        let before: usize = cells.iter().take(i).map(|cell| cell.chars().count() + 1).sum();
        let cell = cells.get(i).copied().unwrap_or_default();
        let blank = cell.chars().take_while(|c| c.is_whitespace()).count();
        let blank = if cell.trim().is_empty() { 0 } else { blank };
        self.place.clone().columns(before + blank + 1, cell.trim().chars().count())
    }
}

/// Makes a model of these tables. Tables that are not given are empty; derived ones are derived unless given.
/// What is not told from the first day on is so `since` a day.
pub async fn model(
    night: &RunContext<'_>,
    tables: &BTreeMap<String, Rows>,
    since: &BTreeMap<String, Date>,
) -> Result<Model> {
    let mut contract = contract_check::read(night.project)?;
    // A test gives the columns that matter to it.
    let columns = contract.tables.values_mut().flat_map(|table| &mut table.columns);
    columns.for_each(|column| column.required = false);
    for (name, rows) in tables {
        let Some(table) = contract.tables.get(name) else {
            return Err(Diagnostic::project(format!("`{name}` is no table of the model"))
                .at(rows.place.clone().word(name))
                .closest(name, contract.tables.keys().map(String::as_str))
                .help("the model's tables are described in queries/model.toml"));
        };
        check(name, table, rows)?;
        refuse_dangling(&contract, table, rows, tables)?;
    }
    let derived = derived::read(night.project, &contract)?;
    // What completes a table is left out: a test gives the cells that it would make.
    let is_made = |derived: &derived::Derived<'_>| !tables.contains_key(derived.name) && !derived.completes();
    let derived: Vec<_> = derived.into_iter().filter(is_made).collect();
    let mut model = Model { since: since.clone(), keys: contract.keys(), ..Model::default() };
    for (name, table) in &contract.tables {
        if derived.iter().any(|derived| derived.name == name) {
            continue;
        }
        let rows = tables.get(name);
        let batch = match rows {
            Some(rows) => batch(night, name, table, rows)?,
            None => RecordBatch::new_empty(table.schema()),
        };
        let bytes = parquet_file::write(batch.schema(), std::slice::from_ref(&batch), parquet_file::ROW_GROUP_ROWS)?;
        let digest = night.store.put_named(&format!("model/{name}"), "parquet", bytes).await?;
        let (rows, supplied) = (batch.num_rows() as u64, rows.is_some());
        let made = ModelTable::bare(digest, rows, supplied);
        model.tables.insert(name.clone(), made);
    }
    tables::make(night, &contract, &mut model).await?;
    calendar::make(night, &mut model).await?;
    organisation::make(night, &[], &mut model).await?;
    credits::check(night, &model).await?;
    derived::make(night, &contract, derived, &mut model).await?;
    Ok(model)
}

/// The columns are the table's, and no two rows have one key.
fn check(name: &str, table: &Table, rows: &Rows) -> Result<()> {
    let known = || table.columns.iter().map(|column| column.name.as_str());
    if let Some(stranger) = rows.head.iter().find(|head| known().all(|name| name != **head)) {
        return Err(Diagnostic::project(format!("{name} has no column `{stranger}`"))
            .at(rows.head_place.clone().word(stranger))
            .closest(stranger, known())
            .help(format!("its columns are {}", known().collect::<Vec<_>>().join(", "))));
    }
    let mut seen = BTreeSet::new();
    for row in &rows.rows {
        let key: Option<Vec<&str>> = table.key.iter().map(|column| rows.cell(row, column)).collect();
        if let Some(key) = key.filter(|key| !seen.insert(key.clone())) {
            return Err(Diagnostic::project(format!("{name} has two rows with the key {}", key.join(", ")))
                .at(row.place.clone())
                .note(format!("{} must be unique", table.key.join(", "))));
        }
    }
    Ok(())
}

/// Staging would not let a reference through that leads nowhere; here it is a slip of the pen.
fn refuse_dangling(contract: &Contract, table: &Table, rows: &Rows, tables: &BTreeMap<String, Rows>) -> Result<()> {
    for (i, head) in rows.head.iter().enumerate() {
        let column = table.columns.iter().find(|column| column.name == *head);
        let Some(column) = column.filter(|column| column.references.is_some() || column.references_by.is_some()) else {
            continue;
        };
        for row in &rows.rows {
            let named = || rows.cell(row, column.references_by.as_deref()?);
            let Some(target) = column.references.as_deref().or_else(named) else { continue };
            let Some(key) = contract.tables.get(target).map(|table| &table.key[0]) else { continue };
            let known: BTreeSet<&str> = tables.get(target).into_iter().flat_map(|rows| rows.column(key)).collect();
            if let Some(id) = row.cells[i].as_deref().filter(|id| !known.contains(id)) {
                let instead = match column.on_missing {
                    Some(OnMissing::Quarantine) => "leave the row out, as staging would",
                    _ => "leave the cell empty, as staging would",
                };
                return Err(Diagnostic::project(format!("the case has no `{id}` among its {target}"))
                    .at(row.place_of(i))
                    .closest(id, known.iter().copied())
                    .help(format!("add it to {target}, or {instead}")));
            }
        }
    }
    Ok(())
}

fn batch(night: &RunContext<'_>, name: &str, table: &Table, rows: &Rows) -> Result<RecordBatch> {
    let texts = (0..rows.head.len()).map(|i| -> ArrayRef {
        Arc::new(rows.rows.iter().map(|row| row.cells[i].as_deref()).collect::<StringArray>())
    });
    let fields: Vec<Field> = rows.head.iter().map(|head| Field::new(head, DataType::Utf8, true)).collect();
    let given = RecordBatch::try_new(Arc::new(Schema::new(fields)), texts.collect());
    let given = given.map_err(|error| Diagnostic::internal(format!("no table {name}: {error}")))?;
    let zone = night.time_zone()?;
    let origin = Origin { file: &rows.place.file, source: "", sources: &[], formats: &BTreeMap::new(), zone: &zone };
    let typed = typed(&origin, &table.columns, table.schema(), &given)?;
    match typed.faults.iter().zip(&rows.rows).find_map(|(fault, row)| Some((fault.as_ref()?, row))) {
        Some((fault, row)) => {
            let error = Diagnostic::project(format!("a row of {name} cannot be read: {fault}"));
            Err(error.at(row.place.clone()).help("write cells as exports do: 1234.50, 2026-09-30, 1 for true"))
        }
        None => Ok(typed.batch),
    }
}
