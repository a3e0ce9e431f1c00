//! From the model to scores: every metric at every level, entity, period and slice, as tidy Parquet.
//!
//! Facts are run once per metric and added up in SQL; the last step, where two sums become a ratio, a share of target
//! or an interval, is exact decimal arithmetic in `score_writer`.

pub mod definition;

mod allocation;
mod cells;
mod credit;
mod entities;
mod facts;
mod habit;
mod pace;
mod peers;
pub mod people;
mod periods;
pub mod prepared;
mod score_writer;
mod scoring;
mod supply;
mod targets;

use crate::artifact::model::Model;
use crate::artifact::scores::Scores;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::metric::{Metric, Metrics};
use crate::domain::period::Grain;
use crate::engine::{Parameters, Session, parameters};
use crate::pipeline::stage::workdays::Workdays;
use crate::run_context::{Event, RunContext};
use entities::Entities;
use jiff::civil::Date;
pub use periods::PERIODS;
use periods::Periods;
use prepared::PreparedFacts;
use scoring::{MadeScores, Scoring};
use std::collections::BTreeSet;
use targets::Targets;
pub use targets::{is_spread, nearest};
use tokio::sync::OnceCell;

/// Scores all metrics at these grains.
pub async fn run(night: &RunContext<'_>, model: &Model, metrics: &Metrics, grains: &BTreeSet<Grain>) -> Result<Scores> {
    let workdays = Workdays::read(night, model).await?;
    let scoring = Scoring {
        night,
        model,
        metrics,
        periods: Periods::of(grains, (night.anchor, night.as_of), &night.settings.calendar, &workdays),
        targets: Targets::read(night, model, metrics).await?,
        workdays,
        entities: Entities::read(night, model).await?,
        parameters: parameters(night.as_of),
        peers: OnceCell::new(),
    };
    let mut scores = Scores { left_out: scoring.targets.left_out.clone(), ..Scores::default() };
    for metric in definition::order(metrics)? {
        let key = scoring.key(metric, &scores)?;
        let made = match night.steps.recall::<MadeScores>(key).await? {
            Some(made) => {
                scores.reused += 1;
                made
            }
            None => {
                (night.tell)(Event::Item(&metric.id));
                let made = scoring.make(metric, &scores).await;
                let made = made.map_err(|error| blamed(error, metric))?;
                night.steps.remember(key, &made)?;
                scores.made.push(metric.id.clone());
                made
            }
        };
        scores.tables.insert(metric.id.clone(), made.table);
    }
    night.steps.flush().await?;
    Ok(scores)
}

/// Says of an error that no definition is to blame for which metric it met.
fn blamed(error: Box<Diagnostic>, metric: &Metric) -> Box<Diagnostic> {
    match error.kind {
        Kind::Internal => error.note(format!("the metric is {}: {}", metric.id, metric.path)),
        _ => error,
    }
}

/// The facts of a metric as SQL, without slices and checks: `record_id`, `rep_id`, `day` or the validity, `a`, `b`;
/// shared, if the metric has `credit` and the model any credits. A stock is worth what it is on `measured_on`. The session
/// has the model's tables.
pub async fn facts_sql(
    session: &Session,
    metrics: &Metrics,
    metric: &Metric,
    model: &Model,
    parameters: &Parameters,
    measured_on: Date,
) -> Result<String> {
    let credits = model.tables.get(credit::TABLE).is_some_and(|table| table.rows > 0);
    let since = facts::has_since(session, metrics, metric, parameters).await?;
    let to = since.then(|| format!("CAST(DATE '{measured_on}' AS INT)"));
    facts::bare(metrics, metric, credits, to.as_deref())
}

/// The facts of an allocated slice as SQL, from the session's table `facts`: each part of a fact, with the slice's value.
pub fn allocated_sql(metric: &Metric, prepared: &PreparedFacts, slice: &str) -> Result<String> {
    allocation::sql(metric, prepared, slice)
}

/// Checks a metric's definition without scoring it: its SQL plans, and its facts have the promised shape. They are prepared
/// as the session's table `facts`.
pub async fn facts_of(
    session: &Session,
    metrics: &Metrics,
    metric: &Metric,
    parameters: &Parameters,
) -> Result<PreparedFacts> {
    facts::prepare(session, metrics, metric, parameters).await
}
