//! What the exports of all sources say together, after rejects, quarantine, folding, deletion and matching.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::{Date, DateTime};

use super::credits::Credit;
use super::money::Rates;
use super::people::People;
use super::rows::Source;
use super::targets::Quota;
use super::{hubspot, matching, operations, salesforce};

#[derive(Default)]
pub struct Company {
    pub as_of: Date,
    pub people: People,
    pub accounts: BTreeMap<String, Account>,
    pub deals: BTreeMap<String, Deal>,
    /// The deals as each landed night has them, the oldest first.
    pub nights: Vec<(Date, BTreeMap<String, Deal>)>,
    pub changes: Vec<Change>,
    pub owner_changes: Vec<OwnerChange>,
    pub stages: BTreeMap<String, Stage>,
    pub activities: Vec<Activity>,
    pub leads: BTreeMap<String, Lead>,
    pub products: BTreeMap<String, String>,
    pub lines: BTreeMap<String, ProductLine>,
    pub quotes: BTreeMap<String, Quote>,
    pub credits: Vec<Credit>,
    pub quotas: Vec<Quota>,
    pub forecasts: Vec<Forecast>,
    pub costs: Vec<Cost>,
    pub licences: Vec<Licence>,
    pub tool_use: Vec<ToolUse>,
    pub rates: Rates,
    /// What the mapping file says of records: table, record, the same as, whether they are one.
    pub mappings: Vec<Mapping>,
    /// How many rows broke the contract.
    pub quarantined: usize,
}

#[derive(Clone)]
pub struct Account {
    pub name: String,
    pub country: String,
    pub domain: String,
    pub parent: Option<String>,
    pub rep: Option<String>,
    pub segment: Option<String>,
    pub industry: Option<String>,
}

#[derive(Clone)]
pub struct Deal {
    pub account: Option<String>,
    pub rep: Option<String>,
    pub stage: String,
    /// As the CRM has it, in its own currency.
    pub original: Option<i128>,
    pub currency: String,
    /// In the company's currency: at the day's rate, and at the plan's.
    pub amount: Option<i128>,
    pub at_plan: Option<i128>,
    pub closed_on: Date,
    pub created_on: Date,
    pub kind: Option<&'static str>,
    pub source: Option<String>,
    pub competitor: Option<String>,
    pub loss_reason: Option<String>,
    pub sourced_by: Option<String>,
    pub shared_key: Option<String>,
    pub is_deleted: bool,
}

/// What a CRM remembers of a deal: a change of stage, amount or close date.
pub struct Change {
    pub id: String,
    pub deal: String,
    pub stage: String,
    pub original: Option<i128>,
    pub currency: String,
    pub closed_on: Option<Date>,
    pub at: DateTime,
}

pub struct OwnerChange {
    pub id: String,
    pub deal: String,
    pub at: DateTime,
    pub from: Option<String>,
    pub to: Option<String>,
}

pub struct Stage {
    pub name: String,
    pub position: i64,
    /// In hundredths, as trillionths.
    pub probability: i128,
    pub closed_as: Option<String>,
}

pub struct Activity {
    pub id: String,
    pub kind: &'static str,
    pub direction: Option<&'static str>,
    pub is_completed: bool,
    pub day: Date,
    /// By the company's clocks.
    pub at: Option<DateTime>,
    /// The day it was entered; of a meeting, the day it was booked.
    pub booked_on: Option<Date>,
    pub rep: Option<String>,
    pub account: Option<String>,
    pub deal: Option<String>,
    pub purpose: Option<String>,
    pub outcome: Option<String>,
    pub is_deleted: bool,
}

pub struct Lead {
    pub rep: Option<String>,
    pub source: Option<String>,
    pub created_on: Date,
    pub is_deleted: bool,
}

/// A product on a deal: how many, at what price and what cost, all pieces together.
pub struct ProductLine {
    pub deal: String,
    pub product: Option<String>,
    pub quantity: i128,
    pub list: Option<i128>,
    pub amount: Option<i128>,
    pub cost: Option<i128>,
    pub currency: String,
    pub is_deleted: bool,
}

pub struct Quote {
    pub deal: Option<String>,
    pub rep: Option<String>,
    pub status: &'static str,
    pub presented_on: Option<Date>,
    pub decided_on: Option<Date>,
    pub expires_on: Option<Date>,
    pub amount: Option<i128>,
    pub cost: Option<i128>,
    pub currency: String,
    pub is_deleted: bool,
}

pub struct Forecast {
    pub id: String,
    pub method: String,
    pub rep: String,
    pub made_on: Date,
    pub starts_on: Date,
    pub ends_on: Date,
    pub amount: i128,
}

pub struct Cost {
    pub id: String,
    pub source: Option<String>,
    pub spent_on: Date,
    pub amount: i128,
}

pub struct Licence {
    pub tool: String,
    pub starts_on: Date,
    pub ends_on: Date,
    pub seats: i64,
    pub cost: i128,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolUse {
    pub rep: String,
    pub tool: String,
    pub used_on: Date,
}

pub struct Mapping {
    pub table: String,
    pub record: String,
    pub same_as: String,
    pub is_same: bool,
}

impl Company {
    /// Reads the sources' folders of these nights, oldest first.
    pub fn read(exports: &Path, nights: &[&str], as_of: Date) -> Company {
        let mut company = Company { as_of, ..Company::default() };
        let source = |name| Source::of(exports, name, nights);
        let sources = [source("operations"), source("salesforce"), source("hubspot")];
        operations::read(&sources[0], &mut company);
        salesforce::read(&sources[1], &mut company);
        hubspot::read(&sources[2], &mut company);
        company.quarantined = sources.iter().map(|source| source.quarantined.get()).sum();
        matching::unite(&mut company);
        company.settle();
        company
    }

    /// How a stage ends a deal; empty while it is open. A stage that is not in the list is neither open nor closed.
    pub fn closed_as(&self, stage: &str) -> &str {
        self.stages.get(stage).map_or("unknown", |stage| stage.closed_as.as_deref().unwrap_or(""))
    }

    /// The account at the top of the tree. A parent that is unknown or deleted ends the walk. A ring of parents has no
    /// top, so its smallest id stands for it, wherever the walk began.
    pub fn customer(&self, account: &str) -> Option<&str> {
        let mut path: Vec<&str> = Vec::new();
        let mut next = Some(account);
        while let Some((id, found)) = next.and_then(|id| self.accounts.get_key_value(id)) {
            if let Some(ring) = path.iter().position(|seen| *seen == id) {
                return path[ring..].iter().min().copied();
            }
            path.push(id);
            next = found.parent.as_deref();
        }
        path.last().copied()
    }

    pub fn account(&self, id: Option<&String>) -> Option<&Account> {
        self.accounts.get(id?)
    }
}
