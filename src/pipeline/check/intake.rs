//! What landed, before it is used: whether all tables are there, fresh, whole, and of the form that staging reads.
//!
//! A table's newest night is held against the last sealed run's, and only where that is the same night against the night
//! before it. So a broken night that was never published is no measure for the next one.

use crate::artifact::baseline::Baseline;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Place, Result};
use crate::pipeline::check::exports::{Earlier, Exported, Own, are_same, newest_date, nights};
use crate::pipeline::check::finding::Found;
use crate::pipeline::check::{drift, privacy, totals};
use crate::run_context::RunContext;
use crate::settings::{Fold, Source};
use crate::store::Store;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// All that is found in the exports themselves.
pub(super) async fn run(night: &RunContext<'_>, observed: &[Snapshot], baseline: &Baseline<'_>) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = privacy::key(observed, baseline).into_iter().collect();
    for (source, settings) in &night.settings.sources {
        let newest = observed.iter().filter(|snapshot| snapshot.source == *source).max_by_key(|s| s.data_date);
        let behind = newest.and_then(|newest| behind(night, observed, source, settings, newest));
        let is_behind = behind.is_some();
        found.extend(behind);
        let newest = newest.map(|newest| newest.data_date);
        for (table, of_table) in &settings.tables {
            let own = Own { source, table, settings, of_table, now: nights(observed, source, table) };
            let known =
                baseline.earlier.map(|earlier| nights(&earlier.observations, source, table)).unwrap_or_default();
            found.extend(own.lost(&known));
            let Some(present) = own.present() else { continue };
            found.extend(privacy::of_table(source, table, of_table, &present));
            // Of a source that fell behind as a whole, that is said once.
            let own_days = own.of_table.max_age_days.is_some();
            if !is_behind || own_days {
                found.extend(own.stale(night, observed, newest, &present));
            }
            let Some(before) = own.before(night, baseline, &known, &present) else { continue };
            found.extend(own.short(night, &present, &before));
            found.extend(drift::of(night, observed, &own, &present, &before).await?);
        }
        if let Some(totals) = &settings.control_totals {
            found.extend(totals::compare(night, observed, source, totals, baseline).await?);
        }
    }
    Ok(found)
}

/// The day that exports should be of: the run's date, or the newest of all exports.
fn today(night: &RunContext<'_>, observed: &[Snapshot]) -> Date {
    newest_date(observed.iter()).map_or(night.as_of, |newest| newest.max(night.as_of))
}

/// A source of which even the newest export is too old.
fn behind(
    night: &RunContext<'_>,
    observed: &[Snapshot],
    source: &str,
    settings: &Source,
    newest: &Snapshot,
) -> Option<Found> {
    let (today, days) = (today(night, observed), settings.max_age_days.unwrap_or(night.settings.checks.max_age_days));
    let age = (today - newest.data_date).get_days();
    if i64::from(age) <= i64::from(days) {
        return None;
    }
    let title = format!("the newest exports of {source} are {age} days old: {}", newest.data_date);
    let help = format!("have it export again; or raise `max_age_days` of [sources.{source}] in scorebook.toml");
    let found = Found::error("freshness", source, title).at(Place::file(&newest.path));
    Some(found.note(format!("the run is of {today}, and at most {days} days are allowed")).help(help))
}

impl<'a> Own<'a> {
    /// Exports that the last run read and that are nowhere now, where their records would go with them.
    fn lost(&self, known: &BTreeMap<Date, Vec<&Snapshot>>) -> Option<Found> {
        let here: Vec<&Snapshot> = self.now.values().flatten().copied().collect();
        let gone = |snapshot: &&Snapshot| here.iter().all(|s| s.path != snapshot.path && s.raw != snapshot.raw);
        let lost: Vec<&Snapshot> = match self.of_table.fold {
            Fold::Full if !here.is_empty() => return None,
            Fold::Full => known.values().next_back().into_iter().flatten().copied().collect(),
            Fold::Append | Fold::Upsert => known.values().flatten().copied().filter(gone).collect(),
        };
        let first = lost.first()?;
        let records: u64 = lost.iter().map(|snapshot| snapshot.rows).sum();
        let what = match self.of_table.fold {
            Fold::Full => "it was the whole table".to_owned(),
            Fold::Append | Fold::Upsert => {
                format!("later nights add to it: without it {records} records leave the model")
            }
        };
        let message = match lost.len() {
            1 => format!("an export of {} that the last run read is gone", self.name()),
            count => format!("{count} exports of {} that the last run read are gone", self.name()),
        };
        let found = Found::error("missing", self.name(), message).at(Place::file(&first.path)).note(what);
        Some(found.help("put the files back; exports that add to each other are kept for good"))
    }

