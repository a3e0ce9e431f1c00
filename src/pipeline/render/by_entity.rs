//! Rows sorted by entity, handed out entity by entity and forgotten.

use arrow::array::{AsArray, RecordBatch};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Rows whose first column is the entity, in its order.
pub struct ByEntity {
    batches: VecDeque<RecordBatch>,
    row: usize,
}

impl ByEntity {
    /// Of sorted rows.
    pub fn of(batches: Vec<RecordBatch>) -> ByEntity {
        ByEntity { batches: batches.into(), row: 0 }
    }

    /// Shows each row of an entity. Entities must be asked for in their order.
    pub fn take(&mut self, entity: &str, mut each: impl FnMut(&RecordBatch, usize)) {
        while let Some(batch) = self.batches.front() {
            if self.row == batch.num_rows() {
                self.batches.pop_front();
                self.row = 0;
                continue;
            }
            match batch.column(0).as_string::<i32>().value(self.row).cmp(entity) {
                Ordering::Less => {}
                Ordering::Equal => each(batch, self.row),
                Ordering::Greater => return,
            }
            self.row += 1;
        }
    }
}
