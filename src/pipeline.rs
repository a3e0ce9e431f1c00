//! The order of the stages, and what every stage is given.
//!
//! ```text
//! exports -> land -> stage -> check -> score -> render -> seal
//! ```

pub mod check;
pub mod land;
pub mod render;
pub mod score;
pub mod stage;

use crate::artifact::baseline::{Baseline, Sealed};
use crate::artifact::document::{Before, CONTEXT, Rendered};
use crate::artifact::finding::Finding;
use crate::artifact::model::Model;
use crate::artifact::scores::Scores;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::digest::Digest;
use crate::domain::metric::Metrics;
use crate::ledger::{self, Asked, Entry, FORMAT, Failure, Head, KnownAt, Unlocked, Work};
use crate::project::Project;
use crate::provenance::Program;
use crate::run_context::{Event, RunContext};
use crate::steps::Counts;
use crate::store::Store;
use jiff::Timestamp;
use land::{Exports, Known, Observed};
use score::definition;
use std::collections::BTreeMap;
use std::path::Path;

/// Tells of a stage's beginning and end.
async fn told<T>(
    night: &RunContext<'_>,
    name: &'static str,
    work: impl Future<Output = Result<T>>,
    counts: impl FnOnce(&T) -> Counts,
) -> Result<T> {
    (night.tell)(Event::Begin(name));
    let done = work.await.map_err(|error| needed_by(name, error))?;
    (night.tell)(Event::End(name, counts(&done)));
    Ok(done)
}

/// Says of a damaged object who reads it.
fn needed_by(stage: &str, error: Box<Diagnostic>) -> Box<Diagnostic> {
    match error.kind {
        Kind::Verification => error.note(format!("the stage `{stage}` needs it")),
        _ => error,
    }
}

/// Everything between the exports and the seal.
pub struct Made {
    /// What was read.
    pub observed: Vec<Snapshot>,
    /// The model.
    pub model: Model,
    /// What checks warned of.
    pub findings: Vec<Finding>,
    /// The scores.
    pub scores: Scores,
    /// The documents.
    pub rendered: Rendered,
    /// The metrics that were scored.
    pub metrics: Metrics,
}

/// Opens a project with the fonts that Scorebook brings.
pub fn open_project(folder: &Path) -> Result<Project> {
    let mut project = Project::open(folder)?;
    project.extend(render::pdf::fonts().into_iter().map(|(name, bytes)| (format!("fonts/{name}"), bytes)));
    Ok(project)
}

/// From snapshots to documents: the same for a run, a check (which stops before documents) and a replay.
pub async fn from_snapshots(
    night: &RunContext<'_>,
    observed: &[Snapshot],
    baseline: &Baseline<'_>,
    before: &Before,
    until: Until,
) -> Result<Made> {
    let metrics = definition::read(night.project)?;
    score::people::check_people(night.project, &night.settings.people, &metrics)?;
    let reports = render::reports(night.project)?;
    reports.iter().try_for_each(|report| render::input::check(night.project, report, &metrics))?;
    let intake = check::intake(night, observed, baseline).await.map_err(|error| needed_by("check", error))?;
    let model = told(night, "stage", stage::run(night, observed), Model::counts).await?;
    definition::check_tables(&metrics, &model.tables.keys().map(String::as_str).collect())?;
    let check = check::run(night, (&model, observed), baseline, intake);
    let findings = told(night, "check", check, |found| Counts { made: found.len(), reused: 0 }).await?;
    let (observed, scores, rendered) = (observed.to_vec(), Scores::default(), Rendered::default());
    let mut made = Made { observed, model, findings, scores, rendered, metrics };
    if until == Until::Checked {
        return Ok(made);
    }
    let grains = render::grains(&reports);
    let score = score::run(night, &made.model, &made.metrics, &grains);
    made.scores = told(night, "score", score, Scores::counts).await?;
    made.findings.extend(check::left_out(&made.scores.left_out));
    if until == Until::Scored {
        return Ok(made);
    }
    let render = render::run(night, &made.model, &made.scores, &made.metrics, &reports, before);
    made.rendered = told(night, "render", render, Rendered::counts).await?;
    made.findings.extend(render::unprinted(night, &made.model, &made.rendered).await?);
    Ok(made)
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Through the checks.
    Checked,
    /// Through the scores.
    Scored,
    /// Through the documents.
    Rendered,
}

/// Lands the exports.
pub async fn observe(
    night: &RunContext<'_>,
    exports: &Exports,
    known: &Known,
    secret: Option<&[u8]>,
) -> Result<Observed> {
    let read = stage::definition::columns_named(night.project, night.settings)?;
    told(night, "land", land::run(night, exports, known, &read, secret), Observed::counts).await
}

