//! The order of the stages, and what every stage is given.
//!
//!     exports -> land -> stage -> check -> score -> render -> seal

pub mod land;
pub mod stage;
pub mod check;
pub mod score;
pub mod render;

use crate::engine::Limits;
use crate::project::Project;
use crate::settings::Settings;
use crate::steps::Steps;
use crate::store::Store;
use jiff::civil::Date;

/// What every stage is given: the definitions, the warehouse, and the one date. No clock, no environment, no terminal.
pub struct Night<'a> {
    /// The definitions.
    pub project: &'a Project,
    /// The settings among them.
    pub settings: &'a Settings,
    /// The warehouse.
    pub store: &'a Store,
    /// The cache.
    pub steps: &'a Steps<'a>,
    /// The run's date.
    pub as_of: Date,
    /// How much of the machine to use; changes no result.
    pub limits: Limits,
    /// Told what is being worked on.
    pub progress: &'a dyn Fn(&str),
}
