//! From a table's exports of many nights to its present rows, and what became of every row on the way.

use crate::diagnostic::{Diagnostic, Result};
use crate::pipeline::stage::contract::Table;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::row::{OwnedRow, RowConverter, SortField};
use std::collections::BTreeMap;

/// The rows that staging made of one export.
pub struct Part {
    /// The contract's columns.
    pub batch: RecordBatch,
    /// The record's number of each row.
    pub numbers: Vec<i64>,
    /// What is wrong with each row.
    pub faults: Vec<Option<String>>,
    /// Why each row is to be ignored.
    pub skips: Vec<Option<String>>,
    /// Whether the export says that the record was deleted.
    pub deleted: Vec<bool>,
}

/// What became of a part's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Stand in the model.
    pub current: u64,
    /// A later export has a newer row.
    pub superseded: u64,
    /// The newest row says deleted.
    pub deleted: u64,
    /// Ignored, with a reason.
    pub skipped: u64,
    /// Broke the contract.
    pub quarantined: u64,
}

/// The present rows of a table: by key, the part and the row within it.
pub struct Folded {
    /// Sorted by key.
    pub present: BTreeMap<OwnedRow, (usize, usize)>,
    /// By part.
    pub fates: Vec<Fates>,
}

/// Makes keys of rows comparable.
pub struct Keys {
    converter: RowConverter,
    positions: Vec<usize>,
}

impl Keys {
    /// The keys of a table.
    pub fn of(table: &Table) -> Result<Keys> {
        let positions = table.key_positions();
        let fields = positions.iter().map(|i| SortField::new(table.columns[*i].kind.data_type())).collect();
        let converter = RowConverter::new(fields).map_err(|error| Diagnostic::internal(format!("no key: {error}")))?;
        Ok(Keys { converter, positions })
    }

    /// The key of every row.
    pub fn rows(&self, batch: &RecordBatch) -> Result<arrow::row::Rows> {
        let columns: Vec<ArrayRef> = self.positions.iter().map(|i| batch.column(*i).clone()).collect();
        let rows = self.converter.convert_columns(&columns);
        rows.map_err(|error| Diagnostic::internal(format!("no key: {error}")))
    }
}

/// Folds parts in the order in which they supersede each other, oldest first. A key that stands twice in one part
/// keeps its first row; later ones are faulted.
pub fn fold(keys: &Keys, parts: &mut [Part]) -> Result<Folded> {
    let mut present: BTreeMap<OwnedRow, (usize, usize)> = BTreeMap::new();
    let mut fates = vec![Fates::default(); parts.len()];
    for (i, part) in parts.iter_mut().enumerate() {
        let rows = keys.rows(&part.batch)?;
        for row in 0..part.batch.num_rows() {
            if part.skips[row].is_some() {
                fates[i].skipped += 1;
                continue;
            }
            if part.faults[row].is_some() {
                fates[i].quarantined += 1;
                continue;
            }
            let key = rows.row(row).owned();
            match present.get(&key) {
                Some((earlier, first)) if *earlier == i => {
                    let first = part.numbers[*first];
                    part.faults[row] = Some(format!("its key stands in record {first} already, which counts"));
                    fates[i].quarantined += 1;
                }
                Some((earlier, _)) => {
                    fates[*earlier].superseded += 1;
                    present.insert(key, (i, row));
                }
                None => {
                    present.insert(key, (i, row));
                }
            }
        }
    }
    present.retain(|_, (part, row)| {
        let deleted = parts[*part].deleted[*row];
        fates[*part].deleted += u64::from(deleted);
        fates[*part].current += u64::from(!deleted);
        !deleted
    });
    Ok(Folded { present, fates })
}
