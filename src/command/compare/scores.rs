//! The scores that are another in the later run.

use crate::artifact::scores::ScoreTable;
use crate::command::compare::run::{Side, ask, entity_name};
use crate::diagnostic::Result;
use crate::domain::metric::{Form, Metric};
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use crate::domain::score::COMPANY;
use crate::engine::Session;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What names a score within its metric.
const KEY: [&str; 7] = ["level", "entity", "grain", "period_start", "period_end", "slice", "slice_value"];
/// What makes it another one.
const CELL: [&str; 6] = ["value", "numerator", "denominator", "n", "target", "state"];

/// One side of a score.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    pub value: Option<Number>,
    pub numerator: Option<Number>,
    pub denominator: Option<Number>,
    pub n: i64,
    pub target: Option<Number>,
    pub state: Option<String>,
}

impl Cell {
    fn of(columns: &[&str], cells: &[Option<String>]) -> Cell {
        let text = |name: &str| {
            let place = columns.iter().position(|column| *column == name)?;
            cells.get(place).cloned().flatten()
        };
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        Cell {
            value: number("value"),
            numerator: number("numerator"),
            denominator: number("denominator"),
            n: text("n").and_then(|n| n.parse().ok()).unwrap_or_default(),
            target: number("target"),
            state: text("state"),
        }
    }

    /// Whether two are the same score. The sides of a ratio count where both runs have them.
    fn is_same(&self, other: &Cell) -> bool {
        let side = |one: Option<Number>, other: Option<Number>| one.is_none() || other.is_none() || one == other;
        self.value == other.value
            && self.n == other.n
            && self.target == other.target
            && self.state == other.state
            && side(self.numerator, other.numerator)
            && side(self.denominator, other.denominator)
    }
}

/// A score that is another one.
#[derive(Clone, Debug)]
pub struct ScoreChange {
    pub metric: String,
    pub level: String,
    pub entity: String,
    /// The entity as people call it.
    pub name: String,
    pub period: Period,
    pub slice: String,
    pub slice_value: String,
    pub before: Option<Cell>,
    pub after: Option<Cell>,
    /// It serves other metrics only.
    pub hidden: bool,
}

impl ScoreChange {
    /// How much of it changed, for sorting: the greatest first.
    fn weight(&self) -> f64 {
        let value = |side: &Option<Cell>| side.as_ref().and_then(|cell| cell.value).unwrap_or_default().to_f64();
        let (before, after) = (value(&self.before), value(&self.after));
        let whole = before.abs().max(after.abs());
        if whole == 0.0 { 0.0 } else { (after - before).abs() / whole }
    }

    /// Where it stands: totals before slices, the company before its parts, months before other grains.
    fn rank(&self) -> (bool, usize, usize, usize) {
        let levels = [COMPANY, "region", "team", "rep"];
        let level = levels.iter().position(|level| *level == self.level).unwrap_or(levels.len());
        let grains = [Grain::Month, Grain::Quarter, Grain::Year, Grain::Week, Grain::Day];
        let grain = grains.iter().position(|grain| *grain == self.period.grain).unwrap_or(grains.len());
        (self.hidden, usize::from(!self.slice.is_empty()), level, grain)
    }
}

/// Only these scores.
pub struct Wanted {
    pub metrics: Vec<String>,
    pub level: Option<String>,
    pub entity: Option<String>,
    pub period: Option<String>,
}

impl Wanted {
    fn has(&self, change: &ScoreChange) -> bool {
        let is = |wanted: &Option<String>, given: &[&str]| {
            wanted.as_ref().is_none_or(|wanted| given.iter().any(|given| given.eq_ignore_ascii_case(wanted)))
        };
        is(&self.level, &[&change.level])
            && is(&self.entity, &[&change.entity, &change.name])
            && is(&self.period, &[&change.period.name()])
    }
}

/// What changed of the scores.
#[derive(Default)]
pub struct Scores {
    /// The most important first.
    pub changes: Vec<ScoreChange>,
    /// What cannot be compared.
    pub notes: Vec<String>,
}

