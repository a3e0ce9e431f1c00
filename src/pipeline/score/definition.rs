//! `queries/metrics/<group>/<id>.sql`: headers, checked against each other.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::aggregate::Aggregate;
use crate::domain::digest::Digest;
use crate::domain::metric::{Form, Measure, Metric, Metrics, Unit, Window};
use crate::engine::Sql;
use crate::engine::formula::{self, Accessor, Formula, Part};
use crate::project::{self, Project};
use std::collections::{BTreeMap, BTreeSet};

/// Where metrics stand.
pub const FOLDER: &str = "queries/metrics/";

/// Slices that the engine adds by itself.
pub const OF_THE_ENGINE: [&str; 2] = ["tenure_band", "role"];

/// The slice that keeps overlay credit apart, added to every metric that shares its facts over credits.
pub const CREDIT_KIND: &str = "credit_kind";

/// The table without which nothing has a value at the plan's rates.
const RATES: &str = "exchange_rates";

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
        for part in uses(metric)?.into_iter().filter(|part| Some(part) != plan_twin(metric).as_ref()) {
            if !metrics.contains_key(&part) {
                return Err(Diagnostic::project(format!("`{part}` is no metric"))
                    .at(place(metric, &part))
                    .closest(&part, metrics.keys().map(String::as_str)));
            }
        }
    }
    add_plans(&mut metrics);
    order(&metrics)?;
    tell_owners(&mut metrics);
    add_windows(&mut metrics)?;
    metrics.values().try_for_each(|metric| check_parts(metric, &metrics))?;
    for header in metrics.values_mut().map(|metric| &mut metric.header).filter(|header| header.credit.is_some()) {
        header.slices.push(CREDIT_KIND.to_owned());
        header.apart.push(CREDIT_KIND.to_owned());
    }
    Ok(metrics)
}

/// Tells the owners of shared facts which columns are for others.
fn tell_owners(metrics: &mut Metrics) {
    let sharers = metrics.values().filter(|metric| metric.header.facts.is_some());
    let told: Vec<(String, BTreeSet<String>)> = sharers
        .map(|sharer| {
            let header = &sharer.header;
            let added = sharer.aggregate().columns(&sharer.values(), false);
            let added = added.iter().map(|column| column.name);
            let columns = added.chain(header.slices.iter().map(String::as_str));
            (owner_of_facts(metrics, sharer).id.clone(), columns.map(String::from).collect())
        })
        .collect();
    for (owner, columns) in told {
        if let Some(metric) = metrics.get_mut(&owner) {
            metric.for_others.extend(columns);
        }
    }
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
        form: Form::Itself,
        for_others: BTreeSet::new(),
    })
}

/// The id of a metric's twin at the plan's exchange rates, if it has one.
pub fn plan_twin(metric: &Metric) -> Option<String> {
    metric.header.plan.as_ref().map(|_| format!("{}__plan", metric.id))
}

/// Adds the twins at the plan's exchange rates: the same facts, with their value there.
fn add_plans(metrics: &mut Metrics) {
    let twin = |metric: &Metric| {
        let mut twin = Metric { id: plan_twin(metric)?, form: Form::AtPlan(metric.id.clone()), ..metric.clone() };
        twin.header.value = twin.header.plan.take();
        twin.header.hidden = true;
        twin.header.needs.push(RATES.to_owned());
        Some((twin.id.clone(), twin))
    };
    let twins: Vec<_> = metrics.values().filter_map(twin).collect();
    metrics.extend(twins);
}

