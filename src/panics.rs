//! A panic is a fault of Scorebook's own: it is caught, told in the one style with what was at work, and reported so that it
//! can be mended.
//!
//! [`quietly`] keeps Rust's own words from the terminal and remembers the panic instead. [`catch`] makes an error of one,
//! whoever called; what a panic on a thread of the engine comes back as is explained by [`explain`].

use crate::at_work::{self, Work};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::provenance::version;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::{Mutex, PoisonError};

/// So many panics are remembered; the first ones tell the cause.
const REMEMBERED: usize = 64;

/// A panic as it was noticed.
#[derive(Clone, Debug)]
struct Seen {
    message: String,
    place: String,
    work: Work,
}

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// From now on panics are remembered and not printed.
pub fn quietly() {
    set_hook(Box::new(notice));
}

fn notice(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("it gave no message").to_owned();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let seen = Seen { message, place, work: at_work::now() };
    let mut all = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() < REMEMBERED {
        all.push(seen);
    }
}

/// Does some work, and makes an error of a panic in it.
///
/// # Errors
/// Those of the work, and a panic.
pub fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = remembered();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => {
            // The one that came first since is the cause: a thread that waits for others panics after them.
            let seen = take(|all| (all.len() > before).then(|| all.drain(before..).next()).flatten());
            let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
            Err(match seen {
                Some(seen) => told(&seen),
                None => fault(&message.unwrap_or_default(), "", &at_work::now()),
            })
        }
    }
}

/// An error that is only the echo of a panic on another thread becomes that panic.
pub fn explain(error: Box<Diagnostic>) -> Box<Diagnostic> {
    if error.kind != Kind::Internal {
        return error;
    }
    match take(|all| (!all.is_empty()).then(|| all.remove(0))) {
        Some(seen) => told(&seen).note(format!("it came back as: {}", error.message)),
        None => error,
    }
}

fn take<T>(change: impl FnOnce(&mut Vec<Seen>) -> T) -> T {
    change(&mut SEEN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn remembered() -> usize {
    take(|all| all.len())
}

fn told(seen: &Seen) -> Box<Diagnostic> {
    fault(&seen.message, &seen.place, &seen.work)
}

fn fault(message: &str, place: &str, work: &Work) -> Box<Diagnostic> {
    let first = message.lines().next().unwrap_or_default();
    let mut error = Diagnostic::internal(format!("Scorebook made a mistake: {first}"));
    if !place.is_empty() {
        error = error.note(format!("it was noticed at {place}, in scorebook {}", version()));
    }
    error = error.note(doing(work));
    if work.publishes {
        error = error.note(outcome(work));
    }
    error
        .help("this is no fault of your exports or definitions: please report it, with these lines and, if you may, the files")
        .help("run again with --threads 1 to see whether it happens again in the same place")
}

/// What was at work, in words.
pub(crate) fn doing(work: &Work) -> String {
    match (work.command, work.stage, work.item.as_str()) {
        ("", _, _) => "it was starting".into(),
        (command, "", _) => format!("`scorebook {command}` was at work"),
        (command, stage, "") => format!("`scorebook {command}` was in the stage `{stage}`"),
        (command, stage, item) => format!("`scorebook {command}` was in the stage `{stage}`, at {item}"),
    }
}

/// What is published, in words.
pub(crate) fn outcome(work: &Work) -> String {
    match work.published {
        Some(number) => {
            format!("run {number} is sealed and stands; its readable views may be behind until the next run makes them")
        }
        None => "nothing of this run was published; the last run stands as it was".into(),
    }
}

#[cfg(test)]
mod tests;
