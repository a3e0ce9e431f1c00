//! Slices that share a fact out: each part stands on the line of its name, and what they leave on a line of its own, so that
//! the lines add up to the total.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::metric::{Metric, Unit};
use crate::domain::score::NO_VALUE;
use crate::engine::text::fill;
use crate::pipeline::score::definition;
use crate::pipeline::score::prepared::PreparedFacts;
use arrow::datatypes::{DataType, Fields};

/// The value of what no part names.
const UNALLOCATED: &str = "(unallocated)";

/// What a part has above the line, and below it. No other aggregate may name a slice in `allocated`.
fn members(metric: &Metric) -> (&'static str, Option<&'static str>) {
    metric.aggregate().allocated_members().unwrap_or(("value", None))
}

/// Checks that a slice is a list of named parts.
pub fn check(owner: &Metric, metric: &Metric, slice: &str, given: &DataType) -> Result<()> {
    let (above, below) = members(metric);
    let wanted: Vec<&str> = [above].into_iter().chain(below).collect();
    let number = |t: &DataType| t.is_integer() || matches!(t, DataType::Decimal128(_, _) | DataType::Null);
    let text = |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let fits = |fields: &Fields| {
        let has = |name: &str, fits: &dyn Fn(&DataType) -> bool| {
            fields.iter().any(|field| field.name() == name && fits(field.data_type()))
        };
        has("name", &text) && wanted.iter().all(|name| has(name, &number))
    };
    let is_list =
        matches!(given, DataType::List(of) if matches!(of.data_type(), DataType::Struct(fields) if fits(fields)));
    if is_list {
        return Ok(());
    }
    let members: Vec<String> = wanted.iter().map(|name| format!("'{name}', ...")).collect();
    Err(Diagnostic::project(format!("the slice `{slice}` of {} is no list of parts", metric.id))
        .at(definition::sql(owner).place_of(slice))
        .note(format!("it stands in `allocated`; each part has a name, and {} as exact numbers", wanted.join(" and ")))
        .help(format!("return ARRAY_AGG(NAMED_STRUCT('name', ..., {}) ORDER BY ...) AS {slice}", members.join(", "))))
}

/// The parts of the session's table `facts` as facts of their own, with what is unallocated: `record_id`, whose and when it
/// is, the slices that stand apart, the slice, `a`, `b`, `unit`.
pub fn sql(metric: &Metric, prepared: &PreparedFacts, slice: &str) -> Result<String> {
    let place = prepared.place(metric);
    let (a, b) = members(metric);
    // A part of what is shared in cents is shared in cents; nothing else is rounded.
    let cents = prepared.shared && metric.header.unit == Unit::Money && b.is_none();
    let side = |member: Option<&str>| match member {
        Some(member) => format!("CAST(_part['{member}'] * _share AS DECIMAL(38, 12))"),
        None => "CAST(NULL AS DECIMAL(38, 12))".to_owned(),
    };
    let own = |prefix: &str| -> String { place.iter().map(|column| format!("{prefix}{column}, ")).collect() };
    fill(
        include_str!("sql/allocated.sql"),
        &[
            ("slice", slice),
            ("place_of_f", &own("f.")),
            ("place", &own("")),
            ("a", &side(Some(a))),
            ("b", &side(b)),
            ("none", NO_VALUE),
            ("unallocated", UNALLOCATED),
            ("step", if cents { "0.01" } else { "0.000000000001" }),
        ],
    )
}
