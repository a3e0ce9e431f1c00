//! From what staging SQL returns to the contract's columns, row by row: a cell that does not fit faults its row alone.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::period::{EPOCH, LAST_DAY, days_between, in_range};
use crate::pipeline::stage::cell;
use crate::pipeline::stage::contract::{Column, Kind};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Array, Date32Builder, Decimal128Builder, Int64Builder, RecordBatch,
    StringArray, StringBuilder, TimestampSecondBuilder,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, SchemaRef};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many letters of a cell are shown in what is said of it.
const SHOWN: usize = 80;

/// What staging knows of the export besides its cells.
pub struct Origin<'a> {
    /// The staging file or derived table, for messages.
    pub file: &'a str,
    /// The source's name, the first part of every id; empty for derived tables, whose ids have one already.
    pub source: &'a str,
    /// The names of all sources: an id that begins with one is a record of that source.
    pub sources: &'a [&'a str],
    /// Forms of dates and moments by column, where they are not ISO 8601.
    pub formats: &'a BTreeMap<String, String>,
    /// The company's time zone.
    pub zone: &'a TimeZone,
}

impl Origin<'_> {
    /// The id of a record: its source, `:`, and what the source calls it. Hand-kept files name records of other sources so.
    fn id(&self, text: &str) -> String {
        let named = text.split_once(':').filter(|(source, id)| self.sources.contains(source) && !id.is_empty());
        named.map_or_else(|| format!("{}:{text}", self.source), |_| text.to_owned())
    }
}

/// Rows in the contract's columns, and what is wrong with each.
pub struct Typed {
    /// The columns; a faulted cell is null.
    pub batch: RecordBatch,
    /// The first fault of each row.
    pub faults: Vec<Option<String>>,
}

/// Types a batch.
pub fn typed(origin: &Origin<'_>, columns: &[Column], schema: SchemaRef, rows: &RecordBatch) -> Result<Typed> {
    let mut faults: Vec<Option<String>> = vec![None; rows.num_rows()];
    let mut arrays = Vec::with_capacity(columns.len());
    for column in columns {
        let array = match rows.column_by_name(&column.name) {
            Some(array) => convert(origin, column, array, &mut faults)?,
            None => arrow::array::new_null_array(&column.kind.data_type(), rows.num_rows()),
        };
        check(column, &array, &mut faults);
        arrays.push(array);
    }
    refuse_turned(columns, &arrays, &mut faults);
    let batch = RecordBatch::try_new(schema, arrays);
    let batch = batch.map_err(|error| Diagnostic::internal(format!("cannot build {}: {error}", origin.file)))?;
    Ok(Typed { batch, faults })
}

/// Faults rows in which something ends before it starts.
fn refuse_turned(columns: &[Column], arrays: &[ArrayRef], faults: &mut [Option<String>]) {
    let days = |name: &str| {
        let place = columns.iter().position(|column| column.name == name)?;
        arrays[place].as_primitive_opt::<Date32Type>()
    };
    for column in columns {
        let Some(start) = &column.not_before else { continue };
        let (Some(ends), Some(starts)) = (days(&column.name), days(start)) else { continue };
        for ((end, first), fault) in ends.iter().zip(starts).zip(faults.iter_mut()) {
            if end.zip(first).is_some_and(|(end, first)| end < first) {
                fault.get_or_insert_with(|| format!("{} is before {start}", column.name));
            }
        }
    }
}

/// Faults rows that lack a required cell or hold a value that is not allowed, such as a rate of zero.
fn check(column: &Column, array: &ArrayRef, faults: &mut [Option<String>]) {
    if column.required {
        for (row, fault) in faults.iter_mut().enumerate() {
            if array.is_null(row) {
                fault.get_or_insert_with(|| format!("{} is empty", column.name));
            }
        }
    }
    if let (Kind::Rate, Some(rates)) = (column.kind, array.as_primitive_opt::<Decimal128Type>()) {
        for (rate, fault) in rates.iter().zip(faults.iter_mut()) {
            if rate.is_some_and(|rate| rate <= 0) {
                fault.get_or_insert_with(|| format!("{}: a rate is more than zero", column.name));
            }
        }
    }
    if let (false, Some(texts)) = (column.allowed.is_empty(), array.as_string_opt::<i32>()) {
        for (text, fault) in texts.iter().zip(faults.iter_mut()) {
            if let Some(text) = text.filter(|text| !column.allowed.iter().any(|allowed| allowed == text)) {
                let allowed = column.allowed.join(", ");
                fault.get_or_insert_with(|| format!("{}: `{}` is none of {allowed}", column.name, shown(text)));
            }
        }
    }
}

