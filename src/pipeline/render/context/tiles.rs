//! The headline numbers.
//!
//! Their one constraint: a tile repeats a cell of the overview and points to it; it holds no number of its own.

use crate::domain::metric::{Metric, Unit};
use crate::domain::number::Number;
use crate::pipeline::render::context::cells::{ScoreIndex, capitalised, target_word};
use crate::pipeline::render::context::judge;
use crate::pipeline::render::context::schema::{Cell, Change, Line, Table, TargetBar, Tile};
use crate::pipeline::render::format::{NO_NUMBER, Precision};
use crate::pipeline::render::input::Compare;

/// A tile for each headline metric that the overview has.
pub fn tiles(cells: &ScoreIndex<'_>, overview: &Table) -> Vec<Tile> {
    let headline = cells.input.report.headline.iter();
    headline.filter_map(|id| tile(cells, cells.metric(id)?, overview)).collect()
}

fn tile(cells: &ScoreIndex<'_>, metric: &Metric, overview: &Table) -> Option<Tile> {
    let line = overview.lines.iter().find(|line| line.metric == metric.id)?;
    let cell = line.cells.first()?;
    let currency = &cells.input.company.currency;
    let word = || cell.state.as_deref().map_or(NO_NUMBER.into(), capitalised);
    let text = cell.value.map_or_else(word, |value| cells.locale.short(metric.header.unit, value, currency));
    Some(Tile {
        metric: metric.id.clone(),
        title: metric.header.title.clone(),
        text,
        few: cell.few || (cell.value.is_none() && cell.state.is_none()),
        notes: notes(cells, metric, cell),
        change: match cells.input.report.compare {
            Compare::Previous => line.change.clone(),
            Compare::YearBefore => against_year_before(cells, metric, line),
        },
        bar: target_bar(cells, metric, cell),
        reference: cell.value.map(|_| format!("{}.{}", line.code, cell.column)),
    })
}

/// The first number against the same period a year before, which is the overview's third.
fn against_year_before(cells: &ScoreIndex<'_>, metric: &Metric, line: &Line) -> Option<Change> {
    let (now, before) = (line.cells.first()?, line.cells.get(2)?);
    let against = cells.locale.period(cells.input.calendar.year_before(cells.input.period));
    judge::change(cells, metric, (now, before), now.year_before, &against)
}

/// What stands beneath the number: of how many, how sure, or why there is none.
fn notes(cells: &ScoreIndex<'_>, metric: &Metric, cell: &Cell) -> Vec<String> {
    let mut notes = Vec::new();
    match (cell.numerator, cell.denominator) {
        (Some(upper), Some(lower)) if metric.header.unit == Unit::Percent && cell.low.is_some() => {
            let called = metric.called().unwrap_or("facts");
            let lower = lower.units() / Number::whole(1).units();
            let of = cells.locale.records(i64::try_from(lower).unwrap_or(cell.n), called);
            notes.push(format!("{} of {of}", cells.locale.decimal(upper, 0)));
            if cell.few {
                notes.extend(cells.note(metric, cell));
            }
        }
        _ => notes.extend(cells.note(metric, cell)),
    }
    let quartiles = ["top", "second", "third", "bottom"];
    let quartile = cell.quartile.and_then(|quartile| quartiles.get(usize::try_from(quartile - 1).ok()?));
    // Who was away all the time is not shown as the last of those who were not.
    let was_there = cells.input.working_days.is_none_or(|days| days.there() > days.on_leave);
    notes.extend(quartile.filter(|_| !cell.few && was_there).map(|quartile| format!("{quartile} quartile of peers")));
    notes.extend(cell.unusual.clone().filter(|_| !cell.few));
    if let (Some(low), Some(high), false) = (cell.low, cell.high, cell.few) {
        notes.push(format!("95% interval {}", cells.locale.interval(low, high)));
    }
    notes
}

/// The value beside its target, on a scale that holds both.
fn target_bar(cells: &ScoreIndex<'_>, metric: &Metric, cell: &Cell) -> Option<TargetBar> {
    let target = cell.target.filter(|target| *target > Number::ZERO)?;
    let value = cell.value?.max(Number::ZERO);
    let scale = value.max(target);
    let thousandths = |part: Number| {
        let share = part.checked_div(scale).map_or(0, |share| share.units() * 1000 / Number::whole(1).units());
        i64::try_from(share).unwrap_or(0)
    };
    let attainment = cell.attainment.map_or(NO_NUMBER.into(), |share| {
        cells.locale.value(Unit::Percent, share, "", Precision::of(Unit::Percent, []))
    });
    let goal = cells.locale.short(metric.header.unit, target, &cells.input.company.currency);
    Some(TargetBar {
        fill: thousandths(value),
        mark: thousandths(target),
        text: format!("{attainment} of {goal} {}", target_word(metric)),
        notes: cell.target_notes.clone(),
    })
}