    /// A table that is not in the newest night of its source, or is older than it may be.
    fn stale(
        &self,
        night: &RunContext<'_>,
        observed: &[Snapshot],
        newest: Option<Date>,
        present: &Exported<'_>,
    ) -> Option<Found> {
        let own_days = self.of_table.max_age_days;
        let of_source = self.settings.max_age_days.unwrap_or(night.settings.checks.max_age_days);
        let days = own_days.unwrap_or(of_source);
        let today = today(night, observed);
        let age = (today - present.date).get_days();
        let set = match own_days {
            Some(_) => format!("`max_age_days` of [sources.{}.tables] {}", self.source, self.table),
            None => format!("`max_age_days` of [sources.{}], or of its table {}", self.source, self.table),
        };
        if i64::from(age) > i64::from(days) {
            let title = format!("the newest export of {} is {age} days old: {}", self.name(), present.date);
            let found = Found::error("freshness", self.name(), title).at(present.place());
            return Some(
                found
                    .note(format!("the run is of {today}, and at most {days} days are allowed"))
                    .help(format!("have it exported again; or raise {set}, in scorebook.toml")),
            );
        }
        let newest = newest.filter(|newest| own_days.is_none() && present.date < *newest)?;
        let title = format!("{newest} has no export of {}; its newest is of {}", self.name(), present.date);
        let found = match self.of_table.fold {
            Fold::Full => Found::error("missing", self.name(), title)
                .note("a whole table of one night beside those of another gives numbers that were never so"),
            Fold::Append | Fold::Upsert => Found::warning("missing", self.name(), title)
                .note("it adds to the nights before: if nothing was new, nothing is missing"),
        };
        let help = "have it exported again; or say by `max_age_days` of the table that it need not be in every night";
        Some(found.at(present.place()).help(help))
    }

    /// The night that the newest one is held against.
    fn before(
        &self,
        night: &RunContext<'a>,
        baseline: &Baseline<'a>,
        known: &BTreeMap<Date, Vec<&'a Snapshot>>,
        present: &Exported<'_>,
    ) -> Option<Earlier<'a>> {
        let last = known.iter().next_back();
        let is_sealed = last.is_some_and(|(date, parts)| *date == present.date && are_same(parts, &present.parts));
        let of = |nights: &BTreeMap<Date, Vec<&'a Snapshot>>, store: &'a Store| {
            let earlier = nights.range(..present.date).next_back();
            let night = earlier.map(|(date, parts)| Exported { date: *date, parts: parts.clone() });
            night.map(|night| Earlier { night, store, is_sealed })
        };
        match last {
            Some((date, parts)) if !is_sealed => {
                let night = Exported { date: *date, parts: parts.clone() };
                Some(Earlier { night, store: baseline.store, is_sealed })
            }
            _ => of(&self.now, night.store).or_else(|| of(known, baseline.store)),
        }
    }

    /// A whole table that lost many of its records.
    fn short(&self, night: &RunContext<'_>, present: &Exported<'_>, before: &Earlier<'_>) -> Option<Found> {
        if self.of_table.fold != Fold::Full {
            return None;
        }
        let (now, then) = (present.records(), before.night.records());
        let checks = &night.settings.checks;
        let warning = self.of_table.rows_warning_percent.unwrap_or(checks.rows_warning_percent);
        let error = self.of_table.rows_error_percent.unwrap_or(checks.rows_error_percent);
        let is_under = |percent: u32| u128::from(now) * 100 < u128::from(then) * u128::from(percent);
        let title =
            format!("{} of {} has {now} records, and had {then} on {}", self.name(), present.date, before.night.date);
        let part = (u128::from(now) * 100).checked_div(u128::from(then)).unwrap_or(100);
        let limit = format!(
            "`rows_{}_percent` of its table, in scorebook.toml",
            if is_under(error) { "error" } else { "warning" }
        );
        let found = match (is_under(error), is_under(warning)) {
            (true, _) => Found::error("row_counts", self.name(), title)
                .note(format!("that is {part} %; under {error} % a run stops")),
            (false, true) => Found::warning("row_counts", self.name(), title)
                .note(format!("that is {part} %; under {warning} % a run says so")),
            (false, false) => return None,
        };
        let help = format!(
            "look whether the export was cut off or filtered, and have it made again; {limit}, moves the limit"
        );
        Some(found.at(present.place()).help(help).sealed_before(before.is_sealed))
    }
}
