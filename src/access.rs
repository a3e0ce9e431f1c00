//! Who may read what a run writes: its owner, and a group if the settings say so. Nobody else, whatever the umask.
//!
//! `main` sets a umask that closes all new files. What this module adds: folders and files that stand already are closed
//! too, and those that a group may read are opened to it.

use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

/// What everybody but the owner is denied by the umask of a command that writes what is confidential.
pub const UMASK: u32 = 0o077;

/// The folders of a warehouse: what else stands beside them is none of its own.
pub const WAREHOUSE: [&str; 10] =
    ["definitions", "documents", "ledger", "lock", "model", "quarantine", "raw", "rejects", "scores", "steps"];

/// Whether a name says nothing of whose a folder is: volumes, repositories and file managers put such into any.
pub fn is_bystander(name: &str) -> bool {
    name.starts_with('.') || name == "lost+found"
}

/// A folder that a setting opens to its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Room {
    /// The warehouse.
    Warehouse,
    /// The readable reports.
    Reports,
    /// The linked pages.
    Site,
}

/// Who may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// The owner alone: 0700, 0600.
    #[default]
    Owner,
    /// The owner, and the group for reading: 0750, 0640.
    Group,
}

impl Access {
    /// The mode of a folder.
    pub fn of_folder(self) -> u32 {
        match self {
            Access::Owner => 0o700,
            Access::Group => 0o750,
        }
    }

    /// The mode of a file.
    pub fn of_file(self) -> u32 {
        match self {
            Access::Owner => 0o600,
            Access::Group => 0o640,
        }
    }

    /// Makes a folder, and those above it that are missing. One that stands keeps its mode.
    pub fn make_folder(self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|part| !part.exists()).collect();
        for part in missing.into_iter().rev().filter(|part| !part.as_os_str().is_empty()) {
            match std::fs::create_dir(part) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => set(part, self.of_folder())?,
            }
        }
        Ok(())
    }

    /// Gives what stands the mode that it should have; says whether others could read it. Links are left alone.
    pub fn settle(self, path: &Path, standing: &Metadata) -> io::Result<bool> {
        let wanted = match standing.file_type() {
            kind if kind.is_dir() => self.of_folder(),
            kind if kind.is_file() => self.of_file(),
            _ => return Ok(false),
        };
        let was = mode(standing);
        // What else a folder's mode says, such as that its group is handed on, is its owner's business.
        let wanted = if standing.is_dir() { wanted | (was & 0o7000) } else { wanted };
        if was & 0o7777 == wanted {
            return Ok(false);
        }
        set(path, wanted)?;
        Ok(was & 0o777 & !wanted != 0)
    }

    /// Gives a whole folder the modes that it should have, if its own is another: what is beneath a closed folder is closed.
    /// Says whether others could read it.
    pub fn settle_tree(self, root: &Path) -> io::Result<bool> {
        let standing = std::fs::symlink_metadata(root)?;
        if !standing.is_dir() || mode(&standing) & 0o777 == self.of_folder() {
            return Ok(false);
        }
        // The root comes last: a walk that is cut short is begun again by the next run.
        let mut folders = vec![root.to_owned()];
        let mut open: Vec<(PathBuf, Metadata)> = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                let standing = std::fs::symlink_metadata(&path)?;
                if standing.is_dir() {
                    folders.push(path.clone());
                }
                open.push((path, standing));
            }
        }
        for (path, standing) in open {
            self.settle(&path, &standing)?;
        }
        self.settle(root, &standing)
    }

    /// Gives a warehouse the modes that it should have. In a folder that holds other things too, those are left as they are, and so is
    /// the folder itself. Says whether others could read it.
    pub fn settle_warehouse(self, root: &Path) -> io::Result<bool> {
        let (mut was_open, mut is_warehouse, mut is_shared) = (false, false, false);
        for entry in std::fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if WAREHOUSE.contains(&name.as_str()) {
                is_warehouse = true;
                was_open |= self.settle_tree(&entry.path())?;
            }
            is_shared |= !is_bystander(&name) && !WAREHOUSE.contains(&name.as_str());
        }
        if is_warehouse && !is_shared {
            was_open |= self.settle(root, &std::fs::symlink_metadata(root)?)?;
        }
        Ok(was_open)
    }

    /// Opens a new object, and the new folders above it, to the group.
    pub fn open_to_group(self, root: &Path, within: &str) -> io::Result<()> {
        if self == Access::Owner {
            return Ok(());
        }
        let path = root.join(within);
        for part in path.ancestors().take_while(|part| part.starts_with(root)) {
            self.settle(part, &std::fs::symlink_metadata(part)?)?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn mode(standing: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    standing.mode()
}

#[cfg(unix)]
fn set(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Where there are no modes, the folder that a folder is made in decides who reads it.
#[cfg(not(unix))]
fn mode(standing: &Metadata) -> u32 {
    if standing.is_dir() { 0o700 } else { 0o600 }
}

#[cfg(not(unix))]
fn set(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn modes(root: &Path, paths: &[&str]) -> Vec<u32> {
        paths.iter().map(|path| mode(&std::fs::symlink_metadata(root.join(path)).unwrap()) & 0o777).collect()
    }

    #[test]
    fn an_open_folder_is_closed_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("warehouse");
        std::fs::create_dir_all(root.join("raw/crm")).unwrap();
        std::fs::write(root.join("raw/crm/one"), "rows").unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "somebody else's").unwrap();
        std::os::unix::fs::symlink(&outside, root.join("raw/link")).unwrap();
        for (path, open) in [("", 0o755), ("raw", 0o755), ("raw/crm", 0o775), ("raw/crm/one", 0o644)] {
            set(&root.join(path), open).unwrap();
        }
        set(&outside, 0o644).unwrap();
        assert!(Access::Owner.settle_tree(&root).unwrap());
        assert_eq!(modes(&root, &["", "raw", "raw/crm", "raw/crm/one"]), [0o700, 0o700, 0o700, 0o600]);
        assert_eq!(modes(folder.path(), &["outside"]), [0o644], "a link was followed");
        assert!(!Access::Owner.settle_tree(&root).unwrap());
        assert!(!Access::Group.settle_tree(&root).unwrap(), "a group is let in, and nobody could read it before");
        assert_eq!(modes(&root, &["", "raw/crm", "raw/crm/one"]), [0o750, 0o750, 0o640]);
    }

    #[test]
    fn a_warehouse_among_other_things_is_closed_and_they_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for part in ["", "ledger", "photos"] {
            std::fs::create_dir_all(root.join(part)).unwrap();
            set(&root.join(part), 0o755).unwrap();
        }
        assert!(Access::Owner.settle_warehouse(root).unwrap());
        assert_eq!(modes(root, &["", "ledger", "photos"]), [0o755, 0o700, 0o755]);
        std::fs::remove_dir(root.join("photos")).unwrap();
        assert!(Access::Owner.settle_warehouse(root).unwrap());
        assert_eq!(modes(root, &["", "ledger"]), [0o700, 0o700]);
        assert!(!Access::Owner.settle_warehouse(root).unwrap());
    }

    #[test]
    fn new_folders_are_closed_and_those_above_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        set(folder.path(), 0o755).unwrap();
        Access::Owner.make_folder(&folder.path().join("a/b")).unwrap();
        assert_eq!(modes(folder.path(), &["", "a", "a/b"]), [0o755, 0o700, 0o700]);
    }
}
