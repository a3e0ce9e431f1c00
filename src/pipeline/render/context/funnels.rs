//! From activity to outcome: cause beside effect.
//!
//! Their one constraint: a step's share is of the step above it in the same period. What was begun earlier may end now, so
//! it is a proportion and no conversion of the same deals; the caption says so.

use crate::domain::metric::{Metric, Unit};
use crate::domain::number::Number;
use crate::pipeline::render::context::cells::ScoreIndex;
use crate::pipeline::render::context::schema::{Beneath, Column, Line, Table};
use crate::pipeline::render::format::Precision;
use crate::pipeline::render::input::FunnelBy;

/// One table for each funnel that the report asks for.
pub fn funnels(cells: &ScoreIndex<'_>) -> Vec<Table> {
    cells.input.report.funnels.iter().map(|by| funnel(cells, by)).collect()
}

fn funnel(cells: &ScoreIndex<'_>, by: &FunnelBy) -> Table {
    let periods: Vec<_> = std::iter::once(cells.input.period).chain(cells.longer()).collect();
    let metrics: Vec<&Metric> = by.steps.iter().filter_map(|id| cells.metric(id)).collect();
    let line = |metric: &&Metric| {
        let of = periods.iter().enumerate().map(|(i, period)| cells.cell(metric, i, cells.own(*period))).collect();
        cells.line(metric, metric.header.title.clone(), of)
    };
    let mut lines: Vec<Line> = metrics.iter().map(line).collect();
    for i in 1..lines.len() {
        let (above, rest) = lines.split_at_mut(i);
        for (cell, before) in rest[0].cells.iter_mut().zip(&above[i - 1].cells) {
            let share = cell.value.zip(before.value.filter(|value| *value > Number::ZERO));
            cell.beneath = share.and_then(|(value, before)| {
                let share = value.checked_div(before)?;
                let text = cells.locale.value(Unit::Percent, share, "", Precision::of(Unit::Percent, []));
                Some(Beneath { text, share: Some(share) })
            });
        }
    }
    let last = |line: &Line| line.cells.last().and_then(|cell| cell.value);
    let first = lines.iter().filter_map(last).max().unwrap_or(Number::ZERO);
    for line in &mut lines {
        let share = last(line).and_then(|value| value.max(Number::ZERO).checked_div(first));
        line.bar = share.and_then(|share| i64::try_from(share.units() * 1000 / Number::whole(1).units()).ok());
    }
    let columns: Vec<Column> = periods.iter().enumerate().map(|(i, period)| cells.column(i, *period)).collect();
    let bar = columns.last().map_or(String::new(), |last| format!(" Bar: {}.", last.title));
    Table {
        section: Some(by.section.clone()),
        id: by.id.clone(),
        title: by.title.clone(),
        caption: format!(
            "{} Beneath each number: of the step above, in the same period; what ends in one may have begun in another.{bar}",
            by.question
        ),
        head: "Step".into(),
        empty: lines.is_empty().then(|| "nothing to count yet".into()),
        columns,
        lines,
        total: None,
    }
}
