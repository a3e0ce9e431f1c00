//! The stages.

pub mod render;
