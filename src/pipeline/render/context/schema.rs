//! What a document says: the context that templates print, and its JSON schema.

use crate::domain::digest::Digest;
use crate::domain::metric::{Benchmark, Better, Unit};
use crate::domain::number::Number;
use crate::domain::period::Grain;
use crate::pipeline::render::input::{Company, Fact};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

impl Context {
    /// All its tables of numbers, in the order of a document.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        ([&self.overview, &self.series].into_iter().chain(&self.weeks).chain(&self.members))
            .chain(&self.funnels)
            .chain(self.waterfalls.iter().map(|waterfall| &waterfall.table))
            .chain(&self.breakdowns)
            .chain(&self.pairs)
    }
}

/// One document.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Context {
    /// The language of the texts: `en`.
    pub language: String,
    /// The report.
    pub report: ReportHead,
    /// Whose numbers these are.
    pub company: Company,
    /// About whom.
    pub entity: EntityHead,
    /// About when.
    pub period: PeriodHead,
    /// How much of it the rep worked.
    pub working_days: Option<WorkingDays>,
    /// The day up to which the numbers stand: the run's, or the period's end if that is earlier.
    #[schemars(with = "String")]
    pub date: Date,
    /// The same, printed.
    pub date_text: String,
    /// Two or three sentences.
    pub summary: Vec<String>,
    /// The headline numbers.
    pub tiles: Vec<Tile>,
    /// All metrics.
    pub overview: Table,
    /// The thirteen periods behind the charts: a line for each metric, a column for each period.
    pub series: Table,
    /// What to draw of it.
    pub charts: Vec<ChartPlan>,
    /// The finished weeks, as many as are scored: a line for each metric that is drawn by the week.
    pub weeks: Option<Table>,
    /// What to draw of it.
    pub week_charts: Vec<ChartPlan>,
    /// The parts of the entity, a line each.
    pub members: Vec<Table>,
    /// The headings under which funnels, waterfalls, breakdowns and pairs stand, in their order.
    pub sections: Vec<String>,
    /// Steps that lead from one to the next.
    pub funnels: Vec<Table>,
    /// What moved between the start and the end of a period.
    pub waterfalls: Vec<Waterfall>,
    /// The metrics broken down.
    pub breakdowns: Vec<Table>,
    /// The metrics by two slices at once.
    pub pairs: Vec<Table>,
    /// What stands out, and what people do about it.
    pub coaching: Vec<Note>,
    /// The lists of records.
    pub lists: Vec<ListTable>,
    /// The definitions in force.
    pub definitions: Vec<Definition>,
    /// The facts that go with the document.
    pub facts: Vec<Fact>,
    /// How many facts there are for each metric, whether they go with it or not.
    pub facts_total: BTreeMap<String, usize>,
}

/// The report's id and title.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReportHead {
    /// The folder's name.
    pub id: String,
    /// The title on every page.
    pub title: String,
}

/// Whom the document is about.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EntityHead {
    /// `rep`, a level of the team tree, or `company`.
    pub level: String,
    /// The id at that level.
    pub id: String,
    /// The name as people know it, on one line.
    pub name: String,
    /// Role, team, region and first day, ready to be printed in a row.
    pub about: Vec<String>,
}

/// About when.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PeriodHead {
    /// The name in paths.
    pub name: String,
    /// Its grain.
    pub grain: Grain,
    /// Its first day.
    #[schemars(with = "String")]
    pub start: Date,
    /// Its last day.
    #[schemars(with = "String")]
    pub end: Date,
    /// `September 2026`.
    pub title: String,
    /// Whether its last day is behind us.
    pub finished: bool,
    /// `to 15 September` if it is not.
    pub until: Option<String>,
}

/// A rep's working days in the period, of the rep's own region.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WorkingDays {
    /// How many there are.
    pub all: u32,
    /// Those that the rep works: all but the following three.
    #[schemars(with = "String")]
    pub worked: Number,
    /// Leave, in days: half a day is 0.5.
    #[schemars(with = "String")]
    pub on_leave: Number,
    /// Those before the rep's first day.
    pub before_first_day: u32,
    /// Those after the rep's last day.
    pub after_last_day: u32,
    /// How many have gone by, worked or not, while the period lasts.
    pub gone_by: Option<u32>,
    /// `15 of 21 working days (6 on leave); 11 of the 21 have gone by`.
    pub text: String,
}

