//! Landing: an export's bytes become a raw snapshot and its rejects, both Parquet.
//!
//! Pure functions of those bytes, the reader's options and the column policy: no storage, settings or clock.

mod chunk;
mod decode;
mod header;
mod policy;
mod reader;
mod records;
mod rejects;
pub mod snapshot;

pub use header::ROW;
pub use policy::ColumnPolicy;
pub use reader::{Landed, ReaderOptions, land};

#[cfg(test)]
mod tests;
