//! One of the two runs: its entry, its definitions, and its objects.

use crate::command::opened::Opened;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::metric::Metrics;
use crate::domain::period::{Grain, Period};
use crate::domain::score::{COMPANY, REP_IN_TEAM, UNASSIGNED};
use crate::engine::Session;
use crate::ledger::Entry;
use crate::parquet_file;
use crate::pipeline::score::{PERIODS, definition};
use crate::pipeline::stage::contract::Contract;
use crate::pipeline::stage::contract_check;
use crate::project::Project;
use crate::settings::Settings;
use arrow::util::display::array_value_to_string;
use std::collections::{BTreeMap, BTreeSet};

/// A run that is compared.
pub struct Side<'a> {
    pub opened: &'a Opened,
    pub entry: &'a Entry,
    pub project: Project,
    pub settings: Settings,
    /// Nothing if this version cannot read the run's.
    pub contract: Option<Contract>,
    /// Nothing if this version cannot read the run's.
    pub metrics: Option<Metrics>,
    /// What of it cannot be read.
    pub notes: Vec<String>,
}

impl<'a> Side<'a> {
    pub async fn of(opened: &'a Opened, entry: &'a Entry) -> Result<Side<'a>> {
        let project = Project::from_ledger(&opened.store, &entry.definitions).await?;
        let mut notes = Vec::new();
        let mut unread = |what: &str, error: &Diagnostic| {
            notes.push(format!("the {what} of run {} cannot be read by this version: {}", entry.number, error.message));
        };
        let settings = Settings::of(&project).map_err(|error| unread("settings", &error)).ok();
        let contract = contract_check::read(&project).map_err(|error| unread("contract", &error)).ok();
        let metrics = definition::read(&project).map_err(|error| unread("metrics", &error)).ok();
        let settings = settings.unwrap_or_else(|| opened.settings.clone());
        Ok(Side { opened, entry, project, settings, contract, metrics, notes })
    }

    /// Names an object of the run as a table.
    pub async fn add(&self, session: &Session, name: &str, path: &str) -> Result<()> {
        let added = session.register_parquet(name, path).await;
        added.map_err(|error| error.note(format!("run {} wrote it", self.entry.number)))
    }

    /// The columns of an object.
    pub async fn columns(&self, path: &str) -> Result<Vec<String>> {
        let object = self.opened.store.file(path).await;
        let object = object.map_err(|error| error.note(format!("run {} wrote it", self.entry.number)))?;
        let rows = parquet_file::read(object, 1)?;
        Ok(rows.schema().fields().iter().map(|field| field.name().clone()).collect())
    }

    /// Whether the run scores a period.
    pub fn periods(&self) -> BTreeSet<(Grain, jiff::civil::Date)> {
        let calendar = &self.settings.calendar;
        let of = |grain: Grain| {
            let present = calendar.period(grain, self.entry.anchor());
            let trailing: Vec<Period> = calendar.trailing(grain, self.entry.anchor(), PERIODS);
            trailing.into_iter().chain([calendar.year_before(present)]).map(move |period| (grain, period.start))
        };
        Grain::ALL.into_iter().flat_map(of).collect()
    }

    /// The names of reps and teams, by their ids.
    pub async fn names(&self) -> Result<BTreeMap<String, String>> {
        let mut names = BTreeMap::new();
        for (table, key) in [("reps", "rep_id"), ("teams", "team_id")] {
            let Some(of) = self.entry.model.get(table) else { continue };
            let session = Session::new(self.opened.limits, &self.opened.store)?;
            self.add(&session, table, &of.path(table)).await?;
            for row in ask(&session, &format!("SELECT {key}, name FROM {table}")).await? {
                if let [Some(id), Some(name)] = &row[..] {
                    names.insert(id.clone(), name.clone());
                }
            }
        }
        Ok(names)
    }
}

/// The rows of a query as text.
pub async fn ask(session: &Session, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let mut rows = Vec::new();
    for batch in session.query_own(sql).await? {
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| {
                arrow::array::Array::is_valid(column, row)
                    .then(|| array_value_to_string(column, row).unwrap_or_default())
            };
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    Ok(rows)
}

/// An entity as people call it.
pub fn entity_name(names: &BTreeMap<String, String>, level: &str, entity: &str) -> String {
    let name = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    match (level, entity.split_once('|')) {
        (COMPANY, _) => "the company".to_owned(),
        (_, _) if entity == UNASSIGNED => "unassigned".to_owned(),
        (REP_IN_TEAM, Some((team, rep))) => format!("{} in {}", name(rep), name(team)),
        _ => name(entity),
    }
}
