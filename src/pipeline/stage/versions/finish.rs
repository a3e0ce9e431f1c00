//! From versions as they were exported to those of the model: money converted, ids canonical, one history a record.

use crate::artifact::model::{DoubtOf, Model, ModelTable};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::{Digest, Key};
use crate::parquet_file;
use crate::pipeline::stage::contract::Table;
use crate::pipeline::stage::fold::Part;
use crate::pipeline::stage::made::FORMAT;
use crate::pipeline::stage::made::MadeTable;
use crate::pipeline::stage::matching::names::Names;
use crate::pipeline::stage::matching::record::rank;
use crate::pipeline::stage::quarantine::quarantine;
use crate::pipeline::stage::rows::batch;
use crate::pipeline::stage::versions::chain;
use crate::pipeline::stage::versions::overlay::{Stretch, overlay};
use crate::pipeline::stage::versions::table::{FROM, TO, Versions};
use crate::pipeline::stage::{money, references};
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Date32Type, Int64Type};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Versions<'_> {
    /// Finds or makes the model's table from the versions of this digest.
    pub(super) async fn finish(
        &self,
        digest: Digest,
        snapshots: &[Snapshot],
        model: &mut Model,
    ) -> Result<(ModelTable, Vec<(DoubtOf, String)>)> {
        #[derive(Serialize)]
        struct Inputs<'a> {
            name: &'a str,
            table: &'a Table,
            versions: Digest,
            order: &'a [String],
            references: BTreeMap<&'a str, Digest>,
            named: BTreeMap<&'a str, Option<Digest>>,
            money: Option<money::Inputs<'a>>,
        }
        let inputs = Inputs {
            name: self.name,
            table: self.table,
            versions: digest,
            order: &self.night.settings.matching.order,
            references: self.table.targets().into_iter().map(|target| (target, model.tables[target].digest)).collect(),
            named: self.table.named().into_iter().map(|target| (target, model.tables[target].matches)).collect(),
            money: money::Inputs::of(self.night, self.table, model).map(money::Inputs::by_row),
        };
        let key = Key::of("versions", FORMAT, &inputs);
        let made = match self.night.steps.recall::<MadeTable>(key).await? {
            Some(made) => {
                model.reused += 1;
                made
            }
            None => {
                let table = self.table_of(digest, snapshots, model).await?;
                let made = MadeTable { name: self.name.to_owned(), table, balance: Vec::new(), doubts: Vec::new() };
                self.night.steps.remember(key, &made)?;
                model.made.push(self.name.to_owned());
                made
            }
        };
        let count = made.table.quarantined;
        let told = (count > 0).then(|| {
            let versions = if count == 1 { "1 version".to_owned() } else { format!("{count} versions") };
            (DoubtOf::Version, format!("{}: {versions}; `SELECT * FROM quarantine_{}`", self.name, self.name))
        });
        Ok((made.table, told.into_iter().collect()))
    }

    async fn table_of(&self, digest: Digest, snapshots: &[Snapshot], model: &Model) -> Result<ModelTable> {
        let rows = self.read(&digest).await?;
        let mut part = self.part(&rows)?;
        if self.table.converts() {
            let rates = money::rates(self.night, model).await?;
            // Each row has a day of its own, so the run's date chooses none.
            part.batch = money::convert(self.table, &rates, self.night.as_of, &part.batch, &mut part.faults)?;
        }
        let names = Names::of(self.night, model, self.table.named()).await?;
        let known = references::known_keys(self.night, self.contract, self.name, model, &names).await?;
        let exported = ids_of(&part.batch, self.table);
        names.rewrite(self.table, &mut part)?;
        references::follow(self.table, &mut part, &known)?;
        // A version stands for good: no later one takes it back.
        for (fault, dangling) in part.faults.iter_mut().zip(&mut part.dangling) {
            *fault = fault.take().or(dangling.take());
        }
        let (present, lineage) = self.laid(&rows, &part, &exported)?;
        let quarantine = self.set_aside(&rows, &part, snapshots)?;
        let put = async |folder: String, rows: &RecordBatch| -> Result<Digest> {
            let bytes = parquet_file::write(rows.schema(), std::slice::from_ref(rows), parquet_file::ROW_GROUP_ROWS)?;
            self.night.store.put_named(&folder, "parquet", bytes).await
        };
        Ok(ModelTable {
            lineage: Some(put(format!("model/{}__lineage", self.name), &lineage).await?),
            quarantine: match quarantine.num_rows() {
                0 => None,
                _ => Some(put(format!("quarantine/{}", self.name), &quarantine).await?),
            },
            quarantined: quarantine.num_rows() as u64,
            staged: Some(digest),
            ..ModelTable::bare(put(format!("model/{}", self.name), &present).await?, present.num_rows() as u64, true)
        })
    }

    async fn read(&self, digest: &Digest) -> Result<RecordBatch> {
        let path = chain::path(self.name, digest);
        let batches = parquet_file::read_all(&path, self.night.store.get(&path).await?)?;
        let Some(first) = batches.first() else { return self.none() };
        concat_batches(&first.schema(), &batches)
            .map_err(|error| Diagnostic::internal(format!("{path} cannot be read: {error}")))
    }

    /// The versions in the contract's columns. Where the day that converts is empty, it is the version's first.
    fn part(&self, rows: &RecordBatch) -> Result<Part> {
        let as_read = money::as_read(self.table);
        let column = |name: &str| {
            let column = rows.column_by_name(name).cloned();
            column.ok_or_else(|| Diagnostic::internal(format!("the versions lack `{name}`")))
        };
        let from = column(FROM)?;
        let days: Vec<&String> = self.table.columns.iter().filter_map(|c| c.converts_on.as_ref()).collect();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for own in &as_read.columns {
            let cells = column(&own.name)?;
            columns.push(match days.contains(&&own.name) {
                true => filled(&cells, &from),
                false => cells,
            });
        }
        let count = rows.num_rows();
        let not = || vec![false; count];
        Ok(Part {
            is_whole: true,
            batch: batch(as_read.schema(), columns)?,
            numbers: column("_row")?.as_primitive::<Int64Type>().values().to_vec(),
            faults: vec![None; count],
            dangling: vec![None; count],
            skips: vec![None; count],
            deleted: not(),
            keyless: not(),
            renamed: not(),
            gone: not(),
        })
    }

    /// The rows that stand, one history a record, sorted by key; and where each came from.
    fn laid(&self, rows: &RecordBatch, part: &Part, exported: &[String]) -> Result<(RecordBatch, RecordBatch)> {
        let canonical = ids_of(&part.batch, self.table);
        let (from, to) = (days(&part.batch, FROM)?, days(&part.batch, TO)?);
        let mut by_record: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
        for row in (0..canonical.len()).filter(|row| part.faults[*row].is_none()) {
            by_record.entry(&canonical[row]).or_default().push(row);
        }
        let order = &self.night.settings.matching.order;
        let mut laid: Vec<Stretch> = Vec::new();
        for (canonical, own) in by_record {
            let rank = |row: &usize| (exported[*row] != *canonical, rank(order, &exported[*row]));
            let mut ranks: Vec<_> = own.iter().map(rank).collect();
            ranks.sort_unstable();
            ranks.dedup();
            let place = |row: usize| ranks.binary_search(&rank(&row)).unwrap_or_default();
            let stretch =
                |row: usize| Stretch { row, from: from.value(row), to: to.is_valid(row).then(|| to.value(row)) };
            laid.extend(overlay(own.iter().map(|row| (place(*row), stretch(*row))).collect()));
        }
        let picked = UInt32Array::from_iter_values(laid.iter().map(|stretch| stretch.row as u32));
        let take = |rows: &RecordBatch| {
            take_record_batch(rows, &picked).map_err(|error| Diagnostic::internal(format!("no versions: {error}")))
        };
        let present = take(&part.batch)?;
        let mut columns = present.columns().to_vec();
        for (position, column) in self.table.columns.iter().enumerate() {
            match column.name.as_str() {
                FROM => columns[position] = Arc::new(Date32Array::from_iter_values(laid.iter().map(|s| s.from))),
                TO => columns[position] = Arc::new(laid.iter().map(|s| s.to).collect::<Date32Array>()),
                _ => {}
            }
        }
        let origins = take(rows)?;
        let mut lineage: Vec<ArrayRef> =
            self.table.key_positions().into_iter().map(|position| columns[position].clone()).collect();
        lineage.extend(["_snapshot", "_row"].iter().filter_map(|name| origins.column_by_name(name).cloned()));
        Ok((batch(self.table.schema(), columns)?, batch(self.table.lineage_schema(), lineage)?))
    }

    /// The versions that broke the contract, with the exports that showed them first.
    fn set_aside(&self, rows: &RecordBatch, part: &Part, snapshots: &[Snapshot]) -> Result<RecordBatch> {
        let origins = rows.column_by_name("_snapshot").and_then(|column| column.as_string_opt::<i32>());
        let mut by_export: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for row in (0..rows.num_rows()).filter(|row| part.faults[*row].is_some()) {
            by_export.entry(origins.map_or("", |origins| origins.value(row))).or_default().push(row);
        }
        let (mut parts, mut exports) = (Vec::new(), Vec::new());
        for (digest, own) in by_export {
            let Some(snapshot) = Snapshot::named(snapshots, digest) else { continue };
            let picked = UInt32Array::from_iter_values(own.iter().map(|row| *row as u32));
            let batch = take_record_batch(&part.batch, &picked);
            let not = || vec![false; own.len()];
            parts.push(Part {
                is_whole: true,
                batch: batch.map_err(|error| Diagnostic::internal(format!("no versions: {error}")))?,
                numbers: own.iter().map(|row| part.numbers[*row]).collect(),
                faults: own.iter().map(|row| part.faults[*row].clone()).collect(),
                dangling: vec![None; own.len()],
                skips: vec![None; own.len()],
                deleted: not(),
                keyless: not(),
                renamed: not(),
                gone: not(),
            });
            exports.push(snapshot);
        }
        quarantine(self.table, &parts, &exports)
    }
}

fn ids_of(rows: &RecordBatch, table: &Table) -> Vec<String> {
    let ids = rows.column(table.key_positions()[0]).as_string_opt::<i32>().cloned();
    let ids = ids.unwrap_or_else(|| StringArray::new_null(rows.num_rows()));
    ids.iter().map(|id| id.unwrap_or_default().to_owned()).collect()
}

fn days(rows: &RecordBatch, name: &str) -> Result<Date32Array> {
    let days = rows.column_by_name(name).and_then(|days| days.as_primitive_opt::<Date32Type>());
    days.cloned().ok_or_else(|| Diagnostic::internal(format!("the versions lack `{name}`")))
}

/// The days, and where there is none, the other's.
fn filled(days: &ArrayRef, other: &ArrayRef) -> ArrayRef {
    let pairs = days.as_primitive::<Date32Type>().iter().zip(other.as_primitive::<Date32Type>());
    Arc::new(pairs.map(|(day, other)| day.or(other)).collect::<Date32Array>())
}
