//! The table `calendar`: a row for each day and region, whether it is worked, and where its periods start.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::calendar::{Calendar, FIRST, LAST};
use crate::domain::period::EPOCH;
use crate::domain::period::{Grain, days_between};
use crate::pipeline::stage::made::made_from;
use crate::pipeline::stage::workdays::Workdays;
use crate::run_context::RunContext;
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use jiff::ToSpan;
use jiff::civil::Date;
use std::sync::Arc;

pub(super) async fn make(night: &RunContext<'_>, model: &mut Model) -> Result<()> {
    let calendar = &night.settings.calendar;
    let holidays = model.tables.get("holidays").map(|table| table.digest);
    let rows = async |model: &Model| rows(calendar, &Workdays::read(night, model).await?);
    made_from(night, model, "calendar", &(calendar, holidays), true, rows).await
}

/// A row for each day and region: everyone's, `all`, and those with holidays of their own.
fn rows(calendar: &Calendar, workdays: &Workdays) -> Result<RecordBatch> {
    let span: Vec<Date> = FIRST.series(1.day()).take_while(|day| *day <= LAST).collect();
    let starts: Vec<[Date; 4]> = span
        .iter()
        .map(|day| {
            [Grain::Week, Grain::Month, Grain::Quarter, Grain::Year].map(|grain| calendar.period(grain, *day).start)
        })
        .collect();
    let (mut regions, mut worked) = (Vec::new(), Vec::new());
    // How many working days of the month, the quarter and the year have come, this one included.
    let mut places: [Vec<i64>; 3] = Default::default();
    for region in workdays.regions() {
        let mut reached = [0; 3];
        for (i, day) in span.iter().enumerate() {
            let is_worked = workdays.is_worked_in(region, *day);
            regions.push(region);
            worked.push(is_worked);
            for (place, start) in starts[i][1..].iter().enumerate() {
                reached[place] = if start == day { 0 } else { reached[place] } + i64::from(is_worked);
                places[place].push(reached[place]);
            }
        }
    }
    let count = workdays.regions().len();
    let dates = |of: &dyn Fn(usize) -> Date| -> ArrayRef {
        let days = (0..count).flat_map(|_| 0..span.len()).map(|i| days_between(EPOCH, of(i)));
        Arc::new(Date32Array::from_iter_values(days))
    };
    let [of_month, of_quarter, of_year] = places.map(|place| -> ArrayRef { Arc::new(Int64Array::from(place)) });
    let hours = calendar.opening_hours.map(|time| -> ArrayRef {
        let minute = i64::from(time.hour()) * 60 + i64::from(time.minute());
        Arc::new(worked.iter().map(|worked| worked.then_some(minute)).collect::<Int64Array>())
    });
    let [opens, closes] = hours;
    let columns: [(&str, ArrayRef); 12] = [
        ("day", dates(&|i| span[i])),
        ("region", Arc::new(StringArray::from(regions))),
        ("is_working_day", Arc::new(BooleanArray::from(worked))),
        ("week_start", dates(&|i| starts[i][0])),
        ("month_start", dates(&|i| starts[i][1])),
        ("quarter_start", dates(&|i| starts[i][2])),
        ("year_start", dates(&|i| starts[i][3])),
        ("working_day_of_month", of_month),
        ("working_day_of_quarter", of_quarter),
        ("working_day_of_year", of_year),
        ("opens_minute", opens),
        ("closes_minute", closes),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Diagnostic::internal(format!("no calendar: {error}")))
}
