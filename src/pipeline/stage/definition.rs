//! `queries/staging/<source>/<name>.sql`: how one export becomes rows of one model table.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Digest;
use crate::engine::{self, Sql};
use crate::pipeline::stage::contract::Contract;
use crate::pipeline::stage::contract_check;
use crate::project::{self, Project};
use crate::settings::Settings;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where staging definitions stand.
pub const FOLDER: &str = "queries/staging/";

/// The header of a staging file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The export's table.
    pub from: String,
    /// The model's table.
    pub into: String,
    /// Other tables of the same source that the SQL may join: their newest export.
    #[serde(default)]
    pub lookups: Vec<String>,
    /// Columns that not every export has, empty where one lacks them: what was renamed or added since the first night.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Forms of dates and moments by column, where they are not ISO 8601: `%m/%d/%Y`, `epoch_ms`.
    #[serde(default)]
    pub formats: BTreeMap<String, String>,
}

/// A staging file, checked.
#[derive(Clone, Debug)]
pub struct Staging<'a> {
    /// Its path in the project.
    pub path: &'a str,
    /// The source: its folder's name.
    pub source: &'a str,
    /// Its header.
    pub header: Header,
    /// Its SQL.
    pub sql: Sql<'a>,
    /// Its digest.
    pub digest: Digest,
}

/// All staging files, by path.
pub fn read<'a>(project: &'a Project, settings: &Settings, contract: &Contract) -> Result<Vec<Staging<'a>>> {
    let files = project.texts(FOLDER, ".sql")?;
    files.into_iter().map(|(path, text, digest)| one(path, text, digest, settings, contract)).collect()
}

/// The columns that staging files name of their source's tables: source -> table -> columns.
pub fn columns_named(
    project: &Project,
    settings: &Settings,
) -> Result<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> {
    let mut named: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for staging in read(project, settings, &contract_check::read(project)?)? {
        let columns = engine::columns_named(&staging.sql)?;
        for table in std::iter::once(&staging.header.from).chain(&staging.header.lookups) {
            let of_table = named.entry(staging.source.to_owned()).or_default().entry(table.clone()).or_default();
            of_table.extend(columns.of(table).map(String::from));
        }
    }
    Ok(named)
}

fn one<'a>(
    path: &'a str,
    text: &'a str,
    digest: Digest,
    settings: &Settings,
    contract: &Contract,
) -> Result<Staging<'a>> {
    let split = project::split(path, text)?;
    let header: Header = project::toml(path, text, split.header, 1)?;
    let place = |word: &str| {
        let line = text.lines().position(|line| line.contains(word)).map_or(1, |i| i + 1);
        Place::line(path, text, line).word(word)
    };
    let source = path[FOLDER.len()..].split_once('/').map_or("", |(source, _)| source);
    let Some(settings) = settings.sources.get(source) else {
        return Err(Diagnostic::project(format!("the source `{source}` is not in the settings"))
            .at(Place::file(path))
            .note("a staging file stands in its source's folder: queries/staging/<source>/<name>.sql")
            .help(format!("add [sources.{source}] to scorebook.toml")));
    };
    for table in std::iter::once(&header.from).chain(&header.lookups) {
        if !settings.tables.contains_key(table) {
            return Err(Diagnostic::project(format!("`{table}` is no table of the source {source}"))
                .at(place(table))
                .closest(table, settings.tables.keys().map(String::as_str))
                .help(format!("add [sources.{source}.tables.{table}] to scorebook.toml")));
        }
    }
    if !contract.tables.contains_key(&header.into) {
        return Err(Diagnostic::project(format!("`{}` is no table of the model", header.into))
            .at(place(&header.into))
            .closest(&header.into, contract.tables.keys().map(String::as_str))
            .help("describe it in queries/model.toml"));
    }
    let sql = Sql { file: path, source: text, text: split.sql, first_line: split.sql_line, is_definition: true };
    Ok(Staging { path, source, header, sql, digest })
}
