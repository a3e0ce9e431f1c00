//! From facts to cells: one row per level, entity, period and slice, still as sums (`a` over `b`).
//!
//! Cells are many and are read once: what is made here is their query, not their rows.

use crate::diagnostic::Result;
use crate::domain::metric::{Aggregate, Metric, Metrics};
use crate::domain::score::NO_VALUE;
use crate::engine::Session;
use crate::engine::formula::{self, Formula, Part, Taken};
use crate::pipeline::score::definition;
use crate::pipeline::score::facts::{Kept, Shape};
use crate::pipeline::score::periods::SPANS;

const OF_CELL: &str = "level, entity, grain, period_start";
const CELL: &str = "level, entity, grain, period_start, span";

/// Puts values in the place of `{name}` in an SQL file of this folder.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// The rows of several queries. One that begins with WITH cannot stand in a union by itself.
fn all_of(queries: impl Iterator<Item = String>) -> String {
    queries.map(|query| format!("SELECT * FROM (\n{query}\n)")).collect::<Vec<_>>().join("\nUNION ALL\n")
}

/// What is common to the queries of a metric.
struct Query<'a> {
    metric: &'a Metric,
    slices: Vec<&'a String>,
    multi: Option<&'a str>,
    levels: String,
    grains: String,
}

fn quoted(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    names.map(|name| format!("'{}'", name.as_ref().replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

impl<'a> Query<'a> {
    fn of(metric: &'a Metric) -> Query<'a> {
        let header = &metric.header;
        let levels = quoted(header.levels.iter());
        let grains = quoted(header.cadence.iter().map(|grain| grain.name()));
        let slices = header.slices.iter().filter(|slice| !header.multi.contains(slice)).collect();
        Query { metric, slices, multi: None, levels, grains }
    }

    /// Of a slice that has several values for a fact: the facts stand there once for each, so nothing else may count them.
    fn of_multi(metric: &'a Metric, slice: &'a String) -> Query<'a> {
        let slices = metric.header.apart.iter().chain([slice]).collect();
        Query { slices, multi: Some(slice), ..Query::of(metric) }
    }

    /// The slices, each followed by a comma, so that they may be none.
    fn slices(&self, prefix: &str) -> String {
        self.slices.iter().map(|slice| format!("{prefix}{slice}, ")).collect()
    }

    /// The main cells, and one more query for each slice that stands apart.
    fn groupings(&self) -> Vec<Grouping<'_>> {
        let header = &self.metric.header;
        let total = header.apart.iter().map(|slice| format!("{slice} = '{NO_VALUE}'")).collect::<Vec<_>>();
        let rows = if total.is_empty() { "TRUE".to_owned() } else { total.join(" AND ") };
        if let Some(slice) = self.multi {
            return vec![Grouping { rows, groups: vec![vec![slice]] }];
        }
        let mut groups: Vec<Vec<&str>> = vec![Vec::new()];
        let within = self.slices.iter().filter(|slice| !header.apart.contains(slice));
        groups.extend(within.map(|slice| vec![slice.as_str()]));
        groups.extend(header.pairs.iter().map(|pair| pair.split('*').collect()));
        let mut all = vec![Grouping { rows, groups }];
        for slice in &header.apart {
            // Overlay credit stands on its own line alone, whatever else stands apart.
            let shared = header.credit.is_some() && slice != definition::CREDIT_KIND;
            let revenue =
                if shared { format!(" AND {} = '{NO_VALUE}'", definition::CREDIT_KIND) } else { String::new() };
            let rows = format!("{slice} <> '{NO_VALUE}'{revenue}");
            all.push(Grouping { rows, groups: vec![vec![slice]] });
        }
        all
    }
}

/// A set of slices to group by, over some of the rows.
struct Grouping<'a> {
    rows: String,
    groups: Vec<Vec<&'a str>>,
}

impl Grouping<'_> {
    fn sets(&self, within: &str) -> String {
        let set = |group: &Vec<&str>| {
            let slices: String = group.iter().map(|slice| format!(", {slice}")).collect();
            format!("({CELL}{slices}{within})")
        };
        self.groups.iter().map(set).collect::<Vec<_>>().join(", ")
    }

    /// A slice is NULL exactly where it is not grouped by: facts have `(none)` for nothing. Longer groups come first,
    /// for whoever is grouped by two slices is not NULL in either.
    fn by_group(&self, of: impl Fn(&[&str]) -> String) -> String {
        let mut groups: Vec<&Vec<&str>> = self.groups.iter().filter(|group| !group.is_empty()).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        if groups.is_empty() {
            return "''".into();
        }
        let whens = groups.into_iter().map(|group| {
            let grouped: Vec<String> = group.iter().map(|slice| format!("{slice} IS NOT NULL")).collect();
            format!("WHEN {} THEN {}", grouped.join(" AND "), of(group))
        });
        format!("CASE {} ELSE '' END", whens.collect::<Vec<_>>().join(" "))
    }
}

