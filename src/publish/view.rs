//! A view's folder: what of it is ours, and how that is made what it should be.
//!
//! Ours is what the last list of digests names, in a folder that our marker names. If a list is not the one that we wrote last, or a
//! run was killed at its work, only a file whose bytes the warehouse holds too counts as ours. Everything else is left as it is and told:
//! what stands where a file of ours should is not replaced, and nothing is reached through a link.

use crate::access::{Access, is_bystander};
use crate::artifact::document::Document;
use crate::diagnostic::{Diagnostic, Kind as Fault, Result};
use crate::domain::digest::Digest;
use crate::pipeline::render::site::{File, PAGES};
use crate::publish::files::{Files, Stands};
use crate::publish::list::{List, SUMS};
use crate::publish::marker::{self, Copied, Kind, MARKER, Marker, Owner};
use crate::publish::places::KNOWN_AT;
use crate::store::{self, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

impl File {
    fn digest(&self) -> Digest {
        match self {
            File::Copy(_, digest) => *digest,
            File::Page(text) => Digest::of(text.as_bytes()),
        }
    }

    async fn size(&self, store: &Store) -> Result<Option<u64>> {
        match self {
            File::Copy(object, _) => store.size(object).await,
            File::Page(text) => Ok(Some(text.len() as u64)),
        }
    }

    async fn bytes(self, store: &Store) -> Result<Vec<u8>> {
        match self {
            File::Copy(object, _) => Ok(store.get(&object).await?.to_vec()),
            File::Page(text) => Ok(text.into_bytes()),
        }
    }
}

/// How closely a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Its bytes are read.
    Bytes,
    /// Its size, where its folder's list says what it should: folders hold copies of many periods.
    Size,
}

/// What a run has to say of a view.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Documents that left: paths.
    pub left: Vec<String>,
    /// Where something else stands than ours: it was left, and ours is missing.
    pub taken: BTreeSet<String>,
    /// Documents that are missing because the warehouse's object is gone or damaged: paths.
    pub damaged: BTreeSet<String>,
    /// Files of others within our folders.
    pub extra: Vec<String>,
    /// Whether others could read what they should not.
    pub was_open: bool,
    /// The folder's own mode could not be changed.
    pub stays_open: Option<String>,
}

/// Who asks for a view's folder.
pub struct Claim<'a> {
    /// The warehouse.
    pub owner: Owner,
    /// The hashes of its ledger's entries.
    pub chain: &'a [Digest],
    /// The company's name.
    pub company: &'a str,
    /// The warehouse, to know what it holds.
    pub store: &'a Store,
}

/// A view's folder that is ours.
pub struct View {
    kind: Kind,
    files: Files,
    marker: Marker,
    told: Told,
}

impl View {
    /// Looks whose a folder is and takes it if it is ours or nobody's; a missing one is made. Nothing else is written.
    ///
    /// # Errors
    /// The folder belongs to another project, or holds other things.
    pub async fn open(kind: Kind, folder: &Path, access: Access, claim: &Claim<'_>) -> Result<View> {
        let failed = |error: io::Error| {
            store::failed("use the folder", folder, &error).help("check that this user may write there")
        };
        access.make_folder(folder).map_err(failed)?;
        let files = Files::of(folder.canonicalize().map_err(failed)?, access);
        let stands_in = marker::number(files.root());
        let fresh = |shared| Marker::new(kind, claim.company, claim.owner.clone(), shared);
        let mut view = View { kind, files, marker: fresh(false), told: Told::default() };
        match view.files.look(MARKER).map_err(failed)? {
            Stands::File(found) if found.len() == 0 => view.marker = fresh(true),
            Stands::File(_) => {
                let bytes = view.files.read(MARKER).map_err(failed)?.unwrap_or_default();
                let mut marker =
                    Marker::read(&bytes).map_err(|error| error.note(format!("in {}", folder.display())))?;
                let beside = view.files.root().parent() == claim.store.folder().parent();
                let copy = match marker.stands_in.is_some() && marker.stands_in != stands_in {
                    false => Copied::No,
                    true if beside => Copied::Beside,
                    true => Copied::Elsewhere,
                };
                if marker.view != kind || !marker.owner.is(&claim.owner, claim.chain, copy) {
                    return Err(view.belongs_to(&marker));
                }
                (marker.owner, marker.company) = (claim.owner.clone(), claim.company.to_owned());
                view.marker = marker;
            }
            Stands::Other => return Err(view.is_foreign(MARKER)),
            Stands::Nothing => view.adopt(claim, failed).await?,
        }
        view.marker.stands_in = stands_in;
        Ok(view)
    }

