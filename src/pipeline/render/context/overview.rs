//! All metrics of a report in one table.
//!
//! Its one constraint: its first column is the reported period and its second the one before; tiles, changes and the summary
//! rely on that.

use super::cells::{Cells, Wanted, column_letter};
use super::{Column, Table, judge};
use crate::pipeline::render::format::one_line;

/// All metrics of the report: this period, the one before, a year before, the longer ones, and the team's.
pub fn overview(cells: &Cells<'_>) -> Table {
    let (input, locale) = (cells.input, cells.locale);
    let previous = input.calendar.previous(input.period);
    let year_before = input.calendar.year_before(input.period);
    let mut wanted: Vec<(String, Wanted<'_>)> = [input.period, previous, year_before]
        .into_iter()
        .chain(cells.longer())
        .map(|period| (cells.period_title(period), cells.own(period)))
        .collect();
    if let Some(team) = input.around.iter().find(|score| score.level == "team") {
        let title = input.entity.team.as_deref().map_or_else(|| "Team".into(), one_line);
        wanted.push((title, Wanted { level: "team", entity: &team.entity, period: input.period, slice: ("", "") }));
    }
    let columns =
        wanted.iter().enumerate().map(|(i, (title, _))| Column { letter: column_letter(i), title: title.clone() });
    let lines = input.report.metrics.iter().filter_map(|id| cells.metric(id)).map(|metric| {
        let line = wanted.iter().enumerate().map(|(i, (_, wanted))| cells.cell(metric, i, *wanted)).collect();
        let mut line = cells.line(metric, metric.header.title.clone(), line);
        line.note = cells.note(metric, &line.cells[0]);
        line.change = judge::change(cells, metric, &line.cells[0], &line.cells[1], &locale.period(previous));
        line
    });
    Table {
        id: "overview".into(),
        title: "All numbers".into(),
        caption: format!("Every metric of this scorecard, {} and for comparison", locale.period(input.period)),
        head: "Metric".into(),
        lines: lines.collect(),
        columns: columns.collect(),
        empty: None,
    }
}
