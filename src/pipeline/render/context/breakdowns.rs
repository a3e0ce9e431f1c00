//! Metrics by their slices.
//!
//! Their one constraint: a breakdown shows every value that the slice takes in its periods, so that parts can be added up
//! by whoever doubts them.

use crate::domain::metric::{Measure, Metric, Unit};
use crate::domain::number::Number;
use crate::domain::score::NO_VALUE;
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted, capitalised};
use crate::pipeline::render::context::schema::{Column, Line, Table};
use crate::pipeline::render::format::one_line;
use crate::pipeline::render::input::BreakdownBy;
use std::cmp::Ordering;

/// One table for each breakdown that the report asks for.
pub fn breakdowns(cells: &ScoreIndex<'_>) -> Vec<Table> {
    cells.input.report.breakdowns.iter().filter_map(|by| breakdown(cells, cells.metric(&by.metric)?, by)).collect()
}

fn breakdown(cells: &ScoreIndex<'_>, metric: &Metric, by: &BreakdownBy) -> Option<Table> {
    let is_stock = metric.header.measure == Some(Measure::Stock);
    let mut periods = vec![cells.input.period];
    // A stock measured on the same day is the same number for the quarter and the year.
    if !is_stock {
        periods.extend(cells.longer());
    }
    let values = cells.slice_values(&metric.id, &by.slice, &periods);
    let mut lines: Vec<Line> = values
        .into_iter()
        .map(|value| {
            let wanted = |period| Wanted { slice: (&by.slice, value), ..cells.own(period) };
            let line = periods.iter().enumerate().map(|(i, period)| cells.cell(metric, i, wanted(*period))).collect();
            cells.line(metric, title(value), line)
        })
        .collect();
    if by.if_any && lines.is_empty() {
        return None;
    }
    order(&mut lines);
    cells.set_texts(&mut lines);
    set_bars(&mut lines, metric.header.unit);
    let columns: Vec<Column> = periods.iter().enumerate().map(|(i, period)| cells.column(i, *period)).collect();
    Some(Table {
        section: Some(by.section.clone()),
        id: format!("{}-by-{}", metric.id, by.slice).replace('_', "-"),
        title: by.title.clone().unwrap_or_else(|| format!("{} by {}", metric.header.title, by.slice.replace('_', " "))),
        head: title(&by.slice.replace('_', " ")),
        caption: caption(cells, metric, by, &columns, &lines),
        total: None,
        empty: lines.is_empty().then(|| "nothing to break down yet".into()),
        columns,
        lines,
    })
}

/// What the bar is, that no total holds what stands apart, and what grey means where there is any.
fn caption(cells: &ScoreIndex<'_>, metric: &Metric, by: &BreakdownBy, columns: &[Column], lines: &[Line]) -> String {
    let mut caption = match columns.last() {
        _ if metric.header.apart.contains(&by.slice) => "Beside the total, and in none".into(),
        Some(_) if metric.header.measure == Some(Measure::Stock) => format!("On {}", cells.locale.date(cells.date())),
        Some(last) => format!("Bar: {}", last.title),
        None => String::new(),
    };
    if lines.iter().flat_map(|line| &line.cells).any(|cell| cell.few) {
        caption.push_str("; grey: too few to judge");
    }
    caption
}

/// A slice value as a heading: `new` is printed `New`, a missing one in words.
fn title(value: &str) -> String {
    if value == NO_VALUE {
        return "Not stated".into();
    }
    if value == "(unallocated)" {
        return "Not allocated".into();
    }
    capitalised(&one_line(value))
}

/// The biggest of the longest period first; what has no value last.
fn order(lines: &mut [Line]) {
    let size = |line: &Line| line.cells.last().map(|cell| (cell.value, cell.n));
    lines.sort_by(|a, b| {
        let unstated = |line: &Line| line.cells.first().is_some_and(|cell| cell.slice_value == NO_VALUE);
        // Months stand in their own order.
        let month = |line: &Line| line.cells.first().is_some_and(|cell| is_month(&cell.slice_value));
        let by_month = if month(a) && month(b) { a.title.cmp(&b.title) } else { Ordering::Equal };
        unstated(a).cmp(&unstated(b)).then(by_month).then(size(b).cmp(&size(a))).then(a.title.cmp(&b.title))
    });
}

/// Whether a value is a month such as `2026-09`.
fn is_month(value: &str) -> bool {
    let parts = value.split_once('-').map(|(year, month)| (year.len(), month.len()));
    parts == Some((4, 2)) && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The length of each line's bar: shares stand on a scale of one, all else against the biggest line.
fn set_bars(lines: &mut [Line], unit: Unit) {
    let last = |line: &Line| line.cells.last().and_then(|cell| cell.value).map(|value| value.max(Number::ZERO));
    let biggest = lines.iter().filter_map(last).max().unwrap_or(Number::ZERO);
    let scale = if unit == Unit::Percent { biggest.max(Number::whole(1)) } else { biggest };
    for line in lines {
        let share = last(line).and_then(|value| value.checked_div(scale));
        line.bar = share.and_then(|share| i64::try_from(share.units() * 1000 / Number::whole(1).units()).ok());
    }
}
