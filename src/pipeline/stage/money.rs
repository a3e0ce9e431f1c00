//! Money in several currencies becomes the company's, row by row, while a table is staged. Which rate converts what is
//! said in [`exchange`], and with numbers in docs/rules/money.md.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Digest;
use crate::domain::exchange::{self, CENTS, Kind as RateKind, Rates};
use crate::domain::number::{Number, SCALE};
use crate::domain::period::EPOCH;
use crate::parquet_file;
use crate::pipeline::stage::contract::{Column, EXCHANGE_RATES, Kind, Table};
use crate::run_context::RunContext;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use std::sync::Arc;

pub mod rules;

use rules::COLUMNS;

/// The columns as staging reads them: an amount that is to be converted stays exact until it is.
pub(super) fn as_read(table: &Table) -> Table {
    let mut table = table.clone();
    for column in table.columns.iter_mut().filter(|column| column.currency.is_some()) {
        column.kind = Kind::Unconverted;
    }
    table
}

/// The column whose amount the engine puts into this one, if there is one: staging does not return it.
pub(super) fn fills<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    let named = |column: &&Column| [&column.original, &column.at_plan].into_iter().flatten().any(|other| other == name);
    table.columns.iter().find(named)
}

/// What a table's rows depend on besides their exports, if money in it is converted: part of its step's key.
#[derive(Serialize)]
pub(super) struct Inputs<'a> {
    company_currency: &'a str,
    rate_max_age_days: u32,
    rates: Option<Digest>,
    /// Only if the date of the run may choose a rate.
    as_of: Option<String>,
}

impl Inputs<'_> {
    pub(super) fn of<'a>(night: &RunContext<'a>, table: &Table, model: &Model) -> Option<Inputs<'a>> {
        // A required date is never empty, or its row is quarantined for that.
        let may_be_empty = |name: &str| table.column(name).is_none_or(|column| !column.required);
        let any_on_as_of = table.columns.iter().filter_map(|column| column.converts_on.as_deref()).any(may_be_empty);
        let rates = model.tables.get(EXCHANGE_RATES);
        let any_rate = rates.is_some_and(|rates| rates.rows > 0);
        table.converts().then(|| Inputs {
            company_currency: &night.settings.company.currency,
            rate_max_age_days: night.settings.money.rate_max_age_days,
            rates: rates.map(|rates| rates.digest),
            as_of: (any_on_as_of && any_rate).then(|| night.as_of.to_string()),
        })
    }

    /// Where every row has a day of its own.
    pub(super) fn by_row(self) -> Self {
        Inputs { as_of: None, ..self }
    }
}

/// Reads the model's exchange rates; none, if it has no such table.
pub(super) async fn rates(night: &RunContext<'_>, model: &Model) -> Result<Rates> {
    let mut rates = Rates::new(&night.settings.company.currency, night.settings.money.rate_max_age_days);
    let Some(table) = model.tables.get(EXCHANGE_RATES) else { return Ok(rates) };
    let path = table.path(EXCHANGE_RATES);
    for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
        let [currencies, days, kinds, units] = COLUMNS.map(|(name, _)| batch.column_by_name(name).cloned());
        let (Some(currencies), Some(days), Some(kinds), Some(units)) = (currencies, days, kinds, units) else {
            return Err(Diagnostic::internal(format!("{path} lacks a column")));
        };
        let (currencies, kinds) = (currencies.as_string::<i32>(), kinds.as_string::<i32>());
        let (days, units) = (days.as_primitive::<Date32Type>(), units.as_primitive::<Decimal128Type>());
        for row in 0..batch.num_rows() {
            if let Some(kind) = RateKind::of(kinds.value(row)) {
                rates.add(kind, currencies.value(row), day(days.value(row)), Number::from_units(units.value(row)));
            }
        }
    }
    Ok(rates)
}

/// Faults exchange rates of what is no currency: they would convert nothing, and nobody would be told.
pub(super) fn refuse_no_currency(rates: &RecordBatch, faults: &mut [Option<String>]) {
    let codes = rates.column_by_name("from_currency").and_then(|codes| codes.as_string_opt::<i32>());
    for (code, fault) in codes.into_iter().flatten().zip(faults) {
        if let Some(code) = code.filter(|code| !exchange::is_code(code)) {
            fault.get_or_insert_with(|| format!("from_currency: {}", exchange::no_code(code)));
        }
    }
}

