//! What a metric counts: facts, how they add up, and the parts of them that are whose.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::company::Company;
use super::credits::{self, Credit};
use super::numbers::ONE;

/// How facts make a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Count,
    Ratio,
    Mean,
    Median,
    /// In ten-thousandths.
    Percentile(usize),
    Distinct,
}

/// A metric of facts.
pub struct Metric {
    pub id: &'static str,
    pub aggregate: Aggregate,
    pub is_money: bool,
    /// Whether facts are shared over the credits of their deals.
    pub has_credit: bool,
    /// So many months up to a period's end count, and not the period alone.
    pub window: Option<i64>,
    /// The day since which what it needs is told, if that is later than the business: before it nothing is scored.
    pub since: Option<Date>,
    pub facts: Vec<Fact>,
}

#[derive(Clone)]
pub struct Fact {
    pub record: String,
    pub rep: Option<String>,
    pub when: When,
    /// A sum's value, or a ratio's numerator, in trillionths; 1 of what is counted.
    pub above: i128,
    pub below: i128,
    pub due_on: Option<Date>,
    /// A stock whose value is the days since this one.
    pub since: Option<Date>,
    pub slices: Vec<(&'static str, Part)>,
}

#[derive(Clone, Copy)]
pub enum When {
    On(Date),
    /// From a day up to, not including, another.
    Stood(Date, Date),
}

/// What a fact has of a slice.
#[derive(Clone)]
pub enum Part {
    One(Option<String>),
    /// Whole on the line of each.
    Each(Vec<String>),
    /// (name, numerator, denominator): parts of the fact; the rest is `(unallocated)`.
    Shared(Vec<(Option<String>, i128, i128)>),
}

impl Part {
    pub fn one(text: Option<&str>) -> Part {
        Part::One(text.map(str::to_owned))
    }
}

impl Fact {
    /// Something that happened on a day and counts one.
    pub fn on(record: &str, rep: Option<&String>, day: Date) -> Fact {
        let (record, rep) = (record.to_owned(), rep.cloned());
        let when = When::On(day);
        Fact { record, rep, when, above: ONE, below: ONE, due_on: None, since: None, slices: Vec::new() }
    }

    pub fn on_day(self, day: Date) -> Fact {
        Fact { when: When::On(day), ..self }
    }

    pub fn value(self, above: i128) -> Fact {
        Fact { above, ..self }
    }

    pub fn of(self, above: i128, below: i128) -> Fact {
        Fact { above, below, ..self }
    }

    /// 1 or 0 of one.
    pub fn hit(self, is_hit: bool) -> Fact {
        self.of(if is_hit { ONE } else { 0 }, ONE)
    }

    pub fn stood(self, from: Date, to: Date) -> Fact {
        Fact { when: When::Stood(from, to), ..self }
    }

    pub fn due(self, due_on: Option<Date>) -> Fact {
        Fact { due_on, ..self }
    }

    pub fn slice(mut self, name: &'static str, text: Option<&str>) -> Fact {
        self.slices.push((name, Part::one(text)));
        self
    }

    pub fn part(mut self, name: &'static str, part: Part) -> Fact {
        self.slices.push((name, part));
        self
    }
}

/// A fact, or somebody's part of one.
pub struct Line<'a> {
    pub fact: &'a Fact,
    pub rep: Option<&'a str>,
    pub above: i128,
    pub below: i128,
    pub share: i128,
    pub is_overlay: bool,
}

/// A metric's facts, shared over the credits of their records.
pub fn lines<'a>(company: &'a Company, metric: &'a Metric) -> Vec<Line<'a>> {
    let mut credits: BTreeMap<&str, Vec<&Credit>> = BTreeMap::new();
    for credit in company.credits.iter().filter(|_| metric.has_credit) {
        credits.entry(&credit.record).or_default().push(credit);
    }
    for own in credits.values_mut() {
        own.sort_by_key(|credit| (-credit.share, &credit.rep));
    }
    let mut lines = Vec::new();
    for fact in &metric.facts {
        let own = credits.get(fact.record.as_str()).map_or(&[][..], Vec::as_slice);
        lines.extend(shared(metric, fact, own));
    }
    lines
}