/// The query that adds the metric's facts up, from the session's table `facts`.
pub async fn of_facts(session: &Session, metric: &Metric, kept: &Kept, first_slot: &str) -> Result<String> {
    let mut cells = Vec::new();
    for slice in &metric.header.multi {
        let query = Query::of_multi(metric, slice);
        let facts = format!("facts_by_{slice}");
        session.keep_asked(&facts, &by_value(&query, kept, slice)).await?;
        cells.extend(added_up(session, &query, kept, &facts, first_slot).await?);
    }
    cells.extend(added_up(session, &Query::of(metric), kept, "facts", first_slot).await?);
    Ok(all_of(cells.into_iter()))
}

/// The facts, each once for every value that a slice has of it.
fn by_value(query: &Query<'_>, kept: &Kept, slice: &str) -> String {
    let place = match kept.shape {
        Shape::Flow => "rep_id, day",
        Shape::Stock => "rep_id, valid_from, valid_to",
        Shape::Given => "level, entity, grain, period_start",
    };
    let apart = query.slices.iter().filter(|other| other.as_str() != slice && !kept.is_late(other));
    let apart: String = apart.map(|slice| format!("{slice}, ")).collect();
    format!(
        "SELECT record_id, {place}, {apart}COALESCE(_value, '{NO_VALUE}') AS {slice}, a, b, unit \
         FROM (SELECT f.*, UNNEST(f.{slice}) AS _value FROM facts AS f) AS f"
    )
}

/// The queries that add facts up by a query's slices. What they read is kept; the facts themselves are let go, if they
/// are read no more.
async fn added_up(
    session: &Session,
    query: &Query<'_>,
    kept: &Kept,
    facts: &str,
    first_slot: &str,
) -> Result<Vec<String>> {
    let (metric, shape) = (query.metric, kept.shape);
    let aggregate = definition::aggregate(metric);
    let (template, select) = match (shape, aggregate.is_additive()) {
        (Shape::Flow, true) => (include_str!("sql/flow.sql"), Some(daily(query, facts))),
        (Shape::Flow, false) => (include_str!("sql/flow.sql"), None),
        (Shape::Stock, additive) => {
            let standing = match additive {
                true => standing(query, kept, facts, first_slot),
                false => fill(include_str!("sql/stock_facts.sql"), &[("facts", facts)]),
            };
            (include_str!("sql/stock.sql"), Some(kept.on_day(&format!("(\n{standing})"), "f.day")))
        }
        (Shape::Given, _) => (include_str!("sql/given.sql"), None),
    };
    let mut source = facts.to_owned();
    if let Some(select) = select {
        source = format!("summed_{facts}");
        session.keep_asked(&source, &select).await?;
        session.remove(facts)?;
    }
    let (inputs, outputs) = match (aggregate, shape) {
        (Aggregate::Distinct, _) => ("record_id", "record_id, COUNT(*) AS facts"),
        (Aggregate::Median, _) => {
            ("a", "MEDIAN(a) AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, COUNT(a) AS n, FALSE AS unit")
        }
        (_, Shape::Given) => ("", "SUM(a) AS a, SUM(b) AS b, COUNT(*) AS n, BOOL_AND(unit) AS unit"),
        _ => ("a, b, n, unit", "SUM(a) AS a, SUM(b) AS b, SUM(n) AS n, BOOL_AND(unit) AS unit"),
    };
    let groupings = query.groupings();
    let within = if aggregate == Aggregate::Distinct { ", record_id" } else { "" };
    let cells = groupings.iter().map(|grouping| {
        let cells = fill(
            template,
            &[
                ("source", &source),
                // `membership` has a role too.
                ("slices", &query.slices("f.")),
                ("inputs", inputs),
                ("outputs", outputs),
                ("levels", &query.levels),
                ("grains", &query.grains),
                ("rows", &grouping.rows),
                ("sets", &grouping.sets(within)),
                ("slice_name", &grouping.by_group(|group| format!("'{}'", group.join("*")))),
                ("slice_value", &grouping.by_group(slice_value)),
            ],
        );
        match aggregate {
            Aggregate::Distinct => fill(include_str!("sql/distinct.sql"), &[("records", &cells)]),
            _ => cells,
        }
    });
    Ok(cells.collect())
}

