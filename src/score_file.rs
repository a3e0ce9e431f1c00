//! The files of scores: [`Score`]s to rows and back. Which columns there are stands in [`crate::domain::score`] alone.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::number::{Number, PRECISION, SCALE};
use crate::domain::period::{EPOCH, Grain, days_between};
use crate::domain::score::{NUMBERS, PLACE, Score, WORDS};
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Decimal128Builder, Int64Array, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use jiff::ToSpan;
use std::sync::Arc;

/// The schema of `scores/<metric>/<digest>.parquet`.
pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let place = PLACE.map(|name| match name {
        "period_start" | "period_end" => Field::new(name, DataType::Date32, false),
        name => text(name, false),
    });
    let mut fields = place.to_vec();
    fields.push(Field::new("n", DataType::Int64, false));
    let number = DataType::Decimal128(PRECISION, SCALE as i8);
    fields.extend(NUMBERS.iter().map(|column| Field::new(column.name, number.clone(), true)));
    fields.extend(WORDS.iter().map(|column| text(column.name, true)));
    fields.push(Field::new("quartile", DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

/// Scores on their way into a file, by column: always a whole row group, so that the file's bytes depend on nothing else.
#[derive(Default)]
pub struct Rows {
    texts: [StringBuilder; 6],
    days: [Vec<i32>; 2],
    n: Vec<i64>,
    numbers: [Decimal128Builder; NUMBERS.len()],
    words: [StringBuilder; WORDS.len()],
    quartile: Vec<Option<i64>>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.n.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n.is_empty()
    }

    /// Adds one.
    pub fn add(&mut self, score: &Score) {
        let Score { metric, level, entity, grain, slice, slice_value, .. } = score;
        let texts: [&str; 6] = [metric, level, entity, grain.name(), slice, slice_value];
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_value(text));
        let days = [score.period_start, score.period_end].map(|day| days_between(EPOCH, day));
        self.days.iter_mut().zip(days).for_each(|(column, day)| column.push(day));
        self.n.push(score.n);
        for (column, number) in self.numbers.iter_mut().zip(&NUMBERS) {
            column.append_option((number.get)(score).map(Number::units));
        }
        for (column, word) in self.words.iter_mut().zip(&WORDS) {
            column.append_option((word.get)(score).as_deref());
        }
        self.quartile.push(score.quartile);
    }

    /// All of them.
    pub fn batch(self) -> std::result::Result<RecordBatch, ArrowError> {
        let text = |mut column: StringBuilder| -> ArrayRef { Arc::new(column.finish()) };
        let [metric, level, entity, grain, slice, slice_value] = self.texts.map(text);
        let [start, end] = self.days.map(|days| -> ArrayRef { Arc::new(Date32Array::from(days)) });
        let mut columns = vec![metric, level, entity, grain, start, end, slice, slice_value];
        columns.push(Arc::new(Int64Array::from(self.n)));
        for mut column in self.numbers {
            columns.push(Arc::new(column.finish().with_precision_and_scale(PRECISION, SCALE as i8)?));
        }
        columns.extend(self.words.map(text));
        columns.push(Arc::new(Int64Array::from(self.quartile)));
        RecordBatch::try_new(schema(), columns)
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Diagnostic::internal(format!("scores lack the column {name}")))
}

/// Whose score a row is: level and entity.
pub fn whose(batch: &RecordBatch, row: usize) -> Result<(&str, &str)> {
    let text = |name| column(batch, name).map(|column| column.as_string::<i32>().value(row));
    Ok((text("level")?, text("entity")?))
}

/// A row as a score.
///
/// # Errors
/// Scores of another program may lack a column.
pub fn score(metric: &str, batch: &RecordBatch, row: usize) -> Result<Score> {
    let text = |name| column(batch, name).map(|column| column.as_string::<i32>().value(row).to_owned());
    let day = |name| column(batch, name).map(|of| EPOCH + of.as_primitive::<Date32Type>().value(row).days());
    let whole = |name| column(batch, name).map(|column| column.as_primitive::<Int64Type>());
    let (level, entity) = whose(batch, row)?;
    let grain = text("grain")?.parse::<Grain>().map_err(Diagnostic::internal)?;
    let mut score = Score::of(metric, level, entity, grain, (day("period_start")?, day("period_end")?));
    (score.slice, score.slice_value) = (text("slice")?, text("slice_value")?);
    score.n = whole("n")?.value(row);
    for number in &NUMBERS {
        let of = column(batch, number.name)?.as_primitive::<Decimal128Type>();
        *(number.set)(&mut score) = of.is_valid(row).then(|| Number::from_units(of.value(row)));
    }
    for word in &WORDS {
        let of = column(batch, word.name)?.as_string::<i32>();
        *(word.set)(&mut score) = of.is_valid(row).then(|| of.value(row).to_owned());
    }
    let quartile = whole("quartile")?;
    score.quartile = quartile.is_valid(row).then(|| quartile.value(row));
    Ok(score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_is_written_is_read() {
        let days = (date(2026, 9, 1), date(2026, 9, 30));
        let mut full = Score::of("bookings", "rep", "ada", Grain::Month, days);
        (full.slice, full.slice_value, full.n, full.quartile) = ("kind".into(), "new".into(), 7, Some(2));
        for (i, number) in NUMBERS.iter().enumerate() {
            *(number.set)(&mut full) = Some(Number::whole(i as i64 - 3));
        }
        WORDS.iter().for_each(|word| *(word.set)(&mut full) = Some(format!("a {}", word.name)));
        let empty = Score::of("bookings", "company", "company", Grain::Month, days);
        let mut rows = Rows::default();
        [&full, &empty].into_iter().for_each(|score| rows.add(score));
        let batch = rows.batch().unwrap();
        let read = [0, 1].map(|row| score("bookings", &batch, row).unwrap());
        assert_eq!(read, [full, empty]);
    }

    /// ARCHITECTURE.md names the columns, for whoever reads the files years later.
    #[test]
    fn the_columns_are_those_that_are_documented() {
        let text = include_str!("../ARCHITECTURE.md");
        let row = text.lines().find(|line| line.starts_with("| `scores/")).unwrap();
        let names: Vec<String> = schema().fields().iter().map(|field| format!("`{}`", field.name())).collect();
        assert!(row.contains(&names.join(", ")), "{}", names.join(", "));
    }
}
