//! The table `calendar`: one row a day, whether it is worked, and where its periods start.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::Calendar;
use crate::domain::period::{Grain, days_between};
use crate::pipeline::Night;
use crate::pipeline::stage::typed::EPOCH;
use crate::pipeline::stage::{Model, made_from};
use arrow::array::{ArrayRef, BooleanArray, Date32Array, RecordBatch};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::sync::Arc;

/// The calendar's first day. A fixed span keeps the table, and all that reads it, the same from night to night.
const FIRST: Date = date(2000, 1, 1);
/// Its last day.
const LAST: Date = date(2049, 12, 31);

pub(super) async fn make(night: &Night<'_>, model: &mut Model) -> Result<()> {
    let calendar = &night.settings.calendar;
    made_from(night, model, "calendar", calendar, true, async |_| rows(calendar)).await
}

fn rows(calendar: &Calendar) -> Result<RecordBatch> {
    let days: Vec<Date> = FIRST.series(1.day()).take_while(|day| *day <= LAST).collect();
    let dates = |of: &dyn Fn(Date) -> Date| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(days.iter().map(|day| days_between(EPOCH, of(*day)))))
    };
    let start = |grain: Grain| dates(&|day| calendar.period(grain, day).start);
    let worked: ArrayRef =
        Arc::new(BooleanArray::from_iter(days.iter().map(|day| Some(calendar.is_working_day(*day)))));
    let columns = [
        ("day", dates(&|day| day)),
        ("is_working_day", worked),
        ("week_start", start(Grain::Week)),
        ("month_start", start(Grain::Month)),
        ("quarter_start", start(Grain::Quarter)),
        ("year_start", start(Grain::Year)),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Diagnostic::internal(format!("no calendar: {error}")))
}
