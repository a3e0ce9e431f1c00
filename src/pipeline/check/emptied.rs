//! Exports of which no record is left. A rule about shares does not see them where they are small, and numbers without a
//! table that is there look like numbers of a company without such records. So they stop the run, whatever their size,
//! until a person accepts it.

use crate::artifact::baseline::Baseline;
use crate::artifact::finding::{Finding, Severity};
use crate::artifact::model::Balance;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Place, Result};
use crate::parquet_file;
use crate::pipeline::check::finding::Found;
use crate::pipeline::check::finding::SHOWN;
use crate::run_context::RunContext;
use crate::settings::Fold;
use crate::store::Store;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The check's name.
const CHECK: &str = "no_records";

/// Exports with records none of which could be read.
pub(super) async fn unread(
    night: &RunContext<'_>,
    observed: &[Snapshot],
    baseline: &Baseline<'_>,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for snapshot in used(night, observed).filter(|snapshot| snapshot.rows == 0 && snapshot.rejected > 0) {
        let title = match snapshot.rejected {
            1 => format!("the only record of {} could not be read", snapshot.path),
            count => format!("none of the {count} records of {} could be read", snapshot.path),
        };
        let reasons = rejected(snapshot, baseline.store).await?;
        let found_one = stop(&snapshot.source, &snapshot.table, &snapshot.path, title, reasons, baseline, observed);
        found.push(found_one.help(format!(
            "have it exported again, in the form of an earlier night; or say of [sources.{}.tables] {} in scorebook.toml \
             what its form is",
            snapshot.source, snapshot.table
        )));
    }
    Ok(found)
}

