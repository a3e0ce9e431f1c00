//! Which exports there are: the files that the settings' paths lead to, and the date each speaks for.

use crate::artifact::trace::Trace;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Digest;
use crate::domain::period::in_range;
use crate::plain_file;
use crate::project::SETTINGS;
use crate::settings::Settings;
use crate::store::Store;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::Regex;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file that a CRM wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The source's name.
    pub source: String,
    /// The table's name.
    pub table: String,
    /// Its path, as the settings lead to it.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// When it was last written, RFC 3339.
    pub modified: String,
    /// What a change of its bytes cannot leave as it was, where the system tells.
    pub trace: Option<Trace>,
    /// The date it speaks for.
    pub data_date: Date,
    /// Whether that date stands in its path, or is the day of its modification.
    pub dated: bool,
    folder: PathBuf,
    within: String,
}

/// The exports there are, and access to them.
pub struct Exports {
    /// All of them, by source, table, data date and path.
    pub found: Vec<Export>,
    /// Those that are not to be read, because they are of later nights than asked for. Their columns tell of those that are.
    pub later: Vec<Export>,
    /// Tables of the settings without any export, and the path that was looked for.
    pub missing: Vec<(String, String)>,
    stores: BTreeMap<PathBuf, Store>,
}

impl Exports {
    /// Leaves out what is of a later night.
    pub fn until(&mut self, night: Date) {
        let (found, later) = self.found.drain(..).partition(|export| export.data_date <= night);
        (self.found, self.later) = (found, later);
    }

    /// The date of a run over them: the newest in a path, else the newest modification.
    pub fn newest(&self) -> Option<Date> {
        let newest = |dated: bool| self.found.iter().filter(|e| e.dated == dated).map(|e| e.data_date).max();
        newest(true).or_else(|| newest(false))
    }

    /// The digest of an export's bytes as they stand now.
    pub async fn digest(&self, export: &Export) -> Result<Digest> {
        self.stores[&export.folder].digest(&export.within).await
    }

    /// An export's size and time of modification now, if it still stands there.
    pub async fn as_it_stands(&self, export: &Export) -> Result<Option<(u64, String)>> {
        self.stores[&export.folder].state(&export.within).await
    }

    /// An export's bytes.
    pub async fn reader(&self, export: &Export) -> Result<Box<dyn Read + Send>> {
        self.stores[&export.folder].reader(&export.within).await
    }
}

/// Lists the exports of all sources, below `project` where a path is relative.
pub async fn find(project: &Path, settings: &Settings) -> Result<Exports> {
    let mut exports = Exports { found: Vec::new(), later: Vec::new(), missing: Vec::new(), stores: BTreeMap::new() };
    let zone = TimeZone::get(&settings.calendar.time_zone).unwrap_or(TimeZone::UTC);
    let mut folders: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for (source, of_source) in &settings.sources {
        for (table, of_table) in &of_source.tables {
            let pattern = of_table.path.as_ref().unwrap_or(&of_source.path).replace("{table}", table);
            let (folder, rest) = split(&pattern);
            let matcher = matcher(&pattern, rest)?;
            let base = project.join(folder);
            let before = exports.found.len();
            if base.is_dir() {
                if !exports.stores.contains_key(&base) {
                    exports.stores.insert(base.clone(), Store::open(&base)?);
                }
                let others = folders.entry(base.clone()).or_insert_with(|| no_files(&base));
                if let Some(other) = others.iter().find(|path| matcher.is_match(path)) {
                    return Err(no_file(&base, folder, other));
                }
                for file in exports.stores[&base].list("").await? {
                    let Some(found) = matcher.captures(&file.path) else { continue };
                    let in_path = found.name("date").map(|date| date_in(date.as_str(), &file.path)).transpose()?;
                    let modified: Option<Timestamp> = file.modified.parse().ok();
                    let modified_on = modified.map(|modified| modified.to_zoned(zone.clone()).date());
                    exports.found.push(Export {
                        source: source.clone(),
                        table: table.clone(),
                        path: if folder.is_empty() { file.path.clone() } else { format!("{folder}/{}", file.path) },
                        size: file.size,
                        modified: file.modified,
                        trace: std::fs::metadata(base.join(&file.path)).ok().and_then(|found| Trace::of(&found)),
                        data_date: in_path.or(modified_on).unwrap_or_default(),
                        dated: in_path.is_some(),
                        folder: base.clone(),
                        within: file.path,
                    });
                }
            }
            if exports.found.len() == before {
                exports.missing.push((format!("{source}.{table}"), pattern));
            }
        }
    }
    let order = |e: &Export| (e.source.clone(), e.table.clone(), e.data_date, e.path.clone());
    exports.found.sort_by_key(order);
    if exports.found.is_empty() {
        return Err(Diagnostic::data("there are no exports")
            .at(Place::file(SETTINGS))
            .note(match exports.missing.first() {
                Some((table, pattern)) => format!("{table}, for one, is looked for at {pattern}"),
                None => "no source is configured".into(),
            })
            .help("put the CRM's files there, or correct the path under [sources]")
            .help("`scorebook sample` writes exports to try things with"));
    }
    Ok(exports)
}

/// Paths under a folder at which something else than a file stands: they may be called like exports and cannot be read.
fn no_files(base: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(base.join(&folder)).into_iter().flatten().flatten() {
            let within = folder.join(entry.file_name());
            let Some(what) = plain_file::otherwise(&entry.path()) else { continue };
            found.push(within.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"));
            if what == "a folder" && depth < DEEPEST {
                folders.push((within, depth + 1));
            }
        }
    }
    found.sort();
    found
}

/// Exports stand in so many folders within each other at most; a link that leads back ends there.
const DEEPEST: usize = 16;

fn no_file(base: &Path, folder: &str, within: &str) -> Box<Diagnostic> {
    let what = plain_file::otherwise(&base.join(within)).unwrap_or("no file");
    let path = if folder.is_empty() { within.to_owned() } else { format!("{folder}/{within}") };
    Diagnostic::data(format!("{path} is {what}, and an export is a file"))
        .at(Place::file(path))
        .note("nothing was read: a pipe would be waited for, and a device has no end")
        .help("have the CRM write a file there, or take it away")
}

fn date_in(text: &str, path: &str) -> Result<Date> {
    let read = text.parse().map_err(|_| format!("`{text}` in the path of an export is no date"));
    read.and_then(in_range).map_err(|reason| {
        Diagnostic::data(reason)
            .at(Place::file(path))
            .help("rename the folder or the file to the date that the export speaks for")
    })
}

/// The folder before the first placeholder, and what follows it.
fn split(pattern: &str) -> (&str, &str) {
    let fixed = pattern.find(['{', '*']).unwrap_or(pattern.len());
    match pattern[..fixed].rfind('/') {
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => ("", pattern),
    }
}

fn matcher(pattern: &str, rest: &str) -> Result<Regex> {
    let escaped = regex::escape(rest);
    let text = escaped.replacen(r"\{date\}", r"(?P<date>\d{4}-\d{2}-\d{2})", 1).replace(r"\*", "[^/]*");
    if text.contains(r"\{") {
        return Err(Diagnostic::project(format!("the path `{pattern}` has an unknown placeholder"))
            .at(Place::file(SETTINGS))
            .help("a path may have {date} once, {table}, and *"));
    }
    Regex::new(&format!("^{text}$")).map_err(|error| Diagnostic::internal(error.to_string()))
}
