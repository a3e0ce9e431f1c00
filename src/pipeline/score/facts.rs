//! A metric's facts: run once, checked, and brought into one form.
//!
//! After [`prepare`] the session has a table `facts` with `record_id`, `rep_id` (never empty), the day or the validity,
//! the slices as text (never empty), and what the aggregate needs: `a`, `b` and `unit`.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::aggregate::{Holds, SINCE, Sides};
use crate::domain::metric::{Form, Measure, Metric, Metrics};
use crate::domain::score::{NO_VALUE, UNASSIGNED};
use crate::engine::{Parameters, Session};
use crate::pipeline::score::prepared::{PreparedFacts, Shape, finding, slice_of};
use crate::pipeline::score::{allocation, credit, definition};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::array_value_to_string;

/// What a column of facts is for, and what it may be.
struct Need<'a> {
    name: &'a str,
    what: &'static str,
    fits: fn(&DataType) -> bool,
}

const fn need<'a>(name: &'a str, what: &'static str, fits: fn(&DataType) -> bool) -> Need<'a> {
    Need { name, what, fits }
}

fn is_text(t: &DataType) -> bool {
    matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_day(t: &DataType) -> bool {
    matches!(t, DataType::Date32)
}

/// Floating-point numbers are not among them: their sums depend on the order of rows.
fn is_exact(t: &DataType) -> bool {
    t.is_integer() || matches!(t, DataType::Decimal128(_, _) | DataType::Null)
}

/// Runs a metric's SQL, checks what it returns, and keeps it as the table `facts`.
pub async fn prepare(
    session: &Session,
    metrics: &Metrics,
    metric: &Metric,
    parameters: &Parameters,
) -> Result<PreparedFacts> {
    let owner = definition::owner_of_facts(metrics, metric);
    let sql = definition::sql(owner);
    session.deregister("returned")?;
    session.deregister("facts")?;
    let schema = session.shape(&sql, parameters).await?.schema;
    let shape = check(owner, metric, &schema)?;
    session.keep("returned", &sql, parameters).await?;
    refuse_empty(session, owner, shape).await?;
    refuse_fan_out(session, owner, shape).await?;
    if shape == Shape::Stock {
        refuse_overlap(session, owner).await?;
    }
    let credits = credit::applies(session, metric).await?;
    let stock = shape == Shape::Stock;
    let late = if stock { added(metric, &schema) } else { Vec::new() };
    let prepared = PreparedFacts {
        shape,
        late: late.into_iter().map(String::from).collect(),
        since: stock && schema.field_with_name(SINCE).is_ok(),
        due_on: stock && schema.field_with_name(DUE_ON).is_ok(),
        shared: credits,
    };
    let select = normalise(metric, &prepared, &schema)?;
    session.materialize("facts", &select).await?;
    session.deregister("returned")?;
    Ok(prepared)
}

/// Whether the facts of a stock say when they are due.
pub async fn has_due(session: &Session, metrics: &Metrics, metric: &Metric, parameters: &Parameters) -> Result<bool> {
    returns(session, metrics, metric, parameters, DUE_ON).await
}

/// Whether the facts of a stock say since when they stand.
pub async fn has_since(session: &Session, metrics: &Metrics, metric: &Metric, parameters: &Parameters) -> Result<bool> {
    let stock = definition::measure(metric) == Measure::Stock;
    Ok(stock && returns(session, metrics, metric, parameters, SINCE).await?)
}

/// Whether a metric's facts name their cell themselves.
pub async fn are_pre_aggregated(
    session: &Session,
    metrics: &Metrics,
    metric: &Metric,
    parameters: &Parameters,
) -> Result<bool> {
    returns(session, metrics, metric, parameters, "entity").await
}

async fn returns(
    session: &Session,
    metrics: &Metrics,
    metric: &Metric,
    parameters: &Parameters,
    column: &str,
) -> Result<bool> {
    let sql = definition::sql(definition::owner_of_facts(metrics, metric));
    Ok(session.shape(&sql, parameters).await?.schema.field_with_name(column).is_ok())
}

/// When a stock's fact is due.
const DUE_ON: &str = "due_on";

/// The columns of facts by shape and aggregate.
fn needs<'a>(metric: &'a Metric, shape: Shape, since: bool) -> Vec<Need<'a>> {
    let mut needs = vec![need("record_id", "text: the key of the record", |t| is_text(t) || t.is_integer())];
    match shape {
        Shape::Flow => {
            needs.push(need("rep_id", "text: whose fact it is", is_text));
            needs.push(need("event_date", "a date: the day on which it happened", is_day));
        }
        Shape::Stock => {
            needs.push(need("rep_id", "text: whose fact it is", is_text));
            needs.push(need("valid_from", "a date: the first day on which it holds", is_day));
            needs.push(need("valid_to", "a date: the first day on which it holds no more", is_day));
        }
        Shape::PreAggregated => {
            needs.push(need("level", "text: the level it belongs to", is_text));
            needs.push(need("entity", "text: the entity it belongs to", is_text));
            needs.push(need("grain", "text: the grain it belongs to", is_text));
            needs.push(need("period_start", "a date: the first day of the period it belongs to", is_day));
        }
    }
    needs.extend(metric.aggregate().columns(&metric.values(), since).into_iter().map(|column| match column.holds {
        Holds::Number => need(column.name, "an exact number: a whole number or DECIMAL", is_exact),
        Holds::Since => need(column.name, "a date: the day since when it stands so", is_day),
        Holds::Conversion => need(column.name, "a date, or nothing: the day on which it converted", is_day),
    }));
    let plan = metric.header.plan.as_deref().filter(|_| !since);
    needs.extend(plan.map(|plan| need(plan, "an exact number: a DECIMAL", is_exact)));
    needs
}

