//! A table's exports night by night, as the checks of the intake look at them.

use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::Place;
use crate::domain::digest::Digest;
use crate::settings::{Source, Table};
use crate::store::Store;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The exports of a table by night; several of one night are its parts.
pub(super) fn nights<'a>(snapshots: &'a [Snapshot], source: &str, table: &str) -> BTreeMap<Date, Vec<&'a Snapshot>> {
    let mut nights: BTreeMap<Date, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|snapshot| snapshot.source == source && snapshot.table == table) {
        nights.entry(snapshot.data_date).or_default().push(snapshot);
    }
    nights
}

/// The newest date of exports.
pub(super) fn newest_date<'a>(snapshots: impl Iterator<Item = &'a Snapshot>) -> Option<Date> {
    snapshots.map(|snapshot| snapshot.data_date).max()
}

/// Whether two nights hold the same bytes.
pub(super) fn are_same(one: &[&Snapshot], other: &[&Snapshot]) -> bool {
    let digests = |parts: &[&Snapshot]| parts.iter().map(|part| part.raw).collect::<BTreeSet<Digest>>();
    digests(one) == digests(other)
}

/// One table of one source, with its nights.
pub(super) struct Own<'a> {
    pub source: &'a str,
    pub table: &'a str,
    pub settings: &'a Source,
    pub of_table: &'a Table,
    pub now: BTreeMap<Date, Vec<&'a Snapshot>>,
}

/// A night of a table.
pub(super) struct Exported<'a> {
    pub date: Date,
    pub parts: Vec<&'a Snapshot>,
}

/// The night that a table's newest one is held against.
pub(super) struct Earlier<'a> {
    pub night: Exported<'a>,
    /// Where its snapshots stand.
    pub store: &'a Store,
    /// The last sealed run has the newest night too, just as it is.
    pub is_sealed: bool,
}

impl Exported<'_> {
    /// How many records it has, also those that could not be read.
    pub fn records(&self) -> u64 {
        self.parts.iter().map(|part| part.rows + part.rejected).sum()
    }

    /// Where it stands, for messages.
    pub fn place(&self) -> Place {
        Place::file(self.parts.first().map_or("", |part| part.path.as_str()))
    }
}

impl<'a> Own<'a> {
    /// `salesforce.Opportunity`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.source, self.table)
    }

    /// Its newest night.
    pub fn present(&self) -> Option<Exported<'a>> {
        self.now.iter().next_back().map(|(date, parts)| Exported { date: *date, parts: parts.clone() })
    }
}
