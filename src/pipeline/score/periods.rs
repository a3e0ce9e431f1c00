//! The periods that a run scores, as tables for the engine.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::Calendar;
use crate::domain::metric::{Measure, Metric};
use crate::domain::period::EPOCH;
use crate::domain::period::{Grain, Period, days_between};
use crate::engine::Session;
use crate::pipeline::stage::workdays::Workdays;
use arrow::array::{ArrayRef, Date32Array, Int32Array, RecordBatch, StringArray};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many periods of a grain a run scores: the one that contains the anchor and the twelve before.
pub const PERIODS: usize = 13;

/// What a cell's facts are of: its own period, or what that is compared with while it is not over.
pub const SPANS: [&str; 3] = ["now", "previous", "year_before"];
/// Of a stock: what stood on the day before the first, where that is in no other cell.
pub const AT_START: &str = "start";
/// Of a stock: what is due within the period.
pub const DUE: &str = "due";
/// Of targets: those of the next period.
pub const NEXT: &str = "next";
/// What a metric is worth at the plan's exchange rates.
pub const PLAN: &str = "plan";
/// The spans that cells may be of.
const OF_CELLS: [&str; 6] = [SPANS[0], SPANS[1], SPANS[2], AT_START, DUE, PLAN];

/// A scored period's last day, and what it is compared with. Days of Arrow.
#[derive(Clone, Copy)]
pub struct Neighbours {
    /// Its last day.
    pub end: i32,
    /// It is not over, and compared in part.
    pub unfinished: bool,
    /// The period before.
    pub previous: Earlier,
    /// The same period a year before.
    pub year_before: Earlier,
    /// Where the whole period before is.
    pub before: Earlier,
}

/// Where the numbers of an earlier period are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It is not scored.
    Unknown,
    /// In the cells of the period that starts on this day.
    Whole(i32),
    /// In the cells of this span of the period itself: of the first working days only, or of the day before the first.
    Part(&'static str),
}

/// What a cell is of: grain, the period's first day, span.
pub type SpanOf = (&'static str, i32, &'static str);

/// The days whose targets belong to a period.
pub struct TargetPlace {
    /// The scored period.
    pub period: Period,
    /// [`SPANS`]`[0]`, or [`NEXT`] of those of the period after it.
    pub span: &'static str,
    /// The first day whose part counts.
    pub start: Date,
    /// The last one.
    pub end: Date,
    /// The last day of the period itself: a window ends with the run's date.
    pub last: Date,
}

/// As many of an earlier period's working days as an unfinished one has had.
struct Part {
    of: Period,
    span: &'static str,
    start: Date,
    /// `None` if not even one day of it is compared.
    end: Option<Date>,
}

/// The scored periods of all grains.
pub struct Periods {
    all: Vec<Period>,
    calendar: Calendar,
    as_of: Date,
    parts: Vec<Part>,
}

impl Periods {
    /// The periods of these grains: thirteen, and the one a year before the last of them. The last one contains the anchor,
    /// which is not after `as_of`; whether it is over, and where stocks are measured, goes by `as_of`.
    pub fn of(
        grains: &BTreeSet<Grain>,
        (anchor, as_of): (Date, Date),
        calendar: &Calendar,
        workdays: &Workdays,
    ) -> Periods {
        let mut all = Vec::new();
        let mut parts = Vec::new();
        for grain in grains {
            let present = calendar.period(*grain, anchor);
            let (previous, year_before) = (calendar.previous(present), calendar.year_before(present));
            let trailing = calendar.trailing(*grain, anchor, PERIODS);
            all.extend(Some(year_before).filter(|period| !trailing.contains(period)));
            all.extend(trailing);
            if as_of < present.end {
                let worked = workdays.worked(present.start, as_of);
                for (span, earlier) in [(SPANS[1], previous), (SPANS[2], year_before)] {
                    let end = workdays.cut(earlier.start, earlier.end, worked);
                    parts.push(Part { of: present, span, start: earlier.start, end });
                }
            }
        }
        Periods { all, calendar: calendar.clone(), as_of, parts }
    }

    /// What of the periods a score depends on: their bounds, the parts that are compared, and for a stock the days on
    /// which it is measured.
    pub fn inputs(&self, grains: &[Grain], measured: bool) -> impl Serialize + use<> {
        let scored = self.all.iter().filter(|period| grains.contains(&period.grain));
        let bounds = scored.map(|period| {
            let on = measured.then(|| period.measured_on(self.as_of).to_string());
            (period.grain, period.start.to_string(), period.end.to_string(), on)
        });
        let parts = self.parts.iter().filter(|part| grains.contains(&part.of.grain));
        let parts = parts.map(|part| (part.of.grain, part.span, part.end.map(|end| end.to_string())));
        (bounds.collect::<Vec<_>>(), parts.collect::<Vec<_>>())
    }

