//! Why a row that was there is gone: what the later run's exports say of its record.

use crate::artifact::snapshot::Snapshot;
use crate::command::compare::changes::{Origin, RecordChange};
use crate::command::compare::run::{Side, ask};
use crate::diagnostic::{self, Result};
use crate::engine::{Parameters, Session, Sql};
use crate::pipeline::stage::contract::{Contract, Kind};
use crate::pipeline::stage::definition::{self, Staging};
use crate::settings::Fold;
use std::collections::BTreeMap;

/// A record of the later run's exports, as staging reads it.
struct Read {
    origin: Origin,
    deleted: bool,
    skipped: Option<String>,
}

/// Says of each row that is gone why, and where the later exports say so.
pub async fn explain(to: &Side<'_>, table: &str, rows: &mut [RecordChange]) -> Result<()> {
    let mut gone: Vec<&mut RecordChange> = rows.iter_mut().filter(|row| row.change == "gone").collect();
    let Some(contract) = to.contract.as_ref().filter(|_| !gone.is_empty()) else { return Ok(()) };
    let of_table = contract.tables.get(table);
    let Some(key) = of_table.filter(|of| of.key.len() == 1).and_then(|of| of.column(&of.key[0])) else { return Ok(()) };
    if key.kind != Kind::Id {
        return Ok(());
    }
    let read = read(to, contract, table, &key.name).await?;
    let same = same(to, table).await?;
    for row in &mut gone {
        let found = read.get(&row.key[0]);
        row.after = found.map(|read| read.origin.clone());
        row.why = Some(match (found, same.get(&row.key[0])) {
            (_, Some(same)) => format!("the same as {same}"),
            (None, _) => "no export has it any more".into(),
            (Some(Read { deleted: true, .. }), _) => "deleted".into(),
            (Some(Read { skipped: Some(why), .. }), _) => format!("skipped: {why}"),
            (Some(_), _) => "quarantined".into(),
        });
    }
    Ok(())
}

/// The records of all exports behind a table, by their ids: of several the latest.
async fn read(to: &Side<'_>, contract: &Contract, table: &str, key: &str) -> Result<BTreeMap<String, Read>> {
    let mut read = BTreeMap::new();
    let Ok(stagings) = definition::read(&to.project, &to.settings, contract) else { return Ok(read) };
    for staging in stagings.iter().filter(|staging| staging.header.into == table) {
        for snapshot in exports(to, staging) {
            let session = Session::new(to.opened.limits, &to.opened.store)?;
            to.add(&session, &staging.header.from, &snapshot.raw_path()).await?;
            for lookup in &staging.header.lookups {
                if let Some(newest) = newest(to, staging.source, lookup) {
                    to.add(&session, lookup, &newest.raw_path()).await?;
                }
            }
            let schema = match session.keep("staged", &staging.sql, &Parameters::new()).await {
                Ok(schema) => schema,
                Err(error) if error.kind == diagnostic::Kind::Verification => return Err(error),
                Err(_) => continue,
            };
            let optional = |name: &str| match schema.field_with_name(name) {
                Ok(_) => format!("CAST({name} AS VARCHAR) AS {name}"),
                Err(_) => format!("CAST(NULL AS VARCHAR) AS {name}"),
            };
            let sql = format!(
                "SELECT CAST({key} AS VARCHAR) AS id, _row, {}, {} FROM staged",
                optional("_deleted"),
                optional("_skip")
            );
            for row in ask(&session, &sql).await? {
                let [Some(id), Some(number), deleted, skipped] = &row[..] else { continue };
                let own = id.split_once(':').is_some_and(|(source, _)| to.settings.sources.contains_key(source));
                let id = if own { id.clone() } else { format!("{}:{id}", staging.source) };
                let deleted = deleted.as_ref().is_some_and(|flag| is_true(flag));
                let origin = Origin { export: snapshot.path.clone(), row: number.parse().unwrap_or_default() };
                read.insert(id, Read { origin, deleted, skipped: skipped.clone() });
            }
        }
    }
    Ok(read)
}

fn is_true(flag: &str) -> bool {
    ["1", "true", "yes", "y", "t"].iter().any(|word| flag.trim().eq_ignore_ascii_case(word))
}

/// The exports that a staging file reads, oldest first: of a full table those of the newest night.
fn exports<'a>(to: &'a Side<'_>, staging: &Staging<'_>) -> Vec<&'a Snapshot> {
    let (source, table) = (staging.source, &staging.header.from);
    let is_of = |snapshot: &&Snapshot| snapshot.source == source && snapshot.table == *table;
    let mut all: Vec<&Snapshot> = to.entry.observations.iter().filter(is_of).collect();
    all.sort_by_key(|snapshot| (snapshot.data_date, &snapshot.path));
    let fold = to.settings.sources.get(source).and_then(|of| of.tables.get(table)).map(|table| table.fold);
    if let (Some(Fold::Full), Some(newest)) = (fold, all.last().map(|snapshot| snapshot.data_date)) {
        all.retain(|snapshot| snapshot.data_date == newest);
    }
    all
}

fn newest<'a>(to: &'a Side<'_>, source: &str, table: &str) -> Option<&'a Snapshot> {
    let all = to.entry.observations.iter().filter(|snapshot| snapshot.source == source && snapshot.table == table);
    all.max_by_key(|snapshot| (snapshot.data_date, &snapshot.path))
}

/// The records that count as another one, by their ids.
async fn same(to: &Side<'_>, table: &str) -> Result<BTreeMap<String, String>> {
    let mut same = BTreeMap::new();
    let Some(matches) = to.entry.model.get("matches") else { return Ok(same) };
    let session = Session::new(to.opened.limits, &to.opened.store)?;
    to.add(&session, "matches", &matches.path("matches")).await?;
    let sql = format!("SELECT record_id, same_as FROM matches WHERE record_table = '{table}'");
    let query = Sql::bare("matches", &sql);
    // An older run's table may have other columns.
    if session.shape(&query, &Parameters::new()).await.is_ok() {
        for row in ask(&session, &sql).await? {
            if let [Some(record), Some(other)] = &row[..] {
                same.insert(record.clone(), other.clone());
            }
        }
    }
    Ok(same)
}
