//! Targets. Those of sums are days: each is spread over its working days, so that any period's target is the sum of its
//! days, and ramp and absence take from the days they fall on. All others are values in force.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::Calendar;
use crate::domain::digest::Digest;
use crate::domain::json;
use crate::domain::metric::{Form, Measure, Metric, Metrics, Unit};
use crate::domain::number::{Number, SCALE, divide_half_away, spread};
use crate::domain::period::EPOCH;
use crate::domain::period::{Grain, Period, days_between};
use crate::domain::score::COMPANY;
use crate::pipeline::score::definition;
use crate::pipeline::score::entities::Group;
use crate::pipeline::score::periods::{Periods, SPANS};
use crate::pipeline::stage::workdays::{Rows, Workdays};
use crate::run_context::RunContext;
use crate::run_context::read_table;
use arrow::array::RecordBatch;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

mod twins;

/// The longest that a target may be spread.
const LONGEST_DAYS: i32 = 3660;

/// One goal: a metric's, somebody's, for the whole or for a slice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Goal {
    metric: String,
    level: String,
    entity: String,
    slice: String,
    slice_value: String,
}

/// One row of the table `targets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Target {
    starts_on: String,
    ends_on: Option<String>,
    /// The goal itself.
    value: Option<Number>,
    /// From where it is met, if it is a range.
    low: Option<Number>,
    /// Up to where it is met.
    high: Option<Number>,
    /// Neither ramp nor absence takes from it.
    fixed: bool,
    #[serde(skip)]
    days: (Date, Date),
}

/// All targets, by metric and goal.
#[derive(Default)]
pub struct Targets {
    all: BTreeMap<String, BTreeMap<Goal, Vec<Target>>>,
    /// The metrics whose targets are meant at the plan's exchange rates, or not.
    at_plan: BTreeMap<String, bool>,
    /// Where reps are on their days.
    membership: BTreeMap<String, Vec<Stretch>>,
    /// Those that no one can spread, for nothing says over which days; each with the reason.
    pub left_out: Vec<String>,
}

/// A row as it stands in the model.
struct Given {
    id: String,
    start: Date,
    end: Option<Date>,
    aligned: bool,
    at_plan: bool,
    target: Target,
}

impl Targets {
    /// Reads the model's targets.
    ///
    /// An empty `ends_on` is the day before the same goal's next start. A sum's last target needs an end, for nothing
    /// says how many days it is meant to fill, and is left out without one; another's holds for good.
    pub async fn read(night: &RunContext<'_>, model: &Model, metrics: &Metrics) -> Result<Targets> {
        let mut levels: BTreeMap<String, String> = BTreeMap::new();
        for batch in read_table(night, model, "teams").await? {
            let rows = Rows(&batch);
            let team = |row| Some((rows.text("team_id", row)?, rows.text("level", row)?));
            levels.extend((0..batch.num_rows()).filter_map(team));
        }
        let mut targets = Targets::default();
        let mut goals: BTreeMap<Goal, Vec<Given>> = BTreeMap::new();
        for batch in read_table(night, model, "targets").await? {
            let rows = Rows(&batch);
            for row in 0..batch.num_rows() {
                let (goal, given) = given(&rows, row, &levels, metrics)?;
                targets.set_basis(&goal.metric, given.at_plan, &given.id)?;
                goals.entry(goal).or_default().push(given);
            }
        }
        if !goals.is_empty() {
            targets.membership = membership(&read_table(night, model, "membership").await?);
        }
        for (goal, mut rows) in goals {
            rows.sort_by(|a, b| (a.start, a.end, &a.id).cmp(&(b.start, b.end, &b.id)));
            let metric = &metrics[&goal.metric];
            targets.left_out.extend(leave_out(&mut rows, &goal, is_spread(metric)));
            let mut own = Vec::new();
            for i in 0..rows.len() {
                let next = rows[i + 1..].iter().map(|next| next.start).find(|next| *next > rows[i].start);
                own.push(dated(&rows[i], next, &goal, is_spread(metric), &night.settings.calendar)?);
            }
            let days: Vec<(Date, Date)> = own.iter().map(|target| target.days).collect();
            if let Some(pair) = twins::first(&days, is_spread(metric)) {
                let told = |i: usize| twins::Told { id: rows[i].id.clone(), target: own[i].told(), days: days[i] };
                let of = (goal.metric.as_str(), goal.entity.as_str(), goal.slice_value.as_str());
                return Err(twins::refused(night, model, of, pair.map(told), is_spread(metric)).await?);
            }
            targets.all.entry(goal.metric.clone()).or_default().insert(goal, own);
        }
        Ok(targets)
    }

