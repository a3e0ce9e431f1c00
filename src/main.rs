//! Parse, resolve, dispatch, print the error, exit code.

use clap::Parser;
use scorebook::cli::Cli;
use scorebook::command;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
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
