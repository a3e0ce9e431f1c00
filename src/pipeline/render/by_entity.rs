//! Rows sorted by entity, handed out entity by entity and forgotten.

use crate::diagnostic::Result;
use crate::engine::Rows;
use arrow::array::{AsArray, RecordBatch};
use std::cmp::Ordering;

/// Rows whose first column is the entity, in its order.
pub struct ByEntity {
    rows: Rows,
    batch: Option<RecordBatch>,
    row: usize,
}

impl ByEntity {
    /// Of sorted rows.
    pub fn of(rows: Rows) -> ByEntity {
        ByEntity { rows, batch: None, row: 0 }
    }

    /// Shows each row of an entity. Entities must be asked for in their order.
    pub async fn take(&mut self, entity: &str, mut each: impl FnMut(&RecordBatch, usize)) -> Result<()> {
        loop {
            let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) else {
                self.batch = self.rows.next().await?;
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
