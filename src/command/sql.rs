//! `scorebook sql`: a read-only question to a run's tables.

use crate::cli::{Global, SqlArgs};
use crate::command::opened::Opened;
use crate::command::output::Table;
use crate::command::output::print;
use crate::command::output::table;
use crate::diagnostic::{Diagnostic, Result};
use crate::engine::{self, Session, Sql};
use crate::ledger::Entry;
use crate::pipeline::score::{self, definition};
use crate::project::Project;
use crate::runaway;
use crate::store::object_name;
use std::collections::BTreeSet;

pub(super) async fn sql(global: &Global, args: SqlArgs) -> Result<()> {
    let opened = Opened::existing(global)?;
    let ledger = opened.ledger().await?;
    let entry = ledger.find(&args.run)?;
    let session = Session::new(opened.limits, &opened.store)?;
    if args.query.trim() == "tables" {
        return print(&tables(entry), global.format);
    }
    let sql = Sql::bare("the query", &args.query);
    let parameters = engine::parameters(entry.as_of);
    let (wanted, _) = engine::reads(&sql, &parameters)?;
    let known = tables(entry).rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect::<Vec<_>>();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(Diagnostic::project(format!("unknown table `{unknown}`"))
            .at(sql.place_of(unknown))
            .closest(unknown, known.iter().map(String::as_str))
            .help("`scorebook sql tables` lists them"));
    }
    add_tables(&opened, entry, &session, &wanted).await?;
    runaway::watch(opened.limits.memory_bytes)?;
    let (schema, batches) = session.query(&sql, &parameters).await?;
    print(&table(&schema, &batches), global.format)
}

/// The tables of a run that may be asked.
fn tables(entry: &Entry) -> Table {
    let mut table = Table::new(&["table", "what", "rows"]);
    for (name, of) in &entry.model {
        table.row([name.clone(), "model".into(), of.rows.to_string()]);
    }
    let rows = entry.scores.values().map(|scores| scores.rows).sum::<u64>();
    for (name, of) in entry.model.iter().filter(|(_, of)| of.lineage.is_some()) {
        table.row([format!("{name}__lineage"), "where its rows came from".into(), of.rows.to_string()]);
    }
    table.row(["scores".into(), "all metrics' scores".into(), rows.to_string()]);
    for metric in entry.scores.keys() {
        table.row([format!("facts_{metric}"), "the rows that count".into(), String::new()]);
    }
    for (name, of) in entry.model.iter().filter(|(_, of)| of.quarantine.is_some()) {
        table.row([format!("quarantine_{name}"), "rows that broke the contract".into(), of.quarantined.to_string()]);
    }
    for (name, paths, rows) in raw(entry) {
        let what =
            if paths.len() == 1 { "one night's export".into() } else { format!("{} nights' exports", paths.len()) };
        table.row([name, what, rows.to_string()]);
    }
    table
}

/// The raw tables: `raw_<source>_<table>` for all nights, `raw_<source>_<table>_<date>` for one; also the rejects.
fn raw(entry: &Entry) -> Vec<(String, Vec<String>, u64)> {
    let mut found: Vec<(String, Vec<String>, u64)> = Vec::new();
    let mut add = |name: String, path: String, rows: u64| match found.iter_mut().find(|(known, _, _)| *known == name) {
        Some((_, paths, sum)) => {
            // Nights with the same bytes are one object.
            if !paths.contains(&path) {
                (*sum, _) = (*sum + rows, paths.push(path));
            }
        }
        None => found.push((name, vec![path], rows)),
    };
    for snapshot in &entry.observations {
        let plain = format!("raw_{}_{}", snapshot.source, snapshot.table).to_lowercase();
        let dated = format!("{plain}_{}", snapshot.data_date.strftime("%Y_%m_%d"));
        add(plain.clone(), snapshot.raw_path(), snapshot.rows);
        add(dated, snapshot.raw_path(), snapshot.rows);
        if let Some(path) = snapshot.rejects_path() {
            add(plain.replacen("raw_", "rejects_", 1), path, snapshot.rejected);
        }
    }
    found.sort();
    found
}

/// Names the tables that a query asks for.
async fn add_tables(opened: &Opened, entry: &Entry, session: &Session, wanted: &BTreeSet<String>) -> Result<()> {
    let facts: Vec<&str> = wanted.iter().filter_map(|name| name.strip_prefix("facts_")).collect();
    for (name, table) in &entry.model {
        if wanted.contains(name) || !facts.is_empty() {
            session.register_parquet(name, &table.path(name)).await?;
        }
        if let (true, Some(digest)) = (wanted.contains(&format!("quarantine_{name}")), table.quarantine) {
            let path = object_name(&format!("quarantine/{name}"), &digest, "parquet");
            session.register_parquet(&format!("quarantine_{name}"), &path).await?;
        }
        if let (true, Some(digest)) = (wanted.contains(&format!("{name}__lineage")), table.lineage) {
            let path = object_name(&format!("model/{name}__lineage"), &digest, "parquet");
            session.register_parquet(&format!("{name}__lineage"), &path).await?;
        }
    }
    if wanted.contains("scores") || !facts.is_empty() {
        let paths: Vec<String> = entry.scores.iter().map(|(metric, table)| table.path(metric)).collect();
        session.register_parquets("scores", &paths).await?;
    }
    for (name, paths, _) in raw(entry).into_iter().filter(|(name, _, _)| wanted.contains(name)) {
        session.register_parquets(&name, &paths).await?;
    }
    for metric in facts {
        add_facts(opened, entry, session, metric).await?;
    }
    Ok(())
}

async fn add_facts(opened: &Opened, entry: &Entry, session: &Session, metric: &str) -> Result<()> {
    let project = Project::from_ledger(&opened.store, &entry.definitions).await?;
    let metrics = definition::read(&project)?;
    let Some(found) = metrics.get(metric) else {
        return Err(Diagnostic::usage(format!("there is no metric `{metric}`"))
            .closest(metric, metrics.keys().map(String::as_str)));
    };
    if found.is_formula() {
        return Err(Diagnostic::usage(format!("{metric} is a formula and has no facts of its own"))
            .help("ask the facts of its parts"));
    }
    score::facts_of(session, &metrics, found, &engine::parameters(entry.as_of)).await?;
    session.materialize(&format!("facts_{metric}"), "SELECT * FROM facts").await
}
