//! Checks: what is wrong with the exports as they landed ([`intake`](fn@intake)), SQL that returns the rows of the model that
//! are wrong, sums that should not have moved, and the balance that must always hold.
//!
//! An error stops the run before anything is published; a warning is told and sealed. Some errors can be accepted by name:
//! they are sealed as warnings, and the next run is held against what was accepted.

mod consequences;
mod drift;
mod emptied;
mod exports;
mod finding;
mod intake;
mod privacy;
mod sums;
mod totals;

pub use finding::refuse_unknown;

use crate::artifact::baseline::Baseline;
use crate::artifact::finding::{Finding, Severity};
use crate::artifact::model::{Balance, DoubtOf, Model};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::{Digest, Key};
use crate::engine::parameters;
use crate::engine::{self, Session, Sql};
use crate::parquet_file;
use crate::pipeline::check::finding::SHOWN;
use crate::project;
use crate::run_context::RunContext;
use crate::steps::Made;
use crate::store::{Store, object_name};
use arrow::util::display::array_value_to_string;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where checks stand.
const FOLDER: &str = "queries/checks/";
/// Raised when checking finds other things in the same tables.
const FORMAT: u32 = 2;
/// So few records may be set aside whatever part of an export they are.
const MOST_SET_ASIDE: u64 = 10;
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: String,
    severity: Severity,
    /// So many rows may be wrong.
    #[serde(default)]
    threshold: u64,
    /// What to do about them.
    help: String,
}

#[derive(Serialize, Deserialize)]
struct MadeFinding(Option<Finding>);

