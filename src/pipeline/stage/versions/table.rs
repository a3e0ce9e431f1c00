//! A table of versions, and the columns that it has for them.

use crate::pipeline::stage::contract::{Contract, Table};
use crate::run_context::RunContext;

/// The column with a version's first day, the last part of the key.
pub(super) const FROM: &str = "valid_from";
/// The column with the first day after it; empty while it stands.
pub(super) const TO: &str = "valid_to";

/// A table of versions, and the table whose rows they are.
pub(super) struct Versions<'a> {
    pub(super) night: &'a RunContext<'a>,
    pub(super) contract: &'a Contract,
    pub(super) name: &'a str,
    pub(super) table: &'a Table,
    pub(super) base_name: &'a str,
    pub(super) base: &'a Table,
}