    /// All targets of a metric are meant at the same rates.
    fn set_basis(&mut self, metric: &str, at_plan: bool, id: &str) -> Result<()> {
        match *self.at_plan.entry(metric.to_owned()).or_insert(at_plan) == at_plan {
            true => Ok(()),
            false => Err(Diagnostic::data(format!("targets of {metric} are meant at different exchange rates"))
                .note(format!(
                    "{id} is meant at {} rates, and others are not",
                    if at_plan { "the plan's" } else { "the day's" }
                ))
                .help("set `basis` to `plan` for all targets of a metric, or for none")),
        }
    }

    /// Whether a metric's targets are meant at the plan's exchange rates.
    pub fn are_at_plan(&self, metric: &str) -> bool {
        self.at_plan.get(metric).copied().unwrap_or_default()
    }

    /// The digest of a metric's targets, if it has any.
    pub fn digest(&self, metric: &Metric) -> Option<Digest> {
        let goals = self.all.get(metric.targets_of())?.iter().collect::<Vec<_>>();
        Some(Digest::of(json::canonical(&(goals, self.are_at_plan(metric.targets_of()))).as_bytes()))
    }

    /// Whether a metric has any.
    pub fn has(&self, metric: &Metric) -> bool {
        self.all.contains_key(metric.targets_of())
    }

    /// What of a metric's targets belongs to each period, and to the one after it.
    pub fn cells<'a>(
        &'a self,
        metric: &Metric,
        workdays: &Workdays,
        periods: &Periods,
    ) -> BTreeMap<Group, Vec<TargetCell>> {
        let places = periods.target_places(metric);
        let mut cells = Cells { all: BTreeMap::new(), count: places.len() };
        for (goal, targets) in self.all.get(metric.targets_of()).into_iter().flatten() {
            let Goal { level, entity, slice, slice_value, .. } = goal;
            let own = Place { level, entity, slice, slice_value, of_reps: level == "rep" };
            if !is_spread(metric) {
                for (i, at) in places.iter().enumerate() {
                    // Of several in force the one that began last.
                    let in_force = |target: &&Target| target.days.0 <= at.last && at.last <= target.days.1;
                    if let Some(target) = targets.iter().rev().find(in_force) {
                        let units = |number: Option<Number>| number.map(Number::units);
                        cells.add(own, i, [units(target.value), None, None, units(target.low), units(target.high)]);
                    }
                }
                continue;
            }
            let digits = if metric.header.unit == Unit::Money { 2 } else { 6 };
            let days = Days::of(targets.iter().flat_map(|target| target.spread(goal, workdays, digits)));
            let as_of = periods.as_of();
            let mut spread = |place: Place<'a>, from: Date, to: Date| {
                for (i, at) in places.iter().enumerate() {
                    let (first, last) = (at.start.max(from), at.end.min(to));
                    let Some(parts) = days.between(first, last) else { continue };
                    cells.add(place, i, parts);
                    if at.span == SPANS[0] && at.end > as_of {
                        cells.add_due(place, i, days.between(first, last.min(as_of)));
                    }
                }
            };
            // Reps' days belong to whom they are with on the day; teams and the company may have targets of their own.
            if !own.of_reps {
                spread(own, Date::MIN, Date::MAX);
                continue;
            }
            let stretches = self.membership.get(entity).into_iter().flatten();
            for stretch in stretches.filter(|stretch| metric.header.levels.contains(&stretch.level)) {
                let place = Place { level: &stretch.level, entity: &stretch.entity, ..own };
                spread(place, stretch.from, stretch.to);
            }
        }
        let mut groups: BTreeMap<Group, Vec<TargetCell>> = BTreeMap::new();
        for (place, sums) in &cells.all {
            for (at, sum) in places.iter().zip(sums).filter(|(_, sum)| sum.parts.iter().any(Option::is_some)) {
                let group = (place.level.to_owned(), place.entity.to_owned(), at.period.grain.name().to_owned());
                groups.entry(group).or_default().push(TargetCell {
                    start: days_between(EPOCH, at.period.start),
                    span: at.span,
                    slice: place.slice.to_owned(),
                    slice_value: place.slice_value.to_owned(),
                    of_reps: place.of_reps,
                    parts: sum.parts.map(|part| part.map(Number::from_units)),
                    due: Number::from_units(sum.due),
                });
            }
        }
        groups
    }
}

