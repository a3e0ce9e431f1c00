//! Thirteen periods of the charted metrics, and what to draw from them.
//!
//! Their one constraint: whatever a chart shows stands in a line here, and so in a table with a reference code.

use crate::domain::calendar::Calendar;
use crate::domain::metric::{Measure, Metric, Unit};
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::pipeline::render::context::cells::{ScoreIndex, target_word};
use crate::pipeline::render::context::schema::{Cell, ChartPlan, Line, Shape, Table};
use crate::pipeline::render::format::Locale;

/// How many periods a chart has: a year, and the one of the year before to compare with.
const PERIODS: usize = 13;

/// A line for each charted metric, a column for each period, oldest first.
pub fn series(cells: &ScoreIndex<'_>) -> Table {
    let input = cells.input;
    let periods = input.calendar.trailing(input.period.grain, input.period.start, PERIODS);
    let title = "The numbers behind the charts";
    table(cells, "series", title, "Period", &periods, &input.report.charts)
}

/// The same by the week, up to the last one that is over; while the reported period lasts, up to the present one.
pub fn weeks(cells: &ScoreIndex<'_>) -> Option<Table> {
    let input = cells.input;
    if input.report.weeks.is_empty() {
        return None;
    }
    let mut weeks = input.calendar.trailing(Grain::Week, cells.date(), PERIODS);
    weeks.retain(|week| week.end <= cells.date() || !cells.finished());
    let title = "Week by week";
    Some(table(cells, "weeks", title, "Week", &weeks, &input.report.weeks))
}

fn table(cells: &ScoreIndex<'_>, id: &str, title: &str, head: &str, periods: &[Period], metrics: &[String]) -> Table {
    let locale = cells.locale;
    let columns = periods.iter().enumerate().map(|(i, period)| cells.column(i, *period));
    let lines = metrics.iter().filter_map(|id| cells.metric(id)).map(|metric| {
        let line = periods.iter().enumerate().map(|(i, period)| cells.cell(metric, i, cells.own(*period)));
        cells.line(metric, metric.header.title.clone(), line.collect())
    });
    let ends = periods.first().zip(periods.last()).map(|(first, last)| (locale.period(*first), locale.period(*last)));
    let (first, last) = ends.unwrap_or_default();
    Table {
        section: None,
        id: id.into(),
        title: title.into(),
        caption: format!("{first} to {last}; the letter names the row in a reference"),
        head: head.into(),
        lines: lines.collect(),
        columns: columns.collect(),
        total: None,
        empty: None,
    }
}

/// A chart for each line of the series, or of the weeks.
pub fn charts(cells: &ScoreIndex<'_>, series: &Table) -> Vec<ChartPlan> {
    let lines = series.lines.iter().enumerate();
    lines.filter_map(|(i, line)| Some(plan(cells, cells.metric(&line.metric)?, series, i, line))).collect()
}

fn plan(cells: &ScoreIndex<'_>, metric: &Metric, table: &Table, index: usize, line: &Line) -> ChartPlan {
    let grain = line.cells.first().map_or(cells.input.period.grain, |cell| cell.grain);
    let title = &metric.header.title;
    let (shape, title, subtitle) = match (metric.header.measure, metric.is_zero_without_facts()) {
        (Some(Measure::Stock), true) => (Shape::Level, title.clone(), format!("At the end of each {grain}")),
        (_, true) if line.target_title.is_some() => {
            let target = target_word(metric);
            (
                Shape::Columns,
                format!("{title} against {target}"),
                format!("Each {grain}; the dark mark is the {target}"),
            )
        }
        (_, true) => (Shape::Columns, title.clone(), format!("Each {grain}")),
        _ if metric.header.minimum_n > 1 => {
            let minimum = metric.header.minimum_n;
            (Shape::Points, title.clone(), format!("Each {grain}, with n beneath; hollow where n is under {minimum}"))
        }
        _ => (Shape::Points, title.clone(), format!("Each {grain}, with n beneath")),
    };
    let description =
        describe(cells.locale, cells.input.calendar, line, target_word(metric), &cells.input.company.currency);
    let prefix = if table.id == "series" { "chart" } else { &table.id };
    ChartPlan {
        id: format!("{prefix}-{}", metric.id.replace('_', "-")),
        table: table.id.clone(),
        line: index,
        wide: table.id == "series" && cells.input.report.wide.contains(&metric.id),
        shape,
        title,
        subtitle,
        description,
    }
}

/// The chart in words: its ends, its extremes, and how often the target was met.
fn describe(locale: &Locale, calendar: &Calendar, line: &Line, target: &str, currency: &str) -> String {
    let known: Vec<(&Cell, Number)> = line.cells.iter().filter_map(|cell| Some((cell, cell.value?))).collect();
    let when = |cell: &Cell| locale.period(calendar.period(cell.grain, cell.period_start));
    let what = |value: Number| match line.unit {
        Unit::Money => locale.short(line.unit, value, currency),
        unit => locale.plain(unit, value, currency),
    };
    let (Some(last), Some((lowest, low)), Some((highest, high))) =
        (known.last(), known.iter().min_by_key(|(_, v)| *v), known.iter().max_by_key(|(_, v)| *v))
    else {
        return format!("{}: no numbers yet.", line.title);
    };
    let mut text = format!(
        "{}: {} in {}; lowest {} in {}, highest {} in {}.",
        line.title,
        what(last.1),
        when(last.0),
        what(*low),
        when(lowest),
        what(*high),
        when(highest)
    );
    let with_target: Vec<bool> =
        known.iter().filter_map(|(cell, value)| Some(*value >= cell.target.filter(|t| *t > Number::ZERO)?)).collect();
    if !with_target.is_empty() {
        let met = with_target.iter().filter(|met| **met).count();
        text.push_str(&format!(" The {target} was met {met} times out of {}.", with_target.len()));
    }
    text
}
