//! `scorebook verify`: recomputes canonical form, chain and digests. Nothing is taken on trust, least of all the cache.
//!
//! No lock is taken, and a run may seal meanwhile: what it adds is read as well, until nothing was added while the last of it was
//! read; and what seems wrong is looked at once more then.

use crate::cli::{Format, Global, VerifyArgs};
use crate::command::deep;
use crate::command::opened::Opened;
use crate::command::output::{self, Table, tell};
use crate::command::replay;
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::digest::{Digest, Key};
use crate::ledger::{self, Entry, FOLDER as LEDGER, Head, Ledger};
use crate::store::{OBJECTS, Store, promised};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn verify(global: &Global, args: VerifyArgs) -> Result<Option<Kind>> {
    let opened = Opened::existing(global)?;
    let mut seen = Seen::new(&opened.store);
    while seen.read_on().await? {}
    let mut table = Table::new(&["object", "finding"]);
    for (path, finding) in seen.findings().await? {
        table.row([path, finding]);
    }
    if seen.hashes.is_empty() {
        table.row([LEDGER, "there is no entry"]);
    }
    let place = args.expect_head.as_deref().map(|expected| seen.place_of(expected));
    if place == Some(None) {
        table.row([LEDGER, "it does not hold the expected head: entries were taken away, or it is another ledger"]);
    }
    let mut error = (!table.rows.is_empty()).then(|| failed(&table));
    let mut text = seen.summary();
    text.extend(place.flatten());
    if args.deep && error.is_none() {
        let ledger = Ledger::read(&opened.store).await?;
        if let Some((entry, sample)) = deep::sample(&opened, &ledger, args.sample, global.quiet).await? {
            error = (!sample.differing.is_empty()).then(|| replay::refused(entry, sample.differing.len()));
            text.push(sample.proves(entry));
            sample.differing.into_iter().for_each(|row| table.row(row));
        }
    }
    match (global.format, error.is_none()) {
        (Format::Table, true) => output::write(&text.iter().map(|line| format!("{line}\n")).collect::<String>())?,
        (format, is_sound) => {
            output::write(&table.render(format))?;
            // The result is the table; what is worth knowing besides is told.
            text.iter().filter(|_| is_sound).for_each(|line| tell(line));
        }
    }
    error.map_or(Ok(None), Err)
}

fn failed(table: &Table) -> Box<Diagnostic> {
    let first = table.rows.first().and_then(|row| row[0].clone()).unwrap_or_default();
    let failed = table.rows.len();
    Diagnostic::new(Kind::Verification, format!("verification failed: {failed} of the objects, {first} first"))
        .note("what the ledger names is not what stands in the warehouse")
        .help("`scorebook run` makes again what the newest run needs and its inputs still give")
        .help("restore the other named objects from a backup, and verify again")
}

/// What was read of the ledger and the objects so far.
struct Seen<'a> {
    store: &'a Store,
    head: Head,
    /// The hashes of all entries, oldest first.
    hashes: Vec<Option<Digest>>,
    named: BTreeMap<String, Digest>,
    /// Named objects that were not looked at yet.
    new: BTreeMap<String, Digest>,
    unnamed: BTreeSet<String>,
    /// What each document's key gave, and the entry that said so first.
    keys: BTreeMap<Key, (u64, BTreeMap<String, Digest>)>,
    /// What is wrong with entries, and stays so.
    entries: Vec<(String, String)>,
    /// Paths that seem wrong.
    suspect: BTreeSet<String>,
}

