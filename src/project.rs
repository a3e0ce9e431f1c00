//! A project's definitions as a tree of named bytes: from its folder, or from the ledger's copies of them.
//!
//! Everything that shapes a number or a page passes through here and has a digest; no stage opens a file.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Digest;
use crate::plain_file;
use crate::store::{Store, object_name};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

/// The settings file at a project's root.
pub const SETTINGS: &str = "scorebook.toml";
/// Where the ledger's copies of definitions stand in the warehouse.
pub const DEFINITIONS: &str = "definitions";

/// The most bytes of one definition: of a text that people write, and of a font or a picture.
const MOST_TEXT_BYTES: u64 = 1 << 20;
const MOST_BYTES: u64 = 64 << 20;
/// What definitions are written in.
const TEXTS: [&str; 6] = ["sql", "toml", "typ", "html", "css", "csv"];
/// The most definitions of a project, and the most folders within each other: beyond them is another folder, or a link that
/// leads back to where it stands.
const MOST_FILES: usize = 10_000;
const DEEPEST: usize = 16;

/// One definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The file's bytes, verbatim.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
}

/// All definitions of a project by their path in it, `/` between folders.
#[derive(Clone, Debug, Default)]
pub struct Project {
    files: BTreeMap<String, Definition>,
}

impl Project {
    /// Reads a project's folder: its settings, its queries and its report templates.
    pub fn open(folder: &Path) -> Result<Project> {
        let settings = folder.join(SETTINGS);
        if !settings.is_file() && plain_file::otherwise(&settings).is_none() {
            return Err(Diagnostic::project(format!("{} is no Scorebook project", folder.display()))
                .note(format!("there is no {SETTINGS} in it"))
                .help("run this in a project's folder, or name one with --project DIR"));
        }
        let mut project = Project::default();
        project.read(folder, SETTINGS)?;
        for part in ["queries", "report_templates"] {
            project.read_folder(folder, part, 0)?;
        }
        Ok(project)
    }

    /// The definitions of a past run, from the warehouse.
    pub async fn from_ledger(store: &Store, names: &BTreeMap<String, Digest>) -> Result<Project> {
        let mut project = Project::default();
        for (path, digest) in names {
            let bytes = store.get(&object_name(DEFINITIONS, digest, "")).await;
            project.insert(path.clone(), bytes.map_err(|error| error.note(format!("it is {path} of that run")))?);
        }
        Ok(project)
    }

    /// A project of these files alone.
    pub fn of_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Project {
        let mut project = Project::default();
        project.extend(files);
        project
    }

    /// Adds definitions that stand in no folder, such as built-in fonts.
    pub fn extend(&mut self, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
        for (path, bytes) in files {
            self.insert(path, bytes.into());
        }
    }

    fn insert(&mut self, path: String, bytes: Bytes) {
        let digest = Digest::of(&bytes);
        self.files.insert(path, Definition { bytes, digest });
    }

    fn read(&mut self, folder: &Path, path: &str) -> Result<()> {
        let file = folder.join(path);
        if let Some(what) = plain_file::otherwise(&file) {
            return Err(Diagnostic::project(format!("{path} is {what}, and a definition is a file"))
                .at(Place::file(path))
                .help("put a file in its place, or take it away"));
        }
        let is_text = TEXTS.iter().any(|ending| path.rsplit_once('.').is_some_and(|(_, own)| own == *ending));
        let most = if is_text { MOST_TEXT_BYTES } else { MOST_BYTES };
        let bytes = plain_file::read(&file, most)
            .map_err(|error| Diagnostic::project(format!("cannot read {path}: {error}")).at(Place::file(path)))?;
        let Some(bytes) = bytes else {
            return Err(Diagnostic::project(format!("{path} is larger than {} MiB", most >> 20))
                .at(Place::file(path))
                .note(format!(
                    "a definition has at most {} MiB, a font or a picture {}",
                    MOST_TEXT_BYTES >> 20,
                    MOST_BYTES >> 20
                ))
                .help("data do not belong among the definitions: exports stand where [sources] says"));
        };
        if self.files.len() >= MOST_FILES {
            return Err(Diagnostic::project(format!("a project has at most {MOST_FILES} definitions"))
                .at(Place::file(path))
                .help("take away what is no definition; a link may lead to another folder"));
        }
        self.insert(path.to_owned(), bytes.into());
        Ok(())
    }

