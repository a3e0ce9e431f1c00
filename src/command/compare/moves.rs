//! The facts that moved a score: those that only one of the runs has, and those that are worth something else.
//!
//! Each run's facts are made from its own model by its own definition. Facts of both runs that are alike in all that a score
//! looks at are left out; the rest is laid on the cells that moved. So the difference of what is left is the difference of
//! the scores, to the cent.

use crate::artifact::snapshot::Snapshot;
use crate::command::compare::changes::Origin;
use crate::command::compare::run::{Side, ask};
use crate::command::compare::scores::ScoreChange;
use crate::command::lineage;
use crate::diagnostic::Result;
use crate::domain::metric::{Metric, Metrics};
use crate::domain::number::Number;
use crate::domain::period::Grain;
use crate::domain::score::NO_VALUE;
use crate::engine::{Session, parameters};
use crate::pipeline::score::prepared::PreparedFacts;
use crate::pipeline::score::{self, definition};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a fact adds above and below the line.
type Worth = (Option<Number>, Option<Number>);

/// A fact that moved a score.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// `new`, `gone` or `changed`.
    pub change: &'static str,
    pub record: String,
    pub rep: Option<String>,
    /// The day on which it happens, or from which on it stands.
    pub day: Option<String>,
    pub before: Option<Worth>,
    pub after: Option<Worth>,
    /// The export row that says so; of a fact that is gone, that did.
    pub origin: Option<Origin>,
}

/// A fact of one run, on one entity.
#[derive(Clone, Debug)]
struct Placed {
    is_new: bool,
    grain: Option<(String, String)>,
    record: String,
    rep: Option<String>,
    day: Option<String>,
    slices: BTreeMap<String, String>,
    worth: Worth,
}

/// The columns that a placed fact begins with.
const PLACE: [&str; 9] = ["side", "level", "entity", "grain", "period_start", "record_id", "rep_id", "day", "_a"];

/// What is asked of the facts at once: everything, or what counts in one period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    /// Of a stock: the days on which both runs measure it.
    measured: Option<[Date; 2]>,
    /// Of a window: the period that it ends with.
    window: Option<(Grain, Date)>,
    /// The slice of which facts have several values.
    listed: Option<String>,
}

/// The two runs, with what all metrics share.
pub struct Movers<'a> {
    sides: [&'a Side<'a>; 2],
    sessions: [Session; 2],
    /// Who belongs where is the same in both.
    same_members: bool,
}

