//! What a document is made from: everything about one entity and one period, and nothing about the run.
//!
//! Its one constraint: plain data. Whoever fills it has read and filtered already; nothing here looks anything up.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::calendar::Calendar;
use crate::domain::digest::Digest;
use crate::domain::metric::Metrics;
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::{NotSupplied, Score};
use crate::pipeline::stage::workdays::Worked;
use crate::project::Project;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whose numbers these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Company {
    /// The name on every page.
    pub name: String,
    /// The currency of all money, by its three letters.
    pub currency: String,
}

/// `report_templates/<id>/report.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The folder's name.
    #[serde(skip)]
    pub id: String,
    /// The title on every page.
    pub title: String,
    /// The level whose entities each get a document.
    pub audience: String,
    /// The grain of the period it reports.
    pub grain: Grain,
    /// Longer grains printed beside it, shortest first.
    #[serde(default)]
    pub also: Vec<Grain>,
    /// The metrics of the tiles.
    #[serde(default)]
    pub headline: Vec<String>,
    /// The metrics of the table, in its order.
    pub metrics: Vec<String>,
    /// The metrics drawn over thirteen periods.
    #[serde(default)]
    pub charts: Vec<String>,
    /// The breakdowns, in their order.
    #[serde(default)]
    pub breakdowns: Vec<BreakdownBy>,
    /// The lists of records.
    #[serde(default)]
    pub lists: Vec<String>,
    /// The formats: `pdf`, `html`, `csv`.
    pub formats: Vec<String>,
    /// How many facts are attached at most.
    #[serde(default)]
    pub facts_limit: usize,
}

/// One metric broken down by one of its slices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakdownBy {
    /// The metric's id.
    pub metric: String,
    /// One of its slices.
    pub slice: String,
}

impl Report {
    /// Reads a `report.toml`; `path` is for the error alone.
    ///
    /// # Errors
    /// An unknown or missing field, or a value of the wrong type, with its line.
    pub fn parse(id: &str, path: &str, text: &str) -> Result<Report> {
        let report: Report = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Diagnostic::project(error.message()).at(Place::line(path, text, line))
        })?;
        Ok(Report { id: id.to_owned(), ..report })
    }
}

/// Whom the document is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// `rep`, a level of the team tree, or `company`.
    pub level: String,
    /// The id at that level.
    pub id: String,
    /// The name as people know it.
    pub name: String,
    /// A rep's role.
    pub role: Option<String>,
    /// The name of the team.
    pub team: Option<String>,
    /// The name of the region.
    pub region: Option<String>,
    /// A rep's first day.
    pub hired_on: Option<Date>,
}

/// A list of records, ready to be printed but for its formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The name of its query.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// The model table of its records.
    pub record: String,
    /// Its columns.
    pub columns: Vec<ListColumn>,
    /// Its rows; raw cells: ISO dates, decimal strings, `None` for nothing.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows there are, printed or not.
    pub total_rows: usize,
    /// What to say if there are none.
    pub empty: String,
}

/// A column of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListColumn {
    /// The query's column.
    pub name: String,
    /// The heading.
    pub title: String,
    /// How its cells are printed.
    pub kind: ColumnKind,
}

/// How a list's cells are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// As it stands.
    Text,
    /// In the company's currency.
    Money,
    /// A whole number.
    Count,
    /// A share of one.
    Percent,
    /// Days.
    Days,
    /// A day.
    Date,
}

/// One fact behind the entity's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fact {
    /// The metric's id.
    pub metric: String,
    /// The record's key.
    pub record_id: String,
    /// When it happened.
    #[schemars(with = "Option<String>")]
    pub event_date: Option<Date>,
    /// From when it holds.
    #[schemars(with = "Option<String>")]
    pub valid_from: Option<Date>,
    /// What it adds.
    #[schemars(with = "Option<String>")]
    pub value: Option<Number>,
    /// A ratio's upper side.
    #[schemars(with = "Option<String>")]
    pub numerator: Option<Number>,
    /// A ratio's lower side.
    #[schemars(with = "Option<String>")]
    pub denominator: Option<Number>,
}

