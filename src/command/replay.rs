//! `scorebook replay`: recomputes a run from its raw snapshots and its definitions, in an empty folder and without the
//! cache, and compares every digest.

use crate::artifact::baseline::Baseline;
use crate::artifact::document::Before;
use crate::at_work;
use crate::cli::{Format, Global, ReplayArgs};
use crate::command::findings::ACCEPT;
use crate::command::opened::Opened;
use crate::command::output::{self, Table};
use crate::command::progress::Progress;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::digest::Digest;
use crate::ledger::{Entry, Ledger};
use crate::pipeline::{self, Made, Until};
use crate::project::Project;
use crate::provenance::Program;
use crate::run_context::{Event, RunContext};
use crate::settings::Settings;
use crate::steps::Steps;
use crate::store::Store;
use std::collections::BTreeMap;

pub(super) async fn replay(global: &Global, args: ReplayArgs) -> Result<Option<Kind>> {
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let entry = ledger.find(&args.run)?;
    let folder = tempfile::tempdir().map_err(|error| Diagnostic::internal(format!("no temporary folder: {error}")))?;
    let _registered = at_work::scratch(folder.path());
    let scratch = Store::open(folder.path())?;
    lend_snapshots(&opened.store, &scratch, entry).await?;
    let steps = Steps::forgetful(&scratch);
    let made = made_again(&opened, &ledger, entry, (&scratch, &steps), global.quiet).await?;
    let table = differences(entry, &made);
    if global.format != Format::Table {
        output::write(&table.render(global.format))?;
    }
    if table.rows.is_empty() {
        if global.format == Format::Table {
            let (scores, documents) = (entry.scores.len(), entry.documents.len());
            output::write(&format!(
                "Run {} replays to the same bytes: {} tables, {scores} metrics, {documents} documents\n",
                entry.number,
                entry.model.len()
            ))?;
            let program = Program::at_work();
            if entry.program != program {
                output::write(&format!("made by scorebook {}, replayed by {program}\n", entry.program))?;
            }
        }
        return Ok(None);
    }
    if global.format == Format::Table {
        output::write(&table.render(Format::Table))?;
    }
    Err(refused(entry, table.rows.len()))
}

/// Makes a run again from its snapshots and definitions, into this store and with this memory of steps.
pub(super) async fn made_again(
    opened: &Opened,
    ledger: &Ledger,
    entry: &Entry,
    (store, steps): (&Store, &Steps<'_>),
    quiet: bool,
) -> Result<Made> {
    let project = Project::from_ledger(&opened.store, &entry.definitions).await?;
    let settings = Settings::of(&project)?;
    let progress = Progress::new(quiet);
    let follow = |event: Event<'_>| progress.tell(event);
    let night = RunContext {
        project: &project,
        settings: &settings,
        store,
        steps,
        as_of: entry.as_of,
        anchor: entry.anchor(),
        limits: opened.limits,
        tell: &follow,
    };
    // As in the run itself: what it was held against is the newest before it that knew all there was.
    let mut before = ledger.entries.iter().filter(|other| other.number < entry.number && other.known_at.is_none());
    let earlier = before.next_back().filter(|_| entry.known_at.is_none()).map(pipeline::sealed);
    let accepted = entry.overrides.get(ACCEPT).map_or("", String::as_str).split(' ').filter(|name| !name.is_empty());
    let accepted = accepted.map(String::from).collect();
    let baseline = Baseline { earlier: earlier.as_ref(), store: &opened.store, accepted: &accepted };
    let made =
        pipeline::from_snapshots(&night, &entry.observations, &baseline, &Before::new(), Until::Rendered).await?;
    progress.finish();
    Ok(made)
}

/// What a run means that gives other outputs when it is made again.
pub(super) fn refused(entry: &Entry, differing: usize) -> Box<Diagnostic> {
    let error = Diagnostic::new(
        Kind::Verification,
        format!("run {} does not replay: {differing} of its outputs differ", entry.number),
    );
    let program = Program::at_work();
    if entry.program == program {
        error
            .note("its definitions and snapshots are those of the ledger; its outputs are not what they give")
            .help("`scorebook verify` says whether an object is damaged")
    } else {
        error
            .note(format!("it was made by scorebook {}, and this is {program}", entry.program))
            .help("replay it with the build that made it")
    }
}

/// Brings the run's snapshots to the scratch store.
async fn lend_snapshots(store: &Store, scratch: &Store, entry: &Entry) -> Result<()> {
    for snapshot in &entry.observations {
        let path = snapshot.raw_path();
        let bytes =
            store.get(&path).await.map_err(|error| error.note(format!("run {} is replayed from it", entry.number)))?;
        scratch.put_absent(&path, bytes.to_vec()).await?;
    }
    Ok(())
}

/// Every output whose digest differs.
pub(super) fn differences(entry: &Entry, made: &Made) -> Table {
    let mut table = Table::new(&["output", "sealed", "replayed"]);
    if entry.balance != made.model.balance {
        table.row(["what became of the records", "as sealed", "otherwise"]);
    }
    if entry.findings != made.findings {
        table.row(["what checks found", "as sealed", "otherwise"]);
    }
    let mut compare = |what: &str, sealed: BTreeMap<String, Digest>, replayed: BTreeMap<String, Digest>| {
        let names = sealed.keys().chain(replayed.keys().filter(|name| !sealed.contains_key(*name)));
        for name in names {
            let short = |digest: Option<&Digest>| digest.map_or("missing".into(), |d| d.to_string()[..16].to_owned());
            let (old, new) = (sealed.get(name), replayed.get(name));
            if old != new {
                table.row([format!("{what} {name}"), short(old), short(new)]);
            }
        }
    };
    let model = |tables: &BTreeMap<String, crate::artifact::model::ModelTable>| {
        let all = tables.iter().flat_map(|(name, table)| table.objects(name));
        all.map(|(what, _, digest)| (what, digest)).collect()
    };
    compare("table", model(&entry.model), model(&made.model.tables));
    let scores = |tables: &BTreeMap<String, crate::artifact::scores::ScoreTable>| {
        tables.iter().map(|(metric, table)| (metric.clone(), table.digest)).collect()
    };
    compare("scores", scores(&entry.scores), scores(&made.scores.tables));
    let documents = |documents: &[crate::artifact::document::Document]| {
        let files = documents
            .iter()
            .flat_map(|d| d.files.iter().map(|(format, digest)| (format!("{}.{format}", d.view), *digest)));
        files.collect()
    };
    compare("document", documents(&entry.documents), documents(&made.rendered.documents));
    table
}