/// Adds what formulas with a window use: their parts, over that window.
fn add_windows(metrics: &mut Metrics) -> Result<()> {
    let mut waiting: Vec<String> =
        metrics.values().filter(|m| m.is_formula() && m.header.window.is_some()).map(|m| m.id.clone()).collect();
    while let Some(id) = waiting.pop() {
        let Some(window) = metrics[&id].header.window else { continue };
        let parts = uses(&metrics[&id])?.into_iter().filter(|part| has_window(metrics, &metrics[part])).collect();
        let parts: BTreeSet<String> = parts;
        for part in &parts {
            let over = over_window(part, window);
            if metrics.contains_key(&over) {
                continue;
            }
            let form = Form::OverWindow(part.clone());
            let mut twin = Metric { id: over.clone(), form, ..metrics[part].clone() };
            twin.header.window = Some(window);
            twin.header.hidden = true;
            // What it is worth at the plan's rates is wanted over the same window.
            if let (Some(of), Some(id)) = (plan_twin(&metrics[part]), plan_twin(&twin)) {
                let mut at_plan = Metric { id: id.clone(), ..metrics[&of].clone() };
                at_plan.header.window = Some(window);
                metrics.insert(id, at_plan);
            }
            if twin.is_formula() {
                waiting.push(over.clone());
            }
            metrics.insert(over, twin);
        }
        let name = |name: &str| parts.contains(name).then(|| over_window(name, window));
        let header = &metrics[&id].header;
        let formula = header.formula.as_deref().map(|text| formula::renamed(text, name)).transpose()?;
        let states = header.states.iter().map(|(word, text)| Ok((word.clone(), formula::renamed(text, name)?)));
        let states = states.collect::<Result<_>>()?;
        if let Some(metric) = metrics.get_mut(&id) {
            (metric.header.formula, metric.header.states) = (formula, states);
        }
    }
    Ok(())
}

fn over_window(metric: &str, window: Window) -> String {
    format!("{metric}__{}", String::from(window).replace(' ', "_"))
}

/// Whether a formula's window is also that of this part: of flows without one, and of formulas over such.
fn has_window(metrics: &Metrics, part: &Metric) -> bool {
    let of_parts = |part: &Metric| {
        uses(part).unwrap_or_default().iter().any(|id| metrics.get(id).is_some_and(|part| has_window(metrics, part)))
    };
    match part.is_formula() {
        true => part.header.window.is_none() && of_parts(part),
        false => part.header.window.is_none() && part.header.reads.is_empty() && measure(part) == Measure::Flow,
    }
}

/// Checks what a formula takes of its parts.
fn check_parts(metric: &Metric, metrics: &Metrics) -> Result<()> {
    for part in all_parts(metric)? {
        let Some(of) = metrics.get(&part.metric) else { continue };
        let stock = !of.is_formula() && measure(of) == Measure::Stock;
        let adds = of.header.aggregate.is_some_and(|of| of.is_additive() && of.is_zero_without_facts());
        let (fits, word, needs) = match part.taken {
            Accessor::AtStart => (stock, "at_start", "what holds over time: a metric with measure = \"stock\""),
            Accessor::Due => (stock && adds, "due", "a sum or count of what holds over time"),
            _ => continue,
        };
        if !fits {
            return Err(Diagnostic::project(format!("`{word}` cannot be taken of {}", part.metric))
                .at(place(metric, word))
                .help(format!("it is of {needs}")));
        }
    }
    Ok(())
}

/// A metric's formula, if it has one.
pub fn formula(metric: &Metric) -> Result<Option<Formula>> {
    let parsed = metric.header.formula.as_deref().map(formula::parse).transpose();
    parsed.map_err(|error| error.at(place(metric, "formula")))
}

/// The words that stand for a formula's number, and their conditions.
pub fn states(metric: &Metric) -> Result<Vec<(&str, Formula)>> {
    let states = metric.header.states.iter().map(|(word, text)| Ok((word.as_str(), formula::parse(text)?)));
    states.collect::<Result<_>>().map_err(|error: Box<Diagnostic>| error.at(place(metric, "states")))
}

