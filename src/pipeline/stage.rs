//! From raw snapshots to the model: typed, CRM-neutral tables that keep the contract of `queries/model.toml`.
//!
//! Every record of every export is accounted for: it is in the model, superseded by a later export, deleted, skipped
//! with a reason, or quarantined with one. Where each row came from stands in a table of its own, `<table>__lineage`,
//! so that a new export with the same rows leaves the model as it was.

mod calendar;
mod cell;
pub mod contract;
pub mod contract_check;
mod credits;
pub mod definition;
mod derived;
mod export;
mod fold;
mod made;
pub mod matching;
pub mod model_from_rows;
mod money;
mod organisation;
mod quarantine;
mod references;
mod rows;
mod staged;
pub mod typed;
mod versions;
pub mod workdays;

use crate::artifact::model::Model;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::run_context::{Event, RunContext};
use definition::Staging;

/// Makes the model from the snapshots.
pub async fn run(night: &RunContext<'_>, snapshots: &[Snapshot]) -> Result<Model> {
    let contract = contract_check::read(night.project)?;
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
