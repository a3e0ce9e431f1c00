//! Which columns of a table may land.
//!
//! In a table of which the settings keep something private, only what a person decided on lands: what the settings name, and what
//! a staging file names. Everything else is dropped until it is decided, so that a column that a CRM adds or renames at night is
//! in no case written in clear. `docs/rules/privacy.md` has the rules.

use super::header;
use super::policy::ColumnPolicy;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::heading::{bare, folded};
use crate::project::SETTINGS;
use crate::settings::{Policy, Table};
use std::collections::{BTreeMap, BTreeSet};

/// So many columns are named in a message.
const NAMED: usize = 5;

/// The columns that definitions name: source -> table -> columns.
pub type Read = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What decides on a table's columns.
pub struct Privacy<'a> {
    table: &'a Table,
    read: Option<&'a BTreeSet<String>>,
}

impl<'a> Privacy<'a> {
    /// Of a table, by its settings and by what definitions name of it.
    pub fn of(source: &str, name: &str, table: &'a Table, read: &'a Read) -> Privacy<'a> {
        Privacy { table, read: read.get(source).and_then(|tables| tables.get(name)) }
    }

    /// Whether only what was decided on lands.
    pub fn is_closed(&self) -> bool {
        self.table.private().next().is_some()
    }

    /// What of the definitions decides here, as far as it does: part of the key of what lands.
    pub fn decided_by_definitions(&self) -> Option<&'a BTreeSet<String>> {
        self.read.filter(|_| self.is_closed())
    }

    /// What becomes of a column.
    pub fn policy(&self, column: &str) -> ColumnPolicy {
        match self.table.named(column) {
            Some((_, Policy::Keep)) => ColumnPolicy::Keep,
            Some((_, Policy::Drop)) => ColumnPolicy::Drop,
            Some((_, Policy::Pseudonymise)) => ColumnPolicy::Pseudonymise,
            None if Table::is_free_text(column) => ColumnPolicy::Drop,
            None if self.is_closed() && !self.is_decided_by_definitions(column) => ColumnPolicy::Undecided,
            None => ColumnPolicy::Keep,
        }
    }

    /// Whether a definition names a column. What looks like a private one is decided by the settings alone: a definition that
    /// reads `E-Mail` does not say that it may be read.
    fn is_decided_by_definitions(&self, column: &str) -> bool {
        let own = bare(column);
        let looks_private = !own.is_empty() && self.table.private().any(|(name, _)| bare(name) == own);
        !looks_private && self.read.is_some_and(|read| read.contains(column))
    }

    /// Whether a line is this table's header at all, and not its first record: it has a column that somebody decided on. Else
    /// its cells are printed nowhere.
    fn is_header(&self, header: &[String]) -> bool {
        let is_read = |name: &String| self.read.is_some_and(|read| read.contains(name));
        header.iter().any(|name| self.table.named(name).is_some() || is_read(name))
    }
}

/// An export's header, before anything of the export is written.
pub struct Header {
    /// The export's path.
    pub path: String,
    /// Whether the run lands it, or only looks at it.
    pub lands: bool,
    /// The names of its columns, also those that a repeated or an empty one gets.
    names: Vec<String>,
    folded: BTreeSet<String>,
}

impl Header {
    /// Of an export, from the names in its first line.
    pub fn new(path: &str, lands: bool, given: &[String]) -> Header {
        let mut names: Vec<String> = given.iter().filter(|name| !name.is_empty()).cloned().collect();
        names.extend(header::unique(given).into_iter().filter(|name| !given.contains(name)));
        let folded = names.iter().map(|name| folded(name)).collect();
        Header { path: path.to_owned(), lands, names, folded }
    }

    /// Whether another has the same columns.
    pub fn is_like(&self, other: &Header) -> bool {
        self.lands == other.lands && self.folded == other.folded
    }

    fn has(&self, column: &str) -> bool {
        self.folded.contains(&folded(column))
    }
}

