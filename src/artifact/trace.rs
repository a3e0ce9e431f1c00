//! Whether a file was touched, as the system itself keeps count of it.
//!
//! Size and modification time can be what they were although the bytes are others: `touch -r`, a restored backup, a
//! synchronised folder. The time of change cannot be set by a program, and a file that was put in another's place has
//! another number. Where a system tells neither, an export is read again.

use serde::{Deserialize, Serialize};
use std::fs::Metadata;

/// What the system notes with every change of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trace {
    /// When its bytes, its name or its attributes were changed: seconds and nanoseconds, such as `1790000000.000000001`.
    pub changed: String,
    /// Its number in its file system.
    pub inode: u64,
}

impl Trace {
    /// That of a file, where the system keeps one.
    #[cfg(unix)]
    pub fn of(file: &Metadata) -> Option<Trace> {
        use std::os::unix::fs::MetadataExt;
        let changed = format!("{}.{:09}", file.ctime(), file.ctime_nsec());
        // Some network file systems have no numbers.
        (file.ino() != 0).then(|| Trace { changed, inode: file.ino() })
    }

    /// None: this system does not say.
    #[cfg(not(unix))]
    pub fn of(_: &Metadata) -> Option<Trace> {
        None
    }
}
