//! SIGINT, SIGTERM and SIGHUP end the process in an orderly way, whatever it is doing: the lock is given back, temporary
//! folders are removed, a sentence says what was interrupted and how to go on, and the exit code is 128 and the signal's
//! number, as shells and schedulers expect. A second signal ends it at once.
//!
//! A thread of its own waits for them, so that a computation which never pauses is no hindrance. The one thing it waits for
//! is an entry of the ledger that is just being written ([`at_work::undisturbed`]).

use crate::at_work::{self, Work};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::panics::{doing, outcome};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Waits for signals from now on. `tell` prints an error, and `exit` ends the process with a code and without further ado.
///
/// # Errors
/// If the machine gives no thread, or refuses to deliver signals.
pub fn listen(tell: fn(&Diagnostic), exit: fn(i32)) -> Result<()> {
    let failed = |error: std::io::Error| Diagnostic::internal(format!("cannot wait for signals: {error}"));
    let mut wanted = vec![SIGINT, SIGTERM];
    // `nohup` has a command ignore that its terminal is gone.
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted).map_err(failed)?;
    let wait = move || {
        let mut ending = false;
        for signal in signals.forever() {
            let end = move || {
                at_work::end(name(signal), |work| tell(&interrupted(signal, work)));
                exit(i32::from(kind(signal).exit_code()));
            };
            // The second one, or the first where no thread can be had.
            if ending || std::thread::Builder::new().name("end".into()).spawn(end).is_err() {
                exit(i32::from(kind(signal).exit_code()));
            }
            ending = true;
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop).map_err(failed)
}

fn kind(signal: i32) -> Kind {
    Kind::Interrupted(u8::try_from(signal).unwrap_or_default())
}

fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
}

/// The last words.
fn interrupted(signal: i32, work: &Work) -> Box<Diagnostic> {
    let command = if work.command.is_empty() { String::new() } else { format!(" {}", work.command) };
    let error = Diagnostic::new(kind(signal), format!("{} ended `scorebook{command}`", name(signal)));
    let error = if work.stage.is_empty() { error } else { error.note(doing(work)) };
    match (work.publishes, work.published, work.command) {
        (true, Some(_), _) => error.note(outcome(work)),
        (true, None, _) => error.note(outcome(work)).help("run it again: what was made is kept and will be found"),
        (false, _, "sample") => {
            error.note("some of its files are written").help("run it again: it writes them all anew")
        }
        (false, ..) => error.note("it publishes nothing: all stands as it was").help("run it again"),
    }
}

/// Whether this process was started with a signal ignored, as far as the system tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_say_what_was_interrupted_what_stands_and_how_to_go_on() {
        let work = |published| Work { command: "run", publishes: true, stage: "render", item: "Ada".into(), published };
        let error = interrupted(SIGTERM, &work(None));
        assert_eq!(error.kind.exit_code(), 143);
        let lines = [
            "error: SIGTERM ended `scorebook run`",
            " |",
            " = note: `scorebook run` was in the stage `render`, at Ada",
            " = note: nothing of this run was published; the last run stands as it was",
            " = help: run it again: what was made is kept and will be found",
        ];
        assert_eq!(error.to_string(), lines.join("\n"));
        let error = interrupted(SIGINT, &work(Some(3)));
        assert_eq!(error.kind.exit_code(), 130);
        assert!(error.to_string().contains("run 3 is sealed and stands"));
        assert_eq!(interrupted(SIGHUP, &Work { command: "verify", ..Work::default() }).kind.exit_code(), 129);
    }
}
