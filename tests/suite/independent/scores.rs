//! All scores: those of facts added up, formulas when they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use super::company::Company;
use super::facts::Aggregate;
use super::formulas::{Formula, Place};
use super::header::{self, Header};
use super::numbers::ONE;
use super::people::LEVELS;
use super::periods::Period;
use super::sums::{Cell, Entity, Machine, Number, Slice, Sum, Sums, What};
use super::targets::{self, Targets};
use super::{metrics, periods};

/// One score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub value: Option<Number>,
    /// The two sides of a ratio or a mean.
    pub sides: Option<(i128, i128)>,
    pub n: i64,
    pub target: Option<i128>,
    /// A word that stands for the number.
    pub state: Option<&'static str>,
}

/// Which score. Reps and teams are `source:id`; the others `company` and `unassigned` (the facts without a rep on level
/// rep, and without a team or region on levels team and region). `slice` and `slice_value` are empty for the total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub metric: String,
    pub level: String,
    pub entity: String,
    pub grain: String,
    pub period_start: Date,
    pub slice: String,
    pub slice_value: String,
}

pub struct Scores<'a> {
    machine: Machine<'a>,
    headers: &'a [Header],
    sums: BTreeMap<&'static str, Sums>,
    formulas: Vec<Formula>,
    targets: BTreeMap<String, Targets>,
    pub whole: Slice,
}

