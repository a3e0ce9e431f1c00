//! What contexts are built from, read once for all documents of a report.
//!
//! Scores are the bulk of it. They are sorted by level and entity, and so are the documents: each metric's file is read
//! once, a row group at a time, as the documents pass.

use crate::diagnostic::Result;
use crate::domain::metric::Measure;
use crate::domain::number::Number;
use crate::domain::period::EPOCH;
use crate::domain::score::{COMPANY, NotSupplied, REP_IN_TEAM, Score};
use crate::engine::text::literal;
use crate::engine::{Parameters, Session, Sql, parameters};
use crate::parquet_file;
use crate::pipeline::render::audience::Member;
use crate::pipeline::render::by_entity::ByEntity;
use crate::pipeline::render::input::{Fact, List, Part};
use crate::pipeline::render::lists::{self, Listed};
use crate::pipeline::render::members::Members;
use crate::pipeline::render::rendering::Rendering;
use crate::pipeline::render::uncounted;
use crate::pipeline::score::{self, definition};
use crate::pipeline::stage::workdays::{Workdays, Worked};
use crate::score_file::{self, score};
use crate::store::ObjectFile;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a report's documents are built from.
pub struct ReportData {
    metrics: Vec<(String, Cursor)>,
    around: Comparisons,
    members: Members,
    lists: Vec<Listed>,
    facts: Vec<Facts>,
    facts_limit: usize,
    not_supplied: BTreeMap<String, NotSupplied>,
    /// Metric -> the reps of whom it may not be shown.
    hidden: BTreeMap<String, BTreeSet<String>>,
    workdays: Workdays,
}

/// The facts of one metric behind its numbers of the report's period, by entity.
struct Facts {
    of: FactsOf,
    rows: ByEntity,
}

/// How a metric's facts are read.
struct FactsOf {
    metric: String,
    stock: bool,
    ratio: bool,
    valued: bool,
}

impl FactsOf {
    /// A row: entity, record, day, and the two sides.
    fn fact(&self, batch: &RecordBatch, row: usize) -> Fact {
        let number = |column: usize| {
            let of = batch.column(column).as_primitive::<Decimal128Type>();
            of.is_valid(row).then(|| Number::from_units(of.value(row)))
        };
        let date = EPOCH + batch.column(2).as_primitive::<Date32Type>().value(row).days();
        Fact {
            metric: self.metric.clone(),
            record_id: batch.column(1).as_string::<i32>().value(row).to_owned(),
            event_date: (!self.stock).then_some(date),
            valid_from: self.stock.then_some(date),
            value: number(3).filter(|_| self.valued),
            numerator: number(3).filter(|_| self.ratio),
            denominator: number(4).filter(|_| self.ratio),
        }
    }
}

impl ReportData {
    /// Opens the scores and runs lists and facts.
    pub(super) async fn open(of: &Rendering<'_>) -> Result<ReportData> {
        let mut reading = ReportData {
            metrics: Vec::new(),
            around: Comparisons::default(),
            members: Members::open(of).await?,
            lists: Vec::new(),
            facts: Vec::new(),
            facts_limit: of.report.facts_limit,
            not_supplied: BTreeMap::new(),
            hidden: BTreeMap::new(),
            workdays: Workdays::read(of.night, of.model).await?,
        };
        reading.hidden = hidden(of, &reading.workdays)?;
        for id in of.report.used() {
            let table = &of.scores.tables[id];
            reading.not_supplied.extend(table.not_supplied.clone().map(|not| (id.clone(), not)));
            reading.metrics.push((id.clone(), Cursor::open(of.night.store.file(&table.path(id)).await?)?));
        }
        reading.around = Comparisons::open(of).await?;
        let mut session = Session::new(of.night.limits.single_threaded(), of.night.store)?;
        session.know(&of.model.keys);
        for (name, table) in &of.model.tables {
            session.register_parquet(name, &table.path(name)).await?;
        }
        let mut parameters = parameters(of.night.as_of);
        let measured_on = of.period.measured_on(of.night.as_of);
        for (name, date) in
            [("period_start", of.period.start), ("period_end", of.period.end), ("measured_on", measured_on)]
        {
            parameters.insert(name.to_owned(), format!("DATE '{date}'"));
        }
        if !of.report.lists.is_empty() {
            uncounted::add(of, &session).await?;
        }
        for id in &of.report.lists {
            reading.lists.push(lists::run(&session, of.night.project, id, &of.report.audience, &parameters).await?);
        }
        // Facts go with PDFs alone, and those behind the numbers of the overview.
        let attached = of.report.formats.iter().any(|format| format == "pdf") && of.report.facts_limit > 0;
        for id in of.report.metrics.iter().filter(|_| attached) {
            reading.add_facts(of, &session, id, measured_on).await?;
        }
        Ok(reading)
    }

