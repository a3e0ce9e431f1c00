//! Which records of different sources are one: first those that a mapping kept by hand says, then those that are equal in
//! the columns of a rule of the contract. With examples in docs/rules/sources.md.
//!
//! One record stands for all that are the same, the *canonical* one: that of the source which the settings name first. It
//! stays as it is; nothing is merged into it.

use crate::diagnostic::Diagnostic;
use crate::pipeline::stage::contract::{Kind, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod groups;
pub(super) mod names;
pub(super) mod tables;

use groups::{Groups, Refused};

/// The model's table of all matches, which the engine makes.
pub const TABLE: &str = "matches";
/// The model's table of what is said by hand: that two records are the same, or are not.
pub const MAPPINGS: &str = "mappings";
/// Its column that names the records' table.
pub const RECORD_TABLE: &str = "record_table";
/// The columns of a mapping, and what its cells are.
const MAPPING: [(&str, Kind); 4] =
    [(RECORD_TABLE, Kind::Text), ("record_id", Kind::Id), ("same_as", Kind::Id), ("is_same", Kind::Boolean)];
/// The rule of what a mapping says.
const BY_HAND: &str = "mapping";

/// A record that another one stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
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
pub(super) struct Mapping {
    pub record_id: String,
    pub same_as: String,
    pub is_same: bool,
}

/// A record, and what stands in the columns of each rule: nothing, where one of them is empty.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub id: String,
    pub keys: Vec<Option<Vec<String>>>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub matches: Vec<Match>,
    pub doubts: Vec<Doubt>,
}

/// The source that an id names.
pub(super) fn source_of(id: &str) -> &str {
    id.split_once(':').map_or(id, |(source, _)| source)
}

/// Which of several records stands for the others: the least.
pub(super) fn rank<'a>(order: &[String], id: &'a str) -> (usize, &'a str, &'a str) {
    let source = source_of(id);
    (order.iter().position(|named| named == source).unwrap_or(order.len()), source, id)
}

/// What an error says, and the word of the contract that it is about.
type Wrong = (Box<Diagnostic>, String);

/// Checks what a table of the contract says of matching.
pub fn check(name: &str, table: &Table) -> std::result::Result<(), Wrong> {
    let wrong =
        |word: &str, message: String, help: &str| Err((Diagnostic::project(message).help(help), word.to_owned()));
    if name == MAPPINGS {
        for (column, kind) in MAPPING {
            if table.column(column).is_none_or(|found| found.kind != kind) {
                let help = "the engine reads it while other tables are staged: give it record_table (text, with the tables \
                    that it may name as `allowed`), record_id and same_as (id), and is_same (boolean)";
                return wrong(MAPPINGS, format!("{MAPPINGS} lacks the column `{column}`, {}", kind.words()), help);
            }
        }
        let key = MAPPING[..3].iter().map(|(column, _)| *column);
        if !table.key.iter().map(String::as_str).eq(key) {
            let help = "write key = [\"record_table\", \"record_id\", \"same_as\"]";
            return wrong("key", format!("the key of {MAPPINGS} must be what it says of which records"), help);
        }
    }
    if table.same_by.is_empty() {
        return Ok(());
    }
    let key = table.key.first().and_then(|key| table.column(key)).filter(|_| table.key.len() == 1);
    if key.is_none_or(|key| key.kind != Kind::Id) {
        let help = "drop `same_by`: only records with an id can be the same in several sources";
        return wrong("same_by", format!("the key of {name} is not one id"), help);
    }
    for column in table.same_by.iter().flatten() {
        if table.column(column).is_none() {
            let help = format!("its columns are {}", columns(table));
            return wrong("same_by", format!("`same_by` names `{column}`, which is no column of {name}"), &help);
        }
    }
    match table.same_by.iter().any(Vec::is_empty) {
        true => wrong("same_by", format!("a rule of {name} has no columns"), "write same_by = [[\"email\"]]"),
        false => Ok(()),
    }
}

fn columns(table: &Table) -> String {
    table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Finds the records of one table that are the same. `order` names the sources whose records stand for the others', the
/// first before the second; the rest follow by name.
pub(super) fn find(
    table: &str,
    rules: &[Vec<String>],
    records: &[Record],
    mappings: &[Mapping],
    order: &[String],
) -> Found {
    let mut found = Found::default();
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let mut groups = Groups::default();
    let said = known(table, mappings, &ids, &mut found.doubts);
    for mapping in said.iter().filter(|mapping| !mapping.is_same) {
        groups.keep_apart(&mapping.record_id, &mapping.same_as);
    }
    follow_mappings(&said, &mut groups, &mut found.doubts);
    for (i, rule) in rules.iter().enumerate() {
        follow_rule(table, i, &rule.join(" + "), records, &mut groups, &mut found.doubts);
    }
    for group in groups.of_several() {
        let Some(canonical) = group.iter().min_by_key(|id| rank(order, id)) else { continue };
        for id in group.iter().filter(|id| *id != canonical) {
            let (rule, key) = groups.reason(id).cloned().unwrap_or_default();
            found.matches.push(Match { record_id: (*id).clone(), same_as: (*canonical).clone(), rule, key });
        }
    }
    found.matches.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    found
}

/// The mappings of two records that are there.
fn known<'a>(table: &str, mappings: &'a [Mapping], ids: &BTreeSet<&str>, doubts: &mut Vec<Doubt>) -> Vec<&'a Mapping> {
    let mut known = Vec::new();
    for mapping in mappings {
        let pair = [mapping.record_id.as_str(), mapping.same_as.as_str()];
        let reason = match pair.iter().find(|id| !ids.contains(**id)) {
            Some(id) => format!("{table} has no `{id}`"),
            None if pair[0] == pair[1] => "it names one record twice".to_owned(),
            None => {
                known.push(mapping);
                continue;
            }
        };
        doubts.push(doubt(mapping, reason));
    }
    known
}

