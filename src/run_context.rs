//! What every stage is given.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::engine::Limits;
use crate::parquet_file;
use crate::project::Project;
use crate::settings::Settings;
use crate::steps::{Counts, Steps};
use crate::store::Store;
use arrow::array::RecordBatch;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What every stage is given: the definitions, the warehouse, and the one date. No clock, no environment, no terminal.
pub struct RunContext<'a> {
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
    /// The day whose periods are scored and reported: `as_of`, or the last day of an older period that was asked for.
    pub anchor: Date,
    /// How much of the machine to use; changes no result.
    pub limits: Limits,
    /// Told how the work goes on.
    pub tell: &'a (dyn Fn(Event<'_>) + Sync),
}

/// How the work goes on.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A stage begins.
    Begin(&'static str),
    /// It is working on this.
    Item(&'a str),
    /// It is done.
    End(&'static str, Counts),
}

impl<'a> RunContext<'a> {
    /// The company's time zone.
    pub fn time_zone(&self) -> Result<TimeZone> {
        let name = &self.settings.calendar.time_zone;
        TimeZone::get(name).map_err(|error| Diagnostic::project(format!("`{name}` is no time zone: {error}")))
    }

    /// The names of all sources.
    pub fn source_names(&self) -> Vec<&'a str> {
        self.settings.sources.keys().map(String::as_str).collect()
    }
}

/// Reads a model table whole.
pub async fn read_table(night: &RunContext<'_>, model: &Model, name: &str) -> Result<Vec<RecordBatch>> {
    let path = model.tables[name].path(name);
    parquet_file::read_all(&path, night.store.get(&path).await?)
}
