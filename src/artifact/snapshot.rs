//! What a run read: an export, and the snapshot that was made of it.

use crate::artifact::trace::Trace;
use crate::domain::digest::Digest;
use crate::store::object_name;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An observation: this export, at this path, with this digest, speaks for this source, table and data date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The source's name in the settings.
    pub source: String,
    /// The table's name in the settings.
    pub table: String,
    /// The export's path, as the settings lead to it.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// When it was last written, RFC 3339.
    pub modified: String,
    /// What a change of its bytes cannot leave as it was, where the system tells.
    #[serde(flatten)]
    pub trace: Option<Trace>,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether the bytes were read for that in this run: else path, size and time were those of the last run.
    pub hashed: bool,
    /// The date it speaks for.
    pub data_date: Date,
    /// The snapshot's digest.
    pub raw: Digest,
    /// Its records.
    pub rows: u64,
    /// The digest of the records that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<Digest>,
    /// How many those are.
    pub rejected: u64,
    /// Columns that were not written.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// Those of them of which nobody decided: in a table with private columns they wait for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<String>,
    /// Columns that were written as keyed hashes.
    #[serde(default)]
    pub pseudonymised: Vec<String>,
    /// By which key, if there are any: its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym_key: Option<String>,
}

impl Snapshot {
    /// The export that a snapshot's digest stands for: of several nights with the same bytes the newest.
    pub fn named<'a>(all: &'a [Snapshot], raw: &str) -> Option<&'a Snapshot> {
        all.iter().filter(|snapshot| snapshot.raw.to_string() == raw).max_by_key(|snapshot| snapshot.data_date)
    }

    /// The same of all of them: digest -> path.
    pub fn paths(all: &[Snapshot]) -> BTreeMap<String, String> {
        let mut by_date: Vec<&Snapshot> = all.iter().collect();
        by_date.sort_by_key(|snapshot| snapshot.data_date);
        by_date.into_iter().map(|snapshot| (snapshot.raw.to_string(), snapshot.path.clone())).collect()
    }

    /// The path of the snapshot's Parquet file.
    pub fn raw_path(&self) -> String {
        object_name(&format!("raw/{}/{}", self.source, self.table), &self.raw, "parquet")
    }

    /// The path of the rejects' Parquet file.
    pub fn rejects_path(&self) -> Option<String> {
        let folder = format!("rejects/{}/{}", self.source, self.table);
        self.rejects.map(|digest| object_name(&folder, &digest, "parquet"))
    }
}
