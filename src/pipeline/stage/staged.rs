//! One table of the model from all its exports: read, converted, folded, matched across sources.

use crate::artifact::model::{Balance, Model, ModelTable};
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::{Digest, Key};
use crate::engine;
use crate::parquet_file;
use crate::pipeline::stage::contract::EXCHANGE_RATES;
use crate::pipeline::stage::contract::{Contract, Table};
use crate::pipeline::stage::definition::Staging;
use crate::pipeline::stage::export::{Reader, exports, lookups};
use crate::pipeline::stage::fold::{self, Folded, Keys, Part};
use crate::pipeline::stage::made::{FORMAT, MadeTable};
use crate::pipeline::stage::matching::names::Names;
use crate::pipeline::stage::matching::record::Doubt;
use crate::pipeline::stage::matching::{self, tables};
use crate::pipeline::stage::quarantine::quarantine;
use crate::pipeline::stage::rows::{batch, texts_of};
use crate::pipeline::stage::{money, references};
use crate::run_context::RunContext;
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::interleave_record_batch;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Finds or makes one table that staging fills.
pub(super) async fn staged(
    night: &RunContext<'_>,
    contract: &Contract,
    name: &str,
    table: &Table,
    stagings: &[&Staging<'_>],
    snapshots: &[Snapshot],
    model: &mut Model,
) -> Result<()> {
    #[derive(Serialize)]
    struct Inputs<'a> {
        name: &'a str,
        engine: &'a str,
        time_zone: &'a str,
        sources: Vec<&'a str>,
        table: &'a Table,
        references: BTreeMap<&'a str, Digest>,
        /// Of each table whose ids it holds: which records another one stands for.
        named: BTreeMap<&'a str, Option<Digest>>,
        matching: Option<tables::Inputs<'a>>,
        money: Option<money::Inputs<'a>>,
        stagings: Vec<StagingInputs<'a>>,
    }
    /// Path and digest of the definition; path, data date and digest of each snapshot; digests of the lookups.
    type StagingInputs<'a> = (&'a str, Digest, Vec<(String, String, Digest)>, Vec<Option<Digest>>);
    let references = table.targets().into_iter().filter(|target| *target != name);
    let named = table.named().into_iter().filter(|target| *target != name);
    let inputs = Inputs {
        name,
        engine: engine::VERSION,
        time_zone: &night.settings.calendar.time_zone,
        sources: night.source_names(),
        table,
        references: references.map(|target| (target, model.tables[target].digest)).collect(),
        named: named.map(|target| (target, model.tables[target].matches)).collect(),
        matching: contract.matches(name).then(|| tables::Inputs::of(night, model)),
        money: money::Inputs::of(night, table, model),
        stagings: stagings
            .iter()
            .map(|staging| {
                let (read, _) = exports(night, staging, snapshots);
                let lookups = lookups(staging, snapshots, None).into_iter().map(|s| s.map(|s| s.raw));
                let input = |s: &'_ Snapshot| (s.path.clone(), s.data_date.to_string(), s.raw);
                let read = read.into_iter().map(input);
                (staging.path, staging.digest, read.collect(), lookups.collect())
            })
            .collect(),
    };
    let key = Key::of("stage", FORMAT, &inputs);
    let made = match night.steps.recall::<MadeTable>(key).await? {
        Some(made) => {
            model.reused += 1;
            made
        }
        None => {
            let made = Staged { night, contract, name, table, model }.make(stagings, snapshots).await?;
            night.steps.remember(key, &made)?;
            model.made.push(name.to_owned());
            made
        }
    };
    for staging in stagings {
        let (_, whole) = exports(night, staging, snapshots);
        model.balance.extend(whole.into_iter().map(|s| superseded(s, name)));
    }
    // Rejects do not show in a snapshot's digest, so what a step remembers cannot count them.
    model.balance.extend(made.balance.into_iter().map(|balance| {
        let rejected =
            snapshots.iter().find(|s| s.path == balance.path && s.table == balance.table).map_or(0, |s| s.rejected);
        Balance { rejected, read: balance.read + rejected, ..balance }
    }));
    let told = tables::told(night, model, snapshots, name, &made.doubts).await?;
    model.doubts.extend(told);
    model.tables.insert(name.to_owned(), made.table);
    Ok(())
}

