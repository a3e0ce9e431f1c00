//! Objects are read through their digests: nothing stored is taken on trust.
//!
//! An object's name ends with the digest of its bytes. Whoever reads one, by whatever way, gets bytes with that digest or an
//! error: the engine too, which opens a file again and again while it scans. So that a table is not hashed for every page, a
//! file that was found sound is known by its identity (place, size, and both of its times) for as long as the process runs;
//! the identity is looked at before and after each read, and a file with another one is hashed again.
//!
//! What this cannot see: a change within the same tick of the file system's clock (some milliseconds) as the check before it.

use crate::at_work::{self, Writing};
use crate::diagnostic::{Diagnostic, Kind, Place};
use crate::domain::digest::{Digest, Digester};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folders whose objects are named by what they are.
pub const OBJECTS: [&str; 7] = ["raw", "rejects", "model", "quarantine", "scores", "documents", "definitions"];
/// So often a file is read that changes while it is read.
const ATTEMPTS: usize = 8;

/// The digest that an object's name promises; of what is no object (a view, a step, the ledger), none.
pub fn promised(path: &str) -> Option<Digest> {
    let (folder, rest) = path.split_once('/')?;
    let name = rest.rsplit('/').next().unwrap_or(rest);
    let digest = name.split('.').next().unwrap_or(name);
    OBJECTS.contains(&folder).then(|| digest.parse().ok()).flatten()
}

/// Which file it is, and as of when: another content has another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    size: u64,
    modified: (i64, i64),
    /// Device, inode, and when anything of it was changed: that cannot be set back.
    place: (u64, u64, i64, i64),
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(file: &File) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        let of = file.metadata()?;
        let place = (of.dev(), of.ino(), of.ctime(), of.ctime_nsec());
        Ok(Identity { size: of.size(), modified: (of.mtime(), of.mtime_nsec()), place })
    }

    /// The identity of an open file that is not the one it was, if its bytes are still what its name says: a backup that links
    /// it changes a file's time and not its bytes. Reads without moving the place at which others read.
    #[cfg(unix)]
    pub(super) fn again(file: &File, digest: Digest) -> Result<Identity, Fault> {
        use std::os::unix::fs::FileExt;
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..ATTEMPTS {
            let identity = Identity::of(file)?;
            let (mut digester, mut at) = (Digester::default(), 0);
            loop {
                match file.read_at(&mut buffer, at)? {
                    0 => break,
                    n => (digester.update(&buffer[..n]), at += n as u64),
                };
            }
            if Identity::of(file)? == identity {
                return if digester.finish() == digest { Ok(identity) } else { Err(Fault::Changing) };
            }
        }
        Err(Fault::Changing)
    }

    /// Elsewhere what changed is another file.
    #[cfg(not(unix))]
    pub(super) fn again(_: &File, _: Digest) -> Result<Identity, Fault> {
        Err(Fault::Changing)
    }

    #[cfg(not(unix))]
    pub(super) fn of(file: &File) -> io::Result<Identity> {
        let of = file.metadata()?;
        let since = of.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let modified = (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()));
        Ok(Identity { size: of.len(), modified, place: (0, 0, 0, 0) })
    }
}

/// Why an object cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Gone,
    Damaged,
    Changing,
    Failed(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::NotFound => Fault::Gone,
            _ => Fault::Failed(error),
        }
    }
}

impl Fault {
    /// The error for people: what is damaged, and the ways out.
    pub(super) fn told(self, path: &str) -> Box<Diagnostic> {
        let what = match self {
            Fault::Gone => format!("{path} is gone"),
            Fault::Damaged => format!("{path} is damaged: its bytes are not what its name says"),
            Fault::Changing => format!("{path} changes while it is read"),
            Fault::Failed(error) => {
                return Diagnostic::internal(format!("cannot read {path}")).note(error.to_string());
            }
        };
        let again = match path.split('/').next() {
            Some("raw" | "rejects") => "`scorebook run --rehash` makes it again if its export is still there",
            _ => "`scorebook run` makes it again if the newest run needs it",
        };
        Diagnostic::new(Kind::Verification, what)
            .at(Place::file(path))
            .help(format!("{again}; else restore it from a backup"))
            .help("`scorebook verify` says what else is damaged")
    }
}