/// One printed number and which score it is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Cell {
    /// The column's letter.
    pub column: String,
    /// The metric's id.
    pub metric: String,
    /// The level of the entity.
    pub level: String,
    /// The entity's id.
    pub entity: String,
    /// The period's grain.
    pub grain: Grain,
    /// The period's first day.
    #[schemars(with = "String")]
    pub period_start: Date,
    /// The period's last day.
    #[schemars(with = "String")]
    pub period_end: Date,
    /// The slice's name; empty for the total.
    pub slice: String,
    /// The slice's value; empty for the total.
    pub slice_value: String,
    /// The number.
    #[schemars(with = "Option<String>")]
    pub value: Option<Number>,
    /// A ratio's upper side.
    #[schemars(with = "Option<String>")]
    pub numerator: Option<Number>,
    /// A ratio's lower side.
    #[schemars(with = "Option<String>")]
    pub denominator: Option<Number>,
    /// How many facts stand behind it.
    pub n: i64,
    /// Its target.
    #[schemars(with = "Option<String>")]
    pub target: Option<Number>,
    /// Its value over its target.
    #[schemars(with = "Option<String>")]
    pub attainment: Option<Number>,
    /// The lower end of its 95 % interval.
    #[schemars(with = "Option<String>")]
    pub low: Option<Number>,
    /// The upper end.
    #[schemars(with = "Option<String>")]
    pub high: Option<Number>,
    /// The number as printed, or a dash.
    pub text: String,
    /// How many facts, as printed.
    pub n_text: String,
    /// The target as printed.
    pub target_text: Option<String>,
    /// How the target came about and what is due of it by now, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_notes: Vec<String>,
    /// Whether its facts have not all had their days to convert; its note says so.
    #[serde(skip)]
    pub immature: bool,
    /// The word that stands for the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of a rep: 1 for the best quarter among peers, 4 for the last. It prints beneath the headline numbers alone.
    #[serde(skip)]
    pub quartile: Option<i64>,
    /// That it leaves the entity's own habit, and what that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusual: Option<String>,
    /// The period before; of an unfinished period, as many of its working days. It prints as a change alone.
    #[serde(skip)]
    pub previous: Option<Number>,
    /// The same of a year before.
    #[serde(skip)]
    pub year_before: Option<Number>,
    /// Whether so few facts stand behind it that it is greyed.
    pub few: bool,
    /// Why there is no number.
    pub reason: Option<String>,
    /// What stands beneath the number in a table of members or steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beneath: Option<Beneath>,
}

/// What stands beneath a number: how many facts, its target, or its part of the step before.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Beneath {
    /// As printed: `of €93,000`, `n = 12`, `38.2% of the step before`.
    pub text: String,
    /// The part as a number, if it is one.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Number>,
}

/// How a number stands against another one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// The difference as printed: `+12.4%`.
    pub text: String,
    /// `▲`, `▼` or nothing.
    pub arrow: String,
    /// `better`, `worse`, `higher`, `lower`, `unchanged`.
    pub word: String,
    /// What it means: `good`, `bad` or `plain`.
    pub tone: String,
    /// What it is compared with: `August 2026`.
    pub against: String,
    /// All of it but the arrow: `+12.4%, better than in August 2026`.
    pub phrase: String,
}

/// A line of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    /// The reference code.
    pub code: String,
    /// The metric's id; of a line with several, the first one's.
    pub metric: String,
    /// What the line is called.
    pub title: String,
    /// The unit of its values, or of the first one.
    pub unit: Unit,
    /// Its numbers, one for each column of the table.
    pub cells: Vec<Cell>,
    /// What its targets are called, if any of its numbers has one: `Quota`.
    pub target_title: Option<String>,
    /// Whether n says something that the numbers do not: that of a ratio or a median.
    pub shows_n: bool,
    /// The first number against the one before.
    pub change: Option<Change>,
    /// In the overview: what the metric is about: `Activity`, `Pipeline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// In the overview: `23 opportunities`, `n = 4, too few to judge`, or why there is no number.
    pub note: Option<String>,
    /// The line's part of the whole, or its height on a scale of one, in thousandths: the length of a bar.
    pub bar: Option<i64>,
}