/// The balance of an export that a later one replaces whole.
fn superseded(snapshot: &Snapshot, into: &str) -> Balance {
    Balance {
        read: snapshot.rows + snapshot.rejected,
        rejected: snapshot.rejected,
        kept: snapshot.rows,
        superseded: snapshot.rows,
        ..balance(snapshot, into)
    }
}

fn balance(snapshot: &Snapshot, into: &str) -> Balance {
    Balance {
        source: snapshot.source.clone(),
        table: snapshot.table.clone(),
        path: snapshot.path.clone(),
        data_date: snapshot.data_date.to_string(),
        into: into.to_owned(),
        read: 0,
        rejected: 0,
        skipped: 0,
        quarantined: 0,
        kept: 0,
        current: 0,
        superseded: 0,
        deleted: 0,
    }
}

/// One table while it is made.
struct Staged<'a> {
    night: &'a RunContext<'a>,
    contract: &'a Contract,
    name: &'a str,
    table: &'a Table,
    model: &'a Model,
}

impl Staged<'_> {
    async fn make(&self, stagings: &[&Staging<'_>], snapshots: &[Snapshot]) -> Result<MadeTable> {
        let keys = Keys::of(self.table)?;
        let names = Names::of(self.night, self.model, self.table.named()).await?;
        let known = references::known_keys(self.night, self.contract, self.name, self.model, &names).await?;
        let rates = match self.table.converts() {
            true => Some(money::rates(self.night, self.model).await?),
            false => None,
        };
        let reader = Reader { night: self.night, name: self.name, table: self.table, keys: &keys };
        let mut origins: Vec<&Snapshot> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut read: Vec<(&Staging<'_>, &Snapshot)> = Vec::new();
        for staging in stagings {
            read.extend(exports(self.night, staging, snapshots).0.into_iter().map(|snapshot| (*staging, snapshot)));
        }
        // Where two sources have a record of one key, the later export supersedes the earlier.
        read.sort_by_key(|(staging, snapshot)| (snapshot.data_date, &snapshot.path, staging.path));
        for (staging, snapshot) in read {
            let mut part = reader.part(staging, snapshot, &lookups(staging, snapshots, None)).await?;
            if let Some(rates) = &rates {
                part.batch = money::convert(self.table, rates, self.night.as_of, &part.batch, &mut part.faults)?;
            }
            if self.name == EXCHANGE_RATES {
                money::refuse_no_currency(&part.batch, &mut part.faults);
            }
            names.rewrite(self.table, &mut part)?;
            references::follow(self.table, &mut part, &known)?;
            origins.push(snapshot);
            parts.push(part);
        }
        let mut folded = fold::fold(&keys, &mut parts)?;
        let (matches, doubts) = self.find_matches(&parts, &mut folded).await?;
        let (rows, lineage) = self.assemble(&parts, &origins, &folded, &matches)?;
        let quarantine = quarantine(self.table, &parts, &origins)?;
        let put = async |folder: String, batch: &RecordBatch| -> Result<Digest> {
            let bytes = parquet_file::write(batch.schema(), std::slice::from_ref(batch), parquet_file::ROW_GROUP_ROWS)?;
            self.night.store.put_named(&folder, "parquet", bytes).await
        };
        let put_any = async |folder: String, batch: &RecordBatch| -> Result<Option<Digest>> {
            if batch.num_rows() == 0 { Ok(None) } else { put(folder, batch).await.map(Some) }
        };
        let table = ModelTable {
            digest: put(format!("model/{}", self.name), &rows).await?,
            rows: rows.num_rows() as u64,
            lineage: Some(put(format!("model/{}__lineage", self.name), &lineage).await?),
            quarantine: put_any(format!("quarantine/{}", self.name), &quarantine).await?,
            quarantined: quarantine.num_rows() as u64,
            matches: put_any(format!("model/{}__matches", self.name), &tables::batch_of(self.name, &matches)?).await?,
            staged: None,
            supplied: !origins.is_empty(),
        };
        let balance = origins.iter().zip(&folded.fates).map(|(snapshot, fates)| Balance {
            read: snapshot.rows,
            skipped: fates.skipped,
            quarantined: fates.quarantined,
            kept: fates.current + fates.superseded + fates.deleted,
            current: fates.current,
            superseded: fates.superseded,
            deleted: fates.deleted,
            ..balance(snapshot, self.name)
        });
        Ok(MadeTable { name: self.name.to_owned(), table, balance: balance.collect(), doubts })
    }

    /// Finds the rows that are the same in several sources, and leaves only the canonical ones present.
    async fn find_matches(
        &self,
        parts: &[Part],
        folded: &mut Folded,
    ) -> Result<(BTreeMap<String, matching::record::Match>, Vec<Doubt>)> {
        if !self.contract.matches(self.name) {
            return Ok((BTreeMap::new(), Vec::new()));
        }
        let rows = self.present(parts, folded)?;
        let records = tables::records(self.table, &rows)?;
        let mappings = tables::mappings(self.night, self.model, self.name).await?;
        let order = &self.night.settings.matching.order;
        let found = matching::find::find(self.name, &self.table.same_by, &records, &mappings, order);
        let matches: BTreeMap<String, matching::record::Match> =
            found.matches.into_iter().map(|found| (found.record_id.clone(), found)).collect();
        folded.supersede(|place| matches.contains_key(&records[place].id));
        Ok((matches, found.doubts))
    }

    /// The rows that are present, in the order of their keys.
    fn present(&self, parts: &[Part], folded: &Folded) -> Result<RecordBatch> {
        let order: Vec<(usize, usize)> = folded.present.values().copied().collect();
        let batches: Vec<&RecordBatch> = parts.iter().map(|part| &part.batch).collect();
        match batches.is_empty() {
            true => Ok(RecordBatch::new_empty(self.table.schema())),
            false => interleave_record_batch(&batches, &order)
                .map_err(|error| Diagnostic::internal(format!("cannot fold {}: {error}", self.name))),
        }
    }

    /// The present rows by key, and where each came from.
    fn assemble(
        &self,
        parts: &[Part],
        origins: &[&Snapshot],
        folded: &Folded,
        matches: &BTreeMap<String, matching::record::Match>,
    ) -> Result<(RecordBatch, RecordBatch)> {
        let order: Vec<(usize, usize)> = folded.present.values().copied().collect();
        let rows = self.follow_own_references(self.present(parts, folded)?, matches)?;
        let mut lineage: Vec<ArrayRef> =
            self.table.key_positions().into_iter().map(|position| rows.column(position).clone()).collect();
        let snapshots = order.iter().map(|(part, _)| origins[*part].raw.to_string());
        lineage.push(Arc::new(StringArray::from_iter_values(snapshots)));
        lineage
            .push(Arc::new(Int64Array::from_iter_values(order.iter().map(|(part, row)| parts[*part].numbers[*row]))));
        let lineage = batch(self.table.lineage_schema(), lineage)?;
        Ok((rows, lineage))
    }

    /// References within the table: to the canonical record, and to nothing if there is none, or it is the row's own.
    fn follow_own_references(
        &self,
        rows: RecordBatch,
        matches: &BTreeMap<String, matching::record::Match>,
    ) -> Result<RecordBatch> {
        let mut columns = rows.columns().to_vec();
        let key = self.table.key_positions()[0];
        let own = texts_of(std::slice::from_ref(&rows), key);
        for (position, column) in self.table.columns.iter().enumerate() {
            if column.references.as_deref() == Some(self.name) {
                let followed = columns[position].as_string::<i32>().iter().enumerate().map(|(row, id)| {
                    let Some(same) = id.and_then(|id| matches.get(id)) else {
                        return id.filter(|id| own.contains(*id));
                    };
                    let itself = rows.column(key).as_string_opt::<i32>().map(|keys| keys.value(row));
                    Some(same.same_as.as_str()).filter(|id| itself != Some(id))
                });
                let followed: StringArray = followed.collect();
                columns[position] = Arc::new(followed);
            }
        }
        batch(rows.schema(), columns)
    }
}