impl Made for MadeFinding {
    fn objects(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Checks what landed, before anything is made of it.
///
/// # Errors
/// What stops the run and was not accepted.
pub async fn intake(night: &RunContext<'_>, observed: &[Snapshot], baseline: &Baseline<'_>) -> Result<Vec<Finding>> {
    let mut found = emptied::unread(night, observed, baseline).await?;
    found.extend(intake::run(night, observed, baseline).await?);
    finding::accept_or_stop(found, baseline.accepted)
}

/// Runs all checks of the model; the first error stops. Gives their findings behind those of the intake.
pub async fn run(
    night: &RunContext<'_>,
    (model, observed): (&Model, &[Snapshot]),
    baseline: &Baseline<'_>,
    mut intake: Vec<Finding>,
) -> Result<Vec<Finding>> {
    intake.extend(of_model(night, (model, observed), baseline).await?);
    // Last: what is wrong with the rows moves the sums too.
    intake.extend(finding::accept_or_stop(sums::compare(night, model, baseline).await?, baseline.accepted)?);
    intake.extend(finding::idle(baseline.accepted, &intake));
    Ok(intake)
}

async fn of_model(
    night: &RunContext<'_>,
    (model, observed): (&Model, &[Snapshot]),
    baseline: &Baseline<'_>,
) -> Result<Vec<Finding>> {
    for balance in &model.balance {
        if !balance.holds() {
            return Err(Diagnostic::internal(format!("the records of {} do not balance: {balance:?}", balance.path)));
        }
    }
    let mut findings = set_aside(night, (model, observed), baseline).await?;
    findings.extend(emptied::skipped(night, &model.balance));
    findings.extend(doubts(model));
    for (path, source, digest) in night.project.texts(FOLDER, ".sql")? {
        let split = project::split(path, source)?;
        let header: Header = project::toml(path, source, split.header, 1)?;
        let sql = Sql { file: path, source, text: split.sql, first_line: split.sql_line, is_definition: true };
        let Some(finding) = one(night, model, path, &header, &sql, digest).await? else { continue };
        if finding.severity == Severity::Error {
            let error = Diagnostic::data(format!("{}: {}", finding.title, rows(finding.rows))).at(Place::file(path));
            let error = finding.shown.iter().fold(error, |error, shown| error.note(shown));
            return Err(error.help(&finding.help).help("nothing was published; the last run stands as it was"));
        }
        findings.push(finding);
    }
    night.steps.flush().await?;
    Ok(findings)
}

/// Tells of records that could not be read or broke the contract; stops if they are all of an export, or many and more
/// than a fifth of it.
async fn set_aside(
    night: &RunContext<'_>,
    (model, observed): (&Model, &[Snapshot]),
    baseline: &Baseline<'_>,
) -> Result<Vec<Finding>> {
    let reasons = reasons(night, model, (observed, baseline.store)).await?;
    let emptied = emptied::broken(night, (&model.balance, &reasons), baseline, observed);
    let mut findings = finding::accept_or_stop(emptied, baseline.accepted)?;
    let consequences = consequences::count(night, model).await?;
    for balance in &model.balance {
        let count = balance.rejected + balance.quarantined;
        // A wholly superseded export was told of on its own night, and one of which nothing is left just before.
        let superseded = balance.current + balance.quarantined == 0 && balance.superseded > 0;
        if count == 0 || superseded || is_emptied(model, balance) {
            continue;
        }
        let shown = reasons.get(&balance.path).cloned().unwrap_or_default();
        let title = format!("records of {} were set aside", balance.path);
        let own = count.saturating_sub(consequences.get(&balance.path).copied().unwrap_or_default());
        if own > MOST_SET_ASIDE && own * 5 > balance.read {
            let error =
                Diagnostic::data(format!("{count} of the {} {title}", balance.read)).at(Place::file(&balance.path));
            let error = shown.iter().fold(error, |error, shown| error.note(shown));
            return Err(error
                .note(format!("{} could not be read, {} broke the contract", balance.rejected, balance.quarantined))
                .help("the form of the export may have changed: compare it with an earlier night's")
                .help("nothing was published; the last run stands as it was"));
        }
        findings.push(Finding {
            check: "set_aside".into(),
            of: None,
            title,
            severity: Severity::Warning,
            accepted: false,
            rows: count,
            shown,
            help: format!("correct them in the CRM; {} lists them", tables_of(balance)),
        });
    }
    Ok(findings)
}

/// Whether nothing of an export is left in the table of a balance.
fn is_emptied(model: &Model, of: &Balance) -> bool {
    let same = |one: &&Balance| one.path == of.path && one.into == of.into;
    of.kept == 0 && model.balance.iter().filter(same).all(|one| one.kept == 0)
}

/// Tells of mappings that were not followed, of records that rules would make one and did not, and of versions set aside.
fn doubts(model: &Model) -> impl Iterator<Item = Finding> {
    let of = |what: DoubtOf| model.doubts.iter().filter(move |doubt| doubt.0 == what).map(|doubt| doubt.1.clone());
    let kinds = [
        (
            DoubtOf::Mapping,
            "mappings",
            "mappings of records were not followed",
            "correct them in the file, or take them out if their record is gone; \"SELECT * FROM matches\" lists what was followed",
        ),
        (
            DoubtOf::Match,
            "matches",
            "records of several sources may be one and stand apart",
            "say in the mappings which are the same, or, with is_same = false, that they are not",
        ),
        (
            DoubtOf::Version,
            "versions",
            "records as they stood were set aside",
            "correct what their reasons name, such as a missing exchange rate; what is measured on their days lacks them",
        ),
    ];
    kinds.into_iter().filter_map(move |(what, check, title, help)| {
        let rows = of(what).count() as u64;
        (rows > 0).then(|| Finding {
            check: check.into(),
            of: None,
            title: title.into(),
            severity: Severity::Warning,
            accepted: false,
            rows,
            shown: of(what).take(SHOWN).collect(),
            help: help.into(),
        })
    })
}

/// Tells of targets that scoring left out.
pub fn left_out(targets: &[String]) -> Option<Finding> {
    (!targets.is_empty()).then(|| Finding {
        check: "targets".into(),
        of: None,
        title: "targets are left out, for nobody can say over which days they are spread".into(),
        severity: Severity::Warning,
        accepted: false,
        rows: targets.len() as u64,
        shown: targets.iter().take(SHOWN).cloned().collect(),
        help: "give the day on which each really ends in `ends_on`".into(),
    })
}

/// What to ask for the records of an export that were set aside.
fn tables_of(balance: &Balance) -> String {
    let quarantined = (balance.quarantined > 0).then(|| format!("quarantine_{}", balance.into));
    let rejected =
        (balance.rejected > 0).then(|| format!("rejects_{}_{}", balance.source, balance.table).to_lowercase());
    let queries = [quarantined, rejected].into_iter().flatten();
    queries.map(|table| format!("`scorebook sql \"SELECT * FROM {table}\"`")).collect::<Vec<_>>().join(" and ")
}

/// The first records of each export that were set aside, by its path, with their reasons.
async fn reasons(
    night: &RunContext<'_>,
    model: &Model,
    (observed, store): (&[Snapshot], &Store),
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, table) in &model.tables {
        let Some(digest) = table.quarantine else { continue };
        let path = object_name(&format!("quarantine/{name}"), &digest, "parquet");
        for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
            let text = |column: usize, row: usize| array_value_to_string(batch.column(column), row).unwrap_or_default();
            for row in 0..batch.num_rows() {
                let shown = reasons.entry(text(2, row)).or_default();
                if shown.len() < SHOWN {
                    shown.push(format!("record {}: {}", text(4, row), text(5, row)));
                }
            }
        }
    }
    for snapshot in emptied::used(night, observed).filter(|snapshot| snapshot.rejected > 0) {
        let shown = reasons.entry(snapshot.path.clone()).or_default();
        if shown.len() < SHOWN {
            let more = emptied::rejected(snapshot, store).await?;
            shown.extend(more.into_iter().take(SHOWN - shown.len()));
        }
    }
    Ok(reasons)
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

async fn one(
    night: &RunContext<'_>,
    model: &Model,
    path: &str,
    header: &Header,
    sql: &Sql<'_>,
    digest: Digest,
) -> Result<Option<Finding>> {
    let parameters = parameters(night.as_of);
    let (tables, used) = engine::reads(sql, &parameters)?;
    let digests: BTreeMap<&String, Option<Digest>> =
        tables.iter().map(|name| (name, model.tables.get(name).map(|table| table.digest))).collect();
    let as_of = used.contains("as_of").then(|| night.as_of.to_string());
    let key = Key::of("check", FORMAT, &(engine::VERSION, digest, digests, as_of));
    if let Some(MadeFinding(finding)) = night.steps.recall(key).await? {
        return Ok(finding);
    }
    let mut session = Session::new(night.limits, night.store)?;
    session.know(&model.keys);
    for (name, table) in &model.tables {
        session.register_parquet(name, &table.path(name)).await?;
    }
    let (schema, batches) = session.query(sql, &parameters).await?;
    let count: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    let mut shown = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows().min(SHOWN - shown.len().min(SHOWN)) {
            let cells = schema.fields().iter().zip(batch.columns());
            let cells = cells.map(|(field, column)| {
                let text = array_value_to_string(column, row).unwrap_or_default();
                format!("{} {}", field.name(), if text.is_empty() { "empty" } else { &text })
            });
            shown.push(cells.collect::<Vec<_>>().join(", "));
        }
    }
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".sql").to_owned();
    let finding = (count > header.threshold).then(|| Finding {
        check: name,
        of: None,
        title: header.title.clone(),
        severity: header.severity,
        accepted: false,
        rows: count,
        shown,
        help: header.help.clone(),
    });
    night.steps.remember(key, &MadeFinding(finding.clone()))?;
    Ok(finding)
}
