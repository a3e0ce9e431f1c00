//! The file that says whose a view's folder is: `.scorebook-view`.
//!
//! It names the warehouse by what stays when the project moves and differs when it is copied: the hash of the ledger's first
//! entry, the newest hash that the view shows, and the place. It also names the folder in which it stands itself: a project that is copied
//! with its views has copies of them, which are nobody else's. All of it, and the names of folders, is written as digests only: a web
//! server may show the file to whoever asks for it.

use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::Digest;
use crate::domain::json;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The marker's name.
pub const MARKER: &str = ".scorebook-view";
const FORMAT: u32 = 1;
const ABOUT: &str = "Scorebook keeps this folder as a view of its warehouse. It replaces and removes only what its lists \
                     (SHA256SUMS) name. An empty file of this name lets it add its folders to one that holds other things.";

/// Which of the two views a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The documents by period and report.
    Reports,
    /// Linked pages by audience.
    Site,
}

impl Kind {
    /// As the setting and the flag are called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Reports => "reports",
            Kind::Site => "site",
        }
    }
}

/// The warehouse to which a view belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The hash of the ledger's first entry.
    pub ledger: Option<Digest>,
    /// The hash of the newest entry that the view shows.
    pub head: Option<Digest>,
    /// Where the warehouse is: its path.
    path: Digest,
    /// ... the machine.
    host: Digest,
    /// ... the folder in which it stands, as the file system numbers it.
    parent: Option<Digest>,
    /// ... the first entry's file: a copy has another number, a folder that was moved has not.
    file: Option<Digest>,
}

impl Owner {
    /// The warehouse at a folder, on a machine.
    pub fn of(warehouse: &Path, host: &str, chain: &[Digest]) -> Owner {
        let number = |path: Option<&Path>| path.and_then(number);
        let first = warehouse.join(crate::ledger::Entry::path(1));
        Owner {
            ledger: chain.first().copied(),
            head: chain.last().copied(),
            path: Digest::of(warehouse.as_os_str().as_encoded_bytes()),
            host: Digest::of(host.as_bytes()),
            parent: number(warehouse.parent()),
            file: number(Some(&first)),
        }
    }

    /// Whether a view of `self` is one of this warehouse, whose entries have these hashes; `copy` says of the view's folder
    /// whether it is a copy of the one in which the marker was written.
    ///
    /// A project that was moved, that was restored from a backup or begun again where it stood keeps its views. Another one does
    /// not get them; neither does a copy of a project, which has the same ledger up to a point. It has the copies of its views.
    pub fn is(&self, warehouse: &Owner, chain: &[Digest], copy: Copied) -> bool {
        let same_ledger = self.ledger.is_some() && self.ledger == warehouse.ledger;
        let same_path = self.path == warehouse.path;
        let same_file = self.file.is_some() && self.file == warehouse.file;
        let continues = self.head.is_none_or(|head| chain.contains(&head));
        let same_parent = self.parent.is_some() && self.parent == warehouse.parent;
        let moved_or_elsewhere = same_ledger && continues && (same_path || same_file);
        // Begun again where it stood: a ledger of its own says that it is another one, for containers share paths and names.
        let begun_again = same_parent && (self.ledger.is_none() || warehouse.ledger.is_none());
        let where_it_stood = same_path && self.host == warehouse.host && (same_ledger || begun_again);
        let own_copy = copy == Copied::Beside || (copy == Copied::Elsewhere && same_ledger);
        moved_or_elsewhere || where_it_stood || own_copy
    }
}

/// Whether a view's folder is a copy of another: then nobody else writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is the one in which the marker was written.
    No,
    /// A copy that stands beside the warehouse, in one folder: the project was copied, whatever became of its ledger.
    Beside,
    /// A copy that stands elsewhere.
    Elsewhere,
}

/// What the file system calls a file or folder: a copy of it has another number.
pub fn number(path: &Path) -> Option<Digest> {
    file_number(path).map(|number| Digest::of(number.as_bytes()))
}

#[cfg(unix)]
fn file_number(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    // Without the device: that of a network drive or a container's volume changes with every mount.
    std::fs::metadata(path).ok().map(|found| found.ino().to_string())
}

#[cfg(not(unix))]
fn file_number(_: &Path) -> Option<String> {
    None
}

/// The marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    format: u32,
    about: String,
    /// Which view it is.
    pub view: Kind,
    /// Whose reports they are, for people.
    pub company: String,
    /// What the digests of folders are salted with, so that nobody finds a name by trying.
    salt: Digest,
    /// The warehouse.
    pub owner: Owner,
    /// The folder in which the marker was written.
    pub stands_in: Option<Digest>,
    /// Whether other things stood there before: then the folder itself is not ours to close.
    pub shared: bool,
    /// Whether a run is at work, or was killed at it: then the lists do not tell all.
    pub at_work: bool,
    /// The folders that are ours, by the digest of their names -> the digest of the list that we wrote in each.
    pub folders: BTreeMap<Digest, Option<Digest>>,
}