/// What of targets belongs to a period.
pub struct TargetCell {
    /// The period's first day, as Arrow counts.
    pub start: i32,
    /// `now`, or `next` of those of the period after it.
    pub span: &'static str,
    /// The slice, or nothing.
    pub slice: String,
    /// Its value.
    pub slice_value: String,
    /// Whether it is the sum of reps' targets, and not an own one.
    pub of_reps: bool,
    /// Value, ramp, absence, low and high.
    pub parts: [Option<Number>; 5],
    /// Of a sum's target in a period that is not over: what is left of the value on the days that have gone by.
    pub due: Number,
}

/// Value, ramp, absence, low and high, in units.
type Parts = [Option<i128>; 5];

/// Whose target it is that was added up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    level: &'a str,
    entity: &'a str,
    slice: &'a str,
    slice_value: &'a str,
    of_reps: bool,
}

/// Targets added up, for each of so many places.
struct Cells<'a> {
    all: BTreeMap<Place<'a>, Vec<Sum>>,
    count: usize,
}

/// What is added up for a place.
#[derive(Clone, Default)]
struct Sum {
    parts: Parts,
    /// Of the value, what ramp and absence leave of the days that have gone by.
    due: i128,
}

impl<'a> Cells<'a> {
    fn sum(&mut self, place: Place<'a>, i: usize) -> &mut Sum {
        &mut self.all.entry(place).or_insert_with(|| vec![Sum::default(); self.count])[i]
    }

    fn add(&mut self, place: Place<'a>, i: usize, parts: Parts) {
        for (sum, part) in self.sum(place, i).parts.iter_mut().zip(parts) {
            *sum = sum.map_or(part, |sum| Some(sum + part.unwrap_or_default()));
        }
    }

    fn add_due(&mut self, place: Place<'a>, i: usize, gone: Option<Parts>) {
        if let Some([Some(value), ramp, absent, ..]) = gone {
            self.sum(place, i).due += value + ramp.unwrap_or_default() + absent.unwrap_or_default();
        }
    }
}

/// A rep's days at a level: with whom, from when, and up to and including when.
struct Stretch {
    level: String,
    entity: String,
    from: Date,
    to: Date,
}

/// What falls on the days of a goal, added up from the first day on.
struct Days {
    days: Vec<Date>,
    /// Before each day, and after the last: sums, and how many parts there were.
    upto: Vec<[(i128, u32); 5]>,
}

