//! Rows sorted by entity, handed out entity by entity and forgotten.
//!
//! Sorting holds all rows until the last one is taken, and documents take long. So rows are put down in a file first, which is
//! read as the documents pass.

use crate::diagnostic::{Diagnostic, Result};
use crate::engine::Rows;
use crate::parquet_file::{self, Writer};
use arrow::array::{AsArray, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use std::cmp::Ordering;

/// Rows of a row group, and of a batch: a few entities' facts.
const ROWS: usize = 1024;

/// Rows whose first column is the entity, in its order.
pub struct ByEntity {
    rows: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    row: usize,
}

impl ByEntity {
    /// Puts sorted rows down.
    pub async fn of(mut rows: Rows) -> Result<ByEntity> {
        let failed = |error: std::io::Error| {
            Diagnostic::internal(format!("cannot put rows down in a temporary file: {error}"))
                .help("TMPDIR names the folder of temporary files")
        };
        let unwritten = |error: Box<Diagnostic>| {
            error
                .note(format!("it was a temporary file in {}", tempfile::env::temp_dir().display()))
                .help("make room there, or name another folder in TMPDIR")
        };
        let file = tempfile::tempfile().map_err(failed)?;
        let mut writer = Writer::into(file, rows.schema(), ROWS).map_err(unwritten)?;
        while let Some(batch) = rows.next().await? {
            writer.write(&batch).map_err(unwritten)?;
        }
        let file = writer.finish().map_err(unwritten)?;
        Ok(ByEntity { rows: parquet_file::open("a temporary file", file, ROWS)?, batch: None, row: 0 })
    }

    /// Shows each row of an entity. Entities must be asked for in their order.
    pub fn take(&mut self, entity: &str, mut each: impl FnMut(&RecordBatch, usize)) -> Result<()> {
        loop {
            let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) else {
                let next = self.rows.next().transpose();
                self.batch =
                    next.map_err(|error| Diagnostic::internal(format!("cannot read a temporary file: {error}")))?;
                self.row = 0;
                match self.batch {
                    Some(_) => continue,
                    None => return Ok(()),
                }
            };
            match batch.column(0).as_string::<i32>().value(self.row).cmp(entity) {
                Ordering::Less => {}
                Ordering::Equal => each(batch, self.row),
                Ordering::Greater => return Ok(()),
            }
            self.row += 1;
        }
    }
}