/// Checks the columns that the SQL returns against what the header promises.
fn check(owner: &Metric, metric: &Metric, schema: &Schema) -> Result<Shape> {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    let shape = match (has("level") && has("entity"), definition::measure(metric)) {
        (true, _) => Shape::PreAggregated,
        (false, Measure::Flow) => Shape::Flow,
        (false, Measure::Stock) => Shape::Stock,
    };
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let select = || definition::sql(owner).place_of_outer("SELECT");
    let since = shape == Shape::Stock && has(SINCE);
    let shared = metric.aggregate().is_sum_of_values() && metric.header.credit.is_some();
    if since && (shared || !metric.header.allocated.is_empty()) {
        return Err(Diagnostic::project(format!("the days of {} cannot be shared out", metric.id))
            .at(definition::sql(owner).place_of_column(SINCE))
            .help("set aggregate = \"mean\", or take `credit` and `allocated` out of the header"));
    }
    let mut needed = needs(metric, shape, since);
    if shape == Shape::Stock && has(DUE_ON) {
        needed.push(need(DUE_ON, "a date, or nothing: the day on which it is due", is_day));
    }
    for need in needed {
        let Ok(field) = schema.field_with_name(need.name) else {
            return Err(Diagnostic::project(format!("the facts of {} lack the column `{}`", metric.id, need.name))
                .at(select())
                .note(format!("{} is {}", need.name, need.what))
                .closest(need.name, names.iter().copied())
                .help(format!("return it: `... AS {}`", need.name)));
        };
        if !(need.fits)(field.data_type()) {
            return Err(Diagnostic::project(format!("`{}` is {}", need.name, plain(field.data_type())))
                .at(definition::sql(owner).place_of_column(need.name).label(format!("must be {}", need.what)))
                .help(match need.name {
                    name if (need.fits)(&DataType::Int64) && !(need.fits)(&DataType::Utf8) => {
                        format!("write `CAST(... AS DECIMAL(18, 6)) AS {name}`")
                    }
                    name if (need.fits)(&DataType::Date32) => format!("write `CAST(... AS DATE) AS {name}`"),
                    name => format!("write `CAST(... AS VARCHAR) AS {name}`"),
                }));
        }
    }
    let of_the_engine = added(metric, schema);
    if let (Shape::PreAggregated, Some(word)) =
        (shape, metric.header.credit.map(|_| "credit").or(of_the_engine.first().copied()))
    {
        return Err(Diagnostic::project(format!(
            "the facts of {} name their cell, and so have no `{word}`",
            metric.id
        ))
        .at(definition::place(metric, word))
        .note("credits, roles and tenure are of a rep on a day")
        .help("return `rep_id` and `event_date` instead of `level` and `entity`, or take it out of the header"));
    }
    let named = metric.header.slices.iter().filter(|slice| *slice != definition::CREDIT_KIND);
    for slice in named.filter(|slice| !of_the_engine.contains(&slice.as_str())) {
        let Ok(field) = schema.field_with_name(slice) else {
            return Err(Diagnostic::project(format!("the facts of {} lack the slice `{slice}`", metric.id))
                .at(definition::place(metric, slice))
                .closest(slice, names.iter().copied())
                .help("return it from the SQL, or take it out of `slices`"));
        };
        let is_list = matches!(field.data_type(), DataType::List(of) if is_text(of.data_type()));
        if metric.header.multi.contains(slice) {
            if !is_list {
                return Err(Diagnostic::project(format!("the slice `{slice}` is {}", plain(field.data_type())))
                    .at(definition::sql(owner).place_of_column(slice))
                    .note("it stands in `multi`, and so must be a list of texts")
                    .help("return a list: STRING_TO_ARRAY(..., ';'), or take it out of `multi`"));
            }
            continue;
        }
        if metric.header.allocated.contains(slice) {
            allocation::check(owner, metric, slice, field.data_type())?;
            continue;
        }
        if matches!(field.data_type(), DataType::Float32 | DataType::Float64 | DataType::List(_)) {
            return Err(Diagnostic::project(format!("the slice `{slice}` is {}", plain(field.data_type())))
                .at(definition::sql(owner).place_of_column(slice))
                .help("a slice is text, a whole number, a date or a truth value; for a list, name it in `multi`"));
        }
    }
    refuse_strangers(owner, metric, shape, &names)?;
    Ok(shape)
}

