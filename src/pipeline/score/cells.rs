//! From facts to cells: one row per level, entity, period and slice, still as sums (`a` over `b`).
//!
//! Cells are many and are read once: what is made here is their query, not their rows.

use crate::diagnostic::Result;
use crate::domain::metric::{Metric, Metrics, months_of_days};
use crate::domain::period::{Grain, Period};
use crate::domain::score::{NO_VALUE, NotSupplied};
use crate::engine::Session;
use crate::engine::formula::{Accessor, Formula, Part};
use crate::engine::text::{fill, literal, literals};
use crate::pipeline::score::periods::{DUE, PLAN, Periods, SPANS};
use crate::pipeline::score::prepared::{PreparedFacts, Shape};
use crate::pipeline::score::{allocation, definition};
use std::collections::{BTreeMap, BTreeSet};

/// What keys of a single metric take along.
const TAKEN_ALONG: &str = ", value AS _value, previous AS _previous, year_before AS _year_before, n AS _n";
const OF_CELL: &str = "level, entity, grain, period_start";

/// How cells say what they are of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// By name.
    Named,
    /// By the numbers of the session's tables `entities` and `spans`.
    Numbered,
}

impl Keys {
    fn of(shape: Shape) -> Keys {
        if shape == Shape::PreAggregated { Keys::Named } else { Keys::Numbered }
    }

    /// The columns.
    fn cell(self) -> &'static str {
        match self {
            Keys::Named => "level, entity, grain, period_start, span",
            Keys::Numbered => "entity_no, span_no",
        }
    }

    /// The order of entities and grains.
    fn order(self) -> &'static str {
        match self {
            Keys::Named => "level, entity, grain",
            Keys::Numbered => self.cell(),
        }
    }
}

/// The rows of several queries. One that begins with WITH cannot stand in a union by itself.
fn all_of(queries: impl Iterator<Item = String>) -> String {
    queries.map(|query| format!("SELECT * FROM (\n{query}\n)")).collect::<Vec<_>>().join("\nUNION ALL\n")
}

/// The cells of a metric, as SQL.
pub struct Cells {
    /// Every one: what it is of, slice and its value, `a`, `b`, `n`, `unit`, `state`.
    all: String,
    /// The same of reps as a whole.
    of_reps: String,
    keys: Keys,
}

impl Cells {
    /// All of a metric's cells, entity by entity and grain by grain.
    pub fn assembled(&self, metric: &Metric) -> Result<String> {
        fill(
            include_str!("sql/assemble.sql"),
            &[
                ("cell", self.keys.cell()),
                ("order", self.keys.order()),
                ("cells", &self.all),
                ("plan", &at_plan(metric, self.keys)),
            ],
        )
    }

    /// Those of reps as a whole in periods themselves, by name.
    pub fn of_reps(&self) -> String {
        let names = match self.keys {
            Keys::Named => "",
            Keys::Numbered => " JOIN entities USING (entity_no) JOIN spans USING (span_no)",
        };
        format!(
            "SELECT grain, period_start, entity, a, b, n FROM ({}) AS c{names} WHERE span = '{}'",
            self.of_reps, SPANS[0]
        )
    }
}

/// What is common to the queries of a metric.
struct Query<'a> {
    metric: &'a Metric,
    slices: Vec<&'a String>,
    /// The only slice that is grouped by: one of which facts have lists.
    listed: Option<&'a str>,
    /// Nothing is grouped by slices.
    is_whole: bool,
    levels: String,
    grains: String,
}

impl<'a> Query<'a> {
    fn of(metric: &'a Metric) -> Query<'a> {
        let header = &metric.header;
        let levels = literals(header.levels.iter());
        let grains = literals(header.cadence.iter().map(|grain| grain.name()));
        let is_listed = |slice: &String| header.multi.contains(slice) || header.allocated.contains(slice);
        let slices = header.slices.iter().filter(|slice| !is_listed(slice)).collect();
        Query { metric, slices, listed: None, is_whole: false, levels, grains }
    }

    /// Of a slice that has several values for a fact: the facts stand there once for each, so nothing else may count them.
    fn of_listed(metric: &'a Metric, slice: &'a String) -> Query<'a> {
        let slices = metric.header.apart.iter().chain([slice]).collect();
        Query { slices, listed: Some(slice), ..Query::of(metric) }
    }

