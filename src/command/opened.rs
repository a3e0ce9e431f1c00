//! What commands share: the project, the warehouse, the lock and the clock.

use crate::cli::Global;
use crate::command::output;
use crate::diagnostic::{Diagnostic, Result};
use crate::engine::Limits;
use crate::ledger::Ledger;
use crate::lock::{self, Lock, Owner, Pace};
use crate::pipeline::render::site::Pages;
use crate::pipeline::{self, Past};
use crate::project::Project;
use crate::publish::{Folders, Named, Views};
use crate::settings::Settings;
use crate::store::Store;
use std::path::PathBuf;

/// As many threads as the machine has cores.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// A project and its warehouse, opened.
pub(super) struct Opened {
    pub(super) folder: PathBuf,
    pub(super) project: Project,
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) folders: Folders,
    pub(super) limits: Limits,
}

impl Opened {
    /// Opens what the flags and the settings name, to write to it. A warehouse that others could read is closed to them.
    pub(super) fn open(global: &Global) -> Result<Opened> {
        let opened = Opened::at(global, |folders| {
            folders.check()?;
            Store::open_for(&folders.named[0].path, folders.access[0])
        })?;
        let folder = opened.store.folder();
        match opened.folders.access[0].settle_warehouse(folder) {
            Ok(false) => {}
            Ok(true) => output::tell(&format!("warning: others could read {}; that is closed now", folder.display())),
            Err(error) => {
                output::tell(&format!("warning: the modes in {} cannot be set: {error}", folder.display()));
                output::tell("  help: let their owner close them to others: chmod -R go= DIR");
            }
        }
        Ok(opened)
    }

    /// Opens it to read from it: there must be something.
    pub(super) fn existing(global: &Global) -> Result<Opened> {
        Opened::at(global, |folders| {
            let folder = &folders.named[0].path;
            match folder.is_dir() {
                true => Store::open_for(folder, folders.access[0]),
                false => Err(Diagnostic::usage(format!("there is no warehouse at {}", folder.display()))
                    .help("`scorebook run` makes one; --warehouse DIR names another")),
            }
        })
    }

    fn at(global: &Global, open: impl Fn(&Folders) -> Result<Store>) -> Result<Opened> {
        let project = pipeline::open_project(&global.project)?;
        let settings = Settings::of(&project)?;
        let paths = &settings.paths;
        let named = [
            Named::of("warehouse", global.warehouse.as_ref(), &global.project, &paths.warehouse),
            Named::of("reports", global.reports.as_ref(), &global.project, &paths.reports),
            Named::of("site", global.site.as_ref(), &global.project, &paths.site),
        ];
        let folders = Folders::of(named, paths, Pages::are_there(&project));
        let threads = global.threads.unwrap_or(settings.engine.threads);
        let threads = if threads == 0 { cores() } else { threads };
        let limits = Limits { threads, memory_bytes: settings.engine.memory_mib << 20 };
        let store = open(&folders)?;
        Ok(Opened { folder: global.project.clone(), project, settings, store, folders, limits })
    }

    /// The readable views' folders: looked at, and taken.
    pub(super) async fn views(&self, past: &Past) -> Result<Views> {
        Views::open(&self.folders, &self.store, past, &self.settings.company.name, &host()).await
    }

    /// Takes the lock, and clears away what the run before left if it did not finish.
    pub(super) async fn lock(&self) -> Result<Lock> {
        let lock = lock::take(&self.store, &owner(), now(), Pace::default(), &output::tell).await?;
        if lock.is_unclean {
            let removed = self.store.remove_leftovers();
            match (&lock.unlocked, lock.taken_over) {
                (Some(unlocked), _) => output::tell(&format!(
                    "the lock was freed by hand, of {}: {}; {removed} unfinished files were removed",
                    unlocked.held_by, unlocked.reason
                )),
                (None, true) => output::tell(&format!(
                    "a run was killed before this one; {removed} unfinished files of it were removed"
                )),
                (None, false) => {}
            }
        }
        Ok(lock)
    }

    pub(super) async fn ledger(&self) -> Result<Ledger> {
        Ledger::read(&self.store).await
    }
}

/// This process, for the lock.
pub(super) fn owner() -> Owner {
    Owner::this_process(&host())
}

/// The wall clock: read here alone, for the ledger, the lock and the eye.
#[expect(clippy::disallowed_methods, reason = "commands may look at the clock; stages get no chance to")]
pub(super) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The machine's name, for the lock.
fn host() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map_or_else(|_| "unknown".into(), |name| name.trim().to_owned())
}
