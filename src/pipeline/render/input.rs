//! What a document is made from: everything about one entity and one period, and nothing about the run.
//!
//! Its one constraint: plain data. Whoever fills it has read and filtered already; nothing here looks anything up.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::calendar::Calendar;
use crate::domain::digest::Digest;
use crate::domain::metric::Metrics;
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::{NotSupplied, REP_IN_TEAM, Score};
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
    /// Those of the charts that take the whole width.
    #[serde(default)]
    pub wide: Vec<String>,
    /// The metrics drawn week by week.
    #[serde(default)]
    pub weeks: Vec<String>,
    /// What headline numbers are held against.
    #[serde(default)]
    pub compare: Compare,
    /// The headings in their order.
    #[serde(default)]
    pub sections: Vec<String>,
    /// The breakdowns, in their order.
    #[serde(default)]
    pub breakdowns: Vec<BreakdownBy>,
    /// Metrics by two slices at once.
    #[serde(default)]
    pub pairs: Vec<PairBy>,
    /// Tables with a line for each part of the entity.
    #[serde(default)]
    pub members: Vec<MembersBy>,
    /// Steps that lead from one to the next.
    #[serde(default)]
    pub funnels: Vec<FunnelBy>,
    /// What moved between the start and the end of a period.
    #[serde(default)]
    pub waterfalls: Vec<WaterfallBy>,
    /// What practitioners do about numbers that stand out.
    #[serde(default)]
    pub coaching: Vec<Remedy>,
    /// The lists of records.
    #[serde(default)]
    pub lists: Vec<String>,
    /// The formats: `pdf`, `html`, `csv`.
    pub formats: Vec<String>,
    /// How many facts are attached at most.
    #[serde(default)]
    pub facts_limit: usize,
}

/// The heading of what has none of its own.
fn unnamed() -> String {
    "Where it came from".into()
}

/// One metric broken down by one of its slices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakdownBy {
    /// The metric's id.
    pub metric: String,
    /// One of its slices.
    pub slice: String,
    /// What it is called, if not by the metric and the slice.
    #[serde(default)]
    pub title: Option<String>,
    /// Whether it is left out of a document where there is nothing to show.
    #[serde(default)]
    pub if_any: bool,
    /// Under which heading it stands.
    #[serde(default = "unnamed")]
    pub section: String,
}

/// What a headline number is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The period before.
    #[default]
    Previous,
    /// The same period a year before.
    YearBefore,
}

/// One metric by two of its slices: the first down, the second across.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairBy {
    /// The metric's id.
    pub metric: String,
    /// One of its pairs: `competitor*segment`.
    pub pair: String,
    /// Under which heading it stands.
    #[serde(default = "unnamed")]
    pub section: String,
}

/// A table with a line for each part of the entity: a team's reps, the company's teams.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersBy {
    /// Unique within the report.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The heading of the lines' names.
    pub head: String,
    /// The parts' level: `rep_in_team`, `team`.
    pub level: String,
    /// Of which period, if not the reported one: a longer one around it.
    pub grain: Option<Grain>,
    /// The metrics, a column each.
    pub metrics: Vec<String>,
}

/// Steps that lead from one to the next: touches, meetings, opportunities, deals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelBy {
    /// Unique within the report.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What it shows.
    pub question: String,
    /// The metrics, first step first.
    pub steps: Vec<String>,
    /// Under which heading it stands.
    #[serde(default = "unnamed")]
    pub section: String,
}

/// A stock at the start and the end of a period, and its movements between.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterfallBy {
    /// Unique within the report.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The metric of the stock.
    pub stock: String,
    /// The metric of its changes.
    pub change: String,
    /// The slice that names the movements.
    pub slice: String,
    /// The movements in the order of their lines; others follow.
    #[serde(default)]
    pub order: Vec<String>,
    /// Under which heading it stands.
    #[serde(default = "unnamed")]
    pub section: String,
}

/// When a number stands out, and what practitioners do about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// The metric whose number stands out.
    pub metric: String,
    /// How.
    pub when: When,
    /// The number that it is `above` or `below`.
    pub than: Option<Number>,
    /// Of which period, if not the reported one: a longer one around it.
    pub grain: Option<Grain>,
    /// What else must be so.
    pub and: Option<Condition>,
    /// What people do about it, in a sentence or two that end in an offer.
    pub remedy: String,
}

/// That a metric's number stands out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The metric's id.
    pub metric: String,
    /// How it stands out.
    pub when: When,
    /// The number that it is `above` or `below`.
    pub than: Option<Number>,
}

/// How a number stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Far below the entity's own habit.
    Low,
    /// Far above it.
    High,
    /// In the best quarter of peers.
    Top,
    /// In the last one.
    Bottom,
    /// Its target is not met by far: less than four fifths of it, or of what is due by now.
    Behind,
    /// Its target is met.
    Met,
    /// More than a number.
    Above,
    /// Less than a number.
    Below,
}

