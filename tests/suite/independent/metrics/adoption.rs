//! Adoption: whether the tools are used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::company::{Company, Licence};
use super::super::facts::{Fact, Metric};
use super::super::formulas::{Formula, Place, over};
use super::super::history::History;
use super::super::numbers::ONE;
use super::super::people::UNASSIGNED;
use super::super::periods::Days;
use super::{count, ratio};

/// The tool that is the CRM itself.
const CRM: &str = "CRM";

pub fn metrics(company: &Company) -> Vec<Metric> {
    let uses: BTreeSet<(&str, &str, Date)> =
        company.tool_use.iter().map(|one| (one.rep.as_str(), one.tool.as_str(), one.used_on)).collect();
    let since = Some(TOLD_SINCE);
    let told = |metric: Metric| Metric { since, ..metric };
    vec![
        told(ratio("crm_active_days", crm_days(company, &uses))),
        told(ratio("tool_active_days", tool_days(company, &uses))),
        told(ratio(
            "tool_utilisation",
            months(company, &|fact, licence, users| fact.of(users, i128::from(licence.seats) * ONE)),
        )),
        told(ratio("cost_per_active_tool_user", months(company, &|fact, licence, users| fact.of(licence.cost, users)))),
        count("covered_opportunities", covered(company)),
    ]
}

pub fn formulas() -> Vec<Formula> {
    vec![Formula {
        id: "crm_coverage",
        parts: &["covered_opportunities", "open_opportunities"],
        state: None,
        of: |at: &Place| over(at.value("covered_opportunities"), at.value("open_opportunities")),
    }]
}

/// Logins are kept since this day, as scorebook.toml says.
pub const TOLD_SINCE: Date = jiff::civil::date(2025, 10, 1);

impl Company {
    /// The working days up to the date of the run on which somebody was in a team, employed, and not on leave all day.
    fn days_at_work(&self, rep: &str, from: Date) -> Vec<Date> {
        let known = &self.people.reps[rep];
        let from = known.hired_on.map_or(from, |hired| hired.max(from));
        let to = known.left_on.map_or(self.as_of, |left| left.min(self.as_of));
        let days = Days { from, to }.working().into_iter();
        let is_there =
            |day: &Date| self.people.entities(Some(rep), *day)[2] != UNASSIGNED && self.leave(rep, *day) < ONE;
        days.filter(is_there).collect()
    }
}

/// Each person's working days since anybody's use of the CRM was recorded first.
fn crm_days(company: &Company, uses: &BTreeSet<(&str, &str, Date)>) -> Vec<Fact> {
    let first = uses.iter().filter(|(_, tool, _)| *tool == CRM).map(|(_, _, day)| *day).min();
    let Some(first) = first else { return Vec::new() };
    let mut facts = Vec::new();
    for rep in company.people.reps.keys() {
        for day in company.days_at_work(rep, first) {
            facts.push(Fact::on(rep, Some(rep), day).hit(uses.contains(&(rep, CRM, day))));
        }
    }
    facts
}

/// Of every tool, the CRM too: the working days under a licence since a person's first use.
fn tool_days(company: &Company, uses: &BTreeSet<(&str, &str, Date)>) -> Vec<Fact> {
    let mut first: BTreeMap<(&str, &str), Date> = BTreeMap::new();
    for (rep, tool, day) in uses {
        let known = first.entry((rep, tool)).or_insert(*day);
        *known = (*known).min(*day);
    }
    let is_licensed = |tool: &str, day: Date| {
        company.licences.iter().any(|one| one.tool == tool && one.starts_on <= day && day <= one.ends_on)
    };
    let mut facts = Vec::new();
    for ((rep, tool), first) in first {
        for day in company.days_at_work(rep, first).into_iter().filter(|day| is_licensed(tool, *day)) {
            let fact = Fact::on(rep, Some(&rep.to_owned()), day).hit(uses.contains(&(rep, tool, day)));
            facts.push(fact.slice("tool", Some(tool)));
        }
    }
    facts
}

/// Each month of a licence that has begun, with how many people used the tool in it.
fn months(company: &Company, of: &dyn Fn(Fact, &Licence, i128) -> Fact) -> Vec<Fact> {
    let begun = company.licences.iter().filter(|one| one.starts_on <= company.as_of);
    let facts = begun.map(|licence| {
        let days = Days { from: licence.starts_on, to: licence.ends_on.min(company.as_of) };
        let users = company.tool_use.iter().filter(|one| one.tool == licence.tool && days.has(one.used_on));
        let users: BTreeSet<&str> = users.map(|one| one.rep.as_str()).collect();
        let fact = Fact::on(&licence.tool, None, licence.starts_on).slice("tool", Some(&licence.tool));
        of(fact, licence, users.len() as i128 * ONE)
    });
    facts.collect()
}

/// Open deals as long as something has happened on them within fourteen days.
fn covered(company: &Company) -> Vec<Fact> {
    let mut happened: BTreeMap<&str, Vec<Days>> = BTreeMap::new();
    for one in company.activities.iter().filter(|one| one.is_completed) {
        if let Some(deal) = &one.deal {
            happened.entry(deal).or_default().push(Days { from: one.day, to: one.day + 13.days() });
        }
    }
    let history = History::of(company);
    let mut facts = Vec::new();
    for version in history.versions().filter(|version| version.is_open) {
        let Some(times) = happened.get(version.deal.as_str()) else { continue };
        // Each stretch that begins or ends with an activity or the version is covered as a whole, or not at all.
        let mut days: Vec<Date> = times.iter().flat_map(|days| [days.from, days.to + 1.day()]).collect();
        days.extend([version.from, version.to]);
        days.retain(|day| version.from <= *day && *day <= version.to);
        days.sort_unstable();
        days.dedup();
        for pair in days.windows(2).filter(|pair| times.iter().any(|days| days.has(pair[0]))) {
            let fact = Fact::on(&version.deal, version.rep.as_ref(), pair[0]).stood(pair[0], pair[1]);
            facts.push(fact.slice("stage", version.stage_name.as_deref()));
        }
    }
    facts
}
