//! Credits: facts shared over the reps who are credited with their records, so that rep lines add up to the fact.

use crate::diagnostic::Result;
use crate::domain::metric::{Aggregate, Measure, Metric, Unit};
use crate::engine::Session;
use crate::pipeline::score::cells::fill;
use crate::pipeline::score::definition;
use crate::pipeline::score::facts::sides;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

/// The table's name.
pub const TABLE: &str = "credits";

/// Whether a metric's facts are shared, and there is any credit to share them by. Sharing sorts all facts, which a
/// company without splits need not wait for.
pub async fn any(session: &Session, metric: &Metric) -> Result<bool> {
    if metric.header.credit.is_none() {
        return Ok(false);
    }
    let sql = format!("SELECT COUNT(*) AS n FROM {TABLE} WHERE record_table = {}", record_table(metric));
    let found = session.ask(&sql).await?;
    Ok(found.iter().any(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter().any(|n| *n > 0)))
}

/// The lines that facts are shared into, as a query in parentheses: `record_id`, `rep_id`, the day or the validity, these
/// slices, `credit_kind` (empty for revenue), `a` and `b`. The facts are a table or a query in parentheses.
pub fn shared(metric: &Metric, facts: &str, slices: &[&str]) -> String {
    let (a, b, _) = sides(metric);
    let (day, days) = match definition::measure(metric) {
        Measure::Flow => ("event_date", "event_date"),
        Measure::Stock => ("valid_from", "valid_from, valid_to"),
    };
    let aggregate = definition::aggregate(metric);
    let money = metric.header.unit == Unit::Money && aggregate == Aggregate::Sum;
    // Cents go round one by one, by largest remainder. Trillionths need no fairness: all stay with the largest share.
    let cents = ["2", "0.01", "CASE WHEN _place * _step <= _left_a THEN _step ELSE 0 END", "_left_a % _step"];
    let trillionths = ["12", "0.000000000001", "0", "_left_a"];
    let [digits, step, each, rest] = if money { cents } else { trillionths };
    let template = match aggregate {
        // A record or a middle value cannot be shared: each who is credited has it whole.
        Aggregate::Distinct | Aggregate::Median => include_str!("sql/credit_whole.sql"),
        _ => include_str!("sql/credit.sql"),
    };
    let slices: String = slices.iter().map(|slice| format!(", {slice}")).collect();
    let filled = fill(
        template,
        &[
            ("lines", include_str!("sql/credit_lines.sql")),
            ("table", &record_table(metric)),
            ("day", day),
            ("days", days),
            ("slices", &slices),
            ("a", &a),
            ("b", &b),
            ("digits", digits),
            ("step", step),
            ("each", each),
            ("rest", rest),
            // Last, for braces in a definition are its own.
            ("facts", facts),
        ],
    );
    format!("(\n{filled})")
}

fn record_table(metric: &Metric) -> String {
    format!("'{}'", metric.header.record.as_deref().unwrap_or_default().replace('\'', "''"))
}
