//! `queries/model.toml`: the tables that staging must fill, and what their cells must be.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::engine;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The contract's file.
pub const FILE: &str = "queries/model.toml";
/// The table of exchange rates, which the engine reads if the contract has it.
pub const EXCHANGE_RATES: &str = "exchange_rates";
/// In place of a column: the date of the run.
pub const AS_OF: &str = "as_of";
/// The table of what is said by hand: that two records are the same, or are not.
pub const MAPPINGS: &str = "mappings";
/// Its column that names the records' table.
pub const RECORD_TABLE: &str = "record_table";

/// All tables by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The tables.
    pub tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What a row is.
    pub description: String,
    /// The columns that name a row.
    pub key: Vec<String>,
    /// Rules by which records of different sources are one: those that are equal in all columns of a rule. The first counts
    /// first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_by: Vec<Vec<String>>,
    /// The table whose rows it keeps from night to night, in the columns that both have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions_of: Option<String>,
    /// The columns, in this order.
    pub columns: Columns,
}

/// Columns by name, in the contract's order.
pub type Columns = Vec<Column>;

/// One column.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Lower case, so that SQL needs no quotes.
    pub name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether a row without it is quarantined.
    #[serde(default)]
    pub required: bool,
    /// The only values it may have.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// The table whose key it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// The column that says whose key it holds: one of that column's `allowed` tables. A row without its record is
    /// quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references_by: Option<String>,
    /// What happens if that table has no such row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
    /// The table whose key it holds, where nobody looks whether it has such a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// The row is a part of the record that it names, such as a line of a deal: it goes when another source's record stands
    /// for that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_part: bool,
    /// A date that exports give as a moment in UTC: the day is the company's.
    #[serde(default)]
    pub instant: bool,
    /// A date at which something ends: a day behind all that can be meant, such as 9999-12-31, says that there is no end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_end: bool,
    /// A date before which it cannot lie: the column with the day on which the same thing starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Of money: the column that holds each row's currency; empty there means the company's. Absent: always the company's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The column with the day whose rate converts; empty there, or `as_of`, means the date of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converts_on: Option<String>,
    /// The column that gets the amount as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// The column that gets the amount at the plan's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_plan: Option<String>,
    /// Its sum of closed months is held against the last run's. It makes no table another one, so that no key has it.
    #[serde(default, skip_serializing)]
    pub controlled: Option<Controlled>,
}

/// Which rows of a table make a sum that should not move any more.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controlled {
    /// The column with the day that says which month a row belongs to.
    pub on: String,
    /// The rows that count: an SQL condition over the table's columns.
    pub when: String,
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A record's id; becomes `source:id`.
    Id,
    /// Any text.
    Text,
    /// A day.
    Date,
    /// A moment, in UTC.
    Timestamp,
    /// A moment, as the company's clocks show it.
    LocalTimestamp,
    /// A whole number.
    Integer,
    /// A number with up to six digits after the point.
    Decimal,
    /// An amount in the company's currency, rounded half away from zero to cents.
    Money,
    /// An amount as the export gives it, before it is converted. No contract can ask for it.
    #[serde(skip)]
    Unconverted,
    /// What one unit of a currency is worth in the company's: more than zero, with up to twelve digits after the point.
    Rate,
    /// True or false.
    Boolean,
}

/// What happens to a row whose reference leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// The cell becomes empty.
    Null,
    /// The row is quarantined.
    Quarantine,
}

impl Kind {
    /// The column's type in Parquet.
    pub fn data_type(self) -> DataType {
        match self {
            Kind::Id | Kind::Text => DataType::Utf8,
            Kind::Date => DataType::Date32,
            Kind::Timestamp | Kind::LocalTimestamp => DataType::Timestamp(TimeUnit::Second, None),
            Kind::Integer => DataType::Int64,
            Kind::Decimal => DataType::Decimal128(20, 6),
            Kind::Money => DataType::Decimal128(18, 2),
            Kind::Unconverted | Kind::Rate => DataType::Decimal128(28, 12),
            Kind::Boolean => DataType::Boolean,
        }
    }

