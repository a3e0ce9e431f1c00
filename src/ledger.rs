//! The ledger: the append-only, hash-chained list of what each run read, used and wrote.
//!
//! An entry is canonical JSON at `ledger/<number>.json`. It holds the hash of the one before it and its own: the SHA-256
//! of its canonical JSON without the member `hash`. Appending one is what publishes a run; it is put only if absent, and
//! only with the proof that everything it names stands on the disk.

use crate::artifact::document::Document;
use crate::artifact::finding::Finding;
use crate::artifact::model::{Balance, ModelTable};
use crate::artifact::scores::ScoreTable;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::domain::digest::{Digest, Digester};
use crate::domain::json;
use crate::domain::period::{Grain, Period};
pub use crate::lock::Unlocked;
use crate::provenance::Program;
use crate::steps::Counts;
use crate::store::{Store, Synced};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The ledger's folder.
pub const FOLDER: &str = "ledger";
/// The format of an entry.
pub const FORMAT: u32 = 1;

/// One run, sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// [`FORMAT`].
    pub format: u32,
    /// Its place in the ledger, counted from 1.
    pub number: u64,
    /// What was sealed: `run`.
    pub kind: String,
    /// The hash of the entry before; of the first one, none.
    pub previous: Option<Digest>,
    /// The run's date.
    pub as_of: Date,
    /// When the run began, by the wall clock.
    pub started_at: String,
    /// When it was sealed.
    pub sealed_at: String,
    /// The programs that made it.
    pub program: Program,
    /// What overrode `scorebook.toml`, as far as it changes results.
    pub overrides: BTreeMap<String, String>,
    /// The period that was asked for; empty where it is that of `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Asked>,
    /// What was to be known, if not all that there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// That the lock was freed by hand since the run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlocked: Option<Unlocked>,
    /// Every export that was read.
    pub observations: Vec<Snapshot>,
    /// Every definition, by its path in the project.
    pub definitions: BTreeMap<String, Digest>,
    /// What became of every record.
    pub balance: Vec<Balance>,
    /// What checks warned of.
    pub findings: Vec<Finding>,
    /// The model.
    pub model: BTreeMap<String, ModelTable>,
    /// The scores, by metric.
    pub scores: BTreeMap<String, ScoreTable>,
    /// Report -> the period of which it tells: one without documents had nobody to read it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reports: BTreeMap<String, String>,
    /// The documents.
    pub documents: Vec<Document>,
    /// Documents that could not be made, and why.
    pub failures: Vec<Failure>,
    /// What was made anew and what was found.
    pub work: Work,
    /// The hash of all that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
}

/// The period that a run was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// As [`Period::name`] gives it.
    pub name: String,
    /// How long it is: a listed month and a listed quarter may have one name.
    pub grain: Grain,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
}

impl Asked {
    /// A period by its name.
    pub fn of(period: Period) -> Asked {
        Asked { name: period.name(), grain: period.grain, start: period.start, end: period.end }
    }

    /// The day whose periods are scored and reported: its last one, or the run's date if that is earlier.
    pub fn anchor(&self, as_of: Date) -> Date {
        self.end.min(as_of)
    }
}

/// What a run was to know: what another run read, or the exports up to a data date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAt {
    /// The other run's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// The last data date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_date: Option<Date>,
}

impl std::fmt::Display for KnownAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.run, self.data_date) {
            (Some(run), _) => write!(f, "run {run}"),
            (None, Some(date)) => write!(f, "{date}"),
            (None, None) => f.write_str("all"),
        }
    }
}

/// A document that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The report's id.
    pub report: String,
    /// The entity's id.
    pub entity: String,
    /// Why.
    pub reason: String,
}

/// What each stage made and what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Exports landed and found.
    pub land: Counts,
    /// Model tables made and found.
    pub stage: Counts,
    /// Metrics scored and found.
    pub score: Counts,
    /// Documents rendered and found.
    pub render: Counts,
}

impl Work {
    /// Whether everything was found as it was.
    pub fn made_nothing(&self) -> bool {
        [self.land, self.stage, self.score, self.render].iter().all(|counts| counts.made == 0)
    }
}

impl Entry {
    /// The day whose periods were scored and reported.
    pub fn anchor(&self) -> Date {
        self.period.as_ref().map_or(self.as_of, |asked| asked.anchor(self.as_of))
    }

    /// Whether these bytes are the entry's one canonical text.
    pub fn is_canonical(&self, bytes: &[u8]) -> bool {
        json::canonical(self).as_bytes() == bytes
    }

    /// The path of an entry.
    pub fn path(number: u64) -> String {
        format!("{FOLDER}/{number:06}.json")
    }

    /// The documents of every format, and what else the entry names: all objects with their digests.
    pub fn objects(&self) -> BTreeMap<String, Digest> {
        let mut all = BTreeMap::new();
        self.each_object(|path, digest| {
            all.insert(path, digest);
        });
        all
    }

    /// Gives the path and digest of each object that the entry names, some more than once.
    pub fn each_object(&self, mut add: impl FnMut(String, Digest)) {
        for snapshot in &self.observations {
            add(snapshot.raw_path(), snapshot.raw);
            if let (Some(path), Some(digest)) = (snapshot.rejects_path(), snapshot.rejects) {
                add(path, digest);
            }
        }
        for (name, table) in &self.model {
            table.objects(name).into_iter().for_each(|(_, path, digest)| add(path, digest));
        }
        for (metric, table) in &self.scores {
            add(table.path(metric), table.digest);
        }
        for document in &self.documents {
            document.files.iter().for_each(|(format, digest)| add(Document::path(format, digest), *digest));
        }
        for digest in self.definitions.values() {
            add(format!("{}/{digest}", crate::project::DEFINITIONS), *digest);
        }
    }
}

