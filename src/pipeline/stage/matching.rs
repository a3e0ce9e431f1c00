//! Which records of different sources are one: first those that a mapping kept by hand says, then those that are equal in
//! the columns of a rule of the contract. With examples in docs/rules/sources.md.
//!
//! One record stands for all that are the same, the *canonical* one: that of the source which the settings name first. It
//! stays as it is; nothing is merged into it.

pub mod check;
pub(super) mod find;
mod groups;
pub(super) mod names;
pub mod record;
pub(super) mod tables;
