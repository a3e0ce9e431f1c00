//! Whether ids lead to a record.

use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::pipeline::stage::contract::{Contract, OnMissing, Table};
use crate::pipeline::stage::fold::Part;
use crate::pipeline::stage::matching::names::Names;
use crate::pipeline::stage::rows::{batch, only, texts_of};
use crate::run_context::RunContext;
use crate::run_context::read_table;
use arrow::array::AsArray;
use std::collections::{BTreeMap, BTreeSet};

/// The keys of tables.
pub(super) type Known = BTreeMap<String, BTreeSet<String>>;

/// The keys of the tables that this one references, itself excepted.
pub(super) async fn known_keys(
    night: &RunContext<'_>,
    contract: &Contract,
    name: &str,
    model: &Model,
    names: &Names,
) -> Result<Known> {
    let mut known = Known::new();
    for target in contract.tables[name].targets().into_iter().filter(|target| *target != name) {
        let batches = read_table(night, model, target).await?;
        let position = contract.tables[target].key_positions()[0];
        let mut keys = texts_of(&batches, position);
        // A part of a record that another one stands for leads somewhere, too; it goes with that record.
        keys.extend(names.superseded(target).cloned());
        known.insert(target.to_owned(), keys);
    }
    Ok(known)
}

/// Empties references that lead nowhere, or tells them.
pub(super) fn follow(table: &Table, part: &mut Part, known: &Known) -> Result<()> {
    let mut columns = part.batch.columns().to_vec();
    for (position, column) in table.columns.iter().enumerate() {
        if let Some(by) = table.columns.iter().position(|c| Some(&c.name) == column.references_by.as_ref()) {
            let (targets, texts) = (columns[by].as_string::<i32>(), columns[position].as_string::<i32>());
            for ((target, text), dangling) in targets.iter().zip(texts).zip(&mut part.dangling) {
                if let (Some(target), Some(id)) = (target, text)
                    && known.get(target).is_some_and(|known| !known.contains(id))
                {
                    dangling.get_or_insert_with(|| format!("{}: {target} has no `{id}`", column.name));
                }
            }
        }
        let Some(target) = column.references.as_deref() else { continue };
        let Some(known) = known.get(target) else { continue };
        let texts = columns[position].as_string::<i32>();
        let found = |id: &str| known.contains(id);
        match column.on_missing.unwrap_or(OnMissing::Quarantine) {
            OnMissing::Null => columns[position] = only(texts, found),
            OnMissing::Quarantine => {
                for (text, dangling) in texts.iter().zip(&mut part.dangling) {
                    if let Some(id) = text.filter(|id| !found(id)) {
                        dangling.get_or_insert_with(|| format!("{}: {target} has no `{id}`", column.name));
                    }
                }
            }
        }
    }
    part.batch = batch(part.batch.schema(), columns)?;
    Ok(())
}
