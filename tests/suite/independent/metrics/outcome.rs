//! Outcome: what was won.

use std::collections::BTreeMap;

use super::super::company::{Company, Deal, ProductLine};
use super::super::facts::{Aggregate, Fact, Metric, Part};
use super::super::formulas::{Formula, Place, over};
use super::super::history::History;
use super::super::numbers::ONE;
use super::activity::is_touch;
use super::{closed_deal, count, lines_by_deal, metric, money, product_of, ratio};

pub fn metrics(company: &Company) -> Vec<Metric> {
    let lines = lines_by_deal(company);
    let won = |value: &dyn Fn(&Deal) -> Option<i128>| -> Vec<Fact> {
        let facts = company.won().map(|(id, deal)| (closed_deal(company, id, deal), value(deal)));
        facts.filter_map(|(fact, value)| Some(fact.value(value?))).collect()
    };
    let amount = |deal: &Deal| deal.amount.unwrap_or(0);
    let cycle = |deal: &Deal| {
        let days = i128::from((deal.closed_on - deal.created_on).get_days());
        (days >= 0).then_some(days * ONE)
    };
    let effect = |deal: &Deal| Some(deal.amount? - deal.at_plan?);
    let booked: Vec<Fact> = company.won().map(|(id, deal)| booked(company, id, deal, &lines)).collect();
    let expanded = company.won().filter(|(_, deal)| deal.kind == Some("expansion"));
    let lost = lost(company);
    let lost_value = lost.iter().map(|(fact, deal)| fact.clone().value(amount(deal))).collect();
    let decided_value = |(fact, deal): (Fact, &Deal)| {
        let is_won = fact.above != 0;
        fact.of(if is_won { amount(deal) } else { 0 }, amount(deal))
    };
    vec![
        money("bookings", booked.clone()).credited(),
        count("deals_won", won(&|_| Some(ONE))).credited(),
        metric("average_deal_size", Aggregate::Mean, won(&|deal| Some(amount(deal)))).credited(),
        money("bookings_by_account", booked).credited(),
        money(
            "expansion_bookings",
            expanded.map(|(id, deal)| closed_deal(company, id, deal).value(amount(deal))).collect(),
        )
        .credited(),
        money("exchange_rate_effect", won(&effect)),
        ratio("win_rate", decided(company).into_iter().map(|(fact, _)| fact).collect()).credited(),
        ratio("win_rate_value", decided(company).into_iter().map(decided_value).collect()).credited(),
        metric("sales_cycle_days", Aggregate::Median, won(&cycle)),
        metric("mean_sales_cycle_days", Aggregate::Mean, won(&cycle)),
        metric("new_customers", Aggregate::Distinct, new_customers(company)),
        count("deals_lost", lost.into_iter().map(|(fact, _)| fact).collect()).credited(),
        money("lost_value", lost_value).credited(),
        metric("units_sold", Aggregate::Sum, units(company, &lines)).credited(),
        // The twelve months of a velocity are those of its parts.
        ratio("wins_of_a_year", decided(company).into_iter().map(|(fact, _)| fact).collect()).credited().over(12),
        metric("deals_of_a_year", Aggregate::Mean, won(&|deal| Some(amount(deal)))).credited().over(12),
        metric("cycles_of_a_year", Aggregate::Mean, won(&cycle)).over(12),
    ]
}

pub fn formulas() -> Vec<Formula> {
    vec![
        Formula {
            id: "quota_attainment",
            parts: &["bookings"],
            state: None,
            of: |at: &Place| over(at.value("bookings"), at.target("bookings")),
        },
        Formula {
            id: "unit_quota_attainment",
            parts: &["units_sold"],
            state: None,
            of: |at: &Place| over(at.value("units_sold"), at.target("units_sold")),
        },
        Formula {
            id: "bookings_growth",
            parts: &["bookings"],
            state: None,
            of: |at: &Place| Some(over(at.value("bookings"), at.previous("bookings"))? - 1.0),
        },
        Formula {
            id: "bookings_growth_yearly",
            parts: &["bookings"],
            state: None,
            of: |at: &Place| Some(over(at.value("bookings"), at.year_before("bookings"))? - 1.0),
        },
    ]
}

