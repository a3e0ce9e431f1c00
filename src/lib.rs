//! Scorebook turns a night's raw CRM exports into scorecards that can be proved.

pub mod diagnostic;
pub mod domain;
pub mod sample;