/// A column's letter and heading.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Column {
    /// The letter after the point of a reference: `a`.
    pub letter: String,
    /// The heading.
    pub title: String,
    /// `to date` while the period lasts.
    pub note: Option<String>,
}

/// Lines with the same columns.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Table {
    /// Unique within the document.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The heading of the lines' titles.
    pub head: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The whole, where the lines are its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Line>,
    /// What to say if there are no lines.
    pub empty: Option<String>,
    /// Under which heading it stands, if its place is not the same in every report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// A headline number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tile {
    /// The metric's id.
    pub metric: String,
    /// Its title.
    pub title: String,
    /// The number in short form, or a dash.
    pub text: String,
    /// Whether it is greyed.
    pub few: bool,
    /// What stands beneath it.
    pub notes: Vec<String>,
    /// Against the period before.
    pub change: Option<Change>,
    /// Against its target.
    pub bar: Option<TargetBar>,
    /// The line and column of this number in the overview: `7K3M-....b`.
    pub reference: Option<String>,
}

/// A value and its target on one scale.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TargetBar {
    /// The value's length in thousandths of the scale.
    pub fill: i64,
    /// The target's place in thousandths of the scale.
    pub mark: i64,
    /// `104.1% of the €300,000 target`.
    pub text: String,
    /// How the target came about and what is due of it by now.
    pub notes: Vec<String>,
}

/// What moved between the start and the end of a period.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Waterfall {
    /// The start, each movement and the end, a line each; a column for each period.
    pub table: Table,
    /// What to draw of its first column.
    pub chart: ChartPlan,
    /// That the start and the movements add up to the end, or by how much they do not.
    pub closing: String,
}

/// A number that stands out, and what people do about it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Note {
    /// The metric's id.
    pub metric: String,
    /// Whom it is about, if not the document's own entity.
    pub about: Option<String>,
    /// `Calls made`.
    pub title: String,
    /// The figure and why it stands out.
    pub figure: String,
    /// What people do about it.
    pub remedy: String,
    /// The line and column of the figure: `7K3M-....b`.
    pub reference: Option<String>,
}

/// A chart to be drawn from a line of a table.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChartPlan {
    /// Unique within the document.
    pub id: String,
    /// The table.
    pub table: String,
    /// Its line, counted from 0; of a waterfall the first of all.
    pub line: usize,
    /// Whether it takes the whole width.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wide: bool,
    /// The form.
    pub shape: Shape,
    /// The heading.
    pub title: String,
    /// What the marks mean.
    pub subtitle: String,
    /// The chart in words, for those who cannot see it.
    pub description: String,
}

/// The form of a chart: it follows from what the metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// What happened in each period: a column, with a mark at its target.
    Columns,
    /// A share or a median: a point, hollow where too few facts stand behind it.
    Points,
    /// What held at each period's end: a filled line.
    Level,
    /// A stock, what moved it, and what it became: columns that hang between the two.
    Steps,
}

/// A list of records.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListTable {
    /// The name of its query.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// Its columns.
    pub columns: Vec<ListHead>,
    /// Its rows.
    pub rows: Vec<Vec<ListCell>>,
    /// `10 of 17 are shown` if not all rows are.
    pub more: Option<String>,
    /// What to say if there are none.
    pub empty: Option<String>,
}

/// A column of a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListHead {
    /// The query's column.
    pub name: String,
    /// The heading.
    pub title: String,
    /// Whether its cells are numbers, which stand to the right.
    pub numeric: bool,
}

/// A cell of a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListCell {
    /// As the query gave it.
    pub raw: Option<String>,
    /// As printed.
    pub text: String,
}

/// A definition in force.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Definition {
    /// The metric's id.
    pub metric: String,
    /// Its title.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// How the number is made.
    pub definition: String,
    /// `Version 2 since 2026-01-01. Judged from 10 opportunities on. ...`
    pub small_print: String,
    /// A published figure.
    pub benchmark: Option<Benchmark>,
    /// Which way is good.
    pub better: Better,
    /// The digest of its file.
    #[schemars(with = "String")]
    pub digest: Option<Digest>,
}
