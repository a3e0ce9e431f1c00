//! What the contract may say: each rule stands with the part of the stage that it is for.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::pipeline::stage::contract::{Contract, FILE, Kind, Table};
use crate::pipeline::stage::{matching::check as matching, money::rules as money, versions::check as versions};
use crate::project::{self, Project};
use std::collections::BTreeSet;

/// The tables the engine itself reads, and the columns it needs of them.
const OF_THE_ENGINE: [(&str, &[&str]); 4] = [
    ("reps", &["rep_id", "name", "hired_on"]),
    ("teams", &["team_id", "name", "level", "parent_team_id"]),
    ("assignments", &["rep_id", "team_id", "role", "starts_on", "ends_on"]),
    (
        "targets",
        &[
            "target_id",
            "metric",
            "rep_id",
            "team_id",
            "slice",
            "slice_value",
            "starts_on",
            "ends_on",
            "amount",
            "low",
            "high",
            "align",
            "is_fixed",
        ],
    ),
];

/// The table that the engine shares facts by.
const CREDITS: (&str, &[&str]) = ("credits", &["record_table", "record_id", "rep_id", "share", "kind"]);

/// Reads and checks the contract.
pub fn read(project: &Project) -> Result<Contract> {
    let source = project.text(FILE)?;
    let contract: Contract = project::toml(FILE, source, source, 1)?;
    let in_table = |table: &str, word: &str| {
        let starts = |(_, line): &(usize, &str)| line.trim() == format!("[tables.{table}]");
        let first = source.lines().enumerate().find(starts).map_or(0, |(i, _)| i);
        let places = source.lines().enumerate().skip(first);
        let mut places = places.map(|(i, _)| Place::line(FILE, source, i + 1).word(word));
        places.find(|place| place.column > 0).unwrap_or_else(|| Place::file(FILE))
    };
    let wrong = |message: String, word: &str| {
        let line = source.lines().position(|line| line.contains(word)).map_or(0, |i| i + 1);
        Diagnostic::project(message).at(Place::line(FILE, source, line).word(word))
    };
    let names: BTreeSet<&str> = contract.tables.keys().map(String::as_str).collect();
    for (name, table) in &contract.tables {
        if table.key.is_empty() {
            return Err(wrong(format!("{name} has no key"), name).help("name the columns that tell its rows apart"));
        }
        for (i, column) in table.columns.iter().enumerate() {
            if table.columns[..i].iter().any(|earlier| earlier.name == column.name) {
                return Err(wrong(format!("{name} has the column `{}` twice", column.name), &column.name));
            }
            let leads = [&column.references, &column.references_by, &column.names].into_iter().flatten().count();
            if leads > 0 && column.kind != Kind::Id {
                return Err(wrong(format!("{name}.{} is a reference and so must be an id", column.name), &column.name)
                    .help("write type = \"id\""));
            }
            if leads > 1 || (leads == 0 && column.is_part) {
                let message = match leads {
                    0 => format!("{name}.{} is a part of no record", column.name),
                    _ => format!("{name}.{} holds the ids of more than one table", column.name),
                };
                return Err(wrong(message, &column.name)
                    .help("say whose ids it holds, once: `references`, `references_by` or `names`"));
            }
        }
        refuse_dates(name, table).map_err(|(error, word)| error.at(in_table(name, &word)))?;
        matching::check(name, table).map_err(|(error, word)| error.at(in_table(name, &word)))?;
        versions::check(&contract, name, table).map_err(|(error, word)| error.at(in_table(name, &word)))?;
        for column in &table.columns {
            let Some(by) = &column.references_by else { continue };
            let named = table.columns.iter().find(|column| column.name == *by);
            let Some(named) = named.filter(|named| !named.allowed.is_empty()) else {
                return Err(wrong(format!("`{by}` does not say which tables {name}.{} references", column.name), by)
                    .help(format!("give {name} a column `{by}` with the tables: allowed = [\"opportunities\"]")));
            };
            if let Some(target) = named.allowed.iter().find(|target| !names.contains(target.as_str())) {
                return Err(wrong(format!("{name}.{by} allows `{target}`, which is no table"), target)
                    .closest(target, names.iter().copied()));
            }
        }
        for key in &table.key {
            if !table.columns.iter().any(|c| c.name == *key) {
                let known = table.columns.iter().map(|c| c.name.as_str());
                return Err(wrong(format!("the key `{key}` of {name} is no column of it"), key).closest(key, known));
            }
        }
        for column in &table.columns {
            if let Some(target) = column.references.as_ref().or(column.names.as_ref())
                && !names.contains(target.as_str())
            {
                return Err(wrong(format!("{name}.{} references `{target}`, which is no table", column.name), target)
                    .closest(target, names.iter().copied()));
            }
        }
    }
    for (name, table) in &contract.tables {
        money::check(name, table).map_err(|(error, word)| error.at(in_table(name, &word)))?;
    }
    // Older projects have no credits; a metric that is shared over them asks for the table.
    let credits = contract.tables.contains_key(CREDITS.0).then_some(CREDITS);
    for (name, columns) in OF_THE_ENGINE.into_iter().chain(credits) {
        let missing = match contract.tables.get(name) {
            None => Some(format!("the table `{name}`")),
            Some(table) => columns
                .iter()
                .find(|column| !table.columns.iter().any(|c| c.name == **column))
                .map(|column| format!("the column `{name}.{column}`")),
        };
        if let Some(missing) = missing {
            return Err(wrong(format!("the model lacks {missing}"), name)
                .note("the engine itself reads reps, teams, assignments, targets and credits"));
        }
    }
    Ok(contract)
}

/// Refuses ends that cannot be open, and starts that are none; with the word that is to be corrected.
fn refuse_dates(name: &str, table: &Table) -> std::result::Result<(), (Box<Diagnostic>, String)> {
    let dates = || table.columns.iter().filter(|column| column.kind == Kind::Date);
    for column in &table.columns {
        if column.open_end && (column.kind != Kind::Date || column.required) {
            let error = Diagnostic::project(format!("{name}.{} cannot have an open end", column.name))
                .note("with `open_end` a far day such as 9999-12-31 reads as an empty cell")
                .help("take `open_end` out: only a date that may be empty can be open");
            return Err((error, column.name.clone()));
        }
        let Some(start) = &column.not_before else { continue };
        if column.kind != Kind::Date || dates().all(|other| other.name != *start) {
            let error = Diagnostic::project(format!("{name}.{} cannot be held against `{start}`", column.name))
                .note("`not_before` stands at a date and names another date of its table")
                .closest(start, dates().map(|other| other.name.as_str()));
            return Err((error, start.clone()));
        }
    }
    Ok(())
}
