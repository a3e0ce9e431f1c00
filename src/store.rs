//! The one doorway to stored objects: the warehouse, and the exports it reads.
//!
//! Objects are immutable and named by what they are, and are read only if their bytes are what the name says: by every way
//! but [`Store::digest`] and [`Store::reader`], which look at what stands there. A write is not durable until [`Store::sync`] has returned its
//! [`Synced`], and the ledger takes an entry only together with one: a power cut can lose work, never a promise.

mod checked;

use crate::access::{Access, WAREHOUSE};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::domain::digest::Digest;
use bytes::Bytes;
use checked::{Checked, Fault, Identity};
pub use checked::{OBJECTS, promised};
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A folder of objects.
#[derive(Debug)]
pub struct Store {
    objects: Checked,
    folder: PathBuf,
    unsynced: Mutex<BTreeSet<String>>,
    healed: Mutex<BTreeSet<String>>,
    access: Access,
}

/// Looks for objects: whoever lists them would take one that is gone or empty for no rows.
#[derive(Clone, Debug)]
pub struct Looks(Checked);

impl Looks {
    /// Expects an object where it should be.
    ///
    /// # Errors
    /// If it is gone, empty or no file; with the kind of a failed verification.
    pub async fn expect(&self, path: &str) -> Result<()> {
        self.0.expect(path).await.map_err(|fault| fault.told(path))
    }
}

/// An object's file, found sound.
///
/// Its rows are read as they are needed, while others may write: whoever has read some asks [`ObjectFile::confirm`] whether they
/// are still those of the sound file.
#[derive(Debug)]
pub struct ObjectFile {
    file: File,
    identity: Identity,
    digest: Digest,
    path: String,
}

impl ObjectFile {
    /// Where it stands in its store.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file, for another reader of it.
    pub fn reader(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| Fault::Failed(error).told(&self.path))
    }

    /// Says whether the file's bytes are still those that were found sound.
    ///
    /// # Errors
    /// If any of them was changed since.
    pub fn confirm(&mut self) -> Result<()> {
        let now = Identity::of(&self.file).map_err(|error| Fault::Failed(error).told(&self.path))?;
        if now != self.identity {
            let same = Identity::again(&self.file, self.digest);
            self.identity = same.map_err(|fault| fault.told(&self.path))?;
        }
        Ok(())
    }
}

/// Proof that everything written before it stands on the disk, folders included.
///
/// Only [`Store::sync`] makes one, and any later write makes it stale: see [`Store::append_synced`].
#[derive(Debug)]
pub struct Synced(());

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Path within the store.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, RFC 3339.
    pub modified: String,
}

impl Store {
    /// Opens a local folder, making it if it is missing.
    pub fn open(folder: &Path) -> Result<Store> {
        Store::open_for(folder, Access::Owner)
    }

    /// The same, for whom new objects and folders are readable.
    pub fn open_for(folder: &Path, access: Access) -> Result<Store> {
        Store::at(folder, None, access)
    }

    /// Opens a local folder as a sheet over another store: what is not in it is read from there, and nothing is written there.
    pub fn over(below: &Store, folder: &Path) -> Result<Store> {
        Store::at(folder, Some(below.objects.clone()), Access::Owner)
    }

    fn at(folder: &Path, below: Option<Checked>, access: Access) -> Result<Store> {
        let failed = |error: &dyn std::fmt::Display| {
            Diagnostic::internal(format!("cannot use the folder {}: {error}", folder.display()))
                .help("check that the folder exists and that this user may write to it")
        };
        access.make_folder(folder).map_err(|e| failed(&e))?;
        let folder = folder.canonicalize().map_err(|e| failed(&e))?;
        let files = LocalFileSystem::new_with_prefix(&folder).map_err(|e| failed(&e))?;
        let objects = Checked::new(files, below);
        Ok(Store { objects, folder, unsynced: Mutex::default(), healed: Mutex::default(), access })
    }

    /// The same objects through a doorway of its own: what is written there is no part of what [`Store::sync`] brings to
    /// the disk here, and does not stand in the way of a seal.
    pub fn beside(&self) -> Store {
        Store {
            objects: self.objects.clone(),
            folder: self.folder.clone(),
            unsynced: Mutex::default(),
            healed: Mutex::default(),
            access: self.access,
        }
    }

