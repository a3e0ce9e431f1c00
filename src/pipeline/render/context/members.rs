//! The parts of an entity, a line each: a team's reps, the company's teams.
//!
//! Their one constraint: the last line is the whole as it stands everywhere else, and never a sum made here; by what parts
//! and whole differ, a reader sees that something is missing.

use crate::domain::metric::{Metric, Unit};
use crate::domain::number::Number;
use crate::domain::score::UNASSIGNED;
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted, capitalised, column_letter, target_word};
use crate::pipeline::render::context::schema::{Beneath, Cell, Column, Line, Table};
use crate::pipeline::render::format::{Precision, one_line};
use crate::pipeline::render::input::{MembersBy, Part};

/// One table for each that the report asks for, if its period stands.
pub fn members(cells: &ScoreIndex<'_>) -> Vec<Table> {
    let input = cells.input;
    let tables = input.report.members.iter().zip(&input.members);
    tables.filter_map(|(by, parts)| table(cells, by, parts)).collect()
}

fn table(cells: &ScoreIndex<'_>, by: &MembersBy, parts: &[Part]) -> Option<Table> {
    let period = cells.around(by.grain)?;
    let metrics: Vec<&Metric> = by.metrics.iter().filter_map(|id| cells.metric(id)).collect();
    let line = |title: String, wanted: Wanted<'_>| {
        let of = metrics.iter().enumerate().map(|(i, metric)| cells.cell(metric, i, wanted)).collect();
        let mut line = cells.line(metrics.first()?, title, of);
        line.note = None;
        Some(line)
    };
    let of_part = |part: &Part| {
        let nobody = part.id == UNASSIGNED || part.id.ends_with(&format!("|{UNASSIGNED}"));
        let wanted = Wanted { level: &by.level, entity: &part.id, period, slice: ("", "") };
        let title = if nobody { "Unassigned".into() } else { one_line(&part.name) };
        let line = line(title, wanted)?;
        // What is nobody's has a line only if there is something.
        let something = |cell: &Cell| cell.n > 0 || cell.value.is_some_and(|value| value != Number::ZERO);
        (!nobody || line.cells.iter().any(something)).then_some((nobody, line))
    };
    let mut lines: Vec<(bool, Line)> = parts.iter().filter_map(of_part).collect();
    lines.sort_by_key(|(nobody, _)| *nobody);
    let mut lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    let mut total = line(one_line(&cells.input.entity.name), cells.own(period))?;
    let mut all: Vec<&mut Line> = lines.iter_mut().chain([&mut total]).collect();
    cells.set_texts_by_column(&mut all, &metrics);
    all.iter_mut().for_each(|line| set_beneath(cells, line, &metrics));
    set_bars(&mut lines);
    let column = |(i, metric): (usize, &&Metric)| Column {
        letter: column_letter(i),
        title: metric.header.title.clone(),
        note: None,
    };
    Some(Table {
        section: None,
        id: by.id.clone(),
        title: by.title.clone(),
        caption: caption(cells, &lines, period == cells.input.period && cells.finished(), cells.locale.period(period)),
        head: by.head.clone(),
        columns: metrics.iter().enumerate().map(column).collect(),
        empty: lines.is_empty().then(|| "nobody is here in this period".into()),
        lines,
        total: Some(total),
    })
}

/// Which period, in which order, and what grey means where there is any.
fn caption(cells: &ScoreIndex<'_>, lines: &[Line], finished: bool, period: String) -> String {
    let to_date = if finished { String::new() } else { format!(", to {}", cells.locale.day(cells.date())) };
    let mut caption = format!("{period}{to_date}; in order of names");
    if lines.iter().flat_map(|line| &line.cells).any(|cell| cell.few && cell.value.is_some()) {
        caption.push_str("; grey: too few to judge");
    }
    caption
}

/// Beneath a number stands its target; beneath a ratio or a median, of how many facts it is.
fn set_beneath(cells: &ScoreIndex<'_>, line: &mut Line, metrics: &[&Metric]) {
    for (cell, metric) in line.cells.iter_mut().zip(metrics) {
        let target = cell.target_text.as_ref().filter(|_| !metric.is_formula());
        let n = (!metric.is_formula() && !metric.is_zero_without_facts() && cell.value.is_some())
            .then(|| format!("n\u{a0}=\u{a0}{}", cell.n_text));
        let share = cell.attainment.map(|share| {
            let text = cells.locale.value(Unit::Percent, share, "", Precision::of(Unit::Percent, []));
            format!("{text} of {}", target_word(metric))
        });
        let target = target.map(|target| match share {
            Some(share) => format!("{share} {target}"),
            None => format!("{} {target}", capitalised(target_word(metric))),
        });
        cell.beneath = target.or(n).map(|text| Beneath { text, share: None });
    }
}

/// The length of each line's bar: its first number against the biggest of them.
fn set_bars(lines: &mut [Line]) {
    let first = |line: &Line| line.cells.first().and_then(|cell| cell.value).map(|value| value.max(Number::ZERO));
    let biggest = lines.iter().filter_map(first).max().unwrap_or(Number::ZERO);
    for line in lines {
        let share = first(line).and_then(|value| value.checked_div(biggest));
        line.bar = share.and_then(|share| i64::try_from(share.units() * 1000 / Number::whole(1).units()).ok());
    }
}
