//! A model from rows written by hand, for the metric tests: no exports, no staging, no references to follow.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::parquet_file;
use crate::pipeline::Night;
use crate::pipeline::stage::contract::{Column, Contract};
use crate::pipeline::stage::typed::{Origin, typed};
use crate::pipeline::stage::{Model, ModelTable, calendar, derived, organisation, time_zone};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a table by hand: column names, and cells as text.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The columns that are given; the others are empty.
    pub head: Vec<String>,
    /// The cells; `None` is empty.
    pub cells: Vec<Vec<Option<String>>>,
}

/// Makes a model of these tables. Tables that are not given are empty; derived ones are derived unless given.
pub async fn model(night: &Night<'_>, file: &str, tables: &BTreeMap<String, Rows>) -> Result<Model> {
    let contract = Contract::of(night.project)?;
    for name in tables.keys() {
        if !contract.tables.contains_key(name) {
            return Err(Diagnostic::project(format!("`{name}` is no table of the model"))
                .at(Place::file(file))
                .closest(name, contract.tables.keys().map(String::as_str)));
        }
    }
    let derived = derived::read(night.project, &contract)?;
    let derived: Vec<_> = derived.into_iter().filter(|derived| !tables.contains_key(derived.name)).collect();
    let mut model = Model::default();
    for (name, table) in &contract.tables {
        if derived.iter().any(|derived| derived.name == name) {
            continue;
        }
        let none = Rows::default();
        let rows = tables.get(name).unwrap_or(&none);
        let batch = batch(night, file, name, &table.columns, table.schema(), rows)?;
        let bytes = parquet_file::write(batch.schema(), std::slice::from_ref(&batch), parquet_file::ROW_GROUP_ROWS)?;
        let digest = night.store.put_named(&format!("model/{name}"), "parquet", bytes).await?;
        let rows = batch.num_rows() as u64;
        let supplied = tables.contains_key(name);
        let made = ModelTable { digest, rows, lineage: None, quarantine: None, quarantined: 0, supplied };
        model.tables.insert(name.clone(), made);
    }
    calendar::make(night, &mut model).await?;
    organisation::make(night, &mut model).await?;
    derived::make(night, &contract, derived, &mut model).await?;
    Ok(model)
}

fn batch(
    night: &Night<'_>,
    file: &str,
    name: &str,
    columns: &[Column],
    schema: arrow::datatypes::SchemaRef,
    rows: &Rows,
) -> Result<RecordBatch> {
    if let Some(stranger) = rows.head.iter().find(|head| !columns.iter().any(|column| column.name == **head)) {
        return Err(Diagnostic::project(format!("{name} has no column `{stranger}`"))
            .at(Place::file(file))
            .closest(stranger, columns.iter().map(|column| column.name.as_str())));
    }
    // A test gives the columns that matter to it.
    let columns: Vec<Column> = columns.iter().map(|column| Column { required: false, ..column.clone() }).collect();
    let texts = (0..rows.head.len()).map(|i| -> ArrayRef {
        Arc::new(rows.cells.iter().map(|row| row.get(i).cloned().flatten()).collect::<StringArray>())
    });
    let fields: Vec<Field> = rows.head.iter().map(|head| Field::new(head, DataType::Utf8, true)).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.cells.len()));
    let given = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), texts.collect(), &options);
    let given = given.map_err(|error| Diagnostic::internal(format!("no table {name}: {error}")))?;
    let zone = time_zone(night)?;
    let origin = Origin { file, source: "", formats: &BTreeMap::new(), zone: &zone };
    let typed = typed(&origin, &columns, schema, &given)?;
    match typed.faults.into_iter().flatten().next() {
        Some(fault) => {
            Err(Diagnostic::project(format!("a row of {name} cannot be read: {fault}")).at(Place::file(file)))
        }
        None => Ok(typed.batch),
    }
}
