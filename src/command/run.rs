//! `scorebook run`: the nightly job.

use crate::artifact::baseline::Baseline;
use crate::artifact::document::Reason;
use crate::at_work;
use crate::cli::{Format, Global, RunArgs};
use crate::command::findings::{ACCEPT, tell_findings};
use crate::command::healing::{healing, tell_healed};
use crate::command::known_at::RunInputs;
use crate::command::opened::{Opened, now};
use crate::command::output::{self, tell};
use crate::command::period;
use crate::command::progress::{Progress, Stage};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::engine::{self, Limits};
use crate::ledger::Entry;
use crate::lock::Lock;
use crate::panics;
use crate::pipeline::check::refuse_unknown;
use crate::pipeline::land::{Exports, Known};
use crate::pipeline::render;
use crate::pipeline::{self, Asking, Made, Past, Times, Until};
use crate::publish::{self, Notes};
use crate::run_context::{Event, RunContext};
use crate::runaway;
use crate::steps::Steps;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// So many reasons are told on the terminal.
const REASONS_TOLD: usize = 12;

pub(super) async fn run(global: &Global, args: RunArgs) -> Result<Option<Kind>> {
    output::refuse_csv(global.format, "run")?;
    let accepted = args.accept.iter().cloned().collect();
    refuse_unknown(&accepted)?;
    let opened = Opened::open(global)?;
    let started = now();
    let lock = opened.lock().await?;
    locked(global, (&args, &accepted), &opened, started, lock).await
}

async fn locked(
    global: &Global,
    (args, accepted): (&RunArgs, &BTreeSet<String>),
    opened: &Opened,
    started: jiff::Timestamp,
    lock: Lock,
) -> Result<Option<Kind>> {
    let past = Past::read(&opened.store).await?;
    let views = opened.views(&past).await?;
    let reading = RunInputs::of(opened, args.known_at.as_deref(), args.as_of).await?;
    let as_of = reading.as_of;
    let period = match &args.period {
        Some(name) => {
            let reports = render::reports(&opened.project)?;
            Some(period::asked(name, &opened.settings.calendar, &reports, as_of)?)
        }
        None => None,
    };
    let progress = Progress::new(global.quiet);
    let steps = Steps::of(&opened.store).thorough(args.rehash);
    let follow = |event: Event<'_>| progress.tell(event);
    let night = RunContext {
        project: &opened.project,
        settings: &opened.settings,
        store: &opened.store,
        steps: &steps,
        as_of,
        anchor: period.as_ref().map_or(as_of, |asked| asked.anchor(as_of)),
        limits: opened.limits,
        tell: &follow,
    };
    let nothing = Known::default();
    let known = if args.rehash { &nothing } else { &past.known };
    // What is past is held against no night: it was, when it was new.
    let earlier = past.sealed.as_ref().filter(|_| reading.asked.is_none());
    let baseline = Baseline { earlier, store: &opened.store, accepted };
    let (observed, mut made) = healing(&opened.store, async || {
        let observed = reading.observe(&night, known).await?;
        lock.confirm().await?;
        let snapshots = &observed.snapshots;
        let made = pipeline::from_snapshots(&night, snapshots, &baseline, &past.before, Until::Rendered).await?;
        Ok((observed, made))
    })
    .await?;
    let mut overrides: BTreeMap<_, _> =
        args.as_of.map(|date| ("as_of".to_owned(), date.to_string())).into_iter().collect();
    if !accepted.is_empty() {
        overrides.insert(ACCEPT.to_owned(), accepted.iter().cloned().collect::<Vec<_>>().join(" "));
    }
    let times = Times { started, sealed: now() };
    let asking = Asking { overrides, period, known_at: reading.asked, unlocked: lock.unlocked.clone() };
    at_work::stage("seal");
    // From here to the entry's sync no signal ends the process, and nothing is sealed without the lock.
    let still_ours = async {
        let undisturbed = at_work::undisturbed();
        lock.confirm().await.map(|()| undisturbed)
    };
    let entry = pipeline::seal(&night, past.head, &mut made, observed.counts(), asking, times, still_ours).await?;
    at_work::published(entry.number);
    let is_first = past.head.count == 0;
    let folders = Folders { reports: views.reports.folder().to_owned(), site: views.site_folder().map(Path::to_owned) };
    let notes = match lock.confirm().await {
        Ok(()) => {
            let repaired = views.repair(&night, past, &entry, &made).await;
            repaired.map_err(|error| error.note(panics::outcome(&at_work::now())))?
        }
        Err(_) => {
            tell("another run took over the lock after the seal: it makes the readable views");
            Notes::default()
        }
    };
    lock.release(true)?;
    let stages = progress.finish();
    tell_healed(&opened.store, &steps);
    match global.format {
        Format::Json => {
            let mut report = report(&entry, &made, &stages, &notes);
            report["memory"] = memory(opened.limits);
            report["healed"] = json!(opened.store.healed());
            output::write(&format!("{report:#}\n"))?;
        }
        _ => {
            summary(is_first, &entry, &made, &reading.exports, &folders, global.quiet)?;
            tell_notes(&notes);
        }
    }
    match notes.damaged {
        true => Ok(Some(Kind::Verification)),
        false => Ok((!made.rendered.failed.is_empty()).then_some(Kind::Partial)),
    }
}

/// What the run has to say of the folders in which people read; whoever is quiet hears it too.
fn tell_notes(notes: &Notes) {
    for note in notes.said() {
        tell(&format!("warning: {}", note.text));
        note.shown().iter().for_each(|path| tell(&format!("  {}", output::one_line(path))));
        if let Some(help) = &note.help {
            tell(&format!("  help: {help}"));
        }
    }
}

