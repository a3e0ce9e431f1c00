//! `scorebook compare`: what changed between two runs, and why.
//!
//! Two sealed entries are held against each other: the rows of their models, their scores, and beneath each score that is
//! another the facts that moved it. No lock is taken, and every object is checked against its digest before it is read.

mod changes;
mod compared;
mod inputs;
mod moves;
mod print;
mod records;
mod removed;
mod run;
mod scores;

use crate::cli::{CompareArgs, Format, Global};
use crate::command::opened::Opened;
use crate::command::output;
use crate::diagnostic::{Diagnostic, Result};
use crate::ledger::{Entry, Ledger};
use compared::{Compared, Told};
use inputs::Basis;
use moves::Movers;
use run::Side;
use scores::{ScoreChange, Wanted};
use std::collections::BTreeMap;

pub(super) async fn compare(global: &Global, args: CompareArgs) -> Result<()> {
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let (from, to) = runs(&ledger, args.from.as_deref(), args.to.as_deref())?;
    let (from, to) = (Side::of(&opened, from).await?, Side::of(&opened, to).await?);
    refuse_unknown(&from, &to, &args.metric)?;
    let mut names = from.names().await?;
    names.extend(to.names().await?);
    let wanted = Wanted {
        metrics: args.metric.clone(),
        level: args.level.clone(),
        entity: args.entity.clone(),
        period: args.period.clone(),
    };
    let found = scores::between(&from, &to, &names, &wanted).await?;
    let mut notes: Vec<String> = from.notes.iter().chain(&to.notes).chain(&found.notes).cloned().collect();
    let records = records::between(&from, &to).await?;
    notes.extend(records.iter().flat_map(|table| table.notes.iter().map(|note| format!("{}: {note}", table.table))));
    // Facts are only made for what is shown.
    let shown = match (global.format, args.limit) {
        (Format::Csv, _) => 0,
        (Format::Json, _) | (_, 0) => found.changes.len(),
        (Format::Table, limit) => found.changes.iter().filter(|change| !change.hidden).take(limit).count(),
    };
    let scores = explained(&from, &to, found.changes, shown).await?;
    let basis = Basis::between(&from, &to);
    let compared = Compared { from: &from, to: &to, basis, records, scores, names, notes };
    output::write(&match global.format {
        Format::Table => compared.for_people(args.limit),
        Format::Json => compared.json(),
        Format::Csv => compared.csv(),
    })
}

/// The two runs that are asked for: the last two unless they are named.
fn runs<'a>(ledger: &'a Ledger, from: Option<&str>, to: Option<&str>) -> Result<(&'a Entry, &'a Entry)> {
    let to = ledger.find(to.unwrap_or("last"))?;
    let from = match from {
        Some(name) => ledger.find(name)?,
        None => ledger.entries.iter().rev().find(|entry| entry.number < to.number).ok_or_else(|| {
            Diagnostic::usage("there is only one run, and nothing to compare it with")
                .help("run again when the next night's exports are there")
        })?,
    };
    Ok((from, to))
}

fn refuse_unknown(from: &Side<'_>, to: &Side<'_>, metrics: &[String]) -> Result<()> {
    let known = || from.entry.scores.keys().chain(to.entry.scores.keys()).map(String::as_str);
    match metrics.iter().find(|metric| known().all(|known| known != metric.as_str())) {
        None => Ok(()),
        Some(metric) => {
            Err(Diagnostic::usage(format!("neither run has the metric `{metric}`")).closest(metric, known()))
        }
    }
}

/// The first changes with the facts that moved them, metric by metric.
async fn explained(from: &Side<'_>, to: &Side<'_>, changes: Vec<ScoreChange>, shown: usize) -> Result<Vec<Told>> {
    let mut told: Vec<Told> = changes.into_iter().map(|change| Told { change, moves: None }).collect();
    if shown == 0 {
        return Ok(told);
    }
    let mut by_metric: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, told) in told.iter().enumerate().take(shown) {
        by_metric.entry(told.change.metric.clone()).or_default().push(i);
    }
    let movers = Movers::of(from, to).await?;
    for (metric, places) in by_metric {
        let changes: Vec<&ScoreChange> = places.iter().map(|place| &told[*place].change).collect();
        if let Some(moves) = movers.of_metric(&metric, &changes).await? {
            for (place, moves) in places.into_iter().zip(moves) {
                told[place].moves = Some(moves);
            }
        }
    }
    Ok(told)
}
