//! What a metric is: its header, checked. The SQL beneath it is the engine's business.

use crate::domain::aggregate::{Aggregate, Values};
use crate::domain::limits;
use crate::domain::period::{Grain, Period};
use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The header of `queries/metrics/<group>/<id>.sql`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What people call it.
    pub title: String,
    /// The question it answers, in one sentence.
    pub question: String,
    /// How the number is made, in one sentence that prints on the reports.
    pub definition: String,
    /// Other names, for searching.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the value counts.
    pub unit: Unit,
    /// Whether facts happen on a day or hold from day to day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// How facts add up; absent for a formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// Which way is good.
    pub better: Better,
    /// The model table whose records the facts name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Whether facts are shared over the credits of their records; without it each is wholly its rep's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// The tables whose export rows stand behind the facts, if those of `record` do not: the first that has one of the fact's
    /// day.
    #[serde(default, deserialize_with = "one_or_several", skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Trace>,
    /// Columns of the facts by which the number is broken down.
    #[serde(default)]
    pub slices: Vec<String>,
    /// Two slices together: `competitor*segment`.
    #[serde(default)]
    pub pairs: Vec<String>,
    /// Slices whose named values stand on their own line and in no total.
    #[serde(default)]
    pub apart: Vec<String>,
    /// Slices of which a fact has a list of values: it counts on the line of each, and in the total once.
    #[serde(default)]
    pub multi: Vec<String>,
    /// Slices of which a fact has a list of parts, each with a name: they share it out, and so their lines add up.
    #[serde(default)]
    pub allocated: Vec<String>,
    /// The grains it is scored at.
    #[serde(default = "all_grains")]
    pub cadence: Vec<Grain>,
    /// The levels it is scored at.
    #[serde(default = "all_levels")]
    pub levels: Vec<String>,
    /// The model tables without which it is not supplied.
    #[serde(default)]
    pub needs: Vec<String>,
    /// A published figure, printed as a footnote with its source, never as a colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<Benchmark>,
    /// Below so many facts there is no arrow, colour, rank or alert.
    #[serde(default)]
    pub minimum_n: i64,
    /// What facts are called in print, if not as their records: `working days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// Another metric whose facts this one adds up in its own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<String>,
    /// Of shared facts: the column that is added up instead of `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The column of the facts with their value at the plan's exchange rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// An expression over other metrics; then there is no SQL beneath the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Of a formula: why it has no number, if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
    /// Of a formula: words that stand for its number while their conditions hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, String>,
    /// The metrics whose scores the SQL reads from the table `scores`.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Each period's number covers so long a time up to its end: `12 months`. A formula's parts do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Of a ratio: facts return `converted_on` instead of its sides, and count above the line if it is within so many days of
    /// `event_date`. A period whose facts have not all had so long is immature.
    #[serde(default, deserialize_with = "limits::maybe::cohort_days", skip_serializing_if = "Option::is_none")]
    pub cohort_days: Option<u32>,
    /// Serves other metrics only and is printed nowhere.
    #[serde(default)]
    pub hidden: bool,
    /// The definition's version, printed beside its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The day from which this version counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

fn all_grains() -> Vec<Grain> {
    Grain::ALL.to_vec()
}

fn all_levels() -> Vec<String> {
    ["rep", "team", "region", "company"].map(String::from).to_vec()
}

/// The credits that share a fact. Overlay credit stands beside them on a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credit {
    /// Those that add up to the whole.
    Revenue,
}

/// One trace, or a list of them.
fn one_or_several<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Trace>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Traces {
        One(Trace),
        Several(Vec<Trace>),
    }
    Ok(match Traces::deserialize(from)? {
        Traces::One(trace) => vec![trace],
        Traces::Several(traces) => traces,
    })
}

/// A table that has a row for each day on which a fact begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The table.
    pub table: String,
    /// Its column with the record's key.
    pub record: String,
    /// Its column with the fact's first day.
    pub day: String,
    /// Its columns that tell the last of several rows of a day.
    #[serde(default)]
    pub order: Vec<String>,
}