/// Where people read.
struct Folders {
    reports: PathBuf,
    site: Option<PathBuf>,
}

/// The run for people: what was read, made and published, and what needs a look.
fn summary(
    is_first: bool,
    entry: &Entry,
    made: &Made,
    exports: &Exports,
    folders: &Folders,
    quiet: bool,
) -> Result<()> {
    if !quiet {
        for (table, pattern) in &exports.missing {
            tell(&format!("warning: {table} has no export at {pattern}"));
        }
        tell_findings(&made.findings);
        tell_reasons(&made.rendered.made, is_first);
    }
    tell_failures(&made.rendered.failed);
    let totals = totals(entry);
    let sum = |get: fn(&crate::artifact::model::Balance) -> u64| entry.balance.iter().map(get).sum::<u64>();
    let work = entry.work;
    let mut text = format!("Run {}\n", period::title(entry));
    let set_aside = sum(|b| b.quarantined);
    text.push_str(&format!(
        "  exports    {} read, {} new; {} records landed, {} rejected, {} skipped, {set_aside} quarantined\n",
        entry.observations.len(),
        work.land.made,
        totals.0,
        totals.1,
        sum(|b| b.skipped)
    ));
    text.push_str(&format!("  metrics    {} scored, {} as they were\n", work.score.made, work.score.reused));
    text.push_str(&format!(
        "  documents  {} made, {} as they were, {} failed\n",
        work.render.made,
        work.render.reused,
        entry.failures.len()
    ));
    if work.made_nothing() && entry.failures.is_empty() {
        text.push_str("  nothing changed since the last run\n");
    }
    let folder = match entry.known_at {
        Some(_) => folders.reports.join(publish::apart(entry)),
        None => folders.reports.clone(),
    };
    text.push_str(&format!("  reports    {}\n", folder.display()));
    if let Some(site) = &folders.site {
        text.push_str(&format!("  site       {}\n", site.display()));
    }
    let hash = entry.hash.map(|hash| hash.to_string()).unwrap_or_default();
    text.push_str(&format!("  ledger     entry {}, {hash}\n", entry.number));
    output::write(&text)
}

/// The documents that could not be made; a reason that many have, once.
fn tell_failures(failed: &[(String, String, Box<Diagnostic>)]) {
    let mut told: Vec<(&str, &Diagnostic, usize)> = Vec::new();
    for (report, entity, error) in failed {
        let same = |(id, other, _): &&mut (&str, &Diagnostic, usize)| {
            id == report && other.message == error.message && other.place == error.place
        };
        match told.iter_mut().find(same) {
            Some((_, _, more)) => *more += 1,
            None => {
                tell(&format!("the {report} of {entity} could not be made; it is held back, the others are published"));
                tell(&error.to_string());
                told.push((report, error, 0));
            }
        }
    }
    for (report, error, more) in told.iter().filter(|(_, _, more)| *more > 0) {
        let documents = if *more == 1 { "document" } else { "documents" };
        tell(&format!("{more} more {documents} of {report} failed for the same reason: {}", error.message));
    }
}

/// Why documents were made again; the first run has no need to say.
fn tell_reasons(made: &[Reason], first: bool) {
    if first {
        return;
    }
    for Reason { report, name, why } in made.iter().take(REASONS_TOLD) {
        tell(&format!("{report} of {}: {why}", output::printable(name)));
    }
    if made.len() > REASONS_TOLD {
        tell(&format!("and {} more; --format json tells them all", made.len() - REASONS_TOLD));
    }
}

/// Records landed and rejected, over all exports.
fn totals(entry: &Entry) -> (u64, u64) {
    let observations = entry.observations.iter();
    observations.fold((0, 0), |(rows, rejected), s| (rows + s.rows, rejected + s.rejected))
}

/// The memory that queries might take and took at most, and the most that the whole program had.
fn memory(limits: Limits) -> serde_json::Value {
    let mib = |bytes: usize| bytes.div_ceil(1 << 20);
    json!({
        "limit_mib": mib(limits.memory_bytes),
        "queries_peak_mib": mib(engine::peak_bytes()),
        "resident_peak_mib": runaway::resident_peak_bytes().map(mib),
    })
}

/// The run for programs.
fn report(entry: &Entry, made: &Made, stages: &[Stage], notes: &Notes) -> serde_json::Value {
    let sum = |get: fn(&crate::artifact::model::Balance) -> u64| entry.balance.iter().map(get).sum::<u64>();
    let stages: serde_json::Map<_, _> = stages
        .iter()
        .map(|stage| {
            let seconds = (stage.took.as_secs_f64() * 1000.0).round() / 1000.0;
            let counts = json!({ "seconds": seconds, "made": stage.counts.made, "reused": stage.counts.reused });
            (stage.name.to_owned(), counts)
        })
        .collect();
    let (landed, rejected) = totals(entry);
    let reasons = made.rendered.made.iter().map(|r| json!({ "report": r.report, "name": r.name, "why": r.why }));
    let views = notes.said().iter().map(|note| json!({ "text": note.text, "help": note.help, "paths": note.paths }));
    json!({
        "run": entry.number,
        "as_of": entry.as_of,
        "period": entry.period,
        "known_at": entry.known_at,
        "ledger": { "number": entry.number, "head": entry.hash },
        "stages": stages,
        "rows": {
            "landed": landed,
            "rejected": rejected,
            "skipped": sum(|b| b.skipped),
            "quarantined": sum(|b| b.quarantined),
        },
        "findings": entry.findings,
        "documents": {
            "made": entry.work.render.made,
            "reused": entry.work.render.reused,
            "failed": entry.failures.len(),
        },
        "made": reasons.collect::<Vec<_>>(),
        "failures": entry.failures,
        "views": views.collect::<Vec<_>>(),
    })
}
