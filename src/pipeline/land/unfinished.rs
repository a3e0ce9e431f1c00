//! Exports that the CRM was still writing when they were read: told by what changed meanwhile, or by how they end.

use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::parquet_file;
use crate::pipeline::land::find::{Export, Exports};
use crate::store::Store;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::io::Read;

/// Refuses exports that changed since they were listed, or end within a record.
///
/// # Errors
/// The first such export.
pub async fn refuse(exports: &Exports, snapshots: &[Snapshot], store: &Store) -> Result<()> {
    for (export, snapshot) in exports.found.iter().zip(snapshots) {
        let now = exports.as_it_stands(export).await?;
        if now.as_ref().is_none_or(|(size, modified)| (*size, modified) != (export.size, &export.modified)) {
            let size = now.map_or_else(|| "is gone".to_owned(), |(size, _)| format!("has {size}"));
            return Err(Diagnostic::data(format!("{} is still being written", export.path))
                .at(Place::file(&export.path))
                .note(format!("it had {} bytes when this run began, and now {size}", export.size))
                .help("run again when the CRM has finished writing it")
                .help("nothing was published; the last run stands as it was"));
        }
        if ends_within_a_record(exports, export, snapshot, store).await? {
            return Err(Diagnostic::data(format!("{} ends in the middle of a record", export.path))
                .at(Place::file(&export.path))
                .note(format!("record {} is the last, and neither whole nor ended", snapshot.rows + snapshot.rejected))
                .note("the CRM was still writing it, or it was cut off on its way")
                .help("run again when it is complete, or have the CRM export it again")
                .help("nothing was published; the last run stands as it was"));
        }
    }
    Ok(())
}

/// Whether the last record could not be read, and no line end follows it.
async fn ends_within_a_record(exports: &Exports, export: &Export, snapshot: &Snapshot, store: &Store) -> Result<bool> {
    let Some(path) = snapshot.rejects_path() else { return Ok(false) };
    let last = i64::try_from(snapshot.rows + snapshot.rejected).unwrap_or(i64::MAX);
    let rejects = parquet_file::read_all(&path, store.get(&path).await?)?;
    let numbers = rejects.iter().filter_map(|batch| batch.column_by_name("_row")?.as_primitive_opt::<Int64Type>());
    if !numbers.flat_map(|numbers| numbers.values()).any(|number| *number == last) {
        return Ok(false);
    }
    let mut reader = exports.reader(export).await?;
    let (mut buffer, mut end) = (vec![0; 1 << 16], Vec::new());
    loop {
        let count = reader.read(&mut buffer).map_err(|error| {
            Diagnostic::internal(format!("cannot read {}: {error}", export.path)).at(Place::file(&export.path))
        })?;
        if count == 0 {
            // A line end of UTF-16 has two bytes.
            return Ok(!end.contains(&b'\n'));
        }
        end.extend_from_slice(&buffer[count.saturating_sub(2)..count]);
        end.drain(..end.len().saturating_sub(2));
    }
}
