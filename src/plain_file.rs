//! Files that can be read to their end, and others that only look like files.
//!
//! Reading a pipe waits for a writer who may never come, and a device has no end. So whatever is read by its name is looked at
//! before it is opened, behind links too, and never read beyond a limit.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// What stands there instead of a file, in words; `None` if it is one, or if there is nothing.
pub fn otherwise(path: &Path) -> Option<&'static str> {
    match std::fs::metadata(path) {
        Ok(found) => kind(&found),
        // A link that leads nowhere, or in a circle.
        Err(_) => std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()).then_some("a link to nothing"),
    }
}

fn kind(found: &Metadata) -> Option<&'static str> {
    match (found.is_file(), found.is_dir()) {
        (true, _) => None,
        (_, true) => Some("a folder"),
        _ => Some(special(found)),
    }
}

#[cfg(unix)]
fn special(found: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: &Metadata) -> &'static str {
    "a device"
}

/// The bytes of a file, at most so many: `None` if it has more.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // Some files say that they are empty and are not: what counts is what is read.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
