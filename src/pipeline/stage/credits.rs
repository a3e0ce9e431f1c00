//! The table `credits`: revenue shares of a record add up to 1, so that shared facts add up to the whole.
//!
//! A company without splits has no such export, and the table is empty.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::number::Number;
use crate::run_context::RunContext;
use crate::run_context::read_table;
use arrow::array::{Array, AsArray, Decimal128Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type};
use std::collections::BTreeMap;

/// Its name.
const TABLE: &str = "credits";
/// A whole, in the millionths in which shares are given.
const WHOLE: i128 = 1_000_000;

/// One credit of a record.
struct Credit {
    rep: String,
    kind: String,
    /// In millionths.
    share: i128,
}

/// Stops where the shares of a record are not parts of one whole.
pub(super) async fn check(night: &RunContext<'_>, model: &Model) -> Result<()> {
    match model.tables.get(TABLE) {
        Some(table) if table.rows > 0 => refuse_wrong_shares(&read_table(night, model, TABLE).await?),
        _ => Ok(()),
    }
}

fn refuse_wrong_shares(batches: &[RecordBatch]) -> Result<()> {
    for ((table, record), credits) in by_record(batches)? {
        let of = format!("{record} in {table}");
        if let Some(wrong) = credits.iter().find(|credit| credit.share <= 0 || credit.share > WHOLE) {
            let error = format!("{} is credited with {} of {of}", wrong.rep, number(wrong.share));
            return Err(with_rows(Diagnostic::data(error), &credits)
                .help("a share is more than 0 and at most 1: 0.7 for 70 %; leave out who has none"));
        }
        let mut revenue = credits.iter().filter(|credit| credit.kind == "revenue").peekable();
        if revenue.peek().is_none() {
            continue;
        }
        let sum: i128 = revenue.map(|credit| credit.share).sum();
        if sum != WHOLE {
            let error = format!("the revenue shares of {of} add up to {}, not to 1", number(sum));
            return Err(with_rows(Diagnostic::data(error), &credits)
                .help("correct the shares; of thirds one is 0.333334, so that none of the deal is lost")
                .help("credit of a rep who is not in `reps` is set aside and not in the sum: is one missing?"));
        }
    }
    Ok(())
}

/// Adds a record's credits, one by one.
fn with_rows(error: Box<Diagnostic>, credits: &[Credit]) -> Box<Diagnostic> {
    let rows = credits.iter().map(|credit| format!("{} {} {}", credit.rep, number(credit.share), credit.kind));
    error.note(format!("its credits are {}", rows.collect::<Vec<_>>().join(", ")))
}

fn number(millionths: i128) -> Number {
    Number::from_units(millionths * WHOLE)
}

/// All credits by table and record, in order of rep and kind.
fn by_record(batches: &[RecordBatch]) -> Result<BTreeMap<(String, String), Vec<Credit>>> {
    let wrong = || Diagnostic::internal("the table credits has other columns than its contract");
    let mut all: BTreeMap<(String, String), Vec<Credit>> = BTreeMap::new();
    for batch in batches {
        let text = |name: &str| -> Option<&StringArray> { batch.column_by_name(name)?.as_string_opt::<i32>() };
        let share = batch.column_by_name("share").and_then(|c| cast(c, &DataType::Decimal128(38, 6)).ok());
        let share: &Decimal128Array =
            share.as_ref().and_then(|c| c.as_primitive_opt::<Decimal128Type>()).ok_or_else(wrong)?;
        let columns = (text("record_table"), text("record_id"), text("rep_id"), text("kind"));
        let (Some(tables), Some(records), Some(reps), Some(kinds)) = columns else { return Err(wrong()) };
        for row in 0..batch.num_rows() {
            let key = (tables.value(row).to_owned(), records.value(row).to_owned());
            let share = if share.is_valid(row) { share.value(row) } else { 0 };
            let (rep, kind) = (reps.value(row).to_owned(), kinds.value(row).to_owned());
            all.entry(key).or_default().push(Credit { rep, kind, share });
        }
    }
    all.values_mut().for_each(|credits| credits.sort_by(|a, b| (&a.rep, &a.kind).cmp(&(&b.rep, &b.kind))));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::ArrayRef;
    use std::sync::Arc;

    /// What is said of credits of the deal `d1`: rep, share in millionths, kind.
    fn said(credits: &[(&str, i128, &str)]) -> Option<String> {
        let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
        let shares = Decimal128Array::from_iter_values(credits.iter().map(|credit| credit.1));
        let batch = RecordBatch::try_from_iter([
            ("record_table", texts(vec!["opportunities"; credits.len()])),
            ("record_id", texts(vec!["d1"; credits.len()])),
            ("rep_id", texts(credits.iter().map(|credit| credit.0).collect())),
            ("share", Arc::new(shares.with_precision_and_scale(20, 6).unwrap())),
            ("kind", texts(credits.iter().map(|credit| credit.2).collect())),
        ]);
        refuse_wrong_shares(&[batch.unwrap()]).err().map(|error| {
            assert_eq!(error.kind.exit_code(), 4);
            error.to_string()
        })
    }

    #[test]
    fn revenue_shares_are_parts_of_one_whole() {
        assert_eq!(said(&[("ada", 700_000, "revenue"), ("ben", 300_000, "revenue")]), None);
        let thirds = [("ada", 333_334, "revenue"), ("ben", 333_333, "revenue"), ("cleo", 333_333, "revenue")];
        assert_eq!(said(&thirds), None);
        // Overlay credit is beside the whole, and may stand alone.
        assert_eq!(said(&[("ada", 1_000_000, "revenue"), ("dan", 500_000, "overlay")]), None);
        assert_eq!(said(&[("dan", 500_000, "overlay"), ("eva", 800_000, "overlay")]), None);
        insta::assert_snapshot!(
            said(&[("ben", 300_000, "revenue"), ("ada", 690_000, "revenue"), ("dan", 500_000, "overlay")]).unwrap()
        );
        insta::assert_snapshot!(said(&[("ada", 1_200_000, "revenue"), ("ben", -200_000, "revenue")]).unwrap());
        assert!(
            said(&[("ada", 1_000_000, "revenue"), ("dan", 0, "overlay")]).unwrap().contains("dan is credited with 0")
        );
        assert!(said(&[("ada", 999_999, "revenue")]).unwrap().contains("add up to 0.999999, not to 1"));
    }
}
