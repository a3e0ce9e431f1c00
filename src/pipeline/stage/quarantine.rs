//! The rows that broke the contract.

use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::Result;
use crate::pipeline::stage::contract::Table;
use crate::pipeline::stage::fold::Part;
use crate::pipeline::stage::rows::batch;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;

/// All faulted rows, with file, record and reason; and, as far as they can be read, whose record of which key and name it is.
pub(super) fn quarantine(table: &Table, parts: &[Part], origins: &[&Snapshot]) -> Result<RecordBatch> {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let schema = Schema::new(vec![
        text("source"),
        text("table"),
        text("path"),
        text("snapshot"),
        Field::new("_row", DataType::Int64, false),
        text("reason"),
        text("record_id").with_nullable(true),
        text("rep_id").with_nullable(true),
        text("name").with_nullable(true),
    ]);
    // What tells the record: its key if that is one column, the first person it names, and what it is called.
    let key = table.key_positions().first().copied().filter(|_| table.key.len() == 1);
    let rep = table.columns.iter().position(|column| column.references.as_deref() == Some("reps"));
    let name = table.columns.iter().position(|column| column.name == "name");
    let mut found: Vec<(&Snapshot, i64, &str, [Option<String>; 3])> = Vec::new();
    for (part, snapshot) in parts.iter().zip(origins) {
        let told = |row: usize, column: Option<usize>| {
            let texts = part.batch.column(column?).as_string_opt::<i32>()?;
            texts.is_valid(row).then(|| texts.value(row).to_owned())
        };
        for (row, fault) in part.faults.iter().enumerate().filter(|(row, _)| part.skips[*row].is_none()) {
            let Some(fault) = fault.as_deref() else { continue };
            found.push((snapshot, part.numbers[row], fault, [key, rep, name].map(|column| told(row, column))));
        }
    }
    found.sort_by(|a, b| (&a.0.path, a.1).cmp(&(&b.0.path, b.1)));
    let told =
        |i: usize| -> ArrayRef { Arc::new(found.iter().map(|(.., told)| told[i].as_deref()).collect::<StringArray>()) };
    let texts = |get: fn(&Snapshot) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(found.iter().map(|(snapshot, ..)| get(snapshot))))
    };
    batch(
        Arc::new(schema),
        vec![
            texts(|s| s.source.clone()),
            texts(|s| s.table.clone()),
            texts(|s| s.path.clone()),
            texts(|s| s.raw.to_string()),
            Arc::new(Int64Array::from_iter_values(found.iter().map(|(_, number, ..)| *number))),
            Arc::new(StringArray::from_iter_values(found.iter().map(|(_, _, reason, _)| *reason))),
            told(0),
            told(1),
            told(2),
        ],
    )
}
