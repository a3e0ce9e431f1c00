//! Metrics of facts: brute force, fact by fact and day by day.

use super::calculation::All;
use super::company::Company;
use super::credits;
use super::days::Span;
use super::exact::Exact;
use super::habit::{self, Judged};
use super::metrics::{self, Aggregate, Fact, ONE, Spec};
use super::progress::Periods;
use super::scored::{Cell, Due, Place, Scored, When};
use super::targets::{Set, Targets};
use jiff::ToSpan;
use jiff::civil::Date;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub type Cells = BTreeMap<Place, Cell>;
type Sets = BTreeMap<Place, Set>;

pub struct Facts<'a> {
    pub company: &'a Company,
    periods: &'a Periods,
    targets: &'a Targets<'a>,
    pub spec: Spec,
    lines: Vec<Fact>,
    /// Those that there are.
    pub levels: Vec<&'a str>,
    /// What is known already.
    cells: RefCell<BTreeMap<(Span, bool), Rc<Cells>>>,
    sets: RefCell<BTreeMap<(Span, Span), Rc<Sets>>>,
}

impl<'a> Facts<'a> {
    pub fn of(all: &All<'a>, spec: Spec) -> Facts<'a> {
        let All { company, targets, periods, .. } = *all;
        let lines = credits::lines(company, &spec, metrics::facts(company, spec.id));
        let levels = company.levels(all.levels);
        Facts { company, periods, targets, spec, lines, levels, cells: RefCell::default(), sets: RefCell::default() }
    }

    /// What counts from one day to another; of a stock, what stands on the last one, or on the date of the run.
    fn cells(&self, span: Span) -> Rc<Cells> {
        self.cells_of(span, false)
    }

    /// All of them, or those that are due within these days.
    fn cells_of(&self, span: Span, only_due: bool) -> Rc<Cells> {
        if let Some(known) = self.cells.borrow().get(&(span, only_due)) {
            return known.clone();
        }
        let mut groups: BTreeMap<Place, Vec<&Fact>> = BTreeMap::new();
        let measured = self.company.measured(span);
        let days = self.spec.days(span, measured);
        for fact in &self.lines {
            let counts = match self.spec.stock {
                true => fact.from <= measured && fact.to.is_none_or(|to| measured < to),
                // Before the first working day of an unfinished period nothing of a flow is compared.
                false => span.start <= span.end && days.has(fact.from),
            };
            if !counts || (only_due && !fact.due.is_some_and(|due| span.has(due))) {
                continue;
            }
            let day = if self.spec.stock { measured } else { fact.from };
            for level in &self.levels {
                let entity = self.company.entity(level, fact.rep.as_deref(), day);
                for (slice, value, fact) in self.lines_of(fact, day) {
                    let place = ((*level).to_owned(), entity.clone(), slice.to_owned(), value);
                    groups.entry(place).or_default().push(fact);
                }
            }
        }
        let cells = groups.into_iter().map(|(place, facts)| (place, self.counted(&facts, measured))).collect();
        self.cells.borrow_mut().entry((span, only_due)).insert_entry(Rc::new(cells)).get().clone()
    }

    /// The slices and their values on whose lines a fact stands; the total's are empty.
    fn lines_of<'f>(&self, fact: &'f Fact, day: Date) -> Vec<(&'static str, String, &'f Fact)> {
        if fact.overlay {
            return vec![("credit_kind", "overlay".into(), fact)];
        }
        let values = |slice: &str| fact.values(self.company, slice, day);
        let apart: Vec<_> = self.spec.apart.iter().map(|slice| (*slice, values(slice).remove(0))).collect();
        if apart.iter().any(|(_, value)| value != "(none)") {
            return apart.into_iter().filter(|(_, v)| v != "(none)").map(|(slice, v)| (slice, v, fact)).collect();
        }
        let mut lines = vec![("", String::new(), fact)];
        for slice in self.spec.slices {
            match slice.split_once('*') {
                None if *slice == "product" && self.spec.allocated => {
                    lines.extend(fact.parts.iter().map(|part| (*slice, part.slices[0].1[0].clone(), part)));
                }
                None => lines.extend(values(slice).into_iter().map(|value| (*slice, value, fact))),
                Some((one, other)) => lines.push((slice, format!("{}*{}", values(one)[0], values(other)[0]), fact)),
            }
        }
        lines
    }

    fn counted(&self, facts: &[&Fact], measured: Date) -> Cell {
        let value = |fact: &Fact| match fact.since {
            Some(since) => fact.above * i128::from((measured - since).get_days()),
            None => fact.above,
        };
        let n = facts.len() as i64;
        let (above, below) = (facts.iter().map(|fact| value(fact)).sum(), facts.iter().map(|fact| fact.below).sum());
        let plan = self.spec.plan.then(|| Exact::trillionths(facts.iter().map(|fact| fact.plan).sum()));
        let of = |value: Option<Exact>| Cell { value, plan, n, ..Cell::default() };
        let divided = || Cell {
            sides: Some((Exact::trillionths(above), Exact::trillionths(below))),
            ..of(Exact::over(above, below))
        };
        match self.spec.aggregate {
            Aggregate::Sum | Aggregate::Count => of(Some(Exact::trillionths(above))),
            Aggregate::Distinct => {
                let records: BTreeSet<&String> = facts.iter().map(|fact| &fact.record).collect();
                of(Some(Exact::whole(records.len() as i128)))
            }
            Aggregate::Mean => divided(),
            Aggregate::Ratio => {
                let whole = |fact: &&Fact| fact.below == ONE && [0, ONE].contains(&fact.above);
                let interval = facts.iter().all(whole).then(|| habit::interval(above / ONE, below / ONE));
                Cell { interval, ..divided() }
            }
            Aggregate::Median => {
                let mut values: Vec<i128> = facts.iter().map(|fact| value(fact)).collect();
                values.sort_unstable();
                of(Exact::over(values[(values.len() - 1) / 2] + values[values.len() / 2], 2 * ONE))
            }
            Aggregate::Percentile(share) => {
                let mut values: Vec<i128> = facts.iter().map(|fact| value(fact)).collect();
                values.sort_unstable();
                // The lowest value stands at 0, the highest at 1, and the others at equal distances between them.
                let steps = share * (values.len() as i128 - 1);
                let at = usize::try_from(steps / 10_000).unwrap();
                let step = values.get(at + 1).map_or(0, |next| next - values[at]);
                of(Exact::over(values[at] * 10_000 + step * (steps % 10_000), 10_000 * ONE))
            }
        }
    }