impl<'a> Scores<'a> {
    /// Every metric that has a header and is known here.
    pub fn of(company: &'a Company, headers: &'a [Header]) -> Scores<'a> {
        let scored = periods::scored(company.as_of);
        let mut machine = Machine::new(company, scored.clone());
        let metrics = metrics::of_facts(company);
        let with_next: Vec<Period> = scored.iter().flat_map(|period| [*period, period.plus(1)]).collect();
        let with_next: Vec<Period> = with_next.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut known = BTreeMap::new();
        let mut goals = BTreeMap::new();
        for metric in &metrics {
            if let Some(header) = headers.iter().find(|header| header.id == header_of(metric.id)) {
                let goal = targets::of(company, metric.id, metric.is_money, &with_next);
                if !goal.is_empty() {
                    goals.insert(metric.id.to_owned(), goal);
                }
                known.insert(metric.id, machine.add_up(metric, header));
            }
        }
        let formulas = metrics::formulas();
        let whole = (String::new(), String::new());
        let mut scores = Scores { machine, headers, sums: known, formulas, targets: goals, whole };
        scores.add_reps_at_quota();
        scores.add_top_ten();
        scores
    }

    /// The scores of exports and definitions. What they borrow lives as long as the test's process.
    pub fn read(exports: &Path, nights: &[&str], as_of: Date, definitions: &Path) -> Scores<'static> {
        let company = Box::leak(Box::new(Company::read(exports, nights, as_of)));
        Scores::of(company, Box::leak(Box::new(header::read(definitions))))
    }

    /// The score of a key.
    pub fn at(&self, key: &Key) -> Line {
        let level = LEVELS.iter().position(|level| *level == key.level).expect("a level");
        let grain = periods::GRAINS.into_iter().find(|grain| *grain == key.grain).expect("a grain");
        let period = Period { grain, start: key.period_start };
        let slice = (key.slice.clone(), key.slice_value.clone());
        self.line(&key.metric, &(level, key.entity.clone()), period, &slice, What::Own)
    }

    /// Where a metric has facts, and all totals that there could be.
    pub fn keys(&self, metric: &str) -> BTreeSet<Key> {
        let key = |level: &str, entity: &str, period: Period, slice: &Slice| Key {
            metric: metric.to_owned(),
            level: level.to_owned(),
            entity: entity.to_owned(),
            grain: period.grain.to_owned(),
            period_start: period.start,
            slice: slice.0.clone(),
            slice_value: slice.1.clone(),
        };
        let places = self.places(metric).into_iter();
        let mut keys: BTreeSet<Key> =
            places.map(|((level, entity), period, slice)| key(LEVELS[level], &entity, period, &slice)).collect();
        let Some(header) = self.header(metric) else { return keys };
        for (level, entity) in self.company().people.all_entities() {
            for period in &self.machine.periods {
                if header.levels.contains(&level.as_str()) && header.grains.contains(&period.grain) {
                    keys.insert(key(&level, &entity, *period, &self.whole));
                }
            }
        }
        keys
    }

    /// Whether the calculation knows a metric.
    pub fn knows(&self, metric: &str) -> bool {
        self.sums.contains_key(metric) || self.formulas.iter().any(|formula| formula.id == metric)
    }

    /// How a metric of facts adds up.
    pub fn aggregate(&self, metric: &str) -> Option<Aggregate> {
        self.sums.get(metric).map(|sums| sums.aggregate)
    }

    pub fn as_of(&self) -> Date {
        self.machine.company.as_of
    }

    pub fn company(&self) -> &Company {
        self.machine.company
    }

    pub fn periods(&self) -> &[Period] {
        &self.machine.periods
    }

    pub fn is_scored(&self, period: Period) -> bool {
        self.machine.periods.contains(&period)
    }

    pub fn header(&self, metric: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.id == header_of(metric))
    }

    pub fn has_slice(&self, metric: &str, slice: &str) -> bool {
        slice.is_empty()
            || slice == "credit_kind"
            || self.header(metric).is_some_and(|header| header.slices.iter().any(|own| own == slice))
    }

    pub fn target(&self, metric: &str, entity: &Entity, period: Period, slice: &Slice) -> Option<i128> {
        if !slice.0.is_empty() {
            return None;
        }
        self.targets.get(metric)?.get(&(entity.0, entity.1.clone(), period)).copied()
    }

    pub fn line(&self, metric: &str, entity: &Entity, period: Period, slice: &Slice, what: What) -> Line {
        if let Some(formula) = self.formulas.iter().find(|formula| formula.id == metric) {
            let place = Place { scores: self, entity, period, slice };
            let n = formula.parts.iter().map(|part| place.n(part)).min().unwrap_or(0);
            let state = formula.state.filter(|(_, holds)| holds(&place) == Some(true)).map(|(word, _)| word);
            let value = if state.is_some() { None } else { (formula.of)(&place).map(Number::Float) };
            return Line { value, sides: None, n, target: None, state };
        }
        let sums = self.sums.get(metric).unwrap_or_else(|| panic!("nobody knows {metric}"));
        let sum = self.sum(sums, entity, period, slice, what);
        let target = self.target(metric, entity, period, slice).filter(|_| what == What::Own);
        let empty = Sum::default();
        let found = sum.unwrap_or(&empty);
        let has_sides = matches!(sums.aggregate, Aggregate::Ratio | Aggregate::Mean);
        let sides = sum.filter(|_| has_sides).map(|sum| (sum.above, sum.below));
        Line { value: found.value(sums.aggregate), sides, n: found.n, target, state: None }
    }

    fn sum<'s>(&self, sums: &'s Sums, entity: &Entity, period: Period, slice: &Slice, what: What) -> Option<&'s Sum> {
        let place = self.machine.periods.iter().position(|one| *one == period)?;
        let period = u32::try_from(place).expect("not so many");
        let (entity, slice) = (self.machine.entities.find(entity)?, self.machine.slices.find(slice)?);
        sums.cells.get(&Cell { what, period, entity, slice })
    }

    /// Every place of a metric that has facts.
    pub fn places(&self, metric: &str) -> Vec<(Entity, Period, Slice)> {
        let Some(sums) = self.sums.get(metric) else { return Vec::new() };
        let own = sums.cells.keys().filter(|cell| cell.what == What::Own);
        let named = own.map(|cell| {
            let (entity, slice) = (self.machine.entities.name(cell.entity), self.machine.slices.name(cell.slice));
            (entity.clone(), self.machine.periods[cell.period as usize], slice.clone())
        });
        named.collect()
    }

    /// A rep counts once per period, with all their bookings and the whole period's quota, in the team of the
    /// measuring day. Ramped reps make the total; those still ramping stand on their own slice alone.
    fn add_reps_at_quota(&mut self) {
        let Some(header) = self.headers.iter().find(|header| header.id == "reps_at_quota") else { return };
        let company = self.machine.company;
        let mut cells: BTreeMap<Cell, Sum> = BTreeMap::new();
        for (id, rep) in &company.people.reps {
            for (place, period) in self.machine.periods.clone().into_iter().enumerate() {
                if !header.grains.contains(&period.grain) {
                    continue;
                }
                let entity = (0, id.clone());
                let target = self.target("bookings", &entity, period, &self.whole).unwrap_or(0);
                if target <= 0 {
                    continue;
                }
                let booked = match self.line("bookings", &entity, period, &self.whole, What::Own).value {
                    Some(Number::Exact(booked)) => booked,
                    other => panic!("bookings are a sum: {other:?}"),
                };
                let is_ramped = rep.hired_on.is_none_or(|hired| hired + jiff::Span::new().months(6) <= period.start);
                let (slice, is_there) = match is_ramped {
                    true => (self.whole.clone(), booked >= target),
                    false => (("ramp".to_owned(), "ramping".to_owned()), 10 * booked >= 7 * target),
                };
                let measured = period.last_day().min(company.as_of);
                let entities = company.people.entities(Some(id), measured);
                for (level, entity) in entities.into_iter().enumerate() {
                    if header.levels.contains(&LEVELS[level]) {
                        let entity = self.machine.entities.number(&(level, entity));
                        let slice = self.machine.slices.number(&slice);
                        let period = u32::try_from(place).expect("not so many");
                        let above = if is_there { ONE } else { 0 };
                        let cell = Cell { what: What::Own, period, entity, slice };
                        cells.entry(cell).or_default().add(Aggregate::Ratio, id, above, ONE);
                    }
                }
            }
        }
        self.sums.insert("reps_at_quota", Sums { aggregate: Aggregate::Ratio, cells });
    }
}

