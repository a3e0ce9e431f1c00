//! From scores to documents.

pub mod input;
pub mod format;
pub mod context;
pub mod charts;
pub mod html;
pub mod pdf;
pub mod csv;
pub mod attachments;
pub mod workers;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