/// A stretch of time that ends with a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    count: i16,
    unit: WindowUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowUnit {
    Days,
    Weeks,
    Months,
    Years,
}

impl Window {
    /// How many months it has. Those of a window of days are twelfths of 365.
    pub fn months(self) -> f64 {
        let count = f64::from(self.count);
        match self.unit {
            WindowUnit::Days => months_of_days(count),
            WindowUnit::Weeks => months_of_days(7.0 * count),
            WindowUnit::Months => count,
            WindowUnit::Years => 12.0 * count,
        }
    }

    /// The first day of the window that ends on a day.
    pub fn start(self, end: Date) -> Date {
        let next = end + 1.day();
        let count = i64::from(self.count);
        next - match self.unit {
            WindowUnit::Days => count.days(),
            WindowUnit::Weeks => count.weeks(),
            WindowUnit::Months => count.months(),
            WindowUnit::Years => count.years(),
        }
    }
}

/// So many days as months.
pub fn months_of_days(days: f64) -> f64 {
    days * 12.0 / 365.0
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Window, String> {
        let wrong = || format!("`{text}` is no window: write `12 months`, `90 days`, `6 weeks` or `1 year`");
        let (count, unit) = text.split_once(' ').ok_or_else(wrong)?;
        let count = count.parse().ok().filter(|count| (1..=3660).contains(count)).ok_or_else(wrong)?;
        let unit = match unit.trim_end_matches('s') {
            "day" => WindowUnit::Days,
            "week" => WindowUnit::Weeks,
            "month" => WindowUnit::Months,
            "year" if count <= 10 => WindowUnit::Years,
            _ => return Err(wrong()),
        };
        Ok(Window { count, unit })
    }
}

impl From<Window> for String {
    fn from(window: Window) -> String {
        let unit = match window.unit {
            WindowUnit::Days => "day",
            WindowUnit::Weeks => "week",
            WindowUnit::Months => "month",
            WindowUnit::Years => "year",
        };
        format!("{} {unit}{}", window.count, if window.count == 1 { "" } else { "s" })
    }
}

/// A published figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// The figure in words or numbers, as published.
    pub figure: String,
    /// Who published it.
    pub source: String,
}

/// What a value counts, and thereby how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things, in whole numbers.
    Count,
    /// The company's currency.
    Money,
    /// A share of one; 0.25 prints as 25 %.
    Percent,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// So many in a thousand.
    PerThousand,
    /// A plain number.
    Ratio,
}

/// Whether facts happen or hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// A fact happens on its `event_date`.
    Flow,
    /// A fact holds from `valid_from` up to, not including, `valid_to`.
    Stock,
}

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    Neither,
    /// Too little and too much are both bad.
    Range,
}

/// A metric: its id, its header, and where its text stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The file's name without `.sql`; the metric's name everywhere.
    pub id: String,
    /// The folder: activity, pipeline, outcome, profit or adoption.
    pub group: String,
    /// The path within the project.
    pub path: String,
    /// The checked header.
    pub header: Header,
    /// The SQL beneath the header; empty for a formula and for shared facts.
    pub sql: String,
    /// The line of the file on which the SQL starts, counted from 1.
    pub sql_line: usize,
    /// The whole file.
    pub source: String,
    /// Whether this is the metric itself.
    pub form: Form,
    /// Columns of its facts that those who share them use.
    pub for_others: BTreeSet<String>,
}

/// A metric may be scored in further forms, for others to use. They have ids of their own and are printed nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The metric itself.
    #[default]
    Itself,
    /// The metric of this id, with its value at the plan's exchange rates.
    AtPlan(String),
    /// The metric of this id, over the window of a formula that uses it.
    OverWindow(String),
}

impl Metric {
    /// What its facts are called in print, if they are called anything.
    pub fn called(&self) -> Option<&str> {
        self.header.called.as_deref().or(self.header.record.as_deref())
    }