impl Days {
    fn of(each: impl Iterator<Item = (Date, Parts)>) -> Days {
        let mut each: Vec<(Date, Parts)> = each.collect();
        each.sort_by_key(|(day, _)| *day);
        let mut upto = vec![[(0, 0); 5]];
        let mut sums = [(0, 0); 5];
        for (_, parts) in &each {
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum = part.map_or(*sum, |part| (sum.0 + part, sum.1 + 1));
            }
            upto.push(sums);
        }
        Days { days: each.into_iter().map(|(day, _)| day).collect(), upto }
    }

    /// What falls on the days from one to another, if anything does.
    fn between(&self, from: Date, to: Date) -> Option<Parts> {
        let first = self.days.partition_point(|day| *day < from);
        let last = self.days.partition_point(|day| *day <= to);
        let (before, after) = (self.upto[first], self.upto.get(last)?);
        let part = |i: usize| (after[i].1 > before[i].1).then(|| after[i].0 - before[i].0);
        (first < last).then(|| [0, 1, 2, 3, 4].map(part))
    }
}

fn membership(batches: &[RecordBatch]) -> BTreeMap<String, Vec<Stretch>> {
    let mut membership: BTreeMap<String, Vec<Stretch>> = BTreeMap::new();
    for batch in batches {
        let rows = Rows(batch);
        for row in 0..batch.num_rows() {
            let stretch = || {
                Some(Stretch {
                    level: rows.text("level", row)?,
                    entity: rows.text("entity", row)?,
                    from: rows.day("valid_from", row)?,
                    to: rows.day("valid_to", row)? - 1.day(),
                })
            };
            if let (Some(rep), Some(stretch)) = (rows.text("rep_id", row), stretch()) {
                membership.entry(rep).or_default().push(stretch);
            }
        }
    }
    membership
}

/// A sum's target is spread over days; what is measured, divided or picked out cannot be.
pub fn is_spread(metric: &Metric) -> bool {
    metric.is_zero_without_facts() && definition::measure(metric) == Measure::Flow
}

fn given(rows: &Rows<'_>, row: usize, levels: &BTreeMap<String, String>, metrics: &Metrics) -> Result<(Goal, Given)> {
    let text = |name: &str| rows.text(name, row);
    let (id, name) = (text("target_id").unwrap_or_default(), text("metric").unwrap_or_default());
    let wrong = |message: String| {
        Diagnostic::data(message).note(format!("it is the target {id}")).help(format!(
            "correct it in the export behind `targets`; `scorebook sql \"SELECT * FROM targets WHERE target_id = '{id}'\"` shows it"
        ))
    };
    let Some(metric) = metrics.get(&name).filter(|metric| metric.form == Form::Itself) else {
        let known = metrics.values().filter(|metric| metric.form == Form::Itself).map(|metric| metric.id.as_str());
        return Err(wrong(format!("a target is set for `{name}`, which is no metric")).closest(&name, known));
    };
    let (level, entity) = match (text("rep_id"), text("team_id")) {
        (Some(_), Some(_)) => return Err(wrong("a target is set for a rep and a team at once".into())),
        (Some(rep), None) => ("rep".to_owned(), rep),
        (None, Some(team)) => (levels.get(&team).cloned().unwrap_or_default(), team),
        (None, None) => (COMPANY.to_owned(), COMPANY.to_owned()),
    };
    if !metric.header.levels.contains(&level) {
        let known = metric.header.levels.join(", ");
        return Err(wrong(format!("a target of {name} is set for a {level}, a level at which it is not scored"))
            .note(format!("{name} is scored at {known}")));
    }
    let (slice, slice_value) = (text("slice").unwrap_or_default(), text("slice_value").unwrap_or_default());
    let mut slices = metric.header.slices.iter().chain(&metric.header.pairs).map(String::as_str);
    if slice.is_empty() != slice_value.is_empty() || !(slice.is_empty() || slices.any(|known| known == slice)) {
        let known = metric.header.slices.iter().chain(&metric.header.pairs).map(String::as_str);
        return Err(wrong(format!("a target of {name} is set for the slice `{slice}` = `{slice_value}`"))
            .closest(&slice, known)
            .note("a target names a slice of its metric and a value of it, or neither"));
    }
    let aligned = match text("align").as_deref() {
        None => false,
        Some("nearest") => true,
        Some(other) => return Err(wrong(format!("a target has `align` = `{other}`, which is not `nearest`"))),
    };
    let at_plan = match text("basis").as_deref() {
        None => false,
        Some("plan") if metric.header.plan.is_some() => true,
        Some("plan") => {
            return Err(wrong(format!("a target of {name} is meant at the plan's rates, at which it has no value"))
                .note("its header names no column `plan`"));
        }
        Some(other) => return Err(wrong(format!("a target has `basis` = `{other}`, which is not `plan`"))),
    };
    let Some(start) = rows.day("starts_on", row) else { return Err(wrong("a target has no first day".into())) };
    let number = |name: &str| rows.share(name, row);
    let (value, low, high) = (number("amount"), number("low"), number("high"));
    if value.is_none() && low.is_none() && high.is_none() {
        return Err(wrong("a target has neither an amount nor a range".into()));
    }
    if low.zip(high).is_some_and(|(low, high)| low > high) {
        return Err(wrong("a target's range ends below its start".into()));
    }
    let end = rows.day("ends_on", row);
    let (starts_on, ends_on, days) = (String::new(), None, (start, start));
    let target = Target { starts_on, ends_on, value, low, high, fixed: rows.flag("is_fixed", row), days };
    Ok((Goal { metric: name, level, entity, slice, slice_value }, Given { id, start, end, aligned, at_plan, target }))
}

