//! The scores of a run, a table for each metric.

use crate::domain::digest::Digest;
use crate::domain::score::NotSupplied;
use crate::steps::Counts;
use crate::store::object_name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The scores of one run.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    /// By metric.
    pub tables: BTreeMap<String, ScoreTable>,
    /// The metrics that had to be scored.
    pub made: Vec<String>,
    /// How many were found as they were.
    pub reused: usize,
    /// The targets that were left out, each with the reason.
    pub left_out: Vec<String>,
}

impl Scores {
    /// How many were made and found.
    pub fn counts(&self) -> Counts {
        Counts { made: self.made.len(), reused: self.reused }
    }
}

/// The scores of one metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreTable {
    /// Of the Parquet file.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
    /// Why the metric has no scores, or none before some day, if no export supplies a table that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_supplied: Option<NotSupplied>,
}

impl ScoreTable {
    /// The path of a metric's Parquet file.
    pub fn path(&self, metric: &str) -> String {
        object_name(&format!("scores/{metric}"), &self.digest, "parquet")
    }
}
