//! One file per subcommand, and what they share: the project, the warehouse, the clock and the terminal.

mod check;
mod compare;
mod deep;
mod explain;
mod healing;
mod known_at;
mod lineage;
mod output;
mod period;
mod progress;
mod replay;
mod run;
mod runs;
mod sample;
mod secret;
mod show;
mod sql;
mod test;
mod unlock;
mod verify;

use crate::at_work;
use crate::cli::{Cli, Command, Format, Global};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::engine::Limits;
use crate::ledger::Ledger;
use crate::lock::{self, Lock, Owner, Pace};
use crate::pipeline::render::site::Pages;
use crate::pipeline::{self, Past};
use crate::project::Project;
use crate::publish::{Folders, Named, Views};
use crate::scratch::Scratch;
use crate::settings::Settings;
use crate::store::Store;
use output::Table;
use std::path::PathBuf;

/// The stack of the main thread and of the engine's: enough for the deepest SQL that is read, also without optimisation. It is
/// taken from the machine as far as it is used.
pub const STACK_BYTES: usize = 64 << 20;

/// Runs a command. A command that did its work and has bad news gives the kind of it.
pub fn dispatch(cli: Cli) -> Result<Option<Kind>> {
    at_work::command(name(&cli.command), matches!(cli.command, Command::Run(_)));
    let _scratch = Scratch::take();
    let threads = cli.global.threads.filter(|threads| *threads > 0).unwrap_or_else(cores);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Diagnostic::internal(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let global = &cli.global;
        match cli.command {
            Command::Run(args) => run::run(global, args).await,
            Command::Check(args) => check::check(global, args).await.map(done),
            Command::Test(args) => test::test(global, args).await,
            Command::Sql(args) => sql::sql(global, args).await.map(done),
            Command::Explain(args) => explain::explain(global, args).await.map(done),
            Command::Compare(args) => compare::compare(global, args).await.map(done),
            Command::Runs => runs::runs(global).await.map(done),
            Command::Show(args) => show::show(global, args).await.map(done),
            Command::Verify(args) => verify::verify(global, args).await,
            Command::Replay(args) => replay::replay(global, args).await,
            Command::Sample(args) => sample::sample(args).map(done),
            Command::Unlock(args) => unlock::unlock(global, args).await.map(done),
        }
    })
}

/// A command as it is typed.
fn name(command: &Command) -> &'static str {
    match command {
        Command::Run(_) => "run",
        Command::Check(_) => "check",
        Command::Test(_) => "test",
        Command::Sql(_) => "sql",
        Command::Explain(_) => "explain",
        Command::Compare(_) => "compare",
        Command::Runs => "runs",
        Command::Show(_) => "show",
        Command::Verify(_) => "verify",
        Command::Replay(_) => "replay",
        Command::Sample(_) => "sample",
        Command::Unlock(_) => "unlock",
    }
}

fn done(_: ()) -> Option<Kind> {
    None
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// A project and its warehouse, opened.
struct Opened {
    folder: PathBuf,
    project: Project,
    settings: Settings,
    store: Store,
    folders: Folders,
    limits: Limits,
}

impl Opened {
    /// Opens what the flags and the settings name, to write to it. A warehouse that others could read is closed to them.
    fn open(global: &Global) -> Result<Opened> {
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
    fn existing(global: &Global) -> Result<Opened> {
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
    async fn views(&self, past: &Past) -> Result<Views> {
        Views::open(&self.folders, &self.store, past, &self.settings.company.name, &host()).await
    }

    /// Takes the lock, and clears away what the run before left if it did not finish.
    async fn lock(&self) -> Result<Lock> {
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

    async fn ledger(&self) -> Result<Ledger> {
        Ledger::read(&self.store).await
    }
}

/// This process, for the lock.
fn owner() -> Owner {
    Owner::this_process(&host())
}

/// The wall clock: read here alone, for the ledger, the lock and the eye.
#[expect(clippy::disallowed_methods, reason = "commands may look at the clock; stages get no chance to")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The machine's name, for the lock.
fn host() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map_or_else(|_| "unknown".into(), |name| name.trim().to_owned())
}

/// Prints a result on stdout.
fn print(table: &Table, format: Format) -> Result<()> {
    output::write(&table.render(format))
}
