//! What checks found.

use serde::{Deserialize, Serialize};

/// What wrong rows mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run stops.
    Error,
    /// The run goes on.
    Warning,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's name.
    pub check: String,
    /// The table or the column that it is about, of a check that looks at several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What is wrong, in words.
    pub title: String,
    /// What it means.
    pub severity: Severity,
    /// Whether it would have stopped the run, and was accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// How many rows; zero if it is not about rows.
    pub rows: u64,
    /// The first of them.
    pub shown: Vec<String>,
    /// What to do.
    pub help: String,
}
