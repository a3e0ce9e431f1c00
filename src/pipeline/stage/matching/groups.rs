//! Groups of records that are the same.

use crate::pipeline::stage::matching::record::{pair, source_of};
use std::collections::{BTreeMap, BTreeSet};

/// Records that are the same, in groups; those that are in none are the same as no other.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The group of each record in one.
    group: BTreeMap<String, usize>,
    /// The records of each group; one that was joined to another is empty.
    members: Vec<BTreeSet<String>>,
    /// Why each record came to a group: the rule and the key.
    reasons: BTreeMap<String, (String, String)>,
    /// Pairs that are not the same.
    apart: BTreeSet<(String, String)>,
}

/// Why two records do not become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is said that these two are not the same.
    Apart(String, String),
    /// These two of one source would become one.
    OneSource(String, String),
}

impl Refused {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Refused::Apart(a, b) => format!("a mapping says that `{a}` and `{b}` are not the same"),
            Refused::OneSource(a, b) => {
                format!("`{a}` and `{b}` would become one, and both are of {}", source_of(a))
            }
        }
    }
}

impl Groups {
    /// Says that two records are not the same.
    pub(super) fn keep_apart(&mut self, a: &str, b: &str) {
        let [a, b] = pair(a, b);
        self.apart.insert((a.to_owned(), b.to_owned()));
    }

    /// A name of the record's group, the same for all in it.
    pub(super) fn name_of(&self, id: &str) -> String {
        let members = self.group.get(id).map(|group| &self.members[*group]);
        members.and_then(BTreeSet::first).map_or_else(|| id.to_owned(), String::clone)
    }

    /// The sources of the record's group.
    pub(super) fn sources_of<'a>(&'a self, id: &'a str) -> BTreeSet<&'a str> {
        let members = self.group.get(id).into_iter().flat_map(|group| &self.members[*group]);
        members.map(String::as_str).chain([id]).map(source_of).collect()
    }

    /// Makes two records, and all that are the same as either, one.
    pub(super) fn join(&mut self, a: &str, b: &str, rule: &str, key: &str, of_one_source: bool) -> Result<(), Refused> {
        if self.name_of(a) == self.name_of(b) {
            return Ok(());
        }
        let of = |id: &str| match self.group.get(id) {
            Some(group) => self.members[*group].clone(),
            None => BTreeSet::from([id.to_owned()]),
        };
        let (mut left, right) = (of(a), of(b));
        for (x, y) in left.iter().flat_map(|x| right.iter().map(move |y| (x, y))) {
            let [x, y] = pair(x, y);
            if self.apart.contains(&(x.to_owned(), y.to_owned())) {
                return Err(Refused::Apart(x.to_owned(), y.to_owned()));
            }
            if !of_one_source && source_of(x) == source_of(y) {
                return Err(Refused::OneSource(x.to_owned(), y.to_owned()));
            }
        }
        for id in [a, b] {
            self.reasons.entry(id.to_owned()).or_insert_with(|| (rule.to_owned(), key.to_owned()));
        }
        left.extend(right);
        for id in &left {
            if let Some(old) = self.group.insert(id.clone(), self.members.len()) {
                self.members[old].clear();
            }
        }
        self.members.push(left);
        Ok(())
    }

    /// All groups.
    pub(super) fn of_several(&self) -> impl Iterator<Item = &BTreeSet<String>> {
        self.members.iter().filter(|members| members.len() > 1)
    }

    /// The rule and the key by which a record came to its group.
    pub(super) fn reason(&self, id: &str) -> Option<&(String, String)> {
        self.reasons.get(id)
    }
}
