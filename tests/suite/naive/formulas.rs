//! Metrics without facts of their own: expressions over other metrics' scores.

use super::calculation::Known;
use super::company::Company;
use super::days::Span;
use super::exact::Exact;
use super::habit::Judged;
use super::metrics::{Better, ONE};
use super::progress::Periods;
use super::scored::{Cell, Place, Scored, When};
use super::targets::{self, Set};
use jiff::ToSpan;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a formula takes of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Value,
    Target,
    NextTarget,
    Previous,
    YearBefore,
    AtStart,
    Due,
    /// Of no metric.
    Months,
}

use Taken::*;

/// What a formula is given, in the order of `takes`.
type Given<'a> = &'a [Option<f64>];

/// Whether a state holds.
type Holds = fn(Given) -> Option<bool>;

/// A formula's header.
pub struct Spec {
    pub id: &'static str,
    pub better: Better,
    pub slices: &'static [&'static str],
    pub grains: &'static [&'static str],
    /// Months and days.
    pub window: Option<(i32, i32)>,
    pub takes: &'static [(Taken, &'static str)],
    pub of: fn(Given) -> Option<f64>,
    /// By name.
    pub states: &'static [(&'static str, Holds)],
}

const PLAIN: Spec = Spec {
    id: "",
    better: Better::Higher,
    slices: &[],
    grains: &["month", "quarter"],
    window: None,
    takes: &[],
    of: |_| None,
    states: &[],
};

pub const SPECS: [Spec; 11] = [
    Spec {
        id: "quota_attainment",
        slices: &["kind"],
        grains: &["month", "quarter", "year"],
        takes: &[(Value, "bookings"), (Target, "bookings")],
        of: |of| over(of[0], of[1]),
        ..PLAIN
    },
    Spec {
        id: "growth",
        slices: &["kind"],
        grains: &["month", "quarter", "year"],
        takes: &[(Value, "bookings"), (Previous, "bookings")],
        of: |of| Some(over(of[0], of[1])? - 1.0),
        ..PLAIN
    },
    Spec {
        id: "yearly_change",
        better: Better::Neither,
        slices: &["kind", "role"],
        takes: &[(Value, "deals"), (YearBefore, "deals"), (Previous, "deals")],
        of: |of| Some(2.0 * of[0]? - of[1]? - of[2]?),
        ..PLAIN
    },
    Spec {
        id: "coverage",
        slices: &["kind"],
        takes: &[(Value, "open_value"), (NextTarget, "bookings"), (Target, "bookings"), (Value, "bookings")],
        of: |of| over(of[0], Some(of[1]? + of[2]? - of[3]?)),
        states: &[("idle", |of| Some(of[3]? == 0.0 && of[0]? == 0.0)), ("met", |of| Some(of[3]? >= of[2]?))],
        ..PLAIN
    },
    Spec {
        id: "moved",
        better: Better::Neither,
        slices: &["kind", "product"],
        takes: &[(Value, "open_value"), (Due, "open_value"), (AtStart, "open_value")],
        of: |of| Some(of[0]? + of[1]? - of[2]?),
        ..PLAIN
    },
    Spec {
        id: "backlog",
        better: Better::Lower,
        slices: &["role"],
        takes: &[(Value, "open_deals"), (Previous, "deals")],
        of: |of| Some(of[0]? - of[1]?),
        ..PLAIN
    },
    Spec {
        id: "deal_mean",
        slices: &["kind", "role"],
        window: Some((3, 0)),
        takes: &[(Value, "bookings"), (Value, "deals")],
        of: |of| over(of[0], of[1]),
        ..PLAIN
    },
    Spec {
        id: "run_rate",
        slices: &["source"],
        window: Some((12, 0)),
        takes: &[(Value, "bookings"), (Target, "bookings"), (Months, "")],
        of: |of| over(Some(of[0]? - of[1]?), of[2]),
        ..PLAIN
    },
    Spec {
        id: "quota_pace",
        slices: &["kind"],
        grains: &["month", "year"],
        window: Some((0, 60)),
        takes: &[(Value, "quota_attainment"), (Months, "")],
        of: |of| over(of[0], of[1]),
        ..PLAIN
    },
    Spec {
        id: "touches_a_month",
        grains: &["week", "month"],
        takes: &[(Value, "deals_touched"), (Months, "")],
        of: |of| over(of[0], of[1]),
        ..PLAIN
    },
    Spec {
        id: "expected",
        slices: &["kind", "tenure_band"],
        grains: &["month", "year"],
        takes: &[(Value, "win_rate"), (Value, "deal_size"), (YearBefore, "win_rate")],
        of: |of| Some(of[0]? * of[1]? + of[2].unwrap_or(0.0)),
        ..PLAIN
    },
];

impl Spec {
    pub fn of(id: &str) -> Option<&'static Spec> {
        const { &SPECS }.iter().find(|spec| spec.id == id)
    }
}

/// Division by zero or less is empty.
fn over(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    Some(above? / below.filter(|below| *below > 0.0)?)
}

pub struct Formula<'a> {
    pub company: &'a Company,
    pub periods: &'a Periods,
    pub spec: &'static Spec,
    /// Its own, or that of a formula that uses it.
    pub window: Option<(i32, i32)>,
    /// Those of `takes`, in their order; months are of none.
    pub parts: Vec<Option<Rc<Known<'a>>>>,
}

