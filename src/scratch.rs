//! The folder of temporary files of this process, and what killed processes left of theirs.
//!
//! All temporary files, also those of the libraries (the engine's spilled rows), stand in one folder
//! `scorebook-scratch-<chance>` that only its owner can read. A process holds a lock on a file in it for as long as it lives: the system
//! lets go of it however the process ends, in whatever container it ran. So a folder whose lock is free is nobody's, and the next
//! command removes it. Folders under other names, and those of other users, are left alone.

use crate::at_work::{self, Registered};
use std::fs::{File, Metadata, TryLockError};
use std::path::{Path, PathBuf};

/// The names of scratch folders begin so. Under another name until the lock is held: nobody may take it for an orphan.
const PREFIX: &str = "scorebook-scratch-";
const UNLOCKED: &str = "scorebook-new-";
const LOCK: &str = "owner.lock";

/// This process's scratch folder; removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
    /// A signal removes it too.
    _registered: Registered,
}

impl Scratch {
    /// Removes what killed processes left, and makes a folder for this one. `None` where that is not possible: then whoever
    /// needs a temporary file says so.
    pub fn take() -> Option<Scratch> {
        let scratch = Scratch::within(&std::env::temp_dir())?;
        // Only the first in a process is heeded: it is there until the end.
        let _ = tempfile::env::override_temp_dir(&scratch.folder);
        Some(scratch)
    }

    fn within(parent: &Path) -> Option<Scratch> {
        // A signal in between would leave a folder that nobody knows.
        let _whole = at_work::undisturbed();
        // The folder is made by `tempfile`: 0700 from its first moment.
        let made = tempfile::Builder::new().prefix(UNLOCKED).tempdir_in(parent).ok()?;
        let lock = File::create_new(made.path().join(LOCK)).ok()?;
        let locks = lock.try_lock().is_ok();
        let own = std::fs::symlink_metadata(made.path()).ok()?;
        let name = made.path().file_name()?.to_str()?.replacen(UNLOCKED, PREFIX, 1);
        let folder = parent.join(name);
        std::fs::rename(made.path(), &folder).ok()?;
        // Its first name is gone, and with it what `tempfile` would remove.
        let _ = made.keep();
        if locks {
            sweep(parent, &own);
        }
        let registered = at_work::scratch(&folder);
        Some(Scratch { folder, _lock: lock, _registered: registered })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Removes the scratch folders of the same user whose process is gone. The own one is locked, as are those of all that live.
fn sweep(parent: &Path, own: &Metadata) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        let is_own = std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir() && same_owner(&found, own));
        if is_own && is_orphan(&folder) {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

/// Whether nobody holds the folder's lock. A folder without one has another story: it is left alone.
fn is_orphan(folder: &Path) -> bool {
    let lock = folder.join(LOCK);
    if !std::fs::symlink_metadata(&lock).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let Ok(lock) = File::options().write(true).open(lock) else { return false };
    match lock.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(unix)]
fn same_owner(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.uid() == other.uid()
}

#[cfg(not(unix))]
fn same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::within(parent.path()).unwrap();
        std::fs::write(living.folder.join("rows"), "spilled").unwrap();
        // As a killed process leaves it: the file is there, and nobody holds it.
        let dead = parent.path().join(format!("{PREFIX}dead"));
        std::fs::create_dir_all(dead.join("datafusion-1")).unwrap();
        std::fs::write(dead.join(LOCK), "").unwrap();
        std::fs::write(dead.join("datafusion-1/rows"), "spilled").unwrap();
        let others: Vec<PathBuf> = ["datafusion-2", "scorebook-scratch-without-lock", "scorebook-sample"]
            .map(|name| parent.path().join(name))
            .into();
        others.iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        let next = Scratch::within(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.folder.join("rows").exists() && next.folder.exists());
        assert!(others.iter().all(|folder| folder.exists()));
        let folder = living.folder.clone();
        drop(living);
        assert!(!folder.exists());
    }
}