    /// Of reps, without slices.
    fn of_reps(metric: &'a Metric) -> Query<'a> {
        let slices = metric.header.apart.iter().collect();
        Query { slices, is_whole: true, levels: literals(["rep"]), ..Query::of(metric) }
    }

    /// The slices, each followed by a comma, so that they may be none.
    fn slices(&self, prefix: &str) -> String {
        self.slices.iter().map(|slice| format!("{prefix}{slice}, ")).collect()
    }

    /// The main cells, and one more query for each slice that stands apart. Where nothing is shared no credit stands apart.
    fn groupings(&self, is_shared: bool) -> Vec<Grouping<'_>> {
        let header = &self.metric.header;
        let total = header.apart.iter().map(|slice| format!("{slice} = '{NO_VALUE}'")).collect::<Vec<_>>();
        let rows = if total.is_empty() { "TRUE".to_owned() } else { total.join(" AND ") };
        if let Some(slice) = self.listed {
            return vec![Grouping { rows, groups: vec![vec![slice]] }];
        }
        if self.is_whole {
            return vec![Grouping { rows, groups: vec![Vec::new()] }];
        }
        let mut groups: Vec<Vec<&str>> = vec![Vec::new()];
        let within = self.slices.iter().filter(|slice| !header.apart.contains(slice));
        groups.extend(within.map(|slice| vec![slice.as_str()]));
        groups.extend(header.pairs.iter().map(|pair| pair.split('*').collect()));
        let mut all = vec![Grouping { rows, groups }];
        for slice in header.apart.iter().filter(|slice| is_shared || *slice != definition::CREDIT_KIND) {
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
    fn sets(&self, cell: &str, within: &str) -> String {
        let set = |group: &Vec<&str>| {
            let slices: String = group.iter().map(|slice| format!(", {slice}")).collect();
            format!("({cell}{slices}{within})")
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

/// The queries that add the metric's facts up, from the session's table `facts`.
pub async fn of_facts(session: &Session, metric: &Metric, prepared: &PreparedFacts, first_slot: &str) -> Result<Cells> {
    let mut all = Vec::new();
    for slice in metric.header.multi.iter().chain(&metric.header.allocated) {
        let query = Query::of_listed(metric, slice);
        let facts = format!("facts_by_{slice}");
        session.materialize(&facts, &by_value(&query, prepared, slice)?).await?;
        let source = summed(session, &query, prepared, &facts, first_slot).await?;
        all.extend(added_up(&query, prepared, &source)?);
    }
    let query = Query::of(metric);
    let source = summed(session, &query, prepared, "facts", first_slot).await?;
    all.extend(added_up(&query, prepared, &source)?);
    let of_reps = all_of(added_up(&Query::of_reps(metric), prepared, &source)?.into_iter());
    Ok(Cells { all: all_of(all.into_iter()), of_reps, keys: Keys::of(prepared.shape) })
}

/// The facts, each once for every value that a slice has of it, or for each of its parts.
fn by_value(query: &Query<'_>, prepared: &PreparedFacts, slice: &str) -> Result<String> {
    if query.metric.header.allocated.iter().any(|allocated| allocated == slice) {
        return allocation::sql(query.metric, prepared, slice);
    }
    let place = prepared.place(query.metric).join(", ");
    Ok(format!(
        "SELECT record_id, {place}, COALESCE(_value, '{NO_VALUE}') AS {slice}, a, b, unit \
         FROM (SELECT f.*, UNNEST(f.{slice}) AS _value FROM facts AS f) AS f"
    ))
}

/// Brings facts into what their cells are added up from: sums by rep and day, or what stands on each measuring day. Gives
/// the table's name. The facts themselves are let go, if they are read no more.
async fn summed(
    session: &Session,
    query: &Query<'_>,
    prepared: &PreparedFacts,
    facts: &str,
    first_slot: &str,
) -> Result<String> {
    let additive = query.metric.aggregate().is_additive();
    let select = match prepared.shape {
        Shape::Flow if additive => daily(query, facts)?,
        Shape::Stock => {
            let standing = match additive {
                true => standing(query, prepared, facts, first_slot)?,
                false => {
                    let value = if prepared.since {
                        "f.a + CAST(CAST(m.measured_on AS INT) AS DECIMAL(38, 12))"
                    } else {
                        "f.a"
                    };
                    fill(include_str!("sql/stock_facts.sql"), &[("facts", facts), ("value", value)])?
                }
            };
            prepared.on_day(&format!("(\n{standing})"), "f.day")
        }
        Shape::Flow | Shape::PreAggregated => return Ok(facts.to_owned()),
    };
    let source = format!("summed_{facts}");
    session.materialize(&source, &select).await?;
    session.deregister(facts)?;
    Ok(source)
}

/// The queries that add up by a query's slices, from facts or their sums.
fn added_up(query: &Query<'_>, prepared: &PreparedFacts, source: &str) -> Result<Vec<String>> {
    let (shape, aggregate) = (prepared.shape, query.metric.aggregate());
    let template = match shape {
        Shape::Flow => include_str!("sql/flow.sql"),
        Shape::Stock => include_str!("sql/stock.sql"),
        Shape::PreAggregated => include_str!("sql/given.sql"),
    };
    let outputs = aggregate.outputs(shape == Shape::PreAggregated);
    let groupings = query.groupings(prepared.shared);
    let within = if aggregate.counts_records() { ", record_id" } else { "" };
    let cell = Keys::of(shape).cell();
    let due = if prepared.due_on { "f.due_on BETWEEN p.period_start AND p.period_end" } else { "FALSE" };
    let due = format!("(p.span <> '{DUE}' OR {due})");
    // What they are joined with has columns too.
    let slices = query.slices("f.");
    let cells = groupings.iter().map(|grouping| {
        let (rows, sets) = (&grouping.rows, grouping.sets(cell, within));
        let name = grouping.by_group(|group| literal(group.join("*")));
        let value = grouping.by_group(slice_value);
        let mut values = vec![("source", source), ("cell", cell), ("outputs", &outputs), ("levels", &query.levels)];
        values.extend([("rows", rows.as_str()), ("sets", &sets), ("slice_name", &name), ("slice_value", &value)]);
        if shape != Shape::PreAggregated {
            values.extend([("slices", slices.as_str()), ("inputs", aggregate.inputs())]);
        }
        if shape != Shape::Flow {
            values.push(("grains", &query.grains));
        }
        if shape == Shape::Stock {
            values.push(("due", &due));
        }
        let mut cells = fill(template, &values)?;
        if aggregate.counts_records() {
            cells = fill(include_str!("sql/distinct.sql"), &[("cell", cell), ("records", &cells)])?;
        }
        Ok(format!("SELECT *, CAST(NULL AS VARCHAR) AS state FROM (\n{cells}\n)"))
    });
    cells.collect()
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

fn daily(query: &Query<'_>, facts: &str) -> Result<String> {
    let keys = format!("rep_id, day, {}", query.slices(""));
    let sums = "SUM(a) AS a, SUM(b) AS b, COUNT(*) AS n, BOOL_AND(unit) AS unit";
    let keys = keys.trim_end_matches(", ");
    fill(
        include_str!("sql/daily.sql"),
        &[("facts", facts), ("slices", &query.slices("")), ("sums", sums), ("keys", keys)],
    )
}

fn standing(query: &Query<'_>, prepared: &PreparedFacts, facts: &str, first_slot: &str) -> Result<String> {
    let due_on = prepared.due_on.then_some("due_on");
    let slices = || {
        let known = query.slices.iter().filter(|slice| !prepared.is_late(slice));
        known.map(|slice| slice.as_str()).chain(due_on)
    };
    // What has stood since a day has stood for as many days as there are from it to the day of measuring.
    let weight = query.metric.aggregate().weight_of_a_day();
    let days = match prepared.since {
        true => format!(" + SUM({weight}) * CAST(CAST(m.measured_on AS INT) AS DECIMAL(18, 0))"),
        false => String::new(),
    };
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
            ("days", &days),
        ],
    )
}

/// The queries that compute a formula over the scores of its parts (tables `score_<metric>`): of every period, and of
/// what an unfinished one is compared with.
///
/// What is known of a formula's parts is in `of`.
pub fn of_formula(
    metrics: &Metrics,
    metric: &Metric,
    at_plan: &dyn Fn(&str) -> bool,
    periods: &Periods,
    of: &Parts,
) -> Result<Cells> {
    let compiled = Compiled::of(metrics, metric, at_plan, periods, of)?;
    let of_reps = compiled.cells(SPANS[0], &Query::of_reps(metric))?.unwrap_or_default();
    let query = Query::of(metric);
    let all = SPANS.into_iter().map(|span| compiled.cells(span, &query)).collect::<Result<Vec<_>>>()?;
    Ok(Cells { all: all_of(all.into_iter().flatten()), of_reps, keys: Keys::Named })
}

/// A formula and its states, ready to be filled in.
struct Compiled<'a> {
    metric: &'a Metric,
    metrics: &'a Metrics,
    formula: Formula,
    /// Word and condition, in the order in which they count.
    states: Vec<(&'a str, Formula)>,
    parts: BTreeSet<Part>,
    /// Metric -> its twin at the plan's exchange rates, where targets are meant at these.
    twins: BTreeMap<String, String>,
    periods: &'a Periods,
    of: &'a Parts,
}

/// What is known of the metrics that a formula uses.
pub struct Parts {
    /// Those whose facts name their cells: nothing is known of them in part of a period.
    pub given: BTreeSet<String>,
    /// Those that are not supplied, or not always were.
    pub not_supplied: BTreeMap<String, NotSupplied>,
}

/// The twins of what a formula holds against targets that are meant at the plan's exchange rates.
fn twins(metrics: &Metrics, metric: &Metric, at_plan: &dyn Fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
    let parts = definition::all_parts(metric)?;
    let of_targets = parts.iter().filter(|part| matches!(part.taken, Accessor::Target | Accessor::NextTarget));
    let twin = |part: &Part| Some((part.metric.clone(), definition::plan_twin(metrics.get(&part.metric)?)?));
    Ok(of_targets.filter(|part| at_plan(&part.metric)).filter_map(twin).collect())
}

/// The further metrics whose scores a formula reads for them.
pub fn plan_parts(
    metrics: &Metrics,
    metric: &Metric,
    at_plan: &dyn Fn(&str) -> bool,
) -> Result<impl Iterator<Item = String> + use<>> {
    Ok(twins(metrics, metric, at_plan)?.into_values())
}

impl<'a> Compiled<'a> {
    fn of(
        metrics: &'a Metrics,
        metric: &'a Metric,
        at_plan: &dyn Fn(&str) -> bool,
        periods: &'a Periods,
        of: &'a Parts,
    ) -> Result<Compiled<'a>> {
        let formula = definition::formula(metric)?.unwrap_or_default();
        let states = definition::states(metric)?;
        let parts = definition::all_parts(metric)?;
        let twins = twins(metrics, metric, at_plan)?;
        Ok(Compiled { metric, metrics, formula, states, parts, twins, periods, of })
    }

    /// The metric in whose scores a part is looked up.
    fn scores_of<'b>(&'b self, part: &'b Part) -> &'b str {
        let value = matches!(part.taken, Accessor::Value | Accessor::Previous | Accessor::YearBefore);
        self.twins.get(&part.metric).filter(|_| value).unwrap_or(&part.metric)
    }

    /// The cells of a span, unless nothing is known of it.
    fn cells(&self, span: &str, query: &Query<'_>) -> Result<Option<String>> {
        // Of an earlier period's own comparison, and of what was due then, nothing is known in part.
        let is_unknown = |part: &Part| match part.taken {
            Accessor::Previous | Accessor::YearBefore | Accessor::Due => true,
            Accessor::Value => self.of.given.contains(&part.metric),
            Accessor::Target | Accessor::NextTarget | Accessor::AtStart | Accessor::Months => false,
        };
        if span != SPANS[0] && self.parts.iter().any(is_unknown) {
            return Ok(None);
        }
        let one = |period: &Period| format!("(grain = '{}' AND period_start = DATE '{}')", period.grain, period.start);
        let compared: Vec<String> = self.periods.unfinished(&self.metric.header.cadence).map(|p| one(&p)).collect();
        let within = match span == SPANS[0] {
            true => format!("grain IN ({})", query.grains),
            false if compared.is_empty() => return Ok(None),
            false => format!("({})", compared.join(" OR ")),
        };
        let mut wanted = vec![String::new()];
        if !query.is_whole {
            wanted.extend(self.metric.header.slices.iter().chain(&self.metric.header.pairs).cloned());
        }
        let wanted = literals(wanted.iter());
        let within = format!("slice IN ({wanted}) AND level IN ({}) AND {within}", query.levels);
        // Scores are unique: only rows of several metrics can name a cell twice.
        let mut there: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for part in &self.parts {
            there.entry(&part.metric).or_default().extend(column(part, span));
        }
        let keys = there.iter().filter(|(_, columns)| !columns.is_empty()).map(|(scores, columns)| {
            let known: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
            let known = known.join(" OR ");
            let taken: String = if there.len() == 1 { TAKEN_ALONG.into() } else { String::new() };
            format!("SELECT {OF_CELL}, slice, slice_value{taken} FROM score_{scores} WHERE ({known}) AND {within}")
        });
        let keys = keys.collect::<Vec<_>>().join("\n    UNION\n    ");
        if keys.is_empty() {
            return Ok(None);
        }
        let keys = match span {
            "now" => format!("SELECT k.*, k.period_start AS of_start FROM ({keys}) AS k"),
            _ => format!(
                "SELECT k.*, u.earlier_start AS of_start FROM ({keys}) AS k \
                 JOIN unfinished AS u ON u.grain = k.grain AND u.period_start = k.period_start AND u.span = '{span}'"
            ),
        };
        // What stands beside the keys of a single metric need not be looked up.
        let alone = |part: &Part| {
            let own = part.taken == Accessor::Value && self.scores_of(part) == part.metric;
            let slices = [&self.metric.header.slices, &self.metric.header.pairs].into_iter().flatten();
            let of = &self.metrics[&part.metric].header;
            let has_all =
                query.is_whole || slices.into_iter().all(|slice| of.slices.contains(slice) || of.pairs.contains(slice));
            there.len() == 1 && own && has_all
        };
        let parts = || self.parts.iter().filter(|part| part.taken != Accessor::Months).enumerate();
        let joins: Vec<String> = parts()
            .filter(|(_, part)| !alone(part))
            .filter_map(|(i, part)| join(i, part, span, &self.metrics[self.scores_of(part)], query))
            .collect();
        let mut columns: Vec<String> = parts().map(|(i, part)| self.expression(i, part, alone(part), span)).collect();
        columns.push(format!("{} AS {}", self.months(), Part::months().column()));
        let values = self.formula.parts.iter().filter(|part| part.taken == Accessor::Value);
        let values: Vec<String> = values.map(|part| format!("{}__n", part.metric)).collect();
        let n =
            if values.is_empty() { "CAST(1 AS BIGINT)".to_owned() } else { format!("LEAST({})", values.join(", ")) };
        let states = self.states.iter().map(|(word, state)| format!("WHEN {} THEN '{word}' ", state.sql));
        let states: String = states.collect();
        let state = if states.is_empty() { "CAST(NULL AS VARCHAR)".to_owned() } else { format!("CASE {states}END") };
        let cells = fill(
            include_str!("sql/formula.sql"),
            &[
                ("span", span),
                ("keys", &keys),
                ("columns", &columns.join(", ")),
                ("joins", &joins.join("\n    ")),
                ("expression", &self.formula.sql),
                ("state", &state),
                ("n", &n),
            ],
        )?;
        Ok(Some(cells))
    }

    /// A part as a column. Without facts, a sum is zero and a ratio is empty; what was before is zero only where that
    /// is known.
    fn expression(&self, i: usize, part: &Part, alone: bool, span: &str) -> String {
        let of = if alone { "k._".to_owned() } else { format!("p{i}.") };
        let value = match column(part, span) {
            None => "CAST(NULL AS DOUBLE)".to_owned(),
            Some(column) => format!("CAST({of}{column} AS DOUBLE)"),
        };
        let now = span == SPANS[0];
        let zero = match part.taken {
            _ if !self.metrics[&part.metric].is_zero_without_facts() => None,
            Accessor::Value => Some("0".to_owned()),
            Accessor::AtStart => Some(self.zero_at_start(part)),
            Accessor::Due => now.then(|| "0".to_owned()),
            Accessor::Previous => now.then(|| self.zero_if_known(part, SPANS[1])),
            Accessor::YearBefore => now.then(|| self.zero_if_known(part, SPANS[2])),
            Accessor::Target | Accessor::NextTarget | Accessor::Months => None,
        };
        let value = zero.map_or(value.clone(), |zero| format!("COALESCE({value}, {zero})"));
        let n = match part.taken {
            Accessor::Value => format!(", COALESCE({of}n, 0) AS {}__n", part.metric),
            _ => String::new(),
        };
        format!("{value} AS {}{n}", part.column())
    }

    /// Nought but in the first period that is supplied: nothing is known of the day before.
    fn zero_at_start(&self, part: &Part) -> String {
        let until = self.of.not_supplied.get(&part.metric).map(|not| &not.until);
        let first = until.into_iter().flatten();
        let unknown: String = first
            .map(|(grain, first)| format!("WHEN k.grain = '{grain}' AND k.of_start = DATE '{first}' THEN NULL "))
            .collect();
        if unknown.is_empty() { "0".to_owned() } else { format!("CASE {unknown}ELSE CAST(0 AS DOUBLE) END") }
    }

    /// Nought in the periods of which the earlier one is known.
    fn zero_if_known(&self, part: &Part, span: &'static str) -> String {
        let in_part = !self.of.given.contains(&part.metric);
        let not = self.of.not_supplied.get(&part.metric);
        let of_grain = |grain: &Grain| {
            let known = self.periods.known(*grain, span, in_part, not.and_then(|not| not.until.get(grain)).copied());
            let starts = known.map(|period| format!("DATE '{}'", period.start));
            let starts = starts.collect::<Vec<_>>().join(", ");
            (!starts.is_empty())
                .then(|| format!("WHEN k.grain = '{grain}' AND k.period_start IN ({starts}) THEN CAST(0 AS DOUBLE) "))
        };
        let whens: String = self.metric.header.cadence.iter().filter_map(of_grain).collect();
        if whens.is_empty() { "NULL".to_owned() } else { format!("CASE {whens}END") }
    }

    /// How many months the period has, or the window.
    fn months(&self) -> String {
        if let Some(window) = self.metric.header.window {
            return format!("CAST({} AS DOUBLE)", window.months());
        }
        let months = |grain: Grain| match grain {
            Grain::Day => months_of_days(1.0),
            Grain::Week => months_of_days(7.0),
            Grain::Month => 1.0,
            Grain::Quarter => 3.0,
            Grain::Year => 12.0,
        };
        let whens = Grain::ALL.map(|grain| format!("WHEN '{grain}' THEN CAST({} AS DOUBLE)", months(grain)));
        format!("CASE k.grain {} END", whens.join(" "))
    }
}

/// The column that holds what a formula takes. What is compared in part is in the column of that name; `None` is not
/// known in part, or stands in no column.
fn column(part: &Part, span: &str) -> Option<&'static str> {
    let now = span == SPANS[0];
    match part.taken {
        Accessor::Value => Some(match span {
            "previous" => "previous",
            "year_before" => "year_before",
            _ => "value",
        }),
        Accessor::Target => Some("target"),
        Accessor::NextTarget => Some("next_target"),
        Accessor::AtStart => Some("at_start"),
        Accessor::Previous => now.then_some("previous"),
        Accessor::YearBefore => now.then_some("year_before"),
        Accessor::Due => now.then_some("due"),
        Accessor::Months => None,
    }
}

/// Joins a part: on the key's slice if the part has it, else on its whole. Targets are set for wholes, and what does not
/// grow with the days of a period is that of the whole earlier one. What is not known is not looked up.
fn join(i: usize, part: &Part, span: &str, metric: &Metric, query: &Query<'_>) -> Option<String> {
    let column = column(part, span)?;
    let of_target = matches!(part.taken, Accessor::Target | Accessor::NextTarget);
    let wanted = || query.metric.header.slices.iter().chain(&query.metric.header.pairs).filter(|_| !query.is_whole);
    let has = |slice: &String| metric.header.slices.contains(slice) || metric.header.pairs.contains(slice);
    let own: Vec<&str> = wanted().filter(|slice| !of_target && has(slice)).map(String::as_str).chain([""]).collect();
    let has_all = own.len() == wanted().count() + 1;
    let own = literals(own);
    let start = if of_target || part.taken == Accessor::AtStart { "of_start" } else { "period_start" };
    let slice = |column: &str| match has_all {
        true => format!("k.{column}"),
        false => format!("CASE WHEN k.slice IN ({own}) THEN k.{column} ELSE '' END"),
    };
    let n = if part.taken == Accessor::Value { ", n" } else { "" };
    Some(format!(
        "LEFT JOIN (SELECT {OF_CELL}, slice, slice_value, {column}{n} FROM score_{id} \
         WHERE slice IN ({own}) AND level IN ({levels}) AND grain IN ({grains})) AS p{i} \
         ON p{i}.level = k.level AND p{i}.entity = k.entity AND p{i}.grain = k.grain AND p{i}.period_start = k.{start} \
         AND p{i}.slice = {} AND p{i}.slice_value = {}",
        slice("slice"),
        slice("slice_value"),
        id = metric.id,
        levels = query.levels,
        grains = query.grains,
    ))
}

/// The rows that a metric is worth at the plan's exchange rates, from the scores of its twin there.
fn at_plan(metric: &Metric, keys: Keys) -> String {
    let Some(twin) = definition::plan_twin(metric) else { return String::new() };
    let numbers = match keys {
        Keys::Named => "",
        Keys::Numbered => " JOIN entities USING (level, entity) JOIN spans USING (grain, period_start, span)",
    };
    format!(
        "UNION ALL SELECT {}, slice, slice_value, value AS a, CAST(NULL AS DECIMAL(38, 12)) AS b, \
         CAST(0 AS BIGINT) AS n, FALSE AS unit, CAST(NULL AS VARCHAR) AS state \
         FROM (SELECT {OF_CELL}, '{PLAN}' AS span, slice, slice_value, value FROM score_{twin} WHERE value IS NOT NULL) AS v{numbers}",
        keys.cell()
    )
}
