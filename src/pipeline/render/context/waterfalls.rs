//! What moved between the start and the end of a period.
//!
//! Their one constraint: start, movements and end are scores of their own, and whether they add up is said, to the cent.

use crate::domain::metric::Unit;
use crate::domain::number::Number;
use crate::domain::score::{COMPANY, NO_VALUE};
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted, capitalised};
use crate::pipeline::render::context::schema::{ChartPlan, Column, Line, Shape, Table, Waterfall};
use crate::pipeline::render::format::{Precision, one_line};
use crate::pipeline::render::input::WaterfallBy;

/// One for each that the report asks for.
pub fn waterfalls(cells: &ScoreIndex<'_>) -> Vec<Waterfall> {
    cells.input.report.waterfalls.iter().filter_map(|by| waterfall(cells, by)).collect()
}

fn waterfall(cells: &ScoreIndex<'_>, by: &WaterfallBy) -> Option<Waterfall> {
    let (stock, change) = (cells.metric(&by.stock)?, cells.metric(&by.change)?);
    let periods: Vec<_> = std::iter::once(cells.input.period).chain(cells.longer()).collect();
    let line = |title: String, start: bool| {
        let of = periods.iter().enumerate().map(|(i, period)| {
            let period = if start { cells.input.calendar.previous(*period) } else { *period };
            cells.cell(stock, i, cells.own(period))
        });
        cells.line(stock, title, of.collect())
    };
    let mut lines = vec![line("At the start".into(), true)];
    let mut values = cells.slice_values(&change.id, &by.slice, &periods);
    let place = |value: &str| by.order.iter().position(|named| named == value).unwrap_or(by.order.len());
    values.sort_by_key(|value| (place(value), (*value).to_owned()));
    for value in values {
        let wanted = |period| Wanted { slice: (&by.slice, value), ..cells.own(period) };
        let of = periods.iter().enumerate().map(|(i, period)| cells.cell(change, i, wanted(*period)));
        let title =
            if value == NO_VALUE { "Otherwise".into() } else { capitalised(&one_line(&value.replace('_', " "))) };
        lines.push(cells.line(change, title, of.collect()));
    }
    lines.push(line("At the end".into(), false));
    cells.set_texts(&mut lines);
    let columns: Vec<Column> = periods.iter().enumerate().map(|(i, period)| cells.column(i, *period)).collect();
    let closing = closing(cells, &lines, &columns);
    let title = format!("{}, {}", by.title, cells.locale.period(cells.input.period));
    let described = lines.iter().filter_map(|line| Some(format!("{} {}", line.title, line.cells.first()?.text)));
    let chart = ChartPlan {
        id: format!("{}-chart", by.id),
        table: by.id.clone(),
        line: 0,
        wide: true,
        shape: Shape::Steps,
        subtitle: "What came is pale, what went is red; each hangs where the one before it ended".into(),
        description: format!("{title}: {}.", described.collect::<Vec<_>>().join("; ")),
        title,
    };
    let table = Table {
        section: Some(by.section.clone()),
        id: by.id.clone(),
        title: by.title.clone(),
        caption: closing.clone(),
        head: "Movement".into(),
        columns,
        lines,
        total: None,
        empty: None,
    };
    Some(Waterfall { table, chart, closing })
}

/// Whether each column adds up.
fn closing(cells: &ScoreIndex<'_>, lines: &[Line], columns: &[Column]) -> String {
    let value = |line: &Line, column: usize| line.cells.get(column).and_then(|cell| cell.value);
    let mut open = Vec::new();
    for (i, column) in columns.iter().enumerate() {
        let [start @ .., end] = lines else { continue };
        let added = start.iter().filter_map(|line| value(line, i)).try_fold(Number::ZERO, Number::checked_add);
        let gap = added.zip(value(end, i)).and_then(|(added, end)| end.checked_sub(added)).unwrap_or_default();
        if gap != Number::ZERO {
            let currency = &cells.input.company.currency;
            let gap = cells.locale.value(Unit::Money, gap, currency, Precision::exact(Unit::Money, [gap]));
            open.push(format!("{gap} in {}", column.title));
        }
    }
    match open.is_empty() {
        true => "The start and all movements add up to the end, to the cent.".into(),
        false if cells.input.entity.level == COMPANY => {
            format!("The movements do not explain all: {} is left open.", open.join(", "))
        }
        // A deal that moves with its owner is no change of the deal.
        false => format!("Besides the movements, {} came or went with the people who joined or left.", open.join(", ")),
    }
}