/// A local folder, of whose objects nothing is read unchecked.
#[derive(Clone, Debug)]
pub(super) struct Checked(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    files: LocalFileSystem,
    /// Where that stands which is not here.
    below: Option<Checked>,
    /// The objects that were found sound.
    sound: Mutex<BTreeMap<String, Identity>>,
    /// Those that were not.
    damaged: Mutex<BTreeSet<String>>,
}

/// A lock that a panic elsewhere does not spoil: what it guards is whole after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Checked {
    pub(super) fn new(files: LocalFileSystem, below: Option<Checked>) -> Checked {
        Checked(Arc::new(Folder { files, below, sound: Mutex::default(), damaged: Mutex::default() }))
    }

    /// The objects that were found damaged, and have not been healed.
    pub(super) fn damaged(&self) -> BTreeSet<String> {
        locked(&self.0.damaged).clone()
    }

    /// Forgets that an object was damaged: it was written again.
    pub(super) fn healed(&self, path: &str) {
        locked(&self.0.damaged).remove(path);
    }

    /// The bytes of an object.
    pub(super) async fn bytes(&self, path: &str, digest: Digest) -> Result<Bytes, Fault> {
        self.at_rest(path, move |folder, path| folder.bytes(path, digest)).await
    }

    /// An object's file, found sound, and its identity then.
    pub(super) async fn file(&self, path: &str, digest: Digest) -> Result<(File, Identity), Fault> {
        self.at_rest(path, move |folder, path| folder.sound(path, digest)).await
    }

    /// Looks whether an object stands there; one without bytes is none. What it holds is checked when it is read.
    pub(super) async fn expect(&self, path: &str) -> Result<(), Fault> {
        let size = self.at_rest(path, |folder, path| Ok(folder.open(path)?.metadata()?.len())).await?;
        if size > 0 { Ok(()) } else { Err(Fault::Damaged) }
    }

    /// A file as it stands, whatever its name says.
    pub(super) fn unchecked(&self, path: &str) -> Result<File, Fault> {
        self.0.open(path)
    }

    /// Reads on a thread that may wait for the disk.
    async fn at_rest<T: Send + 'static>(
        &self,
        path: &str,
        read: impl FnOnce(&Folder, &str) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (folder, path) = (self.0.clone(), path.to_owned());
        let done = tokio::task::spawn_blocking(move || read(&folder, &path)).await;
        done.unwrap_or_else(|error| Err(Fault::Failed(io::Error::other(error))))
    }
}

impl Folder {
    /// Opens a file. What else stands in its place is damage: a pipe would never come to its end.
    fn open(&self, path: &str) -> Result<File, Fault> {
        let path = ObjectPath::parse(path).map_err(io::Error::other)?;
        let place = self.files.path_to_filesystem(&path).map_err(io::Error::other)?;
        let opened = match std::fs::metadata(&place) {
            Ok(found) if !found.is_file() => Err(Fault::Damaged),
            Ok(_) => File::open(&place).map_err(Fault::from),
            Err(error) => Err(error.into()),
        };
        match (opened, &self.below) {
            (Err(Fault::Gone), Some(below)) => below.0.open(path.as_ref()),
            (Err(Fault::Damaged), _) => {
                locked(&self.damaged).insert(path.to_string());
                Err(Fault::Damaged)
            }
            (opened, _) => opened,
        }
    }

    async fn writing(&self, path: &ObjectPath) -> Option<Writing> {
        at_work::writing(&self.files.path_to_filesystem(path).ok()?).await
    }

    /// Whether something else than a file stands there.
    fn is_no_file(&self, path: &ObjectPath) -> bool {
        let place = self.files.path_to_filesystem(path).ok();
        place.and_then(|place| std::fs::metadata(place).ok()).is_some_and(|found| !found.is_file())
    }

    fn is_known(&self, path: &str, identity: &Identity) -> bool {
        locked(&self.sound).get(path) == Some(identity)
    }

    /// Takes note of what was found, and says whether it is what was promised.
    fn note(&self, path: &str, identity: Identity, found: Digest, promised: Digest) -> Result<(), Fault> {
        if found != promised {
            locked(&self.damaged).insert(path.to_owned());
            return Err(Fault::Damaged);
        }
        locked(&self.sound).insert(path.to_owned(), identity);
        locked(&self.damaged).remove(path);
        Ok(())
    }

