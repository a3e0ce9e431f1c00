//! Rows and their texts, as the stage makes and reads them.

use crate::diagnostic::{Diagnostic, Result};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows of these columns.
pub(super) fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|error| Diagnostic::internal(format!("cannot build rows: {error}")))
}

/// All texts of a column.
pub(super) fn texts_of(batches: &[RecordBatch], position: usize) -> BTreeSet<String> {
    let columns = batches.iter().filter_map(|batch| batch.column(position).as_string_opt::<i32>());
    columns.flat_map(|column| column.iter().flatten().map(String::from).collect::<Vec<_>>()).collect()
}

/// The texts that are known; the others become empty.
pub(super) fn only(texts: &StringArray, known: impl Fn(&str) -> bool) -> ArrayRef {
    Arc::new(texts.iter().map(|text| text.filter(|id| known(id))).collect::<StringArray>())
}
