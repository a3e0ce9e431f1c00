//! The documents of a run, each in all its formats.

use crate::diagnostic::Diagnostic;
use crate::domain::digest::{Digest, Key};
use crate::steps::Counts;
use crate::store::object_name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The format under which a document's context is kept: what explains it, and what says later what changed.
pub const CONTEXT: &str = "json";

/// One document of a run, in all its formats.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// The report's id.
    pub report: String,
    /// The period's name.
    pub period: String,
    /// The audience's level.
    pub level: String,
    /// The entity's id.
    pub entity: String,
    /// The entity's name as people know it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The report and the period as they are printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What stood above the entity at the document's date: level -> id. Their readers may read it too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub above: BTreeMap<String, String>,
    /// The readable name of its files, without their ending.
    pub view: String,
    /// The key: what made it.
    pub key: Key,
    /// The digest of each format's file: `pdf`, `html`, `csv`, and its context as `json`.
    pub files: BTreeMap<String, Digest>,
}

impl Document {
    /// The path of a file in the warehouse.
    pub fn path(format: &str, digest: &Digest) -> String {
        object_name("documents", digest, format)
    }

    /// Its files in the readable view: path there, path in the warehouse, digest.
    pub fn views(&self) -> impl Iterator<Item = (String, String, Digest)> + '_ {
        let printed = self.files.iter().filter(|(format, _)| *format != CONTEXT);
        printed.map(|(format, digest)| (format!("{}.{format}", self.view), Document::path(format, digest), *digest))
    }
}

/// A document that was made, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The report's id.
    pub report: String,
    /// The entity's name.
    pub name: String,
    /// Why it was made.
    pub why: String,
}

/// All documents of a run.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// By report, period and entity.
    pub documents: Vec<Document>,
    /// Of which period each report tells, whether it has readers or not.
    pub periods: BTreeMap<String, String>,
    /// Those that had to be made, and why.
    pub made: Vec<Reason>,
    /// How many were found as they were.
    pub reused: usize,
    /// What of their texts does not print as it stands: by report and entity's name, of documents that have such texts.
    pub unprinted: Vec<(String, String, BTreeSet<Unprinted>)>,
    /// Those that could not be made: report, entity's id, and what is wrong.
    pub failed: Vec<(String, String, Box<Diagnostic>)>,
}

impl Rendered {
    /// How many were made and found.
    pub fn counts(&self) -> Counts {
        Counts { made: self.made.len(), reused: self.reused }
    }
}

/// The contexts of the documents of an earlier run, to say what changed: (report, period, entity) -> key and digest.
pub type Before = BTreeMap<(String, String, String), (Key, Digest)>;

/// A text that does not print as it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unprinted {
    /// The text.
    pub text: String,
    /// What of it is not printed, each once.
    pub signs: BTreeSet<char>,
    /// Under which heading of the document it stands.
    pub place: String,
}