fn day(number: i32) -> Date {
    EPOCH.saturating_add(number.days())
}

/// Converts the amounts of rows that were read [`as_read`], and fills the columns that show them in another form. A row
/// that cannot be converted is faulted.
pub(super) fn convert(
    table: &Table,
    rates: &Rates,
    as_of: Date,
    rows: &RecordBatch,
    faults: &mut [Option<String>],
) -> Result<RecordBatch> {
    let mut columns = rows.columns().to_vec();
    let position = |name: &str| table.columns.iter().position(|column| column.name == name);
    for (i, column) in table.columns.iter().enumerate() {
        let Some(currencies) = column.currency.as_deref().and_then(position) else { continue };
        let amounts = rows.column(i).as_primitive::<Decimal128Type>();
        let currencies = rows.column(currencies).as_string::<i32>();
        let days =
            column.converts_on.as_deref().and_then(position).map(|i| rows.column(i).as_primitive::<Date32Type>());
        let mut built = Forms::default();
        for (row, fault) in faults.iter_mut().enumerate() {
            let amount = amounts.is_valid(row).then(|| Number::from_units(amounts.value(row)));
            let currency = if currencies.is_valid(row) { currencies.value(row).trim() } else { "" };
            let on = days.filter(|days| days.is_valid(row)).map_or(as_of, |days| day(days.value(row)));
            if let Err(reason) = built.push(amount, currency, on, rates) {
                fault.get_or_insert_with(|| format!("{}: {reason}", column.name));
            }
        }
        let forms =
            [Some(i), column.original.as_deref().and_then(position), column.at_plan.as_deref().and_then(position)];
        for (position, units) in forms.into_iter().zip([built.converted, built.original, built.at_plan]) {
            if let Some(position) = position {
                columns[position] = money(units)?;
            }
        }
    }
    let rows = RecordBatch::try_new(table.schema(), columns);
    rows.map_err(|error| Diagnostic::internal(format!("cannot convert money: {error}")))
}

/// A column's amounts in cents, in each form.
#[derive(Default)]
struct Forms {
    converted: Vec<Option<i128>>,
    original: Vec<Option<i128>>,
    at_plan: Vec<Option<i128>>,
}

impl Forms {
    /// Adds a row; one that cannot be converted gets empty cells.
    fn push(
        &mut self,
        amount: Option<Number>,
        currency: &str,
        on: Date,
        rates: &Rates,
    ) -> std::result::Result<(), String> {
        let forms = amount.map(|amount| {
            let converted = rates.convert(amount, currency, on)?;
            let at_plan = converted.at_plan.map(cents).transpose()?;
            Ok::<_, String>((cents(converted.amount)?, cents(amount)?, at_plan))
        });
        let (forms, said) = match forms.transpose() {
            Ok(forms) => (forms, Ok(())),
            Err(reason) => (None, Err(reason)),
        };
        self.converted.push(forms.map(|(converted, _, _)| converted));
        self.original.push(forms.map(|(_, original, _)| original));
        self.at_plan.push(forms.and_then(|(_, _, at_plan)| at_plan));
        said
    }
}

/// In cents, if a column of money can hold it.
fn cents(amount: Number) -> std::result::Result<i128, String> {
    let cents = amount.round(CENTS).units() / 10_i128.pow(SCALE - CENTS);
    match Kind::Money.data_type() {
        DataType::Decimal128(precision, _) if cents.unsigned_abs() >= 10_u128.pow(u32::from(precision)) => {
            Err(format!("`{amount}` is too large: {precision} digits are the most"))
        }
        _ => Ok(cents),
    }
}

