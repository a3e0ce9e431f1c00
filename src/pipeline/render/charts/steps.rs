//! A stock, what moved it, and what it became.
//!
//! Its one constraint: every movement hangs where the one before it ended, so that the eye adds up.

use crate::pipeline::render::charts::frame::{Chart, LEFT, NOTHING, RIGHT, WIDE, finished, from_f64};
use crate::pipeline::render::charts::scale::Scale;
use crate::pipeline::render::charts::svg::{ACCENT, Anchor, FAINT, INK, MUTED, PALE, Svg, WARNING};
use crate::pipeline::render::context::schema::{ChartPlan, Table};
use crate::pipeline::render::format::ENGLISH;

const HEIGHT: f64 = 150.0;
const TOP: f64 = 16.0;
/// Room beneath the axis for names on two lines.
const BOTTOM: f64 = 24.0;

/// Draws the first column of a waterfall's table.
pub fn chart(plan: &ChartPlan, table: &Table, currency: &str) -> Chart {
    let width = WIDE.0;
    let mut svg = Svg::new(&plan.id, &plan.title, &plan.description, width, HEIGHT);
    let values: Vec<Option<f64>> = table.lines.iter().map(|line| Some(line.cells.first()?.value?.to_f64())).collect();
    let last = values.len().saturating_sub(1);
    let mut reached = 0.0;
    let mut bars = Vec::new();
    for (i, value) in values.iter().enumerate() {
        let value = value.unwrap_or_default();
        let (from, to) = if i == 0 || i == last { (0.0, value) } else { (reached, reached + value) };
        bars.push((from, to));
        reached = to;
    }
    if bars.iter().all(|bar| *bar == (0.0, 0.0)) {
        svg.line((LEFT, HEIGHT - BOTTOM), (width - RIGHT, HEIGHT - BOTTOM), FAINT, 0.5);
        svg.text((width / 2.0, HEIGHT / 2.0), NOTHING, Anchor::Middle, MUTED, 7.5);
        return finished(plan, svg);
    }
    let scale = Scale::new(bars.iter().flat_map(|(from, to)| [*from, *to]), TOP, HEIGHT - BOTTOM);
    let step = (width - LEFT - RIGHT) / values.len().max(1) as f64;
    let unit = table.lines.first().map(|line| line.unit);
    for tick in scale.ticks() {
        let y = scale.y(tick);
        svg.line((LEFT, y), (width - RIGHT, y), if tick == 0.0 { MUTED } else { FAINT }, 0.5);
        if let Some(unit) = unit {
            let label = ENGLISH.axis(unit, from_f64(tick), currency);
            svg.text((LEFT - 4.0, y + 2.2), &label, Anchor::End, MUTED, 6.5);
        }
    }
    for (i, ((from, to), line)) in bars.iter().zip(&table.lines).enumerate() {
        let x = LEFT + step * (i as f64 + 0.5);
        let (top, foot) = (scale.y(from.max(*to)), scale.y(from.min(*to)));
        let colour = match i {
            _ if i == 0 || i == last => ACCENT,
            _ if to < from => WARNING,
            _ => PALE,
        };
        svg.rect((x - step * 0.34, top), step * 0.68, (foot - top).max(0.4), colour);
        if i < last {
            // To where the next one hangs.
            svg.line((x, scale.y(*to)), (x + step, scale.y(*to)), MUTED, 0.4);
        }
        let text = line.cells.first().map_or("", |cell| cell.text.as_str());
        svg.label((x, top - 3.0), text, INK, 6.5);
        for (row, words) in on_two_lines(&line.title).into_iter().enumerate() {
            svg.text((x, HEIGHT - BOTTOM + 9.0 + 8.0 * row as f64), &words, Anchor::Middle, MUTED, 6.5);
        }
    }
    finished(plan, svg)
}

/// A name, broken at the blank nearest to its middle if it is long.
fn on_two_lines(name: &str) -> Vec<String> {
    let middle = name.len() / 2;
    let blank = name.match_indices(' ').map(|(at, _)| at).min_by_key(|at| at.abs_diff(middle));
    match blank.filter(|_| name.chars().count() > 9) {
        Some(at) => vec![name[..at].to_owned(), name[at + 1..].to_owned()],
        None => vec![name.to_owned()],
    }
}
