//! Scorebook turns a night's raw CRM exports into scorecards that can be proved.

#![forbid(unsafe_code)]

pub mod access;
pub mod artifact;
pub mod at_work;
pub mod cli;
pub mod command;
pub mod diagnostic;
pub mod domain;
pub mod engine;
pub mod ledger;
pub mod lock;
pub mod panics;
pub mod parquet_file;
pub mod pipeline;
pub mod plain_file;
pub mod project;
pub mod provenance;
pub mod publish;
pub mod run_context;
pub mod runaway;
pub mod sample;
pub mod score_file;
pub mod scratch;
pub mod settings;
#[cfg(unix)]
pub mod signals;
pub mod steps;
pub mod store;
