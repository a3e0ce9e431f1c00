//! From raw snapshots to the model: typed, CRM-neutral tables that keep the contract of `queries/model.toml`.
//!
//! Every record of every export is accounted for: it is in the model, superseded by a later export, deleted, skipped
//! with a reason, or quarantined with one. Where each row came from stands in a table of its own, `<table>__lineage`,
//! so that a new export with the same rows leaves the model as it was.

mod calendar;
mod cell;
pub mod contract;
mod credits;
pub mod definition;
mod derived;
mod export;
mod fold;
pub mod matching;
pub mod model_from_rows;
mod money;
mod organisation;
mod quarantine;
mod references;
mod staged;
pub mod typed;
mod versions;
pub mod workdays;

use crate::artifact::model::{Balance, Model, ModelTable};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Key;
use crate::parquet_file;
use crate::run_context::{Event, RunContext};
use crate::steps::Made;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use contract::Contract;
use definition::Staging;
use jiff::tz::TimeZone;
use matching::Doubt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Raised when staging makes other bytes of the same inputs.
const FORMAT: u32 = 7;

/// What the step of one table made.
#[derive(Serialize, Deserialize)]
struct MadeTable {
    name: String,
    table: ModelTable,
    balance: Vec<Balance>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<Doubt>,
}

impl Made for MadeTable {
    fn objects(&self) -> Vec<String> {
        self.table.objects(&self.name).into_iter().map(|(_, path, _)| path).collect()
    }
}

/// Makes the model from the snapshots.
pub async fn run(night: &RunContext<'_>, snapshots: &[Snapshot]) -> Result<Model> {
    let contract = Contract::of(night.project)?;
    let stagings = definition::read(night.project, night.settings, &contract)?;
    let derived = derived::read(night.project, &contract)?;
    let mut model = Model { paths: Snapshot::paths(snapshots), keys: contract.keys(), ..Model::default() };
    for name in contract.in_order()? {
        let table = &contract.tables[name];
        let is_derived = |target: &str| derived.iter().any(|derived| derived.name == target && !derived.completes());
        if let Some(target) = table.targets().into_iter().find(|t| is_derived(t))
            && !is_derived(name)
        {
            return Err(Diagnostic::project(format!("{name} references {target}, which is derived and made after it"))
                .at(Place::file(contract::FILE))
                .help("drop the reference, or reference the table that it is derived from"));
        }
        if is_derived(name) {
            continue;
        }
        (night.tell)(Event::Item(name));
        if table.versions_of.is_some() {
            versions::make(night, &contract, name, &stagings, snapshots, &mut model).await?;
            continue;
        }
        let stagings: Vec<&Staging<'_>> = stagings.iter().filter(|staging| staging.header.into == name).collect();
        staged::staged(night, &contract, name, table, &stagings, snapshots, &mut model).await?;
        // It tells all from the day on which the last of its exports begins to.
        let since = stagings.iter().filter_map(|s| night.settings.sources[s.source].tables[&s.header.from].since).max();
        model.since.extend(since.map(|since| (name.to_owned(), since)));
    }
    matching::tables::make(night, &contract, &mut model).await?;
    calendar::make(night, &mut model).await?;
    organisation::make(night, snapshots, &mut model).await?;
    credits::check(night, &model).await?;
    derived::make(night, &contract, derived, &mut model).await?;
    night.steps.flush().await?;
    Ok(model)
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|error| Diagnostic::internal(format!("cannot build rows: {error}")))
}

fn texts_of(batches: &[RecordBatch], position: usize) -> BTreeSet<String> {
    let columns = batches.iter().filter_map(|batch| batch.column(position).as_string_opt::<i32>());
    columns.flat_map(|column| column.iter().flatten().map(String::from).collect::<Vec<_>>()).collect()
}

/// The texts that are known; the others become empty.
fn only(texts: &StringArray, known: impl Fn(&str) -> bool) -> ArrayRef {
    Arc::new(texts.iter().map(|text| text.filter(|id| known(id))).collect::<StringArray>())
}

/// The company's time zone.
pub(crate) fn time_zone(night: &RunContext<'_>) -> Result<TimeZone> {
    let name = &night.settings.calendar.time_zone;
    TimeZone::get(name).map_err(|error| Diagnostic::project(format!("`{name}` is no time zone: {error}")))
}

/// The names of all sources.
fn source_names<'a>(night: &RunContext<'a>) -> Vec<&'a str> {
    night.settings.sources.keys().map(String::as_str).collect()
}

/// Finds or makes a table that comes from other tables alone.
async fn made_from(
    night: &RunContext<'_>,
    model: &mut Model,
    name: &str,
    inputs: &impl Serialize,
    supplied: bool,
    make: impl AsyncFnOnce(&Model) -> Result<RecordBatch>,
) -> Result<()> {
    let key = Key::of("derive", FORMAT, &(name, inputs));
    let made = match night.steps.recall::<MadeTable>(key).await? {
        Some(made) => {
            model.reused += 1;
            made
        }
        None => {
            (night.tell)(Event::Item(name));
            let rows = make(model).await?;
            let bytes = parquet_file::write(rows.schema(), std::slice::from_ref(&rows), parquet_file::ROW_GROUP_ROWS)?;
            let digest = night.store.put_named(&format!("model/{name}"), "parquet", bytes).await?;
            let rows = rows.num_rows() as u64;
            let table = ModelTable::bare(digest, rows, supplied);
            let made = MadeTable { name: name.to_owned(), table, balance: Vec::new(), doubts: Vec::new() };
            night.steps.remember(key, &made)?;
            model.made.push(name.to_owned());
            made
        }
    };
    model.tables.insert(name.to_owned(), made.table);
    Ok(())
}
