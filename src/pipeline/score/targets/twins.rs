//! Two targets of one goal that cover the same days: a year's beside its months', a revised one beside the one it was. They may
//! be meant to add up or to stand for each other. Nobody can tell, and one reading gives twice the target: the run stops.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::parquet_file;
use crate::run_context::RunContext;
use crate::store::object_name;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A target, for messages.
pub(super) struct Told {
    pub id: String,
    /// Its amount or range.
    pub target: String,
    /// Its first and last day.
    pub days: (Date, Date),
}

/// The first two that cover the same days, of targets in the order of their starts. Of what is in force that began last
/// counts, so that two are twins if they begin on one day.
pub(super) fn first(days: &[(Date, Date)], adds: bool) -> Option<[usize; 2]> {
    // An aligned one may start on another day than its row says.
    let mut order: Vec<usize> = (0..days.len()).collect();
    order.sort_by_key(|i| (days[*i], *i));
    let mut longest = *order.first()?;
    for pair in order.windows(2) {
        let (before, now) = if adds { (longest, pair[1]) } else { (pair[0], pair[1]) };
        let are_twins = if adds { days[now].0 <= days[before].1 } else { days[now].0 == days[before].0 };
        if are_twins {
            return Some([before, now]);
        }
        longest = if days[now].1 > days[longest].1 { now } else { longest };
    }
    None
}

/// Shows both, with their files and records.
pub(super) async fn refused(
    night: &RunContext<'_>,
    model: &Model,
    (metric, entity, slice_value): (&str, &str, &str),
    twins: [Told; 2],
    adds: bool,
) -> Result<Box<Diagnostic>> {
    let places = places(night, model).await?;
    let [one, other] = &twins;
    let (from, to) = (one.days.0.max(other.days.0), one.days.1.min(other.days.1));
    let of = if slice_value.is_empty() { metric.to_owned() } else { format!("{metric} of {slice_value}") };
    let days = match (from == to, to == Date::MAX) {
        (true, _) => format!("the same day, {from}"),
        (_, true) => format!("the same days, from {from} on"),
        _ => format!("the same days, {from} to {to}"),
    };
    let mut error = Diagnostic::data(format!("two targets of {entity} on {of} cover {days}"));
    for told in &twins {
        let to = if told.days.1 == Date::MAX { "on".to_owned() } else { format!("to {}", told.days.1) };
        let place = places.get(&told.id).map(|place| format!(": {place}")).unwrap_or_default();
        error = error.note(format!("{} is {} from {} {to}{place}", told.id, told.target, told.days.0));
    }
    let read = match adds {
        true => "added up they would be asked for twice if one is the sum of the others, or replaces it",
        false => "of several in force the one that began last counts, and these began on one day",
    };
    let help = match adds {
        true => {
            "leave out one of them; one that is revised ends on the day before the next one starts, with the amount \
                 of its own days; what is meant to add up stands in one row"
        }
        false => "leave out one of them, or let the one that counts begin later",
    };
    Ok(error.note(read).help(help))
}

/// Where the rows of the targets came from.
async fn places(night: &RunContext<'_>, model: &Model) -> Result<BTreeMap<String, String>> {
    let mut places = BTreeMap::new();
    let Some(lineage) = model.tables.get("targets").and_then(|table| table.lineage) else { return Ok(places) };
    let path = object_name("model/targets__lineage", &lineage, "parquet");
    for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let numbers = batch.column_by_name("_row").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(ids), Some(snapshots), Some(numbers)) = (text("target_id"), text("_snapshot"), numbers) else {
            continue;
        };
        for ((id, snapshot), number) in ids.iter().zip(snapshots).zip(numbers) {
            let path = snapshot.and_then(|snapshot| model.paths.get(snapshot));
            if let (Some(id), Some(path), Some(number)) = (id, path, number) {
                places.insert(id.to_owned(), format!("{path}, record {number}"));
            }
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_adds_up_may_not_overlap() {
        let year = (date(2026, 1, 1), date(2026, 12, 31));
        let month = |month: i8| (date(2026, month, 1), date(2026, month, 1).last_of_month());
        assert_eq!(first(&[month(1), month(2), month(3)], true), None);
        assert_eq!(first(&[month(1), year], true), Some([0, 1]));
        // A long one hides behind a short one that starts between.
        assert_eq!(first(&[year, month(2)], true), Some([0, 1]));
        assert_eq!(first(&[month(1), (date(2026, 2, 1), date(2026, 6, 30)), month(3), month(4)], true), Some([1, 2]));
        // `ends_on` is the last day, not the day after it.
        assert_eq!(first(&[(date(2026, 1, 1), date(2026, 2, 1)), month(2)], true), Some([0, 1]));
        assert_eq!(first(&[month(1), month(1)], true), Some([0, 1]));
        assert_eq!(first(&[], true), None);
    }

    #[test]
    fn what_is_in_force_may_not_begin_on_one_day() {
        let from = |month: i8| (date(2026, month, 1), Date::MAX);
        assert_eq!(first(&[from(1), from(2)], false), None);
        assert_eq!(first(&[from(1), from(2), from(2)], false), Some([1, 2]));
        assert_eq!(first(&[(date(2026, 1, 1), date(2026, 1, 31)), from(1)], false), Some([0, 1]));
    }
}