    fn read_folder(&mut self, folder: &Path, part: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(Diagnostic::project(format!("more than {DEEPEST} folders stand within each other"))
                .at(Place::file(part))
                .help("a link may lead back to a folder that it stands in: take it away"));
        }
        let entries = match std::fs::read_dir(folder.join(part)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Diagnostic::project(format!("cannot read the folder {part}: {error}"))),
        };
        let mut names: Vec<_> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in names.iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
            let path = format!("{part}/{name}");
            // A folder that is called like a definition is a mistake, and not a place for more of them.
            let named_as_file = TEXTS.iter().any(|ending| name.ends_with(&format!(".{ending}")));
            if folder.join(&path).is_dir() && !named_as_file {
                self.read_folder(folder, &path, depth + 1)?;
            } else {
                self.read(folder, &path)?;
            }
        }
        Ok(())
    }

    /// Writes all definitions to the warehouse.
    pub async fn keep(&self, store: &Store) -> Result<()> {
        for definition in self.of_run().map(|(_, definition)| definition) {
            store.put_named(DEFINITIONS, "", definition.bytes.to_vec()).await?;
        }
        Ok(())
    }

    /// Path and digest of every definition that a run may use: all but the metric tests.
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        self.of_run().map(|(path, definition)| (path.clone(), definition.digest)).collect()
    }

    fn of_run(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.files.iter().filter(|(path, _)| !path.starts_with("queries/tests/"))
    }

    /// One definition.
    pub fn find(&self, path: &str) -> Option<&Definition> {
        self.files.get(path)
    }

    /// One definition's text.
    pub fn text(&self, path: &str) -> Result<&str> {
        let definition = self.find(path).ok_or_else(|| {
            let known = self.files.keys().map(String::as_str);
            Diagnostic::project(format!("there is no {path}")).closest(path, known)
        })?;
        text(path, &definition.bytes)
    }

    /// The definitions under a folder whose names end so, by path: path, text and digest.
    pub fn texts<'a>(&'a self, folder: &str, suffix: &str) -> Result<Vec<(&'a str, &'a str, Digest)>> {
        let under = |path: &str| path.starts_with(folder) && path.ends_with(suffix);
        let found = self.files.iter().filter(|(path, _)| under(path));
        found.map(|(path, file)| Ok((path.as_str(), text(path, &file.bytes)?, file.digest))).collect()
    }

    /// The definitions under a folder, by path.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Definition)> {
        self.files.iter().filter(move |(path, _)| path.starts_with(folder)).map(|(path, file)| (path.as_str(), file))
    }
}

fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        Diagnostic::project(format!("{path} is not UTF-8 at byte {}", error.valid_up_to()))
            .at(Place::file(path))
            .help("save it as UTF-8")
    })
}

/// Reads TOML, with its faults shown at their place; `line` is the file's line on which `text` starts.
pub fn toml<T: DeserializeOwned>(path: &str, source: &str, text: &str, line: usize) -> Result<T> {
    ::toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = &text[..start.min(text.len())];
        let row = line + before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let width = error.span().map_or(1, |span| text[span].split('\n').next().unwrap_or_default().chars().count());
        let message = error.message().replace('\n', "; ");
        Diagnostic::project(format!("{path} cannot be read: {message}"))
            .at(Place::line(path, source, row).columns(column, width))
            .help("settings and headers are TOML: `name = \"value\"`")
    })
}

/// An SQL file: its header and the SQL beneath it.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// The TOML between `/*---` and `---*/`.
    pub header: &'a str,
    /// The SQL after it.
    pub sql: &'a str,
    /// The line on which the SQL starts, counted from 1.
    pub sql_line: usize,
}

/// Cuts an SQL file into header and SQL.
pub fn split<'a>(path: &str, source: &'a str) -> Result<Split<'a>> {
    let cut = source.strip_prefix("/*---").and_then(|rest| rest.split_once("---*/"));
    let Some((header, rest)) = cut else {
        return Err(Diagnostic::project(format!("{path} has no header"))
            .at(Place::line(path, source, 1))
            .note("the header is TOML between `/*---` in the first line and `---*/`")
            .help("see any file under queries/ for an example"));
    };
    let sql = rest.trim_start();
    let sql_line = source[..source.len() - sql.len()].matches('\n').count() + 1;
    Ok(Split { header, sql: sql.trim_end(), sql_line })
}
