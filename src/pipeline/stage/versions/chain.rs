//! From night to night: what each shows, held against what the one before showed.

use crate::artifact::model::Model;
use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::digest::{Digest, Key};
use crate::domain::period::EPOCH;
use crate::domain::period::days_between;
use crate::engine;
use crate::parquet_file;
use crate::pipeline::stage::contract::{Columns, Table};
use crate::pipeline::stage::definition::Staging;
use crate::pipeline::stage::export::{Reader, lookups, of_table};
use crate::pipeline::stage::fold::{Keys, Part};
use crate::pipeline::stage::made::FORMAT;
use crate::pipeline::stage::money;
use crate::pipeline::stage::rows::batch;
use crate::pipeline::stage::versions::table::{FROM, TO, Versions};
use crate::settings::Fold;
use crate::steps::Made;
use crate::store::object_name;
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The exports of one data date, by the staging file that reads them.
pub(super) type NightlyExports<'a> = (Date, Vec<(&'a Staging<'a>, Vec<&'a Snapshot>)>);

/// All nights, oldest first.
pub(super) fn nights<'a>(stagings: &[&'a Staging<'a>], snapshots: &'a [Snapshot]) -> Vec<NightlyExports<'a>> {
    let mut nights: BTreeMap<Date, Vec<(&Staging<'_>, Vec<&Snapshot>)>> = BTreeMap::new();
    for staging in stagings {
        for snapshot in of_table(staging.source, &staging.header.from, snapshots) {
            let night = nights.entry(snapshot.data_date).or_default();
            match night.last_mut().filter(|(last, _)| last.path == staging.path) {
                Some((_, parts)) => parts.push(snapshot),
                None => night.push((*staging, vec![snapshot])),
            }
        }
    }
    nights.into_iter().collect()
}

/// What the steps of nights remember.
#[derive(Serialize, Deserialize)]
struct MadeNights {
    name: String,
    digest: Digest,
}

impl Made for MadeNights {
    fn objects(&self) -> Vec<String> {
        vec![path(&self.name, &self.digest)]
    }
}

/// The path of the versions as they were exported.
pub(super) fn path(name: &str, digest: &Digest) -> String {
    object_name(&format!("model/{name}"), digest, "parquet")
}

