//! Profit: what it was worth.

use super::super::company::{Company, Cost, ProductLine};
use super::super::facts::{Aggregate, Fact, Metric, Part};
use super::super::formulas::{Formula, Place, over};
use super::outcome::new_customers;
use super::{closed_deal, lines_by_deal, metric, money, product_of, ratio};

pub fn metrics(company: &Company) -> Vec<Metric> {
    let cost = |cost: &Cost| {
        let fact = Fact::on(&cost.id, None, cost.spent_on).value(cost.amount);
        fact.slice("source", cost.source.as_deref())
    };
    vec![
        money("gross_profit", profits(company, false)).credited(),
        ratio("gross_margin", profits(company, true)).credited(),
        ratio("average_discount", discounts(company)).credited(),
        // The months of the formula are those of its parts.
        money("costs_of_three_months", company.costs.iter().map(cost).collect()).over(3),
        metric("customers_of_three_months", Aggregate::Distinct, new_customers(company)).over(3),
    ]
}

pub fn formulas() -> Vec<Formula> {
    vec![Formula {
        id: "customer_acquisition_cost",
        parts: &["costs_of_three_months", "customers_of_three_months"],
        state: None,
        of: |at: &Place| over(at.value("costs_of_three_months"), at.value("customers_of_three_months")),
    }]
}

/// Amount less the cost of all lines; only of won deals that have lines, each with a cost.
fn profits(company: &Company, is_margin: bool) -> Vec<Fact> {
    let lines = lines_by_deal(company);
    let mut facts = Vec::new();
    for (id, deal) in company.won() {
        let own = lines.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let Some(costs) = own.iter().map(|line| line.cost).collect::<Option<Vec<i128>>>() else { continue };
        if own.is_empty() {
            continue;
        }
        let amount = deal.amount.unwrap_or(0);
        let profit = |line: &&ProductLine| line.amount.unwrap_or(0) - line.cost.unwrap_or(0);
        let part = |line| (product_of(company, line), profit(&line), line.amount.unwrap_or(0));
        let parts = Part::Shared(own.iter().map(|line| part(*line)).collect());
        let total = amount - costs.iter().sum::<i128>();
        let fact = closed_deal(company, id, deal).part("product", parts);
        facts.push(if is_margin { fact.of(total, amount) } else { fact.value(total) });
    }
    facts
}

/// What of the list price was given away, on won deals' lines that have a list price and an amount.
fn discounts(company: &Company) -> Vec<Fact> {
    let lines = lines_by_deal(company);
    let mut facts = Vec::new();
    for (id, deal) in company.won() {
        let own = lines.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let both = own.iter().filter_map(|line| Some((product_of(company, line), line.list?, line.amount?)));
        let parts: Vec<_> = both.map(|(name, list, amount)| (name, list - amount, list)).collect();
        if !parts.is_empty() {
            let (given, list) = (parts.iter().map(|part| part.1).sum(), parts.iter().map(|part| part.2).sum());
            facts.push(closed_deal(company, id, deal).of(given, list).part("product", Part::Shared(parts)));
        }
    }
    facts
}
