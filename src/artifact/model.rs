//! The model of a run: its tables, and what became of the records behind them.

use crate::domain::digest::Digest;
use crate::engine;
use crate::steps::Counts;
use crate::store::object_name;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The model of one run.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// All tables by name, also derived ones and those the engine makes.
    pub tables: BTreeMap<String, ModelTable>,
    /// The first day of which a table tells, if there was business before.
    pub since: BTreeMap<String, Date>,
    /// What became of every export's records.
    pub balance: Vec<Balance>,
    /// The path of each export, by the digest of its snapshot.
    pub paths: BTreeMap<String, String>,
    /// The columns that tell the rows of each table apart.
    pub keys: engine::Keys,
    /// What somebody should look at.
    pub doubts: Vec<(DoubtOf, String)>,
    /// The tables that had to be made.
    pub made: Vec<String>,
    /// How many were found as they were.
    pub reused: usize,
}

impl Model {
    /// How many were made and found.
    pub fn counts(&self) -> Counts {
        Counts { made: self.made.len(), reused: self.reused }
    }
}

/// What a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtOf {
    /// A mapping that was not followed.
    Mapping,
    /// Records of several sources that may be one.
    Match,
    /// Versions that broke the contract.
    Version,
}

/// One table of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTable {
    /// Of its Parquet file.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
    /// Of the file that says where its rows came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Digest>,
    /// Of the file with the rows that broke the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Digest>,
    /// How many those are.
    #[serde(default)]
    pub quarantined: u64,
    /// Of the file that says which records other sources' records stand for, if any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Digest>,
    /// Of its file before the table was completed, if a definition does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<Digest>,
    /// Whether any export stands behind it.
    pub supplied: bool,
}

impl ModelTable {
    /// A table that came from no export.
    pub fn bare(digest: Digest, rows: u64, supplied: bool) -> ModelTable {
        let (lineage, quarantine, matches, staged) = (None, None, None, None);
        ModelTable { digest, rows, lineage, quarantine, quarantined: 0, matches, staged, supplied }
    }

    /// The path of its Parquet file.
    pub fn path(&self, name: &str) -> String {
        object_name(&format!("model/{name}"), &self.digest, "parquet")
    }

    /// The path of its matches, if it has any.
    pub fn matches_path(&self, name: &str) -> Option<String> {
        self.matches.map(|digest| object_name(&format!("model/{name}__matches"), &digest, "parquet"))
    }

    /// All its objects: what each is, its path and its digest.
    pub fn objects(&self, name: &str) -> Vec<(String, String, Digest)> {
        let kinds = [
            (name.to_owned(), format!("model/{name}"), Some(self.digest)),
            (format!("{name} as staged"), format!("model/{name}"), self.staged),
            (format!("{name}__lineage"), format!("model/{name}__lineage"), self.lineage),
            (format!("{name}__matches"), format!("model/{name}__matches"), self.matches),
            (format!("quarantine of {name}"), format!("quarantine/{name}"), self.quarantine),
        ];
        let there = kinds.into_iter().filter_map(|(what, folder, digest)| Some((what, folder, digest?)));
        there.map(|(what, folder, digest)| (what, object_name(&folder, &digest, "parquet"), digest)).collect()
    }
}

/// What became of the records of one export in one staging file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are the design's")]
pub struct Balance {
    pub source: String,
    pub table: String,
    pub path: String,
    pub data_date: String,
    pub into: String,
    pub read: u64,
    pub rejected: u64,
    pub skipped: u64,
    pub quarantined: u64,
    pub kept: u64,
    pub current: u64,
    pub superseded: u64,
    pub deleted: u64,
}

impl Balance {
    /// read = kept + skipped + quarantined + rejected; kept = current + superseded + deleted.
    pub fn holds(&self) -> bool {
        self.read == self.kept + self.skipped + self.quarantined + self.rejected
            && self.kept == self.current + self.superseded + self.deleted
    }
}
