//! From cells to scores: exact division, attainment and intervals, row by row.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::metric::{Aggregate, Metric};
use crate::domain::number::{Number, PRECISION, SCALE};
use crate::pipeline::score::definition;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Decimal128Builder, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use std::sync::Arc;

/// The digits to which the ends of an interval are rounded: they are estimates.
const INTERVAL_DIGITS: u32 = 6;

/// The schema of `scores/<metric>/<digest>.parquet`.
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let day = |name: &str| Field::new(name, DataType::Date32, false);
    let number = |name: &str| Field::new(name, DataType::Decimal128(PRECISION, SCALE as i8), true);
    Arc::new(Schema::new(vec![
        text("metric"),
        text("level"),
        text("entity"),
        text("grain"),
        day("period_start"),
        day("period_end"),
        text("slice"),
        text("slice_value"),
        number("value"),
        number("numerator"),
        number("denominator"),
        Field::new("n", DataType::Int64, false),
        number("previous"),
        number("year_before"),
        number("target"),
        number("attainment"),
        number("low"),
        number("high"),
    ]))
}

/// Finishes the rows of `assemble.sql`.
pub fn finish(metric: &Metric, assembled: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let finished = assembled.iter().filter(|batch| batch.num_rows() > 0).map(|batch| one(metric, batch));
    finished
        .map(|rows| rows.map_err(|error| Diagnostic::internal(format!("cannot score {}: {error}", metric.id))))
        .collect()
}

fn one(metric: &Metric, batch: &RecordBatch) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
    let column = |name: &str| {
        let missing = || arrow::error::ArrowError::SchemaError(format!("no column {name}"));
        batch.column_by_name(name).cloned().ok_or_else(missing)
    };
    let number = |name: &str| -> std::result::Result<Decimal128Array, arrow::error::ArrowError> {
        let array = cast(&column(name)?, &DataType::Decimal128(PRECISION, SCALE as i8))?;
        Ok(array.as_primitive::<Decimal128Type>().clone())
    };
    let flag = |name: &str| column(name).map(|array| array.as_boolean().clone());
    let divides = matches!(metric.header.aggregate, Some(Aggregate::Ratio | Aggregate::Mean));
    let nought = metric.header.aggregate.is_some_and(Aggregate::is_nought_without_facts);
    let (a, b, target) = (number("a")?, number("b")?, number("target")?);
    let value = |a: &Decimal128Array, b: &Decimal128Array, row: usize| match divides {
        true => get(a, row)?.checked_div(get(b, row)?),
        false => get(a, row).or(nought.then_some(Number::ZERO)),
    };
    // A period that is not scored is unknown; one that is, and has no facts, is nought or empty.
    let earlier = |a: &str, b: &str, known: &str| -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let (a, b, known): (_, _, BooleanArray) = (number(a)?, number(b)?, flag(known)?);
        Ok(numbers((0..batch.num_rows()).map(|row| value(&a, &b, row).filter(|_| known.value(row)))))
    };
    let values: Vec<Option<Number>> = (0..batch.num_rows()).map(|row| value(&a, &b, row)).collect();
    let attained = values.iter().enumerate().map(|(row, value)| (*value)?.checked_div(get(&target, row)?));
    let unit = flag("unit")?;
    let intervals: Vec<Option<(Number, Number)>> = (0..batch.num_rows())
        .map(|row| match definition::aggregate(metric) {
            Aggregate::Ratio if unit.is_valid(row) && unit.value(row) => wilson(get(&a, row)?, get(&b, row)?),
            _ => None,
        })
        .collect();
    let sides = |array: &Decimal128Array| numbers((0..array.len()).map(|row| get(array, row).filter(|_| divides)));
    let n = cast(&column("n")?, &DataType::Int64)?;
    let n: Int64Array = n.as_primitive::<Int64Type>().clone();
    let name = StringArray::from_iter_values(std::iter::repeat_n(&metric.id, batch.num_rows()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(name),
        column("level")?,
        column("entity")?,
        column("grain")?,
        column("period_start")?,
        column("period_end")?,
        column("slice")?,
        column("slice_value")?,
        numbers(values.iter().copied()),
        sides(&a),
        sides(&b),
        Arc::new(n),
        earlier("previous_a", "previous_b", "has_previous")?,
        earlier("year_before_a", "year_before_b", "has_year_before")?,
        Arc::new(target.clone()),
        numbers(attained),
        numbers(intervals.iter().map(|interval| interval.map(|(low, _)| low))),
        numbers(intervals.iter().map(|interval| interval.map(|(_, high)| high))),
    ];
    RecordBatch::try_new(schema(), columns)
}

fn get(array: &Decimal128Array, row: usize) -> Option<Number> {
    array.is_valid(row).then(|| Number::from_units(array.value(row)))
}

fn numbers(of: impl Iterator<Item = Option<Number>>) -> ArrayRef {
    let data_type = DataType::Decimal128(PRECISION, SCALE as i8);
    let mut built = Decimal128Builder::new().with_data_type(data_type);
    of.for_each(|number| built.append_option(number.map(Number::units)));
    Arc::new(built.finish())
}

/// The 95 % Wilson score interval of `successes` in `trials` (E. B. Wilson, 1927).
fn wilson(successes: Number, trials: Number) -> Option<(Number, Number)> {
    const Z: f64 = 1.959963984540054;
    let n = trials.to_f64();
    if n <= 0.0 {
        return None;
    }
    let p = successes.to_f64() / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    let end = |x: f64| Number::from_units((x.clamp(0.0, 1.0) * 1e12).round() as i128).round(INTERVAL_DIGITS);
    Some((end(centre - half), end(centre + half)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked with R's `binom::binom.confint(8, 20, method = "wilson")`: 0.2188065, 0.6134185.
    #[test]
    fn wilsons_interval_is_the_published_one() {
        let (low, high) = wilson(Number::whole(8), Number::whole(20)).unwrap();
        assert_eq!((low.to_fixed(4), high.to_fixed(4)), ("0.2188".to_owned(), "0.6134".to_owned()));
        let (low, high) = wilson(Number::whole(0), Number::whole(10)).unwrap();
        assert_eq!((low.to_fixed(4), high.to_fixed(4)), ("0.0000".to_owned(), "0.2775".to_owned()));
    }
}
