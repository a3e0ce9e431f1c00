//! The tables `membership` and `tenure`: who belongs where, and since when, as stretches of days without gaps.
//!
//! A day on which a rep has no team belongs to [`UNASSIGNED`] at every level of the tree, so that the lines of a level
//! always add up to the company. Once a rep is gone for good, the level of reps has no line for them either.

use crate::artifact::model::Model;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::period::EPOCH;
use crate::domain::period::days_between;
use crate::domain::score::{COMPANY, REP_IN_TEAM, UNASSIGNED};
use crate::parquet_file;
use crate::pipeline::stage::made::made_from;
use crate::run_context::RunContext;
use crate::run_context::read_table;
use crate::store::object_name;
use arrow::array::{Array, AsArray, Date32Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Int64Type};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Before all facts.
const FIRST: Date = date(1900, 1, 1);
/// After all facts.
const NEVER: Date = date(2200, 1, 1);

/// The level of the tree in whose lines reps stand one by one.
const LOWEST: &str = "team";

struct Team {
    level: String,
    parent: Option<String>,
}

#[derive(Clone)]
struct Assignment {
    team: String,
    role: Option<String>,
    from: Date,
    /// The first day after it.
    to: Date,
}

/// A stretch of days of one rep at one level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    rep: String,
    level: String,
    entity: String,
    role: Option<String>,
    from: Date,
    to: Date,
}

pub(super) async fn make(night: &RunContext<'_>, snapshots: &[Snapshot], model: &mut Model) -> Result<()> {
    let digest = |name: &str| model.tables[name].digest;
    let inputs = [digest("reps"), digest("teams"), digest("assignments")];
    let membership = async |model: &Model| membership(night, snapshots, model).await;
    made_from(night, model, "membership", &inputs, true, membership).await?;
    let bands = &night.settings.people.tenure_bands_months;
    let inputs = (model.tables["reps"].digest, bands);
    made_from(night, model, "tenure", &inputs, true, async |model| tenure(night, model, bands).await).await
}

async fn membership(night: &RunContext<'_>, snapshots: &[Snapshot], model: &Model) -> Result<RecordBatch> {
    let teams = teams(&read_table(night, model, "teams").await?)?;
    let levels: BTreeSet<&str> = teams.values().map(|team| team.level.as_str()).collect();
    let assignments = assignments(&read_table(night, model, "assignments").await?)?;
    for (rep, own) in &assignments {
        if let Some(pair) = own.windows(2).find(|pair| pair[1].from < pair[0].to) {
            let rows = rows_of(night, model, snapshots, rep).await?;
            return Err(overlapping(rep, [&pair[0], &pair[1]], &rows));
        }
    }
    let reps = read_table(night, model, "reps").await?;
    let reps = texts(&reps, "rep_id").into_iter().zip(dates(&reps, "left_on"));
    let mut stretches = Vec::new();
    for (rep, left_on) in reps.chain([(Some(UNASSIGNED.to_owned()), None)]) {
        let Some(rep) = rep else { continue };
        let own = assignments.get(&rep).map_or(&[][..], Vec::as_slice);
        let gone = gone(left_on, own);
        let mut add = |level: &str, entity: &str, from: Date, to: Date| {
            if from < to {
                let (rep, level, entity) = (rep.clone(), level.to_owned(), entity.to_owned());
                stretches.push(Stretch { rep, level, entity, role: None, from, to });
            }
        };
        add("rep", &rep, FIRST, gone);
        add("rep", UNASSIGNED, gone, NEVER);
        add(COMPANY, COMPANY, FIRST, NEVER);
        for level in &levels {
            let at_level = at_level(&rep, level, &until(gone, own), &teams)?;
            if *level == LOWEST {
                stretches.extend(at_level.iter().flat_map(|stretch| in_team(stretch, gone)));
            }
            stretches.extend(at_level);
        }
    }
    stretches.sort();
    table(&stretches)
}

/// The first day on which a rep is gone for good: that after the last assignment, or after `left_on` if that is earlier.
/// Who was never in a team is not gone for that.
fn gone(left_on: Option<Date>, own: &[Assignment]) -> Date {
    let left = left_on.filter(|day| *day < NEVER).map(|day| day + 1.day());
    let last = own.iter().map(|assignment| assignment.to).max();
    left.into_iter().chain(last).min().unwrap_or(NEVER).max(FIRST)
}

/// What there is of assignments before a day.
fn until(day: Date, own: &[Assignment]) -> Vec<Assignment> {
    let before = own.iter().filter(|assignment| assignment.from < day);
    before.map(|assignment| Assignment { to: assignment.to.min(day), ..assignment.clone() }).collect()
}

