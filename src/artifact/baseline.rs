//! What a run's exports and model are held against.

use crate::artifact::model::ModelTable;
use crate::artifact::snapshot::Snapshot;
use crate::store::Store;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What the last sealed run read and made.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its number.
    pub number: u64,
    /// Its date.
    pub as_of: Date,
    /// What it read.
    pub observations: Vec<Snapshot>,
    /// Its model.
    pub model: BTreeMap<String, ModelTable>,
    /// The fingerprints of the keys of its pseudonyms, or of the newest run before it that had any; and that run's number.
    pub pseudonym_keys: (u64, BTreeSet<String>),
}

/// What exports and model are held against.
#[derive(Clone, Copy)]
pub struct Baseline<'a> {
    /// The last sealed run, if there is one.
    pub earlier: Option<&'a Sealed>,
    /// Where its objects are.
    pub store: &'a Store,
    /// The errors that a person accepted: `row_counts`, or `row_counts:salesforce.Opportunity`.
    pub accepted: &'a BTreeSet<String>,
}
