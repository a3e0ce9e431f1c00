//! Credits: facts shared over the reps who are credited with their records, so that rep lines add up to the fact.

use crate::diagnostic::Result;
use crate::domain::aggregate::Sides;
use crate::domain::metric::{Measure, Metric, Unit};
use crate::engine::Session;
use crate::engine::text::{fill, literal};
use crate::pipeline::score::definition;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

/// The table's name.
pub const TABLE: &str = "credits";

/// Whether a metric's facts are shared, and there is any credit to share them by. Sharing sorts all facts, which a
/// company without splits need not wait for.
pub async fn applies(session: &Session, metric: &Metric) -> Result<bool> {
    if metric.header.credit.is_none() {
        return Ok(false);
    }
    let sql = format!("SELECT COUNT(*) AS n FROM {TABLE} WHERE record_table = {}", record_table(metric));
    let found = session.query_own(&sql).await?;
    Ok(found.iter().any(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter().any(|n| *n > 0)))
}

/// The lines that facts are shared into, as a query in parentheses: `record_id`, `rep_id`, the day or the validity, these
/// slices, `credit_kind` (empty for revenue), `_share`, `a` and `b`. The facts are a table or a query in parentheses; what
/// has stood since a day has its days up to `to`.
pub fn shared(metric: &Metric, facts: &str, slices: &[&str], to: Option<&str>) -> Result<String> {
    let aggregate = metric.aggregate();
    let Sides { a, b, .. } = aggregate.sides(&metric.values(), to);
    let (day, days) = match definition::measure(metric) {
        Measure::Flow => ("event_date", "event_date"),
        Measure::Stock => ("valid_from", "valid_from, valid_to"),
    };
    let money = metric.header.unit == Unit::Money && aggregate.is_sum_of_values();
    // Cents go round one by one, by largest remainder. Trillionths need no fairness: all stay with the largest share.
    let cents = ["2", "0.01", "CASE WHEN _place * _step <= _left_a THEN _step ELSE 0 END", "_left_a % _step"];
    let trillionths = ["12", "0.000000000001", "0", "_left_a"];
    let [digits, step, each, rest] = if money { cents } else { trillionths };
    let slices: String = slices.iter().map(|slice| format!(", {slice}")).collect();
    let lines = fill(include_str!("sql/credit_lines.sql"), &[("table", &record_table(metric))])?;
    let mut values =
        vec![("lines", lines.as_str()), ("days", days), ("slices", &slices), ("a", &a), ("b", &b), ("facts", facts)];
    let template = match aggregate.is_shared_whole() {
        true => include_str!("sql/credit_whole.sql"),
        false => {
            values.extend([("day", day), ("digits", digits), ("step", step), ("each", each), ("rest", rest)]);
            include_str!("sql/credit.sql")
        }
    };
    Ok(format!("(\n{})", fill(template, &values)?))
}