    fn set_of(&self, period: Span, days: Span) -> Rc<Sets> {
        let mut sets = self.sets.borrow_mut();
        let set = || Rc::new(self.targets.of_period(self.company, &self.spec, &self.levels, period, days));
        sets.entry((period, days)).or_insert_with(set).clone()
    }

    fn number(&self, cells: &Cells, place: &Place) -> Option<Exact> {
        cells.get(place).and_then(|cell| cell.value).or(self.without_facts())
    }

    fn without_facts(&self) -> Option<Exact> {
        self.spec.is_zero_without_facts().then_some(Exact::whole(0))
    }
}

impl Scored for Facts<'_> {
    fn periods(&self) -> &Periods {
        self.periods
    }

    fn judged(&self) -> Judged {
        let spec = &self.spec;
        let is_zero = spec.is_zero_without_facts();
        Judged { better: spec.better, minimum_n: spec.minimum_n, is_zero, grows: spec.grows() }
    }

    fn grains(&self) -> &'static [&'static str] {
        self.spec.grains
    }

    fn at_plan(&self) -> bool {
        self.spec.plan && self.company.plans.contains(&self.spec.id)
    }

    fn slices(&self) -> &'static [&'static str] {
        self.spec.slices
    }

    fn is_supplied(&self, _: &str, period: Span) -> bool {
        let measured = self.company.measured(period);
        self.company
            .tells(self.spec.id, if self.spec.stock { measured } else { self.spec.days(period, measured).start })
    }

    fn cell(&self, grain: &str, when: When, place: &Place) -> Cell {
        let mut cell = self.cells(when.days).get(place).cloned().unwrap_or_default();
        cell.value = cell.value.or(self.without_facts());
        cell.plan = cell.plan.or(self.without_facts().filter(|_| self.spec.plan));
        let immature = self.spec.cohort_days.is_some_and(|days| when.period.end + days.days() > self.company.as_of);
        cell.state = immature.then_some("immature");
        if self.spec.stock {
            let before = when.period.start - 1.day();
            let is_known = self.is_supplied(grain, self.company.cal.previous(grain, when.period));
            cell.at_start = self.number(&self.cells(Span { start: before, end: before }), place).filter(|_| is_known);
        }
        if self.spec.has_due {
            cell.due = self.number(&self.cells_of(when.period, true), place);
        }
        cell
    }

    fn places(&self, _: &str, when: When) -> BTreeSet<Place> {
        self.cells(when.days).keys().cloned().collect()
    }

    fn set(&self, period: Span) -> Rc<BTreeMap<Place, Set>> {
        // The rules do not say what a target over a window is. Scorebook adds up the window's days.
        self.set_of(period, self.spec.days(period, self.company.measured(period)))
    }

    fn next_set(&self, next: Span) -> Rc<BTreeMap<Place, Set>> {
        // And those up to the end of the next period, though this one is not over.
        self.set_of(next, self.spec.days(next, next.end))
    }

    fn due_set(&self, period: Span) -> Rc<BTreeMap<Place, Set>> {
        self.set_of(period, Span { start: period.start, end: self.company.as_of })
    }

    fn due(&self, grain: &str, period: Span) -> Option<Due> {
        // The rules do not say whether there is a pace over a window. Scorebook has none.
        if !self.spec.grows() || period.end <= self.company.as_of {
            return None;
        }
        let (gone, all) = (self.company.gone(period), self.company.working_days(period).len());
        if self.spec.aggregate == Aggregate::Distinct || gone == 0 || gone == all {
            return Some(Due::Linear);
        }
        let company = ("company".to_owned(), "company".to_owned(), String::new(), String::new());
        let total = |span: Span| {
            let value = self.cells(span).get(&company).and_then(|cell| cell.value);
            value.map_or(0, |value| value.n * (ONE / value.d))
        };
        let (mut earlier, mut shares) = (period, 0);
        for _ in 0..8 {
            earlier = self.company.cal.previous(grain, earlier);
            let days = self.company.working_days(earlier).len();
            // To the nearest day: a half is one more.
            let reached = (2 * gone * days + all) / (2 * all);
            let whole = total(earlier);
            if whole <= 0 || !self.is_supplied(grain, earlier) {
                return Some(Due::Linear);
            }
            shares += total(self.company.part(earlier, reached)) * ONE / whole;
        }
        let come = shares as f64 / (8 * ONE) as f64;
        if !(0.0..=1.0).contains(&come) {
            return Some(Due::Linear);
        }
        // What comes on each working day that has gone by, and on each that is to come.
        Some(Due::Curve([come / gone as f64, (1.0 - come) / (all - gone) as f64]))
    }
}