fn convert(origin: &Origin<'_>, column: &Column, array: &ArrayRef, faults: &mut [Option<String>]) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Null => Ok(arrow::array::new_null_array(&column.kind.data_type(), array.len())),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = cast(origin, column, array, &DataType::Utf8)?;
            Ok(parse(origin, column, texts.as_string::<i32>(), faults))
        }
        given if fits(column.kind, given) => {
            if column.kind == Kind::Id || column.kind == Kind::Text {
                let texts = cast(origin, column, array, &DataType::Utf8)?;
                return Ok(parse(origin, column, texts.as_string::<i32>(), faults));
            }
            let cells = cast(origin, column, array, &column.kind.data_type())?;
            match cells.as_primitive_opt::<Date32Type>() {
                // What is derived comes of days that were read, and may lie a little beyond them.
                Some(days) if !origin.source.is_empty() => Ok(meant(column, days, faults)),
                _ => Ok(cells),
            }
        }
        given => Err(wrong_type(origin, column, given)),
    }
}

/// Whether a type may become the column's without loss of meaning.
fn fits(kind: Kind, given: &DataType) -> bool {
    match kind {
        Kind::Id | Kind::Text => given.is_integer(),
        Kind::Date => matches!(given, DataType::Date32 | DataType::Date64),
        Kind::Timestamp | Kind::LocalTimestamp => matches!(given, DataType::Timestamp(_, None)),
        Kind::Integer => given.is_integer(),
        Kind::Decimal | Kind::Money | Kind::Unconverted | Kind::Rate => {
            given.is_integer() || matches!(given, DataType::Decimal128(_, _))
        }
        Kind::Boolean => given == &DataType::Boolean,
    }
}

fn wrong_type(origin: &Origin<'_>, column: &Column, given: &DataType) -> Box<Diagnostic> {
    Diagnostic::project(format!("`{}` must be {}, and this query returns {given}", column.name, column.kind.words()))
        .at(Place::file(origin.file))
        .note("a column of text is read cell by cell, and a cell that cannot be read quarantines its row alone")
        .help(format!("return the export's text as it is: `\"Column\" AS {}`", column.name))
}

fn cast(origin: &Origin<'_>, column: &Column, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &strict).map_err(|error| {
        Diagnostic::project(format!("`{}` cannot become {}: {error}", column.name, column.kind.words()))
            .at(Place::file(origin.file))
    })
}

/// Parses each cell; faults what cannot be read.
fn parse(origin: &Origin<'_>, column: &Column, texts: &StringArray, faults: &mut [Option<String>]) -> ArrayRef {
    let format = origin.formats.get(&column.name).cloned();
    let local = |instant: Timestamp| {
        let clock = instant.to_zoned(origin.zone.clone()).datetime();
        clock.to_zoned(TimeZone::UTC).map_or(instant.as_second(), |zoned| zoned.timestamp().as_second())
    };
    let mut cells = Cells { name: &column.name, texts, faults };
    match column.kind {
        Kind::Id if origin.source.is_empty() => Arc::new(texts.clone()),
        Kind::Id => {
            let mut built = StringBuilder::with_capacity(texts.len(), texts.value_data().len() + texts.len() * 12);
            cells.each(|text| Ok(origin.id(text.trim())), |id| built.append_option(id));
            Arc::new(built.finish())
        }
        Kind::Text => Arc::new(texts.clone()),
        Kind::Date => {
            let mut built = Date32Builder::with_capacity(texts.len());
            let day = |text: &str| match column.instant {
                true => cell::day_of_instant(text, &format, origin.zone),
                false => cell::date(text, &format, origin.zone),
            };
            cells.each(|text| to_day(column, day(text)?), |day| built.append_option(day.flatten()));
            Arc::new(built.finish())
        }
        Kind::Timestamp | Kind::LocalTimestamp => {
            let mut built = TimestampSecondBuilder::with_capacity(texts.len());
            let second = |instant: Timestamp| match column.kind {
                Kind::LocalTimestamp => local(instant),
                _ => instant.as_second(),
            };
            cells.each(
                |text| cell::timestamp(text, &format, origin.zone).map(second),
                |second| built.append_option(second),
            );
            Arc::new(built.finish())
        }
        Kind::Integer => {
            let mut built = Int64Builder::with_capacity(texts.len());
            cells.each(cell::integer, |value| built.append_option(value));
            Arc::new(built.finish())
        }
        Kind::Decimal | Kind::Money | Kind::Unconverted | Kind::Rate => {
            let data_type = column.kind.data_type();
            let mut built = Decimal128Builder::with_capacity(texts.len()).with_data_type(data_type);
            let read = |text: &str| match column.kind {
                Kind::Money => cell::money(text, 18, 2),
                Kind::Unconverted => cell::unconverted(text),
                Kind::Rate => cell::decimal(text, 28, 12),
                _ => cell::decimal(text, 20, 6),
            };
            cells.each(read, |value| built.append_option(value));
            Arc::new(built.finish())
        }
        Kind::Boolean => {
            let mut built = BooleanBuilder::with_capacity(texts.len());
            cells.each(cell::boolean, |value| built.append_option(value));
            Arc::new(built.finish())
        }
    }
}

