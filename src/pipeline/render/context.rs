//! The context: all that a document says, raw and formatted, before any layout.
//!
//! Its one constraint: it is pure and complete. The same input gives the same context, a template adds nothing to it, and
//! `scorebook explain` finds a printed number in it: every line of numbers is an object with `code` and `cells`, and every
//! cell has `column` (its letter), `metric`, `level`, `entity`, `grain`, `period_start`, `slice` and `slice_value`. Decimal
//! numbers are strings, so that no reader's floating point can change them.

pub mod breakdowns;
pub mod cells;
pub mod coaching;
pub mod funnels;
pub mod judge;
pub mod lists;
pub mod members;
pub mod overview;
pub mod pairs;
pub mod schema;
pub mod series;
pub mod summary;
pub mod tiles;
pub mod waterfalls;
pub mod working_days;

use crate::pipeline::render::format::{ENGLISH, Locale, one_line};
use crate::pipeline::render::input::Input;
use cells::ScoreIndex;
use schema::{Context, EntityHead, PeriodHead, ReportHead};

/// Says everything that the document will say.
pub fn context(input: &Input<'_>) -> Context {
    let locale = &ENGLISH;
    let cells = ScoreIndex::new(input, locale);
    let overview = overview::overview(&cells);
    let series = series::series(&cells);
    let weeks = series::weeks(&cells);
    let members = members::members(&cells);
    let (funnels, waterfalls) = (funnels::funnels(&cells), waterfalls::waterfalls(&cells));
    let (breakdowns, pairs) = (breakdowns::breakdowns(&cells), pairs::pairs(&cells));
    let tables = (waterfalls.iter().map(|waterfall| &waterfall.table)).chain(&funnels).chain(&breakdowns).chain(&pairs);
    let mut sections: Vec<String> = Vec::new();
    for section in tables.filter_map(|table| table.section.as_ref()) {
        if !sections.contains(section) {
            sections.push(section.clone());
        }
    }
    sections.sort_by_key(|section| input.report.place_of(section));
    Context {
        language: locale.language.into(),
        report: ReportHead { id: input.report.id.clone(), title: input.report.title.clone() },
        company: input.company.clone(),
        entity: entity_head(input, locale),
        period: period_head(input, locale),
        working_days: working_days::working_days(input, locale),
        date: cells.date(),
        date_text: locale.date(cells.date()),
        summary: summary::summary(&cells, &overview, &members),
        tiles: tiles::tiles(&cells, &overview),
        charts: series::charts(&cells, &series),
        week_charts: weeks.as_ref().map_or_else(Vec::new, |weeks| series::charts(&cells, weeks)),
        weeks,
        sections,
        funnels,
        waterfalls,
        breakdowns,
        pairs,
        coaching: coaching::notes(&cells, &overview, &members),
        members,
        lists: input.lists.iter().map(|list| lists::list(list, locale, &input.company.currency)).collect(),
        definitions: lists::definitions(input, locale),
        facts: input.facts.iter().take(input.report.facts_limit).cloned().collect(),
        facts_total: input.facts_total.clone(),
        overview,
        series,
    }
}

fn entity_head(input: &Input<'_>, locale: &Locale) -> EntityHead {
    let entity = &input.entity;
    let since = entity.hired_on.map(|day| format!("since {}", locale.date(day)));
    let about = [entity.role.clone(), entity.team.clone(), entity.region.clone(), since];
    EntityHead {
        level: entity.level.clone(),
        id: entity.id.clone(),
        name: one_line(&entity.name),
        about: about.into_iter().flatten().map(|text| one_line(&text)).filter(|text| !text.is_empty()).collect(),
    }
}

fn period_head(input: &Input<'_>, locale: &Locale) -> PeriodHead {
    let period = input.period;
    let finished = period.end <= input.as_of;
    PeriodHead {
        name: period.name(),
        grain: period.grain,
        start: period.start,
        end: period.end,
        title: locale.period(period),
        finished,
        until: (!finished).then(|| format!("to {}", locale.day(input.as_of))),
    }
}
