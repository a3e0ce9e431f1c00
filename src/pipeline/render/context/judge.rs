//! Whether a number is better or worse than another one.
//!
//! Its one constraint: it says nothing where it cannot know: too few facts, an unfinished period, or a metric for which
//! neither way is good.

use super::cells::Cells;
use super::{Cell, Change};
use crate::domain::metric::{Better, Measure, Metric};
use crate::pipeline::render::format::Locale;
use std::cmp::Ordering;

/// How the entity's number stands against the same of an earlier period, if that can be said.
pub fn change(cells: &Cells<'_>, metric: &Metric, now: &Cell, before: &Cell, against: &str) -> Option<Change> {
    if now.few || before.few || (!cells.finished() && grows_with_time(metric)) {
        return None;
    }
    let (from, to) = (before.value?, now.value?);
    let text = cells.locale.change(metric.header.unit, from, to, &cells.input.company.currency)?;
    let (arrow, higher) = match to.cmp(&from) {
        Ordering::Greater => ("▲", true),
        Ordering::Less => ("▼", false),
        Ordering::Equal => {
            return Some(Change {
                text,
                arrow: "=".into(),
                word: "unchanged".into(),
                tone: "plain".into(),
                against: against.into(),
            });
        }
    };
    let (word, tone) = match (metric.header.better, higher) {
        (Better::Higher, true) | (Better::Lower, false) => ("better", "good"),
        (Better::Higher, false) | (Better::Lower, true) => ("worse", "bad"),
        (Better::Neither | Better::Range, true) => ("higher", "plain"),
        (Better::Neither | Better::Range, false) => ("lower", "plain"),
    };
    Some(Change { text, arrow: arrow.into(), word: word.into(), tone: tone.into(), against: against.into() })
}

/// Whether half a period has about half of the number, so that it cannot be held against a whole one.
pub fn grows_with_time(metric: &Metric) -> bool {
    metric.is_formula()
        || (metric.is_nought_without_facts() && metric.header.measure.unwrap_or(Measure::Flow) == Measure::Flow)
}

/// What to say of a number that too few facts stand behind.
pub fn too_few(n: i64, locale: &Locale) -> String {
    format!("n\u{a0}=\u{a0}{}, too few to judge", locale.count(n))
}
