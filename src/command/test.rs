//! `scorebook test`: gives each metric small tables, and compares its scores with the expected ones.
//!
//! A test file, `queries/tests/<id>.toml`, has cases; tables and expectations are written as rows of cells between `|`.
//! An empty cell is nothing, and an expected `?` is anything. What is not expected is not looked at.

use crate::at_work;
use crate::cli::{Global, TestArgs};
use crate::command::opened::Opened;
use crate::command::output::{self, tell};
use crate::command::period;
use crate::command::test::expectation::Expected;
use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::domain::calendar::Calendar;
use crate::domain::metric::{Form, Metric, Metrics};
use crate::domain::period::Grain;
use crate::parquet_file;
use crate::pipeline::score;
use crate::pipeline::stage::model_from_rows::{self, Row, Rows};
use crate::project;
use crate::run_context::RunContext;
use crate::score_file;
use crate::settings::People;
use crate::steps::Steps;
use crate::store::Store;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

mod expectation;

const FOLDER: &str = "queries/tests/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: Spanned<String>,
    as_of: Date,
    /// An older period to score, by its name.
    period: Option<Spanned<String>>,
    /// Instead of the project's `[calendar]`.
    calendar: Option<Calendar>,
    /// Instead of the project's `[people]`.
    people: Option<People>,
    tables: BTreeMap<String, Spanned<String>>,
    /// The first day of which a table tells, if there was business before.
    #[serde(default)]
    since: BTreeMap<String, Date>,
    expect: Spanned<String>,
}

pub(super) async fn test(global: &Global, args: TestArgs) -> Result<Option<Kind>> {
    let opened = Opened::open(global)?;
    let metrics = score::definition::read(&opened.project)?;
    for asked in &args.metrics {
        if !metrics.contains_key(asked) {
            return Err(Diagnostic::usage(format!("there is no metric `{asked}`"))
                .closest(asked, metrics.keys().map(String::as_str)));
        }
    }
    let (mut passed, mut failed) = (0, 0);
    let mut tested = Vec::new();
    for (path, source, _) in opened.project.texts(FOLDER, ".toml")? {
        let id = path[FOLDER.len()..].trim_end_matches(".toml");
        if !args.metrics.is_empty() && !args.metrics.iter().any(|asked| asked == id) {
            continue;
        }
        let Some(metric) = metrics.get(id) else {
            return Err(Diagnostic::project(format!("{path} tests `{id}`, which is no metric"))
                .at(Place::file(path))
                .closest(id, metrics.keys().map(String::as_str)));
        };
        tested.push(id);
        let file: File = project::toml(path, source, source, 1)?;
        for case in &file.case {
            let text = Text { path, source };
            let faults = match one(&opened, &metrics, metric, &text, case).await {
                Ok(faults) => faults,
                Err(error) => vec![*error.at(text.place(case.name.span().start))],
            };
            if faults.is_empty() {
                passed += 1;
                continue;
            }
            failed += 1;
            tell(&format!("{id}: {}", case.name.as_ref()));
            faults.iter().for_each(|fault| tell(&format!("{fault}\n")));
        }
    }
    let asked = |id: &&str| args.metrics.is_empty() || args.metrics.iter().any(|asked| asked == id);
    let own = metrics.values().filter(|metric| metric.form == Form::Itself);
    let untested = own.map(|metric| metric.id.as_str()).filter(|id| !tested.contains(id)).filter(asked);
    let untested: Vec<&str> = untested.collect();
    if !untested.is_empty() && !global.quiet {
        tell(&format!("without a test: {}", untested.join(", ")));
    }
    output::write(&format!("{passed} passed, {failed} failed\n"))?;
    Ok((failed > 0).then_some(Kind::Project))
}

/// A test file's path and text.
struct Text<'a> {
    path: &'a str,
    source: &'a str,
}

