//! Finds the records that are the same: by hand first, then by the rules.

use super::groups::{Groups, Refused};
use super::record::{Doubt, Found, Mapping, Match, Record, pair, rank, source_of};
use std::collections::{BTreeMap, BTreeSet};

/// The rule of what a mapping says.
const BY_HAND: &str = "mapping";

/// Finds the records of one table that are the same. `order` names the sources whose records stand for the others', the
/// first before the second; the rest follow by name.
pub(in crate::pipeline::stage) fn find(
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

#[cfg(test)]
mod tests;