/// A slice's value as SQL. A pair's two are joined by `*`, and a `*` within one is escaped, so that no two pairs meet.
fn slice_value(group: &[&str]) -> String {
    match group {
        [one] => (*one).to_owned(),
        several => {
            let escaped = several.iter().map(|slice| format!("REPLACE(REPLACE({slice}, '\\', '\\\\'), '*', '\\*')"));
            escaped.collect::<Vec<_>>().join(" || '*' || ")
        }
    }
}

fn daily(query: &Query<'_>, facts: &str) -> String {
    let keys = format!("rep_id, day, {}", query.slices(""));
    let sums = "SUM(a) AS a, SUM(b) AS b, COUNT(*) AS n, BOOL_AND(unit) AS unit";
    let keys = keys.trim_end_matches(", ");
    fill(
        include_str!("sql/daily.sql"),
        &[("facts", facts), ("slices", &query.slices("")), ("sums", sums), ("keys", keys)],
    )
}

fn standing(query: &Query<'_>, kept: &Kept, facts: &str, first_slot: &str) -> String {
    let slices = || query.slices.iter().filter(|slice| !kept.is_late(slice));
    let before_comma = |prefix: &str| -> String { slices().map(|slice| format!(", {prefix}{slice}")).collect() };
    let after_comma = |prefix: &str| -> String { slices().map(|slice| format!("{prefix}{slice}, ")).collect() };
    fill(
        include_str!("sql/stock_standing.sql"),
        &[
            ("facts", facts),
            ("slices", &after_comma("")),
            ("seen_slices_of_s", &after_comma("s.")),
            ("seen_slices", &after_comma("c.")),
            ("seen_keys", &before_comma("c.")),
            ("keys_of_s", &before_comma("s.")),
            ("first_slot", first_slot),
        ],
    )
}

/// The query that adds a metric's targets up, from the session's tables `target_days` and `target_values`.
pub fn of_targets(metric: &Metric) -> String {
    let query = Query::of(metric);
    fill(include_str!("sql/targets.sql"), &[("levels", &query.levels), ("grains", &query.grains)])
}

/// The query that computes a formula over the scores of its parts (tables `score_<metric>`): of every period, and of
/// what an unfinished one is compared with.
pub fn of_formula(metrics: &Metrics, metric: &Metric) -> Result<String> {
    let text = metric.header.formula.as_deref().unwrap_or_default();
    let formula = formula::parse(text).map_err(|error| error.at(definition::place(metric, "formula")))?;
    Ok(all_of(SPANS.into_iter().map(|span| of_formula_in(span, &formula, metrics, metric))))
}