impl Report {
    /// Every metric that the report prints, in the order in which it first does.
    pub fn used(&self) -> Vec<&String> {
        let members = self.members.iter().flat_map(|members| &members.metrics);
        let waterfalls = self.waterfalls.iter().flat_map(|waterfall| [&waterfall.stock, &waterfall.change]);
        let coaching = self.coaching.iter().map(|remedy| &remedy.metric);
        let and = self.coaching.iter().filter_map(|remedy| Some(&remedy.and.as_ref()?.metric));
        let all = (self.metrics.iter().chain(&self.headline).chain(&self.charts))
            .chain(self.breakdowns.iter().map(|by| &by.metric))
            .chain(&self.weeks)
            .chain(members)
            .chain(self.funnels.iter().flat_map(|funnel| &funnel.steps))
            .chain(waterfalls)
            .chain(self.pairs.iter().map(|by| &by.metric))
            .chain(coaching)
            .chain(and);
        let mut used = Vec::new();
        for id in all {
            if !used.contains(&id) {
                used.push(id);
            }
        }
        used
    }

    /// The place of a heading among those that `sections` names; others follow.
    pub fn place_of(&self, section: &str) -> usize {
        self.sections.iter().position(|named| named == section).unwrap_or(self.sections.len())
    }

    /// The metrics of its tables of parts at a level, and those that notes are made of.
    pub fn used_of_members(&self, level: &str) -> BTreeSet<&String> {
        let tables = self.members.iter().filter(|members| members.level == level);
        let and = self.coaching.iter().filter_map(|remedy| Some(&remedy.and.as_ref()?.metric));
        tables.flat_map(|members| &members.metrics).chain(self.coaching.iter().map(|r| &r.metric)).chain(and).collect()
    }

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
    /// The levels whose readers it is for; without any, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
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
    /// Its parts, for each of the report's tables of members.
    pub members: Vec<Vec<Part>>,
    /// Totals of these parts for the current periods.
    pub of_members: Vec<Score>,
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
    /// Metric -> the parts of whom it may not be shown.
    pub hidden_of: BTreeMap<String, BTreeSet<String>>,
}

/// A part of an entity: one of a team's reps, one of the company's teams.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The name as people know it.
    pub name: String,
    /// The id at its level.
    pub id: String,
    /// Whether it is still a part on the day to which the report is up to date.
    pub stays: bool,
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
    for id in report.used() {
        if !metrics.contains_key(id) {
            let error = wrong(&[id], format!("`{id}` is no metric"));
            return Err(error.closest(id, metrics.keys().map(String::as_str)));
        }
    }
    if let Some(id) = report.headline.iter().find(|id| !report.metrics.contains(id)) {
        let error = wrong(&[id], format!("`{id}` is not among the report's `metrics`"));
        return Err(error.help("add it there"));
    }
    if let Some(id) = report.wide.iter().find(|id| !report.charts.contains(id)) {
        let error = wrong(&[id], format!("`{id}` is not among the report's `charts`"));
        return Err(error.help("add it there"));
    }
    let sliced = report.breakdowns.iter().map(|by| (&by.metric, &by.slice));
    for (metric, slice) in sliced.chain(report.waterfalls.iter().map(|by| (&by.change, &by.slice))) {
        let known = &metrics[metric].header.slices;
        if !known.contains(slice) {
            let error = wrong(&[metric, slice], format!("{metric} has no slice `{slice}`"));
            return Err(error.closest(slice, known.iter().map(String::as_str)));
        }
    }
    for PairBy { metric, pair, .. } in &report.pairs {
        let known = &metrics[metric].header.pairs;
        if !known.contains(pair) {
            let error = wrong(&[metric, pair], format!("{metric} has no pair `{pair}`"));
            return Err(error.closest(pair, known.iter().map(String::as_str)));
        }
    }
    if let Some(id) = report.weeks.iter().find(|id| !metrics[*id].header.cadence.contains(&Grain::Week)) {
        let error = wrong(&[id], format!("{id} is not scored by the week"));
        return Err(error.help(format!("add \"week\" to the `cadence` of {}", metrics[id].path)));
    }
    check_levels(report, metrics, &wrong)?;
    let known = ["pdf", "html", "csv"];
    match report.formats.iter().find(|format| !known.contains(&format.as_str())) {
        Some(format) => {
            let error = wrong(&[format], format!("`{format}` is no format: pdf, html or csv"));
            Err(error.closest(format, known))
        }
        None => Ok(()),
    }
}

/// Looks for the audience's and the members' levels among those that the metrics are scored at.
fn check_levels(report: &Report, metrics: &Metrics, wrong: &impl Fn(&[&str], String) -> Box<Diagnostic>) -> Result<()> {
    let known: BTreeSet<&str> = metrics.values().flat_map(|metric| &metric.header.levels).map(String::as_str).collect();
    let audience = report.audience.as_str();
    if !known.contains(audience) || audience == REP_IN_TEAM {
        let known = known.into_iter().filter(|level| *level != REP_IN_TEAM);
        let message = format!("no documents can be made for the level `{audience}`: no metric is scored at it");
        return Err(wrong(&[audience], message).closest(audience, known));
    }
    for MembersBy { level, grain, metrics: ids, .. } in &report.members {
        if grain.is_some_and(|grain| grain != report.grain && !report.also.contains(&grain)) {
            return Err(
                wrong(&[level], "the grain of these members is not among the report's".into()).help("add it to `also`")
            );
        }
        for id in ids {
            let own = &metrics[id].header.levels;
            if !own.contains(level) {
                let error = wrong(&[id], format!("{id} is not scored at the level `{level}`"));
                return Err(error.help(format!("add it to the `levels` of {}", metrics[id].path)));
            }
        }
    }
    Ok(())
}
