//! `scorebook test`: gives each metric small tables, and compares its scores with the expected ones.
//!
//! A test file, `queries/tests/<id>.toml`, has cases; tables and expectations are written as rows of cells between `|`.

use crate::cli::{Global, TestArgs};
use crate::command::Opened;
use crate::command::output::{self, tell};
use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::domain::metric::{Metric, Metrics};
use crate::domain::number::Number;
use crate::domain::period::Grain;
use crate::domain::score::Score;
use crate::parquet_file;
use crate::pipeline::stage::given::{self, Rows};
use crate::pipeline::{Night, render, score};
use crate::project;
use crate::steps::Steps;
use crate::store::Store;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;

const FOLDER: &str = "queries/tests/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    as_of: String,
    tables: BTreeMap<String, String>,
    expect: String,
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
            match one(&opened, &metrics, metric, path, source, case).await {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    tell(&format!("{id}: {}\n{error}\n", case.name));
                }
            }
        }
    }
    let untested: Vec<&str> = metrics.keys().map(String::as_str).filter(|id| !tested.contains(id)).collect();
    if args.metrics.is_empty() && !untested.is_empty() && !global.quiet {
        tell(&format!("without a test: {}", untested.join(", ")));
    }
    output::write(&format!("{passed} passed, {failed} failed\n"))?;
    Ok((failed > 0).then_some(Kind::Project))
}

/// Scores the metric over the case's tables, and compares.
async fn one(opened: &Opened, metrics: &Metrics, metric: &Metric, path: &str, source: &str, case: &Case) -> Result<()> {
    let folder = tempfile::tempdir().map_err(|error| Diagnostic::internal(format!("no temporary folder: {error}")))?;
    let store = Store::open(folder.path())?;
    let steps = Steps::forgetful(&store);
    let as_of: Date = case.as_of.parse().map_err(|_| {
        Diagnostic::project(format!("`{}` is no date", case.as_of)).at(place(path, source, &case.as_of))
    })?;
    let night = Night {
        project: &opened.project,
        settings: &opened.settings,
        store: &store,
        steps: &steps,
        as_of,
        limits: opened.limits,
        tell: &|_| {},
    };
    let tables: BTreeMap<String, Rows> = case.tables.iter().map(|(name, text)| (name.clone(), rows(text))).collect();
    let model = given::model(&night, path, &tables).await?;
    let needed = needed(metrics, metric)?;
    let scores = score::run(&night, &model, &needed, &Grain::ALL.into()).await?;
    let table = &scores.tables[&metric.id];
    let object = table.path(&metric.id);
    let mut found = Vec::new();
    for batch in parquet_file::read_all(&object, store.get(&object).await?)? {
        for row in 0..batch.num_rows() {
            found.push(render::score(&metric.id, &batch, row)?);
        }
    }
    compare(&night, path, source, &case.expect, &found)
}

/// The metric and all that it uses.
fn needed(metrics: &Metrics, metric: &Metric) -> Result<Metrics> {
    let mut needed = Metrics::from([(metric.id.clone(), metric.clone())]);
    for part in score::definition::uses(metric)? {
        needed.extend(self::needed(metrics, &metrics[&part])?);
    }
    Ok(needed)
}

fn compare(night: &Night<'_>, path: &str, source: &str, expect: &str, found: &[Score]) -> Result<()> {
    let expected = rows(expect);
    let lines: Vec<&str> = expect.lines().filter(|line| !line.trim().is_empty()).skip(1).collect();
    for (row, line) in expected.cells.iter().zip(lines) {
        let at = || place(path, source, line.trim());
        let cell = |name: &str| {
            let i = expected.head.iter().position(|head| head == name)?;
            row.get(i).cloned().flatten()
        };
        let text = |name: &str| cell(name).unwrap_or_default();
        let name = text("period");
        let same = |score: &&Score| {
            let period = night.settings.calendar.period(score.grain, score.period_start);
            score.level == text("level")
                && score.entity == text("entity")
                && period.name() == name
                && cell("grain").is_none_or(|grain| grain == score.grain.name())
                && score.slice == text("slice")
                && score.slice_value == text("slice_value")
        };
        let score = found.iter().find(same);
        for head in &expected.head {
            let given = match head.as_str() {
                "level" | "entity" | "period" | "grain" | "slice" | "slice_value" => continue,
                "n" => score.map(|score| score.n.to_string()),
                number => {
                    let Some(get) = number_of(number) else {
                        return Err(Diagnostic::project(format!("scores have no column `{number}`")).at(at()));
                    };
                    score.and_then(get).map(|number| number.to_string())
                }
            };
            let wanted = cell(head).map(|text| match text.parse::<Number>() {
                Ok(number) => number.to_string(),
                Err(_) => text,
            });
            if wanted != given && wanted.as_deref() != Some("?") {
                let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
                return Err(
                    Diagnostic::project(format!("{head} is {}, expected {}", say(&given), say(&wanted))).at(at())
                );
            }
        }
    }
    Ok(())
}

fn number_of(name: &str) -> Option<fn(&Score) -> Option<Number>> {
    Some(match name {
        "value" => |score| score.value,
        "numerator" => |score| score.numerator,
        "denominator" => |score| score.denominator,
        "previous" => |score| score.previous,
        "year_before" => |score| score.year_before,
        "target" => |score| score.target,
        "attainment" => |score| score.attainment,
        "low" => |score| score.low,
        "high" => |score| score.high,
        _ => return None,
    })
}

/// Rows of cells between `|`; the first row is the head. An empty cell is nothing.
fn rows(text: &str) -> Rows {
    let split = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).map(split);
    let head = lines.next().unwrap_or_default();
    let cells = lines.map(|row| row.into_iter().map(|cell| (!cell.is_empty()).then_some(cell)).collect());
    Rows { head, cells: cells.collect() }
}

fn place(path: &str, source: &str, text: &str) -> Place {
    let line = source.lines().position(|line| line.contains(text)).map_or(0, |i| i + 1);
    Place::line(path, source, line)
}