/// A won deal's amount, shared out over products as its lines say, and by the account that bought.
fn booked(company: &Company, id: &str, deal: &Deal, lines: &BTreeMap<&str, Vec<&ProductLine>>) -> Fact {
    let own = lines.get(id).map_or(&[][..], Vec::as_slice);
    let parts = own.iter().map(|line| (product_of(company, line), line.amount.unwrap_or(0), 0)).collect();
    let account = deal.account.as_ref().and_then(|id| Some((id, company.accounts.get(id)?)));
    // Of accounts with one name each has its id beside it.
    let named = account.map(|(id, account)| {
        let same = company.accounts.values().filter(|other| other.name == account.name).count();
        if same > 1 { format!("{} ({id})", account.name) } else { account.name.clone() }
    });
    let fact = closed_deal(company, id, deal).value(deal.amount.unwrap_or(0));
    fact.part("product", Part::Shared(parts)).slice("account", named.as_deref())
}

/// Lost deals, with the last stage in which they were open.
fn lost(company: &Company) -> Vec<(Fact, &Deal)> {
    let history = History::of(company);
    let mut stages: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for version in history.versions().filter(|version| version.is_open) {
        stages.insert(&version.deal, version.stage_name.as_deref());
    }
    let mut facts = Vec::new();
    for (id, deal) in company.closed(&["lost"]) {
        let stage = stages.get(id.as_str()).copied().flatten();
        facts.push((closed_deal(company, id, deal).slice("stage", stage), deal));
    }
    facts
}

/// The quantities on won deals' lines.
fn units(company: &Company, lines: &BTreeMap<&str, Vec<&ProductLine>>) -> Vec<Fact> {
    let with_lines = company.won().filter_map(|(id, deal)| Some((id, deal, lines.get(id.as_str())?)));
    let facts = with_lines.map(|(id, deal, own)| {
        let parts = own.iter().map(|line| (product_of(company, line), line.quantity, 0)).collect();
        let sum = own.iter().map(|line| line.quantity).sum();
        closed_deal(company, id, deal).value(sum).part("product", Part::Shared(parts))
    });
    facts.collect()
}

/// Won (1) and lost (0) opportunities but renewals. A deal of no kind is not a renewal, so it counts.
fn decided(company: &Company) -> Vec<(Fact, &Deal)> {
    let mut touches: BTreeMap<&str, u32> = BTreeMap::new();
    for deal in company.activities.iter().filter(|one| is_touch(one)).filter_map(|one| one.deal.as_deref()) {
        *touches.entry(deal).or_default() += 1;
    }
    let mut facts = Vec::new();
    for (id, deal) in company.closed(&["won", "lost"]).filter(|(_, deal)| deal.kind != Some("renewal")) {
        let band = match touches.get(id.as_str()) {
            None => None,
            Some(..4) => Some("1-3"),
            Some(4..8) => Some("4-7"),
            Some(_) => Some("8+"),
        };
        let is_won = company.closed_as(&deal.stage) == "won";
        facts.push((closed_deal(company, id, deal).hit(is_won).slice("touch_band", band), deal));
    }
    facts
}

/// Each customer's first won opportunity. A customer has one first deal, hence one fact: nothing is counted twice.
pub fn new_customers(company: &Company) -> Vec<Fact> {
    let mut first: BTreeMap<&str, (&String, &Deal)> = BTreeMap::new();
    for (id, deal) in company.won() {
        let Some(customer) = deal.account.as_deref().and_then(|account| company.customer(account)) else { continue };
        let known = first.entry(customer).or_insert((id, deal));
        if (deal.closed_on, id) < (known.1.closed_on, known.0) {
            *known = (id, deal);
        }
    }
    // The segment is the customer's, the source its first deal's.
    let fact = |(customer, (_, deal)): (&str, (&String, &Deal))| {
        let segment = company.accounts.get(customer).and_then(|account| account.segment.as_deref());
        Fact::on(customer, deal.rep.as_ref(), deal.closed_on)
            .slice("segment", segment)
            .slice("source", deal.source.as_deref())
    };
    first.into_iter().map(fact).collect()
}
