//! `scorebook verify --deep`: makes a sample of the newest run again from its inputs, and compares. What is not in the sample is
//! taken from the cache, and nothing is written to the warehouse.

use crate::artifact::document::{CONTEXT, Document};
use crate::at_work;
use crate::command::opened::Opened;
use crate::command::replay::{differences, made_again};
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Digest;
use crate::ledger::{Entry, Ledger};
use crate::steps::Steps;
use crate::store::Store;
use std::collections::BTreeSet;

/// So many of each kind, if nobody says how many.
const SAMPLE: usize = 5;

/// What a sample told.
pub(super) struct Sample {
    /// How many steps were made again.
    again: usize,
    /// What is not as it was sealed, and how.
    pub differing: Vec<[String; 2]>,
}

impl Sample {
    /// What it proves, and what it does not.
    pub(super) fn proves(&self, entry: &Entry) -> String {
        let (again, number) = (self.again, entry.number);
        format!(
            "{again} steps of run {number}, a sample, were made again from their inputs and gave the same bytes; \
             only `scorebook replay {number}` makes all of them again"
        )
    }
}

/// Makes a sample of the newest run again.
pub(super) async fn sample<'a>(
    opened: &Opened,
    ledger: &'a Ledger,
    each: Option<usize>,
    quiet: bool,
) -> Result<Option<(&'a Entry, Sample)>> {
    let Some(entry) = ledger.last() else { return Ok(None) };
    let folder = tempfile::tempdir().map_err(|error| Diagnostic::internal(format!("no temporary folder: {error}")))?;
    let _registered = at_work::scratch(folder.path());
    let scratch = Store::over(&opened.store, folder.path())?;
    let steps = Steps::sampling(&scratch, chosen(entry, each.unwrap_or(SAMPLE)));
    let made = made_again(opened, ledger, entry, (&scratch, &steps), quiet).await?;
    let cell = |cell: Option<String>| cell.unwrap_or_default();
    let told = differences(entry, &made).rows.into_iter().map(|row| {
        let [output, sealed, again] = <[Option<String>; 3]>::try_from(row).unwrap_or_default().map(cell);
        [output, format!("sealed as {sealed}, made again {again}")]
    });
    let (again, other) = steps.sampled();
    let mut differing: Vec<_> = told.collect();
    differing
        .extend(other.iter().map(|key| [format!("steps/{key}.json"), "made again it gives something else".into()]));
    Ok(Some((entry, Sample { again, differing })))
}

/// The objects whose steps are made again: so many of each kind. The entry's hash chooses, so that the same ledger gives the same
/// sample, and another run another one.
fn chosen(entry: &Entry, each: usize) -> BTreeSet<String> {
    let tables = entry.model.iter().map(|(name, table)| table.path(name)).collect();
    let scores = entry.scores.iter().map(|(metric, table)| table.path(metric)).collect();
    let contexts = entry.documents.iter().filter_map(|document| document.files.get(CONTEXT));
    let documents = contexts.map(|digest| Document::path(CONTEXT, digest)).collect();
    let hash = entry.hash.map(|hash| hash.to_string()).unwrap_or_default();
    let kinds: [Vec<String>; 3] = [tables, scores, documents];
    let few = kinds.into_iter().flat_map(|mut paths| {
        paths.sort_by_cached_key(|path| Digest::of(format!("{hash} {path}").as_bytes()));
        paths.truncate(each);
        paths
    });
    few.collect()
}
