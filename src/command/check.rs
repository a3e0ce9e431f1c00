//! `scorebook check`: everything up to scoring, publishing nothing.

use crate::artifact::baseline::Baseline;
use crate::cli::{CheckArgs, Format, Global};
use crate::command::findings::tell_findings;
use crate::command::healing::{healing, tell_healed};
use crate::command::known_at::RunInputs;
use crate::command::opened::Opened;
use crate::command::output;
use crate::command::progress::Progress;
use crate::diagnostic::Result;
use crate::pipeline::check::refuse_unknown;
use crate::pipeline::{self, Past, Until};
use crate::run_context::{Event, RunContext};
use crate::steps::Steps;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) async fn check(global: &Global, args: CheckArgs) -> Result<()> {
    output::refuse_csv(global.format, "check")?;
    let accepted = args.accept.iter().cloned().collect();
    refuse_unknown(&accepted)?;
    let opened = Opened::open(global)?;
    let lock = opened.lock().await?;
    locked(global, &args, &accepted, &opened).await?;
    lock.release(false)
}

async fn locked(global: &Global, args: &CheckArgs, accepted: &BTreeSet<String>, opened: &Opened) -> Result<()> {
    let past = Past::read(&opened.store).await?;
    let reading = RunInputs::of(opened, args.known_at.as_deref(), args.as_of).await?;
    let progress = Progress::new(global.quiet);
    let steps = Steps::of(&opened.store);
    let follow = |event: Event<'_>| progress.tell(event);
    let as_of = reading.as_of;
    let night = RunContext {
        project: &opened.project,
        settings: &opened.settings,
        store: &opened.store,
        steps: &steps,
        as_of,
        anchor: as_of,
        limits: opened.limits,
        tell: &follow,
    };
    let earlier = past.sealed.as_ref().filter(|_| reading.asked.is_none());
    let baseline = Baseline { earlier, store: &opened.store, accepted };
    let (observed, made) = healing(&opened.store, async || {
        let observed = reading.observe(&night, &past.known).await?;
        let snapshots = &observed.snapshots;
        let made = pipeline::from_snapshots(&night, snapshots, &baseline, &past.before, Until::Scored).await?;
        Ok((observed, made))
    })
    .await?;
    progress.finish();
    tell_healed(&opened.store, &steps);
    let (exports, metrics) = (observed.snapshots.len(), made.metrics.len());
    if global.format == Format::Json {
        let said = json!({ "exports": exports, "metrics": metrics, "findings": made.findings });
        return output::write(&format!("{said:#}\n"));
    }
    tell_findings(&made.findings);
    let warnings = match made.findings.len() {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        count => format!("{count} warnings"),
    };
    output::write(&format!(
        "{exports} exports and {metrics} metrics are in order: {warnings}. Nothing was published.\n"
    ))
}
