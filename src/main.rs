//! Parse, resolve, dispatch, print the error, exit code.

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use scorebook::cli::Cli;
use scorebook::diagnostic::{Diagnostic, Result};
use scorebook::{at_work, command, panics};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    share_memory();
    panics::quietly();
    let cli = Cli::parse();
    if cli.command.is_confidential() {
        close_to_others();
    }
    let done = on_large_stack(|| {
        panics::catch(|| {
            listen()?;
            command::dispatch(cli).map_err(panics::explain)
        })
    });
    at_work::yield_to_signal();
    match done {
        Ok(kind) => ExitCode::from(kind.map_or(0, |kind| kind.exit_code())),
        Err(error) => {
            tell(&error);
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// Does the work on a thread whose stack does not depend on the shell's limits: SQL is planned by functions that call themselves.
fn on_large_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("main".into()).stack_size(command::STACK_BYTES);
        let failed = |error| Diagnostic::internal(format!("cannot start a thread: {error}"));
        let done = thread.spawn_scoped(scope, work).map_err(failed)?.join();
        done.unwrap_or_else(|_| Err(Diagnostic::internal("the main thread died")))
    })
}

/// Prints an error. A closed stderr leaves the exit code to speak.
fn tell(error: &Diagnostic) {
    // As NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM have it.
    let colour = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    // What is being worked on may stand on the terminal's last line.
    let clear = if colour && std::io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    let _ = writeln!(std::io::stderr(), "{clear}{}", error.render(colour));
}

/// Lets a polite signal end the process in an orderly way.
#[cfg(unix)]
fn listen() -> Result<()> {
    scorebook::runaway::prepare(tell, |code| signal_hook::low_level::exit(code));
    scorebook::signals::listen(tell, |code| signal_hook::low_level::exit(code))
}

#[cfg(not(unix))]
fn listen() -> Result<()> {
    Ok(())
}

/// Lets threads share one heap. Each would get one of its own, and keep what it once had: what the engine's threads let go
/// would be no use to those that typeset, and a night would take a quarter more memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn share_memory() {
    // SAFETY: it sets a number within the allocator, and no other thread runs yet.
    #[expect(unsafe_code, reason = "the C library offers no other way than the environment")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_memory() {}

/// Closes every file that this process makes to all but its owner, whatever umask it was started with: also the temporary files
/// and stored objects of libraries, which ask for no mode of their own.
#[cfg(unix)]
fn close_to_others() {
    // SAFETY: it sets a number of the process, and no other thread runs yet.
    #[expect(unsafe_code, reason = "the standard library has no call for it")]
    unsafe {
        libc::umask(scorebook::access::UMASK as libc::mode_t);
    }
}

#[cfg(not(unix))]
fn close_to_others() {}
