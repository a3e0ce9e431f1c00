//! The scores of a small company once more: brute force, fact by fact and day by day, from the written rules alone.

use super::company::{Company, Opportunity, STAGES};
use super::days::{Span, weekday};
use super::targets::{Set, Targets};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// An exact number: `n / d`, `d` above nought.
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    pub n: i128,
    pub d: i128,
}

impl Exact {
    pub fn over(n: i128, d: i128) -> Option<Exact> {
        (d != 0).then_some(Exact { n: n * d.signum(), d: d.abs() })
    }

    pub fn whole(n: i128) -> Exact {
        Exact { n, d: 1 }
    }

    pub fn millionths(n: i128) -> Exact {
        Exact { n, d: 1_000_000 }
    }

    pub fn by(self, other: Exact) -> Option<Exact> {
        Exact::over(self.n * other.d, self.d * other.n)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Count,
    Ratio,
    Median,
}

/// What is known of a metric from its header.
pub struct Spec {
    pub id: &'static str,
    pub aggregate: Aggregate,
    pub money: bool,
    pub stock: bool,
    pub slices: &'static [&'static str],
    pub grains: &'static [&'static str],
}

const CLOSED: &[&str] = &["month", "quarter", "year"];

pub const SPECS: [Spec; 6] = [
    Spec {
        id: "bookings",
        aggregate: Aggregate::Sum,
        money: true,
        stock: false,
        slices: &["kind", "segment", "industry", "source", "kind*segment"],
        grains: CLOSED,
    },
    Spec {
        id: "win_rate",
        aggregate: Aggregate::Ratio,
        money: false,
        stock: false,
        slices: &["competitor", "tenure_band", "segment", "industry", "kind", "touch_band", "competitor*segment"],
        grains: CLOSED,
    },
    Spec {
        id: "sales_cycle_days",
        aggregate: Aggregate::Median,
        money: false,
        stock: false,
        slices: &["segment", "kind"],
        grains: CLOSED,
    },
    Spec {
        id: "open_pipeline",
        aggregate: Aggregate::Sum,
        money: true,
        stock: true,
        slices: &["stage", "kind"],
        grains: &["week", "month", "quarter", "year"],
    },
    Spec {
        id: "calls_made",
        aggregate: Aggregate::Count,
        money: false,
        stock: false,
        slices: &["purpose", "segment", "outcome", "hour_band", "weekday"],
        grains: &super::days::GRAINS,
    },
    Spec {
        id: "new_customers",
        aggregate: Aggregate::Count,
        money: false,
        stock: false,
        slices: &["segment", "source"],
        grains: CLOSED,
    },
];

impl Spec {
    pub fn is_additive(&self) -> bool {
        !self.stock && matches!(self.aggregate, Aggregate::Sum | Aggregate::Count)
    }

    fn without_facts(&self) -> Option<Exact> {
        matches!(self.aggregate, Aggregate::Sum | Aggregate::Count).then_some(Exact::whole(0))
    }
}

/// One row that counts: on its day, or from it up to (not including) another.
struct Fact {
    rep: Option<String>,
    from: Date,
    to: Option<Date>,
    /// Cents, days, or a ratio's upper side.
    value: i64,
    slices: Vec<(&'static str, Option<String>)>,
}

/// Level, entity, slice, value of the slice.
pub type Place = (String, String, String, String);
/// Grain, first day, place.
pub type Key = (String, Date, Place);

/// What the facts of one place add up to.
#[derive(Clone, Debug, Default)]
struct Cell {
    value: Option<Exact>,
    sides: Option<(i128, i128)>,
    n: i64,
}

/// A score's numbers, by name, and what they belong to.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub end: Date,
    pub n: i64,
    pub numbers: BTreeMap<&'static str, Exact>,
    pub pace_by: Option<&'static str>,
}

impl Row {
    fn put(&mut self, name: &'static str, number: Option<Exact>) {
        number.map(|number| self.numbers.insert(name, number));
    }

    pub fn get(&self, name: &str) -> Option<Exact> {
        self.numbers.get(name).copied()
    }

