//! Finding scores and making them cells and lines.
//!
//! Its one constraint: a missing score is zero only where the metric adds up facts; everywhere else it is a dash with
//! a reason.

use crate::domain::code::reference_code;
use crate::domain::digest::Digest;
use crate::domain::json;
use crate::domain::metric::{Measure, Metric, Unit};
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::{IMMATURE, REP_IN_TEAM, Score};
use crate::pipeline::render::context::schema::{Cell, Column, Line};
use crate::pipeline::render::format::{Locale, NO_NUMBER, Precision};
use crate::pipeline::render::input::Input;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

type Place<'a> = (&'a str, &'a str, &'a str, Grain, Date, &'a str, &'a str);

/// The input's scores, by what they are.
pub struct ScoreIndex<'a> {
    /// All that the document is made from.
    pub input: &'a Input<'a>,
    /// How it reads.
    pub locale: &'a Locale,
    scores: BTreeMap<Place<'a>, &'a Score>,
}

/// Which number to print.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The level of the entity.
    pub level: &'a str,
    /// The entity's id.
    pub entity: &'a str,
    /// The period.
    pub period: Period,
    /// The slice's name and value; empty for the total.
    pub slice: (&'a str, &'a str),
}

impl<'a> ScoreIndex<'a> {
    /// Sorts the input's scores.
    pub fn new(input: &'a Input<'a>, locale: &'a Locale) -> ScoreIndex<'a> {
        let place = |s: &'a Score| -> Place<'a> {
            (&s.metric, &s.level, &s.entity, s.grain, s.period_start, &s.slice, &s.slice_value)
        };
        let scores = input.scores.iter().chain(&input.around).chain(&input.of_members);
        let scores = scores.map(|score| (place(score), score)).collect();
        ScoreIndex { input, locale, scores }
    }

    /// The day up to which the document's numbers stand.
    pub fn date(&self) -> Date {
        self.input.period.measured_on(self.input.as_of)
    }

    /// Whether the reported period's last day is behind us.
    pub fn finished(&self) -> bool {
        self.input.period.end <= self.input.as_of
    }

    /// The metric's definition; `None` if the project has no metric of this name.
    pub fn metric(&self, id: &str) -> Option<&'a Metric> {
        self.input.metrics.get(id)
    }

