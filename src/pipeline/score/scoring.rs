//! One metric after another: its key, its facts, its cells and its scores.

use crate::artifact::model::Model;
use crate::artifact::scores::{ScoreTable, Scores};
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::aggregate::Aggregate;
use crate::domain::digest::{Digest, Key};
use crate::domain::metric::{Better, Credit, Measure, Metric, Metrics, Unit, Window};
use crate::domain::period::Grain;
use crate::domain::score::NotSupplied;
use crate::engine::formula::Accessor;
use crate::engine::{self, Parameters, Session};
use crate::pipeline::score::entities::Entities;
use crate::pipeline::score::peers::Groups;
use crate::pipeline::score::periods::Periods;
use crate::pipeline::score::prepared::Shape;
use crate::pipeline::score::targets::Targets;
use crate::pipeline::score::{cells, credit, definition, facts, pace, peers, people, score_writer, targets};
use crate::pipeline::stage::workdays::Workdays;
use crate::run_context::RunContext;
use crate::steps::Made;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::OnceCell;

/// Raised when scoring makes other numbers of the same inputs.
const FORMAT: u32 = 6;

#[derive(Serialize, Deserialize)]
pub(super) struct MadeScores {
    pub(super) metric: String,
    pub(super) table: ScoreTable,
}

impl Made for MadeScores {
    fn objects(&self) -> Vec<String> {
        vec![self.table.path(&self.metric)]
    }
}

/// What scoring any metric needs.
pub(super) struct Scoring<'a> {
    pub(super) night: &'a RunContext<'a>,
    pub(super) model: &'a Model,
    pub(super) metrics: &'a Metrics,
    pub(super) periods: Periods,
    pub(super) targets: Targets,
    pub(super) workdays: Workdays,
    pub(super) entities: Entities,
    pub(super) parameters: Parameters,
    /// The same for all metrics.
    pub(super) peers: OnceCell<Groups>,
}

