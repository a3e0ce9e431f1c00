//! `queries/metrics/<group>/<id>.sql`: headers, checked against each other.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Digest;
use crate::domain::metric::{Aggregate, Measure, Metric, Metrics};
use crate::engine::{Sql, formula};
use crate::project::{self, Project};
use std::collections::{BTreeMap, BTreeSet};

/// Where metrics stand.
pub const FOLDER: &str = "queries/metrics/";

/// Slices that the engine adds by itself.
pub const OF_THE_ENGINE: [&str; 2] = ["tenure_band", "role"];

/// The slice that keeps overlay credit apart, added to every metric that shares its facts over credits.
pub const CREDIT_KIND: &str = "credit_kind";

/// Names that facts have for other things, or that SQL keeps for itself.
const TAKEN: [&str; 19] = [
    "a",
    "b",
    "n",
    "unit",
    "day",
    "level",
    "entity",
    "grain",
    "slice",
    "slice_value",
    "value",
    "target",
    "group",
    "order",
    "record_id",
    "rep_id",
    "event_date",
    "period_start",
    CREDIT_KIND,
];

/// Checks that the tables a metric names are there.
pub fn check_tables(metrics: &Metrics, tables: &BTreeSet<&str>) -> Result<()> {
    for metric in metrics.values() {
        if metric.header.credit.is_some() && !tables.contains("credits") {
            return Err(Diagnostic::project(format!("{} is shared over credits, and the model has none", metric.id))
                .at(place(metric, "credit"))
                .help("describe the table `credits` in queries/model.toml, or take `credit` out of the header"));
        }
        for name in metric.header.needs.iter().chain(&metric.header.record) {
            if !tables.contains(name.as_str()) {
                return Err(Diagnostic::project(format!("`{name}` is no table of the model"))
                    .at(place(metric, name))
                    .closest(name, tables.iter().copied())
                    .help("model tables are described in queries/model.toml"));
            }
        }
    }
    Ok(())
}

/// All metrics by id, each checked alone and against the others.
pub fn read(project: &Project) -> Result<Metrics> {
    let mut metrics = Metrics::new();
    for (path, source, _) in project.texts(FOLDER, ".sql")? {
        let metric = one(path, source)?;
        if let Some(other) = metrics.get(&metric.id) {
            return Err(Diagnostic::project(format!("two metrics are called `{}`", metric.id))
                .at(Place::file(path))
                .note(format!("the other is {}", other.path)));
        }
        metrics.insert(metric.id.clone(), metric);
    }
    for metric in metrics.values() {
        check(metric)?;
        for part in uses(metric)? {
            if !metrics.contains_key(&part) {
                return Err(Diagnostic::project(format!("`{part}` is no metric"))
                    .at(place(metric, &part))
                    .closest(&part, metrics.keys().map(String::as_str)));
            }
        }
    }
    order(&metrics)?;
    for header in metrics.values_mut().map(|metric| &mut metric.header).filter(|header| header.credit.is_some()) {
        header.slices.push(CREDIT_KIND.to_owned());
        header.apart.push(CREDIT_KIND.to_owned());
    }
    Ok(metrics)
}

/// Metric id -> the digest of its file.
pub fn digests(project: &Project, metrics: &Metrics) -> BTreeMap<String, Digest> {
    let digest = |metric: &Metric| project.find(&metric.path).map(|file| file.digest);
    metrics.iter().filter_map(|(id, metric)| Some((id.clone(), digest(metric)?))).collect()
}

fn one(path: &str, source: &str) -> Result<Metric> {
    let mut parts = path[FOLDER.len()..].split('/');
    let (Some(group), Some(file), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Diagnostic::project(format!("{path} stands in no group"))
            .at(Place::file(path))
            .help("metrics stand in queries/metrics/<group>/<id>.sql"));
    };
    let id = file.trim_end_matches(".sql");
    if !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(Diagnostic::project(format!("`{id}` is no metric id"))
            .at(Place::file(path))
            .help("an id has lower-case letters, digits and _ only: it is a name in SQL"));
    }
    let split = project::split(path, source)?;
    Ok(Metric {
        id: id.to_owned(),
        group: group.to_owned(),
        path: path.to_owned(),
        header: project::toml(path, source, split.header, 1)?,
        sql: split.sql.to_owned(),
        sql_line: split.sql_line,
        source: source.to_owned(),
    })
}

/// The place of a word in a metric's header.
pub fn place(metric: &Metric, word: &str) -> Place {
    let lines = metric.source.lines().enumerate();
    let places = lines.map(|(i, _)| Place::line(&metric.path, &metric.source, i + 1).word(word));
    places.into_iter().find(|place| place.column > 0).unwrap_or_else(|| Place::file(&metric.path))
}

/// A metric's own SQL, with its place.
pub fn sql(metric: &Metric) -> Sql<'_> {
    Sql {
        file: &metric.path,
        source: &metric.source,
        text: &metric.sql,
        first_line: metric.sql_line,
        is_definition: true,
    }
}