    /// In words, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Id => "an id",
            Kind::Text => "text",
            Kind::Date => "a date",
            Kind::Timestamp | Kind::LocalTimestamp => "a moment",
            Kind::Integer => "a whole number",
            Kind::Decimal => "a number",
            Kind::Money | Kind::Unconverted => "an amount of money",
            Kind::Rate => "an exchange rate",
            Kind::Boolean => "true or false",
        }
    }
}

impl Table {
    /// The schema of its Parquet file.
    pub fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|c| Field::new(&c.name, c.kind.data_type(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The schema of its lineage: the key, the snapshot's digest, and the record's number in it.
    pub fn lineage_schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> = Vec::new();
        for column in self.columns.iter().filter(|c| self.key.contains(&c.name)) {
            fields.push(Field::new(&column.name, column.kind.data_type(), true));
        }
        fields.push(Field::new("_snapshot", DataType::Utf8, false));
        fields.push(Field::new("_row", DataType::Int64, false));
        Arc::new(Schema::new(fields))
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether any of its money is converted.
    pub fn converts(&self) -> bool {
        self.columns.iter().any(|column| column.currency.is_some())
    }

    /// The tables that must be made before the table of this name, if the contract has them.
    fn needs(&self, contract: &Contract, name: &str) -> BTreeSet<&str> {
        let rates = self.converts().then_some(EXCHANGE_RATES);
        let mappings = contract.matches(name).then_some(MAPPINGS);
        self.named().into_iter().chain(rates).chain(mappings).chain(self.versions_of.as_deref()).collect()
    }

    /// The tables whose ids it holds: each is rewritten where another source's record stands for that one.
    pub fn named(&self) -> BTreeSet<&str> {
        self.targets().into_iter().chain(self.columns.iter().filter_map(|column| column.names.as_deref())).collect()
    }

    /// The tables that it references.
    pub fn targets(&self) -> BTreeSet<&str> {
        let by = self.columns.iter().filter_map(|column| column.references_by.as_deref());
        let named = by.filter_map(|by| self.columns.iter().find(|column| column.name == by));
        let fixed = self.columns.iter().filter_map(|column| column.references.as_deref());
        fixed.chain(named.flat_map(|column| column.allowed.iter().map(String::as_str))).collect()
    }

    /// The positions of the key's columns.
    pub fn key_positions(&self) -> Vec<usize> {
        self.key.iter().filter_map(|key| self.columns.iter().position(|c| c.name == *key)).collect()
    }
}

impl Contract {
    /// The keys of all tables, and of the one that the engine makes by days.
    pub fn keys(&self) -> engine::Keys {
        let calendar = ("calendar".to_owned(), vec!["region".to_owned(), "day".to_owned()]);
        self.tables.iter().map(|(name, table)| (name.clone(), table.key.clone())).chain([calendar]).collect()
    }

    /// Whether records of different sources may be one in this table: it has rules for that, or mappings may name it.
    pub fn matches(&self, name: &str) -> bool {
        let mappings = self.tables.get(MAPPINGS).and_then(|table| table.column(RECORD_TABLE));
        let is_mapped = mappings.is_some_and(|column| column.allowed.iter().any(|allowed| allowed == name));
        is_mapped || self.tables.get(name).is_some_and(|table| !table.same_by.is_empty())
    }

    /// The tables in an order in which references are made before they are followed.
    pub fn in_order(&self) -> Result<Vec<&str>> {
        let mut order: Vec<&str> = Vec::new();
        while order.len() < self.tables.len() {
            let ready = self.tables.iter().find(|(name, table)| {
                let made = |target: &str| order.contains(&target) || !self.tables.contains_key(target);
                let mut needs = table.needs(self, name).into_iter();
                !order.contains(&name.as_str()) && needs.all(|target| target == name.as_str() || made(target))
            });
            match ready {
                Some((name, _)) => order.push(name),
                None => {
                    return Err(Diagnostic::project("the model's references run in a circle")
                        .at(Place::file(FILE))
                        .help("drop one of the references; a join in a metric does not need one"));
                }
            }
        }
        Ok(order)
    }
}
