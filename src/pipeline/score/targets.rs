//! Targets as days: each target spread over its working days, so that any period's target is the sum of its days.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Digest;
use crate::domain::json;
use crate::domain::number::{SCALE, spread};
use crate::domain::period::{Calendar, days_between};
use crate::engine::Session;
use crate::pipeline::stage::typed::EPOCH;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The digits after the point in which a target is spread: cents.
const DIGITS: u32 = 2;

/// The longest that a target may be.
const LONGEST_DAYS: i32 = 3660;

/// One row of the table `targets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Target {
    rep: String,
    starts_on: String,
    ends_on: String,
    /// In hundredths.
    amount: i64,
    #[serde(skip)]
    days: (Date, Date),
}

/// First day, last day if given, and hundredths.
type Row = (Date, Option<Date>, i64);

/// All targets by metric.
#[derive(Default)]
pub struct Targets(BTreeMap<String, Vec<Target>>);

impl Targets {
    /// Reads the model's targets. An empty `ends_on` is the day before the same target's next start; a last target
    /// without an end is refused, for nothing says how many days it is meant to fill.
    pub fn of(batches: &[RecordBatch]) -> Result<Targets> {
        let mut open: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for batch in batches {
            let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            let day = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>());
            let amount = batch.column_by_name("amount").and_then(|c| cast(c, &DataType::Decimal128(38, 2)).ok());
            let amount = amount.as_ref().and_then(|c| c.as_primitive_opt::<Decimal128Type>());
            let columns = (text("metric"), text("rep_id"), day("starts_on"), day("ends_on"), amount);
            let (Some(metrics), Some(reps), Some(starts), Some(ends), Some(amounts)) = columns else {
                return Err(Diagnostic::internal("the table targets has other columns than its contract"));
            };
            for row in (0..batch.num_rows()).filter(|row| starts.is_valid(*row) && amounts.is_valid(*row)) {
                let date = |days: i32| EPOCH + days.days();
                let key = (metrics.value(row).to_owned(), reps.value(row).to_owned());
                let end = ends.is_valid(row).then(|| date(ends.value(row)));
                let amount = i64::try_from(amounts.value(row))
                    .map_err(|_| Diagnostic::data(format!("the target of {} is too large", key.1)))?;
                open.entry(key).or_default().push((date(starts.value(row)), end, amount));
            }
        }
        let mut targets = Targets::default();
        for ((metric, rep), mut rows) in open {
            rows.sort();
            let own = targets.0.entry(metric.clone()).or_default();
            for (i, (start, end, amount)) in rows.iter().enumerate() {
                let next = rows[i + 1..].iter().map(|(next, _, _)| *next).find(|next| next > start);
                let Some(end) = end.or(next.map(|next| next - 1.day())) else {
                    return Err(Diagnostic::data(format!("the last target of {rep} on {metric} has no end"))
                        .note(format!("it starts on {start}, and no later one of the same rep follows"))
                        .help("give its last day in `ends_on`"));
                };
                if end < *start {
                    return Err(Diagnostic::data(format!(
                        "a target of {rep} on {metric} ends before it starts, on {start}"
                    ))
                    .help("correct `ends_on`, or leave it empty for the day before the next start"));
                }
                if days_between(*start, end) > LONGEST_DAYS {
                    return Err(Diagnostic::data(format!("a target of {rep} on {metric} runs from {start} to {end}"))
                        .note("a target is spread over its days, and these are more than ten years")
                        .help("give the day on which it really ends"));
                }
                let (rep, starts_on, ends_on) = (rep.clone(), start.to_string(), end.to_string());
                own.push(Target { rep, starts_on, ends_on, amount: *amount, days: (*start, end) });
            }
        }
        Ok(targets)
    }

    /// The digest of a metric's targets, if it has any.
    pub fn digest(&self, metric: &str) -> Option<Digest> {
        self.0.get(metric).map(|targets| Digest::of(json::canonical(targets).as_bytes()))
    }

    /// Names the table `target_days`: rep, day, and what of a metric's targets falls on it.
    pub fn add_to(&self, session: &Session, metric: &str, calendar: &Calendar) -> Result<()> {
        let mut days: BTreeMap<(&str, Date), i128> = BTreeMap::new();
        for target in self.0.get(metric).into_iter().flatten() {
            let (start, end) = target.days;
            let all: Vec<Date> = start.series(1.day()).take_while(|day| *day <= end).collect();
            let weights: Vec<u64> = all.iter().map(|day| u64::from(calendar.is_working_day(*day))).collect();
            for (day, part) in all.iter().zip(spread(i128::from(target.amount), &weights)) {
                *days.entry((target.rep.as_str(), *day)).or_default() += part;
            }
        }
        let units = days.values().map(|part| part * 10_i128.pow(SCALE - DIGITS));
        let count = days.len();
        let number = |array: Decimal128Array| -> Result<ArrayRef> {
            let typed = array.with_precision_and_scale(38, SCALE as i8);
            Ok(Arc::new(typed.map_err(|error| Diagnostic::internal(format!("no targets: {error}")))?))
        };
        let columns: [(&str, ArrayRef); 6] = [
            ("rep_id", Arc::new(StringArray::from_iter_values(days.keys().map(|(rep, _)| *rep)))),
            ("day", Arc::new(Date32Array::from_iter_values(days.keys().map(|(_, day)| days_between(EPOCH, *day))))),
            ("a", number(Decimal128Array::from_iter_values(units))?),
            ("b", number(Decimal128Array::from_iter(vec![None; count]))?),
            ("n", Arc::new(Int64Array::from(vec![1; count]))),
            ("unit", Arc::new(BooleanArray::from(vec![false; count]))),
        ];
        let rows = RecordBatch::try_from_iter(columns);
        let rows = rows.map_err(|error| Diagnostic::internal(format!("no targets: {error}")))?;
        session.remove("target_days")?;
        session.add_batches("target_days", rows.schema(), vec![rows])
    }
}
