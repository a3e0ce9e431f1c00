//! What no export supplies, and until when: such scores there are none, for absent is not zero.

use crate::artifact::scores::Scores;
use crate::diagnostic::Result;
use crate::domain::metric::Metric;
use crate::domain::period::Grain;
use crate::domain::score::NotSupplied;
use crate::pipeline::score::definition;
use crate::pipeline::score::scoring::Scoring;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

impl Scoring<'_> {
    /// The tables that a metric, or the one whose facts it shares, cannot do without.
    fn needs<'b>(&'b self, metric: &'b Metric) -> BTreeSet<&'b String> {
        let owner = definition::owner_of_facts(self.metrics, metric);
        metric.header.needs.iter().chain(&owner.header.needs).collect()
    }

    /// What is not supplied of the metrics that this one uses. Shared facts are its own: their tables count, and not the
    /// other metric, which may have no window.
    pub(super) fn lacking_parts(&self, metric: &Metric, scores: &Scores) -> Result<BTreeMap<String, NotSupplied>> {
        let mut parts = self.parts(metric)?;
        for other in definition::plan_twin(metric).iter().chain(&metric.header.facts) {
            parts.remove(other);
        }
        parts.extend(definition::owner_of_facts(self.metrics, metric).header.reads.iter().cloned());
        let of_part = |part: String| Some((part.clone(), scores.tables.get(&part)?.not_supplied.clone()?));
        Ok(parts.into_iter().filter_map(of_part).collect())
    }

    /// What is not supplied of a metric: for want of its own tables, or of the metrics that it uses.
    pub(super) fn lacking(&self, metric: &Metric, scores: &Scores) -> Result<Option<NotSupplied>> {
        let never = |why: String| NotSupplied { why, since: None, until: BTreeMap::new() };
        let is_missing = |name: &&String| !self.model.tables.get(*name).is_some_and(|table| table.supplied);
        let missing: Vec<&str> = self.needs(metric).into_iter().filter(is_missing).map(String::as_str).collect();
        if !missing.is_empty() {
            return Ok(Some(never(no_export_of(&missing.join(" and ")))));
        }
        let parts = self.lacking_parts(metric, scores)?;
        if let Some(part) = parts.values().find(|part| part.is_always()) {
            return Ok(Some(part.clone()));
        }
        let mut all: Vec<NotSupplied> = self.not_yet(metric).into_iter().chain(parts.into_values()).collect();
        // The one that holds longest says why.
        all.sort_by_key(|part| (part.until.values().max().copied(), part.since));
        let Some(longest) = all.last() else { return Ok(None) };
        let mut until: BTreeMap<Grain, Date> = BTreeMap::new();
        for (grain, first) in all.iter().flat_map(|part| &part.until) {
            let latest = until.entry(*grain).or_insert(*first);
            *latest = (*first).max(*latest);
        }
        Ok(Some(NotSupplied { until, ..longest.clone() }))
    }

    /// Until when a metric's own tables do not tell of what was.
    pub(super) fn not_yet(&self, metric: &Metric) -> Option<NotSupplied> {
        let since = |table| Some((*self.model.since.get(table)?, table));
        let (since, table) = self.needs(metric).into_iter().filter_map(since).max()?;
        let until = self.periods.supplied(metric, since);
        let why = no_export_of(table);
        (!until.is_empty()).then_some(NotSupplied { why, since: Some(since), until })
    }
}

/// The reason as it is printed: `no export supplies tool use`.
fn no_export_of(tables: &str) -> String {
    format!("no export supplies {}", tables.replace('_', " "))
}
