//! How deals go through their stages.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::company::Company;
use super::super::facts::{Fact, Part};
use super::super::history::{History, Version};

/// Days, and of how many deals.
#[derive(Default)]
struct Mean {
    days: i64,
    count: i64,
}

impl Mean {
    fn add(&mut self, from: Date, to: Date) {
        self.days += i64::from((to - from).get_days());
        self.count += 1;
    }

    /// The first day that is more than so many times the mean after another.
    fn passed(&self, times: i64, since: Date) -> Option<Date> {
        (self.count > 0).then(|| since + ((times * self.days).div_euclid(self.count) + 1).days())
    }
}

/// Deals that left an open stage, on the day they did: onwards or won, of all.
pub fn conversions(company: &Company, history: &History) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (before, after) in history.steps() {
        let (Some(before), Some(after)) = (before, after) else { continue };
        // What was open in a stage that no one knows left none.
        if !before.is_open || before.stage_name.is_none() || before.stage_name == after.stage_name {
            continue;
        }
        let is_won = after.stage.as_ref().is_some_and(|stage| company.closed_as(stage) == "won");
        let is_later = after.is_open && before.position.is_some() && after.position > before.position;
        // A stage that was skipped counts as passed.
        let passed = |position: i64| match (is_won, is_later) {
            (true, _) => before.position.is_some_and(|before| position > before),
            (_, true) => Some(position) > before.position && Some(position) < after.position,
            _ => false,
        };
        let open = company.stages.values().filter(|stage| stage.closed_as.is_none() && passed(stage.position));
        let from = open.map(|stage| stage.name.clone()).chain(before.stage_name.clone()).collect();
        let fact = Fact::on(&after.deal, after.rep.as_ref(), after.from).hit(is_won || is_later);
        facts.push(fact.part("from_stage", Part::Each(from)));
    }
    facts
}

/// Open deals from the day on which they had been open for longer than the company's mean sales cycle, or in their
/// stage for longer than twice the mean there. The means are of the twelve months up to the date of the run.
pub fn stalled(company: &Company, history: &History) -> Vec<Fact> {
    let from = company.as_of - 12.months();
    let is_recent = |day: Date| from < day && day <= company.as_of;
    let mut cycle = Mean::default();
    for (_, deal) in company.won().filter(|(_, deal)| is_recent(deal.closed_on) && deal.closed_on >= deal.created_on) {
        cycle.add(deal.created_on, deal.closed_on);
    }
    let stays: Vec<Stay> = stays(history);
    let mut means: BTreeMap<&Option<String>, Mean> = BTreeMap::new();
    for stay in stays.iter().filter(|stay| stay.to < Date::MAX && is_recent(stay.to)) {
        means.entry(&stay.versions[0].stage_name).or_default().add(stay.from, stay.to);
    }
    let mut facts = Vec::new();
    for stay in &stays {
        let first = stay.versions[0];
        let Some(deal) = company.deal(&first.deal) else { continue };
        let since =
            [cycle.passed(1, deal.created_on), means.get(&first.stage_name).and_then(|mean| mean.passed(2, stay.from))];
        let Some(since) = since.into_iter().flatten().min() else { continue };
        for version in stay.versions.iter().filter(|version| version.to > since) {
            let fact = Fact::on(&version.deal, version.rep.as_ref(), version.from);
            let fact = fact.stood(version.from.max(since), version.to).value(version.amount.unwrap_or(0));
            facts.push(fact.slice("stage", version.stage_name.as_deref()));
        }
    }
    facts
}

/// A time in one open stage.
struct Stay<'a> {
    from: Date,
    to: Date,
    versions: Vec<&'a Version>,
}

fn stays(history: &History) -> Vec<Stay<'_>> {
    let mut stays: Vec<Stay> = Vec::new();
    for version in history.versions().filter(|version| version.is_open) {
        match stays.last_mut() {
            Some(stay)
                if stay.versions[0].deal == version.deal
                    && stay.to == version.from
                    && stay.versions[0].stage_name == version.stage_name =>
            {
                stay.to = version.to;
                stay.versions.push(version);
            }
            _ => stays.push(Stay { from: version.from, to: version.to, versions: vec![version] }),
        }
    }
    stays
}
