//! Files beneath a view's folder. No link is followed, neither for reading nor for writing nor for removing: what stands behind
//! one is somebody else's, wherever it leads.

use crate::access::Access;
use crate::domain::digest::{Digest, Digester};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

/// What is being written, until it is whole and gets its name. One file is written at a time, so a kill leaves one.
const PART: &str = ".scorebook-view.part";

/// What stands at a path.
pub enum Stands {
    /// Nothing, and the folders that are missing can be made.
    Nothing,
    /// A file.
    File(Metadata),
    /// Something else, or something else than a folder on the way there: a link, or a file that has the name of a folder.
    Other,
}

/// A folder, and what may be done beneath it.
pub struct Files {
    root: PathBuf,
    access: Access,
    /// Folders in which names changed since the last sync.
    touched: Vec<PathBuf>,
}

impl Files {
    /// The files beneath a folder. The folder itself may be named by way of links: that is its owner's choice.
    pub fn of(root: PathBuf, access: Access) -> Files {
        Files { root, access, touched: Vec::new() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who may read what is written.
    pub fn access(&self) -> Access {
        self.access
    }

    /// What stands at a path.
    pub fn look(&self, path: &str) -> io::Result<Stands> {
        if !is_plain(path) {
            return Ok(Stands::Other);
        }
        let (mut place, mut rest) = (self.root.clone(), path.split('/').peekable());
        while let Some(part) = rest.next() {
            place.push(part);
            match std::fs::symlink_metadata(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stands::Nothing),
                Err(error) => return Err(error),
                Ok(found) if rest.peek().is_none() && found.is_file() => return Ok(Stands::File(found)),
                Ok(found) if rest.peek().is_some() && found.is_dir() => {}
                Ok(_) => return Ok(Stands::Other),
            }
        }
        Ok(Stands::Other)
    }

    /// Whether a folder stands there, without a link on the way.
    pub fn is_folder(&self, path: &str) -> bool {
        let mut place = self.root.clone();
        is_plain(path)
            && path.split('/').all(|part| {
                place.push(part);
                std::fs::symlink_metadata(&place).is_ok_and(|found| found.is_dir())
            })
    }

    /// A file's bytes, if one stands there.
    pub fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let Stands::File(_) = self.look(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// A file's digest.
    pub fn digest(&self, path: &str) -> io::Result<Digest> {
        let (mut file, mut digester, mut buffer) = (self.open(path)?, Digester::default(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(digester.finish()),
                n => digester.update(&buffer[..n]),
            }
        }
    }

    /// Writes a file as a whole: whoever looks sees the old bytes or the new ones. The caller has looked what stands there.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.root.join(path);
        if let Some(folder) = target.parent() {
            self.access.make_folder(folder)?;
            // A new folder's name, and that of each new one above it, is in the one above.
            let above = folder.ancestors().take_while(|above| above.starts_with(&self.root));
            self.touched.extend(above.map(PathBuf::from));
        }
        let part = self.root.join(PART);
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let written = self.write_part(&part, bytes).and_then(|()| std::fs::rename(&part, &target));
        if written.is_err() {
            // A full disk has no room for half a file.
            let _ = std::fs::remove_file(&part);
        }
        written
    }

    fn write_part(&self, part: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(part)?;
        self.access.settle(part, &file.metadata()?)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Removes a file. Of a link that has taken its place nothing is removed.
    pub fn remove(&mut self, path: &str) -> io::Result<bool> {
        let Stands::File(_) = self.look(path)? else { return Ok(false) };
        let target = self.root.join(path);
        self.touched.extend(target.parent().map(PathBuf::from));
        match std::fs::remove_file(target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a folder if it is empty.
    pub fn remove_empty(&mut self, path: &str) {
        if self.is_folder(path) && std::fs::remove_dir(self.root.join(path)).is_ok() {
            self.touched.retain(|folder| *folder != self.root.join(path));
            self.touched.extend(self.root.join(path).parent().map(PathBuf::from));
        }
    }

    /// Gives what stands at a path its mode; says whether others could read it.
    pub fn settle(&self, path: &str) -> io::Result<bool> {
        let place = self.root.join(path);
        self.access.settle(&place, &std::fs::symlink_metadata(&place)?)
    }

    /// All that stands beneath a folder and is no folder itself, and all folders: paths, sorted. Links are among the former.
    pub fn walk(&self, folder: &str) -> io::Result<(Vec<String>, Vec<String>)> {
        let (mut files, mut folders, mut open) = (Vec::new(), Vec::new(), Vec::new());
        if folder.is_empty() || self.is_folder(folder) {
            open.push(folder.to_owned());
        }
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(self.root.join(&folder))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                // The kind of the entry itself, not of what it may lead to.
                match entry.file_type()?.is_dir() {
                    true => open.push(path),
                    false => files.push(path),
                }
            }
            folders.push(folder);
        }
        files.sort();
        folders.sort();
        Ok((files, folders))
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.root.join(folder))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Brings names to the disk; the bytes of files are there since they were written.
    pub fn sync(&mut self) -> io::Result<()> {
        let mut folders = std::mem::take(&mut self.touched);
        folders.sort();
        folders.dedup();
        for folder in folders {
            match File::open(folder).and_then(|folder| folder.sync_all()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn open(&self, path: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW);
        options.open(self.root.join(path))
    }
}

/// Whether a path leads down, and nowhere else: a list of digests may have been written by somebody else.
pub fn is_plain(path: &str) -> bool {
    let normal = |part| matches!(part, Component::Normal(_));
    !path.is_empty()
        && !path.contains(['\\', '\0', '\n'])
        && Path::new(path).components().all(normal)
        && path.split('/').all(|part| !part.is_empty() && part != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_lead_down_are_plain() {
        assert!(is_plain("2026-09/rep_scorecard/zoë-4f0d.pdf") && is_plain("..a"));
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/", ".", "..", "a\\b", "a\nb"] {
            assert!(!is_plain(path), "{path:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("site"), folder.path().join("outside"));
        std::fs::create_dir_all(root.join("real")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("page"), "theirs").unwrap();
        std::os::unix::fs::symlink(&outside, root.join("folder")).unwrap();
        std::os::unix::fs::symlink(outside.join("page"), root.join("real/page")).unwrap();
        let mut files = Files::of(root.clone(), Access::Owner);
        for path in ["folder/page", "real/page", "folder/new"] {
            assert!(matches!(files.look(path).unwrap(), Stands::Other), "{path}");
            assert!(files.read(path).unwrap().is_none() && !files.remove(path).unwrap(), "{path}");
        }
        assert!(!files.is_folder("folder"));
        assert_eq!(files.walk("").unwrap().0, ["folder", "real/page"]);
        assert!(files.digest("real/page").is_err());
        // Even if a link comes between looking and writing, the file behind it stays as it is.
        files.write("real/page", b"ours").unwrap();
        assert_eq!(std::fs::read(outside.join("page")).unwrap(), b"theirs");
        assert_eq!(std::fs::read(root.join("real/page")).unwrap(), b"ours");
    }
}