    /// The document's own entity in some period.
    pub fn own(&self, period: Period) -> Wanted<'a> {
        let entity = &self.input.entity;
        Wanted { level: &entity.level, entity: &entity.id, period, slice: ("", "") }
    }

    /// The longer periods around the reported one whose numbers stand at the document's date.
    ///
    /// A closed month inside an open quarter has none: the quarter's number would move on from night to night in a
    /// document that should stand still.
    pub fn longer(&self) -> Vec<Period> {
        let around = |grain| self.input.calendar.period(grain, self.input.period.start);
        let standing = |period: &Period| period.measured_on(self.input.as_of) == self.date();
        self.input.report.also.iter().map(|grain| around(*grain)).filter(standing).collect()
    }

    /// A column for a period: `Sep 2026`, and `to date` while it lasts.
    pub fn column(&self, index: usize, period: Period) -> Column {
        Column {
            letter: column_letter(index),
            title: self.locale.short_period(period),
            note: (period.end > self.input.as_of).then(|| "to date".into()),
        }
    }

    /// The score itself, if there is one.
    pub fn score(&self, metric: &str, wanted: Wanted<'_>) -> Option<&'a Score> {
        let (slice, slice_value) = wanted.slice;
        let period = wanted.period;
        // The map's keys live as long as the input; a shorter key finds them by comparing the same fields.
        let key: Place<'_> = (metric, wanted.level, wanted.entity, period.grain, period.start, slice, slice_value);
        self.scores.get(&key).copied()
    }

    /// The values that a slice of a metric takes for the entity in any of these periods, in order.
    pub fn slice_values(&self, metric: &str, slice: &str, periods: &[Period]) -> Vec<&'a str> {
        let entity = &self.input.entity;
        let wanted = |s: &&Score| {
            s.metric == metric
                && s.slice == slice
                && s.level == entity.level
                && s.entity == entity.id
                && periods.iter().any(|period| period.grain == s.grain && period.start == s.period_start)
                // What stands there for comparison alone makes no line.
                && (s.n > 0 || s.target.is_some())
        };
        let mut values: Vec<&str> = self.input.scores.iter().filter(wanted).map(|s| s.slice_value.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The cell for a number, not yet formatted.
    pub fn cell(&self, metric: &Metric, letter: usize, wanted: Wanted<'_>) -> Cell {
        // A score that has only something to come, such as the next quota, is none before the first day.
        let early = self.is_early(wanted);
        let score = self.score(&metric.id, wanted).filter(|score| !early || score.n > 0 || score.target.is_some());
        let reason = self.reason(metric, wanted, score);
        let found = score.filter(|score| reason.is_none() || score.value.is_none());
        let immature = found.is_some_and(|score| score.state.as_deref() == Some(IMMATURE));
        let state = found.and_then(|score| score.state.clone()).filter(|_| !immature);
        let zero = reason.is_none() && score.is_none() && metric.is_zero_without_facts();
        let n = found.map_or(0, |s| s.n);
        Cell {
            column: column_letter(letter),
            metric: metric.id.clone(),
            level: wanted.level.into(),
            entity: wanted.entity.into(),
            grain: wanted.period.grain,
            period_start: wanted.period.start,
            period_end: wanted.period.end,
            slice: wanted.slice.0.into(),
            slice_value: wanted.slice.1.into(),
            value: found.and_then(|s| s.value).or(zero.then_some(Number::ZERO)),
            numerator: found.and_then(|s| s.numerator),
            denominator: found.and_then(|s| s.denominator),
            n,
            target: found.and_then(|s| s.target),
            attainment: found.and_then(|s| s.attainment),
            low: found.and_then(|s| s.low),
            high: found.and_then(|s| s.high),
            text: state.as_deref().map_or(NO_NUMBER.into(), capitalised),
            n_text: self.locale.count(n),
            target_text: None,
            target_notes: found.map_or_else(Vec::new, |score| self.target_notes(metric, score)),
            unusual: found.and_then(|score| self.unusual(metric, score)),
            previous: found.and_then(|s| s.previous),
            year_before: found.and_then(|s| s.year_before),
            few: n < metric.header.minimum_n || immature,
            immature,
            quartile: found.and_then(|s| s.quartile),
            state,
            reason,
            beneath: None,
        }
    }

    /// A field of a table that nothing stands in.
    pub fn nothing(&self, metric: &Metric, letter: usize, wanted: Wanted<'_>) -> Cell {
        Cell { text: String::new(), value: None, reason: None, ..self.cell(metric, letter, wanted) }
    }

    /// `unusually low: mostly about €52,000`.
    fn unusual(&self, metric: &Metric, score: &Score) -> Option<String> {
        let (side, usual) = (score.alert.as_ref()?, score.usual?);
        let usual = self.locale.short(metric.header.unit, usual, &self.input.company.currency);
        Some(format!("unusually {side}: mostly about {usual}"))
    }

    /// How a target came about, if not simply as it was set: ramp, leave, a range, a team's own beside its reps' sum; and
    /// what is due of it in a period that is not over.
    fn target_notes(&self, metric: &Metric, score: &Score) -> Vec<String> {
        let amount = |number| self.locale.short(metric.header.unit, number, &self.input.company.currency);
        let word = target_word(metric);
        let mut notes = Vec::new();
        let less = |part: Option<Number>| part.filter(|part| *part != Number::ZERO);
        if let (Some(given), Some(target)) = (score.target_given, score.target) {
            let parts = [(less(score.target_ramp), "ramp"), (less(score.target_absent), "leave")];
            let parts: Vec<String> = parts
                .into_iter()
                .filter_map(|(part, name)| Some(format!(" \u{2212} {} {name}", amount(part?.magnitude()))))
                .collect();
            if !parts.is_empty() {
                notes.push(format!("{word} {}{} = {}", amount(given), parts.concat(), amount(target)));
            }
        }
        if score.target_low.is_some() || score.target_high.is_some() {
            notes.push(match (score.target_low, score.target_high) {
                (Some(low), Some(high)) => format!("{word} from {} to {}", amount(low), amount(high)),
                (Some(low), None) => format!("{word} of at least {}", amount(low)),
                (None, high) => format!("{word} of at most {}", high.map_or_else(String::new, amount)),
            });
        }
        if let (Some(own), Some(of_reps)) = (score.target, score.target_of_reps)
            && own != of_reps
        {
            let gap = own.checked_sub(of_reps).unwrap_or_default();
            let side = if gap > Number::ZERO { "above" } else { "below" };
            notes.push(format!("{} {side} the sum of its reps, {}", amount(gap.magnitude()), amount(of_reps)));
        }
        if let (Some(pace), Some(by)) = (score.pace, &score.pace_by) {
            let share = self.locale.value(Unit::Percent, pace, "", Precision::of(Unit::Percent, []));
            let by = if by == "curve" { "the company's usual curve" } else { "working days" };
            notes.push(format!("{share} of what is due by now, going by {by}"));
        }
        notes
    }

    /// Whether a period was over before the entity's first day.
    fn is_early(&self, wanted: Wanted<'_>) -> bool {
        let hired_on = self.input.entity.hired_on.filter(|_| wanted.entity == self.input.entity.id);
        hired_on.is_some_and(|day| day > wanted.period.end)
    }

    /// Why there is no number, if there is none.
    fn reason(&self, metric: &Metric, wanted: Wanted<'_>, score: Option<&Score>) -> Option<String> {
        let not_supplied = self.input.not_supplied.get(&metric.id);
        if let Some(not) = not_supplied.filter(|not| not.is_in(wanted.period.grain, wanted.period.start)) {
            return Some(not.reason(|day| self.locale.date(day)));
        }
        if !metric.header.levels.iter().any(|level| level == wanted.level) {
            let level = if wanted.level == REP_IN_TEAM { "rep" } else { wanted.level };
            return Some(format!("not measured for a {level}"));
        }
        if !metric.header.cadence.contains(&wanted.period.grain) {
            return Some(format!("not measured by the {}", wanted.period.grain));
        }
        let of_part = self.input.hidden_of.get(&metric.id);
        let is_hidden = (wanted.entity == self.input.entity.id && self.input.hidden.contains(&metric.id))
            || of_part.is_some_and(|parts| parts.contains(wanted.entity));
        if is_hidden {
            return Some("measured for teams only".into());
        }
        match score {
            Some(score) if score.value.is_some() => None,
            Some(score) if score.state.as_deref().is_some_and(|state| state != IMMATURE) => None,
            None if self.is_early(wanted) => Some("before the first day".into()),
            None if metric.is_zero_without_facts() => None,
            _ => Some(empty_words(metric)),
        }
    }

    /// A line: its cells formatted alike, and its reference code.
    pub fn line(&self, metric: &Metric, title: String, cells: Vec<Cell>) -> Line {
        let has_target = cells.iter().any(|cell| cell.target.is_some());
        let mut line = Line {
            code: String::new(),
            metric: metric.id.clone(),
            title,
            unit: metric.header.unit,
            target_title: has_target.then(|| capitalised(target_word(metric))),
            shows_n: !metric.is_formula() && !metric.is_zero_without_facts(),
            cells,
            change: None,
            group: None,
            note: None,
            bar: None,
        };
        self.set_texts(std::slice::from_mut(&mut line));
        line.code = code(&line.cells, self.input.definitions);
        line
    }

    /// Formats lines of one unit with one precision, so that their columns align and add up.
    pub fn set_texts(&self, lines: &mut [Line]) {
        let Some(unit) = lines.first().map(|line| line.unit) else { return };
        self.print(unit, &mut lines.iter_mut().flat_map(|line| &mut line.cells).collect::<Vec<_>>());
    }

    /// Formats each column of lines with its metric's unit and one precision.
    pub fn set_texts_by_column(&self, lines: &mut [&mut Line], metrics: &[&Metric]) {
        for (column, metric) in metrics.iter().enumerate() {
            let cells = lines.iter_mut().filter_map(|line| line.cells.get_mut(column));
            self.print(metric.header.unit, &mut cells.collect::<Vec<_>>());
        }
    }

    fn print(&self, unit: Unit, cells: &mut [&mut Cell]) {
        let precision = Precision::of(unit, cells.iter().filter_map(|cell| cell.value));
        let target_precision = Precision::of(unit, cells.iter().filter_map(|cell| cell.target));
        let currency = &self.input.company.currency;
        for cell in cells {
            if let Some(value) = cell.value {
                cell.text = self.locale.value(unit, value, currency, precision);
            }
            cell.target_text = cell.target.map(|target| self.locale.value(unit, target, currency, target_precision));
        }
    }

    /// A longer period around the reported one, or that itself; `None` if its numbers do not stand at the document's date.
    pub fn around(&self, grain: Option<Grain>) -> Option<Period> {
        match grain.filter(|grain| *grain != self.input.period.grain) {
            None => Some(self.input.period),
            Some(grain) => self.longer().into_iter().find(|period| period.grain == grain),
        }
    }

    /// What to say about a line: its first number's [`ScoreIndex::note`], and why others are not supplied.
    pub fn notes(&self, metric: &Metric, line: &Line) -> Option<String> {
        let first = line.cells.first().and_then(|cell| self.note(metric, cell));
        let not = self.input.not_supplied.get(&metric.id).filter(|not| !not.is_always());
        let lacks = |cell: &Cell| not.is_some_and(|not| not.is_in(cell.grain, cell.period_start));
        let rest = not.filter(|_| line.cells.iter().skip(1).any(lacks) && !line.cells.first().is_some_and(lacks));
        let rest = rest.map(|not| not.reason(|day| self.locale.date(day)));
        let notes: Vec<String> = first.into_iter().chain(rest).collect();
        (!notes.is_empty()).then(|| notes.join(" \u{b7} "))
    }

    /// What to say about how many facts stand behind a line's first number, or why there is none.
    pub fn note(&self, metric: &Metric, cell: &Cell) -> Option<String> {
        if cell.value.is_none() {
            return cell.reason.clone();
        }
        if cell.n == 0 && metric.is_zero_without_facts() {
            return Some(match metric.header.measure {
                Some(Measure::Stock) => format!("none on {}", self.locale.day(cell.period_end.min(self.input.as_of))),
                _ => "none in this period".into(),
            });
        }
        if let (true, Some(days)) = (cell.immature, metric.header.cohort_days) {
            return Some(format!("too young to judge: not all have had {days} days"));
        }
        if cell.few {
            return Some(too_few(cell.n, self.locale));
        }
        // A count is its own n, and a formula has no facts of its own.
        let called = metric.called()?;
        let is_its_own_n = metric.header.unit == Unit::Count;
        (!is_its_own_n).then(|| self.locale.records(cell.n, called))
    }
}

/// What to say of a number that too few facts stand behind.
pub fn too_few(n: i64, locale: &Locale) -> String {
    format!("n\u{a0}=\u{a0}{}, too few to judge", locale.count(n))
}

/// What to say where a metric that is not zero without facts has none.
fn empty_words(metric: &Metric) -> String {
    let closed = metric.header.record.as_deref() == Some("opportunities");
    match metric.header.measure {
        _ if metric.is_formula() => metric.header.empty.clone().unwrap_or_else(|| "no basis for it yet".into()),
        Some(Measure::Flow) if closed => "no deals closed yet".into(),
        _ => "nothing to measure yet".into(),
    }
}

/// What people call the target of a metric: a quota is a target on what is sold.
pub fn target_word(metric: &Metric) -> &'static str {
    if matches!(metric.id.as_str(), "bookings" | "units_sold") { "quota" } else { "target" }
}

