//! From cells to scores, entity by entity: exact division, what came before, attainment and intervals.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::metric::{Measure, Metric};
use crate::domain::number::Number;
use crate::domain::period::EPOCH;
use crate::domain::period::Grain;
use crate::domain::score::{IMMATURE, REP_IN_TEAM, Score};
use crate::parquet_file::{self, SCORE_ROW_GROUP_ROWS};
use crate::pipeline::score::entities::{Entities, Group};
use crate::pipeline::score::pace::Due;
use crate::pipeline::score::periods::{
    AT_START, DUE, Earlier, NEXT, Neighbours, PERIODS, PLAN, Periods, SPANS, SpanOf,
};
use crate::pipeline::score::targets::TargetCell;
use crate::pipeline::score::{definition, habit};
use crate::score_file::{self, Rows};
use arrow::array::{Array, AsArray, Date32Array, Decimal128Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The digits to which the ends of an interval are rounded: they are estimates.
const INTERVAL_DIGITS: u32 = 6;

/// What was added up for a cell.
#[derive(Default)]
struct Cell {
    a: Option<Number>,
    b: Option<Number>,
    n: i64,
    unit: bool,
    /// The word that stands for a formula's number.
    state: Option<String>,
    /// The sum of reps' targets.
    of_reps: Option<Box<Target>>,
    /// A team's or the company's own target.
    own: Option<Box<Target>>,
}

impl Cell {
    /// Whether anything was added up.
    fn has_facts(&self) -> bool {
        self.a.is_some() || self.n > 0 || self.state.is_some()
    }

    /// The target that counts: an own one, else the sum of its reps'.
    fn target(&self) -> Option<&Target> {
        self.own.as_deref().or(self.of_reps.as_deref())
    }

    /// What is left of it.
    fn goal(&self) -> Option<Number> {
        self.target()?.value()
    }
}

/// A target of a cell.
#[derive(Clone, Copy)]
struct Target {
    /// As it was set.
    given: Option<Number>,
    /// What ramp takes, zero or less.
    ramp: Option<Number>,
    /// What absence takes, zero or less.
    absent: Option<Number>,
    low: Option<Number>,
    high: Option<Number>,
    /// What is left of it on the days that have gone by.
    due: Number,
}

impl Target {
    /// What is left of it.
    fn value(&self) -> Option<Number> {
        let less = |value: Option<Number>, part: Option<Number>| value?.checked_add(part.unwrap_or_default());
        less(less(self.given, self.ramp), self.absent)
    }
}

/// The cells of one entity, grain, slice and value.
#[derive(Default)]
struct Line {
    /// By the period's start.
    now: BTreeMap<i32, Cell>,
    /// Of other spans than the period itself, such as what an unfinished one is compared with: by span and the period's start.
    others: BTreeMap<(Span, i32), Cell>,
}

/// What else a period's cells are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span(usize);

/// Their names.
const OTHERS: [&str; 6] = [SPANS[1], SPANS[2], AT_START, DUE, NEXT, PLAN];

impl Span {
    fn of(name: &str) -> Option<Span> {
        OTHERS.iter().position(|other| *other == name).map(Span)
    }
}

impl Line {
    fn cell(&mut self, span: &str, start: i32) -> &mut Cell {
        match Span::of(span) {
            None => self.now.entry(start).or_default(),
            Some(span) => self.others.entry((span, start)).or_default(),
        }
    }

    fn other(&self, span: &str, start: i32) -> Option<&Cell> {
        self.others.get(&(Span::of(span)?, start))
    }

    /// Whether a period has a score: facts or targets, or something to compare with.
    fn is_scored(&self, start: i32, period: &Neighbours) -> bool {
        // What stood or was due is no reason for a score: it stands in those of its own period.
        let compared = |earlier: Earlier| match earlier {
            Earlier::Whole(from) => self.now.get(&from).is_some_and(Cell::has_facts),
            Earlier::Part(span) => self.other(span, start).is_some(),
            Earlier::Unknown => false,
        };
        self.now.contains_key(&start)
            || (!self.others.is_empty() && [NEXT, PLAN].iter().any(|span| self.other(span, start).is_some()))
            || compared(period.previous)
            || compared(period.year_before)
    }
}

/// What is known of a metric's scores before its cells are.
#[derive(Default)]
pub struct CellInputs {
    /// By grain: what is due of targets in the period that is not over.
    pub due: BTreeMap<Grain, Due>,
    /// Facts that name their own cells say nothing of a part of a period.
    pub without_parts: bool,
    /// A stock whose facts say when they are due.
    pub has_due: bool,
    /// Whether its targets are meant at the plan's exchange rates.
    pub at_plan: bool,
    /// Reps without scores of their own.
    pub hidden: BTreeSet<String>,
    /// Grain, period's start and rep -> quartile.
    pub quartiles: Quartiles,
    /// Its targets.
    pub targets: BTreeMap<Group, Vec<TargetCell>>,
}

/// Grain, period's start and rep -> quartile.
pub type Quartiles = BTreeMap<(String, i32, String), i64>;

/// A metric's scores while they are made. Only one group is in memory at a time, and one row group of scores.
pub struct ScoreWriter<'a> {
    metric: &'a Metric,
    entities: &'a Entities,
    spans: Vec<SpanOf>,
    periods: BTreeMap<(&'static str, i32), Neighbours>,
    as_of: Date,
    known: CellInputs,
    group: Group,
    lines: Lines,
    rows: Rows,
    writer: parquet_file::Background,
    written: u64,
}

impl<'a> ScoreWriter<'a> {
    /// Without rows.
    ///
    /// What is not supplied `until` a day, by grain, has no rows before it.
    pub fn new(
        metric: &'a Metric,
        entities: &'a Entities,
        periods: &Periods,
        until: &BTreeMap<Grain, Date>,
    ) -> Result<ScoreWriter<'a>> {
        Ok(ScoreWriter {
            metric,
            entities,
            spans: periods.spans(),
            periods: periods.neighbours(until),
            as_of: periods.as_of(),
            known: CellInputs::default(),
            group: Group::default(),
            lines: Lines::default(),
            rows: Rows::default(),
            writer: parquet_file::Background::new(score_file::schema(), SCORE_ROW_GROUP_ROWS)?,
            written: 0,
        })
    }

    /// Says what is known before the rows come.
    pub fn set(&mut self, known: CellInputs) {
        self.known = known;
    }

    /// Adds rows of `assemble.sql`, which come group by group, in the order of groups.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (keys, first) = Keys::of(batch);
        let text = |i: usize| batch.column(first + i).as_string::<i32>();
        let number = |i: usize| batch.column(first + i).as_primitive::<Decimal128Type>();
        let (slices, slice_values) = (text(0), text(1));
        let (a, b) = (number(2), number(3));
        let (n, unit) = (batch.column(first + 4).as_primitive::<Int64Type>(), batch.column(first + 5).as_boolean());
        let states = text(6);
        for row in 0..batch.num_rows() {
            let ((level, entity), (grain, start, span)) = match &keys {
                Keys::Numbered(entities, spans) => {
                    let span = usize::try_from(spans.value(row)).ok().and_then(|span| self.spans.get(span));
                    (self.entities.get(entities.value(row)), span.copied().unwrap_or_default())
                }
                Keys::Named([levels, entities, grains, spans], starts) => {
                    ((levels.value(row), entities.value(row)), (grains.value(row), starts.value(row), spans.value(row)))
                }
            };
            let group = (level, entity, grain);
            if group != (self.group.0.as_str(), self.group.1.as_str(), self.group.2.as_str()) {
                let next = (group.0.to_owned(), group.1.to_owned(), group.2.to_owned());
                self.close_groups(Some(&next))?;
                self.group = next;
            }
            let line = self.lines.of(slices.value(row), slice_values.value(row));
            let cell = line.cell(span, start);
            cell.a = get(a, row).or(cell.a);
            cell.b = get(b, row).or(cell.b);
            cell.n += n.value(row);
            cell.unit |= unit.is_valid(row) && unit.value(row);
            if states.is_valid(row) {
                cell.state = Some(states.value(row).to_owned());
            }
        }
        Ok(())
    }

    /// How many rows there are, and the bytes of their Parquet file.
    pub fn finish(mut self) -> Result<(u64, Vec<u8>)> {
        self.close_groups(None)?;
        self.write()?;
        Ok((self.written, self.writer.finish()?))
    }

    /// A cell's number: a ratio is empty without facts, a sum is zero.
    fn value(&self, cell: Option<&Cell>) -> Option<Number> {
        let (a, b) = cell.map_or((None, None), |cell| (cell.a, cell.b));
        self.number(a, b)
    }

    /// What two sums make.
    pub fn number(&self, a: Option<Number>, b: Option<Number>) -> Option<Number> {
        match self.divides() {
            true => a?.checked_div(b?),
            false => a.or(self.metric.is_zero_without_facts().then_some(Number::ZERO)),
        }
    }

    fn divides(&self) -> bool {
        self.metric.aggregate().divides()
    }

    /// Whether the group is a rep's whose numbers may not be shown.
    fn is_hidden(&self) -> bool {
        let (level, entity, _) = &self.group;
        let rep = match level.as_str() {
            "rep" => entity.as_str(),
            REP_IN_TEAM => entity.rsplit('|').next().unwrap_or_default(),
            _ => return false,
        };
        self.known.hidden.contains(rep)
    }

    /// Closes the group, and those after it that have targets alone, up to the next one.
    fn close_groups(&mut self, next: Option<&Group>) -> Result<()> {
        self.add_targets();
        self.close_group()?;
        while let Some(group) = self.known.targets.keys().next().filter(|group| next.is_none_or(|next| *group < next)) {
            self.group = group.clone();
            self.add_targets();
            self.close_group()?;
        }
        Ok(())
    }

    /// Adds the group's targets to its cells.
    fn add_targets(&mut self) {
        for target in self.known.targets.remove(&self.group).into_iter().flatten() {
            let [given, ramp, absent, low, high] = target.parts;
            let cell = self.lines.of(&target.slice, &target.slice_value).cell(target.span, target.start);
            let of = if target.of_reps { &mut cell.of_reps } else { &mut cell.own };
            *of = Some(Box::new(Target { given, ramp, absent, low, high, due: target.due }));
        }
    }

    fn close_group(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.lines);
        if lines.all.is_empty() || self.is_hidden() {
            return Ok(());
        }
        let grain: Grain = self.group.2.parse().map_err(Diagnostic::internal)?;
        let of_grain = self.periods.iter().filter(|((name, _), _)| *name == grain.name());
        let periods: Vec<(i32, Neighbours)> = of_grain.map(|((_, start), period)| (*start, *period)).collect();
        // One for all: most of what it says stays from row to row.
        let mut score = Score::of(&self.metric.id, &self.group.0, &self.group.1, grain, (EPOCH, EPOCH));
        for (start, period) in periods {
            (score.period_start, score.period_end) = (EPOCH + start.days(), EPOCH + period.end.days());
            for (slice, values) in &lines.places {
                score.slice.clone_from(slice);
                let own = values.iter().map(|(value, i)| (value, &lines.all[*i]));
                for (slice_value, line) in own.filter(|(_, line)| line.is_scored(start, &period)) {
                    score.slice_value.clone_from(slice_value);
                    self.fill(&mut score, line, start, &period);
                    self.rows.add(&score);
                    if self.rows.len() == SCORE_ROW_GROUP_ROWS {
                        self.write()?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Says all numbers and words of a line's score. Only totals have a habit and are ranked.
    fn fill(&self, score: &mut Score, line: &Line, start: i32, period: &Neighbours) {
        let is_total = score.slice.is_empty();
        let nothing = Cell::default();
        let cell = line.now.get(&start).unwrap_or(&nothing);
        let other = |span: &str| line.other(span, start);
        // A period that is not scored is unknown; one that is, and has no facts, is zero or empty.
        let earlier = |earlier: Earlier| match earlier {
            Earlier::Unknown => None,
            Earlier::Part(_) if self.known.without_parts => None,
            Earlier::Part(span) => self.value(other(span)),
            Earlier::Whole(start) => self.value(line.now.get(&start)),
        };
        let value = self.value(Some(cell));
        let is_share = self.metric.aggregate().has_two_sides() && cell.unit;
        let interval = cell.a.zip(cell.b).filter(|_| is_share).and_then(|(a, b)| wilson(a, b));
        let side = |side: Option<Number>| side.filter(|_| self.divides());
        let (target, goal) = (cell.target(), cell.goal());
        let of_reps = cell.of_reps.as_ref().filter(|_| self.group.0 != "rep").and_then(|target| target.value());
        let plan = self.metric.header.plan.as_ref().and_then(|_| self.value(other(PLAN)));
        let held = if self.known.at_plan { plan } else { value };
        let due = self.known.due.get(&score.grain).filter(|_| period.unfinished && goal.is_some());
        // Of a goal of zero or less no part can be attained: who has nothing would stand at more than all of it.
        let part_of = |goal: Option<Number>| held?.checked_div(goal.filter(|goal| *goal > Number::ZERO)?);
        let pace = due.and_then(|due| part_of(due.of(target?.due, goal?)));
        let immature = self.metric.is_immature(EPOCH + period.end.days(), self.as_of);
        let habit = match !is_total || (period.unfinished && self.metric.grows_with_time()) || immature {
            true => None,
            false => value.and_then(|value| habit::of(self.metric, value, cell.n, &self.series(line, start))),
        };
        let stock = definition::measure(self.metric) == Measure::Stock && !self.metric.is_formula();
        let is_ranked = self.group.0 == "rep" && is_total && !immature;
        let quartile = || self.known.quartiles.get(&(self.group.2.clone(), start, self.group.1.clone())).copied();
        score.n = cell.n;
        score.value = value;
        (score.numerator, score.denominator) = (side(cell.a), side(cell.b));
        (score.previous, score.year_before) = (earlier(period.previous), earlier(period.year_before));
        score.target = goal;
        score.attainment = part_of(goal).filter(|_| !immature);
        (score.target_low, score.target_high) =
            (target.and_then(|target| target.low), target.and_then(|target| target.high));
        score.target_of_reps = of_reps;
        score.target_given = target.and_then(|target| target.given);
        score.target_ramp = target.and_then(|target| target.ramp);
        score.target_absent = target.and_then(|target| target.absent);
        score.pace = pace;
        score.pace_by = due.filter(|_| pace.is_some()).map(|due| due.by().to_owned());
        score.usual = habit.as_ref().map(|habit| habit.usual);
        score.alert = habit.and_then(|habit| habit.alert).map(String::from);
        (score.low, score.high) = (interval.map(|(low, _)| low), interval.map(|(_, high)| high));
        score.plan = plan;
        score.next_target = other(NEXT).and_then(Cell::goal);
        score.at_start = stock.then(|| earlier(period.before)).flatten();
        score.due = self.known.has_due.then(|| self.value(other(DUE))).flatten();
        score.state = cell.state.clone().or(immature.then(|| IMMATURE.to_owned()));
        score.quartile = is_ranked.then(quartile).flatten();
    }

    /// The numbers of the twelve periods before one, and how many facts stand behind each.
    fn series(&self, line: &Line, start: i32) -> Vec<(Number, i64)> {
        let mut series = Vec::new();
        let mut at = start;
        // Where periods are uneven, the one a year before may be a thirteenth.
        for _ in 1..PERIODS {
            let before = self.periods.get(&(self.group.2.as_str(), at)).map(|of| of.before);
            let Some(Earlier::Whole(earlier)) = before else { break };
            let cell = line.now.get(&earlier);
            series.extend(self.value(cell).map(|value| (value, cell.map_or(0, |cell| cell.n))));
            at = earlier;
        }
        series
    }

    fn write(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.rows).batch();
        let batch = batch.map_err(|error| Diagnostic::internal(format!("cannot score {}: {error}", self.metric.id)))?;
        self.written += batch.num_rows() as u64;
        self.writer.write(batch);
        Ok(())
    }
}

/// The columns that say what a batch's cells are of.
enum Keys<'a> {
    /// The numbers of entities and spans.
    Numbered(&'a Int32Array, &'a Int32Array),
    /// Level, entity, grain and span, and the period's first day.
    Named([&'a StringArray; 4], &'a Date32Array),
}

impl<'a> Keys<'a> {
    /// The columns, and how many they are.
    fn of(batch: &'a RecordBatch) -> (Keys<'a>, usize) {
        let (text, number) = (|i: usize| batch.column(i).as_string::<i32>(), |i: usize| batch.column(i).as_primitive());
        match batch.column(0).data_type() {
            DataType::Int32 => (Keys::Numbered(number(0), number(1)), 2),
            _ => (Keys::Named([0, 1, 2, 4].map(text), batch.column(3).as_primitive()), 5),
        }
    }
}

/// The lines of a group, by slice and its value.
#[derive(Default)]
struct Lines {
    places: BTreeMap<String, BTreeMap<String, usize>>,
    all: Vec<Line>,
}

impl Lines {
    fn of(&mut self, slice: &str, value: &str) -> &mut Line {
        // Nearly all rows have a line already, which is found without a copy of its name.
        let found = self.places.get(slice).and_then(|values| values.get(value)).copied();
        let i = found.unwrap_or_else(|| {
            self.places.entry(slice.to_owned()).or_default().insert(value.to_owned(), self.all.len());
            self.all.push(Line::default());
            self.all.len() - 1
        });
        &mut self.all[i]
    }
}

fn get(array: &Decimal128Array, row: usize) -> Option<Number> {
    array.is_valid(row).then(|| Number::from_units(array.value(row)))
}

/// The 95 % Wilson score interval of `successes` in `trials` (E. B. Wilson, 1927).
fn wilson(successes: Number, trials: Number) -> Option<(Number, Number)> {
    const Z: f64 = 1.959963984540054;
    let n = trials.to_f64();
    if n <= 0.0 {
        return None;
    }
    let p = successes.to_f64() / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    let end = |x: f64| Number::from_units((x.clamp(0.0, 1.0) * 1e12).round() as i128).round(INTERVAL_DIGITS);
    Some((end(centre - half), end(centre + half)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked with R's `binom::binom.confint(8, 20, method = "wilson")`: 0.2188065, 0.6134185.
    #[test]
    fn wilsons_interval_is_the_published_one() {
        let (low, high) = wilson(Number::whole(8), Number::whole(20)).unwrap();
        assert_eq!((low.to_fixed(4), high.to_fixed(4)), ("0.2188".to_owned(), "0.6134".to_owned()));
        let (low, high) = wilson(Number::whole(0), Number::whole(10)).unwrap();
        assert_eq!((low.to_fixed(4), high.to_fixed(4)), ("0.0000".to_owned(), "0.2775".to_owned()));
    }
}
