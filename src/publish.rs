//! The views: the documents under readable names, and the site. Made from ledger entries, and repaired by every run.
//!
//! Nothing is proved by them, and whatever is ours in them may be deleted. Its one constraint: a run replaces and removes only what a
//! run before it wrote there. See `view.rs` for what that means.

mod files;
mod list;
mod marker;
mod places;
mod told;
mod view;

pub use list::SUMS;
pub use marker::{Kind, Owner};
pub use places::{Folders, Named};
pub use told::Notes;
pub use view::{Claim, Look, View};

use crate::artifact::document::Document;
use crate::diagnostic::Result;
use crate::domain::digest::Digest;
use crate::ledger::{self, Entry};
use crate::pipeline::render::site::{self, File, Pages};
use crate::pipeline::render::{self, naming};
use crate::pipeline::{Made, Past};
use crate::run_context::RunContext;
use crate::store::Store;
use places::KNOWN_AT;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The folders in which people read.
pub struct Views {
    /// The documents by period and report.
    pub reports: View,
    /// The same as linked pages, by audience; none if the project has no pages.
    pub site: Option<View>,
    /// The machine's name: part of what tells a warehouse from its copy.
    host: String,
}

/// The folder of reports for a run that was to know less than there was: its documents replace no others.
pub fn apart(entry: &Entry) -> String {
    format!("{KNOWN_AT}/run_{:06}", entry.number)
}

impl Views {
    /// Takes the folders before any work is done: both must be ours, or nobody's.
    pub async fn open(folders: &Folders, store: &Store, past: &Past, company: &str, host: &str) -> Result<Views> {
        let owner = Owner::of(store.folder(), host, &past.chain);
        let claim = Claim { owner, chain: &past.chain, company, store };
        let (access, named) = (folders.access, &folders.named);
        let open = async |kind: Kind, named: &Named, access| {
            let view = View::open(kind, &named.path, access, &claim).await;
            view.map_err(|error| named.blame(error))
        };
        let reports = open(Kind::Reports, &named[1], access[1]).await?;
        let site = match folders.has_site {
            true => Some(open(Kind::Site, &named[2], access[2]).await?),
            false => None,
        };
        Ok(Views { reports, site, host: host.to_owned() })
    }

    /// Where to read the site, if there is one.
    pub fn site_folder(&self) -> Option<&Path> {
        self.site.as_ref().map(View::folder)
    }

    /// Makes the readable views what the ledger says: of every period the documents of the newest entry that has it, as far as
    /// the project still has their reports. Writes what is missing or different, and removes what is no document any more.
    pub async fn repair(self, night: &RunContext<'_>, mut past: Past, last: &Entry, made: &Made) -> Result<Notes> {
        let store = night.store;
        past.add(last);
        let owner = Owner::of(store.folder(), &self.host, &past.chain);
        let reports: BTreeSet<String> = render::reports(night.project)?.into_iter().map(|report| report.id).collect();
        let mut all = newest(store, &past, last, &reports).await?;
        tell_apart(&mut all);
        let mut notes = Notes::of(reports);
        notes.add(Kind::Reports, self.reports.folder().to_owned(), {
            let mut wanted = by_period(&all);
            if last.known_at.is_some() {
                let mut documents = last.documents.clone();
                tell_apart(&mut documents);
                let files = documents.iter().flat_map(Document::views);
                wanted.insert(apart(last), files.map(|(path, object, digest)| (path, (object, digest))).collect());
            }
            repair_reports(self.reports, store, wanted, owner.clone()).await?
        });
        let pages = Pages::of(night.project, &night.settings.company.name, &made.metrics)?;
        if let (Some(view), Some(pages)) = (self.site, pages) {
            let folder = view.folder().to_owned();
            let scopes = site::scopes(&all, &night.settings.company.name);
            notes.add(Kind::Site, folder, repair_site(view, store, &pages, &scopes, owner).await?);
        }
        Ok(notes)
    }
}

/// Path within a folder -> the object and its digest.
type Copies = BTreeMap<String, (String, Digest)>;

/// The documents that people read: of every period and report those of the newest entry that has them.
async fn newest(store: &Store, past: &Past, last: &Entry, reports: &BTreeSet<String>) -> Result<Vec<Document>> {
    let mut by_entry: BTreeMap<u64, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for ((period, report), number) in past.newest.iter().filter(|((_, report), _)| reports.contains(report)) {
        by_entry.entry(*number).or_default().insert((period, report));
    }
    let mut all = Vec::new();
    for (number, parts) in by_entry {
        let read;
        let entry = match number == last.number {
            true => last,
            false => {
                read = ledger::read(store, number, past.hash_of(number)).await?;
                &read
            }
        };
        let is_part = |document: &&Document| parts.contains(&(document.period.as_str(), document.report.as_str()));
        all.extend(entry.documents.iter().filter(is_part).cloned());
    }
    all.sort();
    Ok(all)
}

/// Gives two people whose documents have one name a name each. No file name that Scorebook gives today is another's; but entries of
/// older versions name documents that were.
fn tell_apart(documents: &mut [Document]) {
    let mut names: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for document in documents.iter() {
        let whose = (document.level.clone(), document.entity.clone());
        names.entry(naming::folded(&document.view)).or_default().insert(whose);
    }
    for document in documents.iter_mut().filter(|document| names[&naming::folded(&document.view)].len() > 1) {
        document.view = format!("{}-{}", document.view, naming::mark(&document.level, &document.entity));
    }
}

fn by_period(documents: &[Document]) -> BTreeMap<String, Copies> {
    let mut periods: BTreeMap<String, Copies> = BTreeMap::new();
    for document in documents {
        let copies = periods.entry(document.period.clone()).or_default();
        for (path, object, digest) in document.views() {
            let within = path.strip_prefix(&format!("{}/", document.period)).unwrap_or(&path).to_owned();
            copies.insert(within, (object, digest));
        }
    }
    periods
}

async fn repair_reports(
    mut view: View,
    store: &Store,
    wanted: BTreeMap<String, Copies>,
    owner: Owner,
) -> Result<view::Told> {
    let units: BTreeSet<String> = wanted.keys().cloned().collect();
    let ours = view.begin(store, units.clone()).await?;
    for (unit, copies) in wanted.into_iter().filter(|(unit, _)| ours.contains(unit)) {
        let files = copies.into_iter().map(|(path, (object, digest))| (path, File::Copy(object, digest)));
        view.make(store, &unit, files.collect(), Look::Bytes).await?;
    }
    for unit in view.unwanted(&units)? {
        view.make(store, &unit, BTreeMap::new(), Look::Bytes).await?;
    }
    view.end(owner)
}

/// Makes every audience's folder what it may read, and removes those of whom there is nothing any more.
async fn repair_site(
    mut view: View,
    store: &Store,
    pages: &Pages<'_>,
    scopes: &[site::Scope<'_>],
    owner: Owner,
) -> Result<view::Told> {
    let units: BTreeSet<String> = scopes.iter().map(|scope| scope.folder.clone()).collect();
    let ours = view.begin(store, units.clone()).await?;
    for scope in scopes.iter().filter(|scope| ours.contains(&scope.folder)) {
        view.make(store, &scope.folder, scope.files(pages)?, Look::Size).await?;
    }
    for unit in view.unwanted(&units)? {
        view.make(store, &unit, BTreeMap::new(), Look::Size).await?;
    }
    view.end(owner)
}