    /// The scored periods of some grains.
    pub fn of_grains(&self, grains: &[Grain]) -> impl Iterator<Item = Period> {
        self.all.iter().copied().filter(|period| grains.contains(&period.grain))
    }

    /// The periods of some grains that are not over.
    pub fn unfinished(&self, grains: &[Grain]) -> impl Iterator<Item = Period> {
        let present = self.parts.iter().filter(|part| part.span == SPANS[1]).map(|part| part.of);
        present.filter(|period| grains.contains(&period.grain))
    }

    /// So many periods before one, oldest first.
    pub fn before(&self, period: Period, count: usize) -> Vec<Period> {
        let mut periods = self.calendar.trailing(period.grain, period.start, count + 1);
        periods.pop();
        periods
    }

    /// The run's date.
    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// The first measuring day, as SQL.
    pub fn first_slot(&self) -> String {
        let first = self.measuring_days().into_iter().next().unwrap_or(self.as_of);
        format!("DATE '{first}'")
    }

    /// Period, span, and the day on which what holds over time is measured. Before the first working day it is what
    /// stood before the earlier period.
    fn measured(&self) -> impl Iterator<Item = (Period, &'static str, Date)> {
        let now = self.all.iter().map(|period| (*period, SPANS[0], period.measured_on(self.as_of)));
        let due = self.all.iter().map(|period| (*period, DUE, period.measured_on(self.as_of)));
        let starts = self.all.iter().filter(|period| !self.all.contains(&self.calendar.previous(**period)));
        let starts = starts.map(|period| (*period, AT_START, period.start - 1.day()));
        let parts =
            self.parts.iter().map(|part| (part.of, part.span, part.end.unwrap_or_else(|| part.start - 1.day())));
        now.chain(due).chain(starts).chain(parts)
    }

    fn measuring_days(&self) -> BTreeSet<Date> {
        self.measured().map(|(_, _, day)| day).collect()
    }

    /// Where the numbers are that a span of a period is of, if those of its grain are supplied from some day on.
    fn earlier(&self, period: Period, span: &'static str, supplied: Option<Date>) -> Earlier {
        let is_previous = span == SPANS[1];
        let earlier = if is_previous { self.calendar.previous(period) } else { self.calendar.year_before(period) };
        match self.parts.iter().any(|part| part.of == period && part.span == span) {
            _ if supplied.is_some_and(|first| earlier.start < first) => Earlier::Unknown,
            true => Earlier::Part(span),
            false if self.all.contains(&earlier) => Earlier::Whole(days_between(EPOCH, earlier.start)),
            false => Earlier::Unknown,
        }
    }

    /// The scored periods of a grain of which the earlier one is known; of an unfinished one only what is known in part.
    pub fn known(
        &self,
        grain: Grain,
        span: &'static str,
        in_part: bool,
        supplied: Option<Date>,
    ) -> impl Iterator<Item = Period> {
        self.all.iter().copied().filter(move |period| {
            let known = match self.earlier(*period, span, supplied) {
                Earlier::Whole(_) => true,
                Earlier::Part(_) => in_part,
                Earlier::Unknown => false,
            };
            period.grain == grain && known
        })
    }

    /// By grain the first day of the first period that is supplied, if a metric's tables tell of what is since a day. A
    /// grain of which all is supplied, also the periods before the scored ones, is left out.
    pub fn supplied(&self, metric: &Metric, since: Date) -> BTreeMap<Grain, Date> {
        let mut until = BTreeMap::new();
        for grain in &metric.header.cadence {
            let grains = [*grain];
            let with_before = self.of_grains(&grains).flat_map(|period| [self.calendar.previous(period), period]);
            let lacking = with_before.filter(|period| !self.is_supplied(metric, *period, since));
            until.extend(lacking.map(|period| period.end + 1.day()).max().map(|first| (*grain, first)));
        }
        until
    }

    fn is_supplied(&self, metric: &Metric, period: Period, since: Date) -> bool {
        let stock = metric.header.measure == Some(Measure::Stock);
        since <= if stock { period.measured_on(self.as_of) } else { metric.days(period, self.as_of).0 }
    }

    /// What each scored period, by grain and start, is compared with; without the periods that are not supplied yet.
    pub fn neighbours(&self, until: &BTreeMap<Grain, Date>) -> BTreeMap<(&'static str, i32), Neighbours> {
        let day = |day: Date| days_between(EPOCH, day);
        let supplied =
            self.all.iter().filter(|period| until.get(&period.grain).is_none_or(|first| *first <= period.start));
        let neighbours = supplied.map(|period| {
            let first = until.get(&period.grain).copied();
            let previous = self.calendar.previous(*period);
            let neighbours = Neighbours {
                end: day(period.end),
                unfinished: self.parts.iter().any(|part| part.of == *period),
                previous: self.earlier(*period, SPANS[1], first),
                year_before: self.earlier(*period, SPANS[2], first),
                before: match self.all.contains(&previous) {
                    _ if first.is_some_and(|first| previous.start < first) => Earlier::Unknown,
                    true => Earlier::Whole(day(previous.start)),
                    false => Earlier::Part(AT_START),
                },
            };
            ((period.grain.name(), day(period.start)), neighbours)
        });
        neighbours.collect()
    }