impl Formula<'_> {
    /// Whether a part has a score there. What is compared in part needs one of the present period.
    fn is_computed(&self, grain: &str, when: When, place: &Place) -> bool {
        let key = (grain.to_owned(), when.of.start, place.clone());
        self.parts.iter().flatten().any(|part| part.rows.contains_key(&key))
    }

    fn months(&self, grain: &str) -> f64 {
        match (self.window, grain) {
            (Some((months, days)), _) => f64::from(months) + f64::from(days) * 12.0 / 365.0,
            (None, "week") => 12.0 * 7.0 / 365.0,
            (None, "month") => 1.0,
            (None, "quarter") => 3.0,
            (None, _) => 12.0,
        }
    }

    fn next(&self, grain: &str, period: Span) -> Span {
        self.periods[grain].iter().find(|one| one.period == period).unwrap().next
    }

    fn take(&self, i: usize, grain: &str, when: When, place: &Place) -> Option<f64> {
        let Some(known) = &self.parts[i] else { return Some(self.months(grain)) };
        let part = &known.metric;
        let (level, entity, slice, _) = place;
        let whole = (level.clone(), entity.clone(), String::new(), String::new());
        // What has not the slice gives its whole, and targets are always that.
        let own = if slice.is_empty() || part.slices().contains(&slice.as_str()) { place } else { &whole };
        // What is held against a target that is meant at the plan's rates is taken at these.
        let held = |(taken, id): &(Taken, _)| matches!(taken, Target | NextTarget) && *id == self.spec.takes[i].1;
        let at_plan = part.at_plan() && self.spec.takes.iter().any(held);
        let of = |cell: Cell| if at_plan { cell.plan } else { cell.value };
        let earlier = |i: usize| of(part.cell(grain, part.compared(grain, when.period)[i]?, own));
        let number = match self.spec.takes[i].0 {
            Value => of(part.cell(grain, when, own)),
            Target => part.set(when.period).get(&whole).and_then(Set::target),
            NextTarget => part.next_set(self.next(grain, when.period)).get(&whole).and_then(Set::target),
            Previous => earlier(0),
            YearBefore => earlier(1),
            AtStart => part.cell(grain, When::whole(when.period), own).at_start,
            Due => part.cell(grain, when, own).due,
            Months => None,
        };
        number.map(Exact::to_f64)
    }

    /// The smallest of its parts' values'.
    fn n(&self, grain: &str, when: When, place: &Place) -> i64 {
        let whole = (place.0.clone(), place.1.clone(), String::new(), String::new());
        let values = self.parts.iter().flatten().zip(self.spec.takes).filter(|(_, (taken, _))| *taken == Value);
        let n = values.map(|(part, _)| {
            let has = place.2.is_empty() || part.metric.slices().contains(&place.2.as_str());
            part.metric.cell(grain, when, if has { place } else { &whole }).n
        });
        n.min().unwrap_or(1)
    }
}

impl Scored for Formula<'_> {
    fn periods(&self) -> &Periods {
        self.periods
    }

    fn judged(&self) -> Judged {
        Judged { better: self.spec.better, minimum_n: 0, is_zero: false, grows: self.window.is_none() }
    }

    fn grains(&self) -> &'static [&'static str] {
        self.spec.grains
    }

    fn slices(&self) -> &'static [&'static str] {
        self.spec.slices
    }

    fn is_supplied(&self, grain: &str, period: Span) -> bool {
        let parts = || self.parts.iter().flatten().all(|part| part.metric.is_supplied(grain, period));
        let measured = self.company.measured(period) + 1.day();
        let window = self.window.map(|(months, days)| measured - months.months() - days.days());
        self.company.tells(self.spec.id, window.unwrap_or(period.start)) && parts()
    }

    fn cell(&self, grain: &str, when: When, place: &Place) -> Cell {
        // Of what an earlier period was compared with, and of what was due then, nothing is known in part.
        let unknown = |(taken, _): &(Taken, _)| matches!(taken, Previous | YearBefore | Due);
        let in_part = when.of != when.period;
        if !self.is_computed(grain, when, place) || (in_part && self.spec.takes.iter().any(unknown)) {
            return Cell::default();
        }
        let given: Vec<Option<f64>> = (0..self.parts.len()).map(|i| self.take(i, grain, when, place)).collect();
        let state = self.spec.states.iter().find(|(_, holds)| holds(&given) == Some(true)).map(|(word, _)| *word);
        let value = (self.spec.of)(&given).filter(|_| state.is_none());
        if value.is_none() && state.is_none() {
            return Cell::default();
        }
        let value = value.map(|value| Exact::trillionths((value * ONE as f64).round() as i128));
        Cell { value, state, n: self.n(grain, when, place), ..Cell::default() }
    }

    fn places(&self, grain: &str, when: When) -> BTreeSet<Place> {
        let from = (grain.to_owned(), when.of.start, Place::default());
        let of_period = |part: &Rc<Known>| {
            let rows = part.rows.range(&from..).take_while(|((g, start, _), _)| g == grain && *start == when.of.start);
            rows.map(|(key, _)| key.2.clone()).collect::<Vec<Place>>()
        };
        let all: BTreeSet<Place> = self.parts.iter().flatten().flat_map(of_period).collect();
        let places = all.into_iter().filter(|place| place.2.is_empty() || self.spec.slices.contains(&place.2.as_str()));
        let is_there = |place: &Place| {
            let cell = self.cell(grain, when, place);
            cell.value.is_some() || cell.state.is_some()
        };
        places.filter(is_there).collect()
    }

    fn set(&self, period: Span) -> Rc<BTreeMap<Place, Set>> {
        Rc::new(targets::in_force(self.company, self.spec.id, period))
    }
}