impl<'a> Seen<'a> {
    fn new(store: &'a Store) -> Seen<'a> {
        Seen {
            store,
            head: Head::default(),
            hashes: Vec::new(),
            named: BTreeMap::new(),
            new: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            keys: BTreeMap::new(),
            entries: Vec::new(),
            suspect: BTreeSet::new(),
        }
    }

    /// Reads the entries that were sealed since, what they name, and what nothing names. Says whether there were any.
    async fn read_on(&mut self) -> Result<bool> {
        let (store, before) = (self.store, self.head);
        self.head = ledger::walk_on(store, before, |entry, bytes| self.add(&entry, bytes)).await?;
        for (path, digest) in std::mem::take(&mut self.new) {
            if wrong(store, &path, &digest).await?.is_some() {
                self.suspect.insert(path.clone());
            }
            self.named.insert(path, digest);
        }
        for folder in OBJECTS {
            for listed in store.list(folder).await? {
                let path = listed.path;
                if self.named.contains_key(&path) || self.unnamed.contains(&path) {
                    continue;
                }
                match promised(&path) {
                    Some(digest) if wrong(store, &path, &digest).await?.is_none() => self.unnamed.insert(path),
                    _ => self.suspect.insert(path),
                };
            }
        }
        // The first time there is nothing before: whether an entry came while all this was read is still to be seen.
        Ok(self.head != before)
    }

    fn add(&mut self, entry: &Entry, bytes: &[u8]) {
        let path = Entry::path(entry.number);
        if !entry.is_canonical(bytes) {
            self.entries.push((path.clone(), "it is not in canonical form".into()));
        }
        self.hashes.push(entry.hash);
        entry.each_object(|path, digest| {
            if !self.named.contains_key(&path) {
                self.new.insert(path, digest);
            }
        });
        for document in &entry.documents {
            let (first, files) = self.keys.entry(document.key).or_insert((entry.number, document.files.clone()));
            if *files != document.files {
                let what = format!("{} has the key of a document of entry {first}, and other bytes", document.view);
                self.entries.push((path.clone(), what));
            }
        }
    }

    /// What is wrong, looked at once more: a run may have made it again meanwhile.
    async fn findings(&self) -> Result<Vec<(String, String)>> {
        let mut findings = self.entries.clone();
        for path in &self.suspect {
            let named = self.named.get(path).copied();
            let finding = match named.or_else(|| promised(path)) {
                Some(digest) => wrong(self.store, path, &digest).await?,
                None => Some("its name is not its digest"),
            };
            match (finding, named) {
                (None, _) => {}
                (Some(finding), Some(_)) => findings.push((path.clone(), finding.into())),
                (Some(_), None) if !self.store.exists(path).await? => {}
                (Some(finding), None) => findings.push((path.clone(), format!("no entry names it, and {finding}"))),
            }
        }
        let listed = self.store.list(LEDGER).await?;
        // What was sealed by now continues the chain, or it is an error.
        let head = ledger::walk_on(self.store, self.head, |_, _| {}).await?;
        let entries: BTreeSet<String> = (1..=head.count).map(Entry::path).collect();
        for path in listed.into_iter().map(|listed| listed.path) {
            if !entries.contains(&path) && !entries.contains(&path.replace(".minisig", ".json")) {
                findings.push((path, "it is no entry of the ledger".into()));
            }
        }
        Ok(findings)
    }

    /// Where a head stands in the chain, if the chain holds it.
    fn place_of(&self, expected: &str) -> Option<String> {
        let expected: Digest = expected.parse().ok()?;
        let place = self.hashes.iter().position(|hash| *hash == Some(expected))? + 1;
        let count = self.hashes.len();
        Some(match count - place {
            0 => format!("the expected head is entry {place} of {count}, the newest"),
            1 => format!("the expected head is entry {place} of {count}; 1 entry follows it"),
            more => format!("the expected head is entry {place} of {count}; {more} entries follow it"),
        })
    }

    /// What is in order, for people.
    fn summary(&self) -> Vec<String> {
        let (entries, objects) = (self.hashes.len(), self.named.len());
        let mut text = vec![format!("{entries} entries and {objects} objects are what the ledger says")];
        let unnamed = self.unnamed.iter().filter(|path| !self.named.contains_key(*path)).count();
        if unnamed > 0 {
            text.push(format!(
                "{unnamed} objects are sound and named by no entry, as a run leaves them that is under way or was killed"
            ));
        }
        let leftovers = self.store.leftovers().len();
        if leftovers > 0 {
            text.push(format!(
                "{leftovers} unfinished files of a writer are there; if it was killed, the next run removes them"
            ));
        }
        let head = self.head.hash.map(|hash| hash.to_string()).unwrap_or_default();
        text.push(format!("head {head}"));
        text
    }
}

/// What is wrong with an object.
async fn wrong(store: &Store, path: &str, digest: &Digest) -> Result<Option<&'static str>> {
    match store.exists(path).await? {
        false => Ok(Some("missing")),
        true if store.digest(path).await? != *digest => Ok(Some("its bytes are not what its name says")),
        true => Ok(None),
    }
}
