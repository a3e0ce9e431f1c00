//! Scorebook turns a night's raw CRM exports into scorecards that can be proved.
//!
//! ```text
//! exports -> land -> stage -> check -> score -> render -> seal -> views
//! ```
//!
//! A [`command`] opens a [`project`] and its warehouse ([`store`]), and gives the stages of the [`pipeline`] what all of them are
//! given ([`run_context`]). Each stage makes [`artifact`]s of those of the one before it: found in the cache ([`steps`]) if
//! nothing that they depend on has changed. An entry of the [`ledger`] names them all and thereby publishes them; the views
//! ([`publish`]) are made from it. ARCHITECTURE.md says what may import what; below, the modules stand in reading order.

#![forbid(unsafe_code)]

// What people type, and what they are told.
pub mod cli;
pub mod command;
pub mod diagnostic;

// The flow, and what it hands on.
pub mod artifact;
pub mod pipeline;
pub mod run_context;

// What is sealed, by which programs, and how it is read.
pub mod ledger;
pub mod provenance;
pub mod publish;

// What a run goes by.
pub mod project;
pub mod settings;

// What the stages stand on: SQL, files, objects, the cache.
pub mod engine;
pub mod parquet_file;
pub mod score_file;
pub mod steps;
pub mod store;

// What is spoken about, without input or output.
pub mod domain;

// One process on one machine: who may read, one run at a time, and every way to an end.
pub mod access;
pub mod at_work;
pub mod lock;
pub mod panics;
pub mod plain_file;
pub mod runaway;
pub mod scratch;
#[cfg(unix)]
pub mod signals;

// The sample company, which the pipeline does not know.
pub mod sample;
