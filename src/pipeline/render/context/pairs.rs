//! A metric by two of its slices: the first down, the second across, both with their totals.
//!
//! Their one constraint: a field without facts stays empty; nothing is made up between two totals.

use crate::domain::metric::Metric;
use crate::domain::period::Period;
use crate::domain::score::{NO_VALUE, pair_parts};
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted, capitalised, column_letter};
use crate::pipeline::render::context::schema::{Beneath, Column, Line, Table};
use crate::pipeline::render::format::one_line;
use crate::pipeline::render::input::PairBy;

/// So many columns fit beside each other.
const ACROSS: usize = 8;

/// One table for each pair that the report asks for, of the longest period that stands.
pub fn pairs(cells: &ScoreIndex<'_>) -> Vec<Table> {
    cells.input.report.pairs.iter().filter_map(|by| table(cells, cells.metric(&by.metric)?, by)).collect()
}

fn table(cells: &ScoreIndex<'_>, metric: &Metric, by: &PairBy) -> Option<Table> {
    let (down, across) = by.pair.split_once('*')?;
    let period = cells.longer().last().copied().unwrap_or(cells.input.period);
    let pairs = cells.slice_values(&metric.id, &by.pair, &[period]);
    let values = |of: usize| {
        let named = pairs.iter().filter_map(|pair| pair_parts(pair).into_iter().nth(of));
        let mut values: Vec<String> = named.collect();
        values.sort_by_key(|value| (value == NO_VALUE, value.clone()));
        values.dedup();
        values
    };
    let (rows, mut columns) = (values(0), values(1));
    columns.truncate(ACROSS);
    let pair = |row: &str, column: &str| {
        pairs.iter().copied().find(|pair| pair_parts(pair) == [row, column]).unwrap_or_default()
    };
    let line = |title: String, row: Option<&str>| {
        let mut line: Vec<_> = (columns.iter().enumerate())
            .map(|(i, column)| match row {
                Some(row) => match pair(row, column) {
                    // Nothing to point to: an empty field of the table.
                    "" => cells.nothing(metric, i, of(cells, period, &by.pair, "")),
                    pair => cells.cell(metric, i, of(cells, period, &by.pair, pair)),
                },
                None => cells.cell(metric, i, of(cells, period, across, column)),
            })
            .collect();
        let whole = row.map_or_else(|| cells.own(period), |row| of(cells, period, down, row));
        line.push(cells.cell(metric, columns.len(), whole));
        cells.line(metric, title, line)
    };
    let mut lines: Vec<Line> = rows.iter().map(|row| line(title(row), Some(row))).collect();
    lines.push(line("All".into(), None));
    cells.set_texts(&mut lines);
    for cell in lines.iter_mut().flat_map(|line| &mut line.cells).filter(|cell| cell.value.is_some()) {
        cell.beneath = Some(Beneath { text: format!("n\u{a0}=\u{a0}{}", cell.n_text), share: None });
    }
    let total = lines.pop();
    let heads = columns.iter().map(|column| title(column)).chain(["All".to_owned()]);
    let (down, across) = (down.replace('_', " "), across.replace('_', " "));
    let mut caption = cells.locale.period(period);
    if lines.iter().flat_map(|line| &line.cells).any(|cell| cell.few && cell.value.is_some()) {
        caption.push_str("; grey: too few to judge");
    }
    Some(Table {
        section: Some(by.section.clone()),
        id: format!("{}-by-{}-and-{}", metric.id, down, across).replace(['_', ' '], "-"),
        title: format!("{} by {down} and {across}", metric.header.title),
        caption,
        head: capitalised(&down),
        columns: heads.enumerate().map(|(i, title)| Column { letter: column_letter(i), title, note: None }).collect(),
        empty: lines.is_empty().then(|| "nothing to break down yet".into()),
        lines,
        total,
    })
}

fn title(value: &str) -> String {
    if value == NO_VALUE { "Not stated".into() } else { capitalised(&one_line(value)) }
}

fn of<'a>(cells: &ScoreIndex<'a>, period: Period, slice: &'a str, value: &'a str) -> Wanted<'a> {
    Wanted { slice: (slice, value), ..cells.own(period) }
}