    /// Takes a folder without a marker: an empty one, or what an older version made of this very warehouse.
    async fn adopt(&mut self, claim: &Claim<'_>, failed: impl Fn(io::Error) -> Box<Diagnostic> + Copy) -> Result<()> {
        let names = self.files.names("").map_err(failed)?;
        let others = names.into_iter().filter(|name| !is_bystander(name));
        let (mut adopted, mut foreign) = (0, Vec::new());
        for name in others {
            let units = match (self.kind, name.as_str()) {
                (Kind::Reports, KNOWN_AT) if self.files.is_folder(&name) => {
                    self.files.names(&name).map_err(failed)?.iter().map(|run| format!("{name}/{run}")).collect()
                }
                _ => vec![name],
            };
            for unit in units {
                match self.older(claim.store, &unit).await? {
                    Some(list) => {
                        adopted += 1;
                        self.marker.folders.insert(self.marker.mark(&unit), list);
                    }
                    None => foreign.push(unit),
                }
            }
        }
        match foreign.first() {
            Some(name) if adopted == 0 => Err(self.is_foreign(name)),
            found => {
                self.marker.shared = found.is_some();
                Ok(())
            }
        }
    }

    /// Whether a folder is one that an older version wrote of this warehouse: its list is of the right form, and each document in
    /// it is in the warehouse. Gives the list's digest if all files are as it says.
    async fn older(&self, store: &Store, unit: &str) -> Result<Option<Option<Digest>>> {
        let (list, digest) = self.list(unit)?;
        // Behind the folder come the report and the file, and before them the period, if the folder is not named after it.
        let parts = if self.kind == Kind::Site || unit.starts_with(KNOWN_AT) { 3 } else { 2 };
        let mut documents = 0;
        let mut agrees = true;
        for (path, digest) in &list.0 {
            if !self.is_page(path) {
                documents += 1;
                if path.split('/').count() != parts || !self.is_document(store, path, digest).await? {
                    return Ok(None);
                }
            }
            let place = format!("{unit}/{path}");
            agrees &= matches!(self.look(&place)?, Stands::File(_)) && self.digest(&place)? == *digest;
        }
        let pages = self.kind == Kind::Reports || list.0.contains_key(PAGES[0]);
        Ok((documents > 0 && pages).then_some(digest.filter(|_| agrees)))
    }

    fn belongs_to(&self, marker: &Marker) -> Box<Diagnostic> {
        let whose = format!("it is the {} folder of another project, of {}", marker.view.name(), marker.company);
        self.refused("belongs to another project").note(whose).help(format!(
            "name a folder of its own: `{0}` in [paths] of scorebook.toml, or --{0} DIR",
            self.kind.name()
        )).help(format!(
            "if this is the same project, restored or copied for good: delete {} there, and the next run takes the folder over if its \
             documents are in the warehouse",
            MARKER
        ))
    }

    fn is_foreign(&self, name: &str) -> Box<Diagnostic> {
        self.refused("holds other things")
            .note(format!("`{name}` there was not written by Scorebook, or not from this warehouse"))
            .help(format!(
                "name an empty folder or a new one: `{0}` in [paths] of scorebook.toml, or --{0} DIR",
                self.kind.name()
            ))
            .help(format!(
                "or let Scorebook add its folders to what is there, which stays: touch {}",
                self.path(MARKER)
            ))
    }

    fn refused(&self, why: &str) -> Box<Diagnostic> {
        let folder = self.files.root().display();
        Diagnostic::project(format!("the folder for the {}, {folder}, {why}", self.kind.name()))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.files.root()
    }

    /// Begins the work on folders: from now on those of them are ours that were or that do not exist yet. Gives those that may
    /// be made; others stand where the rest should.
    pub async fn begin(&mut self, store: &Store, units: BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut ours = BTreeSet::new();
        for unit in units {
            let mark = self.marker.mark(&unit);
            let stands = self.look(&unit)?;
            let may = match stands {
                Stands::Nothing => true,
                _ if !self.files.is_folder(&unit) => false,
                _ if self.marker.folders.contains_key(&mark) => true,
                _ if self.files.names(&unit).map_err(|error| self.failed("read", &unit, error))?.is_empty() => true,
                _ => match self.older(store, &unit).await? {
                    Some(list) => {
                        self.marker.folders.insert(mark, list);
                        true
                    }
                    None => false,
                },
            };
            if may {
                self.marker.folders.entry(mark).or_default();
                ours.insert(unit);
            } else {
                self.told.taken.insert(unit);
            }
        }
        let was_at_work = std::mem::replace(&mut self.marker.at_work, true);
        self.put(MARKER, &self.marker.text())?;
        self.marker.at_work = was_at_work;
        if !self.marker.shared {
            let settled = self.files.settle("");
            self.told.was_open |= self.settled(settled);
        }
        self.settle_kept()?;
        Ok(ours)
    }