/// A column's cells while they are read.
struct Cells<'a> {
    name: &'a str,
    texts: &'a StringArray,
    faults: &'a mut [Option<String>],
}

impl Cells<'_> {
    fn each<T>(&mut self, read: impl Fn(&str) -> std::result::Result<T, String>, mut take: impl FnMut(Option<T>)) {
        for (row, text) in self.texts.iter().enumerate() {
            let value = match text.filter(|text| !text.trim().is_empty()).map(&read) {
                None => None,
                Some(Ok(value)) => Some(value),
                Some(Err(reason)) => {
                    let reason = text.map_or(reason.clone(), |text| reason.replace(text, &shown(text)));
                    self.faults[row].get_or_insert_with(|| format!("{}: {reason}", self.name));
                    None
                }
            };
            take(value);
        }
    }
}

/// A cell in a message, if need be its beginning alone.
fn shown(text: &str) -> String {
    text.char_indices().nth(SHOWN).map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

/// A day that can be meant, in days since the epoch; none where a far one says that there is no end.
fn to_day(column: &Column, day: Date) -> std::result::Result<Option<i32>, String> {
    if column.open_end && day > LAST_DAY {
        return Ok(None);
    }
    // The one that exports write for "never": where it ends something, the contract can say so.
    let is_marker = day.year() == Date::MAX.year() && !column.required;
    let day = in_range(day).map_err(|reason| match is_marker {
        true => format!("{reason}; an end that may be open has `open_end = true` in queries/model.toml"),
        false => reason,
    });
    day.map(|day| Some(days_between(EPOCH, day)))
}

/// Days that the query itself made, held to the same.
fn meant(column: &Column, days: &Date32Array, faults: &mut [Option<String>]) -> ArrayRef {
    let one = |(row, day): (usize, Option<i32>)| {
        let after = Span::new().try_days(day?).and_then(|days| EPOCH.checked_add(days));
        let read = after.map_err(|_| "it is no day that there is".to_owned());
        match read.and_then(|day| to_day(column, day)) {
            Ok(day) => day,
            Err(reason) => {
                faults[row].get_or_insert_with(|| format!("{}: {reason}", column.name));
                None
            }
        }
    };
    Arc::new(days.iter().enumerate().map(one).collect::<Date32Array>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_names_a_source_is_taken_as_it_stands() {
        let zone = TimeZone::UTC;
        let formats = BTreeMap::new();
        let origin =
            Origin { file: "", source: "finance", sources: &["crm", "finance"], formats: &formats, zone: &zone };
        let ids = ["51", "crm:51", "finance:51", "erp:51", "crm", "crm:", ":51", "Crm:51", "crm:a:b"];
        let made = ids.map(|id| origin.id(id));
        let expected = [
            "finance:51",
            "crm:51",
            "finance:51",
            "finance:erp:51",
            "finance:crm",
            "finance:crm:",
            "finance::51",
            "finance:Crm:51",
            "crm:a:b",
        ];
        assert_eq!(made, expected);
    }
}