    /// The facts behind a metric's number of the report's period, for every entity.
    async fn add_facts(&mut self, of: &Rendering<'_>, session: &Session, id: &str, measured_on: Date) -> Result<()> {
        let metric = &of.metrics[id];
        let not_supplied = self.not_supplied.get(id).is_some_and(|not| not.is_in(of.period.grain, of.period.start));
        if metric.is_formula() || !metric.header.reads.is_empty() || not_supplied {
            return Ok(());
        }
        let parameters: Parameters = parameters(of.night.as_of);
        let stock = definition::measure(metric) == Measure::Stock;
        let facts = score::facts_sql(session, of.metrics, metric, of.model, &parameters, measured_on).await?;
        let (day, within) = match stock {
            true => (
                format!("DATE '{measured_on}'"),
                format!(
                    "f.valid_from <= DATE '{measured_on}' AND (f.valid_to IS NULL OR DATE '{measured_on}' < f.valid_to)"
                ),
            ),
            false => {
                let (from, to) = metric.days(of.period, of.night.as_of);
                ("f.day".into(), format!("f.day BETWEEN DATE '{from}' AND DATE '{to}'"))
            }
        };
        let since = if stock { "f.valid_from" } else { "f.day" };
        let sql = format!(
            "SELECT m.entity, f.record_id, {since} AS since, f.a, f.b FROM ({facts}) AS f JOIN membership AS m \
             ON m.rep_id = f.rep_id AND m.valid_from <= {day} AND {day} < m.valid_to \
             WHERE m.level = {} AND {within} ORDER BY m.entity, since, f.record_id, f.a, f.b",
            literal(&of.report.audience)
        );
        let aggregate = metric.aggregate();
        let of = FactsOf {
            metric: id.to_owned(),
            stock,
            ratio: aggregate.has_two_sides(),
            valued: aggregate.has_values(metric.header.credit.is_some()),
        };
        self.facts.push(Facts {
            of,
            rows: ByEntity::of(session.stream_query(&Sql::bare("facts", &sql), &parameters).await?).await?,
        });
        Ok(())
    }

    /// All scores of an entity. Entities must be asked for in their order.
    pub fn scores(&mut self, level: &str, entity: &str) -> Result<Vec<Score>> {
        let mut all = Vec::new();
        for (metric, cursor) in &mut self.metrics {
            cursor.take(metric, level, entity, &mut all)?;
        }
        Ok(all)
    }

    /// Totals of what stands above a member.
    pub fn around(&self, member: &Member) -> Result<Vec<Score>> {
        let mut all = self.around.of(COMPANY, COMPANY)?;
        for (level, entity) in member.above.iter().filter(|(level, _)| *level != COMPANY) {
            all.extend(self.around.of(level, entity)?);
        }
        Ok(all)
    }

    /// An entity's lists. Entities must be asked for in their order.
    pub fn lists(&mut self, entity: &str) -> Result<Vec<List>> {
        self.lists.iter_mut().map(|listed| listed.of(entity)).collect()
    }

    /// An entity's facts up to the report's limit, and how many there are of each metric. Entities must be asked for in
    /// their order.
    pub fn facts(&mut self, entity: &str) -> Result<(Vec<Fact>, BTreeMap<String, usize>)> {
        let (mut shown, mut total) = (Vec::new(), BTreeMap::new());
        for facts in &mut self.facts {
            let Facts { of, rows } = facts;
            let hidden = self.hidden.get(&of.metric).is_some_and(|reps| reps.contains(entity));
            let mut count = 0;
            rows.take(entity, |batch, row| {
                count += 1;
                if !hidden && shown.len() < self.facts_limit {
                    shown.push(of.fact(batch, row));
                }
            })?;
            if !hidden && count > 0 {
                total.insert(of.metric.clone(), count);
            }
        }
        Ok((shown, total))
    }

    /// The parts of an entity for each table of members, and their totals. Entities must be asked for in their order.
    pub fn members(&mut self, entity: &str) -> Result<(Vec<Vec<Part>>, Vec<Score>)> {
        Ok((self.members.parts(entity)?, self.members.scores(entity)?))
    }

    /// Which metrics may not be shown of which of these parts.
    pub fn hidden_of(&self, parts: &[Vec<Part>]) -> BTreeMap<String, BTreeSet<String>> {
        let mut hidden: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (metric, reps) in &self.hidden {
            let is_hidden = |part: &&Part| part.id.rsplit('|').next().is_some_and(|rep| reps.contains(rep));
            let parts: BTreeSet<String> =
                parts.iter().flatten().filter(is_hidden).map(|part| part.id.clone()).collect();
            if !parts.is_empty() {
                hidden.insert(metric.clone(), parts);
            }
        }
        hidden
    }

