//! What this process is doing, for those who must tell of it when it ends otherwise than it meant to: a signal
//! ([`crate::signals`]) and a panic ([`crate::panics`]).
//!
//! It is one for the process, because signals and panics are: both come to threads that nobody handed anything to. Nothing
//! that shapes a result is kept here, and no stage reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// The command.
    pub command: &'static str,
    /// Whether the command seals runs.
    pub publishes: bool,
    /// The stage of the run; empty outside one.
    pub stage: &'static str,
    /// What the stage works on, as far as it tells.
    pub item: String,
    /// The run that this command has sealed.
    pub published: Option<u64>,
}

/// What gives a lock back, told the reason.
type Release = Box<dyn Fn(&str) + Send>;

#[derive(Default)]
struct State {
    work: Work,
    /// How many things are under way that must come to their end.
    undisturbed: usize,
    /// Whether the process is about to end.
    ending: bool,
    /// How many writes to temporary folders are under way.
    writing: usize,
    /// Whether temporary folders are being removed: nothing is written to them any more.
    clearing: bool,
    numbers: u64,
    locks: BTreeMap<u64, Release>,
    scratch: BTreeMap<u64, PathBuf>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

/// Gives access to the state, also after a panic: what it holds is whole between two statements.
fn with<T>(change: impl FnOnce(&mut State) -> T) -> T {
    change(state().get_or_insert_default())
}

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A command begins.
pub fn command(name: &'static str, publishes: bool) {
    with(|state| state.work = Work { command: name, publishes, ..Work::default() });
}

/// A stage begins.
pub fn stage(name: &'static str) {
    with(|state| {
        state.work.stage = name;
        state.work.item.clear();
    });
}

/// The stage works on this now.
pub fn item(name: &str) {
    with(|state| {
        state.work.item.clear();
        state.work.item.push_str(name);
    });
}

/// The run is sealed.
pub fn published(number: u64) {
    with(|state| state.work.published = Some(number));
}

/// What the process is doing now.
pub fn now() -> Work {
    with(|state| state.work.clone())
}

/// Something that must not outlive the process. It is forgotten when this is dropped.
#[derive(Debug)]
#[must_use = "what is registered is forgotten when this is dropped"]
pub struct Registered(u64);

impl Drop for Registered {
    fn drop(&mut self) {
        with(|state| {
            state.locks.remove(&self.0);
            state.scratch.remove(&self.0);
        });
    }
}

/// Registers a lock: what gives it back if the process ends by a signal.
pub fn lock(release: impl Fn(&str) + Send + 'static) -> Registered {
    with(|state| {
        state.numbers += 1;
        state.locks.insert(state.numbers, Box::new(release));
        Registered(state.numbers)
    })
}

/// Registers a folder of temporary files, to be removed with all in it if the process ends by a signal.
pub fn scratch(folder: &Path) -> Registered {
    with(|state| {
        state.numbers += 1;
        // As the stores name it.
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        state.scratch.insert(state.numbers, folder);
        Registered(state.numbers)
    })
}

/// While it lives, no signal ends the process: between the name of a ledger entry and its sync, and between a lock's record and
/// the registration of who gives it back.
#[derive(Debug)]
#[must_use = "a signal may end the process as soon as this is dropped"]
pub struct Undisturbed(());

/// Begins what must come to its end, unless the process is ending: then this waits for that end.
pub fn undisturbed() -> Undisturbed {
    let mut state = state();
    loop {
        let inner = state.get_or_insert_default();
        if !inner.ending {
            inner.undisturbed += 1;
            return Undisturbed(());
        }
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        with(|state| state.undisturbed -= 1);
        CHANGED.notify_all();
    }
}

/// While it lives, no temporary folder is removed because of a signal.
#[derive(Debug)]
#[must_use = "the folder may be removed as soon as this is dropped"]
pub struct Writing(());

/// Begins to write to a place that may be in a temporary folder, making again whatever folders it needs. If those are being
/// removed, this waits for the end of the process, and holds up no thread. Elsewhere nothing is removed: `None`.
pub async fn writing(place: &Path) -> Option<Writing> {
    let (is_temporary, may) = with(|state| {
        let is_temporary = state.scratch.values().any(|folder| place.starts_with(folder));
        let may = !(is_temporary && state.clearing);
        state.writing += usize::from(is_temporary && may);
        (is_temporary, may)
    });
    match may {
        true => is_temporary.then(|| Writing(())),
        false => std::future::pending().await,
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        with(|state| state.writing -= 1);
        CHANGED.notify_all();
    }
}

/// Ends the process because of a signal, but for its last instruction: waits until nothing is under way that must come to its
/// end, gives the locks back, removes temporary folders, and has `tell` say what was at work. Nothing is published after it.
pub(crate) fn end(signal: &str, tell: impl FnOnce(&Work)) {
    let mut state = state();
    while state.as_ref().is_some_and(|state| state.undisturbed > 0) {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    let inner = state.get_or_insert_default();
    inner.ending = true;
    let (work, locks) = (inner.work.clone(), std::mem::take(&mut inner.locks));
    drop(state);
    locks.values().for_each(|release| release(signal));
    let scratch = cleared();
    scratch.iter().for_each(|folder| remove(folder));
    tell(&work);
    scratch.iter().for_each(|folder| drop(std::fs::remove_file(folder)));
}

/// The temporary folders, once nobody writes to them any more. Who cannot come to an end is not waited for long.
fn cleared() -> Vec<PathBuf> {
    let mut state = state();
    state.get_or_insert_default().clearing = true;
    let writes = |state: &mut Option<State>| state.as_ref().is_some_and(|state| state.writing > 0);
    let waited = CHANGED.wait_timeout_while(state, Duration::from_secs(5), writes);
    let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    state.get_or_insert_default().scratch.values().cloned().collect()
}

/// If a signal ends the process, waits for that end: it has the last word.
pub fn yield_to_signal() {
    let mut state = state();
    while state.as_ref().is_some_and(|state| state.ending) {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Removes a folder, and leaves a file in its place: other threads are still at work. The stores write nothing any more
/// ([`writing`]); what else does might make the folder again.
fn remove(folder: &Path) {
    let mut aside = folder.as_os_str().to_owned();
    aside.push(".ended");
    for _ in 0..40 {
        let _ = std::fs::rename(folder, &aside);
        let _ = std::fs::remove_dir_all(&aside);
        // It was made again meanwhile, and may be gone again by now: its owner clears up too.
        let is_there = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AlreadyExists;
        if !std::fs::File::create_new(folder).is_err_and(|error| is_there(&error)) {
            break;
        }
    }
    let _ = std::fs::remove_dir_all(&aside);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that writes and makes the folders it needs, as the stores do.
    #[test]
    fn a_temporary_folder_is_removed_under_the_hands_of_who_writes_to_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("scratch");
        let until = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0.. {
                    let place = folder.join(format!("model/{}", number % 7));
                    let _ = std::fs::create_dir_all(&place);
                    let _ = std::fs::write(place.join(number.to_string()), "rows");
                    if until.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                }
            });
            std::thread::sleep(std::time::Duration::from_millis(50));
            remove(&folder);
            std::thread::sleep(std::time::Duration::from_millis(20));
            until.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let left: Vec<_> = std::fs::read_dir(parent.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["scratch"]);
        assert!(folder.is_file());
    }
}
