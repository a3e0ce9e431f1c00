//! What else is another in the later run: its exports, its definitions and settings, the programs that made it.

use crate::command::compare::run::Side;
use crate::ledger::Entry;
use crate::project::SETTINGS;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What differs between the two runs besides rows and scores.
#[derive(Debug, Serialize)]
pub struct Basis {
    pub from: Run,
    pub to: Run,
    /// What each run was made for and with: name, then, now.
    pub run: Vec<Differing>,
    pub exports: Vec<ExportChange>,
    pub definitions: Vec<FileChange>,
    pub settings: Vec<Differing>,
}

/// A run, briefly.
#[derive(Debug, Serialize)]
pub struct Run {
    pub run: u64,
    pub as_of: String,
    pub sealed_at: String,
}

/// Something with a name that is another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A file that is another.
#[derive(Debug, Serialize)]
pub struct FileChange {
    /// `new`, `gone` or `changed`.
    pub change: &'static str,
    pub path: String,
}

/// An export that only one of the runs has read, or that was another file then.
#[derive(Debug, Serialize)]
pub struct ExportChange {
    /// `new`, `gone` or `changed`.
    pub change: &'static str,
    pub path: String,
    pub records: u64,
}

impl Basis {
    pub fn between(from: &Side<'_>, to: &Side<'_>) -> Basis {
        Basis {
            from: run(from.entry),
            to: run(to.entry),
            run: runs(from.entry, to.entry),
            exports: exports(from.entry, to.entry),
            definitions: files(from.entry, to.entry),
            settings: settings(from, to),
        }
    }
}

fn run(entry: &Entry) -> Run {
    Run { run: entry.number, as_of: entry.as_of.to_string(), sealed_at: entry.sealed_at.clone() }
}

fn runs(from: &Entry, to: &Entry) -> Vec<Differing> {
    let of = |entry: &Entry| {
        let period = entry.period.as_ref().map(|asked| format!("{} {}", asked.grain, asked.name));
        let mut all = BTreeMap::from([
            ("as of".to_owned(), Some(entry.as_of.to_string())),
            ("period asked for".to_owned(), period),
            ("scorebook".to_owned(), Some(entry.program.to_string())),
            ("engine".to_owned(), Some(entry.program.engine.clone())),
            ("typesetter".to_owned(), Some(entry.program.typesetter.clone())),
        ]);
        all.extend(
            entry.overrides.iter().map(|(name, value)| (format!("--{}", name.replace('_', "-")), Some(value.clone()))),
        );
        all
    };
    differing(of(from), of(to))
}

fn differing(from: BTreeMap<String, Option<String>>, to: BTreeMap<String, Option<String>>) -> Vec<Differing> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let of = |all: &BTreeMap<String, Option<String>>, name: &String| all.get(name).cloned().flatten();
    let all =
        names.into_iter().map(|name| Differing { name: name.clone(), before: of(&from, name), after: of(&to, name) });
    all.filter(|one| one.before != one.after).collect()
}

fn exports(from: &Entry, to: &Entry) -> Vec<ExportChange> {
    let of = |entry: &Entry| -> BTreeMap<String, (crate::domain::digest::Digest, u64)> {
        entry.observations.iter().map(|s| (s.path.clone(), (s.digest, s.rows + s.rejected))).collect()
    };
    let (from, to) = (of(from), of(to));
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let change = |path: &String| {
        let (change, records) = match (from.get(path), to.get(path)) {
            (None, Some((_, records))) => ("new", records),
            (Some((_, records)), None) => ("gone", records),
            (Some((old, _)), Some((new, records))) if old != new => ("changed", records),
            _ => return None,
        };
        Some(ExportChange { change, path: path.clone(), records: *records })
    };
    paths.into_iter().filter_map(change).collect()
}

fn files(from: &Entry, to: &Entry) -> Vec<FileChange> {
    let (from, to) = (&from.definitions, &to.definitions);
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let change = |path: &String| match (from.get(path), to.get(path)) {
        (None, Some(_)) => Some("new"),
        (Some(_), None) => Some("gone"),
        (old, new) if old != new => Some("changed"),
        _ => None,
    };
    paths.into_iter().filter_map(|path| Some(FileChange { change: change(path)?, path: path.clone() })).collect()
}

/// The settings that differ, each by its name from the top: `people.minimum_group`.
fn settings(from: &Side<'_>, to: &Side<'_>) -> Vec<Differing> {
    let of = |side: &Side<'_>| {
        let mut all = BTreeMap::new();
        let text = side.project.text(SETTINGS).unwrap_or_default();
        if let Ok(table) = text.parse::<toml::Table>() {
            flatten(&toml::Value::Table(table), String::new(), &mut all);
        }
        all
    };
    differing(of(from), of(to))
}

fn flatten(value: &toml::Value, name: String, all: &mut BTreeMap<String, Option<String>>) {
    match value {
        toml::Value::Table(members) => {
            for (member, value) in members {
                let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                flatten(value, name, all);
            }
        }
        value => {
            all.insert(name, Some(value.to_string()));
        }
    }
}