/// Takes those out that cannot be spread over their days, and says why: one such row is no reason to stop everybody's night.
fn leave_out(rows: &mut Vec<Given>, goal: &Goal, spread: bool) -> Vec<String> {
    let starts: Vec<Date> = rows.iter().map(|row| row.start).collect();
    let mut left_out = Vec::new();
    rows.retain_mut(|row| {
        let next = starts.iter().copied().find(|start| *start > row.start);
        // Also the start of one that is left out is where the one before it ends.
        row.end = row.end.or(next.map(|next| next - 1.day()));
        let reason = match row.end {
            None if spread || row.aligned => "has no end, and no later one of the same goal follows".to_owned(),
            Some(end) if spread && days_between(row.start, end) > LONGEST_DAYS => {
                format!("runs from {} to {end}, more than ten years", row.start)
            }
            _ => return true,
        };
        left_out.push(format!("{} of {} on {} {reason}", row.id, goal.entity, goal.metric));
        false
    });
    left_out
}

/// Gives a target its last day, and its calendar period's days if it is aligned.
fn dated(given: &Given, next: Option<Date>, goal: &Goal, spread: bool, calendar: &Calendar) -> Result<Target> {
    let (Goal { metric, entity, .. }, start) = (goal, given.start);
    let end = given.end.or(next.map(|next| next - 1.day()));
    let Some(end) = end.or((!spread && !given.aligned).then_some(Date::MAX)) else {
        return Err(Diagnostic::data(format!("the last target of {entity} on {metric} has no end"))
            .note(format!("it starts on {start}, and no later one of the same goal follows"))
            .help("give its last day in `ends_on`"));
    };
    if end < start {
        return Err(Diagnostic::data(format!("a target of {entity} on {metric} ends before it starts, on {start}"))
            .help("correct `ends_on`, or leave it empty for the day before the next start"));
    }
    if spread && days_between(start, end) > LONGEST_DAYS {
        return Err(Diagnostic::data(format!("a target of {entity} on {metric} runs from {start} to {end}"))
            .note("a target is spread over its days, and these are more than ten years")
            .help("give the day on which it really ends"));
    }
    let days = match given.aligned {
        true => nearest(calendar, start, end),
        false => (start, end),
    };
    let ends_on = (days.1 < Date::MAX).then(|| days.1.to_string());
    Ok(Target { starts_on: days.0.to_string(), ends_on, days, ..given.target.clone() })
}