fn record_table(metric: &Metric) -> String {
    literal(metric.header.record.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::number::{Number, spread};
    use crate::engine::Limits;
    use crate::store::Store;
    use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
    use arrow::datatypes::Decimal128Type;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// Record, rep and whether it is overlay -> what is above the line, and below.
    type Lines = BTreeMap<(String, String, bool), (Number, Option<Number>)>;

    fn metric(unit: &str, aggregate: &str) -> Metric {
        let header = format!(
            "title = ''\nquestion = ''\ndefinition = ''\nbetter = 'higher'\nmeasure = 'flow'\nrecord = 'deals'\n\
             credit = 'revenue'\nunit = '{unit}'\naggregate = '{aggregate}'"
        );
        let header = toml::from_str(&header).unwrap();
        let (id, group, path, sql, source, form) = Default::default();
        Metric {
            id,
            group,
            path,
            header,
            sql,
            sql_line: 1,
            source,
            form,
            for_others: std::collections::BTreeSet::new(),
        }
    }

    fn decimals(units: impl Iterator<Item = i128>, scale: i8) -> ArrayRef {
        Arc::new(Decimal128Array::from_iter_values(units).with_precision_and_scale(38, scale).unwrap())
    }

    fn texts<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(texts))
    }

    /// Shares facts (units of value; the record is the place, the rep `owner`) over credits (place, rep, millionths, kind).
    fn lines(metric: &Metric, values: &[i128], credits: &[(usize, String, i128, &str)]) -> Lines {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let session = Session::new(Limits { threads: 2, memory_bytes: 1 << 28 }, &store).unwrap();
        let facts = RecordBatch::try_from_iter([
            ("record_id", texts((0..values.len()).map(|i| i.to_string()))),
            ("rep_id", texts(values.iter().map(|_| "owner"))),
            ("event_date", texts(values.iter().map(|_| "a day"))),
            ("value", decimals(values.iter().copied(), 12)),
            ("numerator", decimals(values.iter().copied(), 12)),
            ("denominator", decimals(values.iter().map(|_| 10_i128.pow(12)), 12)),
        ])
        .unwrap();
        let table = RecordBatch::try_from_iter([
            ("record_table", texts(credits.iter().map(|_| "deals"))),
            ("record_id", texts(credits.iter().map(|credit| credit.0.to_string()))),
            ("rep_id", texts(credits.iter().map(|credit| credit.1.as_str()))),
            ("share", decimals(credits.iter().map(|credit| credit.2), 6)),
            ("kind", texts(credits.iter().map(|credit| credit.3))),
        ])
        .unwrap();
        session.add_batches("facts", facts.schema(), vec![facts]).unwrap();
        session.add_batches(TABLE, table.schema(), vec![table]).unwrap();
        let sql = format!(
            "SELECT record_id, rep_id, credit_kind, a, b FROM {} AS f",
            shared(metric, "facts", &[], None).unwrap()
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut lines = Lines::new();
        for batch in runtime.block_on(session.query_own(&sql)).unwrap() {
            let text = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row).to_owned();
            let number = |column: usize, row: usize| {
                let of = batch.column(column).as_primitive::<Decimal128Type>();
                arrow::array::Array::is_valid(of, row).then(|| Number::from_units(of.value(row)))
            };
            for row in 0..batch.num_rows() {
                let key = (text(0, row), text(1, row), arrow::array::Array::is_valid(batch.column(2), row));
                assert!(lines.insert(key, (number(3, row).unwrap(), number(4, row))).is_none());
            }
        }
        lines
    }

    fn credit(place: usize, rep: &str, share: i128, kind: &'static str) -> (usize, String, i128, &'static str) {
        (place, rep.to_owned(), share, kind)
    }

    fn of<'a>(lines: &'a Lines, rep: &str) -> &'a (Number, Option<Number>) {
        let found = lines.iter().find(|((_, of, _), _)| of == rep);
        found.unwrap_or_else(|| panic!("no line of {rep}")).1
    }

    /// The examples of docs/rules/people.md.
    #[test]
    fn facts_are_shared_as_the_rules_say() {
        let euros = |cents: i128| cents * 10_i128.pow(10);
        let split = [credit(0, "ada", 700_000, "revenue"), credit(0, "ben", 300_000, "revenue")];
        let bookings = lines(&metric("money", "sum"), &[euros(10_001)], &split);
        assert_eq!(of(&bookings, "ada").0.to_string(), "70.01");
        assert_eq!(of(&bookings, "ben").0.to_string(), "30");
        let thirds = [("ada", 333_334), ("ben", 333_333), ("cleo", 333_333)];
        let thirds = thirds.map(|(rep, share)| credit(0, rep, share, "revenue"));
        let bookings = lines(&metric("money", "sum"), &[euros(10_000)], &thirds);
        assert_eq!(["ada", "ben", "cleo"].map(|rep| of(&bookings, rep).0.to_string()), ["33.34", "33.33", "33.33"]);
        // What no step of a trillionth shares stays with the largest share: 0.000000000001 is Ada's.
        let hours = lines(&metric("hours", "sum"), &[1], &thirds);
        assert_eq!(["ada", "ben", "cleo"].map(|rep| of(&hours, rep).0.units()), [1, 0, 0]);
        // Equal halves of a cent: the larger share has it, and of equal shares the first rep.
        let halves = [credit(0, "ben", 500_000, "revenue"), credit(0, "ada", 500_000, "revenue")];
        let bookings = lines(&metric("money", "sum"), &[euros(1)], &halves);
        assert_eq!(["ada", "ben"].map(|rep| of(&bookings, rep).0.to_string()), ["0.01", "0"]);
        // Ratios and means share both sides; a middle value and a record are whole for each.
        let rate = lines(&metric("percent", "ratio"), &[euros(100)], &split);
        assert_eq!(*of(&rate, "ada"), ("0.7".parse().unwrap(), Some("0.7".parse().unwrap())));
        let mean = lines(&metric("money", "mean"), &[euros(1_000)], &split);
        assert_eq!(*of(&mean, "ben"), ("3".parse().unwrap(), Some("0.3".parse().unwrap())));
        let median = lines(&metric("money", "median"), &[euros(1_000)], &split);
        assert_eq!(of(&median, "ben").0.to_string(), "10");
        assert_eq!(of(&lines(&metric("count", "count"), &[7], &split), "ben").0.to_string(), "0.3");
        assert_eq!(of(&lines(&metric("count", "distinct"), &[7], &split), "ben").0.to_string(), "1");
        // Overlay credit takes nothing, rounds half away from zero, and leaves the fact to its rep.
        let overlay = lines(&metric("money", "sum"), &[euros(-10_001)], &[credit(0, "dan", 500_000, "overlay")]);
        assert_eq!(of(&overlay, "owner").0.to_string(), "-100.01");
        assert_eq!(of(&overlay, "dan").0.to_string(), "-50.01");
    }

    /// Shares in millionths that are parts of one whole, from cuts in it.
    fn shares() -> impl Strategy<Value = Vec<i128>> {
        proptest::collection::btree_set(1_i128..1_000_000, 0..5).prop_map(|cuts| {
            let ends: Vec<i128> = std::iter::once(0).chain(cuts).chain([1_000_000]).collect();
            ends.windows(2).map(|pair| pair[1] - pair[0]).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn parts_add_up_to_the_fact_whatever_the_order_of_credits(
            facts in proptest::collection::vec((-1_000_000_000_i128..1_000_000_000, shares()), 1..12),
            in_cents in any::<bool>(),
            is_money in any::<bool>(),
        ) {
            let unit = if in_cents { 10_i128.pow(10) } else { 1 };
            let values: Vec<i128> = facts.iter().map(|(value, _)| value * unit).collect();
            let mut credits = Vec::new();
            for (place, (_, shares)) in facts.iter().enumerate() {
                let own = shares.iter().enumerate();
                credits.extend(own.map(|(i, share)| credit(place, &format!("rep {i}"), *share, "revenue")));
                credits.push(credit(place, "rep 0", 250_000, "overlay"));
            }
            let metric = metric(if is_money { "money" } else { "hours" }, "sum");
            let found = lines(&metric, &values, &credits);
            for (place, (value, (_, shares))) in values.iter().zip(&facts).enumerate() {
                let own = (0..shares.len()).map(|i| found[&(place.to_string(), format!("rep {i}"), false)].0.units());
                let own: Vec<i128> = own.collect();
                prop_assert_eq!(own.iter().sum::<i128>(), *value);
                // Whole cents are spread as targets are: the same rule, by another hand.
                if is_money && in_cents {
                    let mut order: Vec<usize> = (0..shares.len()).collect();
                    order.sort_by_key(|i| (-shares[*i], *i));
                    let weights: Vec<u64> = order.iter().map(|i| u64::try_from(shares[*i]).unwrap()).collect();
                    let cents = spread(value / unit, &weights);
                    prop_assert!(order.iter().zip(cents).all(|(i, cents)| own[*i] == cents * unit));
                }
            }
            credits.reverse();
            prop_assert_eq!(lines(&metric, &values, &credits), found);
        }
    }
}