/// The same days as the rep's own lines within the team: a rep who moves has one in each, with the days spent there, and
/// once gone none.
fn in_team(stretch: &Stretch, gone: Date) -> impl Iterator<Item = Stretch> {
    let line = |rep: &str, from: Date, to: Date| {
        let (level, entity) = (REP_IN_TEAM.to_owned(), format!("{}|{rep}", stretch.entity));
        Stretch { level, entity, from, to, ..stretch.clone() }
    };
    let (own, nobody) =
        (line(&stretch.rep, stretch.from, stretch.to.min(gone)), line(UNASSIGNED, stretch.from.max(gone), stretch.to));
    [own, nobody].into_iter().filter(|stretch| stretch.from < stretch.to)
}

/// A rep's stretches at one level of the tree, gaps included.
fn at_level(rep: &str, level: &str, own: &[Assignment], teams: &BTreeMap<String, Team>) -> Result<Vec<Stretch>> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut add = |entity: &str, role: &Option<String>, from: Date, to: Date| {
        if from < to {
            let (rep, level, entity, role) = (rep.to_owned(), level.to_owned(), entity.to_owned(), role.clone());
            found.push(Stretch { rep, level, entity, role, from, to });
        }
    };
    let mut reached = FIRST;
    for assignment in own {
        let Some(team) = ancestor(&assignment.team, level, teams)? else { continue };
        add(UNASSIGNED, &None, reached, assignment.from);
        add(&team, &assignment.role, assignment.from, assignment.to);
        reached = reached.max(assignment.to);
    }
    add(UNASSIGNED, &None, reached, NEVER);
    Ok(found)
}

/// The team itself or the one above it that is of this level.
fn ancestor(team: &str, level: &str, teams: &BTreeMap<String, Team>) -> Result<Option<String>> {
    let mut current = Some(team.to_owned());
    for _ in 0..=teams.len() {
        let Some(id) = current else { return Ok(None) };
        match teams.get(&id) {
            Some(found) if found.level == level => return Ok(Some(id)),
            Some(found) => current = found.parent.clone(),
            None => return Ok(None),
        }
    }
    Err(Diagnostic::data(format!("the team tree runs in a circle above {team}"))
        .note("a team's parents must end in a team without one")
        .help("`scorebook sql \"SELECT team_id, name, parent_team_id FROM teams\"` shows the tree"))
}

/// Two assignments of a rep to different teams on one day.
fn overlapping(rep: &str, pair: [&Assignment; 2], rows: &BTreeMap<Date, (String, i64)>) -> Box<Diagnostic> {
    let [earlier, later] = pair;
    let error = Diagnostic::data(format!(
        "{rep} has two assignments on {}: in {} and in {}",
        later.from, earlier.team, later.team
    ));
    let error = match rows.get(&later.from) {
        Some((path, _)) => error.at(Place::file(path)),
        None => error,
    };
    let said = pair.map(|one| {
        let until = if one.to == NEVER { "for good".to_owned() } else { format!("to {}", one.to - 1.day()) };
        let row = rows.get(&one.from).map(|(path, row)| format!(": record {row} of {path}")).unwrap_or_default();
        format!("in {} from {} {until}{row}", one.team, one.from)
    });
    let error = said.into_iter().fold(error, |error, said| error.note(said));
    error
        .note("a rep's numbers go to one team on one day")
        .help("in the export behind `assignments`, end the earlier assignment on the day before the later one starts")
        .help("nothing was published; the last run stands as it was")
}

/// Where a rep's assignments came from, by their first days.
async fn rows_of(
    night: &RunContext<'_>,
    model: &Model,
    snapshots: &[Snapshot],
    rep: &str,
) -> Result<BTreeMap<Date, (String, i64)>> {
    let mut rows = BTreeMap::new();
    let Some(digest) = model.tables["assignments"].lineage else { return Ok(rows) };
    let path = object_name("model/assignments__lineage", &digest, "parquet");
    let batches = parquet_file::read_all(&path, night.store.get(&path).await?)?;
    let (reps, starts, origins) =
        (texts(&batches, "rep_id"), dates(&batches, "starts_on"), texts(&batches, "_snapshot"));
    let numbers = batches.iter().filter_map(|batch| batch.column_by_name("_row")?.as_primitive_opt::<Int64Type>());
    let numbers = numbers.flat_map(|numbers| numbers.values().to_vec());
    for (((of, start), origin), number) in reps.into_iter().zip(starts).zip(origins).zip(numbers) {
        let export = origin.and_then(|origin| Snapshot::named(snapshots, &origin));
        if let (true, Some(start), Some(export)) = (of.as_deref() == Some(rep), start, export) {
            rows.insert(start, (export.path.clone(), number));
        }
    }
    Ok(rows)
}

fn table(stretches: &[Stretch]) -> Result<RecordBatch> {
    let texts = |get: fn(&Stretch) -> Option<&str>| Arc::new(stretches.iter().map(get).collect::<StringArray>());
    let days = |get: fn(&Stretch) -> Date| {
        Arc::new(Date32Array::from_iter_values(stretches.iter().map(|s| days_between(EPOCH, get(s)))))
    };
    let columns: [(&str, Arc<dyn Array>); 6] = [
        ("rep_id", texts(|s| Some(&s.rep))),
        ("level", texts(|s| Some(&s.level))),
        ("entity", texts(|s| Some(&s.entity))),
        ("role", texts(|s| s.role.as_deref())),
        ("valid_from", days(|s| s.from)),
        ("valid_to", days(|s| s.to)),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Diagnostic::internal(format!("no membership: {error}")))
}

