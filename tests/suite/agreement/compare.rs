//! Printed scores against the independent ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::independent::header::Header;
use crate::independent::numbers::to_f64;
use crate::independent::people::LEVELS;
use crate::independent::periods::{GRAINS, Period};
use crate::independent::scores::{Key, Line, Scores};
use crate::independent::sums::{Number, What};

use super::printed::{Printed, Rows};

/// What was compared, and what differs.
#[derive(Default)]
pub struct Report {
    /// Scores by metric, and those of slices.
    pub compared: BTreeMap<String, (usize, usize)>,
    pub differences: Vec<String>,
}

pub fn compare(printed: &Rows, scores: &Scores, headers: &[Header]) -> Report {
    let mut report = Report::default();
    for header in headers.iter().filter(|header| !header.is_hidden) {
        if !scores.knows(&header.id) {
            report.differences.push(format!("nobody but Scorebook knows the metric {}", header.id));
            continue;
        }
        let keys = keys(printed, scores, header);
        for key in keys {
            let counts = report.compared.entry(header.id.clone()).or_default();
            if key.slice.is_empty() {
                counts.0 += 1
            } else {
                counts.1 += 1
            }
            report.differences.extend(compare_one(printed, scores, &key));
        }
    }
    report
}

/// Every place that either has, and every total that there could be.
fn keys(printed: &Rows, scores: &Scores, header: &Header) -> BTreeSet<Key> {
    let own = printed.keys().filter(|key| key.metric == header.id);
    own.cloned().chain(scores.keys(&header.id)).collect()
}

fn compare_one(printed: &Rows, scores: &Scores, key: &Key) -> Option<String> {
    let found = printed.get(key);
    let (Some(level), Some(grain)) = (place(&LEVELS, &key.level), place(&GRAINS, &key.grain)) else {
        return Some(format!("{key:?}: nobody else scores this level or grain"));
    };
    let period = Period { grain: GRAINS[grain], start: key.period_start };
    if !scores.is_scored(period) {
        return Some(format!("{key:?}: this period is not to be scored"));
    }
    let slice = (key.slice.clone(), key.slice_value.clone());
    let wanted = scores.line(&key.metric, &(level, key.entity.clone()), period, &slice, What::Own);
    let what = differs(found, &wanted)?;
    Some(format!("{what} of {key:?}\n  Scorebook   {found:?}\n  independent {wanted:?}"))
}

fn place(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|one| *one == name)
}

fn differs(found: Option<&Printed>, wanted: &Line) -> Option<&'static str> {
    let Some(found) = found else {
        // What is not printed is zero or empty, and has neither facts nor a target. A formula that is empty is not
        // stored, however many facts its parts have.
        let is_zero = wanted.value.is_none_or(|value| value.to_f64() == 0.0);
        let is_formula = matches!(wanted.value, Some(Number::Float(_)) | None);
        let is_sparse = wanted.target.is_none() && (wanted.n == 0 || is_formula);
        return (!(is_zero && is_sparse)).then_some("the place");
    };
    match () {
        () if found.state.as_deref() != wanted.state => Some("state"),
        () if !is_same(found.value, wanted.value) => Some("value"),
        () if found.n != wanted.n => Some("n"),
        () if wanted.n > 0 && wanted.sides.is_some() && found.sides != wanted.sides => Some("sides"),
        () if found.target != wanted.target => Some("target"),
        () => None,
    }
}

/// Sums to the last digit, so money to the cent; what was divided to 1e-9.
fn is_same(printed: Option<i128>, wanted: Option<Number>) -> bool {
    match (printed, wanted) {
        (None, None) => true,
        (Some(printed), Some(Number::Exact(wanted))) => printed == wanted,
        (Some(printed), Some(wanted)) => {
            let (printed, wanted) = (to_f64(printed), wanted.to_f64());
            (printed - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
        }
        _ => false,
    }
}
