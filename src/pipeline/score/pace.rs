//! How much of a target is due in a period that is not over: its days up to now. If the company has a curve of its own, a
//! day that has gone by weighs as much as usually comes on such a day, and so does a day to come.

use crate::diagnostic::Result;
use crate::domain::metric::Metric;
use crate::domain::number::{Number, SCALE};
use crate::domain::period::EPOCH;
use crate::domain::period::{Grain, Period};
use crate::domain::score::NO_VALUE;
use crate::engine::Session;
use crate::pipeline::score::periods::Periods;
use crate::pipeline::stage::workdays::Workdays;
use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// So many finished periods make a curve.
const CURVE: usize = 8;

/// How what is due follows from a target's days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due(Option<Weights>);

/// What the days of an unfinished period weigh: those that have gone by, and those to come.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Weights {
    gone: Number,
    to_come: Number,
}

impl Due {
    /// `curve` or `linear`.
    pub fn by(&self) -> &'static str {
        if self.0.is_some() { "curve" } else { "linear" }
    }

    /// What is due of a target of which the days up to now have so much.
    ///
    /// A target on every working day of the period is due by the company's curve. One that begins late, ends early, or
    /// has days of leave in it, has the curve of its own days; at its last one all of it is due.
    pub fn of(&self, gone: Number, target: Number) -> Option<Number> {
        let Some(weights) = &self.0 else { return Some(gone) };
        let come = gone.checked_mul(weights.gone, SCALE)?;
        let all = target.checked_sub(gone)?.checked_mul(weights.to_come, SCALE)?.checked_add(come)?;
        // Where nothing usually comes on any of its days, they are equal.
        match come.checked_div(all) {
            Some(share) => target.checked_mul(share, SCALE),
            None => Some(gone),
        }
    }
}

impl Weights {
    /// Of a curve by which so much has come when so many of all working days have gone by.
    fn of(come: Number, gone: usize, whole: usize) -> Option<Weights> {
        let one = Number::whole(1);
        if !(Number::ZERO..=one).contains(&come) || !(1..whole).contains(&gone) {
            return None;
        }
        let times = |share: Number, days: usize| share.checked_mul(Number::whole(i64::try_from(days).ok()?), SCALE);
        // Each day's are what has come over the days gone by, and the rest over those to come. Times the days of both.
        Some(Weights { gone: times(come, whole - gone)?, to_come: times(one.checked_sub(come)?, gone)? })
    }
}

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
    if !metric.aggregate().is_additive() {
        due.extend(unfinished.into_iter().map(|period| (period.grain, Due(None))));
        return Ok(due);
    }
    let total: Vec<String> = metric.header.apart.iter().map(|slice| format!("{slice} = '{NO_VALUE}'")).collect();
    let total = if total.is_empty() { "TRUE".to_owned() } else { total.join(" AND ") };
    let mut daily: BTreeMap<Date, Number> = BTreeMap::new();
    let sql = format!("SELECT day, CAST(SUM(a) AS DECIMAL(38, 12)) AS a FROM summed_facts WHERE {total} GROUP BY day");
    for batch in session.query_own(&sql).await? {
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
        due.insert(period.grain, Due(curve(period, &daily, periods, workdays)));
    }
    Ok(due)
}

/// What days weigh by the company's own curve, if it has one.
fn curve(period: Period, daily: &BTreeMap<Date, Number>, periods: &Periods, workdays: &Workdays) -> Option<Weights> {
    let whole = workdays.worked(period.start, period.end);
    let gone = workdays.worked(period.start, period.measured_on(periods.as_of()));
    let sum =
        |from: Date, to: Date| daily.range(from..=to).try_fold(Number::ZERO, |sum, (_, part)| sum.checked_add(*part));
    let mut shares = Vec::new();
    for earlier in periods.before(period, CURVE).into_iter().filter(|_| whole > 0) {
        let all = sum(earlier.start, earlier.end)?;
        if all <= Number::ZERO {
            return None;
        }
        // As far into its working days as this one is, to the nearest day.
        let days = workdays.worked(earlier.start, earlier.end);
        let part = match workdays.cut(earlier.start, earlier.end, (2 * gone * days + whole) / (2 * whole)) {
            Some(end) => sum(earlier.start, end)?,
            None => Number::ZERO,
        };
        shares.push(part.checked_div(all)?);
    }
    if shares.len() < CURVE {
        return None;
    }
    let sum = shares.into_iter().try_fold(Number::ZERO, Number::checked_add)?;
    Weights::of(sum.checked_div(Number::whole(CURVE as i64))?, gone, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn by_working_days_what_is_due_is_what_the_days_have() {
        let due = Due(None);
        assert_eq!(due.by(), "linear");
        assert_eq!(due.of(number("11500.01"), number("22000")), Some(number("11500.01")));
    }

    /// The worked example of docs/rules/targets.md: 12 of 22 working days have gone by, a quarter has usually come.
    #[test]
    fn a_curve_weighs_the_days_that_a_target_has() {
        let due = Due(Weights::of(number("0.25"), 12, 22));
        assert_eq!(due.by(), "curve");
        // On every working day, 1,000 each: a quarter.
        assert_eq!(due.of(number("12000"), number("22000")), Some(number("5500")));
        // Over by now: all of it. Still to begin: nothing.
        assert_eq!(due.of(number("12000"), number("12000")), Some(number("12000")));
        assert_eq!(due.of(Number::ZERO, number("22000")), Some(Number::ZERO));
        // 6 of the 12 days and all 10 to come: 6 x 0.25 / 12 to 10 x 0.75 / 10, so 0.125 / 0.875 of 16,000.
        let part = due.of(number("6000"), number("16000")).unwrap();
        assert_eq!(part.to_fixed(4), "2285.7143");
    }

    #[test]
    fn what_is_no_part_of_a_whole_is_no_curve() {
        for (come, gone) in [("-0.1", 12), ("1.1", 12), ("0.5", 0), ("0.5", 22)] {
            assert_eq!(Weights::of(number(come), gone, 22), None);
        }
        // Nothing has ever come on such days, and the target has no others.
        assert_eq!(Due(Weights::of(Number::ZERO, 12, 22)).of(number("7"), number("7")), Some(number("7")));
    }
}
