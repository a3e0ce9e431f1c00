//! The cache of steps: which key gave which outputs. It may be deleted at any time; nothing is ever proved by it.
//!
//! A step is written only after its outputs are on the disk, so a remembered step never points to a torn object.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Key;
use crate::domain::json;
use crate::store::Store;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

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
    waiting: Mutex<Vec<(Key, String)>>,
    read: bool,
}

/// What a step made: its objects must still stand for the memory to be of use.
pub trait Made: Serialize + DeserializeOwned {
    /// The paths of the objects.
    fn objects(&self) -> Vec<String>;
}

impl<'a> Steps<'a> {
    /// The steps remembered in this warehouse.
    pub fn of(store: &'a Store) -> Steps<'a> {
        Steps { store, waiting: Mutex::default(), read: true }
    }

    /// Steps that remember nothing: every step is done again.
    pub fn forgetful(store: &'a Store) -> Steps<'a> {
        Steps { store, waiting: Mutex::default(), read: false }
    }

    /// What the step with this key made, if that is remembered and its objects stand.
    pub async fn recall<T: Made>(&self, key: Key) -> Result<Option<T>> {
        if !self.read {
            return Ok(None);
        }
        let Some(bytes) = self.store.find(&path(key)).await? else { return Ok(None) };
        // A cache that cannot be read is as good as none.
        let Ok(made) = serde_json::from_slice::<T>(&bytes) else { return Ok(None) };
        for object in made.objects() {
            if !self.store.exists(&object).await? {
                return Ok(None);
            }
        }
        Ok(Some(made))
    }

    /// Remembers what a step made, from the next [`Steps::flush`] on.
    pub fn remember(&self, key: Key, made: &impl Serialize) -> Result<()> {
        let mut waiting = self.waiting.lock().map_err(|_| Diagnostic::internal("a step's writer died"))?;
        waiting.push((key, json::canonical(made)));
        Ok(())
    }

    /// Brings the outputs of the waiting steps to the disk, and then the memory of them.
    pub async fn flush(&self) -> Result<()> {
        let waiting = match self.waiting.lock() {
            Ok(mut waiting) => std::mem::take(&mut *waiting),
            Err(_) => return Err(Diagnostic::internal("a step's writer died")),
        };
        if waiting.is_empty() || !self.read {
            return Ok(());
        }
        self.store.sync()?;
        for (key, text) in waiting {
            self.store.put(&path(key), text.into_bytes()).await?;
        }
        Ok(())
    }
}

fn path(key: Key) -> String {
    format!("steps/{key}.json")
}