impl Marker {
    /// The marker of a folder that is taken.
    pub fn new(view: Kind, company: &str, owner: Owner, shared: bool) -> Marker {
        Marker {
            format: FORMAT,
            about: ABOUT.into(),
            view,
            company: company.to_owned(),
            salt: owner.ledger.unwrap_or(owner.path),
            owner,
            stands_in: None,
            shared,
            at_work: false,
            folders: BTreeMap::new(),
        }
    }

    /// Reads it.
    pub fn read(bytes: &[u8]) -> Result<Marker> {
        let marker: std::result::Result<Marker, _> = serde_json::from_slice(bytes);
        match marker {
            Ok(marker) if marker.format == FORMAT => Ok(marker),
            Ok(marker) => Err(Diagnostic::project(format!("{MARKER} has the format {}", marker.format))
                .note("a newer Scorebook wrote it")
                .help("run the newer program, or name another folder")),
            Err(error) => Err(Diagnostic::project(format!("{MARKER} cannot be read: {error}")).help(format!(
                "delete {MARKER}: the next run takes the folder over if all in it is from this warehouse"
            ))),
        }
    }

    /// Its text.
    pub fn text(&self) -> Vec<u8> {
        json::canonical(self).into_bytes()
    }

    /// How a folder's name is written in it.
    pub fn mark(&self, folder: &str) -> Digest {
        Digest::of(format!("{}\n{folder}", self.salt).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(ledger: &str, head: &str, path: &str, host: &str, parent: &str, file: &str) -> Owner {
        let digest = |text: &str| (!text.is_empty()).then(|| Digest::of(text.as_bytes()));
        let named = |text: &str| Digest::of(text.as_bytes());
        Owner {
            ledger: digest(ledger),
            head: digest(head),
            path: named(path),
            host: named(host),
            parent: digest(parent),
            file: digest(file),
        }
    }

    #[test]
    fn a_view_follows_its_warehouse_and_no_other() {
        let chain = ["1", "2", "3"].map(|hash| Digest::of(hash.as_bytes()));
        let view = owner("1", "2", "/p/warehouse", "one", "40", "70");
        let cases = [
            ("as it was", owner("1", "3", "/p/warehouse", "one", "40", "70"), true),
            ("moved", owner("1", "3", "/q/warehouse", "one", "41", "70"), true),
            ("another container, the same volume", owner("1", "3", "/data/warehouse", "pod-7", "2", "70"), true),
            ("a runner that brings the warehouse along", owner("1", "3", "/p/warehouse", "pod-7", "90", "91"), true),
            ("begun again where it stood", owner("", "", "/p/warehouse", "one", "40", ""), true),
            ("another one", owner("9", "9", "/q/warehouse", "one", "41", "71"), false),
            ("another one in a container like it", owner("9", "9", "/p/warehouse", "two", "40", "71"), false),
            ("a copy", owner("1", "3", "/q/warehouse", "one", "41", "72"), false),
            ("a new one elsewhere", owner("", "", "/q/warehouse", "one", "41", ""), false),
        ];
        for (what, warehouse, right) in cases {
            assert_eq!(view.is(&warehouse, &chain, Copied::No), right, "{what}");
        }
        // A clone of a whole volume has the same numbers, but not what the original has sealed since.
        let ahead = owner("1", "4", "/p/warehouse", "one", "40", "70");
        assert!(!ahead.is(&owner("1", "3", "/p/warehouse", "two", "2", "70"), &chain, Copied::No));
        // Two containers may have one path, one name and one inode for the folder above: another ledger is another warehouse.
        assert!(!view.is(&owner("9", "9", "/p/warehouse", "one", "40", "70"), &chain, Copied::No));
        // A backup that was restored where it stood has lost entries.
        assert!(ahead.is(&owner("1", "3", "/p/warehouse", "one", "40", "99"), &chain, Copied::No));
        // A project that is copied with its views has views of its own; another one has not.
        assert!(view.is(&owner("1", "3", "/q/warehouse", "one", "41", "72"), &chain, Copied::Elsewhere));
        assert!(!view.is(&owner("9", "9", "/q/warehouse", "one", "41", "72"), &chain, Copied::Elsewhere));
        assert!(view.is(&owner("", "", "/q/warehouse", "one", "41", ""), &[], Copied::Beside));
    }

    #[test]
    fn a_marker_is_read_as_it_was_written_and_names_nobody() {
        let mut marker = Marker::new(Kind::Site, "Alderbrook", owner("1", "2", "/p", "h", "4", "7"), false);
        marker.folders.insert(marker.mark("rep-ann-lee"), None);
        let text = marker.text();
        assert_eq!(Marker::read(&text).unwrap(), marker);
        assert!(!String::from_utf8(text).unwrap().contains("ann-lee"));
        assert!(Marker::read(b"{}").is_err() && Marker::read(b"").is_err());
    }
}