/// A column that nothing uses is a mistake, most likely of its name.
fn refuse_strangers(owner: &Metric, metric: &Metric, shape: Shape, names: &[&str]) -> Result<()> {
    // Said once, of the metric itself.
    if owner.id != metric.id || metric.form != Form::Itself {
        return Ok(());
    }
    let mut known: Vec<&str> = needs(metric, shape, false).iter().map(|need| need.name).collect();
    if shape == Shape::Stock {
        known.extend([SINCE, DUE_ON]);
    }
    known.extend(owner.header.slices.iter().chain(&owner.for_others).map(String::as_str));
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Diagnostic::project(format!("nothing uses the column `{name}`"))
            .at(definition::sql(owner).place_of_column(name))
            .closest(name, known.iter().copied())
            .help("name it in `slices`, or do not return it")),
    }
}

fn plain(given: &DataType) -> String {
    match given {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            "a floating-point number, whose sums depend on the order of rows".into()
        }
        DataType::Timestamp(_, _) => "a moment".into(),
        DataType::Date32 | DataType::Date64 => "a date".into(),
        DataType::Boolean => "a truth value".into(),
        given if is_text(given) => "text".into(),
        given if given.is_integer() => "a whole number".into(),
        given => format!("of the type {given}"),
    }
}

/// A fact without a record or a day would count nowhere, and no one would miss it.
async fn refuse_empty(session: &Session, owner: &Metric, shape: Shape) -> Result<()> {
    let columns: &[&str] = match shape {
        Shape::Flow => &["record_id", "event_date"],
        Shape::Stock => &["record_id", "valid_from"],
        Shape::PreAggregated => &["record_id", "level", "entity", "grain", "period_start"],
    };
    for column in columns {
        let sql = format!("SELECT COUNT(*) AS n FROM returned WHERE {column} IS NULL");
        let found = session.query_own(&sql).await?;
        let count = found.first().map(|row| array_value_to_string(row.column(0), 0).unwrap_or_default());
        if let Some(count) = count.filter(|count| count != "0") {
            return Err(Diagnostic::project(format!("{count} facts of {} have an empty `{column}`", owner.id))
                .at(definition::sql(owner).place_of_column(column))
                .note("they would count in no period and for no one")
                .help(format!("leave them out: `AND ... IS NOT NULL`, or require the column behind `{column}` in queries/model.toml")));
        }
    }
    Ok(())
}

