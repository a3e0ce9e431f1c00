//! What the stages make, hand on, and the ledger stores. Types, and the paths of their objects: nothing here makes anything, and
//! so stages and ledger need not know each other.

pub mod baseline;
pub mod document;
pub mod finding;
pub mod model;
pub mod scores;
pub mod snapshot;
pub mod trace;
