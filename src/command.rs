//! One file per subcommand, and what they share: `opened` has the project, the warehouse and the clock, `output` the terminal.

mod check;
mod compare;
mod deep;
mod explain;
mod findings;
mod healing;
mod known_at;
mod lineage;
mod opened;
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
use crate::cli::{Cli, Command};
use crate::diagnostic::{Diagnostic, Kind, Result};
use crate::scratch::Scratch;
use opened::cores;

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
