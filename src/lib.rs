//! Scorebook turns a night's raw CRM exports into scorecards that can be proved.

#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod diagnostic;
pub mod domain;
pub mod engine;
pub mod ledger;
pub mod lock;
pub mod parquet_file;
pub mod pipeline;
pub mod project;
pub mod sample;
pub mod settings;
pub mod steps;
pub mod store;
