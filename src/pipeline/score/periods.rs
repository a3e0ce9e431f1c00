//! The periods that a run scores, as tables for the engine.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::period::{Calendar, Grain, Period, days_between};
use crate::engine::Session;
use crate::pipeline::stage::typed::EPOCH;
use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many periods of a grain a run scores: the one that contains `as_of` and the twelve before.
pub const PERIODS: usize = 13;

/// A scored period's last day, and the starts of those that it is compared with, if they are scored. Days of Arrow.
pub struct Neighbours {
    /// Its last day.
    pub end: i32,
    /// The period before.
    pub previous: Option<i32>,
    /// The same period a year before.
    pub year_before: Option<i32>,
}

/// The scored periods of all grains.
pub struct Periods {
    all: Vec<Period>,
    calendar: Calendar,
    as_of: Date,
}

impl Periods {
    /// The periods of these grains.
    pub fn of(calendar: &Calendar, grains: &BTreeSet<Grain>, as_of: Date) -> Periods {
        let all = grains.iter().flat_map(|grain| calendar.trailing(*grain, as_of, PERIODS)).collect();
        Periods { all, calendar: calendar.clone(), as_of }
    }

    /// What of the periods a score depends on: their bounds, and for a stock the days on which it is measured.
    pub fn inputs(&self, grains: &[Grain], measured: bool) -> impl Serialize + use<> {
        let scored = self.all.iter().filter(|period| grains.contains(&period.grain));
        let bounds = scored.map(|period| {
            let on = measured.then(|| period.measured_on(self.as_of).to_string());
            (period.grain, period.start.to_string(), period.end.to_string(), on)
        });
        bounds.collect::<Vec<_>>()
    }

    /// The first measuring day, as SQL.
    pub fn first_slot(&self) -> String {
        let first = self.measuring_days().into_iter().next().unwrap_or(self.as_of);
        format!("DATE '{first}'")
    }

    fn measuring_days(&self) -> BTreeSet<Date> {
        self.all.iter().map(|period| period.measured_on(self.as_of)).collect()
    }

    /// What each scored period, by grain and start, is compared with.
    pub fn neighbours(&self) -> BTreeMap<(&'static str, i32), Neighbours> {
        let day = |day: Date| days_between(EPOCH, day);
        let scored = |period: Period| self.all.contains(&period).then(|| day(period.start));
        let neighbours = self.all.iter().map(|period| {
            let neighbours = Neighbours {
                end: day(period.end),
                previous: scored(self.calendar.previous(*period)),
                year_before: scored(self.calendar.year_before(*period)),
            };
            ((period.grain.name(), day(period.start)), neighbours)
        });
        neighbours.collect()
    }

    /// Names the tables `periods`, `period_days`, `measuring_days` and `measuring_slots`.
    pub fn add_to(&self, session: &Session) -> Result<()> {
        let grains = self.all.iter().map(|p| p.grain.name());
        add(
            session,
            "periods",
            vec![
                ("grain", Arc::new(StringArray::from_iter_values(grains))),
                ("period_start", days(self.all.iter().map(|p| p.start))),
                ("measured_on", days(self.all.iter().map(|p| p.measured_on(self.as_of)))),
            ],
        )?;
        let each: Vec<(Date, Period)> = self
            .all
            .iter()
            .flat_map(|p| p.start.series(1.day()).take_while(|d| *d <= p.end).map(|d| (d, *p)))
            .collect();
        add(
            session,
            "period_days",
            vec![
                ("day", days(each.iter().map(|(day, _)| *day))),
                ("grain", Arc::new(StringArray::from_iter_values(each.iter().map(|(_, p)| p.grain.name())))),
                ("period_start", days(each.iter().map(|(_, p)| p.start))),
            ],
        )?;
        let measuring = self.measuring_days();
        add(session, "measuring_days", vec![("measured_on", days(measuring.iter().copied()))])?;
        let mut slots = Vec::new();
        let mut next = measuring.first().copied().unwrap_or(self.as_of);
        for slot in measuring {
            while next <= slot {
                slots.push((next, slot));
                next += 1.day();
            }
        }
        add(
            session,
            "measuring_slots",
            vec![
                ("day", days(slots.iter().map(|(day, _)| *day))),
                ("measured_on", days(slots.iter().map(|(_, slot)| *slot))),
            ],
        )
    }
}

fn days(of: impl Iterator<Item = Date>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(of.map(|day| days_between(EPOCH, day))))
}

fn add(session: &Session, name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let rows = RecordBatch::try_from_iter(columns);
    let rows = rows.map_err(|error| Diagnostic::internal(format!("no table {name}: {error}")))?;
    session.add_batches(name, rows.schema(), vec![rows])
}