impl<'a> Movers<'a> {
    pub async fn of(from: &'a Side<'a>, to: &'a Side<'a>) -> Result<Movers<'a>> {
        let sides = [from, to];
        let mut sessions = Vec::new();
        for side in sides {
            let session = Session::new(side.opened.limits, &side.opened.store)?;
            for (name, table) in &side.entry.model {
                side.add(&session, name, &table.path(name)).await?;
            }
            sessions.push(session);
        }
        let members = |side: &Side<'_>| side.entry.model.get("membership").map(|table| table.digest);
        let same_members = members(from) == members(to);
        let [a, b] = <[Session; 2]>::try_from(sessions)
            .map_err(|_| crate::diagnostic::Diagnostic::internal("two runs have two sessions"))?;
        Ok(Movers { sides, sessions: [a, b], same_members })
    }

    /// The facts that moved each of a metric's changed scores, in their order; nothing for a formula, which has none.
    pub async fn of_metric(&self, id: &str, changes: &[&ScoreChange]) -> Result<Option<Vec<Vec<Move>>>> {
        let [Some(old), Some(new)] = self.sides.map(|side| side.metrics.as_ref()) else { return Ok(None) };
        let (Some(before), Some(after)) = (old.get(id), new.get(id)) else { return Ok(None) };
        if before.is_formula() || after.is_formula() {
            return Ok(None);
        }
        let prepared = [self.prepare(0, old, before).await?, self.prepare(1, new, after).await?];
        let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        for (i, change) in changes.iter().enumerate() {
            groups.entry(self.group(after, &prepared[1], change)).or_default().push(i);
        }
        let mut moves: Vec<Vec<Move>> = changes.iter().map(|_| Vec::new()).collect();
        for (group, members) in groups {
            let placed = self.placed(&group, [before, after], &prepared).await?;
            for i in members {
                moves[i] = self.of_cell(changes[i], [before, after], &prepared[1], &placed);
            }
        }
        self.name_origins([(old, before), (new, after)], &mut moves).await?;
        Ok(Some(moves))
    }

    /// What has to be asked for a cell's facts. Most cells of a stock are measured on the same day.
    fn group(&self, metric: &Metric, prepared: &PreparedFacts, change: &ScoreChange) -> Group {
        let header = &metric.header;
        let is_list = |slice: &String| header.multi.contains(slice) || header.allocated.contains(slice);
        let is_windowed = header.window.is_some() && !prepared.is_stock() && !prepared.is_pre_aggregated();
        Group {
            measured: prepared.is_stock().then(|| self.sides.map(|side| change.period.measured_on(side.entry.as_of))),
            window: is_windowed.then_some((change.period.grain, change.period.start)),
            listed: Some(change.slice.clone()).filter(is_list),
        }
    }

    /// Makes a run's facts: its session's table `facts`.
    async fn prepare(&self, i: usize, metrics: &Metrics, metric: &Metric) -> Result<PreparedFacts> {
        let (side, session) = (self.sides[i], &self.sessions[i]);
        session.deregister("scores")?;
        let reads = metric.header.reads.iter().filter_map(|id| Some((id, side.entry.scores.get(id)?)));
        let reads: Vec<String> = reads.map(|(id, table)| table.path(id)).collect();
        if !reads.is_empty() {
            session.register_parquets("scores", &reads).await?;
        }
        score::facts_of(session, metrics, metric, &parameters(side.entry.as_of)).await
    }

    /// A run's facts of a group, as one table of text, exact numbers and days.
    fn facts_sql(
        &self,
        i: usize,
        group: &Group,
        metric: &Metric,
        prepared: &PreparedFacts,
        slices: &[String],
    ) -> Result<String> {
        let side = self.sides[i];
        let period = group.window.map(|(grain, start)| side.settings.calendar.period(grain, start));
        let measured_on = group.measured.map(|days| format!("DATE '{}'", days[i]));
        let is_allocated = |slice: &&String| metric.header.allocated.contains(slice);
        let facts = match (group.listed.as_ref(), &measured_on) {
            (Some(slice), _) if is_allocated(&slice) => format!("({})", score::allocated_sql(metric, prepared, slice)?),
            (Some(slice), _) => format!(
                "(SELECT * EXCLUDE (_value), COALESCE(_value, '{NO_VALUE}') AS {slice} \
                 FROM (SELECT f.* EXCLUDE ({slice}), UNNEST(f.{slice}) AS _value FROM facts AS f))"
            ),
            (None, _) => "facts".to_owned(),
        };
        let named: String = slices.iter().map(|slice| format!(", CAST(f.{slice} AS VARCHAR) AS \"{slice}\"")).collect();
        let worth = "CAST(f.a AS DECIMAL(38, 12)) AS _a, CAST(f.b AS DECIMAL(38, 12)) AS _b";
        let nothing = "CAST(NULL AS VARCHAR)";
        if prepared.is_pre_aggregated() {
            return Ok(format!(
                "SELECT f.level, f.entity, CAST(f.grain AS VARCHAR) AS grain, CAST(f.period_start AS VARCHAR) AS period_start, \
                 f.record_id, {nothing} AS rep_id, {nothing} AS day, {worth}{named} FROM {facts} AS f"
            ));
        }
        let (day, on, within) = match (period, &measured_on) {
            (_, Some(on)) => {
                let within = format!(" WHERE f.valid_from <= {on} AND (f.valid_to IS NULL OR {on} < f.valid_to)");
                ("f.valid_from", on.clone(), within)
            }
            (Some(period), None) => {
                let (first, last) = metric.days(period, side.entry.as_of);
                ("f.day", "f.day".into(), format!(" WHERE f.day BETWEEN DATE '{first}' AND DATE '{last}'"))
            }
            (None, None) => ("f.day", "f.day".into(), String::new()),
        };
        let source = match &measured_on {
            Some(on) => format!("({})", prepared.on_day(&prepared.worth_on(&facts, on), on)),
            None => facts,
        };
        Ok(format!(
            "SELECT {nothing} AS grain, {nothing} AS period_start, f.record_id, f.rep_id, CAST({day} AS VARCHAR) AS day, \
             {on} AS _on, {worth}{named} FROM {source} AS f{within}"
        ))
    }

    /// The facts of a group that are not alike in both runs, by the level and entity that they count for.
    async fn placed(
        &self,
        group: &Group,
        metrics: [&Metric; 2],
        prepared: &[PreparedFacts; 2],
    ) -> Result<BTreeMap<(String, String), Vec<Placed>>> {
        let lists = |slice: &&String| {
            let is_list =
                |metric: &Metric| metric.header.multi.contains(slice) || metric.header.allocated.contains(slice);
            group.listed.as_ref() != Some(slice) && metrics.iter().any(|metric| is_list(metric))
        };
        let shares = |slice: &&String| metrics.iter().all(|metric| metric.header.slices.contains(slice));
        // Parts of a fact keep only what stands apart.
        let of_parts = |slice: &&String| {
            let parts = group.listed.as_ref().is_some_and(|listed| metrics[1].header.allocated.contains(listed));
            !parts || group.listed.as_ref() == Some(slice) || metrics[1].header.apart.contains(slice)
        };
        let slices = metrics[1].header.slices.iter();
        let slices: Vec<String> = slices.filter(|s| !lists(s) && shares(s) && of_parts(s)).cloned().collect();
        let common = Session::new(self.sides[1].opened.limits, &self.sides[1].opened.store)?;
        for (i, name) in ["a", "b"].into_iter().enumerate() {
            let sql = self.facts_sql(i, group, metrics[i], &prepared[i], &slices)?;
            self.sessions[i].materialize("_asked", &sql).await?;
            let batches = self.sessions[i].query_own("SELECT * FROM _asked").await?;
            let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
            match batches.is_empty() {
                true => common.add_batches(name, self.empty(i).await?, Vec::new())?,
                false => common.add_batches(name, schema, batches)?,
            }
            if let Some(members) = self.sides[i].entry.model.get("membership") {
                common.register_parquet(&format!("members_{name}"), &members.path("membership")).await?;
            }
        }
        let named: String = slices.iter().map(|slice| format!(", f.\"{slice}\"")).collect();
        let placed = |facts: &str, name: &str| match prepared[1].is_pre_aggregated() {
            true => format!(
                "SELECT f.level, f.entity, f.grain, f.period_start, f.record_id, f.rep_id, f.day, f._a, f._b{named} FROM {facts} AS f"
            ),
            false => format!(
                "SELECT m.level, m.entity, f.grain, f.period_start, f.record_id, f.rep_id, f.day, f._a, f._b{named} \
                 FROM {facts} AS f JOIN members_{name} AS m \
                 ON m.rep_id = f.rep_id AND m.valid_from <= f._on AND f._on < m.valid_to"
            ),
        };
        // Where nobody moved and days are days, what is alike need not be placed.
        let early =
            self.same_members && group.measured.is_none() && group.window.is_none() && !prepared[1].is_pre_aggregated();
        let only = |one: &str, other: &str| match early {
            true => placed(&format!("(SELECT * FROM {one} EXCEPT SELECT * FROM {other})"), one),
            false => format!("{} EXCEPT {}", placed(one, one), placed(other, other)),
        };
        let sql = format!(
            "SELECT 'gone' AS side, p.* FROM ({}) AS p UNION ALL SELECT 'new' AS side, p.* FROM ({}) AS p",
            only("a", "b"),
            only("b", "a")
        );
        let mut found: BTreeMap<(String, String), Vec<Placed>> = BTreeMap::new();
        for row in ask(&common, &sql).await? {
            let text = |i: usize| row[i].clone().unwrap_or_default();
            let number = |i: usize| row[i].as_ref().and_then(|text| text.parse().ok());
            let place = PLACE.len();
            let values = slices.iter().cloned().zip(row[place + 1..].iter().map(|v| v.clone().unwrap_or_default()));
            found.entry((text(1), text(2))).or_default().push(Placed {
                is_new: text(0) == "new",
                grain: row[3].clone().zip(row[4].clone()),
                record: text(5),
                rep: row[6].clone(),
                day: row[7].clone(),
                slices: values.collect(),
                worth: (number(place - 1), number(place)),
            });
        }
        Ok(found)
    }

    /// The columns of a run's facts that are none.
    async fn empty(&self, i: usize) -> Result<arrow::datatypes::SchemaRef> {
        let sql = crate::engine::Sql::bare("facts", "SELECT * FROM _asked");
        Ok(self.sessions[i].shape(&sql, &crate::engine::Parameters::new()).await?.schema)
    }

    /// Those of the placed facts that count in a cell, paired by record and rep.
    fn of_cell(
        &self,
        change: &ScoreChange,
        metrics: [&Metric; 2],
        prepared: &PreparedFacts,
        placed: &BTreeMap<(String, String), Vec<Placed>>,
    ) -> Vec<Move> {
        let Some(all) = placed.get(&(change.level.clone(), change.entity.clone())) else { return Vec::new() };
        let of_period = |fact: &Placed| match &fact.grain {
            Some((grain, start)) => grain == change.period.grain.name() && *start == change.period.start.to_string(),
            // A stock's and a window's facts have been chosen by their period.
            None if prepared.is_stock() || metrics[1].header.window.is_some() => true,
            None => fact
                .day
                .as_ref()
                .is_some_and(|day| (change.period.start.to_string()..=change.period.end.to_string()).contains(day)),
        };
        let header = &metrics[1].header;
        let names: Vec<&str> = change.slice.split('*').filter(|name| !name.is_empty()).collect();
        let values = super::super::explain::pair_parts(&change.slice_value, names.len() > 1);
        let of_slice = |fact: &Placed| {
            names.iter().zip(&values).all(|(name, value)| fact.slices.get(*name).is_none_or(|of| of == value))
                && super::super::explain::kept_apart(header, &change.slice)
                    .all(|apart| fact.slices.get(apart).is_none_or(|of| of == NO_VALUE))
        };
        let mut pairs: BTreeMap<(&str, Option<&str>), [Vec<&Placed>; 2]> = BTreeMap::new();
        for fact in all.iter().filter(|fact| of_period(fact) && of_slice(fact)) {
            let key = (fact.record.as_str(), fact.rep.as_deref());
            pairs.entry(key).or_default()[usize::from(fact.is_new)].push(fact);
        }
        let mut moves = Vec::new();
        for [mut gone, mut new] in pairs.into_values() {
            // What differs only in what this cell does not look at has not moved it.
            gone.retain(|old| match new.iter().position(|fact| fact.worth == old.worth) {
                Some(i) => {
                    new.remove(i);
                    false
                }
                None => true,
            });
            while let (Some(old), Some(fact)) = (gone.first().copied(), new.first().copied()) {
                gone.remove(0);
                new.remove(0);
                moves.push(moved("changed", fact, Some(old.worth), Some(fact.worth)));
            }
            moves.extend(gone.into_iter().map(|fact| moved("gone", fact, Some(fact.worth), None)));
            moves.extend(new.into_iter().map(|fact| moved("new", fact, None, Some(fact.worth))));
        }
        let weight = |of: &Move| {
            let value = |worth: &Option<Worth>| worth.and_then(|(a, _)| a).unwrap_or_default();
            value(&of.after).checked_sub(value(&of.before)).unwrap_or_default().magnitude()
        };
        moves.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| (&a.record, &a.rep).cmp(&(&b.record, &b.rep))));
        moves
    }

    /// Says of each fact which export row it comes from.
    async fn name_origins(&self, of: [(&Metrics, &Metric); 2], moves: &mut [Vec<Move>]) -> Result<()> {
        for (i, (metrics, metric)) in of.into_iter().enumerate() {
            let is_of = |one: &Move| (one.change == "gone") == (i == 0);
            let wanted: BTreeSet<(String, Option<String>)> = moves
                .iter()
                .flatten()
                .filter(|one| is_of(one))
                .map(|one| (one.record.clone(), one.day.clone()))
                .collect();
            let Some(contract) = self.sides[i].contract.as_ref().filter(|_| !wanted.is_empty()) else { continue };
            let (side, session) = (self.sides[i], &self.sessions[i]);
            let there = lineage::add(session, side.entry, contract, metrics, metric).await?;
            session.deregister("wanted")?;
            let (batch, schema) = wanted_rows(&wanted)?;
            session.add_batches("wanted", schema, vec![batch])?;
            let mut origins: BTreeMap<(String, Option<String>), Origin> = BTreeMap::new();
            let sources = [
                (there.of_record, "lineage AS l ON CAST(l.record AS VARCHAR) = w.record"),
                // Of its day, where there is a row of it.
                (
                    there.of_day,
                    "traced AS l ON CAST(l.record AS VARCHAR) = w.record AND CAST(l.day AS VARCHAR) = w.day",
                ),
            ];
            for (_, join) in sources.into_iter().filter(|(there, _)| *there) {
                let sql = format!("SELECT w.record, w.day, l._snapshot, l._row FROM wanted AS w JOIN {join}");
                for row in ask(session, &sql).await? {
                    let [Some(record), day, Some(snapshot), Some(number)] = &row[..] else { continue };
                    let Some(export) = Snapshot::named(&side.entry.observations, snapshot) else { continue };
                    let origin = Origin { export: export.path.clone(), row: number.parse().unwrap_or_default() };
                    origins.insert((record.clone(), day.clone()), origin);
                }
            }
            for one in moves.iter_mut().flatten().filter(|one| is_of(one)) {
                one.origin = origins.get(&(one.record.clone(), one.day.clone())).cloned();
            }
        }
        Ok(())
    }
}

