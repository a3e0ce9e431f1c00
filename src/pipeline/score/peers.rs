//! Where a rep's number stands among peers: reps of the same role and tenure band on the day of measuring.
//!
//! Only the quarter is told, never its bounds, and nothing in small groups: it would say what a colleague has.

use crate::diagnostic::Result;
use crate::domain::metric::{Better, Metric};
use crate::domain::number::Number;
use crate::domain::score::{COMPANY, REP_IN_TEAM, UNASSIGNED};
use crate::engine::Session;
use crate::pipeline::score::periods::SPANS;
use crate::pipeline::score::score_writer::{Quartiles, ScoreWriter};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type};
use std::collections::{BTreeMap, BTreeSet};

/// Grain and first day.
type When = (String, i32);
/// Role and tenure band.
type Group = (Option<String>, Option<String>);
/// Who is measured together in each period.
pub type Groups = BTreeMap<(When, Group), Vec<String>>;

/// Whether anything is said of a metric's peers.
pub fn has_quartiles(metric: &Metric) -> bool {
    let ranked = matches!(metric.header.better, Better::Higher | Better::Lower);
    ranked && !metric.header.hidden && metric.header.levels.iter().any(|level| level == "rep")
}

/// The quartiles of all reps, from the query of their cells.
pub async fn quartiles(
    session: &Session,
    table: &ScoreWriter<'_>,
    metric: &Metric,
    of_reps: &str,
    (groups, minimum_group): (&Groups, usize),
    hidden: &BTreeSet<String>,
) -> Result<Quartiles> {
    let mut values: BTreeMap<(When, String), (Option<Number>, i64)> = BTreeMap::new();
    let cells = format!(
        "SELECT grain, period_start, entity, CAST(a AS DECIMAL(38, 12)) AS a, CAST(b AS DECIMAL(38, 12)) AS b, \
         CAST(n AS BIGINT) AS n FROM ({of_reps}) AS c"
    );
    for batch in session.query_own(&cells).await? {
        let (grains, starts) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Date32Type>());
        let (reps, n) = (batch.column(2).as_string::<i32>(), batch.column(5).as_primitive::<Int64Type>());
        let number = |column: usize, row: usize| {
            let column = batch.column(column).as_primitive::<Decimal128Type>();
            column.is_valid(row).then(|| Number::from_units(column.value(row)))
        };
        for row in 0..batch.num_rows() {
            let when = (grains.value(row).to_owned(), starts.value(row));
            let value = table.number(number(3, row), number(4, row));
            values.insert((when, reps.value(row).to_owned()), (value, n.value(row)));
        }
    }
    let nothing = (table.number(None, None), 0);
    let grains: Vec<&str> = metric.header.cadence.iter().map(|grain| grain.name()).collect();
    let mut quartiles = Quartiles::new();
    for ((when, _), reps) in groups.iter().filter(|(((grain, _), _), _)| grains.contains(&grain.as_str())) {
        let known = |rep: &String| {
            let (value, n) = values.get(&(when.clone(), rep.clone())).copied().unwrap_or(nothing);
            // Where less is better the zero of nobody's facts would be first.
            let least = if metric.header.better == Better::Lower { 1 } else { 0 };
            Some((value.filter(|_| n >= metric.header.minimum_n.max(least))?, rep.clone()))
        };
        let ranked: Vec<(Number, String)> =
            reps.iter().filter(|rep| !hidden.contains(*rep)).filter_map(known).collect();
        if ranked.len() < minimum_group.max(1) {
            continue;
        }
        let (grain, start) = when;
        let of_each = rank(metric.header.better, &ranked);
        quartiles.extend(ranked.into_iter().zip(of_each).map(|((_, rep), q)| ((grain.clone(), *start, rep), q)));
    }
    Ok(quartiles)
}

/// 1 and the whole part of four times the share of those who are better.
fn rank(better: Better, ranked: &[(Number, String)]) -> Vec<i64> {
    let mut values: Vec<Number> = ranked.iter().map(|(value, _)| *value).collect();
    values.sort_unstable();
    let count = values.len();
    let quartile = |(value, _): &(Number, String)| {
        let lower = values.partition_point(|other| other < value);
        let higher = count - values.partition_point(|other| other <= value);
        let ahead = if better == Better::Lower { lower } else { higher };
        1 + (4 * ahead / count) as i64
    };
    ranked.iter().map(quartile).collect()
}

/// The reps who are in a team on a period's measuring day, by role and tenure band, from the session's tables
/// `measurings`, `membership` and `tenure`.
pub async fn groups(session: &Session) -> Result<Groups> {
    let sql = format!(
        "SELECT DISTINCT p.grain, p.period_start, m.rep_id, m.role, t.band \
         FROM measurings AS p \
         JOIN membership AS m ON m.valid_from <= p.measured_on AND p.measured_on < m.valid_to \
         LEFT JOIN tenure AS t ON t.rep_id = m.rep_id AND t.valid_from <= p.measured_on AND p.measured_on < t.valid_to \
         WHERE p.span = '{}' AND m.entity <> '{UNASSIGNED}' AND m.rep_id <> '{UNASSIGNED}' \
         AND m.level NOT IN ('rep', '{REP_IN_TEAM}', '{COMPANY}')",
        SPANS[0]
    );
    let mut groups = Groups::new();
    for batch in session.query_own(&sql).await? {
        let starts = batch.column(1).as_primitive::<Date32Type>();
        let text = |column: usize, row: usize| {
            let column = batch.column(column).as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        for row in 0..batch.num_rows() {
            let when = (text(0, row).unwrap_or_default(), starts.value(row));
            let group = (text(3, row), text(4, row));
            groups.entry((when, group)).or_default().extend(text(2, row));
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of docs/rules/people.md.
    #[test]
    fn a_quartile_counts_who_is_better() {
        let booked = [90, 80, 70, 60, 60, 40, 30, 0].map(|value| (Number::whole(value), String::new()));
        assert_eq!(rank(Better::Higher, &booked), [1, 1, 2, 2, 2, 3, 4, 4]);
        assert_eq!(rank(Better::Lower, &booked), [4, 4, 3, 2, 2, 2, 1, 1]);
    }
}
