//! What matching reads of the model, and what it writes to it.

use crate::artifact::model::{DoubtOf, Model};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Digest;
use crate::parquet_file;
use crate::pipeline::stage::contract::{Contract, Table};
use crate::pipeline::stage::contract::{MAPPINGS, RECORD_TABLE};
use crate::pipeline::stage::made::made_from;
use crate::pipeline::stage::matching::check::MAPPING;
use crate::pipeline::stage::matching::record::{Doubt, Mapping, Match, Record, TABLE};
use crate::pipeline::stage::rows::batch;
use crate::run_context::RunContext;
use crate::run_context::read_table;
use crate::store::object_name;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What decides, besides the records and the contract, which are the same: part of their step's key.
#[derive(Serialize)]
pub(in crate::pipeline::stage) struct Inputs<'a> {
    order: &'a [String],
    mappings: Option<Digest>,
}

impl Inputs<'_> {
    pub(in crate::pipeline::stage) fn of<'a>(night: &RunContext<'a>, model: &Model) -> Inputs<'a> {
        let mappings = model.tables.get(MAPPINGS).map(|table| table.digest);
        Inputs { order: &night.settings.matching.order, mappings }
    }
}

/// The rows of a table as matching sees them. Keys are compared without white space around them and in lower case.
pub(in crate::pipeline::stage) fn records(table: &Table, rows: &RecordBatch) -> Result<Vec<Record>> {
    let unreadable = |error| Diagnostic::internal(format!("cannot match: {error}"));
    let ids = rows.column(table.key_positions()[0]).as_string::<i32>();
    let mut records = Vec::with_capacity(rows.num_rows());
    for (row, id) in ids.iter().enumerate() {
        let mut keys = Vec::with_capacity(table.same_by.len());
        for rule in &table.same_by {
            let mut key = Vec::with_capacity(rule.len());
            for column in rule.iter().filter_map(|name| rows.column_by_name(name)) {
                let text = array_value_to_string(column, row).map_err(unreadable)?;
                key.push(text.trim().to_lowercase());
            }
            keys.push(key.iter().all(|cell| !cell.is_empty()).then_some(key));
        }
        records.push(Record { id: id.unwrap_or_default().to_owned(), keys });
    }
    Ok(records)
}

/// What is said by hand of a table's records.
pub(in crate::pipeline::stage) async fn mappings(
    night: &RunContext<'_>,
    model: &Model,
    table: &str,
) -> Result<Vec<Mapping>> {
    let mut mappings = Vec::new();
    if !model.tables.contains_key(MAPPINGS) {
        return Ok(mappings);
    }
    for batch in read_table(night, model, MAPPINGS).await? {
        let [tables, from, to, same] = MAPPING.map(|(name, _)| batch.column_by_name(name).cloned());
        let (Some(tables), Some(from), Some(to), Some(same)) = (tables, from, to, same) else {
            return Err(Diagnostic::internal(format!("{MAPPINGS} lacks a column")));
        };
        let (tables, from, to) = (tables.as_string::<i32>(), from.as_string::<i32>(), to.as_string::<i32>());
        let same = same.as_boolean();
        mappings.extend((0..batch.num_rows()).filter(|row| tables.value(*row) == table).map(|row| Mapping {
            record_id: from.value(row).to_owned(),
            same_as: to.value(row).to_owned(),
            is_same: same.is_null(row) || same.value(row),
        }));
    }
    Ok(mappings)
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(["record_id", "same_as", "rule", "key", RECORD_TABLE].map(text).to_vec()))
}

/// The matches of one table, by the record's id.
pub(in crate::pipeline::stage) fn batch_of(table: &str, matches: &BTreeMap<String, Match>) -> Result<RecordBatch> {
    let texts = |get: fn(&Match) -> &str| -> ArrayRef {
        Arc::new(
            matches.values().map(|found| Some(get(found)).filter(|text| !text.is_empty())).collect::<StringArray>(),
        )
    };
    let of_table: StringArray = matches.values().map(|_| Some(table)).collect();
    batch(
        schema(),
        vec![
            texts(|found| &found.record_id),
            texts(|found| &found.same_as),
            texts(|found| &found.rule),
            texts(|found| &found.key),
            Arc::new(of_table),
        ],
    )
}

/// Makes the table of all matches.
pub(in crate::pipeline::stage) async fn make(
    night: &RunContext<'_>,
    contract: &Contract,
    model: &mut Model,
) -> Result<()> {
    let paths = |model: &Model| -> BTreeMap<String, String> {
        let own = contract.tables.keys().filter_map(|name| Some((name, model.tables.get(name)?)));
        own.filter_map(|(name, table)| Some((name.clone(), table.matches_path(name)?))).collect()
    };
    let inputs = paths(model);
    made_from(night, model, TABLE, &inputs, true, async |model| {
        let mut all = vec![RecordBatch::new_empty(schema())];
        for path in paths(model).into_values() {
            all.extend(parquet_file::read_all(&path, night.store.get(&path).await?)?);
        }
        let all = concat_batches(&schema(), &all).and_then(|rows| rows.project(&[4, 0, 1, 2, 3]));
        all.map_err(|error| Diagnostic::internal(format!("no table of matches: {error}")))
    })
    .await
}

/// What kept records apart, for people: of a mapping, its file and record, too.
pub(in crate::pipeline::stage) async fn told(
    night: &RunContext<'_>,
    model: &Model,
    snapshots: &[Snapshot],
    table: &str,
    doubts: &[Doubt],
) -> Result<Vec<(DoubtOf, String)>> {
    let mut places: BTreeMap<(String, String), String> = BTreeMap::new();
    let lineage = model.tables.get(MAPPINGS).and_then(|mappings| mappings.lineage);
    if let Some(digest) = lineage.filter(|_| doubts.iter().any(|doubt| doubt.mapping.is_some())) {
        let path = object_name(&format!("model/{MAPPINGS}__lineage"), &digest, "parquet");
        for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
            let text = |column: usize| batch.column(column).as_string::<i32>();
            let (tables, from, to, exports) = (text(0), text(1), text(2), text(3));
            let rows = batch.column(4).as_primitive::<Int64Type>();
            for row in (0..batch.num_rows()).filter(|row| tables.value(*row) == table) {
                let export = Snapshot::named(snapshots, exports.value(row));
                let path = export.map_or(MAPPINGS, |snapshot| snapshot.path.as_str());
                let pair = (from.value(row).to_owned(), to.value(row).to_owned());
                places.insert(pair, format!("{path}, record {}", rows.value(row)));
            }
        }
    }
    let tell = |doubt: &Doubt| match &doubt.mapping {
        None => (DoubtOf::Match, doubt.reason.clone()),
        Some(pair) => {
            let place = places.get(pair).map_or(MAPPINGS, String::as_str);
            (DoubtOf::Mapping, format!("{place}: {table} {} same as {}: {}", pair.0, pair.1, doubt.reason))
        }
    };
    Ok(doubts.iter().map(tell).collect())
}