fn doubt(mapping: &Mapping, reason: String) -> Doubt {
    Doubt { mapping: Some((mapping.record_id.clone(), mapping.same_as.clone())), reason }
}

/// Two records of one source are the same only if a mapping says just that; a mapping that would make two of them one on
/// the way is not followed, nor is any of several that give a record two others of one source.
fn follow_mappings(mappings: &[&Mapping], groups: &mut Groups, doubts: &mut Vec<Doubt>) {
    let same = || mappings.iter().filter(|mapping| mapping.is_same);
    let within = |mapping: &Mapping| source_of(&mapping.record_id) == source_of(&mapping.same_as);
    for mapping in same().filter(|mapping| within(mapping)) {
        if let Err(refused) = groups.join(&mapping.record_id, &mapping.same_as, BY_HAND, "", true) {
            doubts.push(doubt(mapping, refused.words()));
        }
    }
    let mut partners: BTreeMap<(&str, &str), BTreeMap<String, &str>> = BTreeMap::new();
    for mapping in same().filter(|mapping| !within(mapping)) {
        for (id, other) in [(&mapping.record_id, &mapping.same_as), (&mapping.same_as, &mapping.record_id)] {
            partners.entry((id, source_of(other))).or_default().insert(groups.name_of(other), other);
        }
    }
    for mapping in same().filter(|mapping| !within(mapping)) {
        let several = [(&mapping.record_id, &mapping.same_as), (&mapping.same_as, &mapping.record_id)]
            .into_iter()
            .find_map(|(id, other)| Some((id, partners.get(&(id, source_of(other))).filter(|all| all.len() > 1)?)));
        let reason = match several {
            Some((id, all)) => {
                let all: Vec<String> = all.values().map(|id| format!("`{id}`")).collect();
                format!("mappings give `{id}` to {}", all.join(" and "))
            }
            None => match groups.join(&mapping.record_id, &mapping.same_as, BY_HAND, "", false) {
                Ok(()) => continue,
                Err(refused) => refused.words(),
            },
        };
        doubts.push(doubt(mapping, reason));
    }
}

/// Joins the records that are equal in a rule's columns, if no source has two that are.
fn follow_rule(table: &str, rule: usize, name: &str, records: &[Record], groups: &mut Groups, doubts: &mut Vec<Doubt>) {
    let mut by_key: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for record in records {
        if let Some(key) = &record.keys[rule] {
            by_key.entry(key).or_default().push(&record.id);
        }
    }
    for (key, ids) in by_key {
        let mut by_source: BTreeMap<&str, BTreeMap<String, &str>> = BTreeMap::new();
        for id in &ids {
            by_source.entry(source_of(id)).or_default().entry(groups.name_of(id)).or_insert(id);
        }
        if by_source.len() < 2 {
            continue;
        }
        let key = key.join(", ");
        let mut tell = |reason: String| {
            doubts.push(Doubt { mapping: None, reason: format!("{table} by {name}, `{key}`: {reason}") });
        };
        if let Some((source, several)) = by_source.iter().find(|(_, groups)| groups.len() > 1) {
            // Where all that could be joined is joined already, there is nothing to tell.
            let sources: Vec<BTreeSet<&str>> =
                by_source.values().flat_map(BTreeMap::values).map(|id| groups.sources_of(id)).collect();
            if sources.iter().any(|a| sources.iter().any(|b| a.is_disjoint(b))) {
                let several: Vec<String> = several.values().map(|id| format!("`{id}`")).collect();
                tell(format!("{source} has {} of this key: {}", several.len(), several.join(", ")));
            }
            continue;
        }
        for id in &ids[1..] {
            match groups.join(ids[0], id, name, &key, false) {
                // That two are not the same is what somebody said of just these.
                Err(Refused::Apart(a, b)) if [a.as_str(), b.as_str()] == pair(ids[0], id) => {}
                Err(refused) => tell(refused.words()),
                Ok(()) => {}
            }
        }
    }
}

/// Two ids in their order.
fn pair<'a>(a: &'a str, b: &'a str) -> [&'a str; 2] {
    if a < b { [a, b] } else { [b, a] }
}

#[cfg(test)]
mod tests;
