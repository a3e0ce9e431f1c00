//! What became of the rows of a table.

use serde::Serialize;

/// What became of a table.
#[derive(Debug, Serialize)]
pub struct TableChange {
    pub table: String,
    pub new: usize,
    pub gone: usize,
    pub changed: usize,
    pub rows: Vec<RecordChange>,
    /// What could not be compared.
    pub notes: Vec<String>,
}

/// What became of a row.
#[derive(Debug, Serialize)]
pub struct RecordChange {
    /// `new`, `gone` or `changed`.
    pub change: &'static str,
    /// Its key's cells.
    pub key: Vec<String>,
    /// Of a changed row the columns that differ; else all that have something.
    pub columns: Vec<ColumnChange>,
    pub before: Option<Origin>,
    pub after: Option<Origin>,
    /// Of a row that is gone: why.
    pub why: Option<String>,
}

impl RecordChange {
    /// What is gone comes first, then what closed or opened again, then what is new, then the rest.
    pub fn rank(&self) -> u8 {
        let closes = self.columns.iter().any(|column| column.name == "closed_as");
        match self.change {
            "gone" => 0,
            "changed" if closes => 1,
            "new" => 2,
            _ => 3,
        }
    }
}

/// A cell, then and now.
#[derive(Debug, Serialize)]
pub struct ColumnChange {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Where a row stands in an export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Origin {
    pub export: String,
    pub row: i64,
}