fn check(metric: &Metric) -> Result<()> {
    let header = &metric.header;
    let wrong = |message: &str, word: &str, help: &str| {
        Err(Diagnostic::project(message.to_owned()).at(place(metric, word)).help(help))
    };
    let has_sql = !metric.sql.is_empty();
    match (&header.formula, &header.facts) {
        (Some(_), Some(_)) => return wrong("a formula has no facts", "facts", "keep `formula` or `facts`"),
        (Some(_), None) if has_sql => {
            return wrong("a formula has no SQL beneath its header", "formula", "remove the SQL, or the formula");
        }
        (None, Some(_)) if has_sql => {
            return wrong("shared facts have no SQL of their own", "facts", "remove the SQL, or `facts`");
        }
        (None, None) if !has_sql => {
            return wrong(
                "there is no SQL beneath the header",
                "title",
                "write a SELECT that returns the rows that count",
            );
        }
        _ => {}
    }
    if header.formula.is_some() && header.credit.is_some() {
        return wrong("a formula has no facts to share", "credit", "its parts are shared: give `credit` to them");
    }
    if header.formula.is_none() {
        if header.aggregate.is_none() {
            return wrong("`aggregate` is missing", "title", "say how facts add up: aggregate = \"sum\"");
        }
        if header.measure.is_none() {
            return wrong(
                "`measure` is missing",
                "title",
                "measure = \"flow\" for what happens, \"stock\" for what holds",
            );
        }
        if header.record.is_none() {
            return wrong(
                "`record` is missing",
                "title",
                "name the model table whose rows count: record = \"opportunities\"",
            );
        }
    }
    if header.window.is_some() && (header.formula.is_some() || measure(metric) == Measure::Stock) {
        return wrong("only what happens on a day has a window", "window", "set it on the metrics that a formula uses");
    }
    if let Some(days) = header.cohort_days {
        let ratio = header.aggregate == Some(Aggregate::Ratio) && measure(metric) == Measure::Flow;
        if !ratio || header.formula.is_some() || !(1..=3660).contains(&days) {
            return wrong(
                "a cohort is a ratio of what happens, over 1 to 3660 days",
                "cohort_days",
                "set measure = \"flow\" and aggregate = \"ratio\", and return `converted_on` instead of the two sides",
            );
        }
    }
    for (i, slice) in header.slices.iter().enumerate() {
        let plain = slice.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain || slice.is_empty() || TAKEN.contains(&slice.as_str()) || header.slices[..i].contains(slice) {
            return wrong(
                &format!("`{slice}` cannot be a slice"),
                slice,
                "a slice is named once, by lower-case letters, digits and _, and not as a column of the engine",
            );
        }
    }
    if header.cadence.is_empty() || header.levels.is_empty() {
        return wrong("a metric has at least one cadence and one level", "title", "leave them out for all of them");
    }
    for pair in &header.pairs {
        let known = pair.split('*').all(|slice| header.slices.iter().any(|s| s == slice));
        if pair.split('*').count() != 2 || !known {
            return wrong("a pair is two of the slices", pair, "write it as \"competitor*segment\"");
        }
    }
    for slice in &header.multi {
        let in_pair = header.pairs.iter().any(|pair| pair.split('*').any(|part| part == slice));
        if !header.slices.contains(slice) {
            return wrong("`multi` names a slice", slice, "add it to `slices`");
        }
        if in_pair || header.apart.contains(slice) || OF_THE_ENGINE.contains(&slice.as_str()) {
            return wrong(
                &format!("`{slice}` has several values for a fact, and cannot be in a pair, apart, or the engine's"),
                slice,
                "take it out of `multi`, or out of `pairs` and `apart`",
            );
        }
    }
    if let Some(slice) = header.apart.iter().find(|slice| !header.slices.contains(slice)) {
        return wrong("`apart` names a slice", slice, "add it to `slices`");
    }
    Ok(())
}

/// The metrics that this one needs before it can be scored.
pub fn uses(metric: &Metric) -> Result<BTreeSet<String>> {
    let mut uses: BTreeSet<String> = metric.header.reads.iter().chain(&metric.header.facts).cloned().collect();
    if let Some(text) = &metric.header.formula {
        let formula = formula::parse(text).map_err(|error| error.at(place(metric, "formula")))?;
        uses.extend(formula.parts.into_iter().map(|part| part.metric));
    }
    Ok(uses)
}

/// The order in which metrics can be scored: by id, each after those it uses.
pub fn order(metrics: &Metrics) -> Result<Vec<&Metric>> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::new();
    while order.len() < metrics.len() {
        let mut ready = None;
        for metric in metrics.values().filter(|metric| !done.contains(metric.id.as_str())) {
            if uses(metric)?.iter().all(|part| done.contains(part.as_str())) {
                ready = Some(metric);
                break;
            }
        }
        let Some(metric) = ready else {
            let circle: Vec<&str> = metrics.keys().map(String::as_str).filter(|id| !done.contains(id)).collect();
            let first = &metrics[circle[0]];
            return Err(Diagnostic::project(format!(
                "these metrics use each other in a circle: {}",
                circle.join(", ")
            ))
            .at(Place::file(&first.path)));
        };
        done.insert(&metric.id);
        order.push(metric);
    }
    Ok(order)
}

/// The metric whose SQL returns this one's facts: itself, unless it shares another's.
pub fn owner_of_facts<'a>(metrics: &'a Metrics, metric: &'a Metric) -> &'a Metric {
    match &metric.header.facts {
        Some(other) => owner_of_facts(metrics, &metrics[other]),
        None => metric,
    }
}

/// A metric's measure: a flow unless it says otherwise.
pub fn measure(metric: &Metric) -> Measure {
    metric.header.measure.unwrap_or(Measure::Flow)
}

/// A metric's aggregate; a formula has none and is treated as a sum of one row.
pub fn aggregate(metric: &Metric) -> Aggregate {
    metric.header.aggregate.unwrap_or(Aggregate::Sum)
}