    /// The metrics that may not be shown of an entity.
    pub fn hidden(&self, entity: &str) -> BTreeSet<String> {
        let hidden = self.hidden.iter().filter(|(_, reps)| reps.contains(entity));
        hidden.map(|(metric, _)| metric.clone()).collect()
    }

    /// A rep's working days in the report's period; of no one else.
    pub(super) fn working_days(&self, of: &Rendering<'_>, member: &Member) -> Option<Worked> {
        let rep = (member.entity.level == "rep").then_some(&member.entity.id)?;
        Some(self.workdays.of_rep(rep, of.period, of.night.as_of))
    }

    /// Metrics without scores, or without some, and why.
    pub fn not_supplied(&self) -> BTreeMap<String, NotSupplied> {
        self.not_supplied.clone()
    }
}

/// The reps of whom each of a report's metrics may not be shown. A report on teams shows everyone's together, but for the
/// lines of its reps.
fn hidden(of: &Rendering<'_>, workdays: &Workdays) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let people = &of.night.settings.people;
    let of_reps = |level: &str| level == "rep" || level == REP_IN_TEAM;
    let shows_reps = of_reps(&of.report.audience) || of.report.members.iter().any(|by| of_reps(&by.level));
    if people.only_for_teams.is_empty() || !shows_reps {
        return Ok(BTreeMap::new());
    }
    let one = |id: &String| Ok((id.clone(), score::people::hidden(people, workdays, of.metrics, &of.metrics[id])?));
    of.report.used().into_iter().map(one).collect()
}

/// Totals of all entities at other levels, for the reported periods: columns and places in them, for there are many.
#[derive(Default)]
struct Comparisons {
    batches: Vec<(String, RecordBatch)>,
    /// Level and entity -> batch and row.
    places: BTreeMap<(String, String), Vec<(usize, usize)>>,
}

impl Comparisons {
    async fn open(of: &Rendering<'_>) -> Result<Comparisons> {
        let session = Session::new(of.night.limits.single_threaded(), of.night.store)?;
        let calendar = &of.night.settings.calendar;
        let grains = of.report.also.iter().copied().chain([of.report.grain]);
        let present: Vec<String> = grains
            .map(|grain| {
                let start = calendar.period(grain, of.night.anchor).start;
                format!("(grain = '{grain}' AND period_start = DATE '{start}')")
            })
            .collect();
        let mut around = Comparisons::default();
        if of.report.audience == COMPANY {
            return Ok(around);
        }
        for id in of.report.used() {
            session.deregister("scores")?;
            session.register_parquet("scores", &of.scores.tables[id].path(id)).await?;
            let sql = format!(
                "SELECT * FROM scores WHERE level NOT IN ({}, 'rep', '{REP_IN_TEAM}') AND slice = '' AND ({}) ORDER BY level, entity, grain",
                literal(&of.report.audience),
                present.join(" OR ")
            );
            for batch in session.query_own(&sql).await? {
                for row in 0..batch.num_rows() {
                    let (level, entity) = score_file::whose(&batch, row)?;
                    let place = (level.to_owned(), entity.to_owned());
                    around.places.entry(place).or_default().push((around.batches.len(), row));
                }
                around.batches.push((id.clone(), batch));
            }
        }
        Ok(around)
    }

    /// The totals of one entity.
    fn of(&self, level: &str, entity: &str) -> Result<Vec<Score>> {
        let places = self.places.get(&(level.to_owned(), entity.to_owned()));
        let scores = places.into_iter().flatten().map(|(batch, row)| {
            let (metric, batch) = &self.batches[*batch];
            score(metric, batch, *row)
        });
        scores.collect()
    }
}

/// A place in a metric's scores, which moves on only.
struct Cursor {
    rows: parquet_file::Rows,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Cursor {
    fn open(object: ObjectFile) -> Result<Cursor> {
        let mut cursor = Cursor { rows: parquet_file::read(object, 256)?, batch: None, row: 0 };
        cursor.next_batch()?;
        Ok(cursor)
    }

    fn next_batch(&mut self) -> Result<()> {
        self.batch = self.rows.next().transpose()?;
        self.row = 0;
        Ok(())
    }

    /// Moves on to an entity and adds its scores.
    fn take(&mut self, metric: &str, level: &str, entity: &str, all: &mut Vec<Score>) -> Result<()> {
        while let Some(batch) = &self.batch {
            if self.row == batch.num_rows() {
                self.next_batch()?;
                continue;
            }
            let here = score_file::whose(batch, self.row)?;
            match here.cmp(&(level, entity)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => all.push(score(metric, batch, self.row)?),
                std::cmp::Ordering::Greater => return Ok(()),
            }
            self.row += 1;
        }
        Ok(())
    }
}