/// Refuses policies that no export has a column for, and exports in which a private column may stand under another name.
///
/// An export may lack a private column, of a night before the CRM had it. But what stands in such an export and in none beside
/// that column may be the column itself, renamed: it has to be decided on first.
///
/// # Errors
/// The first such policy, or export.
pub fn check(name: &str, privacy: &Privacy<'_>, headers: &[Header], settings: &str) -> Result<()> {
    if headers.is_empty() {
        return Ok(());
    }
    for (column, policy) in &privacy.table.columns {
        let (with, without): (Vec<&Header>, Vec<&Header>) = headers.iter().partition(|header| header.has(column));
        if with.is_empty() {
            return Err(unmatched(name, privacy, column, *policy, headers, settings));
        }
        if *policy == Policy::Keep {
            continue;
        }
        let beside: BTreeSet<&String> = with.iter().flat_map(|header| &header.folded).collect();
        for header in without.into_iter().filter(|header| header.lands) {
            let is_suspect = |name: &&String| {
                privacy.table.named(name).is_none() && !Table::is_free_text(name) && !beside.contains(&folded(name))
            };
            let suspects: Vec<&String> = header.names.iter().filter(is_suspect).collect();
            if !suspects.is_empty() {
                return Err(renamed(name, privacy, (column, *policy), header, &suspects));
            }
        }
    }
    Ok(())
}

/// A policy that decides nothing.
fn unmatched(
    name: &str,
    privacy: &Privacy<'_>,
    column: &str,
    policy: Policy,
    headers: &[Header],
    settings: &str,
) -> Box<Diagnostic> {
    let error = Diagnostic::project(format!(
        "`{column} = \"{}\"` decides nothing: no export of {name} has a column `{column}`",
        policy.name()
    ));
    let error = error.at(place(settings, name, column));
    let readable = headers.iter().rev().find(|header| privacy.is_header(&header.names));
    let error = match readable {
        Some(header) => {
            let known: Vec<&str> = header.names.iter().map(String::as_str).collect();
            match alike(column, &known) {
                Some(alike) => error.help(format!("did you mean `{alike}`?")),
                None => error.closest(column, known),
            }
        }
        None => error.note("the first line of its exports names no column that is known, so it is not shown here"),
    };
    error
        .note("a policy that is misspelled would let the column land in clear, so the run stops before anything is written")
        .help("correct the name, or take it out if the CRM exports it no more")
}

/// A column that may be a private one under another name.
fn renamed(
    name: &str,
    privacy: &Privacy<'_>,
    (column, policy): (&str, Policy),
    header: &Header,
    suspects: &[&String],
) -> Box<Diagnostic> {
    let error = Diagnostic::data(format!(
        "{name} has no column `{column}` here, for which the settings say \"{}\", and has columns that never stood beside it",
        policy.name()
    ))
    .at(Place::file(&header.path))
    .note("one of them may be that column under another name, so the run stops before anything is written");
    if !privacy.is_header(&header.names) {
        return error
            .note("its first line names no column that is known, so it is not shown here: it may be a record")
            .help("have the CRM export it again, with its header");
    }
    let shown = suspects.iter().take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if suspects.len() > NAMED { format!(" and {} more", suspects.len() - NAMED) } else { String::new() };
    let known: Vec<&str> = suspects.iter().map(|name| name.as_str()).collect();
    let likely = alike(column, &known).or_else(|| known.first().copied()).unwrap_or_default();
    let table = name.rsplit('.').next().unwrap_or(name);
    error.note(format!("they are {shown}{more}")).help(format!(
        "say what becomes of each in {SETTINGS}: {table} = {{ columns = {{ \"{likely}\" = \"{}\" }} }}; or \"keep\", if it is \
         another column",
        policy.name()
    ))
}

/// The column that looks like this one.
fn alike<'a>(column: &str, known: &[&'a str]) -> Option<&'a str> {
    let own = bare(column);
    known.iter().copied().find(|name| !own.is_empty() && bare(name) == own)
}

/// The line of the settings that names the column, in the table's part if it has one of its own.
fn place(settings: &str, table: &str, column: &str) -> Place {
    let table = table.rsplit('.').next().unwrap_or(table);
    let lines: Vec<&str> = settings.lines().collect();
    let start = lines.iter().position(|line| line.contains("columns") && line.contains(table) && line.contains(column));
    let start = start.or_else(|| {
        let head = lines.iter().position(|line| line.trim_start().starts_with('[') && line.contains(table))?;
        lines[head..].iter().position(|line| line.contains(column)).map(|i| head + i)
    });
    let line = start.or_else(|| lines.iter().position(|line| line.contains(column))).map_or(0, |i| i + 1);
    Place::line(SETTINGS, settings, line).word(column)
}
