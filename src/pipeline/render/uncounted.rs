//! What was not counted, as tables for lists: `quarantined`, row by row, and `rejected`, how many.
//!
//! Their one constraint: nothing of the run. A list may print whose record it was, its name and the reason; paths, digests
//! and record numbers stand in the warehouse and move from night to night.

use crate::artifact::model::Model;
use crate::diagnostic::{Diagnostic, Result};
use crate::engine::Session;
use crate::pipeline::render::rendering::Rendering;
use crate::store::object_name;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The columns of `quarantined` after the model's table.
const COLUMNS: &str = "source, \"table\" AS export, reason, record_id, rep_id, name";

/// Records that could not be read, by source and export, as far as newer exports do not replace theirs.
pub fn rejected(model: &Model) -> BTreeMap<(&str, &str), u64> {
    let mut all = BTreeMap::new();
    let counts = model.balance.iter().filter(|of| of.rejected > 0 && (of.current > 0 || of.superseded == 0));
    counts.for_each(|of| *all.entry((of.source.as_str(), of.table.as_str())).or_default() += of.rejected);
    all
}

/// Names `quarantined` (model_table, source, export, reason, record_id, rep_id, name) and `rejected` (source, export, rows).
pub async fn add(of: &Rendering<'_>, session: &Session) -> Result<()> {
    let mut parts = vec![
        "SELECT '' AS model_table, '' AS source, '' AS export, '' AS reason, '' AS record_id, '' AS rep_id, '' AS name WHERE FALSE"
            .to_owned(),
    ];
    for (name, table) in &of.model.tables {
        let Some(digest) = table.quarantine else { continue };
        let path = object_name(&format!("quarantine/{name}"), &digest, "parquet");
        session.register_parquet(&format!("quarantine_{name}"), &path).await?;
        parts.push(format!("SELECT '{name}', {COLUMNS} FROM quarantine_{name}"));
    }
    session.materialize("quarantined", &parts.join(" UNION ALL ")).await?;
    let all = rejected(of.model);
    let texts =
        |get: fn(&(&str, &str)) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(all.keys().map(get))) };
    let columns: [(&str, ArrayRef); 3] = [
        ("source", texts(|(source, _)| (*source).to_owned())),
        ("export", texts(|(_, table)| (*table).to_owned())),
        ("rows", Arc::new(Int64Array::from_iter_values(all.values().map(|rows| *rows as i64)))),
    ];
    let batch = RecordBatch::try_from_iter(columns);
    let batch = batch.map_err(|error| Diagnostic::internal(format!("no table of rejected records: {error}")))?;
    session.add_batches("rejected", batch.schema(), vec![batch])
}
