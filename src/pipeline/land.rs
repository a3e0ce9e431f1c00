//! Landing: each export becomes one immutable raw snapshot, every cell verbatim as text.
//!
//! [`find()`] lists the exports, [`run`] makes or finds the snapshot of each. What a record of an export is, and what
//! happens to one that cannot be read, is the business of the modules below, which know no store and no settings.

mod chunk;
mod decode;
mod find;
mod header;
mod policy;
mod privacy;
mod reader;
mod records;
mod rejects;
pub mod snapshot;
mod unfinished;
pub mod unpack;

pub use find::{Export, Exports, find};
pub use policy::{ColumnPolicy, fingerprint};
pub use privacy::Read;
pub use reader::{Landed, ReaderOptions, land};

#[cfg(test)]
mod tests;

use self::privacy::{Header, Privacy};
use crate::artifact::snapshot::Snapshot;
use crate::artifact::trace::Trace;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::{Digest, Key};
use crate::project::SETTINGS;
use crate::run_context::{Event, RunContext};
use crate::settings::{Policy, Table};
use crate::steps::{Counts, Made};
use crate::store::object_name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Raised when landing makes other bytes of the same export.
const FORMAT: u32 = 2;

/// All observations of a run.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// One for each export.
    pub snapshots: Vec<Snapshot>,
    /// The exports that had to be landed.
    pub made: Vec<String>,
    /// How many were found as they were.
    pub reused: usize,
}

impl Observed {
    /// How many were made and found.
    pub fn counts(&self) -> Counts {
        Counts { made: self.made.len(), reused: self.reused }
    }
}

/// What the step of one export made.
#[derive(Clone, Serialize, Deserialize)]
struct MadeSnapshot {
    source: String,
    table: String,
    raw: Digest,
    rows: u64,
    rejects: Option<Digest>,
    rejected: u64,
    dropped: Vec<String>,
    undecided: Vec<String>,
    pseudonymised: Vec<String>,
}

impl Made for MadeSnapshot {
    const READ_LATER: bool = true;

    fn objects(&self) -> Vec<String> {
        let name = |kind: &str, digest: &Digest| {
            object_name(&format!("{kind}/{}/{}", self.source, self.table), digest, "parquet")
        };
        std::iter::once(name("raw", &self.raw)).chain(self.rejects.iter().map(|d| name("rejects", d))).collect()
    }
}

/// Digests known from an earlier run, by all that a change of a file's bytes must change.
#[derive(Clone, Debug, Default)]
pub struct Known(BTreeMap<(String, u64, String, Trace), Digest>);

impl Known {
    /// What a run observed. An observation without a trace tells too little: size and modification time can be set.
    pub fn of(observations: &[Snapshot]) -> Known {
        let known = observations.iter().filter_map(|s| {
            let trace = s.trace.clone()?;
            Some(((s.path.clone(), s.size, s.modified.clone(), trace), s.digest))
        });
        Known(known.collect())
    }

    /// The digest of an export that looks in every way as it did.
    fn digest(&self, export: &Export) -> Option<Digest> {
        let trace = export.trace.clone()?;
        self.0.get(&(export.path.clone(), export.size, export.modified.clone(), trace)).copied()
    }
}

/// Lands every export that is not landed yet. `read` is what definitions name, `secret` the key of pseudonyms.
pub async fn run(
    night: &RunContext<'_>,
    exports: &Exports,
    known: &Known,
    read: &Read,
    secret: Option<&[u8]>,
) -> Result<Observed> {
    refuse_unsure(night, exports, read).await?;
    let mut observed = Observed::default();
    for export in &exports.found {
        let table = &night.settings.sources[&export.source].tables[&export.table];
        let privacy = Privacy::of(&export.source, &export.table, table, read);
        let (digest, hashed) = match known.digest(export) {
            Some(digest) => (digest, false),
            None => (exports.digest(export).await?, true),
        };
        let key = key(export, digest, table, &privacy, secret);
        let made = match night.steps.recall::<MadeSnapshot>(key).await? {
            Some(made) => {
                observed.reused += 1;
                made
            }
            None => {
                (night.tell)(Event::Item(&export.path));
                let made = make(night, exports, export, digest, (table, &privacy), secret).await?;
                night.steps.remember(key, &made)?;
                observed.made.push(export.path.clone());
                made
            }
        };
        observed.snapshots.push(Snapshot {
            source: export.source.clone(),
            table: export.table.clone(),
            path: export.path.clone(),
            size: export.size,
            modified: export.modified.clone(),
            trace: export.trace.clone(),
            digest,
            hashed,
            data_date: export.data_date,
            raw: made.raw,
            rows: made.rows,
            rejects: made.rejects,
            rejected: made.rejected,
            dropped: made.dropped,
            undecided: made.undecided,
            pseudonym_key: secret.filter(|_| !made.pseudonymised.is_empty()).map(fingerprint),
            pseudonymised: made.pseudonymised,
        });
    }
    unfinished::refuse(exports, &observed.snapshots, night.store).await?;
    night.steps.flush().await?;
    Ok(observed)
}