/// (record, rep, day) names a fact: a join that finds several rows for one would double numbers.
async fn refuse_fan_out(session: &Session, owner: &Metric, shape: Shape) -> Result<()> {
    let key = match shape {
        Shape::Flow => "record_id, rep_id, event_date",
        Shape::Stock => "record_id, rep_id, valid_from",
        Shape::PreAggregated => "record_id, level, entity, grain, period_start",
    };
    let found = session
        .query_own(&format!(
            "SELECT {key}, COUNT(*) AS times FROM returned GROUP BY {key} HAVING COUNT(*) > 1 ORDER BY {key} LIMIT 1"
        ))
        .await?;
    let Some(row) = found.iter().find(|batch| batch.num_rows() > 0) else { return Ok(()) };
    let cell = |i: usize| array_value_to_string(row.column(i), 0).unwrap_or_default();
    let times = cell(row.num_columns() - 1);
    let sql = definition::sql(owner);
    let join = Some(sql.place_of_outer("JOIN")).filter(|place| place.column > 0);
    Err(Diagnostic::project(format!("the facts of {} fan out: one fact stands there {times} times", owner.id))
        .at(join.unwrap_or_else(|| sql.place_of_outer("FROM")).label("a join that finds several rows for one"))
        .note(format!(
            "{key} must be unique; twice are {}",
            (0..row.num_columns() - 1).map(cell).collect::<Vec<_>>().join(", ")
        ))
        .help("join on a key that is unique on the other side, or aggregate that side first"))
}

/// A record of one rep cannot stand twice on one day.
async fn refuse_overlap(session: &Session, owner: &Metric) -> Result<()> {
    let found = session.query_own(include_str!("sql/overlap.sql")).await?;
    let Some(row) = found.iter().find(|batch| batch.num_rows() > 0) else { return Ok(()) };
    let cell = |i: usize| array_value_to_string(row.column(i), 0).unwrap_or_default();
    Err(Diagnostic::project(format!("the facts of {} overlap", owner.id))
        .at(definition::sql(owner).place_of_column("valid_to"))
        .note(format!("{} of {} holds until {} and again from {}", cell(0), cell(1), cell(2), cell(3)))
        .help("end each fact where the next one starts: LEAD(valid_from) OVER (PARTITION BY ...)"))
}

/// The facts of a metric that has SQL of its own, as a `SELECT` without slices and without checks: for readers of facts
/// that scoring has checked. Columns: `record_id`, `rep_id`, `day` or `valid_from` and `valid_to`, `a`, `b`. With
/// `credits` they are shared; overlay credit is in no total, and so not among them. What has stood `since` a day is worth
/// the days up to `day`.
pub fn bare(metrics: &Metrics, metric: &Metric, credits: bool, day: Option<&str>) -> Result<String> {
    let owner = definition::owner_of_facts(metrics, metric);
    let place = match definition::measure(metric) {
        Measure::Flow => "f.event_date AS day",
        Measure::Stock => "f.valid_from, f.valid_to",
    };
    let returned = format!("(\n{}\n)", owner.sql);
    let (source, a, b, filter) = match metric.header.credit.filter(|_| credits) {
        Some(_) => {
            (credit::shared(metric, &returned, &[], day)?, "f.a".into(), "f.b".into(), " WHERE f.credit_kind IS NULL")
        }
        None => {
            let Sides { a, b, .. } = metric.aggregate().sides(&metric.values(), day);
            (returned, a, b, "")
        }
    };
    Ok(format!(
        "SELECT CAST(f.record_id AS VARCHAR) AS record_id, COALESCE(r.rep_id, '{UNASSIGNED}') AS rep_id, {place}, \
         {a} AS a, {b} AS b FROM {source} AS f LEFT JOIN reps AS r ON r.rep_id = f.rep_id{filter}"
    ))
}