fn money(cents: Vec<Option<i128>>) -> Result<ArrayRef> {
    let array = Decimal128Array::from(cents).with_data_type(Kind::Money.data_type());
    Ok(Arc::new(array))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, StringArray};
    use jiff::civil::date;

    fn table(converts_on: &str) -> Table {
        toml::from_str(&format!(
            r#"
            description = ""
            key = ["amount"]
            columns = [
                {{ name = "amount", type = "money", currency = "currency", converts_on = "{converts_on}",
                   original = "given", at_plan = "planned" }},
                {{ name = "currency", type = "text" }},
                {{ name = "closed_on", type = "date" }},
                {{ name = "given", type = "money" }},
                {{ name = "planned", type = "money" }},
            ]
            "#
        ))
        .unwrap()
    }

    /// Amount, currency, day of September 2026; what becomes of them: converted, original, at plan, all in cents.
    fn converted(
        converts_on: &str,
        rows: &[(&str, Option<&str>, Option<i8>)],
    ) -> (Vec<[Option<i128>; 3]>, Vec<String>) {
        let mut rates = Rates::new("EUR", 7);
        rates.add(RateKind::Market, "USD", date(2026, 9, 1), "0.9".parse().unwrap());
        rates.add(RateKind::Market, "USD", date(2026, 9, 30), "0.8".parse().unwrap());
        rates.add(RateKind::Plan, "USD", date(2026, 9, 5), "1".parse().unwrap());
        let table = table(converts_on);
        let read = as_read(&table);
        let amounts = rows.iter().map(|row| super::super::cell::unconverted(row.0).ok());
        let amounts = Decimal128Array::from_iter(amounts).with_data_type(Kind::Unconverted.data_type());
        let epoch_day = |day: i8| crate::domain::period::days_between(EPOCH, date(2026, 9, day));
        let empty = || arrow::array::new_null_array(&Kind::Money.data_type(), rows.len());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(amounts),
            Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.2.map(epoch_day)).collect::<Date32Array>()),
            empty(),
            empty(),
        ];
        let batch = RecordBatch::try_new(read.schema(), columns).unwrap();
        let mut faults = vec![None; rows.len()];
        let batch = convert(&table, &rates, date(2026, 9, 30), &batch, &mut faults).unwrap();
        let cell = |column: usize, row: usize| {
            let array = batch.column(column).as_primitive::<Decimal128Type>();
            array.is_valid(row).then(|| array.value(row))
        };
        let cells = (0..rows.len()).map(|row| [cell(0, row), cell(3, row), cell(4, row)]).collect();
        (cells, faults.into_iter().map(Option::unwrap_or_default).collect())
    }

    #[test]
    fn each_row_is_converted_by_its_own_currency_and_day() {
        let rows = [
            ("100.00", Some("USD"), Some(8)),
            ("100.00", Some("USD"), Some(9)),
            ("100.00", Some("USD"), Some(1)),
            ("-0.125", Some("USD"), None),
            ("100.005", Some(" "), Some(9)),
            ("100.00", None, None),
            ("", Some("XXX"), Some(9)),
            ("9999999999999999.99", Some("EUR"), None),
        ];
        let (cells, faults) = converted("closed_on", &rows);
        let all = |cents: i128| [Some(cents), Some(cents), Some(cents)];
        assert_eq!(cells[0], [Some(9000), Some(10000), Some(10000)]);
        assert_eq!(cells[1], [None, None, None]);
        assert_eq!(cells[2], [Some(9000), Some(10000), None]);
        assert_eq!(cells[3], [Some(-10), Some(-13), Some(-13)]);
        assert_eq!(cells[4..], [all(10001), all(10000), [None; 3], all(999_999_999_999_999_999)]);
        assert!(faults[1].starts_with("amount: USD cannot be converted on 2026-09-09"), "{}", faults[1]);
        assert_eq!(faults.iter().filter(|fault| !fault.is_empty()).count(), 1);
        // The date of the run for every row, whatever else its day is.
        assert_eq!(converted("as_of", &rows).0[1], [Some(8000), Some(10000), Some(10000)]);
    }

    #[test]
    fn an_amount_that_outgrows_its_column_is_refused() {
        let (cells, faults) = converted("as_of", &[("9999999999999999.99", Some("USD"), None)]);
        assert_eq!((cells[0][0], faults[0].as_str()), (Some(799_999_999_999_999_999), ""));
        let mut rates = Rates::new("EUR", 7);
        rates.add(RateKind::Market, "KWD", date(2026, 9, 30), "2.8".parse().unwrap());
        let large = "9999999999999999.99".parse().ok();
        let said = Forms::default().push(large, "KWD", date(2026, 9, 30), &rates);
        assert!(said.unwrap_err().contains("18 digits are the most"));
    }
}