/// The calendar period of about this length that these days overlap most, the earlier of equals.
pub fn nearest(calendar: &Calendar, start: Date, end: Date) -> (Date, Date) {
    let length = days_between(start, end) + 1;
    let days = |period: &Period| days_between(period.start, period.end) + 1;
    let overlap = |period: &Period| days_between(period.start.max(start), period.end.min(end)) + 1;
    let most = |grain: Grain| {
        let mut period = calendar.period(grain, start);
        let mut best = period;
        while period.end < end {
            period = calendar.period(grain, period.end + 1.day());
            if overlap(&period) > overlap(&best) {
                best = period;
            }
        }
        best
    };
    // By the periods it overlaps most: the one that holds its first day may be cut off by a calendar's list.
    let candidates = [Grain::Month, Grain::Quarter, Grain::Year].map(most);
    let best = candidates.into_iter().min_by_key(|period| (days(period) - length).abs());
    best.map_or((start, end), |best| (best.start, best.end))
}

impl Target {
    /// Its amount or range, for messages.
    fn told(&self) -> String {
        let number = |number: Option<Number>| number.map_or(String::new(), |number| number.to_string());
        match self.value {
            Some(value) => value.to_string(),
            None => format!("{} to {}", number(self.low), number(self.high)),
        }
    }

    /// The days that have a part of it.
    fn spread(&self, goal: &Goal, workdays: &Workdays, digits: u32) -> Vec<(Date, Parts)> {
        let mut rows = Vec::new();
        let all: Vec<Date> = self.days.0.series(1.day()).take_while(|day| *day <= self.days.1).collect();
        let rep = (goal.level == "rep").then_some(goal.entity.as_str());
        let worked = |day: &Date| rep.map_or_else(|| workdays.is_worked(*day), |rep| workdays.is_worked_by(rep, *day));
        let weights: Vec<u64> = all.iter().map(|day| u64::from(worked(day))).collect();
        let idle = weights.iter().all(|weight| *weight == 0);
        let step = 10_i128.pow(SCALE - digits);
        let parts = |number: Option<Number>| number.map(|number| spread(number.round(digits).units() / step, &weights));
        let (value, low, high) = (parts(self.value), parts(self.low), parts(self.high));
        let ramp = rep.map(|rep| workdays.ramp(rep)).unwrap_or_default();
        let (mut ramped, mut left) = (Running::default(), Running::default());
        for (i, day) in all.into_iter().enumerate() {
            let on = |parts: &Option<Vec<i128>>| parts.as_ref().map(|parts| parts[i] * step);
            let (mut new, mut absent) = (None, None);
            if let (Some(parts), Some(rep), false) = (&value, rep, self.fixed) {
                let share = ramp.iter().find(|(ends, _)| day < *ends).map_or(Number::whole(1), |(_, share)| *share);
                let part = ramped.part(parts[i], share);
                let there = Number::whole(1).checked_sub(workdays.absent(rep, day)).unwrap_or_default();
                let asked = left.part(part, there);
                new = Some((part - parts[i]) * step);
                absent = Some((asked - part) * step);
            }
            let parts = [on(&value), on(&low), on(&high)];
            // A target of zero on days without work is still there.
            let only = i == 0 && idle;
            if only || weights[i] > 0 || parts.iter().flatten().any(|part| *part != 0) {
                rows.push((day, [on(&value), new, absent, on(&low), on(&high)]));
            }
        }
        rows
    }
}

/// Parts of whole units whose sum is always the exact sum, rounded: so no day's rounding is lost or adds up.
#[derive(Default)]
struct Running {
    exact: i128,
    given: i128,
}

impl Running {
    fn part(&mut self, units: i128, share: Number) -> i128 {
        let one = Number::whole(1);
        if share == one && self.exact == self.given * one.units() {
            return units;
        }
        self.exact += units * share.units();
        let upto = divide_half_away(self.exact, one.units());
        let part = upto - self.given;
        self.given = upto;
        part
    }
}
