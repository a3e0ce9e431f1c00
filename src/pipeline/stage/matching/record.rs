//! Records of several sources, and what is known of which are the same.

use serde::{Deserialize, Serialize};

/// The model's table of all matches, which the engine makes.
pub const TABLE: &str = "matches";
/// A record that another one stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pipeline::stage) struct Match {
    /// Its id.
    pub record_id: String,
    /// The canonical record's.
    pub same_as: String,
    /// What says so: `mapping`, or the columns of the contract's rule.
    pub rule: String,
    /// What both have in those columns.
    pub key: String,
}

/// Something that might be a match, and is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The records of the mapping that says so, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<(String, String)>,
    /// What keeps them apart.
    pub reason: String,
}

/// A row of the mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pipeline::stage) struct Mapping {
    pub record_id: String,
    pub same_as: String,
    pub is_same: bool,
}

/// A record, and what stands in the columns of each rule: nothing, where one of them is empty.
#[derive(Clone, Debug)]
pub(in crate::pipeline::stage) struct Record {
    pub id: String,
    pub keys: Vec<Option<Vec<String>>>,
}

/// What was found.
#[derive(Debug, Default)]
pub(in crate::pipeline::stage) struct Found {
    pub matches: Vec<Match>,
    pub doubts: Vec<Doubt>,
}

/// The source that an id names.
pub(in crate::pipeline::stage) fn source_of(id: &str) -> &str {
    id.split_once(':').map_or(id, |(source, _)| source)
}

/// Which of several records stands for the others: the least.
pub(in crate::pipeline::stage) fn rank<'a>(order: &[String], id: &'a str) -> (usize, &'a str, &'a str) {
    let source = source_of(id);
    (order.iter().position(|named| named == source).unwrap_or(order.len()), source, id)
}

/// Two ids in their order.
pub(in crate::pipeline::stage) fn pair<'a>(a: &'a str, b: &'a str) -> [&'a str; 2] {
    if a < b { [a, b] } else { [b, a] }
}
