//! The scores once more, by other means: naive code that reads the exports itself and follows the written definitions
//! alone. The suite proves Scorebook's scores against it.
//!
//! It shares no code with Scorebook, neither a reader nor a calendar. Every number is exact, in whole trillionths, up
//! to the last division. Of a definition's header it takes where a metric is scored and by what it is sliced, never how.
//! Where a definition leaves something open, the choice stands in a comment beside the code that makes it.
//!
//! In reading order: `csv` and `rows` read files; `salesforce`, `hubspot` and `operations` say what each export has for
//! the `company`; `matching` makes one of what stands twice, `settle` and `money` do what the contract asks; `people`,
//! `periods`, `targets`, `credits` and `history` say who, when, how much, whose and what stood; `metrics` have the facts
//! that `sums` adds up into `scores`.

mod company;
pub mod counts;
mod credits;
mod csv;
pub mod facts;
mod formulas;
pub mod header;
mod history;
mod hubspot;
mod matching;
mod metrics;
mod money;
pub mod numbers;
mod operations;
pub mod people;
pub mod periods;
mod rows;
mod salesforce;
pub mod scores;
mod settle;
pub mod sums;
mod targets;
mod worked_examples;

pub use company::Company;

/// The sources of exports: the folders in `sample_data`.
pub const SOURCES: [&str; 3] = ["salesforce", "hubspot", "operations"];