fn of_formula_in(span: &str, formula: &Formula, metrics: &Metrics, metric: &Metric) -> String {
    let query = Query::of(metric);
    let mut wanted = vec![String::new()];
    wanted.extend(metric.header.slices.iter().chain(&metric.header.pairs).cloned());
    let keys = formula.parts.iter().map(|part| {
        format!(
            "SELECT {OF_CELL}, slice, slice_value FROM score_{} WHERE {} IS NOT NULL AND slice IN ({}) AND level IN ({}) AND grain IN ({})",
            part.metric, column(part, span), quoted(wanted.iter()), query.levels, query.grains
        )
    });
    let keys = keys.collect::<Vec<_>>().join("\n    UNION\n    ");
    let keys = match span {
        "now" => format!("SELECT k.*, k.period_start AS of_start FROM ({keys}) AS k"),
        _ => format!(
            "SELECT k.*, u.earlier_start AS of_start FROM ({keys}) AS k \
             JOIN unfinished AS u ON u.grain = k.grain AND u.period_start = k.period_start AND u.span = '{span}'"
        ),
    };
    let parts = || formula.parts.iter().enumerate();
    let joins: Vec<String> = parts().map(|(i, part)| join(i, part, &metrics[&part.metric])).collect();
    let columns: Vec<String> = parts().map(|(i, part)| expression(i, part, span, &metrics[&part.metric])).collect();
    let values =
        formula.parts.iter().filter(|part| part.taken == Taken::Value).map(|part| format!("{}__n", part.metric));
    let values: Vec<String> = values.collect();
    let n = if values.is_empty() { "CAST(1 AS BIGINT)".to_owned() } else { format!("LEAST({})", values.join(", ")) };
    fill(
        include_str!("sql/formula.sql"),
        &[
            ("span", span),
            ("keys", &keys),
            ("columns", &columns.join(", ")),
            ("joins", &joins.join("\n    ")),
            ("expression", &formula.sql),
            ("n", &n),
        ],
    )
}

/// The column that holds what a formula takes. What is compared in part is in the column of that name.
fn column(part: &Part, span: &str) -> &'static str {
    match (part.taken, span) {
        (Taken::Value, "previous") | (Taken::Previous, _) => "previous",
        (Taken::Value, "year_before") | (Taken::YearBefore, _) => "year_before",
        (Taken::Value, _) => "value",
        (Taken::Target, _) => "target",
    }
}

/// Joins a part: on the key's slice if the part has it, else on its whole. Targets are set for wholes, and of what is
/// compared in part the target is still that of the whole period, as it is of an unfinished one.
fn join(i: usize, part: &Part, metric: &Metric) -> String {
    let own = metric.header.slices.iter().chain(&metric.header.pairs).filter(|_| part.taken != Taken::Target);
    let own = quoted(own.map(String::as_str).chain([""]));
    let start = if part.taken == Taken::Target { "of_start" } else { "period_start" };
    format!(
        "LEFT JOIN score_{id} AS p{i} ON p{i}.level = k.level AND p{i}.entity = k.entity AND p{i}.grain = k.grain \
         AND p{i}.period_start = k.{start} AND p{i}.slice = CASE WHEN k.slice IN ({own}) THEN k.slice ELSE '' END \
         AND p{i}.slice_value = CASE WHEN k.slice IN ({own}) THEN k.slice_value ELSE '' END",
        id = part.metric
    )
}

/// A part as a column. Without facts, a sum is nought and a ratio is empty.
fn expression(i: usize, part: &Part, span: &str, metric: &Metric) -> String {
    // An earlier period's earlier period is not known in part.
    let unknown = span != "now" && matches!(part.taken, Taken::Previous | Taken::YearBefore);
    let value = match unknown {
        true => "CAST(NULL AS DOUBLE)".to_owned(),
        false => format!("CAST(p{i}.{} AS DOUBLE)", column(part, span)),
    };
    let nought = metric.is_nought_without_facts() && part.taken == Taken::Value;
    let value = if nought { format!("COALESCE({value}, 0)") } else { value };
    let n = match part.taken {
        Taken::Value => format!(", COALESCE(p{i}.n, 0) AS {}__n", part.metric),
        _ => String::new(),
    };
    format!("{value} AS {}{n}", part.column())
}