/// A text with its first letter as a capital.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// `a` for the first column, `b` for the second, as far as `z`.
pub fn column_letter(column: usize) -> String {
    let letter = u8::try_from(column).ok().filter(|column| *column < 26).map_or(b'z', |column| b'a' + column);
    char::from(letter).to_string()
}

/// The reference code of a line: of what its cells are, their numbers, and the definitions that made them.
fn code(cells: &[Cell], definitions: &BTreeMap<String, Digest>) -> String {
    #[derive(Serialize)]
    struct Identity<'a> {
        metric: &'a str,
        level: &'a str,
        entity: &'a str,
        grain: Grain,
        period_start: Date,
        slice: &'a str,
        slice_value: &'a str,
        value: Option<Number>,
        numerator: Option<Number>,
        denominator: Option<Number>,
        target: Option<Number>,
        n: i64,
        definition: Option<&'a Digest>,
    }
    let identities: Vec<Identity<'_>> = cells
        .iter()
        .map(|cell| Identity {
            metric: &cell.metric,
            level: &cell.level,
            entity: &cell.entity,
            grain: cell.grain,
            period_start: cell.period_start,
            slice: &cell.slice,
            slice_value: &cell.slice_value,
            value: cell.value,
            numerator: cell.numerator,
            denominator: cell.denominator,
            target: cell.target,
            n: cell.n,
            definition: definitions.get(&cell.metric),
        })
        .collect();
    reference_code(&json::canonical(&identities))
}