/// Where the next entry goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub count: u64,
    /// The hash of the newest.
    pub hash: Option<Digest>,
}

impl Head {
    /// Appends an entry: gives it its number, its predecessor and its hash, and publishes it.
    pub async fn append(self, store: &Store, mut entry: Entry, proof: Synced) -> Result<Entry> {
        entry.number = self.count + 1;
        entry.previous = self.hash;
        entry.hash = None;
        entry.hash = Some(Digest::of(json::canonical(&entry).as_bytes()));
        let path = Entry::path(entry.number);
        if !store.append_synced(&path, json::canonical(&entry).into_bytes(), proof).await? {
            return Err(Diagnostic::new(Kind::Locked, format!("another run sealed {path} in the meantime"))
                .note("nothing of this run was published; what it made will be found by the next one")
                .help("run again"));
        }
        Ok(entry)
    }
}

/// Reads all entries, oldest first, and checks their hashes and their chain. None is kept: a run needs little of most.
/// That each is canonical is looked at by `verify`: it takes many times an entry's size in memory.
pub async fn walk(store: &Store, mut each: impl FnMut(Entry)) -> Result<Head> {
    walk_on(store, Head::default(), |entry, _| each(entry)).await
}

/// Reads the entries behind a head, as [`walk`] does, with their bytes; also those that are sealed while it reads.
pub async fn walk_on(store: &Store, mut head: Head, mut each: impl FnMut(Entry, &[u8])) -> Result<Head> {
    // What is listed before the entries are read must be among them, whatever is sealed meanwhile.
    let listed = store.list(FOLDER).await?;
    while let Some(bytes) = store.find(&Entry::path(head.count + 1)).await? {
        let path = Entry::path(head.count + 1);
        let entry = entry(&path, &bytes)?;
        if entry.previous != head.hash {
            return Err(broken(&path, "it does not continue the entry before it"));
        }
        head = Head { count: entry.number, hash: entry.hash };
        each(entry, &bytes);
    }
    let read = |path: &str| (1..=head.count).contains(&number(path)) && path == Entry::path(number(path));
    match listed.iter().find(|listed| listed.path.ends_with(".json") && !read(&listed.path)) {
        Some(beyond) => Err(broken(&beyond.path, &format!("entry {} is missing before it", head.count + 1))),
        None => Ok(head),
    }
}

/// The number in an entry's path; zero if there is none.
fn number(path: &str) -> u64 {
    path.trim_start_matches(FOLDER).trim_start_matches('/').trim_end_matches(".json").parse().unwrap_or_default()
}

/// Reads an entry again whose place in the chain is known: it must still be the one with this hash.
pub async fn read(store: &Store, number: u64, hash: Option<Digest>) -> Result<Entry> {
    let path = Entry::path(number);
    let entry = entry(&path, &store.get(&path).await?)?;
    match entry.hash == hash {
        true => Ok(entry),
        false => Err(broken(&path, "it is not the entry that it was when this run began")),
    }
}

/// The ledger as it stands.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// All entries, oldest first.
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// All entries, as [`walk`] reads them.
    pub async fn read(store: &Store) -> Result<Ledger> {
        let mut ledger = Ledger::default();
        walk(store, |entry| ledger.entries.push(entry)).await?;
        Ok(ledger)
    }

    /// The newest entry.
    pub fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// The hash of the newest entry.
    pub fn head(&self) -> Option<Digest> {
        self.last().and_then(|entry| entry.hash)
    }

    /// An entry as the user names it: its number, the beginning of its hash (four digits or more), or `last`.
    pub fn find(&self, name: &str) -> Result<&Entry> {
        let found = match name {
            "last" | "latest" => self.last(),
            _ => match name.parse::<u64>() {
                Ok(number) => self.entries.iter().find(|entry| entry.number == number),
                Err(_) if name.len() >= 4 => {
                    self.entries.iter().find(|e| e.hash.is_some_and(|hash| hash.to_string().starts_with(name)))
                }
                Err(_) => None,
            },
        };
        found.ok_or_else(|| {
            Diagnostic::usage(format!("there is no run `{name}`")).help(match self.entries.len() {
                0 => "nothing was sealed yet: `scorebook run`".to_owned(),
                count => format!(
                    "name one by its number, 1 to {count}, by its hash, or as `last`; `scorebook runs` lists them"
                ),
            })
        })
    }
}

fn entry(path: &str, bytes: &[u8]) -> Result<Entry> {
    let entry: Entry = serde_json::from_slice(bytes).map_err(|error| broken(path, &error.to_string()))?;
    if entry.hash.is_none() || entry.hash != hash_without_itself(bytes, &entry) {
        return Err(broken(path, "its hash is not that of its contents"));
    }
    if Entry::path(entry.number) != path {
        return Err(broken(path, &format!("it says that it is entry {}", entry.number)));
    }
    Ok(entry)
}

/// The hash of an entry's text as it stands, without the member that holds the hash.
fn hash_without_itself(bytes: &[u8], entry: &Entry) -> Option<Digest> {
    let member = format!("\"hash\":\"{}\",", entry.hash?);
    let start = memchr::memmem::find(bytes, member.as_bytes())?;
    let mut digester = Digester::default();
    digester.update(&bytes[..start]);
    digester.update(&bytes[start + member.len()..]);
    Some(digester.finish())
}

fn broken(path: &str, why: &str) -> Box<Diagnostic> {
    Diagnostic::new(Kind::Verification, format!("the ledger is damaged: {path}"))
        .at(Place::file(path))
        .note(why)
        .help("restore the warehouse from a backup; a ledger is never repaired in place")
}
