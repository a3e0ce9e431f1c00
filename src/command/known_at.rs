//! `--known-at`: a run, or a check, of what was known at a time that is past.

use crate::artifact::snapshot::Snapshot;
use crate::command::opened::Opened;
use crate::command::secret::secret;
use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::domain::calendar;
use crate::ledger::KnownAt;
use crate::pipeline;
use crate::pipeline::land::{self, Exports, Known, Observed};
use crate::run_context::RunContext;
use jiff::civil::Date;

/// What a run reads.
pub(super) struct RunInputs {
    /// What was asked for, if not all.
    pub asked: Option<KnownAt>,
    /// The run's date.
    pub as_of: Date,
    /// The exports as they stand.
    pub exports: Exports,
    /// The observations of the run that was asked for, which need no export.
    sealed: Option<Vec<Snapshot>>,
}

impl RunInputs {
    /// What is to be read, and the date that goes with it: all exports, those up to a data date, or what a run read.
    pub(super) async fn of(opened: &Opened, asked: Option<&str>, date: Option<Date>) -> Result<RunInputs> {
        let mut exports = land::find(&opened.folder, &opened.settings).await?;
        let Some(asked) = asked else {
            return Ok(RunInputs { asked: None, as_of: as_of(&exports, date)?, exports, sealed: None });
        };
        if let Ok(until) = asked.parse::<Date>() {
            exports.until(until);
            if exports.found.is_empty() {
                return Err(Diagnostic::data(format!("no export has a data date up to {until}"))
                    .help("a data date stands in an export's path as `{date}`, or is the day it was written on"));
            }
            let asked = Some(KnownAt { run: None, data_date: Some(until) });
            return Ok(RunInputs { asked, as_of: as_of(&exports, date)?, exports, sealed: None });
        }
        let ledger = opened.ledger().await?;
        let entry = ledger.find(asked).map_err(|error| error.help("or name a data date, such as 2026-09-30"))?;
        for snapshot in &entry.observations {
            let path = snapshot.raw_path();
            if !opened.store.exists(&path).await? {
                return Err(Diagnostic::new(
                    Kind::Verification,
                    format!("{path} is gone, and run {} read it", entry.number),
                )
                .at(Place::file(path))
                .help("restore the warehouse from a backup: what was known cannot be read from today's exports"));
            }
        }
        let asked = Some(KnownAt { run: Some(entry.number), data_date: None });
        let sealed = Some(entry.observations.clone());
        Ok(RunInputs { asked, as_of: date.unwrap_or(entry.as_of), exports, sealed })
    }

    /// Lands what is not landed yet.
    pub(super) async fn observe(&self, night: &RunContext<'_>, known: &Known) -> Result<Observed> {
        match &self.sealed {
            Some(snapshots) => Ok(Observed { snapshots: snapshots.clone(), made: Vec::new(), reused: snapshots.len() }),
            None => pipeline::observe(night, &self.exports, known, secret()?.as_deref()).await,
        }
    }
}

/// The run's date: as asked for, else the newest of the exports.
pub(super) fn as_of(exports: &Exports, asked: Option<Date>) -> Result<Date> {
    let date = asked
        .or_else(|| exports.newest())
        .ok_or_else(|| Diagnostic::data("no export has a date").help("give one with --as-of"))?;
    calendar::can_be_run(date).map_err(|reason| {
        Diagnostic::data(reason)
            .note("it is the newest date of the exports: in a path as `{date}`, or the day a file was written on")
            .help("rename the folder or the file to the date that it speaks for, or give one with --as-of")
    })
}