    /// The id of the metric of which this is a form.
    pub fn form_of(&self) -> &str {
        match &self.form {
            Form::Itself => &self.id,
            Form::AtPlan(of) | Form::OverWindow(of) => of,
        }
    }

    /// The id of the metric whose targets are this one's.
    pub fn targets_of(&self) -> &str {
        match &self.form {
            Form::OverWindow(of) => of,
            _ => &self.id,
        }
    }

    /// How its facts become a number; a formula is treated as a sum of one row.
    pub fn aggregate(&self) -> Aggregate {
        self.header.aggregate.unwrap_or(Aggregate::Sum)
    }

    /// Where the values of its facts stand.
    pub fn values(&self) -> Values<'_> {
        let column = self.header.value.as_deref().unwrap_or("value");
        Values { column, cohort_days: self.header.cohort_days }
    }

    /// Whether a cell without facts is zero rather than empty.
    pub fn is_zero_without_facts(&self) -> bool {
        self.header.aggregate.is_some_and(Aggregate::is_zero_without_facts)
    }

    /// Whether a period's facts have not all had their days to convert.
    pub fn is_immature(&self, period_end: Date, as_of: Date) -> bool {
        self.header.cohort_days.is_some_and(|days| period_end + i64::from(days).days() > as_of)
    }

    /// The days whose facts make a flow's number of a period: its own, or a window's up to its end or `as_of`.
    pub fn days(&self, period: Period, as_of: Date) -> (Date, Date) {
        let measured_on = period.measured_on(as_of);
        match self.header.window {
            Some(window) => (window.start(measured_on), measured_on),
            None => (period.start, period.end),
        }
    }

    /// Whether half a period has about half of the number, so that it cannot be held against a whole one.
    pub fn grows_with_time(&self) -> bool {
        let flow = self.header.measure.unwrap_or(Measure::Flow) == Measure::Flow;
        self.header.window.is_none() && (self.is_formula() || (self.is_zero_without_facts() && flow))
    }

    /// Whether this metric has an expression instead of facts.
    pub fn is_formula(&self) -> bool {
        self.header.formula.is_some()
    }
}

/// All metrics of a project, by id.
pub type Metrics = BTreeMap<String, Metric>;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn windows_end_with_a_day_and_start_after_the_same_day_before() {
        let window = |text: &str| Window::try_from(text.to_owned());
        assert_eq!(window("3 months").unwrap().start(date(2026, 9, 30)), date(2026, 7, 1));
        assert_eq!(window("12 months").unwrap().start(date(2026, 2, 28)), date(2025, 3, 1));
        assert_eq!(window("90 days").unwrap().start(date(2026, 9, 30)), date(2026, 7, 3));
        assert_eq!(String::from(window("1 year").unwrap()), "1 year");
        assert!(window("0 days").is_err() && window("months").is_err() && window("3 moons").is_err());
    }

    /// The worked example of docs/rules/honesty.md.
    #[test]
    fn a_cohort_is_young_until_its_last_day_has_had_its_days() {
        let header = "title = 'T'\nquestion = 'Q'\ndefinition = 'D'\nunit = 'percent'\naggregate = 'ratio'\nbetter = 'higher'\n\
                      cohort_days = 90";
        let header = toml::from_str(header).unwrap();
        let [id, group, path, sql, source] = ["m", "g", "p", "", ""].map(String::from);
        let metric = Metric {
            id,
            group,
            path,
            header,
            sql,
            sql_line: 1,
            source,
            form: Form::Itself,
            for_others: BTreeSet::new(),
        };
        assert!(metric.is_immature(date(2026, 8, 31), date(2026, 11, 28)));
        assert!(!metric.is_immature(date(2026, 8, 31), date(2026, 11, 29)));
        assert!(!metric.is_immature(date(2026, 5, 31), date(2026, 9, 30)));
    }
}
