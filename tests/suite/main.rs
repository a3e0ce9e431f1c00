//! One test binary: linking DataFusion and Typst once is slow enough.
//!
//! Whole projects in folders of their own, and the program as its users call it. Tests that need `pdftotext` and
//! Chromium run with `SCOREBOOK_TEST_TOOLS=1` and say so otherwise; `SCOREBOOK_KILLS` says how often a run is killed,
//! `SCOREBOOK_LEVELS` how full a disk is in how many ways, `SCOREBOOK_SEEDS` how many random companies are scored twice,
//! `SCOREBOOK_FLIPS` how many bits are changed in what is stored, and `SCOREBOOK_MOMENTS` at how many moments `verify` reads beside a run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::disallowed_methods, reason = "tests may look at the clock and the environment")]

mod agreement;
mod beside;
mod blast;
mod checks;
mod commands;
mod compare;
mod credits;
mod damage;
mod definitions;
mod endings;
mod fan_out;
mod flips;
mod formulas;
mod full_disk;
mod given_otherwise;
mod guards;
mod history;
mod hostile;
mod independent;
mod kills;
mod large_sql;
mod leave;
mod leavers;
mod matching;
mod memory;
mod metric_tests;
mod modes;
mod money;
mod naive;
mod names;
mod no_files;
mod peers;
mod periods;
mod precedence;
mod privacy;
mod project;
mod records;
mod repeatable;
mod scopes;
mod stalled;
mod summary;
mod supplied;
mod tidy;
mod views;
