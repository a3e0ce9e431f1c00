//! One test binary: linking DataFusion and Typst once is slow enough.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod independent;
mod metric_tests;