/// Exports of which every record that was to be a row of a table broke the contract.
pub(super) fn broken(
    night: &RunContext<'_>,
    (balance, reasons): (&[Balance], &BTreeMap<String, Vec<String>>),
    baseline: &Baseline<'_>,
    observed: &[Snapshot],
) -> Vec<Found> {
    // Several staging files may make rows of one table of an export, each of those that the others skip.
    let mut all: BTreeMap<(&str, &str), Balance> = BTreeMap::new();
    for one in Used::of_balance(night, balance).filter(balance) {
        let sum =
            all.entry((&one.path, &one.into)).or_insert_with(|| Balance { kept: 0, quarantined: 0, ..one.clone() });
        sum.kept += one.kept;
        sum.quarantined += one.quarantined;
    }
    let emptied = all.values().filter(|sum| sum.kept == 0 && sum.quarantined > 0);
    let told = |sum: &Balance| {
        let (read, path, into) = (sum.read, &sum.path, &sum.into);
        let title = match read {
            1 => format!("the only record of {path} was set aside: nothing of it is in {into}"),
            _ => format!("nothing of the {read} records of {path} is in {into}"),
        };
        let parts = [
            (sum.quarantined, "broke the contract"),
            (sum.rejected, "could not be read"),
            (sum.skipped, "were to be ignored"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let mut notes = reasons.get(path).cloned().unwrap_or_default();
        notes.extend((read > 1).then(|| parts.collect::<Vec<_>>().join(", ")));
        stop(&sum.source, &sum.table, path, title, notes, baseline, observed).help(
            "if its form has changed, have it exported as before, or teach its file in queries/staging the new form; else \
             correct the records in the CRM",
        )
    };
    emptied.map(told).collect()
}

/// Tells of tables all of whose records are skipped: that may be meant, or a staging file that knows them no more.
pub(super) fn skipped(night: &RunContext<'_>, balance: &[Balance]) -> Vec<Finding> {
    let mut all: BTreeMap<(&str, &str), (u64, u64, BTreeSet<&str>)> = BTreeMap::new();
    for one in Used::of_balance(night, balance).filter(balance) {
        let (skipped, others, into) = all.entry((&one.source, &one.table)).or_default();
        *skipped += one.skipped;
        *others += one.read - one.skipped;
        into.insert(&one.into);
    }
    let idle = all.into_iter().filter(|(_, (skipped, others, _))| *skipped > 0 && *others == 0);
    let told = idle.map(|((source, table), (rows, _, into))| Finding {
        check: "skipped".into(),
        of: Some(format!("{source}.{table}")),
        title: format!("all records of {source}.{table} are skipped"),
        severity: Severity::Warning,
        accepted: false,
        rows,
        shown: vec![format!("nothing of them is in {}", into.into_iter().collect::<Vec<_>>().join(", "))],
        help: format!("look what `_skip` asks for in queries/staging/{source}; if it is meant, nothing is missing"),
    });
    told.collect()
}

/// The exports that the model is made of.
pub(super) fn used<'a>(night: &RunContext<'_>, observed: &'a [Snapshot]) -> impl Iterator<Item = &'a Snapshot> {
    let used = Used::of(night, observed.iter().map(|s| (s.source.as_str(), s.table.as_str(), s.data_date)));
    observed.iter().filter(move |s| used.has(&s.source, &s.table, s.data_date))
}

/// The first of an export's records that could not be read, with their reasons.
pub(super) async fn rejected(snapshot: &Snapshot, store: &Store) -> Result<Vec<String>> {
    let Some(path) = snapshot.rejects_path() else { return Ok(Vec::new()) };
    let mut shown = Vec::new();
    for batch in parquet_file::read_all(&path, store.get(&path).await?)? {
        let numbers = batch.column_by_name("_row").and_then(|rows| rows.as_primitive_opt::<Int64Type>());
        let reasons = batch.column_by_name("reason").and_then(|reasons| reasons.as_string_opt::<i32>());
        let Some((numbers, reasons)) = numbers.zip(reasons) else { continue };
        let more = numbers.values().iter().zip(reasons).filter_map(|(number, reason)| Some((number, reason?)));
        shown.extend(more.take(SHOWN - shown.len()).map(|(number, reason)| format!("record {number}: {reason}")));
    }
    Ok(shown)
}

/// What stops the run, unless the last one was sealed with this very export.
fn stop(
    source: &str,
    table: &str,
    path: &str,
    title: String,
    notes: Vec<String>,
    baseline: &Baseline<'_>,
    observed: &[Snapshot],
) -> Found {
    let now = observed.iter().find(|snapshot| snapshot.path == path && snapshot.table == table);
    let known = baseline.earlier.map(|earlier| earlier.observations.as_slice()).unwrap_or_default();
    let is_sealed = now.is_some_and(|now| {
        known.iter().any(|then| (&then.path, &then.table, then.digest) == (&now.path, &now.table, now.digest))
    });
    let found = Found::error(CHECK, format!("{source}.{table}"), title).at(Place::file(path)).sealed_before(is_sealed);
    notes.into_iter().fold(found, Found::note)
}

/// Which exports the model is made of: those that a later one replaces whole were told of on their own nights.
struct Used<'a> {
    /// The newest night of whole tables.
    newest: BTreeMap<(&'a str, &'a str), Date>,
}

impl<'a> Used<'a> {
    fn of(night: &RunContext<'_>, exports: impl Iterator<Item = (&'a str, &'a str, Date)>) -> Used<'a> {
        let mut newest: BTreeMap<(&str, &str), Date> = BTreeMap::new();
        for (source, table, date) in exports {
            let settings = night.settings.sources.get(source).and_then(|source| source.tables.get(table));
            if settings.is_some_and(|table| table.fold == Fold::Full) {
                let newest = newest.entry((source, table)).or_insert(date);
                *newest = date.max(*newest);
            }
        }
        Used { newest }
    }

    fn of_balance(night: &RunContext<'_>, balance: &'a [Balance]) -> Used<'a> {
        let date = |one: &Balance| one.data_date.parse().unwrap_or_default();
        Used::of(night, balance.iter().map(|one| (one.source.as_str(), one.table.as_str(), date(one))))
    }

    fn has(&self, source: &str, table: &str, date: Date) -> bool {
        self.newest.get(&(source, table)).is_none_or(|newest| *newest == date)
    }

    /// What became of the records of these exports.
    fn filter(self, balance: &'a [Balance]) -> impl Iterator<Item = &'a Balance> {
        let is_used =
            move |one: &&Balance| one.data_date.parse().is_ok_and(|date| self.has(&one.source, &one.table, date));
        balance.iter().filter(is_used)
    }
}
