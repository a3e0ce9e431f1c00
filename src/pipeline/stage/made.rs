//! The steps of the stage: a table, found as an earlier run left it, or made.

use super::matching::record::Doubt;
use crate::artifact::model::{Balance, Model, ModelTable};
use crate::diagnostic::Result;
use crate::domain::digest::Key;
use crate::parquet_file;
use crate::run_context::{Event, RunContext};
use crate::steps::Made;
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

/// Raised when staging makes other bytes of the same inputs.
pub(super) const FORMAT: u32 = 7;

/// What the step of one table made.
#[derive(Serialize, Deserialize)]
pub(super) struct MadeTable {
    pub(super) name: String,
    pub(super) table: ModelTable,
    pub(super) balance: Vec<Balance>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) doubts: Vec<Doubt>,
}

impl Made for MadeTable {
    fn objects(&self) -> Vec<String> {
        self.table.objects(&self.name).into_iter().map(|(_, path, _)| path).collect()
    }
}

/// Finds or makes a table that comes from other tables alone.
pub(super) async fn made_from(
    night: &RunContext<'_>,
    model: &mut Model,
    name: &str,
    inputs: &impl Serialize,
    supplied: bool,
    make: impl AsyncFnOnce(&Model) -> Result<RecordBatch>,
) -> Result<()> {
    let key = Key::of("derive", FORMAT, &(name, inputs));
    let made = match night.steps.recall::<MadeTable>(key).await? {
        Some(made) => {
            model.reused += 1;
            made
        }
        None => {
            (night.tell)(Event::Item(name));
            let rows = make(model).await?;
            let bytes = parquet_file::write(rows.schema(), std::slice::from_ref(&rows), parquet_file::ROW_GROUP_ROWS)?;
            let digest = night.store.put_named(&format!("model/{name}"), "parquet", bytes).await?;
            let rows = rows.num_rows() as u64;
            let table = ModelTable::bare(digest, rows, supplied);
            let made = MadeTable { name: name.to_owned(), table, balance: Vec::new(), doubts: Vec::new() };
            night.steps.remember(key, &made)?;
            model.made.push(name.to_owned());
            made
        }
    };
    model.tables.insert(name.to_owned(), made.table);
    Ok(())
}