/// A rep's band of months since hire, as stretches; days before the hire count to the first band, and a rep without a
/// hire date has none.
async fn tenure(night: &RunContext<'_>, model: &Model, bands: &[u32]) -> Result<RecordBatch> {
    let reps = read_table(night, model, "reps").await?;
    let (ids, hired) = (texts(&reps, "rep_id"), dates(&reps, "hired_on"));
    let mut rows: Vec<(String, String, Date, Date)> = Vec::new();
    for (rep, hired) in ids.into_iter().zip(hired) {
        let (Some(rep), Some(hired)) = (rep, hired) else { continue };
        let after = |months: u32| hired.checked_add(i64::from(months).months()).unwrap_or(NEVER).min(NEVER);
        for (i, band) in bands.iter().enumerate() {
            let from = if i == 0 { FIRST } else { after(*band) };
            let to = bands.get(i + 1).map_or(NEVER, |next| after(*next));
            rows.push((rep.clone(), band_name(*band, bands.get(i + 1).copied()), from, to));
        }
    }
    rows.sort();
    let text =
        |get: fn(&(String, String, Date, Date)) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(get)));
    let days = |get: fn(&(String, String, Date, Date)) -> Date| {
        Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| days_between(EPOCH, get(row)))))
    };
    let columns: [(&str, Arc<dyn Array>); 4] = [
        ("rep_id", text(|row| &row.0)),
        ("band", text(|row| &row.1)),
        ("valid_from", days(|row| row.2)),
        ("valid_to", days(|row| row.3)),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Diagnostic::internal(format!("no tenure: {error}")))
}

/// `0-5 months`, `24+ months`.
fn band_name(from: u32, next: Option<u32>) -> String {
    match next {
        Some(next) => format!("{from}-{} months", next - 1),
        None => format!("{from}+ months"),
    }
}

fn teams(batches: &[RecordBatch]) -> Result<BTreeMap<String, Team>> {
    let (ids, levels, parents) = (texts(batches, "team_id"), texts(batches, "level"), texts(batches, "parent_team_id"));
    let mut teams = BTreeMap::new();
    for ((id, level), parent) in ids.into_iter().zip(levels).zip(parents) {
        let (Some(id), Some(level)) = (id, level) else { continue };
        if level == "rep" || level == REP_IN_TEAM || level == COMPANY {
            return Err(Diagnostic::data(format!("the team {id} has the level `{level}`, which is the engine's own"))
                .help("name the levels of the team tree otherwise: team, region, country"));
        }
        teams.insert(id, Team { level, parent });
    }
    Ok(teams)
}

/// Assignments by rep, in order of their first days.
fn assignments(batches: &[RecordBatch]) -> Result<BTreeMap<String, Vec<Assignment>>> {
    let (reps, teams, roles) = (texts(batches, "rep_id"), texts(batches, "team_id"), texts(batches, "role"));
    let (starts, ends) = (dates(batches, "starts_on"), dates(batches, "ends_on"));
    let mut by_rep: BTreeMap<String, Vec<Assignment>> = BTreeMap::new();
    for ((((rep, team), role), from), end) in reps.into_iter().zip(teams).zip(roles).zip(starts).zip(ends) {
        let (Some(rep), Some(team), Some(from)) = (rep, team, from) else { continue };
        if end.is_some_and(|end| end < from) {
            return Err(Diagnostic::data(format!("an assignment of {rep} to {team} ends before it starts, on {from}"))
                .help("correct `ends_on` in the assignments, or leave it empty for an open one"));
        }
        // Years such as 9999 mean for good.
        let to = end.filter(|end| *end < NEVER).map_or(NEVER, |end| end + 1.day());
        by_rep.entry(rep).or_default().push(Assignment { team, role, from, to });
    }
    by_rep.values_mut().for_each(|own| own.sort_by_key(|assignment| (assignment.from, assignment.to)));
    Ok(by_rep)
}

fn texts(batches: &[RecordBatch], column: &str) -> Vec<Option<String>> {
    let arrays = batches.iter().filter_map(|batch| batch.column_by_name(column)?.as_string_opt::<i32>());
    arrays.flat_map(|array| array.iter().map(|text| text.map(String::from)).collect::<Vec<_>>()).collect()
}

fn dates(batches: &[RecordBatch], column: &str) -> Vec<Option<Date>> {
    let arrays = batches.iter().filter_map(|batch| batch.column_by_name(column)?.as_primitive_opt::<Date32Type>());
    arrays.flat_map(|array| array.iter().map(|day| day.map(|day| EPOCH + day.days())).collect::<Vec<_>>()).collect()
}