/// The slices of a metric that the engine adds: those of its own that the SQL does not return.
fn added<'a>(metric: &'a Metric, schema: &Schema) -> Vec<&'a str> {
    let slices = metric.header.slices.iter().map(String::as_str);
    let added = slices.filter(|slice| definition::OF_THE_ENGINE.contains(slice));
    added.filter(|slice| schema.field_with_name(slice).is_err()).collect()
}

/// The `SELECT` that brings facts into the one form. The added slices of a stock wait for its measuring day.
fn normalise(metric: &Metric, prepared: &PreparedFacts, schema: &Schema) -> Result<String> {
    let (shape, credits) = (prepared.shape, prepared.shared);
    // The measuring day is added when it is known.
    let to = prepared.since.then_some("0");
    let Sides { mut a, mut b, mut unit } = metric.aggregate().sides(&metric.values(), to);
    let mut source = "returned".to_owned();
    if credits {
        let own = schema.fields().iter().map(|field| field.name().as_str());
        let kept_too = |name: &&str| metric.header.slices.iter().any(|slice| slice == name) || *name == DUE_ON;
        let own: Vec<&str> = own.filter(kept_too).collect();
        source = credit::shared(metric, "returned", &own, to)?;
        unit = metric.aggregate().unit_when_shared();
        (a, b) = ("f.a".into(), "f.b".into());
    }
    let place = match shape {
        Shape::Flow => format!("COALESCE(r.rep_id, '{UNASSIGNED}') AS rep_id, f.event_date AS day"),
        Shape::Stock => format!("COALESCE(r.rep_id, '{UNASSIGNED}') AS rep_id, f.valid_from, f.valid_to"),
        Shape::PreAggregated => "f.level, f.entity, f.grain, f.period_start".to_owned(),
    };
    let added = added(metric, schema);
    let (mut slices, mut joins) = (String::new(), String::new());
    if prepared.due_on {
        slices.push_str("f.due_on, ");
    }
    if !metric.header.allocated.is_empty() {
        let share = if credits { "f._share" } else { "CAST(1 AS DECIMAL(20, 6))" };
        slices.push_str(&format!("{share} AS _share, "));
    }
    for slice in metric.header.slices.iter().map(String::as_str) {
        if metric.header.multi.iter().any(|multi| multi == slice) {
            slices.push_str(&format!(
                "CASE WHEN f.{slice} IS NULL OR CARDINALITY(f.{slice}) = 0 THEN MAKE_ARRAY('{NO_VALUE}') \
                 ELSE ARRAY_DISTINCT(f.{slice}) END AS {slice}, "
            ));
            continue;
        }
        if metric.header.allocated.iter().any(|allocated| allocated == slice) {
            slices.push_str(&format!("f.{slice}, "));
            continue;
        }
        let column = match slice {
            definition::CREDIT_KIND if credits => format!("f.{slice}"),
            definition::CREDIT_KIND => "NULL".to_owned(),
            _ if !added.contains(&slice) => format!("f.{slice}"),
            _ if shape == Shape::Stock => continue,
            _ => {
                let (column, join) = finding(slice, "f.event_date");
                joins.push_str(&join);
                column.to_owned()
            }
        };
        slices.push_str(&format!("{}, ", slice_of(&column, slice)));
    }
    // Whoever is not in `reps` is in no team and no level: the facts count as nobody's.
    let join = match shape {
        Shape::PreAggregated => String::new(),
        _ => format!(" LEFT JOIN reps AS r ON r.rep_id = f.rep_id{joins}"),
    };
    let filter = if shape == Shape::Stock { " WHERE f.valid_to IS NULL OR f.valid_to > f.valid_from" } else { "" };
    Ok(format!(
        "SELECT CAST(f.record_id AS VARCHAR) AS record_id, {place}, {slices}{a} AS a, {b} AS b, {unit} AS unit FROM {source} AS f{join}{filter}"
    ))
}