fn shared<'a>(metric: &Metric, fact: &'a Fact, credits: &[&'a Credit]) -> Vec<Line<'a>> {
    let in_cents = metric.is_money && metric.aggregate == Aggregate::Sum;
    let is_whole = matches!(metric.aggregate, Aggregate::Distinct | Aggregate::Median | Aggregate::Percentile(_));
    let revenue: Vec<&Credit> = credits.iter().filter(|credit| !credit.is_overlay).copied().collect();
    let whole = |rep| Line { fact, rep, above: fact.above, below: fact.below, share: ONE, is_overlay: false };
    let mut lines = Vec::new();
    if revenue.is_empty() {
        lines.push(whole(fact.rep.as_deref()));
    } else if is_whole {
        lines.extend(revenue.iter().map(|credit| whole(Some(credit.rep.as_str()))));
    } else {
        let shares: Vec<i128> = revenue.iter().map(|credit| credit.share).collect();
        assert_eq!(shares.iter().sum::<i128>(), ONE, "{}", fact.record);
        let above = credits::parts(fact.above, &shares, in_cents);
        let below = credits::parts(fact.below, &shares, false);
        for ((credit, above), below) in revenue.iter().zip(above).zip(below) {
            lines.push(Line { above, below, share: credit.share, ..whole(Some(credit.rep.as_str())) });
        }
    }
    for credit in credits.iter().filter(|credit| credit.is_overlay) {
        let part = |number, in_cents| if is_whole { number } else { credits::overlay(number, credit.share, in_cents) };
        let (above, below) = (part(fact.above, in_cents), part(fact.below, false));
        lines.push(Line { above, below, share: credit.share, is_overlay: true, ..whole(Some(credit.rep.as_str())) });
    }
    lines
}

/// A slice's values of a line, each with what stands on its line.
pub fn values(metric: &Metric, line: &Line, part: &Part) -> Vec<(String, i128, i128)> {
    let named = |name: Option<&str>| name.unwrap_or("(none)").to_owned();
    match part {
        Part::One(name) => vec![(named(name.as_deref()), line.above, line.below)],
        Part::Each(names) if names.is_empty() => vec![(named(None), line.above, line.below)],
        Part::Each(names) => {
            let mut once: Vec<String> = names.clone();
            once.sort();
            once.dedup();
            once.into_iter().map(|name| (name, line.above, line.below)).collect()
        }
        Part::Shared(parts) => allocated(metric, line, parts),
    }
}

/// Parts of a line by name and what they leave of it: money of credits in cents by largest remainder, of equal ones the
/// first by name, the rest last.
fn allocated(metric: &Metric, line: &Line, parts: &[(Option<String>, i128, i128)]) -> Vec<(String, i128, i128)> {
    let mut by_name: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    for (name, above, below) in parts {
        let sum = by_name.entry(name.as_deref().unwrap_or("(none)").to_owned()).or_default();
        *sum = (sum.0 + above, sum.1 + below);
    }
    let millionths = line.share / (ONE / 1_000_000);
    let mut exact: Vec<(String, i128, i128)> =
        by_name.into_iter().map(|(name, (above, below))| (name, above * millionths, below * millionths)).collect();
    let rest = (
        line.above * 1_000_000 - exact.iter().map(|part| part.1).sum::<i128>(),
        line.below * 1_000_000 - exact.iter().map(|part| part.2).sum::<i128>(),
    );
    let has_below = metric.aggregate == Aggregate::Ratio;
    if exact.is_empty() || rest.0 != 0 || (has_below && rest.1 != 0) {
        exact.push(("(unallocated)".to_owned(), rest.0, rest.1));
    }
    let in_cents = metric.is_money && metric.has_credit && !has_below;
    let step = if in_cents { 1_000_000 * super::numbers::CENT } else { 1_000_000 };
    let mut above: Vec<i128> = exact.iter().map(|part| part.1.div_euclid(step)).collect();
    let left = line.above * 1_000_000 / step - above.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by_key(|place| -exact[*place].1.rem_euclid(step));
    let left = usize::try_from(left).expect("what is rounded down leaves something");
    order.into_iter().take(left).for_each(|place| above[place] += 1);
    let back = |(part, above): ((String, i128, i128), i128)| (part.0, above * (step / 1_000_000), part.2 / 1_000_000);
    exact.into_iter().zip(above).map(back).collect()
}