impl Scores<'_> {
    /// What the ten accounts that bought most in a period are of all bookings; what was sold to no account is among all
    /// bookings alone. Each account is a fact.
    fn add_top_ten(&mut self) {
        let Some(by_account) = self.sums.get("bookings_by_account") else { return };
        let mut bought: BTreeMap<Cell, Vec<(i128, bool)>> = BTreeMap::new();
        for (cell, sum) in by_account.cells.iter().filter(|(cell, _)| cell.what == What::Own) {
            let (slice, account) = self.machine.slices.name(cell.slice);
            if slice == "account" {
                let total = Cell { slice: self.machine.slices.find(&self.whole).expect("the whole"), ..*cell };
                bought.entry(total).or_default().push((sum.above, account != "(none)"));
            }
        }
        let mut cells: BTreeMap<Cell, Sum> = BTreeMap::new();
        for (cell, mut accounts) in bought {
            accounts.sort_by_key(|(value, is_account)| (!is_account, -value));
            for (place, (value, is_account)) in accounts.into_iter().enumerate() {
                let above = if place < 10 && is_account { value } else { 0 };
                cells.entry(cell).or_default().add(Aggregate::Ratio, "", above, value);
            }
        }
        if self.headers.iter().any(|header| header.id == "top_ten_account_share") {
            self.sums.insert("top_ten_account_share", Sums { aggregate: Aggregate::Ratio, cells });
        }
    }
}

impl Place<'_> {
    fn n(&self, metric: &str) -> i64 {
        let slice = if self.scores.has_slice(metric, &self.slice.0) { self.slice } else { &self.scores.whole };
        self.scores.line(metric, self.entity, self.period, slice, What::Own).n
    }
}

/// The metric whose header says where one is scored: of parts of formulas over windows, the formula's.
fn header_of(metric: &str) -> &str {
    match metric {
        "costs_of_three_months" | "customers_of_three_months" => "customer_acquisition_cost",
        "wins_of_a_year" | "deals_of_a_year" | "cycles_of_a_year" => "pipeline_velocity",
        other => other,
    }
}