/// What a run needs of those before it.
#[derive(Default)]
pub struct Past {
    /// Where its entry goes.
    pub head: Head,
    /// What the newest run knows of files: those that look the same need not be hashed again.
    pub known: Known,
    /// The contexts of the newest documents.
    pub before: Before,
    /// What the newest run read and made.
    pub sealed: Option<Sealed>,
    /// Period and report -> the newest entry that has them.
    pub newest: BTreeMap<(String, String), u64>,
    /// The hashes of all entries, oldest first.
    pub chain: Vec<Digest>,
}

impl Past {
    /// Reads it from the ledger.
    pub async fn read(store: &Store) -> Result<Past> {
        let mut past = Past::default();
        past.head = ledger::walk(store, |entry| past.add(&entry)).await?;
        Ok(past)
    }

    /// The hash of an entry, as it was when this run began.
    pub fn hash_of(&self, number: u64) -> Option<Digest> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.chain.get(place).copied()
    }

    /// Adds the next entry. One that was to know less than there was stands beside the others: it is nobody's last night.
    pub fn add(&mut self, entry: &Entry) {
        self.chain.extend(entry.hash);
        if entry.known_at.is_some() {
            return;
        }
        let mut next = sealed(entry);
        // A run without pseudonyms changes no key.
        if let Some(before) = self.sealed.take().filter(|_| next.pseudonym_keys.1.is_empty()) {
            next.pseudonym_keys = before.pseudonym_keys;
        }
        self.sealed = Some(next);
        let told = entry.reports.iter().map(|(report, period)| ((period.clone(), report.clone()), entry.number));
        self.newest.extend(told);
        self.known = Known::of(&entry.observations);
        for document in &entry.documents {
            let (report, period) = (document.report.clone(), document.period.clone());
            if let Some(context) = document.files.get(CONTEXT) {
                let identity = (report.clone(), period.clone(), document.entity.clone());
                self.before.insert(identity, (document.key, *context));
            }
            self.newest.insert((period, report), entry.number);
        }
    }
}

/// What of a run the next one's exports and model are held against.
pub fn sealed(entry: &Entry) -> Sealed {
    let (observations, model) = (entry.observations.clone(), entry.model.clone());
    let keys = observations.iter().filter_map(|snapshot| snapshot.pseudonym_key.clone()).collect();
    Sealed { number: entry.number, as_of: entry.as_of, observations, model, pseudonym_keys: (entry.number, keys) }
}

/// What was asked of a run beyond its settings.
pub struct Asking {
    /// What overrode `scorebook.toml`, as far as it changes results.
    pub overrides: BTreeMap<String, String>,
    /// The period, if not that of the run's date.
    pub period: Option<Asked>,
    /// What was to be known, if not all that there was.
    pub known_at: Option<KnownAt>,
    /// That the lock was freed by hand before this run.
    pub unlocked: Option<Unlocked>,
}

/// The wall clock's part of an entry.
pub struct Times {
    /// When the run began.
    pub started: Timestamp,
    /// When it is sealed.
    pub sealed: Timestamp,
}

/// Seals a run: brings everything to the disk, and appends the entry that publishes it. `still_ours` is asked at the last moment
/// whether it may, and what it gives is kept until the entry is on the disk.
pub async fn seal<T>(
    night: &RunContext<'_>,
    head: Head,
    made: &mut Made,
    landed: Counts,
    asking: Asking,
    times: Times,
    still_ours: impl Future<Output = Result<T>>,
) -> Result<Entry> {
    night.project.keep(night.store).await?;
    night.steps.flush().await?;
    let failure = |(report, entity, error): &(String, String, Box<Diagnostic>)| Failure {
        report: report.clone(),
        entity: entity.clone(),
        reason: error.message.clone(),
    };
    let entry = Entry {
        format: FORMAT,
        number: 0,
        kind: "run".into(),
        previous: None,
        as_of: night.as_of,
        started_at: times.started.to_string(),
        sealed_at: times.sealed.to_string(),
        program: Program::at_work(),
        overrides: asking.overrides,
        period: asking.period,
        known_at: asking.known_at,
        unlocked: asking.unlocked,
        observations: made.observed.clone(),
        definitions: night.project.digests(),
        balance: made.model.balance.clone(),
        findings: made.findings.clone(),
        model: made.model.tables.clone(),
        scores: made.scores.tables.clone(),
        reports: std::mem::take(&mut made.rendered.periods),
        documents: std::mem::take(&mut made.rendered.documents),
        failures: made.rendered.failed.iter().map(failure).collect(),
        work: Work {
            land: landed,
            stage: made.model.counts(),
            score: made.scores.counts(),
            render: made.rendered.counts(),
        },
        hash: None,
    };
    // An entry names nothing that is not there, whatever the cache believed.
    let mut objects = Vec::new();
    entry.each_object(|path, _| objects.push(path));
    for object in objects {
        if !night.store.exists(&object).await? {
            return Err(Diagnostic::internal(format!("{object} should be sealed and is not there"))
                .help("delete the folder `steps` of the warehouse, which is only a cache, and run again"));
        }
    }
    let proof = night.store.sync()?;
    let _undisturbed = still_ours.await?;
    head.append(night.store, entry, proof).await
}