/// All that a formula and its states take.
pub fn all_parts(metric: &Metric) -> Result<BTreeSet<Part>> {
    let mut parts = formula(metric)?.unwrap_or_default().parts;
    parts.extend(states(metric)?.into_iter().flat_map(|(_, state)| state.parts));
    Ok(parts)
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
    if header.window.is_some() && header.formula.is_none() && measure(metric) == Measure::Stock {
        return wrong("what holds over time has no window", "window", "set it on flows, or on a formula over them");
    }
    if !header.states.is_empty() && header.formula.is_none() {
        return wrong("only a formula has states", "states", "write the formula of which they are, or take them out");
    }
    if header.empty.is_some() && header.formula.is_none() {
        return wrong(
            "only a formula says why it is empty",
            "empty",
            "take it out: what has facts is empty without them",
        );
    }
    if let Some(word) = header.states.keys().find(|word| !word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
        return wrong("a state is a word of lower-case letters", word, "states = { met = \"...\" }");
    }
    let sums = header.aggregate.is_some_and(Aggregate::is_sum_of_values);
    if header.value.is_some() && (header.facts.is_none() || !sums) {
        return wrong(
            "`value` names a column of shared facts to add up",
            "value",
            "set `facts`, and aggregate = \"sum\"",
        );
    }
    if header.plan.is_some() && !(sums && header.unit == Unit::Money) {
        return wrong("only a sum of money has a value at the plan's rates", "plan", "take `plan` out of the header");
    }
    if let Some(days) = header.cohort_days {
        let ratio = header.aggregate.is_some_and(Aggregate::has_two_sides) && measure(metric) == Measure::Flow;
        if !ratio || header.formula.is_some() || !(1..=3660).contains(&days) {
            return wrong(
                "a cohort is a ratio of what happens, over 1 to 3660 days",
                "cohort_days",
                "set measure = \"flow\" and aggregate = \"ratio\", and return `converted_on` instead of the two sides",
            );
        }
    }
    check_slices(metric)
}

fn check_slices(metric: &Metric) -> Result<()> {
    let header = &metric.header;
    let wrong = |message: &str, word: &str, help: &str| {
        Err(Diagnostic::project(message.to_owned()).at(place(metric, word)).help(help))
    };
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
    for slice in header.multi.iter().chain(&header.allocated) {
        let word = if header.multi.contains(slice) { "multi" } else { "allocated" };
        let in_pair = header.pairs.iter().any(|pair| pair.split('*').any(|part| part == slice));
        if !header.slices.contains(slice) {
            return wrong(&format!("`{word}` names a slice"), slice, "add it to `slices`");
        }
        if in_pair || header.apart.contains(slice) || OF_THE_ENGINE.contains(&slice.as_str()) {
            return wrong(
                &format!("`{slice}` has several values for a fact, and cannot be in a pair, apart, or the engine's"),
                slice,
                &format!("take it out of `{word}`, or out of `pairs` and `apart`"),
            );
        }
        let members = header.aggregate.and_then(Aggregate::allocated_members);
        let shared = members.is_some() && header.cohort_days.is_none();
        if word == "allocated" && (!shared || header.multi.contains(slice)) {
            return wrong(
                &format!("`{slice}` cannot be allocated"),
                slice,
                "the parts of a sum or of a ratio's two sides can: take it out of `allocated`",
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
    let header = &metric.header;
    let mut uses: BTreeSet<String> = header.reads.iter().chain(&header.facts).cloned().collect();
    let parts = all_parts(metric)?.into_iter().filter(|part| part.taken != Accessor::Months);
    uses.extend(parts.map(|part| part.metric));
    uses.extend(plan_twin(metric));
    Ok(uses)
}

/// A metric and all that it uses.
pub fn needed(metrics: &Metrics, metric: &Metric) -> Result<Metrics> {
    let mut all = Metrics::from([(metric.id.clone(), metric.clone())]);
    for part in uses(metric)? {
        all.extend(needed(metrics, &metrics[&part])?);
    }
    Ok(all)
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
            let circle = circle(metrics, &done)?;
            let first = &metrics[&circle[0]];
            let header = &first.header;
            let word = if header.formula.is_some() { "formula" } else { circle.get(1).map_or("reads", String::as_str) };
            return Err(Diagnostic::project(format!("metrics use each other in a circle: {}", circle.join(" -> ")))
                .at(place(first, word))
                .help("let one of them stand on facts, or on metrics that do not come back to it"));
        };
        done.insert(&metric.id);
        order.push(metric);
    }
    Ok(order)
}

/// Metrics that lead back to the first of them, which is also the last.
fn circle(metrics: &Metrics, done: &BTreeSet<&str>) -> Result<Vec<String>> {
    // Everything that is not done uses something that is not: following that must come back.
    let mut path: Vec<String> = metrics.keys().filter(|id| !done.contains(id.as_str())).take(1).cloned().collect();
    while let Some(last) = path.last().and_then(|id| metrics.get(id)) {
        let Some(next) = uses(last)?.into_iter().find(|part| !done.contains(part.as_str())) else { break };
        let start = path.iter().position(|id| *id == next);
        path.push(next);
        if let Some(start) = start {
            return Ok(path.split_off(start));
        }
    }
    Ok(path)
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
