//! Landing: an export's bytes become a raw snapshot and its rejects, both Parquet.

mod chunk;
mod decode;
mod header;
mod policy;
mod reader;
mod records;
mod rejects;
pub mod snapshot;

pub use policy::ColumnPolicy;
pub use reader::{Landed, ReaderOptions, land};

#[cfg(test)]
mod tests;
