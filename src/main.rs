//! Parse, resolve, dispatch, print the error, exit code.

use clap::Parser;
use scorebook::cli::Cli;
use scorebook::command;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    share_memory();
    let cli = Cli::parse();
    match command::dispatch(cli) {
        Ok(kind) => ExitCode::from(kind.map_or(0, |kind| kind.exit_code())),
        Err(error) => {
            let colour = std::io::stderr().is_terminal();
            // A closed stderr leaves the exit code to speak.
            let _ = writeln!(std::io::stderr(), "{}", error.render(colour));
            ExitCode::from(error.kind.exit_code())
        }
    }
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