fn wanted_rows(wanted: &BTreeSet<(String, Option<String>)>) -> Result<(RecordBatch, arrow::datatypes::SchemaRef)> {
    let records: ArrayRef = Arc::new(StringArray::from_iter_values(wanted.iter().map(|(record, _)| record)));
    let days: ArrayRef = Arc::new(wanted.iter().map(|(_, day)| day.as_deref()).collect::<StringArray>());
    let field = |name: &str| arrow::datatypes::Field::new(name, DataType::Utf8, true);
    let schema = Arc::new(Schema::new(vec![field("record"), field("day")]));
    let batch = RecordBatch::try_new(schema.clone(), vec![records, days]);
    let batch =
        batch.map_err(|error| crate::diagnostic::Diagnostic::internal(format!("no rows to look for: {error}")))?;
    Ok((batch, schema))
}

fn moved(change: &'static str, fact: &Placed, before: Option<Worth>, after: Option<Worth>) -> Move {
    let (record, rep, day) = (fact.record.clone(), fact.rep.clone(), fact.day.clone());
    Move { change, record, rep, day, before, after, origin: None }
}

/// The metrics that a formula is made of.
pub fn parts(metric: &Metric) -> Result<BTreeSet<String>> {
    if metric.is_formula() { definition::uses(metric) } else { Ok(BTreeSet::new()) }
}
