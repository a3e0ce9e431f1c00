//! The command line: clap's types, and nothing else.

use crate::domain::{calendar, limits};
use crate::provenance::version;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use std::path::PathBuf;

/// Turns a night's raw CRM exports into scorecards that can be proved.
#[derive(Debug, Parser)]
#[command(name = "scorebook", version = version(), disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Holds for all commands.
    #[command(flatten)]
    pub global: Global,
}

/// What all commands take.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The project's folder
    #[arg(long, global = true, value_name = "DIR", default_value = ".", env = "SCOREBOOK_PROJECT")]
    pub project: PathBuf,
    /// The warehouse's folder, instead of the settings' [default: PROJECT/warehouse]
    #[arg(long, global = true, value_name = "DIR", env = "SCOREBOOK_WAREHOUSE")]
    pub warehouse: Option<PathBuf>,
    /// The folder for the readable reports, instead of the settings' [default: PROJECT/reports]
    #[arg(long, global = true, value_name = "DIR", env = "SCOREBOOK_REPORTS")]
    pub reports: Option<PathBuf>,
    /// The folder for the linked pages, instead of the settings' [default: PROJECT/site]
    #[arg(long, global = true, value_name = "DIR", env = "SCOREBOOK_SITE")]
    pub site: Option<PathBuf>,
    /// Threads; changes no result [default: the machine's cores]
    #[arg(long, global = true, value_name = "N", env = "SCOREBOOK_THREADS", value_parser = threads)]
    pub threads: Option<usize>,
    /// How results are printed
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// No progress on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a date is written as 2026-09-30".to_owned()).and_then(calendar::can_be_run)
}

fn threads(text: &str) -> Result<usize, String> {
    let (least, most) = (limits::THREADS.start(), limits::THREADS.end());
    let given = text.parse().ok().filter(|threads| limits::THREADS.contains(threads));
    given.ok_or_else(|| format!("threads are a whole number from {least} to {most}; 0 is for the machine's cores"))
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One JSON value
    Json,
    /// Comma-separated, with a header
    Csv,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The nightly job: land, stage, check, score, render, seal
    Run(RunArgs),
    /// Everything up to scoring, publishing nothing
    Check(CheckArgs),
    /// The metric tests of queries/tests
    Test(TestArgs),
    /// Asks the raw snapshots, the model, the facts or the scores of a run
    Sql(SqlArgs),
    /// From a printed number to the export rows behind it
    Explain(ExplainArgs),
    /// What changed between two runs, and why
    Compare(CompareArgs),
    /// The history of runs
    Runs,
    /// One run of the history
    Show(ShowArgs),
    /// Recomputes the ledger's chain and every digest in it
    Verify(VerifyArgs),
    /// Recomputes a run from its raw snapshots, and compares
    Replay(ReplayArgs),
    /// Writes deterministic exports of a made-up company
    Sample(SampleArgs),
    /// Frees the lock of a run that is gone and could not give it back
    Unlock(UnlockArgs),
}

impl Command {
    /// Whether what it writes holds what only its owner may read: all do but the one that makes a company up.
    pub fn is_confidential(&self) -> bool {
        !matches!(self, Command::Sample(_))
    }
}

/// `scorebook run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The run's date [default: the newest data date of the exports]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// The documents of an older period, of what is known now: 2025-03, 2025-Q1, 2025, or a period's first day
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// Only what was known then: what a run read (its number, its hash, or `last`), or the exports up to a data date
    #[arg(long, value_name = "RUN|DATE")]
    pub known_at: Option<String>,
    /// Read every export again, also those that look as they did in the last run
    #[arg(long)]
    pub rehash: bool,
    /// Go on with what a check finds wrong: its name as the error gives it, such as row_counts:salesforce.Opportunity
    #[arg(long, value_name = "CHECK")]
    pub accept: Vec<String>,
}

/// `scorebook check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The run's date [default: the newest data date of the exports]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<Date>,
    /// Only what was known then: what a run read (its number, its hash, or `last`), or the exports up to a data date
    #[arg(long, value_name = "RUN|DATE")]
    pub known_at: Option<String>,
    /// Go on with what a check finds wrong, as `run` does
    #[arg(long, value_name = "CHECK")]
    pub accept: Vec<String>,
}

/// `scorebook test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Only the tests of these metrics
    #[arg(value_name = "METRIC")]
    pub metrics: Vec<String>,
}

/// `scorebook sql`.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// A SELECT over model tables, `scores`, `facts_<metric>`, `raw_<source>_<table>`, `quarantine_<table>`; or `tables`
    #[arg(value_name = "QUERY")]
    pub query: String,
    /// The run: its number, its hash, or `last`
    #[arg(long, value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// `scorebook explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The reference code beside a number, with the column's letter behind a point: 7K3M-9QXD-2F4T-5.b
    #[arg(value_name = "CODE")]
    pub code: String,
    /// Show so many facts
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// `scorebook compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The earlier run: its number, its hash, or `last` [default: the one before the later]
    #[arg(value_name = "A")]
    pub from: Option<String>,
    /// The later one [default: the last]
    #[arg(value_name = "B")]
    pub to: Option<String>,
    /// Only the scores of these metrics
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// Only the scores of this level: rep, team, region, company
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only the scores of this entity, by its id or its name
    #[arg(long, value_name = "ENTITY")]
    pub entity: Option<String>,
    /// Only the scores of this period: 2026-09, 2026-Q3, 2026
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// Show so many scores and records of a table; 0 for all
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub limit: usize,
}

/// `scorebook show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run: its number, its hash, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// `scorebook verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The hash of an entry that the ledger must still hold: the newest head that you kept elsewhere
    #[arg(long, value_name = "HASH")]
    pub expect_head: Option<String>,
    /// Makes a sample of the newest run again from its inputs, and compares
    #[arg(long)]
    pub deep: bool,
    /// How many tables, metrics and documents that is of each [default: 5]
    #[arg(long, value_name = "N", requires = "deep")]
    pub sample: Option<usize>,
}

/// `scorebook replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run: its number, its hash, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// `scorebook unlock`.
#[derive(Debug, Args)]
pub struct UnlockArgs {
    /// Why: kept with the lock, told by the next run and in its ledger entry
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
    /// Also if the holder shows signs of life: its run then stops before it publishes anything
    #[arg(long)]
    pub force: bool,
}

/// `scorebook sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The folder to write to
    #[arg(value_name = "DIR", default_value = "sample_data")]
    pub dir: PathBuf,
    /// How many reps
    #[arg(long, value_name = "N")]
    pub reps: Option<u32>,
    /// How many months
    #[arg(long, value_name = "N")]
    pub months: Option<u32>,
    /// Calls, e-mails and meetings of a rep in a month
    #[arg(long, value_name = "N")]
    pub activities: Option<u32>,
    /// Another seed, another company
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}
