//! The cache of steps: which key gave which outputs. It may be deleted at any time; nothing is ever proved by it.
//!
//! A step is written only after its outputs are on the disk. It is believed only if it is the text that was written under its own
//! key, and only as long as its outputs stand with the bytes that their names say: else the step is made again.

use crate::diagnostic::{Diagnostic, Kind, Place, Result};
use crate::domain::digest::{Digest, Key};
use crate::domain::json;
use crate::store::Store;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Made and reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Made in this run.
    pub made: usize,
    /// Found as an earlier run, or a killed one, left it.
    pub reused: usize,
}

/// Remembered steps of one warehouse.
pub struct Steps<'a> {
    store: &'a Store,
    use_of: Use,
    /// Whether every output is read again, also where whoever reads it would check it.
    thorough: bool,
    seen: Mutex<Seen>,
}

/// What is done with the memory.
enum Use {
    /// It is used, and added to.
    Used,
    /// It is left alone: every step is done again.
    Forgotten,
    /// It is used but for the steps that made these objects, and nothing is added to it.
    Sampled(BTreeSet<String>),
}

/// What was seen of steps while they were asked for and made.
#[derive(Default)]
struct Seen {
    /// Made, and not yet on the disk.
    waiting: Vec<(Key, String)>,
    /// What keys are known to give.
    known: BTreeMap<Key, Digest>,
    /// Steps that are not what was written under their key.
    disbelieved: BTreeSet<String>,
    /// Steps that were made again for a sample, and those of them that gave something else.
    again: usize,
    other: Vec<Key>,
}

/// What a step made: its objects must still stand for the memory to be of use.
pub trait Made: Serialize + DeserializeOwned {
    /// Whether its objects are left unread until somebody reads them. A year of exports is remembered every night, and few of
    /// them are read.
    const READ_LATER: bool = false;

    /// The paths of the objects.
    fn objects(&self) -> Vec<String>;
}

/// A step as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<T> {
    key: Key,
    made: T,
    /// The digest of the canonical text of key and outputs.
    digest: Digest,
}

impl<T: Serialize> Record<T> {
    fn new(key: Key, made: T) -> Record<T> {
        let digest = Digest::of(json::canonical(&(key, &made)).as_bytes());
        Record { key, made, digest }
    }
}