impl Text<'_> {
    /// The line that holds a byte of the text.
    fn place(&self, byte: usize) -> Place {
        self.line(self.source[..byte].matches('\n').count() + 1)
    }

    fn line(&self, number: usize) -> Place {
        Place::line(self.path, self.source, number)
    }

    /// Reads a table: rows of cells between `|`, the first row the head.
    fn rows(&self, table: &Spanned<String>) -> Result<Rows> {
        let place = self.place(table.span().start);
        // TOML drops the line end that follows the opening quotes.
        let opening = &self.source[table.span().start..];
        let dropped = ["\"\"\"\n", "'''\n", "\"\"\"\r\n", "'''\r\n"].iter().any(|quotes| opening.starts_with(quotes));
        let first = place.line + usize::from(dropped);
        let lines = table.as_ref().lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut rows = lines.map(|(i, line)| {
            let cells = model_from_rows::cells(line).into_iter().map(str::trim);
            let cells = cells.map(|cell| (!cell.is_empty()).then(|| cell.replace("\\|", "|")));
            Row { place: self.line(first + i), cells: cells.collect() }
        });
        let Some(head) = rows.next() else {
            return Err(Diagnostic::project("the table has no head")
                .at(place)
                .help("its first row names its columns: `rep_id | name`"));
        };
        let head_place = head.place.clone();
        let mut names: Vec<String> = Vec::new();
        for (i, name) in head.cells.iter().enumerate() {
            let wrong = match name {
                None => "a column has no name".to_owned(),
                Some(name) if names.contains(name) => format!("two columns are called `{name}`"),
                Some(name) => {
                    names.push(name.clone());
                    continue;
                }
            };
            return Err(Diagnostic::project(wrong)
                .at(head.place_of(i))
                .help("`|` stands between the cells, neither before the first nor after the last"));
        }
        let rows: Vec<Row> = rows.collect();
        if let Some(row) = rows.iter().find(|row| row.cells.len() != names.len()) {
            let (given, wanted) = (row.cells.len(), names.len());
            let message = format!("the row has {given} cells, and its head {wanted}");
            let place = if given > wanted { row.place_of(wanted) } else { row.place.clone() };
            return Err(Diagnostic::project(message)
                .at(place)
                .note(format!("the head is {}", names.join(" | ")))
                .help("give each column a cell; nothing between two `|` is an empty one"));
        }
        Ok(Rows { place, head: names, head_place, rows })
    }
}

/// Scores the metric over the case's tables, and compares.
async fn one(
    opened: &Opened,
    metrics: &Metrics,
    metric: &Metric,
    text: &Text<'_>,
    case: &Case,
) -> Result<Vec<Diagnostic>> {
    let folder = tempfile::tempdir().map_err(|error| Diagnostic::internal(format!("no temporary folder: {error}")))?;
    let _registered = at_work::scratch(folder.path());
    let store = Store::open(folder.path())?;
    let steps = Steps::forgetful(&store);
    let mut settings = opened.settings.clone();
    if let Some((_, fault)) = case.calendar.as_ref().and_then(Calendar::fault) {
        return Err(Diagnostic::project(fault).at(text.place(case.name.span().start)));
    }
    settings.calendar = case.calendar.clone().unwrap_or(settings.calendar);
    settings.people = case.people.clone().unwrap_or(settings.people);
    let cadence = metric.header.cadence.iter().copied().collect();
    let anchor = match &case.period {
        Some(name) => period::find(name.as_ref(), &settings.calendar, &cadence, case.as_of)
            .map_err(|error| error.at(text.place(name.span().start)))?
            .anchor(case.as_of),
        None => case.as_of,
    };
    let night = RunContext {
        project: &opened.project,
        settings: &settings,
        store: &store,
        steps: &steps,
        as_of: case.as_of,
        anchor,
        limits: opened.limits,
        tell: &|_| {},
    };
    let mut tables = BTreeMap::new();
    for (name, table) in &case.tables {
        tables.insert(name.clone(), text.rows(table)?);
    }
    let expect = text.rows(&case.expect)?;
    let expected = Expected::read(&night, metric, &tables, &expect)?;
    let model = model_from_rows::model(&night, &tables, &case.since).await?;
    let needed = score::definition::needed(metrics, metric)?;
    let scores = score::run(&night, &model, &needed, &Grain::ALL.into()).await?;
    let table = &scores.tables[&metric.id];
    let object = table.path(&metric.id);
    let mut found = Vec::new();
    for batch in parquet_file::read_all(&object, store.get(&object).await?)? {
        for row in 0..batch.num_rows() {
            found.push(score_file::score(&metric.id, &batch, row)?);
        }
    }
    Ok(expected.iter().flat_map(|expected| expected.compare(&found, table.not_supplied.as_ref())).collect())
}
