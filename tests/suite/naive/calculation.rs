//! The scores of a small company once more, from the written rules alone.

use super::company::Company;
use super::facts::Facts;
use super::formulas::{self, Formula};
use super::habit;
use super::metrics::Spec;
use super::peers;
use super::progress::{self, Periods};
use super::quotas::RepsAtQuota;
use super::scored::Scored;
pub use super::scored::{Key, Row, Rows};
use super::targets::Targets;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A metric and its scores.
pub struct Known<'a> {
    pub metric: Box<dyn Scored + 'a>,
    pub rows: Rows,
}

/// The scores of these metrics.
pub fn scores(company: &Company, metrics: &[&'static str], levels: &[&str]) -> BTreeMap<&'static str, Rows> {
    let targets = Targets::of(company);
    let periods = progress::periods(company);
    let mut all = All { company, periods: &periods, targets: &targets, levels, known: BTreeMap::new() };
    let rows = |metric: &'static str| (metric, all.known(metric, None).rows.clone());
    metrics.iter().copied().map(rows).collect()
}

/// All that scores are made of.
pub struct All<'a> {
    pub company: &'a Company,
    pub periods: &'a Periods,
    pub targets: &'a Targets<'a>,
    pub levels: &'a [&'a str],
    /// By metric, and the window of a formula that uses it.
    known: BTreeMap<(&'static str, Window), Rc<Known<'a>>>,
}

/// Months and days.
type Window = Option<(i32, i32)>;

impl<'a> All<'a> {
    /// A metric and those of which it is a formula.
    fn behind(&self, id: &'static str) -> Vec<&'static str> {
        let takes = formulas::Spec::of(id).map_or(&[][..], |spec| spec.takes);
        takes.iter().flat_map(|(_, part)| self.behind(part)).chain([id]).collect()
    }

    fn known(&mut self, id: &'static str, window: Window) -> Rc<Known<'a>> {
        if let Some(known) = self.known.get(&(id, window)) {
            return known.clone();
        }
        let metric: Box<dyn Scored + 'a> = if let Some(spec) = formulas::Spec::of(id) {
            let window = spec.window.or(window);
            let parts = spec.takes.iter().map(|(_, part)| (!part.is_empty()).then(|| self.known(part, window)));
            let parts = parts.collect();
            Box::new(Formula { company: self.company, periods: self.periods, spec, window, parts })
        } else if id == "reps_at_quota" {
            let bookings = self.known("bookings", None);
            Box::new(RepsAtQuota::of(self, &bookings.rows))
        } else {
            let spec = *Spec::of(id).unwrap();
            let window = spec.window.or(window.filter(|_| !spec.stock));
            Box::new(Facts::of(self, Spec { window, ..spec }))
        };
        let mut rows = metric.rows();
        let metrics = self.behind(id);
        rows.retain(|(_, _, (level, entity, _, _)), _| {
            let rep = entity.rsplit('|').next().unwrap();
            !(matches!(level.as_str(), "rep" | "rep_in_team") && self.company.is_hidden(rep, &metrics))
        });
        peers::rank(self.company, self.periods, &metrics, &metric.judged(), &mut rows);
        habit::judge(self.company, metric.as_ref(), &mut rows);
        let known = Rc::new(Known { metric, rows });
        self.known.insert((id, window), known.clone());
        known
    }
}
