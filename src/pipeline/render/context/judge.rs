//! Whether a number is better or worse than another one.
//!
//! Its one constraint: it says nothing where it cannot know: too few facts, or a metric for which neither way is good.

use crate::domain::metric::{Better, Metric};
use crate::domain::number::Number;
use crate::pipeline::render::context::cells::ScoreIndex;
use crate::pipeline::render::context::schema::{Cell, Change};
use std::cmp::Ordering;

/// How the entity's number stands against the same of an earlier period, if that can be said. `same_days` is what that had
/// in as many working days as an unfinished period has had.
pub fn change(
    cells: &ScoreIndex<'_>,
    metric: &Metric,
    (now, before): (&Cell, &Cell),
    same_days: Option<Number>,
    against: &str,
) -> Option<Change> {
    // What grows with time is compared with as many working days of the period before.
    let in_part = !cells.finished() && metric.grows_with_time();
    if now.few || (before.few && !in_part) {
        return None;
    }
    let from = if in_part { same_days } else { before.value };
    let same_days = format!("the same working days of {against}");
    let against = if in_part { &same_days } else { against };
    let (from, to) = (from?, now.value?);
    let text = cells.locale.change(metric.header.unit, from, to, &cells.input.company.currency)?;
    let (arrow, word, tone) = match (to.cmp(&from), metric.header.better) {
        (Ordering::Equal, _) => ("", "unchanged", "plain"),
        (Ordering::Greater, Better::Higher) => ("▲", "better", "good"),
        (Ordering::Greater, Better::Lower) => ("▲", "worse", "bad"),
        (Ordering::Greater, Better::Neither | Better::Range) => ("▲", "higher", "plain"),
        (Ordering::Less, Better::Higher) => ("▼", "worse", "bad"),
        (Ordering::Less, Better::Lower) => ("▼", "better", "good"),
        (Ordering::Less, Better::Neither | Better::Range) => ("▼", "lower", "plain"),
    };
    let phrase = match word {
        "unchanged" => format!("unchanged from {against}"),
        _ => format!("{text}, {word} than in {against}"),
    };
    let [arrow, word, tone, against] = [arrow, word, tone, against].map(String::from);
    Some(Change { text, arrow, word, tone, against, phrase })
}