    fn put_target(&mut self, set: &Set) {
        set.numbers().into_iter().for_each(|(name, number)| self.put(name, number));
        if let (Some(value), Some(target)) = (self.get("value"), self.get("target")) {
            self.put("attainment", value.by(target));
        }
    }
}

pub type Rows = BTreeMap<Key, Row>;

/// The scores of these metrics.
pub fn scores(company: &Company, metrics: &[&'static str], levels: &[&str]) -> BTreeMap<&'static str, Rows> {
    let targets = Targets::of(company);
    let of = |spec| Metric::of(company, &targets, spec, levels);
    let asked = SPECS.iter().filter(|spec| metrics.contains(&spec.id));
    let mut all: BTreeMap<&str, Rows> = asked.map(|spec| (spec.id, of(spec).rows())).collect();
    for metric in metrics {
        match *metric {
            "quota_attainment" => all.insert(metric, quota_attainment(&of(&SPECS[0]), &all["bookings"])),
            "reps_at_quota" => all.insert(metric, reps_at_quota(&of(&SPECS[0]), &all["bookings"])),
            _ => None,
        };
    }
    all
}

struct Metric<'a> {
    company: &'a Company,
    targets: &'a Targets<'a>,
    spec: &'a Spec,
    facts: Vec<Fact>,
    /// Those that there are.
    levels: Vec<&'a str>,
}

impl<'a> Metric<'a> {
    fn of(company: &'a Company, targets: &'a Targets<'a>, spec: &'a Spec, levels: &[&'a str]) -> Metric<'a> {
        let there =
            |level: &&str| matches!(*level, "rep" | "company") || company.teams.iter().any(|team| team.level == *level);
        let levels = levels.iter().copied().filter(there).collect();
        Metric { company, targets, spec, facts: facts(company, spec.id), levels }
    }

    /// What counts from one day to another; of a stock, what stands on the last one, or on the date of the run.
    fn cells(&self, span: Span) -> BTreeMap<Place, Cell> {
        let mut groups: BTreeMap<Place, Vec<&Fact>> = BTreeMap::new();
        let measured = span.end.min(self.company.as_of);
        for fact in &self.facts {
            let counts = match self.spec.stock {
                // Before the first working day of an unfinished period Scorebook says that nothing stood. The rules
                // know no day on which to measure then.
                true if span.end < span.start => false,
                true => fact.from <= measured && fact.to.is_none_or(|to| measured < to),
                false => span.has(fact.from),
            };
            if !counts {
                continue;
            }
            let day = if self.spec.stock { measured } else { fact.from };
            for level in &self.levels {
                let entity = self.company.entity(level, fact.rep.as_deref(), day);
                let mut add = |slice: &str, value: String| {
                    let place = ((*level).to_owned(), entity.clone(), slice.to_owned(), value);
                    groups.entry(place).or_default().push(fact);
                };
                add("", String::new());
                for slice in self.spec.slices {
                    let values: Vec<String> = slice.split('*').map(|part| slice_value(fact, part)).collect();
                    add(slice, values.join("*"));
                }
            }
        }
        groups.into_iter().map(|(place, facts)| (place, self.cell(&facts))).collect()
    }

    fn cell(&self, facts: &[&Fact]) -> Cell {
        let n = facts.len() as i64;
        let sum: i128 = facts.iter().map(|fact| i128::from(fact.value)).sum();
        match self.spec.aggregate {
            Aggregate::Sum => Cell { value: Exact::over(sum, 100), sides: None, n },
            Aggregate::Count => Cell { value: Some(Exact::whole(i128::from(n))), sides: None, n },
            Aggregate::Ratio => Cell { value: Exact::over(sum, i128::from(n)), sides: Some((sum, i128::from(n))), n },
            Aggregate::Median => {
                let mut values: Vec<i64> = facts.iter().map(|fact| fact.value).collect();
                values.sort_unstable();
                let middle = values[(values.len() - 1) / 2] + values[values.len() / 2];
                Cell { value: Exact::over(middle.into(), 2), sides: None, n }
            }
        }
    }

    fn working_days(&self, span: Span) -> Vec<Date> {
        span.days().into_iter().filter(|day| self.company.works(None, *day)).collect()
    }

    /// The part of a period in which so many working days go by: up to the day before the next one.
    fn part(&self, period: Span, worked: usize) -> Span {
        let next = self.working_days(period).get(worked).copied();
        Span { start: period.start, end: next.map_or(period.end, |next| next - 1.day()) }
    }

    /// How many of a period's working days have gone by.
    fn gone(&self, period: Span) -> usize {
        self.working_days(period).iter().filter(|day| **day <= self.company.as_of).count()
    }

    fn rows(&self) -> Rows {
        let (cal, as_of) = (&self.company.cal, self.company.as_of);
        let mut rows = Rows::new();
        for grain in self.spec.grains {
            let scored = cal.scored(grain, self.company.anchor);
            let whole: Vec<_> = scored.iter().map(|period| self.cells(*period)).collect();
            for (period, cells) in scored.iter().zip(&whole) {
                let compared = |earlier: Span| {
                    let i = scored.iter().position(|one| *one == earlier)?;
                    Some(match period.end > as_of {
                        true => self.cells(self.part(earlier, self.gone(*period))),
                        false => whole[i].clone(),
                    })
                };
                let previous = compared(cal.previous(grain, *period));
                let year_before = compared(cal.year_before(grain, *period));
                let curve = (self.spec.is_additive() && period.end > as_of).then(|| self.curve(grain, *period));
                let set = self.targets.of_period(self.company, self.spec.id, &self.levels, *period);
                let mut places: Vec<&Place> = cells.keys().chain(set.keys()).collect();
                places.sort();
                places.dedup();
                for place in places {
                    let cell = cells.get(place).cloned().unwrap_or_default();
                    let mut row = Row { end: period.end, n: cell.n, ..Row::default() };
                    row.put("value", cell.value.or(self.spec.without_facts()));
                    row.put("numerator", cell.sides.map(|(above, _)| Exact::whole(above)));
                    row.put("denominator", cell.sides.map(|(_, below)| Exact::whole(below)));
                    let before = |cells: &Option<BTreeMap<Place, Cell>>| match cells.as_ref()?.get(place) {
                        Some(cell) => cell.value,
                        None => self.spec.without_facts(),
                    };
                    row.put("previous", before(&previous));
                    row.put("year_before", before(&year_before));
                    if let Some(set) = set.get(place) {
                        row.put_target(set);
                        if let Some((share, by)) = curve {
                            self.pace(&mut row, share, by);
                        }
                    }
                    rows.insert(((*grain).to_owned(), period.start, place.clone()), row);
                }
            }
        }
        rows
    }

    /// The part of an unfinished period's target that is due by now, and how that is known.
    fn curve(&self, grain: &str, period: Span) -> (Exact, &'static str) {
        const SMALL: i128 = 1_000_000_000_000_000;
        let (gone, all) = (self.gone(period), self.working_days(period).len());
        let by_days = (Exact { n: gone as i128, d: (all as i128).max(1) }, "linear");
        let company = ("company".to_owned(), "company".to_owned(), String::new(), String::new());
        let total = |span: Span| self.cells(span).get(&company).and_then(|cell| cell.value).map_or(0, |v| v.n);
        let (mut earlier, mut shares) = (period, 0);
        for _ in 0..8 {
            earlier = self.company.cal.previous(grain, earlier);
            let days = self.working_days(earlier).len();
            // To the nearest day: a half is one more.
            let reached = (2 * gone * days + all.max(1)) / (2 * all.max(1));
            let whole = total(earlier);
            if whole <= 0 {
                return by_days;
            }
            shares += total(self.part(earlier, reached)) * SMALL / whole;
        }
        (Exact { n: shares, d: 8 * SMALL }, "curve")
    }

    fn pace(&self, row: &mut Row, share: Exact, by: &'static str) {
        let (Some(value), Some(target)) = (row.get("value"), row.get("target")) else { return };
        let due = Exact { n: target.n * share.n, d: target.d * share.d };
        if due.n > 0 {
            row.put("pace", value.by(due));
            row.pace_by = Some(by);
        }
    }
}

fn slice_value(fact: &Fact, slice: &str) -> String {
    let value = fact.slices.iter().find(|(name, _)| *name == slice).and_then(|(_, value)| value.clone());
    value.unwrap_or_else(|| "(none)".into())
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn facts(company: &Company, metric: &str) -> Vec<Fact> {
    let won = || company.opportunities.iter().filter(|one| one.closed_as == Some("won"));
    let account = |id: &Option<String>| company.accounts.iter().find(|account| Some(&account.id) == id.as_ref());
    let segment = |id: &Option<String>| account(id).and_then(|account| owned(account.segment));
    let industry = |id: &Option<String>| account(id).and_then(|account| owned(account.industry));
    let fact = |one: &Opportunity, value: i64, slices| Fact {
        rep: one.rep.clone(),
        from: one.closed,
        to: None,
        value,
        slices,
    };
    match metric {
        "bookings" => won()
            .map(|one| {
                let slices = vec![
                    ("kind", owned(one.kind)),
                    ("segment", segment(&one.account)),
                    ("industry", industry(&one.account)),
                    ("source", owned(one.source)),
                ];
                fact(one, one.amount.unwrap_or(0), slices)
            })
            .collect(),
        "win_rate" => company
            .opportunities
            .iter()
            .filter(|one| matches!(one.closed_as, Some("won" | "lost")) && one.kind != Some("renewal"))
            .map(|one| {
                let slices = vec![
                    ("competitor", owned(one.competitor)),
                    ("tenure_band", tenure_band(company, one.rep.as_deref(), one.closed)),
                    ("segment", segment(&one.account)),
                    ("industry", industry(&one.account)),
                    ("kind", owned(one.kind)),
                    ("touch_band", touch_band(company, &one.id)),
                ];
                fact(one, i64::from(one.is_won == Some(true)), slices)
            })
            .collect(),
        "sales_cycle_days" => won()
            .filter(|one| one.closed >= one.created)
            .map(|one| {
                let days = Span { start: one.created, end: one.closed }.days().len() as i64 - 1;
                fact(one, days, vec![("segment", segment(&one.account)), ("kind", owned(one.kind))])
            })
            .collect(),
        "open_pipeline" => company.opportunities.iter().flat_map(|one| versions(company, one)).collect(),
        "calls_made" => calls(company),
        _ => new_customers(company),
    }
}

fn tenure_band(company: &Company, rep: Option<&str>, day: Date) -> Option<String> {
    let hired = company.reps.iter().find(|one| Some(one.id.as_str()) == rep)?.hired?;
    let i = company.bands.iter().rposition(|band| hired + i64::from(*band).months() <= day).unwrap_or(0);
    Some(match company.bands.get(i + 1) {
        Some(next) => format!("{}-{} months", company.bands[i], next - 1),
        None => format!("{}+ months", company.bands[i]),
    })
}

fn touch_band(company: &Company, opportunity: &str) -> Option<String> {
    let touches = company.activities.iter().filter(|one| {
        one.opportunity.as_deref() == Some(opportunity)
            && one.completed == Some(true)
            && one.direction != Some("inbound")
    });
    match touches.count() {
        0 => None,
        1..4 => Some("1-3".into()),
        4..8 => Some("4-7".into()),
        _ => Some("8+".into()),
    }
}

/// A deal's open stretches.
fn versions(company: &Company, one: &Opportunity) -> Vec<Fact> {
    let open = |stage: Option<&str>, from: Date, to: Option<Date>, amount: Option<i64>| Fact {
        rep: one.rep.clone(),
        from,
        to,
        value: amount.unwrap_or(0),
        slices: vec![("stage", owned(stage)), ("kind", owned(one.kind))],
    };
    let mut changes: Vec<_> = company.history.iter().filter(|change| change.opportunity == one.id).collect();
    if changes.is_empty() {
        return match one.closed_as {
            None => vec![open(one.stage, one.created, None, one.amount)],
            Some(_) if one.closed > one.created => vec![open(None, one.created, Some(one.closed), one.amount)],
            Some(_) => Vec::new(),
        };
    }
    changes.sort_by_key(|change| (change.day, change.hour, &change.id));
    let mut facts = Vec::new();
    for (i, change) in changes.iter().enumerate() {
        let next = changes.get(i + 1).map(|next| next.day);
        // Of several changes on one day the last one stands.
        if next == Some(change.day) {
            continue;
        }
        if let Some((_, stage, None)) = STAGES.iter().find(|(source, _, _)| *source == change.source_stage) {
            facts.push(open(Some(stage), change.day, next, change.amount));
        }
    }
    facts
}

fn calls(company: &Company) -> Vec<Fact> {
    let made = company
        .activities
        .iter()
        .filter(|one| one.kind == "call" && one.direction == Some("outbound") && one.completed == Some(true));
    let call = |one: &super::company::Activity| {
        let account = company.accounts.iter().find(|account| Some(&account.id) == one.account.as_ref());
        let hour = one.hour.map(|hour| match hour {
            ..9 => "before 9",
            9..12 => "9 to 12",
            12..14 => "12 to 14",
            14..17 => "14 to 17",
            _ => "after 17",
        });
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let number = weekday(one.day) as usize;
        let slices = vec![
            ("purpose", owned(one.purpose)),
            ("segment", account.and_then(|account| owned(account.segment))),
            ("outcome", owned(one.outcome)),
            ("hour_band", owned(hour)),
            ("weekday", Some(format!("{} {}", number + 1, names[number]))),
        ];
        Fact { rep: one.rep.clone(), from: one.day, to: None, value: 1, slices }
    };
    made.map(call).collect()
}

fn new_customers(company: &Company) -> Vec<Fact> {
    let highest = |id: &str| {
        let mut at = company.accounts.iter().find(|account| account.id == id).unwrap();
        while let Some(parent) = &at.parent {
            at = company.accounts.iter().find(|account| account.id == *parent).unwrap();
        }
        at
    };
    let mut won: Vec<&Opportunity> =
        company.opportunities.iter().filter(|one| one.closed_as == Some("won") && one.account.is_some()).collect();
    won.sort_by_key(|one| (one.closed, &one.id));
    let (mut seen, mut facts) = (Vec::new(), Vec::new());
    for one in won {
        let customer = highest(one.account.as_deref().unwrap());
        if !seen.contains(&&customer.id) {
            seen.push(&customer.id);
            let slices = vec![("segment", owned(customer.segment)), ("source", owned(one.source))];
            facts.push(Fact { rep: one.rep.clone(), from: one.closed, to: None, value: 1, slices });
        }
    }
    facts
}

/// Bookings over the quota of the same days.
fn quota_attainment(bookings: &Metric, rows: &Rows) -> Rows {
    let company = bookings.company;
    let whole = |key: &Key| {
        let (grain, start, (level, entity, _, _)) = key;
        let place = (level.clone(), entity.clone(), String::new(), String::new());
        rows.get(&(grain.clone(), *start, place))?.get("target")
    };
    let mut found = Rows::new();
    for grain in CLOSED {
        let scored = company.cal.scored(grain, company.anchor);
        for period in &scored {
            let set = bookings.targets.of_period(company, "quota_attainment", &bookings.levels, *period);
            let sold = rows.iter().filter(|((g, start, place), _)| {
                g == grain && *start == period.start && matches!(place.2.as_str(), "" | "kind")
            });
            let places: Vec<Place> = sold.map(|(key, _)| key.2.clone()).chain(set.keys().cloned()).collect();
            let compared = |earlier: Span| {
                scored.contains(&earlier).then(|| {
                    let part = match period.end > company.as_of {
                        true => bookings.part(earlier, bookings.gone(*period)),
                        false => earlier,
                    };
                    (earlier.start, bookings.cells(part))
                })
            };
            let previous = compared(company.cal.previous(grain, *period));
            let year_before = compared(company.cal.year_before(grain, *period));
            for place in places {
                let key = ((*grain).to_owned(), period.start, place.clone());
                let mut row = Row { end: period.end, ..Row::default() };
                let sold = rows.get(&key);
                row.put("value", sold.and_then(|sold| sold.get("value")?.by(whole(&key)?)));
                // Nothing stands behind what is only a target.
                row.n = sold.filter(|_| row.get("value").is_some()).map_or(0, |sold| sold.n);
                let before = |compared: &Option<(Date, BTreeMap<Place, Cell>)>| {
                    let (start, cells) = compared.as_ref()?;
                    // Known fault: what was not sold earlier is nought of its quota, but Scorebook says nothing if
                    // bookings have no score there: of a period that is over, there in the earlier one; else in this.
                    let seen = if period.end <= company.as_of { *start } else { period.start };
                    if !rows.contains_key(&((*grain).to_owned(), seen, place.clone())) {
                        return None;
                    }
                    let quota = whole(&((*grain).to_owned(), *start, place.clone()))?;
                    cells.get(&place).map_or(Some(Exact::whole(0)), |cell| cell.value)?.by(quota)
                };
                row.put("previous", before(&previous));
                row.put("year_before", before(&year_before));
                if let Some(set) = set.get(&place) {
                    row.put_target(set);
                }
                if row.get("value").is_some() || set.contains_key(&place) {
                    found.insert(key, row);
                }
            }
        }
    }
    found
}

/// Ramped reps who sold their quota, of those who have one; the ramping stand apart.
fn reps_at_quota(bookings: &Metric, rows: &Rows) -> Rows {
    let company = bookings.company;
    let mut sides: BTreeMap<Key, (Date, i128, i128)> = BTreeMap::new();
    for ((grain, start, (level, entity, slice, _)), row) in rows {
        let Some(target) = row.get("target").filter(|target| target.n > 0) else { continue };
        let Some(rep) = company.reps.iter().find(|rep| level == "rep" && rep.id == *entity) else { continue };
        if !slice.is_empty() {
            continue;
        }
        let ramping = rep.hired.is_some_and(|hired| hired + 6.months() > *start);
        let value = row.get("value").unwrap_or(Exact::whole(0));
        let (tenths, day) = (if ramping { 7 } else { 10 }, row.end.min(company.as_of));
        let met = 10 * value.n * target.d >= tenths * target.n * value.d;
        for level in bookings.levels.iter().filter(|level| **level != "rep") {
            let (slice, value) = if ramping { ("ramp", "ramping") } else { ("", "") };
            let entity = company.entity(level, Some(&rep.id), day);
            let key = (grain.clone(), *start, ((*level).to_owned(), entity, slice.to_owned(), value.to_owned()));
            let side = sides.entry(key).or_insert((row.end, 0, 0));
            *side = (row.end, side.1 + i128::from(met), side.2 + 1);
        }
    }
    let rate = |key: &Key| sides.get(key).and_then(|(_, above, below)| Exact::over(*above, *below));
    let row = |key: &Key, (end, above, below): &(Date, i128, i128)| {
        let mut row = Row { end: *end, n: *below as i64, ..Row::default() };
        row.put("value", rate(key));
        row.put("numerator", Some(Exact::whole(*above)));
        row.put("denominator", Some(Exact::whole(*below)));
        // Nothing is said of a part of a period.
        if *end <= company.as_of {
            let scored = company.cal.scored(&key.0, company.anchor);
            let period = Span { start: key.1, end: *end };
            let before = |earlier: Span| {
                scored.contains(&earlier).then(|| rate(&(key.0.clone(), earlier.start, key.2.clone()))).flatten()
            };
            row.put("previous", before(company.cal.previous(&key.0, period)));
            row.put("year_before", before(company.cal.year_before(&key.0, period)));
        }
        row
    };
    sides.iter().map(|(key, side)| (key.clone(), row(key, side))).collect()
}
