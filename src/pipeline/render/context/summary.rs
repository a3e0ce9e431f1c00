//! The report in two or three sentences.
//!
//! Their one constraint: they say only what the overview's numbers say, in plain words, and leave out what cannot be
//! said; a metric that the report does not have is not missed.

use crate::domain::metric::Unit;
use crate::domain::number::Number;
use crate::domain::period::Period;
use crate::domain::score::UNASSIGNED;
use crate::pipeline::render::context::cells::ScoreIndex;
use crate::pipeline::render::context::schema::{Cell, Line, Table};
use crate::pipeline::render::format::Precision;
use std::cmp::Ordering;

/// Bookings against quota, what moved, and what is coming.
///
/// Of a team or the company also how many made their quota, how many decisions went our way, and what is nobody's.
pub fn summary(cells: &ScoreIndex<'_>, overview: &Table, members: &[Table]) -> Vec<String> {
    let line = |metric: &str| overview.lines.iter().find(|line| line.metric == metric);
    let mut sentences = Vec::new();
    if let Some(bookings) = line("bookings") {
        sentences.extend(against_quota(cells, &bookings.cells[0]));
        sentences.extend(moved(cells, bookings));
    }
    if cells.input.entity.level != "rep" {
        sentences.extend(line("reps_at_quota").and_then(|line| at_quota(cells, &line.cells[0])));
        sentences.extend(line("win_rate").and_then(|line| decided(cells, line)));
    }
    sentences.extend(line("open_pipeline").and_then(|line| coming(cells, line)));
    sentences.extend(nobodys(cells, members));
    sentences
}

fn money(cells: &ScoreIndex<'_>, value: Number) -> String {
    cells.locale.short(Unit::Money, value, &cells.input.company.currency)
}

/// `September`, or `2026` and the like for other grains.
fn short_name(cells: &ScoreIndex<'_>, period: Period) -> String {
    match cells.locale.period(period) {
        name if period.start.year() == cells.input.period.start.year() => {
            name.split(' ').next().unwrap_or(&name).to_owned()
        }
        name => name,
    }
}

fn against_quota(cells: &ScoreIndex<'_>, cell: &Cell) -> Option<String> {
    let value = cell.value?;
    let period = short_name(cells, cells.input.period);
    let so_far = match cells.finished() {
        true => format!("in {period}"),
        false => format!("so far in {period} (to {})", cells.locale.day(cells.date())),
    };
    let quota = cell.target.filter(|target| *target > Number::ZERO);
    if value == Number::ZERO {
        let quota = quota.map_or("no quota is set".into(), |quota| format!("the quota is {}", money(cells, quota)));
        return Some(format!("No deals were won {so_far}; {quota}."));
    }
    let deals = cells.locale.records(cell.n, "deals");
    let booked = format!("{} booked {so_far} from {deals}", money(cells, value));
    let Some((quota, share)) = quota.zip(cell.attainment) else {
        return Some(format!("{booked}; no quota is set."));
    };
    let share = cells.locale.value(Unit::Percent, share, "", Precision::of(Unit::Percent, []));
    let gap = value.checked_sub(quota)?;
    let rest = match (gap.cmp(&Number::ZERO), cells.finished()) {
        (Ordering::Less, true) => {
            format!(
                "{share} of the {} quota, {} short of it",
                money(cells, quota),
                money(cells, Number::ZERO.checked_sub(gap)?)
            )
        }
        (Ordering::Less, false) => {
            format!(
                "{share} of the {} quota, with {} to go",
                money(cells, quota),
                money(cells, Number::ZERO.checked_sub(gap)?)
            )
        }
        (Ordering::Equal, _) => format!("exactly the {} quota", money(cells, quota)),
        (Ordering::Greater, _) => {
            format!("{share} of the {} quota, {} above it", money(cells, quota), money(cells, gap))
        }
    };
    Some(format!("{booked}: {rest}."))
}