impl Fact {
    /// Facts of one entity stand oldest first; all that they have takes part, so that no two change places.
    pub fn place(&self) -> impl Ord + '_ {
        let date = self.event_date.or(self.valid_from);
        (date, &self.record_id, self.value, self.numerator, self.denominator)
    }
}

/// Everything one document is made from.
pub struct Input<'a> {
    /// Whose numbers these are.
    pub company: &'a Company,
    /// Which report.
    pub report: &'a Report,
    /// About whom.
    pub entity: Entity,
    /// About when.
    pub period: Period,
    /// A rep's working days in it.
    pub working_days: Option<Worked>,
    /// The run's date.
    pub as_of: Date,
    /// Where periods start.
    pub calendar: &'a Calendar,
    /// All metrics.
    pub metrics: &'a Metrics,
    /// The digest of each metric's file.
    pub definitions: &'a BTreeMap<String, Digest>,
    /// All scores of this entity for the report's metrics: thirteen periods of each grain, totals and slices. Sparse.
    pub scores: Vec<Score>,
    /// Totals of the entity's team and of the company for the current periods, to compare with.
    pub around: Vec<Score>,
    /// The lists of records.
    pub lists: Vec<List>,
    /// The facts behind the current period's numbers, up to the report's limit.
    pub facts: Vec<Fact>,
    /// How many facts there are for each metric.
    pub facts_total: BTreeMap<String, usize>,
    /// The metrics that no source supplies, or not from the first period on.
    pub not_supplied: BTreeMap<String, NotSupplied>,
    /// The metrics that may not be shown of this entity, but of its team.
    pub hidden: BTreeSet<String>,
}

/// Checks a report against the metrics there are.
///
/// # Errors
/// A metric, slice, grain, level or format that does not exist, with the one probably meant.
pub fn check(project: &Project, report: &Report, metrics: &Metrics) -> Result<()> {
    let path = format!("report_templates/{}/report.toml", report.id);
    let source = project.text(&path)?;
    let wrong = |words: &[&str], message: String| {
        let has_all = |line: &str| words.iter().all(|word| line.contains(&format!("\"{word}\"")));
        let line = source.lines().position(has_all).map_or(0, |line| line + 1);
        let word = words.last().copied().unwrap_or_default();
        Diagnostic::project(message).at(Place::line(&path, source, line).word(word))
    };
    let named = report.metrics.iter().chain(&report.headline).chain(&report.charts);
    for id in named.chain(report.breakdowns.iter().map(|breakdown| &breakdown.metric)) {
        if !metrics.contains_key(id) {
            let error = wrong(&[id], format!("`{id}` is no metric"));
            return Err(error.closest(id, metrics.keys().map(String::as_str)));
        }
        if !report.metrics.contains(id) {
            let error = wrong(&[id], format!("`{id}` is not among the report's `metrics`"));
            return Err(error.help("add it there"));
        }
    }
    for BreakdownBy { metric, slice } in &report.breakdowns {
        let known = &metrics[metric].header.slices;
        if !known.contains(slice) {
            let error = wrong(&[metric, slice], format!("{metric} has no slice `{slice}`"));
            return Err(error.closest(slice, known.iter().map(String::as_str)));
        }
    }
    if report.audience != "rep" {
        let message = format!("no documents can be made for the level `{}`", report.audience);
        return Err(wrong(&[&report.audience], message).help("a report's audience is `rep`"));
    }
    let known = ["pdf", "html", "csv"];
    match report.formats.iter().find(|format| !known.contains(&format.as_str())) {
        Some(format) => {
            let error = wrong(&[format], format!("`{format}` is no format: pdf, html or csv"));
            Err(error.closest(format, known))
        }
        None => Ok(()),
    }
}
