//! All metrics of a report in one table.
//!
//! Its one constraint: its first column is the reported period, its second the one before, its third the one a year before;
//! tiles, changes and the summary rely on that.

use crate::domain::score::COMPANY;
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted, capitalised};
use crate::pipeline::render::context::judge;
use crate::pipeline::render::context::schema::{Column, Table};
use crate::pipeline::render::format::one_line;

/// All metrics of the report: this period, the one before, a year before, the longer ones, and the team's.
pub fn overview(cells: &ScoreIndex<'_>) -> Table {
    let (input, locale) = (cells.input, cells.locale);
    let previous = input.calendar.previous(input.period);
    let year_before = input.calendar.year_before(input.period);
    let periods = [input.period, previous, year_before].into_iter().chain(cells.longer());
    let (mut columns, mut wanted): (Vec<Column>, Vec<Wanted<'_>>) =
        periods.enumerate().map(|(i, period)| (cells.column(i, period), cells.own(period))).unzip();
    if input.entity.level != "rep" && !input.around.is_empty() {
        columns.push(Column { title: "Company".into(), ..cells.column(columns.len(), input.period) });
        wanted.push(Wanted { level: COMPANY, entity: COMPANY, period: input.period, slice: ("", "") });
    } else if let Some(team) = input.around.iter().find(|score| score.level == "team") {
        let title = input.entity.team.as_deref().map_or_else(|| "Team".into(), one_line);
        columns.push(Column { title, ..cells.column(columns.len(), input.period) });
        wanted.push(Wanted { level: "team", entity: &team.entity, period: input.period, slice: ("", "") });
    }
    let lines = input.report.metrics.iter().filter_map(|id| cells.metric(id)).map(|metric| {
        let line = wanted.iter().enumerate().map(|(i, wanted)| cells.cell(metric, i, *wanted)).collect();
        let mut line = cells.line(metric, metric.header.title.clone(), line);
        line.group = Some(capitalised(&metric.group));
        line.note = cells.notes(metric, &line);
        let (now, before) = (&line.cells[0], &line.cells[1]);
        line.change = judge::change(cells, metric, (now, before), now.previous, &locale.period(previous));
        line
    });
    Table {
        section: None,
        id: "overview".into(),
        title: "All numbers".into(),
        caption: format!("Every metric of this report, {} and for comparison", locale.period(input.period)),
        head: "Metric".into(),
        lines: lines.collect(),
        columns,
        total: None,
        empty: None,
    }
}