impl<'a> Steps<'a> {
    /// The steps remembered in this warehouse.
    pub fn of(store: &'a Store) -> Steps<'a> {
        Steps { store, use_of: Use::Used, thorough: false, seen: Mutex::default() }
    }

    /// Steps that remember nothing: every step is done again.
    pub fn forgetful(store: &'a Store) -> Steps<'a> {
        Steps { use_of: Use::Forgotten, ..Steps::of(store) }
    }

    /// The steps remembered in this warehouse, but for those that made these objects: they are made again and compared.
    pub fn sampling(store: &'a Store, objects: BTreeSet<String>) -> Steps<'a> {
        Steps { use_of: Use::Sampled(objects), ..Steps::of(store) }
    }

    /// Reads every output of every step that is asked for.
    pub fn thorough(self, thorough: bool) -> Steps<'a> {
        Steps { thorough, ..self }
    }

    /// What the step with this key made, if that is remembered and its objects stand.
    pub async fn recall<T: Made>(&self, key: Key) -> Result<Option<T>> {
        if matches!(self.use_of, Use::Forgotten) {
            return Ok(None);
        }
        let path = path(key);
        let Some(bytes) = self.store.find(&path).await? else { return Ok(None) };
        let Some(record) = believed::<T>(key, &bytes) else {
            // A cache that cannot be read is as good as none.
            self.seen().disbelieved.insert(path);
            return Ok(None);
        };
        self.seen().known.insert(key, record.digest);
        for object in record.made.objects() {
            if self.is_chosen(&object) || !self.stands::<T>(&object).await? {
                return Ok(None);
            }
        }
        Ok(Some(record.made))
    }

    async fn stands<T: Made>(&self, object: &str) -> Result<bool> {
        if T::READ_LATER && !self.thorough {
            return Ok(self.store.exists(object).await? && !self.store.damaged().contains(object));
        }
        self.store.is_sound(object).await
    }

    fn is_chosen(&self, object: &str) -> bool {
        matches!(&self.use_of, Use::Sampled(objects) if objects.contains(object))
    }

    /// Remembers what a step made, from the next [`Steps::flush`] on.
    ///
    /// # Errors
    /// If the same key is known to give something else: then one of the two is wrong.
    pub fn remember(&self, key: Key, made: &impl Serialize) -> Result<()> {
        let record = Record::new(key, made);
        let mut seen = self.seen();
        let known = seen.known.insert(key, record.digest);
        let is_other = known.is_some_and(|known| known != record.digest);
        match self.use_of {
            Use::Sampled(_) => {
                seen.again += 1;
                seen.other.extend(is_other.then_some(key));
                Ok(())
            }
            _ if is_other => Err(contradiction(key)),
            _ => {
                seen.waiting.push((key, json::canonical(&record)));
                Ok(())
            }
        }
    }

    /// Brings the outputs of the waiting steps to the disk, and then the memory of them.
    pub async fn flush(&self) -> Result<()> {
        let waiting = std::mem::take(&mut self.seen().waiting);
        if waiting.is_empty() || !matches!(self.use_of, Use::Used) {
            return Ok(());
        }
        self.store.sync()?;
        for (key, text) in waiting {
            self.store.put(&path(key), text.into_bytes()).await?;
        }
        Ok(())
    }

    /// The steps that were not believed: changed by hand or by a fault, or written by another version.
    pub fn disbelieved(&self) -> BTreeSet<String> {
        self.seen().disbelieved.clone()
    }

    /// How many steps a sample made again, and which of them gave something else than is remembered.
    pub fn sampled(&self) -> (usize, Vec<Key>) {
        let seen = self.seen();
        (seen.again, seen.other.clone())
    }

    /// What it guards is whole after every statement, so a panic elsewhere does not spoil it.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step's text, if it is the one that was written under this key.
fn believed<T: Made>(key: Key, bytes: &[u8]) -> Option<Record<T>> {
    let record: Record<T> = serde_json::from_slice(bytes).ok()?;
    let again = Record::new(key, &record.made);
    let is_whole = record.key == key && json::canonical(&again).as_bytes() == bytes;
    is_whole.then_some(record)
}

fn contradiction(key: Key) -> Box<Diagnostic> {
    Diagnostic::new(Kind::Verification, "one step gave two results: the same inputs once gave other bytes than now")
        .at(Place::file(path(key)))
        .note("the cache of steps was forged, or Scorebook's version was changed without its number, or this is a fault of Scorebook")
        .help("`scorebook replay` says whether the last run's numbers are what its exports give")
        .help("delete the folder `steps` of the warehouse, which is only a cache, and run again")
}

fn path(key: Key) -> String {
    format!("steps/{key}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Page(Digest);

    impl Made for Page {
        fn objects(&self) -> Vec<String> {
            vec![format!("documents/{}.csv", self.0)]
        }
    }

    /// Keys of steps that made these pages.
    async fn made(store: &Store, pages: &[&str]) -> Vec<Key> {
        let steps = Steps::of(store);
        let mut keys = Vec::new();
        for page in pages {
            let digest = store.put_named("documents", "csv", page.as_bytes().to_vec()).await.unwrap();
            keys.push(Key::of("page", 1, page));
            steps.remember(*keys.last().unwrap(), &Page(digest)).unwrap();
        }
        steps.flush().await.unwrap();
        keys
    }

    #[tokio::test]
    async fn a_step_is_bound_to_its_key_and_to_what_it_made() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let keys = made(&store, &["one", "two"]).await;
        let file = |key: Key| folder.path().join(path(key));
        let steps = Steps::of(&store);
        let two = Page(Digest::of(b"two"));
        assert_eq!(steps.recall::<Page>(keys[1]).await.unwrap(), Some(two));
        // Renamed, edited, cut off, with more in it: each is told, and as good as none.
        let (one, two) = (std::fs::read(file(keys[0])).unwrap(), std::fs::read_to_string(file(keys[1])).unwrap());
        let edited = two.replacen(&Digest::of(b"two").to_string(), &Digest::of(b"one").to_string(), 1);
        let spaced = two.replacen(':', ": ", 1);
        for text in [one.as_slice(), edited.as_bytes(), &two.as_bytes()[..two.len() - 1], spaced.as_bytes()] {
            std::fs::write(file(keys[1]), text).unwrap();
            let steps = Steps::of(&store);
            assert!(steps.recall::<Page>(keys[1]).await.unwrap().is_none());
            assert_eq!(steps.disbelieved().into_iter().collect::<Vec<_>>(), [path(keys[1])]);
        }
        // An output with other bytes: the step is made again, and the output healed.
        let page = folder.path().join(format!("documents/{}.csv", Digest::of(b"one")));
        std::fs::write(&page, "0ne").unwrap();
        assert!(steps.recall::<Page>(keys[0]).await.unwrap().is_none());
        made(&store, &["one"]).await;
        assert_eq!(std::fs::read(&page).unwrap(), b"one");
        assert_eq!(store.healed().len(), 1);
        assert!(steps.recall::<Page>(keys[0]).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn one_key_with_two_results_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let key = made(&store, &["one"]).await[0];
        std::fs::remove_file(folder.path().join(format!("documents/{}.csv", Digest::of(b"one")))).unwrap();
        let steps = Steps::of(&store);
        assert!(steps.recall::<Page>(key).await.unwrap().is_none());
        let refused = steps.remember(key, &Page(Digest::of(b"two"))).unwrap_err();
        assert_eq!(refused.kind, Kind::Verification);
        assert!(refused.message.contains("one step gave two results"), "{refused}");
        assert!(Steps::of(&store).remember(key, &Page(Digest::of(b"two"))).is_ok());
    }
}
