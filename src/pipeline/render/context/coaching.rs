//! What stands out, and what people do about it.
//!
//! Its one constraint: a note says a figure that is printed elsewhere in the document, what it is held against, and a
//! remedy that the report's settings name; too few facts make no note.

use crate::domain::metric::Metric;
use crate::domain::number::Number;
use crate::domain::period::Period;
use crate::domain::score::Score;
use crate::pipeline::render::context::cells::{ScoreIndex, Wanted};
use crate::pipeline::render::context::schema::{Cell, Note, Table};
use crate::pipeline::render::format::one_line;
use crate::pipeline::render::input::{Part, Remedy, When};

/// So many notes help; more would not be read.
const MOST: usize = 8;

/// The notes about the entity itself, then about its parts, in the order of the report's settings.
pub fn notes(cells: &ScoreIndex<'_>, overview: &Table, members: &[Table]) -> Vec<Note> {
    let input = cells.input;
    let own = cells.own(input.period);
    let of = |remedy: &Remedy, wanted: Wanted<'_>, part: Option<&Part>, tables: &[&Table]| {
        let period = cells.around(remedy.grain)?;
        note(cells, remedy, Wanted { period, ..wanted }, part, tables)
    };
    let mut notes: Vec<Note> =
        input.report.coaching.iter().filter_map(|remedy| of(remedy, own, None, &[overview])).collect();
    for (by, parts) in input.report.members.iter().zip(&input.members) {
        let tables: Vec<&Table> = members.iter().filter(|table| table.id == by.id).collect();
        let grain = by.grain.unwrap_or(input.period.grain);
        let same = |remedy: &&Remedy| remedy.grain.unwrap_or(input.period.grain) == grain;
        // Nobody can be helped who has left.
        for part in parts.iter().filter(|part| part.stays) {
            let wanted = Wanted { level: &by.level, entity: &part.id, period: input.period, slice: ("", "") };
            let remedies = input.report.coaching.iter().filter(same);
            let of_part = remedies.filter_map(|remedy| of(remedy, wanted, Some(part), &tables));
            let new: Vec<Note> = of_part.filter(|note| !notes.contains(note)).collect();
            notes.extend(new);
        }
    }
    notes.truncate(MOST);
    notes
}

fn note(
    cells: &ScoreIndex<'_>,
    remedy: &Remedy,
    wanted: Wanted<'_>,
    part: Option<&Part>,
    tables: &[&Table],
) -> Option<Note> {
    let metric = cells.metric(&remedy.metric)?;
    let score = stands_out(cells, metric, wanted, remedy.when, remedy.than)?;
    if let Some(and) = &remedy.and {
        stands_out(cells, cells.metric(&and.metric)?, wanted, and.when, and.than)?;
    }
    let lines = tables.iter().flat_map(|table| &table.lines);
    let of_it = lines.flat_map(|line| line.cells.iter().map(move |cell| (line, cell)));
    let mut of_it = of_it.filter(|(_, cell)| cell.metric == metric.id && cell.entity == wanted.entity);
    // What a reader cannot find is not said.
    let is_it = |cell: &Cell| (cell.grain, cell.period_start) == (wanted.period.grain, wanted.period.start);
    let (line, cell) = of_it.find(|(_, cell)| is_it(cell))?;
    Some(Note {
        metric: metric.id.clone(),
        about: part.map(|part| one_line(&part.name)),
        title: metric.header.title.clone(),
        figure: figure(cells, metric, score, remedy, wanted.period),
        remedy: remedy.remedy.clone(),
        reference: Some(format!("{}.{}", line.code, cell.column)),
    })
}

/// The metric's score, if it stands out in this way.
fn stands_out<'a>(
    cells: &ScoreIndex<'a>,
    metric: &Metric,
    wanted: Wanted<'_>,
    when: When,
    than: Option<Number>,
) -> Option<&'a Score> {
    let score = cells.score(&metric.id, wanted)?;
    let cell = cells.cell(metric, 0, wanted);
    let value = cell.value?;
    let alert = score.alert.as_deref();
    // What is far below habit may be few for that very reason; the habit is known from enough.
    if cell.few && !matches!(when, When::Low) {
        return None;
    }
    let four_fifths = Number::from_units(Number::whole(1).units() * 4 / 5);
    let finished = wanted.period.end <= cells.input.as_of;
    let reached = score.pace.filter(|_| !finished).or(score.attainment.filter(|_| finished));
    let is_so = match when {
        When::Low => alert == Some("low"),
        When::High => alert == Some("high"),
        When::Top => score.quartile == Some(1),
        When::Bottom => score.quartile == Some(4),
        When::Behind => reached.is_some_and(|reached| reached < four_fifths),
        When::Met => reached.is_some_and(|reached| reached >= Number::whole(1)),
        When::Above => than.is_some_and(|than| value > than),
        When::Below => than.is_some_and(|than| value < than),
    };
    is_so.then_some(score)
}

/// `3 in September 2026, mostly about 41`.
fn figure(cells: &ScoreIndex<'_>, metric: &Metric, score: &Score, remedy: &Remedy, period: Period) -> String {
    let currency = &cells.input.company.currency;
    let text = |value: Number| cells.locale.short(metric.header.unit, value, currency);
    let value = score.value.map(text).unwrap_or_default();
    let finished = period.end <= cells.input.as_of;
    let period = cells.locale.period(period);
    let against = match remedy.when {
        When::Low | When::High => score.usual.map(|usual| format!("mostly about {} before", text(usual))),
        When::Top => Some("in the best quarter of peers".into()),
        When::Bottom => Some("in the last quarter of peers".into()),
        When::Behind | When::Met => score.target.map(|target| format!("of a target of {}", text(target))),
        When::Above | When::Below => remedy.than.map(|than| format!("against {}", text(than))),
    };
    let so_far = if finished { "in" } else { "so far in" };
    match against {
        Some(against) => format!("{value} {so_far} {period}, {against}"),
        None => format!("{value} {so_far} {period}"),
    }
}
