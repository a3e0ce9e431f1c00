//! Tables that keep another table's rows from night to night: each *version* of a record from the data date of the first
//! night that shows it so, up to, not including, that of the first night that shows it otherwise or no more.
//!
//! [`chain`] adds night to night, so that a year of nights costs no more than its last one. It knows rows as they were
//! exported; [`finish`] then converts their money and makes their ids canonical, as rates and matches are today. With
//! examples in docs/rules/history.md.

use crate::artifact::model::{Model, ModelTable};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::Result;
use crate::pipeline::stage::contract::Contract;
use crate::pipeline::stage::definition::Staging;
use crate::run_context::RunContext;

mod chain;
pub(super) mod check;
mod finish;
mod overlay;
mod table;

use table::Versions;

/// Finds or makes a table of versions, from all exports of the table whose rows they are.
pub(super) async fn make(
    night: &RunContext<'_>,
    contract: &Contract,
    name: &str,
    stagings: &[Staging<'_>],
    snapshots: &[Snapshot],
    model: &mut Model,
) -> Result<()> {
    let table = &contract.tables[name];
    let Some(base_name) = table.versions_of.as_deref() else { return Ok(()) };
    let base = &contract.tables[base_name];
    let versions = Versions { night, contract, name, table, base_name, base };
    let stagings: Vec<&Staging<'_>> = stagings.iter().filter(|staging| staging.header.into == base_name).collect();
    let nights = chain::nights(&stagings, snapshots);
    let digest = versions.nights(&stagings, &nights, snapshots, model).await?;
    let (made, told) = versions.finish(digest, snapshots, model).await?;
    model.doubts.extend(told);
    model.tables.insert(name.to_owned(), ModelTable { supplied: !nights.is_empty(), ..made });
    Ok(())
}