/// The scores that are another in the later run, of periods that both score.
pub async fn between(
    from: &Side<'_>,
    to: &Side<'_>,
    names: &BTreeMap<String, String>,
    wanted: &Wanted,
) -> Result<Scores> {
    let mut scores = Scores::default();
    let metrics: BTreeSet<&String> = from.entry.scores.keys().chain(to.entry.scores.keys()).collect();
    let both = from.periods().intersection(&to.periods()).copied().collect::<BTreeSet<_>>();
    let mut alone: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    let mut left_out: BTreeSet<(Grain, String)> = BTreeSet::new();
    for metric in metrics.into_iter().filter(|metric| wanted.metrics.is_empty() || wanted.metrics.contains(metric)) {
        let (a, b) = match (from.entry.scores.get(metric), to.entry.scores.get(metric)) {
            (Some(a), Some(b)) if a.digest == b.digest => continue,
            (Some(a), Some(b)) => (a, b),
            (Some(_), None) => {
                alone.entry(from.entry.number).or_default().push(metric);
                continue;
            }
            (None, _) => {
                alone.entry(to.entry.number).or_default().push(metric);
                continue;
            }
        };
        for (key, before, after) in of_metric(from, to, metric, (a, b), &mut scores.notes).await? {
            let definition = to.metrics.as_ref().or(from.metrics.as_ref()).and_then(|metrics| metrics.get(metric));
            let Some(change) = change(to, metric, definition, key, (before, after), names) else { continue };
            if !both.contains(&(change.period.grain, change.period.start)) {
                left_out.insert((change.period.grain, change.period.name()));
            } else if wanted.has(&change) {
                scores.changes.push(change);
            }
        }
    }
    for (number, metrics) in alone {
        scores.notes.push(format!("only run {number} has scores of {}", metrics.join(", ")));
    }
    if !left_out.is_empty() {
        let named: Vec<String> = left_out.iter().map(|(grain, name)| format!("{grain} {name}")).collect();
        scores.notes.push(format!("only one of the runs scores the {}", named.join(", the ")));
    }
    scores.changes.sort_by(|a, b| {
        let names = |of: &ScoreChange| (of.metric.clone(), of.period.start, of.entity.clone(), of.slice_value.clone());
        let by_rank = a.rank().cmp(&b.rank());
        by_rank.then_with(|| b.weight().total_cmp(&a.weight())).then_with(|| names(a).cmp(&names(b)))
    });
    Ok(scores)
}

type Key = Vec<String>;

/// The rows of two score files that are not in both, by what names them.
async fn of_metric(
    from: &Side<'_>,
    to: &Side<'_>,
    metric: &str,
    (a, b): (&ScoreTable, &ScoreTable),
    notes: &mut Vec<String>,
) -> Result<Vec<(Key, Option<Cell>, Option<Cell>)>> {
    let (old, new) = (from.columns(&a.path(metric)).await?, to.columns(&b.path(metric)).await?);
    let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
    if let Some(missing) = KEY.iter().find(|name| !has(&old, name) || !has(&new, name)) {
        notes.push(format!("{metric} cannot be compared: one of its files has no `{missing}`"));
        return Ok(Vec::new());
    }
    let cell: Vec<&str> = CELL.into_iter().filter(|name| has(&old, name) && has(&new, name)).collect();
    if let Some(missing) = CELL.iter().find(|name| !cell.contains(name)) {
        notes.push(format!("`{missing}` of {metric} cannot be compared: one of its files does not have it"));
    }
    let session = Session::new(to.opened.limits, &to.opened.store)?;
    from.add(&session, "a", &a.path(metric)).await?;
    to.add(&session, "b", &b.path(metric)).await?;
    let columns: Vec<&str> = KEY.into_iter().chain(cell.iter().copied()).collect();
    let columns = columns.join(", ");
    let mut rows: BTreeMap<Key, [Option<Cell>; 2]> = BTreeMap::new();
    for (i, (one, other)) in [("a", "b"), ("b", "a")].into_iter().enumerate() {
        let sql = format!("SELECT {columns} FROM {one} EXCEPT SELECT {columns} FROM {other}");
        for row in ask(&session, &sql).await? {
            let key = row[..KEY.len()].iter().map(|cell| cell.clone().unwrap_or_default()).collect();
            rows.entry(key).or_default()[i] = Some(Cell::of(&cell, &row[KEY.len()..]));
        }
    }
    Ok(rows.into_iter().map(|(key, [before, after])| (key, before, after)).collect())
}

/// A change as it is told; none if a score that is not there says as much as one of nothing.
fn change(
    to: &Side<'_>,
    metric: &str,
    definition: Option<&Metric>,
    key: Key,
    (before, after): (Option<Cell>, Option<Cell>),
    names: &BTreeMap<String, String>,
) -> Option<ScoreChange> {
    let absent = || Cell {
        value: definition.is_some_and(Metric::is_zero_without_facts).then_some(Number::ZERO),
        ..Cell::default()
    };
    if before.clone().unwrap_or_else(absent).is_same(&after.clone().unwrap_or_else(absent)) {
        return None;
    }
    let [level, entity, grain, start, _end, slice, slice_value] = <[String; 7]>::try_from(key).ok()?;
    let (grain, start): (Grain, Date) = (grain.parse().ok()?, start.parse().ok()?);
    Some(ScoreChange {
        metric: metric.to_owned(),
        name: entity_name(names, &level, &entity),
        level,
        entity,
        period: to.settings.calendar.period(grain, start),
        slice,
        slice_value,
        before,
        after,
        hidden: definition.is_some_and(|metric| metric.header.hidden || metric.form != Form::Itself),
    })
}
