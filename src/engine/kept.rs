//! The results that a session keeps as tables: in memory while they are small, in a temporary file from then on, so that facts
//! of any number leave the memory to the sorts and joins over them.

use crate::diagnostic::Diagnostic;
use crate::engine::memory::{self, Held};
use crate::parquet_file::{ROW_GROUP_ROWS, Writer};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryPool, MemoryReservation};
use std::fs::File;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// A kept table may hold this part of the session's memory.
const PART: usize = 8;

/// A result on its way into a table.
pub(super) struct Keeping {
    schema: SchemaRef,
    most_bytes: usize,
    held: Held,
    batches: Vec<RecordBatch>,
    charge: MemoryReservation,
    file: Option<(Writer<File>, NamedTempFile)>,
}

/// Where a kept table is.
pub(super) enum Kept {
    /// In memory, charged as long as this is there.
    Batches(Vec<RecordBatch>, MemoryReservation),
    /// In a file, which is removed with this.
    File(NamedTempFile),
}

impl Keeping {
    /// Nothing yet.
    pub fn new(name: &str, schema: SchemaRef, pool: &Arc<dyn MemoryPool>, memory_bytes: usize) -> Keeping {
        let charge = memory::charge(pool, name, 0);
        let most_bytes = memory_bytes / PART;
        Keeping { schema, most_bytes, held: Held::default(), batches: Vec::new(), charge, file: None }
    }

    /// Adds rows.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.batches.is_empty() && self.file.is_none() {
            // The plan may hold for never empty what the rows only happen not to leave empty.
            self.schema = batch.schema();
        }
        let batch = RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())?;
        if let Some((writer, _)) = &mut self.file {
            return writer.write(&batch).map_err(|error| failed(&error));
        }
        let more = self.held.add(&batch);
        self.batches.push(batch);
        self.charge.grow(more);
        if self.held.bytes() > self.most_bytes {
            self.move_to_file()?;
        }
        Ok(())
    }

    fn move_to_file(&mut self) -> Result<()> {
        let file = tempfile::Builder::new().prefix("kept-").suffix(".parquet").tempfile()?;
        let mut writer =
            Writer::into(file.reopen()?, self.schema.clone(), ROW_GROUP_ROWS).map_err(|error| failed(&error))?;
        for batch in self.batches.drain(..) {
            writer.write(&batch).map_err(|error| failed(&error))?;
        }
        self.charge.free();
        self.file = Some((writer, file));
        Ok(())
    }

    /// All rows, and their columns.
    pub fn finish(self) -> Result<(SchemaRef, Kept)> {
        let kept = match self.file {
            Some((writer, file)) => {
                writer.finish().map_err(|error| failed(&error))?;
                Kept::File(file)
            }
            None => Kept::Batches(self.batches, self.charge),
        };
        Ok((self.schema, kept))
    }
}

/// A full disk is told as one.
fn failed(error: &Diagnostic) -> DataFusionError {
    DataFusionError::Execution([error.message.clone(), error.notes.join("; ")].join(": "))
}
