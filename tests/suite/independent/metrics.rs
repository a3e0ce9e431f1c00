//! The metrics, group by group, as their definitions say.

mod activity;
mod adoption;
mod outcome;
mod pipeline;
mod profit;
mod stages;

use std::collections::BTreeMap;

use super::company::{Account, Company, Deal, ProductLine};
use super::facts::{Aggregate, Fact, Metric};
use super::formulas::Formula;

/// All metrics of facts.
pub fn of_facts(company: &Company) -> Vec<Metric> {
    let groups = [activity::metrics, pipeline::metrics, outcome::metrics, profit::metrics, adoption::metrics];
    groups.into_iter().flat_map(|group| group(company)).collect()
}

/// All metrics of other metrics' scores.
pub fn formulas() -> Vec<Formula> {
    let groups =
        [activity::formulas(), pipeline::formulas(), outcome::formulas(), profit::formulas(), adoption::formulas()];
    groups.into_iter().flatten().collect()
}

fn metric(id: &'static str, aggregate: Aggregate, facts: Vec<Fact>) -> Metric {
    Metric { id, aggregate, is_money: false, has_credit: false, window: None, since: None, facts }
}

fn count(id: &'static str, facts: Vec<Fact>) -> Metric {
    metric(id, Aggregate::Count, facts)
}

fn ratio(id: &'static str, facts: Vec<Fact>) -> Metric {
    metric(id, Aggregate::Ratio, facts)
}

fn money(id: &'static str, facts: Vec<Fact>) -> Metric {
    Metric { is_money: true, ..metric(id, Aggregate::Sum, facts) }
}

impl Metric {
    /// Shared over the credits of its deals.
    fn credited(self) -> Metric {
        Metric { has_credit: true, ..self }
    }

    /// Over so many months up to a period's end, or up to the date of the run.
    fn over(self, months: i64) -> Metric {
        Metric { window: Some(months), ..self }
    }
}

impl Company {
    /// Deals that ended in one of these ways.
    fn closed(&self, ways: &'static [&'static str]) -> impl Iterator<Item = (&String, &Deal)> {
        self.deals.iter().filter(move |(_, deal)| ways.contains(&self.closed_as(&deal.stage)))
    }

    fn won(&self) -> impl Iterator<Item = (&String, &Deal)> {
        self.closed(&["won"])
    }

    fn account_of(&self, deal: &Deal) -> Option<&Account> {
        self.account(deal.account.as_ref())
    }
}

/// What each deal is made of.
fn lines_by_deal(company: &Company) -> BTreeMap<&str, Vec<&ProductLine>> {
    let mut lines: BTreeMap<&str, Vec<&ProductLine>> = BTreeMap::new();
    for line in company.lines.values() {
        lines.entry(&line.deal).or_default().push(line);
    }
    lines
}

/// The name of a line's product.
fn product_of(company: &Company, line: &ProductLine) -> Option<String> {
    company.products.get(line.product.as_ref()?).cloned()
}

/// A closed deal on the day it closed, for its owner, with what deals are sliced by.
fn closed_deal(company: &Company, id: &str, deal: &Deal) -> Fact {
    sliced(company, deal, Fact::on(id, deal.rep.as_ref(), deal.closed_on))
}

/// What deals are sliced by.
fn sliced(company: &Company, deal: &Deal, fact: Fact) -> Fact {
    let account = company.account_of(deal);
    fact.slice("kind", deal.kind)
        .slice("segment", account.and_then(|account| account.segment.as_deref()))
        .slice("industry", account.and_then(|account| account.industry.as_deref()))
        .slice("source", deal.source.as_deref())
        .slice("competitor", deal.competitor.as_deref())
        .slice("loss_reason", deal.loss_reason.as_deref())
        .slice("currency", Some(&deal.currency).filter(|text| !text.is_empty()).map(String::as_str))
}