    /// Closes the folders that stay as they are: those of runs that were to know less than there was.
    fn settle_kept(&mut self) -> Result<()> {
        if self.kind != Kind::Reports || !self.files.is_folder(KNOWN_AT) {
            return Ok(());
        }
        let runs = self.files.names(KNOWN_AT).map_err(|error| self.failed("list", KNOWN_AT, error))?;
        for unit in runs.iter().map(|run| format!("{}/{run}", KNOWN_AT)) {
            if self.marker.folders.contains_key(&self.marker.mark(&unit)) {
                let settled = self.files.access().settle_tree(&self.files.root().join(&unit));
                self.settled(settled);
                let settled = self.files.settle(KNOWN_AT);
                self.settled(settled);
            }
        }
        Ok(())
    }

    /// Whether something was open to others. That it cannot be closed stops nothing: it is told.
    fn settled(&mut self, settled: io::Result<bool>) -> bool {
        settled.unwrap_or_else(|error| {
            self.told.stays_open = Some(error.to_string());
            false
        })
    }

    /// Makes a folder what is wanted.
    pub async fn make(&mut self, store: &Store, unit: &str, wanted: BTreeMap<String, File>, look: Look) -> Result<()> {
        let (before, digest) = self.list(unit)?;
        let mark = self.marker.mark(unit);
        let trusted = digest.is_some() && self.marker.folders.get(&mark) == Some(&digest);
        let folder = Folder { unit, before, trusted };
        let look = if self.marker.at_work || !trusted { Look::Bytes } else { look };
        let mut list = List::default();
        for (path, file) in wanted {
            let (place, digest) = (format!("{unit}/{path}"), file.digest());
            let stands = match self.look(&place)? {
                Stands::Nothing => false,
                Stands::File(found) => {
                    let right = match look {
                        Look::Size => {
                            folder.before.0.get(&path) == Some(&digest) && file.size(store).await? == Some(found.len())
                        }
                        Look::Bytes => self.digest(&place)? == digest,
                    };
                    if !right && !self.is_ours(store, &folder, &path).await? {
                        self.told.taken.insert(place);
                        continue;
                    }
                    if right {
                        let settled = self.files.access().settle(&self.files.root().join(&place), &found);
                        self.settled(settled);
                    }
                    right
                }
                Stands::Other => {
                    self.told.taken.insert(place);
                    continue;
                }
            };
            if !stands {
                match file.bytes(store).await {
                    Ok(bytes) => self.put(&place, &bytes)?,
                    // One damaged document keeps no other back.
                    Err(error) if error.kind == Fault::Verification => {
                        self.told.damaged.insert(place);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            list.0.insert(path, digest);
        }
        self.clear(store, &folder, &list).await?;
        self.keep_list(&folder, &list, digest)
    }

    /// Removes what is ours in a folder and no longer wanted, and tells what is not ours.
    async fn clear(&mut self, store: &Store, folder: &Folder<'_>, list: &List) -> Result<()> {
        let unit = folder.unit;
        let (found, folders) = self.files.walk(unit).map_err(|error| self.failed("list", unit, error))?;
        // A killed run may have removed files and not yet their folders.
        let recovered = folders.iter().filter(|_| self.marker.at_work).map(PathBuf::from);
        let mut emptied: BTreeSet<PathBuf> = recovered.collect();
        for place in found {
            let Some(path) = place.strip_prefix(unit).and_then(|rest| rest.strip_prefix('/')).map(String::from) else {
                continue;
            };
            if list.0.contains_key(&path) || path == SUMS || self.told.taken.contains(&place) {
                continue;
            }
            let listed = folder.before.0.contains_key(&path) || self.marker.at_work;
            if !listed || !matches!(self.look(&place)?, Stands::File(_)) || !self.is_ours(store, folder, &path).await? {
                self.told.extra.push(place);
                continue;
            }
            if self.files.remove(&place).map_err(|error| self.failed("remove", &place, error))? {
                emptied.extend(Path::new(&place).ancestors().skip(1).map(PathBuf::from));
                if !self.is_page(&path) && !self.told.damaged.contains(&place) {
                    self.told.left.push(place);
                }
            }
        }
        let is_ours = |place: &String| {
            place == unit || list.0.keys().any(|path| format!("{unit}/{path}").starts_with(&format!("{place}/")))
        };
        for place in folders.into_iter().filter(is_ours) {
            let settled = self.files.settle(&place);
            // Beneath a closed folder nobody could read, whatever the modes.
            let was_open = self.settled(settled) && self.marker.shared && place == unit;
            self.told.was_open |= was_open;
        }
        for place in emptied.iter().rev().filter_map(|place| place.to_str()).filter(|place| place.len() > unit.len()) {
            self.files.remove_empty(place);
        }
        Ok(())
    }

    /// Writes a folder's list if it is another than the one that stands; without files there is neither list nor folder.
    fn keep_list(&mut self, folder: &Folder<'_>, list: &List, standing: Option<Digest>) -> Result<()> {
        let unit = folder.unit;
        let (place, text) = (format!("{unit}/{SUMS}"), list.text());
        let digest = Digest::of(text.as_bytes());
        let mark = self.marker.mark(unit);
        if list.0.is_empty() {
            if folder.trusted {
                self.files.remove(&place).map_err(|error| self.failed("remove", &place, error))?;
            }
            self.files.remove_empty(unit);
            self.marker.folders.remove(&mark);
            return Ok(());
        }
        if matches!(self.look(&place)?, Stands::Other) {
            self.told.taken.insert(place);
            self.marker.folders.insert(mark, None);
            return Ok(());
        }
        if standing != Some(digest) {
            self.put(&place, text.as_bytes())?;
        } else {
            let settled = self.files.settle(&place);
            self.settled(settled);
        }
        self.marker.folders.insert(mark, Some(digest));
        Ok(())
    }

    /// The folders that are ours and of which nothing is wanted any more.
    pub fn unwanted(&self, wanted: &BTreeSet<String>) -> Result<Vec<String>> {
        let names = self.files.names("").map_err(|error| self.failed("list", "", error))?;
        let gone = |name: &String| !wanted.contains(name) && self.marker.folders.contains_key(&self.marker.mark(name));
        Ok(names.into_iter().filter(gone).collect())
    }

    /// Ends the work: all lists are what they should be, and everything is on the disk. Gives what there is to say.
    pub fn end(mut self, owner: Owner) -> Result<Told> {
        self.marker.at_work = false;
        self.marker.owner = owner;
        self.files.sync().map_err(|error| self.failed("sync", "", error))?;
        self.put(MARKER, &self.marker.text())?;
        self.files.sync().map_err(|error| self.failed("sync", "", error))?;
        Ok(self.told)
    }

    /// Whether a file within a folder of ours is ours: see the module's text.
    async fn is_ours(&self, store: &Store, folder: &Folder<'_>, path: &str) -> Result<bool> {
        let listed = folder.before.0.get(path);
        if (folder.trusted && listed.is_some()) || (self.marker.at_work && self.is_page(path)) {
            return Ok(true);
        }
        let digest = self.digest(&format!("{}/{path}", folder.unit))?;
        Ok((self.is_page(path) && listed == Some(&digest)) || self.is_document(store, path, &digest).await?)
    }

    fn is_page(&self, path: &str) -> bool {
        self.kind == Kind::Site && PAGES.contains(&path)
    }

    /// Whether the warehouse holds these bytes as a document.
    async fn is_document(&self, store: &Store, path: &str, digest: &Digest) -> Result<bool> {
        match path.rsplit_once('.') {
            Some((_, format)) if format.bytes().all(|b| b.is_ascii_lowercase()) => {
                store.exists(&Document::path(format, digest)).await
            }
            _ => Ok(false),
        }
    }

    /// A folder's list, and the digest of its text; empty if there is none that Scorebook would write.
    fn list(&self, unit: &str) -> Result<(List, Option<Digest>)> {
        let place = format!("{unit}/{SUMS}");
        let bytes = self.files.read(&place).map_err(|error| self.failed("read", &place, error))?;
        let text = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let list = text.and_then(List::read).unwrap_or_default();
        Ok((list, bytes.map(|bytes| Digest::of(&bytes))))
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let written = self.files.write(path, bytes);
        written.map_err(|error| self.failed("write", path, error))
    }

    fn look(&self, path: &str) -> Result<Stands> {
        self.files.look(path).map_err(|error| self.failed("look for", path, error))
    }

    fn digest(&self, path: &str) -> Result<Digest> {
        self.files.digest(path).map_err(|error| self.failed("read", path, error))
    }

    fn path(&self, within: &str) -> String {
        self.files.root().join(within).display().to_string()
    }

    fn failed(&self, what: &str, path: &str, error: io::Error) -> Box<Diagnostic> {
        store::failed(what, &self.files.root().join(path), &error)
    }
}

/// A folder under work.
struct Folder<'a> {
    unit: &'a str,
    /// Its list as it stood.
    before: List,
    /// Whether that is the list that we wrote.
    trusted: bool,
}

#[cfg(test)]
mod tests;