    /// Where a metric's targets belong: to each scored period, and, as the next one's, to the period before.
    pub fn target_places(&self, metric: &Metric) -> Vec<TargetPlace> {
        let mut places = Vec::new();
        for period in self.of_grains(&metric.header.cadence) {
            let next = self.calendar.period(period.grain, period.end + 1.day());
            for (of, span, as_of) in [(period, SPANS[0], self.as_of), (next, NEXT, next.end)] {
                let (start, end) = metric.days(of, as_of);
                places.push(TargetPlace { period, span, start, end, last: of.end });
            }
        }
        places
    }

    /// What cells may be of, numbered in the order of grains: grain, first day, span.
    pub fn spans(&self) -> Vec<SpanOf> {
        let of_period =
            |period: &Period| OF_CELLS.map(|span| (period.grain.name(), days_between(EPOCH, period.start), span));
        let spans: BTreeSet<SpanOf> = self.all.iter().flat_map(of_period).collect();
        spans.into_iter().collect()
    }

    /// Names the tables `period_days` and `measurings`, which say what belongs to which period, `measuring_days` and
    /// `measuring_slots`, `spans`, which has the numbers of [`Periods::spans`], and `unfinished`: the periods that are
    /// compared in part, and where the compared one starts.
    pub fn add_to(&self, session: &Session, metric: &Metric) -> Result<()> {
        let spans = self.spans();
        let number = |period: &Period, span: &'static str| -> i32 {
            let of = (period.grain.name(), days_between(EPOCH, period.start), span);
            spans.binary_search(&of).map_or(-1, |number| number as i32)
        };
        let stretches = self.of_grains(&metric.header.cadence).map(|period| {
            let (start, end) = metric.days(period, self.as_of);
            (number(&period, SPANS[0]), start, end)
        });
        let parts =
            self.parts.iter().filter(|part| metric.header.cadence.contains(&part.of.grain)).filter_map(|part| {
                let end = part.end?;
                let start = metric.header.window.map_or(part.start, |window| window.start(end));
                Some((number(&part.of, part.span), start, end))
            });
        let mut each: Vec<(Date, i32)> = Vec::new();
        for (span, start, end) in stretches.chain(parts) {
            each.extend(start.series(1.day()).take_while(|day| *day <= end).map(|day| (day, span)));
        }
        add(
            session,
            "period_days",
            vec![
                ("day", days(each.iter().map(|(day, _)| *day))),
                ("span_no", numbers(each.iter().map(|(_, span)| *span))),
            ],
        )?;
        add(
            session,
            "spans",
            vec![
                ("grain", texts(spans.iter().map(|(grain, _, _)| *grain))),
                ("period_start", Arc::new(Date32Array::from_iter_values(spans.iter().map(|(_, start, _)| *start)))),
                ("span", texts(spans.iter().map(|(_, _, span)| *span))),
                ("span_no", numbers(0..spans.len() as i32)),
            ],
        )?;
        let measured: Vec<(Period, &'static str, Date)> = self.measured().collect();
        add(
            session,
            "measurings",
            vec![
                ("grain", texts(measured.iter().map(|(period, _, _)| period.grain.name()))),
                ("period_start", days(measured.iter().map(|(period, _, _)| period.start))),
                ("period_end", days(measured.iter().map(|(period, _, _)| period.end))),
                ("span", texts(measured.iter().map(|(_, span, _)| *span))),
                ("span_no", numbers(measured.iter().map(|(period, span, _)| number(period, span)))),
                ("measured_on", days(measured.iter().map(|(_, _, day)| *day))),
            ],
        )?;
        add(
            session,
            "unfinished",
            vec![
                ("grain", texts(self.parts.iter().map(|part| part.of.grain.name()))),
                ("period_start", days(self.parts.iter().map(|part| part.of.start))),
                ("span", texts(self.parts.iter().map(|part| part.span))),
                ("earlier_start", days(self.parts.iter().map(|part| part.start))),
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

/// A column.
pub(super) fn numbers(of: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(of))
}

/// A column.
pub(super) fn texts<'a>(of: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(of))
}

fn days(of: impl Iterator<Item = Date>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(of.map(|day| days_between(EPOCH, day))))
}

/// Names a table of the engine's own.
pub(super) fn add(session: &Session, name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let rows = RecordBatch::try_from_iter(columns);
    let rows = rows.map_err(|error| Diagnostic::internal(format!("no table {name}: {error}")))?;
    session.add_batches(name, rows.schema(), vec![rows])
}