impl Versions<'_> {
    /// The columns whose change makes a version.
    pub(super) fn tracked(&self) -> Columns {
        let own = [self.table.key[0].as_str(), FROM, TO];
        let as_read = money::as_read(self.table);
        as_read.columns.into_iter().filter(|column| !own.contains(&column.name.as_str())).collect()
    }

    /// The versions up to the last night: those up to the newest night that a step remembers, and the nights since.
    pub(super) async fn nights(
        &self,
        stagings: &[&Staging<'_>],
        nights: &[NightlyExports<'_>],
        snapshots: &[Snapshot],
        model: &mut Model,
    ) -> Result<Digest> {
        let key = |count: usize| self.key(stagings, &nights[..count], snapshots);
        let mut known = 0;
        let mut chain = Chain::new(self.table, &self.tracked())?;
        for count in (1..=nights.len()).rev() {
            if let Some(made) = self.night.steps.recall::<MadeNights>(key(count)).await? {
                if count == nights.len() {
                    model.reused += 1;
                    return Ok(made.digest);
                }
                let path = path(self.name, &made.digest);
                chain.read(&parquet_file::read_all(&path, self.night.store.get(&path).await?)?)?;
                known = count;
                break;
            }
        }
        let keys = Keys::of(self.base)?;
        let reader = Reader { night: self.night, name: self.base_name, table: self.base, keys: &keys };
        for (date, exports) in &nights[known..] {
            for (staging, parts) in exports {
                let lookups = lookups(staging, snapshots, Some(*date));
                let fold = self.night.settings.sources[staging.source].tables[&staging.header.from].fold;
                let mut shown = BTreeSet::new();
                for snapshot in parts {
                    let part = reader.part(staging, snapshot, &lookups).await?;
                    chain.add(*date, staging.path, snapshot, &part, &mut shown)?;
                }
                if fold == Fold::Full {
                    chain.end_others(*date, staging.path, &shown);
                }
            }
        }
        let rows = chain.batch()?;
        let bytes = parquet_file::write(rows.schema(), &[rows], parquet_file::ROW_GROUP_ROWS)?;
        let digest = self.night.store.put_named(&format!("model/{}", self.name), "parquet", bytes).await?;
        let made = MadeNights { name: self.name.to_owned(), digest };
        self.night.steps.remember(key(nights.len()), &made)?;
        model.made.push(self.name.to_owned());
        Ok(digest)
    }

    /// No versions.
    pub(super) fn none(&self) -> Result<RecordBatch> {
        Chain::new(self.table, &self.tracked())?.batch()
    }

    /// What the versions up to a night depend on: its exports and those of the nights before, and how they are read.
    fn key(&self, stagings: &[&Staging<'_>], nights: &[NightlyExports<'_>], snapshots: &[Snapshot]) -> Key {
        #[derive(Serialize)]
        struct Inputs<'a> {
            name: &'a str,
            engine: &'a str,
            time_zone: &'a str,
            sources: Vec<&'a str>,
            table: &'a Table,
            base: &'a Table,
            stagings: Vec<(&'a str, Digest, Fold)>,
            nights: Vec<(String, Vec<Exports<'a>>)>,
        }
        /// The staging file; path and digest of each export; digests of the lookups.
        type Exports<'a> = (&'a str, Vec<(&'a str, Digest)>, Vec<Option<Digest>>);
        let settings = self.night.settings;
        let fold = |staging: &Staging<'_>| settings.sources[staging.source].tables[&staging.header.from].fold;
        let exports = |date: Date, staging: &Staging<'_>| -> Vec<Option<Digest>> {
            lookups(staging, snapshots, Some(date)).into_iter().map(|s| s.map(|s| s.raw)).collect()
        };
        let inputs = Inputs {
            name: self.name,
            engine: engine::VERSION,
            time_zone: &settings.calendar.time_zone,
            sources: self.night.source_names(),
            table: self.table,
            base: self.base,
            stagings: stagings.iter().map(|staging| (staging.path, staging.digest, fold(staging))).collect(),
            nights: nights
                .iter()
                .map(|(date, all)| {
                    let all = all.iter().map(|(staging, parts)| {
                        let parts = parts.iter().map(|s| (s.path.as_str(), s.raw)).collect();
                        (staging.path, parts, exports(*date, staging))
                    });
                    (date.to_string(), all.collect())
                })
                .collect(),
        };
        Key::of("nights", FORMAT, &inputs)
    }
}

/// A version of a record.
struct Version {
    id: String,
    /// The batch and the row of its cells.
    at: (usize, usize),
    /// The same in a form that can be compared.
    cells: OwnedRow,
    from: i32,
    to: Option<i32>,
    /// The staging file that showed it last.
    staging: String,
    /// The raw snapshot that showed it first, and the record's number there.
    snapshot: String,
    number: i64,
}

/// The versions so far.
struct Chain {
    id: String,
    schema: Arc<Schema>,
    converter: RowConverter,
    batches: Vec<RecordBatch>,
    versions: Vec<Version>,
    /// The version of each record that stands.
    open: BTreeMap<String, usize>,
}

impl Chain {
    fn new(table: &Table, tracked: &Columns) -> Result<Chain> {
        let types = || tracked.iter().map(|column| column.kind.data_type());
        let converter = RowConverter::new(types().map(SortField::new).collect());
        let converter = converter.map_err(|error| Diagnostic::internal(format!("no versions: {error}")))?;
        let fields = tracked.iter().map(|column| Field::new(&column.name, column.kind.data_type(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let (batches, versions, open) = (Vec::new(), Vec::new(), BTreeMap::new());
        Ok(Chain { id: table.key[0].clone(), schema, converter, batches, versions, open })
    }

    /// The rows' tracked cells, as a batch of the chain's own and in a form that can be compared.
    fn cells(&self, rows: &RecordBatch) -> Result<(RecordBatch, arrow::row::Rows)> {
        let columns = self.schema.fields().iter().filter_map(|field| rows.column_by_name(field.name()).cloned());
        let columns: Vec<ArrayRef> = columns.collect();
        let cells = self.converter.convert_columns(&columns);
        let cells = cells.map_err(|error| Diagnostic::internal(format!("no versions: {error}")))?;
        Ok((batch(self.schema.clone(), columns)?, cells))
    }

    /// Takes up the versions that an earlier night left.
    fn read(&mut self, left: &[RecordBatch]) -> Result<()> {
        for rows in left {
            let (own, cells) = self.cells(rows)?;
            let column = |name: &str| {
                let column = rows.column_by_name(name);
                column.ok_or_else(|| Diagnostic::internal(format!("the versions lack `{name}`")))
            };
            let (ids, stagings) = (column(&self.id)?.as_string::<i32>(), column("_staging")?.as_string::<i32>());
            let (snapshots, numbers) =
                (column("_snapshot")?.as_string::<i32>(), column("_row")?.as_primitive::<Int64Type>());
            let (from, to) = (column(FROM)?.as_primitive::<Date32Type>(), column(TO)?.as_primitive::<Date32Type>());
            for row in 0..rows.num_rows() {
                let version = Version {
                    id: ids.value(row).to_owned(),
                    at: (self.batches.len(), row),
                    cells: cells.row(row).owned(),
                    from: from.value(row),
                    to: to.is_valid(row).then(|| to.value(row)),
                    staging: stagings.value(row).to_owned(),
                    snapshot: snapshots.value(row).to_owned(),
                    number: numbers.value(row),
                };
                if version.to.is_none() {
                    self.open.insert(version.id.clone(), self.versions.len());
                }
                self.versions.push(version);
            }
            self.batches.push(own);
        }
        Ok(())
    }

    /// Adds what one export shows, row by row as [`fold`](crate::pipeline::stage::fold::fold) would take them.
    fn add(
        &mut self,
        date: Date,
        staging: &str,
        snapshot: &Snapshot,
        part: &Part,
        shown: &mut BTreeSet<String>,
    ) -> Result<()> {
        let day = days_between(EPOCH, date);
        let (own, cells) = self.cells(&part.batch)?;
        let ids = part.batch.column_by_name(&self.id).and_then(|ids| ids.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| Diagnostic::internal("versions without ids"))?;
        let says_gone = |row: usize| part.skips[row].is_some() || part.deleted[row];
        let rows = || ids.iter().enumerate().filter_map(|(row, id)| Some((row, id?)));
        let counts = |row: usize| !says_gone(row) && part.faults[row].is_none();
        let living: BTreeSet<&str> = match rows().any(|(row, _)| says_gone(row)) {
            true => rows().filter(|(row, _)| counts(*row)).map(|(_, id)| id).collect(),
            false => BTreeSet::new(),
        };
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for (row, id) in rows() {
            // Of a record that stands twice, the first row that counts does; one that cannot be read says nothing, and one
            // that is gone nothing beside one that is not.
            let says_gone = says_gone(row);
            let says_nothing = if says_gone { living.contains(id) } else { part.faults[row].is_some() };
            if says_nothing || !counted.insert(id) {
                continue;
            }
            if says_gone {
                shown.remove(id);
                self.end(id, day);
                continue;
            }
            shown.insert(id.to_owned());
            let cells = cells.row(row).owned();
            if let Some(open) = self.open.get(id).map(|open| &mut self.versions[*open])
                && open.cells == cells
            {
                staging.clone_into(&mut open.staging);
                continue;
            }
            self.end(id, day);
            self.open.insert(id.to_owned(), self.versions.len());
            self.versions.push(Version {
                id: id.to_owned(),
                at: (self.batches.len(), row),
                cells,
                from: day,
                to: None,
                staging: staging.to_owned(),
                snapshot: snapshot.raw.to_string(),
                number: part.numbers[row],
            });
        }
        self.keep_new(own)
    }

    /// Keeps of an export's rows those that began a version: a year of full exports is more than a year of changes.
    fn keep_new(&mut self, rows: RecordBatch) -> Result<()> {
        let own = self.batches.len();
        let new: Vec<(usize, usize)> = self.versions.iter().filter(|v| v.at.0 == own).map(|v| (0, v.at.1)).collect();
        let kept = interleave_record_batch(&[&rows], &new);
        self.batches.push(kept.map_err(|error| Diagnostic::internal(format!("no versions: {error}")))?);
        for (place, version) in self.versions.iter_mut().filter(|version| version.at.0 == own).enumerate() {
            version.at.1 = place;
        }
        Ok(())
    }

    /// Ends a record's version.
    fn end(&mut self, id: &str, day: i32) {
        if let Some(open) = self.open.remove(id) {
            // One that began on this very day has never stood.
            self.versions[open].to = Some(day);
        }
    }

    /// Ends the versions that a staging file showed last, and that its whole table of this night shows no more.
    fn end_others(&mut self, date: Date, staging: &str, shown: &BTreeSet<String>) {
        let gone =
            self.open.iter().filter(|(id, open)| self.versions[**open].staging == staging && !shown.contains(*id));
        let gone: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
        gone.iter().for_each(|id| self.end(id, days_between(EPOCH, date)));
    }

    /// All versions, by record and first day.
    fn batch(mut self) -> Result<RecordBatch> {
        self.versions.retain(|version| version.to.is_none_or(|to| version.from < to));
        self.versions.sort_by(|a, b| (&a.id, a.from).cmp(&(&b.id, b.from)));
        let order: Vec<(usize, usize)> = self.versions.iter().map(|version| version.at).collect();
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let cells = match batches.is_empty() {
            true => RecordBatch::new_empty(self.schema.clone()),
            false => interleave_record_batch(&batches, &order)
                .map_err(|error| Diagnostic::internal(format!("no versions: {error}")))?,
        };
        let texts = |get: fn(&Version) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(self.versions.iter().map(get)))
        };
        let mut fields = vec![Field::new(&self.id, DataType::Utf8, false)];
        fields.extend(self.schema.fields().iter().map(|field| field.as_ref().clone()));
        fields.extend([FROM, TO].map(|name| Field::new(name, DataType::Date32, name == TO)));
        fields.extend(["_staging", "_snapshot"].map(|name| Field::new(name, DataType::Utf8, false)));
        fields.push(Field::new("_row", DataType::Int64, false));
        let mut columns = vec![texts(|version| &version.id)];
        columns.extend(cells.columns().iter().cloned());
        columns.push(Arc::new(Date32Array::from_iter_values(self.versions.iter().map(|version| version.from))));
        columns.push(Arc::new(self.versions.iter().map(|version| version.to).collect::<Date32Array>()));
        columns.extend([texts(|version| &version.staging), texts(|version| &version.snapshot)]);
        columns.push(Arc::new(Int64Array::from_iter_values(self.versions.iter().map(|version| version.number))));
        batch(Arc::new(Schema::new(fields)), columns)
    }
}