/// Looks at the headers of all exports of tables with policies, before anything is written.
async fn refuse_unsure(night: &RunContext<'_>, exports: &Exports, read: &Read) -> Result<()> {
    for (source, of_source) in &night.settings.sources {
        for (name, table) in of_source.tables.iter().filter(|(_, table)| !table.columns.is_empty()) {
            let mut headers: Vec<Header> = Vec::new();
            let of_table = |export: &&Export| export.source == *source && export.table == *name;
            let all = exports.found.iter().map(|export| (export, true));
            for (export, lands) in all.chain(exports.later.iter().map(|export| (export, false))) {
                if of_table(&export) {
                    let names = reader::header_of(&export.path, exports.reader(export).await?, &options(night, table))?;
                    let header = Header::new(&export.path, lands, &names);
                    if !headers.iter().any(|known| known.is_like(&header)) {
                        headers.push(header);
                    }
                }
            }
            let privacy = Privacy::of(source, name, table, read);
            privacy::check(&format!("{source}.{name}"), &privacy, &headers, night.project.text(SETTINGS)?)?;
        }
    }
    Ok(())
}

fn options(night: &RunContext<'_>, table: &Table) -> ReaderOptions {
    ReaderOptions {
        delimiter: table.delimiter as u8,
        encoding: table.encoding.clone(),
        threads: night.limits.threads,
        unpacking: night.settings.land.unpacking(),
        ..ReaderOptions::default()
    }
}

fn key(export: &Export, digest: Digest, table: &Table, privacy: &Privacy<'_>, secret: Option<&[u8]>) -> Key {
    #[derive(Serialize)]
    struct Inputs<'a> {
        table: (&'a str, &'a str),
        export: Digest,
        delimiter: char,
        encoding: Option<&'a str>,
        columns: &'a BTreeMap<String, Policy>,
        read: Option<&'a BTreeSet<String>>,
        secret: Option<Digest>,
    }
    let pseudonymises = table.columns.values().any(|policy| *policy == Policy::Pseudonymise);
    Key::of(
        "land",
        FORMAT,
        &Inputs {
            table: (&export.source, &export.table),
            export: digest,
            delimiter: table.delimiter,
            encoding: table.encoding.as_deref(),
            columns: &table.columns,
            read: privacy.decided_by_definitions(),
            secret: secret.filter(|_| pseudonymises).map(|key| Digest::of(&[b"pseudonyms\n", key].concat())),
        },
    )
}

async fn make(
    night: &RunContext<'_>,
    exports: &Exports,
    export: &Export,
    digest: Digest,
    (table, privacy): (&Table, &Privacy<'_>),
    secret: Option<&[u8]>,
) -> Result<MadeSnapshot> {
    let options = options(night, table);
    let policy = |column: &str| privacy.policy(column);
    let (mut snapshot, mut rejects) = (Vec::new(), Vec::new());
    let source = exports.reader(export).await?;
    let landed = land(&export.path, source, &options, &policy, secret, &mut snapshot, &mut rejects)?;
    if exports.digest(export).await? != digest {
        return Err(Diagnostic::data(format!("{} changed while it was read", export.path))
            .help("run again when the CRM has finished writing it"));
    }
    let (source, name) = (export.source.clone(), export.table.clone());
    let raw = night.store.put_named(&format!("raw/{source}/{name}"), "parquet", snapshot).await?;
    let rejects = match landed.rejected {
        0 => None,
        _ => Some(night.store.put_named(&format!("rejects/{source}/{name}"), "parquet", rejects).await?),
    };
    Ok(MadeSnapshot {
        source,
        table: name,
        raw,
        rows: landed.rows,
        rejects,
        rejected: landed.rejected,
        undecided: landed.undecided,
        dropped: landed.dropped,
        pseudonymised: landed.pseudonymised,
    })
}
