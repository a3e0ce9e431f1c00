//! How much of a target is due in a period that is not over: by the company's own curve, else by working days.

use crate::diagnostic::Result;
use crate::domain::metric::{Aggregate, Metric};
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::NO_VALUE;
use crate::engine::Session;
use crate::pipeline::score::definition;
use crate::pipeline::score::finish::Due;
use crate::pipeline::score::periods::Periods;
use crate::pipeline::stage::typed::EPOCH;
use crate::pipeline::stage::workdays::Workdays;
use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// So many finished periods make a curve.
const CURVE: usize = 8;

/// What is due by now, by grain, of the periods that are not over; from the session's table `summed_facts`.
pub async fn due(
    session: &Session,
    metric: &Metric,
    (periods, until): (&Periods, &BTreeMap<Grain, Date>),
    workdays: &Workdays,
) -> Result<BTreeMap<Grain, Due>> {
    let mut due = BTreeMap::new();
    let unfinished: Vec<Period> = periods.unfinished(&metric.header.cadence).collect();
    if unfinished.is_empty() {
        return Ok(due);
    }
    // A count of distinct records is no sum of days, and has no curve of its own.
    if definition::aggregate(metric) == Aggregate::Distinct {
        let none = BTreeMap::new();
        due.extend(unfinished.into_iter().filter_map(|p| Some((p.grain, of_period(p, &none, periods, workdays)?))));
        return Ok(due);
    }
    let total: Vec<String> = metric.header.apart.iter().map(|slice| format!("{slice} = '{NO_VALUE}'")).collect();
    let total = if total.is_empty() { "TRUE".to_owned() } else { total.join(" AND ") };
    let mut daily: BTreeMap<Date, Number> = BTreeMap::new();
    let sql = format!("SELECT day, CAST(SUM(a) AS DECIMAL(38, 12)) AS a FROM summed_facts WHERE {total} GROUP BY day");
    for batch in session.ask(&sql).await? {
        let (days, sums) =
            (batch.column(0).as_primitive::<Date32Type>(), batch.column(1).as_primitive::<Decimal128Type>());
        for row in 0..batch.num_rows() {
            daily.insert(EPOCH + days.value(row).days(), Number::from_units(sums.value(row)));
        }
    }
    for period in unfinished {
        // Days of which nothing is known are no part of a curve.
        let first = until.get(&period.grain).copied().unwrap_or(Date::MIN);
        let daily = daily.range(first..).map(|(day, sum)| (*day, *sum)).collect();
        due.extend(of_period(period, &daily, periods, workdays).map(|due| (period.grain, due)));
    }
    Ok(due)
}

fn of_period(period: Period, daily: &BTreeMap<Date, Number>, periods: &Periods, workdays: &Workdays) -> Option<Due> {
    let whole = workdays.worked(period.start, period.end);
    let gone = workdays.worked(period.start, period.measured_on(periods.as_of()));
    if whole == 0 {
        return None;
    }
    let sum =
        |from: Date, to: Date| daily.range(from..=to).try_fold(Number::ZERO, |sum, (_, part)| sum.checked_add(*part));
    let mut shares = Vec::new();
    for earlier in periods.before(period, CURVE) {
        let all = sum(earlier.start, earlier.end)?;
        if all <= Number::ZERO {
            break;
        }
        // As far into its working days as this one is, to the nearest day.
        let days = workdays.worked(earlier.start, earlier.end);
        let part = match workdays.cut(earlier.start, earlier.end, (2 * gone * days + whole) / (2 * whole)) {
            Some(end) => sum(earlier.start, end)?,
            None => Number::ZERO,
        };
        shares.push(part.checked_div(all)?);
    }
    if shares.len() == CURVE {
        let sum = shares.into_iter().try_fold(Number::ZERO, Number::checked_add)?;
        return Some(Due { share: sum.checked_div(Number::whole(CURVE as i64))?, by: "curve" });
    }
    let share = Number::whole(gone as i64).checked_div(Number::whole(whole as i64))?;
    Some(Due { share, by: "linear" })
}