    /// A file whose bytes are what its name says.
    fn sound(&self, path: &str, digest: Digest) -> Result<(File, Identity), Fault> {
        let mut file = self.open(path)?;
        for _ in 0..ATTEMPTS {
            let identity = Identity::of(&file)?;
            if self.is_known(path, &identity) {
                return Ok((file, identity));
            }
            file.rewind()?;
            let found = digest_of(&mut file)?;
            if Identity::of(&file)? == identity {
                self.note(path, identity, found, digest)?;
                file.rewind()?;
                return Ok((file, identity));
            }
        }
        Err(Fault::Changing)
    }

    /// All bytes of an object: what is hashed is what is given.
    fn bytes(&self, path: &str, digest: Digest) -> Result<Bytes, Fault> {
        let mut file = self.open(path)?;
        for _ in 0..ATTEMPTS {
            let identity = Identity::of(&file)?;
            let mut bytes = Vec::with_capacity(usize::try_from(identity.size).unwrap_or_default());
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            let is_still = Identity::of(&file)? == identity;
            if is_still && self.is_known(path, &identity) {
                return Ok(bytes.into());
            }
            let found = Digest::of(&bytes);
            if is_still {
                self.note(path, identity, found, digest)?;
            }
            // A link or a mode that was changed meanwhile leaves the bytes as they are.
            if found == digest {
                return Ok(bytes.into());
            }
        }
        Err(Fault::Changing)
    }

    /// Parts of an object, of one and the same sound file.
    fn parts(&self, path: &str, digest: Digest, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Fault> {
        for _ in 0..ATTEMPTS {
            let (mut file, identity) = self.sound(path, digest)?;
            let parts: io::Result<Vec<Bytes>> = ranges.iter().map(|range| part(&mut file, range)).collect();
            if Identity::of(&file)? == identity {
                return Ok(parts?);
            }
        }
        Err(Fault::Changing)
    }
}

fn part(file: &mut File, range: &Range<u64>) -> io::Result<Bytes> {
    let size = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

/// The digest of what a reader still gives.
pub(super) fn digest_of(reader: &mut (impl Read + ?Sized)) -> io::Result<Digest> {
    let mut digester = Digester::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            n => digester.update(&buffer[..n]),
        }
    }
}

/// An object's fault in a form that the engine carries through its own errors.
fn carried(fault: Fault, path: &str) -> object_store::Error {
    object_store::Error::Generic { store: "warehouse", source: fault.told(path) }
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.files.fmt(f)
    }
}

/// Everything but reading is the folder's own.
#[async_trait::async_trait]
impl ObjectStore for Checked {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let _whole = self.0.writing(location).await;
        self.0.files.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let _whole = self.0.writing(location).await;
        self.0.files.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> object_store::Result<GetResult> {
        let head = options.head;
        // A pipe or a device would never come to its end, and a folder holds no bytes: there is no object.
        if self.0.is_no_file(location) {
            let source = std::io::Error::other("what stands there is no file").into();
            return Err(object_store::Error::NotFound { path: location.to_string(), source });
        }
        let found = match (self.0.files.get_opts(location, options.clone()).await, &self.0.below) {
            (Err(object_store::Error::NotFound { .. }), Some(below)) => below.get_opts(location, options).await?,
            (found, _) => found?,
        };
        let Some(digest) = promised(location.as_ref()).filter(|_| !head) else { return Ok(found) };
        let range = found.range.clone();
        let read = move |folder: &Folder, path: &str| folder.parts(path, digest, &[range]);
        let parts = self.at_rest(location.as_ref(), read).await;
        let parts = parts.map_err(|fault| carried(fault, location.as_ref()))?;
        let payload = GetResultPayload::Stream(futures::stream::iter(parts.into_iter().map(Ok)).boxed());
        Ok(GetResult { payload, ..found })
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        let Some(digest) = promised(location.as_ref()) else {
            return self.0.files.get_ranges(location, ranges).await;
        };
        let ranges = ranges.to_vec();
        let read = move |folder: &Folder, path: &str| folder.parts(path, digest, &ranges);
        self.at_rest(location.as_ref(), read).await.map_err(|fault| carried(fault, location.as_ref()))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<ObjectPath>>,
    ) -> BoxStream<'static, object_store::Result<ObjectPath>> {
        self.0.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.files.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> object_store::Result<ListResult> {
        self.0.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> object_store::Result<()> {
        let _whole = self.0.writing(to).await;
        self.0.files.copy_opts(from, to, options).await
    }
}
