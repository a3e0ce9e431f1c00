//! Reps at quota: a metric that reads scores. Ramped reps who sold their quota, of those who have one; the ramping stand
//! apart.

use super::calculation::All;
use super::company::Company;
use super::days::Span;
use super::exact::Exact;
use super::habit::{self, Judged};
use super::metrics::Better;
use super::progress::Periods;
use super::scored::{Cell, Key, Place, Rows, Scored, When};
use super::targets::{self, Set};
use jiff::ToSpan;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub struct RepsAtQuota<'a> {
    company: &'a Company,
    periods: &'a Periods,
    /// Grain, first day and place: how many made it, of how many.
    sides: BTreeMap<Key, (i128, i128)>,
}

impl<'a> RepsAtQuota<'a> {
    pub fn of(all: &All<'a>, bookings: &Rows) -> RepsAtQuota<'a> {
        let All { company, periods, levels, .. } = *all;
        let mut sides: BTreeMap<Key, (i128, i128)> = BTreeMap::new();
        for ((grain, start, (level, entity, slice, _)), row) in bookings {
            if level != "rep" || !slice.is_empty() {
                continue;
            }
            let Some(target) = row.get("target").filter(|target| target.n > 0) else { continue };
            let Some(rep) = company.reps.iter().find(|rep| rep.id == *entity) else { continue };
            let ramping = rep.hired.is_some_and(|hired| hired + 6.months() > *start);
            let value = row.get("value").unwrap_or(Exact::whole(0));
            let tenths = if ramping { 7 } else { 10 };
            let met = 10 * value.n * target.d >= tenths * target.n * value.d;
            for level in company.levels(levels).into_iter().filter(|level| !matches!(*level, "rep" | "rep_in_team")) {
                let (slice, value) = if ramping { ("ramp", "ramping") } else { ("", "") };
                let entity = company.entity(level, Some(&rep.id), row.end.min(company.as_of));
                let place = (level.to_owned(), entity, slice.to_owned(), value.to_owned());
                let side = sides.entry((grain.clone(), *start, place)).or_default();
                *side = (side.0 + i128::from(met), side.1 + 1);
            }
        }
        RepsAtQuota { company, periods, sides }
    }
}

impl Scored for RepsAtQuota<'_> {
    fn periods(&self) -> &Periods {
        self.periods
    }

    fn judged(&self) -> Judged {
        Judged { better: Better::Higher, minimum_n: 0, is_zero: false, grows: false }
    }

    fn grains(&self) -> &'static [&'static str] {
        &["month", "quarter", "year"]
    }

    fn slices(&self) -> &'static [&'static str] {
        &["ramp"]
    }

    fn is_supplied(&self, _: &str, period: Span) -> bool {
        self.company.tells("reps_at_quota", period.start)
    }

    fn cell(&self, grain: &str, when: When, place: &Place) -> Cell {
        let key = (grain.to_owned(), when.period.start, place.clone());
        let Some((above, below)) = self.sides.get(&key).copied() else { return Cell::default() };
        Cell {
            value: Exact::over(above, below),
            sides: Some((Exact::whole(above), Exact::whole(below))),
            n: below as i64,
            interval: Some(habit::interval(above, below)),
            ..Cell::default()
        }
    }

    fn places(&self, grain: &str, when: When) -> BTreeSet<Place> {
        let there = self.sides.keys().filter(|(g, start, _)| g == grain && *start == when.period.start);
        there.map(|(_, _, place)| place.clone()).collect()
    }

    fn set(&self, period: Span) -> Rc<BTreeMap<Place, Set>> {
        Rc::new(targets::in_force(self.company, "reps_at_quota", period))
    }

    fn has_parts(&self) -> bool {
        false
    }
}