    /// The folder, for messages and for local tools.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The store as DataFusion wants it.
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.objects.clone())
    }

    /// Stores bytes as `folder/<digest>.<extension>` (without the point if there is no extension), once.
    pub async fn put_named(&self, folder: &str, extension: &str, bytes: Vec<u8>) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        let path = object_name(folder, &digest, extension);
        if !self.put_absent(&path, bytes.clone()).await? {
            // The name promises the content, but an earlier power cut may have torn it, or a disk changed it. Then heal it.
            if self.digest(&path).await? == digest {
                self.mark(&path);
            } else {
                self.put(&path, bytes).await?;
                self.objects.healed(&path);
                self.healed.lock().map_err(|_| Diagnostic::internal("a writer died"))?.insert(path);
            }
        }
        Ok(digest)
    }

    /// Writes an object, replacing what stands there. For views, the cache and the lock only.
    pub async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        self.mark(path);
        let put = self.objects.put(&parse(path)?, PutPayload::from(bytes)).await;
        put.map_err(|error| self.failed("write", path, &error))?;
        self.open_to_group(path)
    }

    fn open_to_group(&self, path: &str) -> Result<()> {
        self.access.open_to_group(&self.folder, path).map_err(|error| self.failed("open to the group", path, &error))
    }

    /// Writes an object unless one stands there; says whether it wrote.
    pub async fn put_absent(&self, path: &str, bytes: Vec<u8>) -> Result<bool> {
        self.mark(path);
        match self.objects.put_opts(&parse(path)?, PutPayload::from(bytes), PutMode::Create.into()).await {
            Ok(_) => self.open_to_group(path).map(|()| true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.failed("write", path, &error)),
        }
    }

    /// Writes the object that publishes all the others: only with proof that they are on the disk. Says whether it
    /// wrote; `false` means that another object has the name.
    pub async fn append_synced(&self, path: &str, bytes: Vec<u8>, _proof: Synced) -> Result<bool> {
        let waiting = self.unsynced.lock().map_or(0, |unsynced| unsynced.len());
        if waiting > 0 {
            return Err(Diagnostic::internal(format!("{waiting} objects were written after the sync before a seal")));
        }
        if !self.put_absent(path, bytes.clone()).await? && self.get(path).await? != bytes {
            return Ok(false);
        }
        self.sync()?;
        Ok(true)
    }

    /// Brings all writes so far, and the folders that name them, to the disk.
    pub fn sync(&self) -> Result<Synced> {
        let paths = std::mem::take(&mut *self.unsynced.lock().map_err(|_| Diagnostic::internal("a writer died"))?);
        let mut folders = BTreeSet::new();
        for path in &paths {
            let file = self.folder.join(path);
            match File::open(&file).and_then(|file| file.sync_all()) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(self.failed("sync", path, &error)),
            }
            folders.extend(file.ancestors().skip(1).take_while(|f| f.starts_with(&self.folder)).map(PathBuf::from));
        }
        for folder in folders {
            let synced = File::open(&folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| self.failed("sync", &folder.display().to_string(), &error))?;
        }
        Ok(Synced(()))
    }

    /// The whole object.
    pub async fn get(&self, path: &str) -> Result<Bytes> {
        if let Some(digest) = promised(path) {
            return self.objects.bytes(path, digest).await.map_err(|fault| self.told(fault, path));
        }
        let found = self.objects.get(&parse(path)?).await.map_err(|error| self.failed("read", path, &error))?;
        found.bytes().await.map_err(|error| self.failed("read", path, &error))
    }

    /// The whole object, or `None` if there is none.
    pub async fn find(&self, path: &str) -> Result<Option<Bytes>> {
        if let Some(digest) = promised(path) {
            return match self.objects.bytes(path, digest).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Fault::Gone) => Ok(None),
                Err(fault) => Err(self.told(fault, path)),
            };
        }
        match self.objects.get(&parse(path)?).await {
            Ok(found) => found.bytes().await.map(Some).map_err(|error| self.failed("read", path, &error)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", path, &error)),
        }
    }

    /// Reads an export as a stream, or any object as it stands.
    pub async fn reader(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        let file = self.objects.unchecked(path).map_err(|fault| self.told(fault, path))?;
        Ok(Box::new(file))
    }

    /// An object as a file, for readers that jump.
    pub async fn file(&self, path: &str) -> Result<ObjectFile> {
        let Some(digest) = promised(path) else {
            return Err(Diagnostic::internal(format!("{path} is no object")));
        };
        let (file, identity) = self.objects.file(path, digest).await.map_err(|fault| self.told(fault, path))?;
        Ok(ObjectFile { file, identity, digest, path: path.to_owned() })
    }

    /// The digest of an object's bytes as they stand now.
    pub async fn digest(&self, path: &str) -> Result<Digest> {
        let mut reader = self.reader(path).await?;
        checked::digest_of(&mut *reader).map_err(|error| self.failed("read", path, &error))
    }

    /// What looks for objects on behalf of whoever lists them.
    pub fn looks(&self) -> Looks {
        Looks(self.objects.clone())
    }

    /// Checks that an object stands there with the bytes that its name says.
    ///
    /// # Errors
    /// If it is gone or damaged; with the kind of a failed verification, unless the disk itself fails.
    pub async fn check(&self, path: &str) -> Result<()> {
        self.file(path).await.map(drop)
    }

    /// Whether an object stands there with the bytes that its name says.
    pub async fn is_sound(&self, path: &str) -> Result<bool> {
        match self.check(path).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == Kind::Verification => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The objects that this process found damaged, and that were not made again since.
    pub fn damaged(&self) -> BTreeSet<String> {
        self.objects.damaged()
    }

    /// The objects that this process found damaged, and made again.
    pub fn healed(&self) -> BTreeSet<String> {
        self.healed.lock().map(|healed| healed.clone()).unwrap_or_default()
    }

    /// Whether an object stands there.
    pub async fn exists(&self, path: &str) -> Result<bool> {
        Ok(self.size(path).await?.is_some())
    }

    /// An object's bytes, if it stands there.
    pub async fn size(&self, path: &str) -> Result<Option<u64>> {
        Ok(self.state(path).await?.map(|(size, _)| size))
    }

    /// An object's bytes and when it was last written, if it stands there.
    pub async fn state(&self, path: &str) -> Result<Option<(u64, String)>> {
        match self.objects.head(&parse(path)?).await {
            Ok(found) => Ok(Some((found.size, found.last_modified.to_rfc3339()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("look for", path, &error)),
        }
    }

    /// All objects under a folder, by path.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>> {
        let prefix = (!folder.is_empty()).then(|| parse(folder)).transpose()?;
        let found: Vec<_> = self
            .objects
            .list(prefix.as_ref())
            .map_ok(|meta| Listed {
                path: meta.location.to_string(),
                size: meta.size,
                modified: meta.last_modified.to_rfc3339(),
            })
            .try_collect()
            .await
            .map_err(|error| self.failed("list", folder, &error))?;
        let mut found = found;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// What a killed writer left behind (`name#1`), which listings hide.
    pub fn leftovers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders: Vec<PathBuf> = WAREHOUSE.iter().map(|name| self.folder.join(name)).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                // What a link leads to was written by nobody here.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if entry
                    .file_name()
                    .to_string_lossy()
                    .rsplit_once('#')
                    .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
                {
                    let path = path.strip_prefix(&self.folder).unwrap_or(&path);
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }

    /// Removes what a killed writer left behind. Only the holder of the lock may: another's write may be under way.
    pub fn remove_leftovers(&self) -> usize {
        self.leftovers().iter().filter(|path| std::fs::remove_file(self.folder.join(path)).is_ok()).count()
    }

    /// Removes an object; one that is already gone is no error.
    pub async fn remove(&self, path: &str) -> Result<()> {
        match self.objects.delete(&parse(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", path, &error)),
        }
    }

    fn mark(&self, path: &str) {
        if let Ok(mut unsynced) = self.unsynced.lock() {
            unsynced.insert(path.to_owned());
        }
    }

    /// An object's fault, with the place where it stands.
    fn told(&self, fault: Fault, path: &str) -> Box<Diagnostic> {
        fault.told(path).note(format!("it stands at {}", self.folder.join(path).display()))
    }

    fn failed(&self, what: &str, path: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
        let place = self.folder.join(path);
        failed(what, &place, error)
    }
}

/// What a file system refused: it may be full, and then whoever runs it can help.
pub fn failed(what: &str, place: &Path, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    let failed = Diagnostic::internal(format!("cannot {what} {}", place.display())).note(error.to_string());
    match is_full(&error.to_string()) {
        true => failed.help("make room there, and run again: what was made is kept and will be found"),
        false if place.is_dir() => failed.help("a folder stands where the file should: move it away, and run again"),
        false => failed,
    }
}

/// Whether the machine says that a disk, a quota or a limit of file sizes is full. Libraries hand on its words alone.
fn is_full(error: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "File too large"].iter().any(|words| error.contains(words))
}

/// The path of an object named by its digest.
pub fn object_name(folder: &str, digest: &Digest, extension: &str) -> String {
    match extension {
        "" => format!("{folder}/{digest}"),
        extension => format!("{folder}/{digest}.{extension}"),
    }
}

fn parse(path: &str) -> Result<ObjectPath> {
    ObjectPath::parse(path).map_err(|error| Diagnostic::internal(format!("`{path}` is no path: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_sealed_before_it_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.put_named("raw", "parquet", b"rows".to_vec()).await.unwrap();
        let early = store.sync().unwrap();
        store.put_named("documents", "pdf", b"page".to_vec()).await.unwrap();
        let refused = store.append_synced("ledger/1.json", b"{}".to_vec(), early).await;
        assert!(refused.unwrap_err().message.contains("1 objects were written after the sync"));
        let proof = store.sync().unwrap();
        assert!(store.append_synced("ledger/1.json", b"{}".to_vec(), proof).await.unwrap());
        let proof = store.sync().unwrap();
        assert!(!store.append_synced("ledger/1.json", b"{ }".to_vec(), proof).await.unwrap());
    }

    #[tokio::test]
    async fn a_torn_object_is_healed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = store.put_named("raw", "parquet", b"rows".to_vec()).await.unwrap();
        let path = object_name("raw", &digest, "parquet");
        std::fs::write(folder.path().join(&path), b"").unwrap();
        store.put_named("raw", "parquet", b"rows".to_vec()).await.unwrap();
        assert_eq!(store.get(&path).await.unwrap(), "rows");
    }

    /// A store with an object, and the object's path in it and on the disk.
    async fn stored(folder: &Path, text: &str) -> (Store, String, PathBuf) {
        let store = Store::open(folder).unwrap();
        let digest = store.put_named("model/reps", "parquet", text.into()).await.unwrap();
        let path = object_name("model/reps", &digest, "parquet");
        let place = store.folder().join(&path);
        (store, path, place)
    }

    /// Changes a file in place, in another tick of the disk's clock, and sets its time of writing back.
    fn change(place: &Path, text: &str) {
        let modified = std::fs::metadata(place).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(place, text).unwrap();
        File::options().write(true).open(place).unwrap().set_modified(modified).unwrap();
    }

    #[tokio::test]
    async fn nothing_damaged_is_read_by_any_way() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path, place) = stored(folder.path(), "rows").await;
        let engine = store.objects();
        let location = parse(&path).unwrap();
        assert_eq!(store.get(&path).await.unwrap(), "rows");
        assert_eq!(engine.get_range(&location, 1..3).await.unwrap(), "ow");
        // Of the same size, as old, and found sound before.
        change(&place, "r0ws");
        for refused in [
            store.get(&path).await.map(drop),
            store.find(&path).await.map(drop),
            store.file(&path).await.map(drop),
            store.check(&path).await,
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind, Kind::Verification);
            assert!(refused.message.contains("is damaged"), "{refused}");
        }
        assert!(engine.get(&location).await.is_err());
        assert!(engine.get_range(&location, 1..3).await.is_err());
        assert!(engine.get_ranges(&location, &[0..1, 3..4]).await.is_err());
        assert!(!store.is_sound(&path).await.unwrap());
        assert_eq!(store.damaged(), BTreeSet::from([path.clone()]));
        // Made again, it is read again, and neither damaged nor forgotten.
        store.put_named("model/reps", "parquet", b"rows".to_vec()).await.unwrap();
        assert_eq!(engine.get_ranges(&location, &[0..1, 3..4]).await.unwrap(), ["r", "s"]);
        assert_eq!((store.damaged(), store.healed()), (BTreeSet::new(), BTreeSet::from([path.clone()])));
        std::fs::remove_file(&place).unwrap();
        assert!(store.get(&path).await.unwrap_err().message.contains("is gone"));
        assert!(store.find(&path).await.unwrap().is_none() && !store.is_sound(&path).await.unwrap());
    }

    #[tokio::test]
    async fn a_file_that_changes_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path, place) = stored(folder.path(), "rows").await;
        let mut object = store.file(&path).await.unwrap();
        object.confirm().unwrap();
        // A backup's link is no change of what is read.
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::hard_link(&place, folder.path().join("backup")).unwrap();
        object.confirm().unwrap();
        assert_eq!(store.get(&path).await.unwrap(), "rows");
        change(&place, "r0ws");
        assert_eq!(object.confirm().unwrap_err().kind, Kind::Verification);
    }

    #[tokio::test]
    async fn a_sheet_over_a_store_shows_what_is_beneath_and_writes_nothing_there() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (below, path, place) = stored(folders[0].path(), "rows").await;
        let sheet = Store::over(&below, folders[1].path()).unwrap();
        assert_eq!(sheet.get(&path).await.unwrap(), "rows");
        assert!(sheet.exists(&path).await.unwrap());
        let digest = sheet.put_named("scores", "parquet", b"more".to_vec()).await.unwrap();
        assert!(!below.exists(&object_name("scores", &digest, "parquet")).await.unwrap());
        change(&place, "r0ws");
        assert_eq!(sheet.get(&path).await.unwrap_err().kind, Kind::Verification);
        sheet.put_named("model/reps", "parquet", b"rows".to_vec()).await.unwrap();
        assert_eq!(sheet.get(&path).await.unwrap(), "rows");
        assert!(!below.is_sound(&path).await.unwrap());
    }
}
