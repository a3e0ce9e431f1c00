//! What Scorebook speaks about, without any input or output: digests and keys, numbers, periods, metrics, scores.
//!
//! Nothing here reads a file, a clock, the environment or a database.

pub mod aggregate;
pub mod calendar;
pub mod code;
pub mod digest;
pub mod exchange;
pub mod heading;
pub mod json;
pub mod limits;
pub mod metric;
pub mod number;
pub mod period;
pub mod score;
pub mod spreadsheet;