impl Scoring<'_> {
    /// The tables a metric's SQL reads besides `scores`, and whether it uses the run's date.
    fn reads(&self, metric: &Metric) -> Result<(BTreeSet<String>, bool)> {
        let owner = definition::owner_of_facts(self.metrics, metric);
        if owner.is_formula() {
            return Ok((BTreeSet::new(), false));
        }
        let (mut tables, used) = engine::reads(&definition::sql(owner), &self.parameters)?;
        tables.remove("scores");
        Ok((tables, used.contains("as_of")))
    }

    pub(super) fn key(&self, metric: &Metric, scores: &Scores) -> Result<Key> {
        #[derive(Serialize)]
        struct Inputs<'a, P> {
            metric: &'a str,
            engine: &'a str,
            sql: &'a str,
            measure: Option<Measure>,
            aggregate: Option<Aggregate>,
            credit: Option<(Credit, Unit, Option<&'a str>)>,
            slices: [&'a [String]; 5],
            cadence: &'a [Grain],
            levels: &'a [String],
            formula: (Option<&'a str>, &'a BTreeMap<String, String>),
            value: [Option<&'a str>; 2],
            better: Better,
            hidden: BTreeSet<String>,
            minimum: Option<(usize, i64)>,
            window: Option<Window>,
            cohort_days: Option<u32>,
            immature: Vec<String>,
            lacking: (Option<NotSupplied>, BTreeMap<String, NotSupplied>),
            tables: BTreeMap<String, Option<Digest>>,
            parts: BTreeMap<String, Digest>,
            targets: Option<Digest>,
            workdays: Option<Digest>,
            as_of: Option<String>,
            periods: P,
        }
        let header = &metric.header;
        let (mut tables, uses_as_of) = self.reads(metric)?;
        if !metric.is_formula() {
            tables.extend(["membership".to_owned(), "tenure".to_owned()]);
            let by_role = header.slices.iter().any(|slice| slice == "role");
            tables.extend(["assignments", "reps"].into_iter().filter(|_| by_role).map(String::from));
            tables.extend(header.credit.map(|_| credit::TABLE.to_owned()));
        }
        let stock = definition::measure(metric) == Measure::Stock;
        let targets = self.targets.digest(metric);
        let ranked = peers::has_quartiles(metric);
        if ranked {
            tables.extend(["membership".to_owned(), "tenure".to_owned()]);
        }
        let table = |name: String| (name.clone(), self.model.tables.get(&name).map(|table| table.digest));
        let parts = self.parts(metric)?.into_iter().filter(|part| Some(part) != header.facts.as_ref());
        let inputs = Inputs {
            metric: &metric.id,
            engine: engine::VERSION,
            sql: &definition::owner_of_facts(self.metrics, metric).sql,
            measure: header.measure,
            aggregate: header.aggregate,
            credit: header.credit.map(|credit| (credit, header.unit, header.record.as_deref())),
            slices: [&header.slices, &header.pairs, &header.apart, &header.multi, &header.allocated],
            cadence: &header.cadence,
            levels: &header.levels,
            formula: (header.formula.as_deref(), &header.states),
            value: [header.value.as_deref(), header.plan.as_deref()],
            better: header.better,
            hidden: self.hidden(metric)?,
            minimum: ranked.then_some((self.night.settings.people.minimum_group, header.minimum_n)),
            window: header.window,
            cohort_days: header.cohort_days,
            immature: self
                .periods
                .of_grains(&header.cadence)
                .filter(|period| metric.is_immature(period.end, self.night.as_of))
                .map(|period| period.name())
                .collect(),
            lacking: (self.lacking(metric, scores)?, self.lacking_parts(metric, scores)?),
            tables: tables.into_iter().map(table).collect(),
            parts: parts.map(|part| (part.clone(), scores.tables[&part].digest)).collect(),
            targets,
            workdays: targets.map(|_| self.workdays.digest()),
            as_of: uses_as_of.then(|| self.night.as_of.to_string()),
            periods: self.periods.inputs(&header.cadence, stock || header.window.is_some()),
        };
        Ok(Key::of("score", FORMAT, &inputs))
    }

    pub(super) async fn make(&self, metric: &Metric, scores: &Scores) -> Result<MadeScores> {
        let not_supplied = self.lacking(metric, scores)?;
        let until = not_supplied.as_ref().map(|not| not.until.clone()).unwrap_or_default();
        let mut table = score_writer::ScoreWriter::new(metric, &self.entities, &self.periods, &until)?;
        if not_supplied.as_ref().is_none_or(|not| !not.is_always()) {
            self.score(metric, scores, &mut table).await?;
        }
        let (rows, bytes) = table.finish()?;
        let digest = self.night.store.put_named(&format!("scores/{}", metric.id), "parquet", bytes).await?;
        Ok(MadeScores { metric: metric.id.clone(), table: ScoreTable { digest, rows, not_supplied } })
    }

    /// What a metric's definition may read: the model, and the scores that it names.
    async fn session(&self, metric: &Metric, scores: &Scores) -> Result<Session> {
        let mut session = Session::new(self.night.limits, self.night.store)?;
        session.know(&self.model.keys);
        for (name, table) in &self.model.tables {
            session.register_parquet(name, &table.path(name)).await?;
        }
        if !metric.header.reads.is_empty() {
            let paths: Vec<String> = metric.header.reads.iter().map(|part| scores.tables[part].path(part)).collect();
            session.register_parquets("scores", &paths).await?;
        }
        Ok(session)
    }

    async fn score(&self, metric: &Metric, scores: &Scores, table: &mut score_writer::ScoreWriter<'_>) -> Result<()> {
        let session = self.session(metric, scores).await?;
        let add_parts = async || {
            for part in &self.parts(metric)? {
                session.register_parquet(&format!("score_{part}"), &scores.tables[part].path(part)).await?;
            }
            self.entities.add_to(&session)?;
            self.periods.add_to(&session, metric)
        };
        let mut known = score_writer::CellInputs {
            at_plan: self.targets.are_at_plan(metric.targets_of()),
            hidden: self.hidden(metric)?,
            ..Default::default()
        };
        let cells = if metric.is_formula() {
            self.refuse_undue(&session, metric).await?;
            add_parts().await?;
            let parts = cells::Parts {
                given: self.given_parts(&session, metric, scores).await?,
                not_supplied: self.lacking_parts(metric, scores)?,
            };
            cells::of_formula(self.metrics, metric, &|part| self.are_at_plan(part), &self.periods, &parts)?
        } else {
            let prepared = facts::prepare(&session, self.metrics, metric, &self.parameters).await?;
            let shape = prepared.shape;
            known.without_parts = shape == Shape::PreAggregated;
            known.has_due = prepared.due_on;
            // Only now: a definition that read these would depend on what its key does not name.
            add_parts().await?;
            let cells = cells::of_facts(&session, metric, &prepared, &self.periods.first_slot()).await?;
            // A window is never unfinished.
            let paced = metric.header.window.is_none() && self.targets.has(metric);
            if shape == Shape::Flow && paced && targets::is_spread(metric) {
                let until = self.not_yet(metric).map(|not| not.until).unwrap_or_default();
                known.due = pace::due(&session, metric, (&self.periods, &until), &self.workdays).await?;
            }
            cells
        };
        if peers::has_quartiles(metric) {
            let minimum = self.night.settings.people.minimum_group;
            let groups = self.peers.get_or_try_init(|| peers::groups(&session)).await?;
            let peers = (groups, minimum);
            known.quartiles = peers::quartiles(&session, table, metric, &cells.of_reps(), peers, &known.hidden).await?;
        }
        known.targets = self.targets.cells(metric, &self.workdays, &self.periods);
        table.set(known);
        let mut rows = session.stream(&cells.assembled(metric)?).await?;
        while let Some(batch) = rows.next().await? {
            table.add(&batch)?;
        }
        Ok(())
    }

    /// The metrics whose scores this one reads: those it uses, and what is held against targets at the plan's rates.
    pub(super) fn parts(&self, metric: &Metric) -> Result<BTreeSet<String>> {
        let mut parts = definition::uses(metric)?;
        parts.extend(cells::plan_parts(self.metrics, metric, &|part| self.are_at_plan(part))?);
        Ok(parts)
    }

    /// Whether the targets that a metric is held against are meant at the plan's exchange rates.
    fn are_at_plan(&self, metric: &str) -> bool {
        self.metrics.get(metric).is_some_and(|metric| self.targets.are_at_plan(metric.targets_of()))
    }

    fn hidden(&self, metric: &Metric) -> Result<BTreeSet<String>> {
        people::hidden(&self.night.settings.people, &self.workdays, self.metrics, metric)
    }

    /// The metrics that a formula takes whose facts name their cells themselves.
    async fn given_parts(&self, session: &Session, metric: &Metric, scores: &Scores) -> Result<BTreeSet<String>> {
        let mut given = BTreeSet::new();
        for id in definition::all_parts(metric)?.into_iter().map(|part| part.metric).collect::<BTreeSet<_>>() {
            if let Some(of) = self.metrics.get(&id).filter(|of| !of.is_formula()) {
                let own = if of.header.reads.is_empty() { None } else { Some(self.session(of, scores).await?) };
                let session = own.as_ref().unwrap_or(session);
                if facts::are_pre_aggregated(session, self.metrics, of, &self.parameters).await? {
                    given.insert(id);
                }
            }
        }
        Ok(given)
    }

    /// A formula can take only what its parts say.
    async fn refuse_undue(&self, session: &Session, metric: &Metric) -> Result<()> {
        for part in definition::all_parts(metric)?.iter().filter(|part| part.taken == Accessor::Due) {
            let of = &self.metrics[&part.metric];
            if !facts::has_due(session, self.metrics, of, &self.parameters).await? {
                return Err(Diagnostic::project(format!("the facts of {} do not say when they are due", of.id))
                    .at(definition::place(metric, "due"))
                    .help(format!("return a date `due_on` from {}", of.path)));
            }
        }
        Ok(())
    }
}