/// What moved against the period before and the year before; nothing in an unfinished period.
fn moved(cells: &ScoreIndex<'_>, line: &Line) -> Option<String> {
    if !cells.finished() {
        return None;
    }
    let (input, now) = (cells.input, line.cells[0].value?);
    let against = |cell: &Cell, period: Period| {
        let before = cell.value.filter(|value| *value > Number::ZERO)?;
        let text = cells.locale.change(line.unit, before, now, &cells.input.company.currency)?;
        let text = text.trim_start_matches(['+', '−']);
        let name = short_name(cells, period);
        Some(match now.cmp(&before) {
            Ordering::Less => format!("{text} less than in {name}"),
            Ordering::Equal => format!("as much as in {name}"),
            Ordering::Greater => format!("{text} more than in {name}"),
        })
    };
    let previous = against(&line.cells[1], input.calendar.previous(input.period));
    let year_before = against(&line.cells[2], input.calendar.year_before(input.period));
    match (previous, year_before) {
        (Some(previous), Some(year_before)) => Some(format!("That is {previous} and {year_before}.")),
        (Some(one), None) | (None, Some(one)) => Some(format!("That is {one}.")),
        (None, None) => None,
    }
}

/// `10 of 21 ramped reps made their quota.`
fn at_quota(cells: &ScoreIndex<'_>, cell: &Cell) -> Option<String> {
    let (upper, all) = (cell.numerator?, cell.denominator.filter(|all| *all > Number::ZERO)?);
    let (upper, all) = (cells.locale.decimal(upper, 0), cells.locale.decimal(all, 0));
    let so_far = if cells.finished() { "made their quota" } else { "have made their quota so far" };
    Some(format!("{upper} of {all} ramped reps {so_far}."))
}

/// `39.8% of the deals that were decided were won, 11.8% of them in September 2025`.
fn decided(cells: &ScoreIndex<'_>, line: &Line) -> Option<String> {
    let share = |cell: &Cell| {
        let value = cell.value.filter(|_| !cell.few)?;
        Some(cells.locale.value(Unit::Percent, value, "", Precision::of(Unit::Percent, [])))
    };
    let now = share(&line.cells[0])?;
    let before = share(&line.cells[2]).map(|before| {
        let period = cells.locale.period(cells.input.calendar.year_before(cells.input.period));
        format!(", against {before} in {period}")
    });
    Some(format!("Of the deals that were decided {now} were won{}.", before.unwrap_or_default()))
}

/// What of the bookings stands on the line of nobody.
fn nobodys(cells: &ScoreIndex<'_>, members: &[Table]) -> Option<String> {
    let start = cells.input.period.start;
    let is_it = |cell: &&Cell| cell.metric == "bookings" && cell.entity == UNASSIGNED && cell.period_start == start;
    let mut of_it = members.iter().flat_map(|table| &table.lines).flat_map(|line| &line.cells).filter(is_it);
    let value =
        of_it.find(|cell| cell.grain == cells.input.period.grain)?.value.filter(|value| *value > Number::ZERO)?;
    Some(format!("{} of the bookings belongs to no team.", money(cells, value)))
}

fn coming(cells: &ScoreIndex<'_>, line: &Line) -> Option<String> {
    let (now, before) = (&line.cells[0], &line.cells[1]);
    let value = now.value?;
    let day = cells.locale.day(cells.date());
    if value == Number::ZERO {
        return Some(format!("There was no open pipeline on {day}."));
    }
    let open = format!(
        "The open pipeline stood at {} in {} on {day}",
        money(cells, value),
        cells.locale.records(now.n, "deals")
    );
    let end = short_name(cells, cells.input.calendar.previous(cells.input.period));
    let change = before.value.filter(|before| *before > Number::ZERO).and_then(|before| {
        let text = cells.locale.change(Unit::Money, before, value, &cells.input.company.currency)?;
        let text = text.trim_start_matches(['+', '−']);
        Some(match value.cmp(&before) {
            Ordering::Less => format!(", {text} below the end of {end}"),
            Ordering::Equal => format!(", unchanged since the end of {end}"),
            Ordering::Greater => format!(", {text} above the end of {end}"),
        })
    });
    Some(format!("{open}{}.", change.unwrap_or_default()))
}
