//! From raw snapshots to the model: typed, CRM-neutral tables that keep the contract of `queries/model.toml`.
//!
//! Every record of every export is accounted for: it is in the model, superseded by a later export, deleted, skipped
//! with a reason, or quarantined with one. Where each row came from stands in a table of its own, `<table>__lineage`,
//! so that a new export with the same rows leaves the model as it was.

mod calendar;
mod cell;
pub mod contract;
mod credits;
mod definition;
mod derived;
mod fold;
pub mod given;
mod money;
mod organisation;
pub mod typed;
pub mod workdays;

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::{Digest, Key};
use crate::engine::{self, Parameters, Session};
use crate::parquet_file;
use crate::pipeline::land::Snapshot;
use crate::pipeline::{Event, Night};
use crate::settings::Fold;
use crate::steps::{Counts, Made};
use crate::store::object_name;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use contract::{Contract, OnMissing, Table};
use definition::Staging;
use fold::{Folded, Keys, Part};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use typed::Origin;

/// Raised when staging makes other bytes of the same inputs.
const FORMAT: u32 = 4;

/// The model of one run.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// All tables by name, also derived ones and those the engine makes.
    pub tables: BTreeMap<String, ModelTable>,
    /// The first day of which a table tells, if there was business before.
    pub since: BTreeMap<String, Date>,
    /// What became of every export's records.
    pub balance: Vec<Balance>,
    /// The tables that had to be made.
    pub made: Vec<String>,
    /// How many were found as they were.
    pub reused: usize,
}

impl Model {
    /// How many were made and found.
    pub fn counts(&self) -> Counts {
        Counts { made: self.made.len(), reused: self.reused }
    }
}

/// One table of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTable {
    /// Of its Parquet file.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
    /// Of the file that says where its rows came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Digest>,
    /// Of the file with the rows that broke the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Digest>,
    /// How many those are.
    #[serde(default)]
    pub quarantined: u64,
    /// Whether any export stands behind it.
    pub supplied: bool,
}

impl ModelTable {
    /// The path of its Parquet file.
    pub fn path(&self, name: &str) -> String {
        object_name(&format!("model/{name}"), &self.digest, "parquet")
    }
}

/// What became of the records of one export in one staging file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are the design's")]
pub struct Balance {
    pub source: String,
    pub table: String,
    pub path: String,
    pub data_date: String,
    pub into: String,
    pub read: u64,
    pub rejected: u64,
    pub skipped: u64,
    pub quarantined: u64,
    pub kept: u64,
    pub current: u64,
    pub superseded: u64,
    pub deleted: u64,
}

impl Balance {
    /// read = kept + skipped + quarantined + rejected; kept = current + superseded + deleted.
    pub fn holds(&self) -> bool {
        self.read == self.kept + self.skipped + self.quarantined + self.rejected
            && self.kept == self.current + self.superseded + self.deleted
    }
}

/// What the step of one table made.
#[derive(Serialize, Deserialize)]
struct MadeTable {
    name: String,
    table: ModelTable,
    balance: Vec<Balance>,
}

impl Made for MadeTable {
    fn objects(&self) -> Vec<String> {
        objects_of(&self.name, &self.table)
    }
}

/// The paths of all objects of a model table.
pub fn objects_of(name: &str, table: &ModelTable) -> Vec<String> {
    let lineage = table.lineage.map(|digest| object_name(&format!("model/{name}__lineage"), &digest, "parquet"));
    let quarantine = table.quarantine.map(|digest| object_name(&format!("quarantine/{name}"), &digest, "parquet"));
    [Some(table.path(name)), lineage, quarantine].into_iter().flatten().collect()
}

/// Makes the model from the snapshots.
pub async fn run(night: &Night<'_>, snapshots: &[Snapshot]) -> Result<Model> {
    let contract = Contract::of(night.project)?;
    let stagings = definition::read(night.project, night.settings, &contract)?;
    let derived = derived::read(night.project, &contract)?;
    let mut model = Model::default();
    for name in contract.in_order()? {
        let table = &contract.tables[name];
        let is_derived = |target: &str| derived.iter().any(|derived| derived.name == target);
        if let Some(target) = table.targets().into_iter().find(|t| is_derived(t))
            && !is_derived(name)
        {
            return Err(Diagnostic::project(format!("{name} references {target}, which is derived and made after it"))
                .at(Place::file(contract::FILE))
                .help("drop the reference, or reference the table that it is derived from"));
        }
        if derived.iter().any(|derived| derived.name == name) {
            continue;
        }
        (night.tell)(Event::Item(name));
        let stagings: Vec<&Staging<'_>> = stagings.iter().filter(|staging| staging.header.into == name).collect();
        staged(night, &contract, name, table, &stagings, snapshots, &mut model).await?;
        // It tells all from the day on which the last of its exports begins to.
        let since = stagings.iter().filter_map(|s| night.settings.sources[s.source].tables[&s.header.from].since).max();
        model.since.extend(since.map(|since| (name.to_owned(), since)));
    }
    calendar::make(night, &mut model).await?;
    organisation::make(night, &mut model).await?;
    credits::check(night, &model).await?;
    derived::make(night, &contract, derived, &mut model).await?;
    night.steps.flush().await?;
    Ok(model)
}

/// The exports that a staging file reads: of a full table those of the newest night, else all, oldest first; and those
/// superseded whole.
fn exports<'a>(
    night: &Night<'_>,
    staging: &Staging<'_>,
    snapshots: &'a [Snapshot],
) -> (Vec<&'a Snapshot>, Vec<&'a Snapshot>) {
    let mut all = of_table(staging.source, &staging.header.from, snapshots);
    let fold = night.settings.sources[staging.source].tables[&staging.header.from].fold;
    match (fold, all.pop()) {
        (Fold::Full, Some(newest)) => {
            // Several files of one night are parts of one export.
            let (mut parts, earlier): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| s.data_date == newest.data_date);
            parts.push(newest);
            (parts, earlier)
        }
        (_, Some(newest)) => {
            all.push(newest);
            (all, Vec::new())
        }
        (_, None) => (Vec::new(), Vec::new()),
    }
}

fn of_table<'a>(source: &str, table: &str, snapshots: &'a [Snapshot]) -> Vec<&'a Snapshot> {
    let mut found: Vec<_> = snapshots.iter().filter(|s| s.source == source && s.table == table).collect();
    found.sort_by(|a, b| (a.data_date, &a.path).cmp(&(b.data_date, &b.path)));
    found
}

/// Finds or makes one table that staging fills.
async fn staged(
    night: &Night<'_>,
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
        money: Option<money::Inputs<'a>>,
        stagings: Vec<StagingInputs<'a>>,
    }
    /// Path and digest of the definition; path, data date and digest of each snapshot; digests of the lookups.
    type StagingInputs<'a> = (&'a str, Digest, Vec<(String, String, Digest)>, Vec<Option<Digest>>);
    let references = table.targets().into_iter().filter(|target| *target != name);
    let inputs = Inputs {
        name,
        engine: engine::VERSION,
        time_zone: &night.settings.calendar.time_zone,
        sources: source_names(night),
        table,
        references: references.map(|target| (target, model.tables[target].digest)).collect(),
        money: money::Inputs::of(night, table, model),
        stagings: stagings
            .iter()
            .map(|staging| {
                let (read, _) = exports(night, staging, snapshots);
                let lookups = staging.header.lookups.iter();
                let lookups = lookups.map(|l| of_table(staging.source, l, snapshots).last().map(|s| s.raw));
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
    night: &'a Night<'a>,
    contract: &'a Contract,
    name: &'a str,
    table: &'a Table,
    model: &'a Model,
}

impl Staged<'_> {
    async fn make(&self, stagings: &[&Staging<'_>], snapshots: &[Snapshot]) -> Result<MadeTable> {
        let keys = Keys::of(self.table)?;
        let known = self.known_keys().await?;
        let rates = match self.table.converts() {
            true => Some(money::rates(self.night, self.model).await?),
            false => None,
        };
        let mut origins: Vec<&Snapshot> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut read: Vec<(&Staging<'_>, &Snapshot)> = Vec::new();
        for staging in stagings {
            read.extend(exports(self.night, staging, snapshots).0.into_iter().map(|snapshot| (*staging, snapshot)));
        }
        // Where two sources have a record of one key, the later export supersedes the earlier.
        read.sort_by_key(|(staging, snapshot)| (snapshot.data_date, &snapshot.path, staging.path));
        for (staging, snapshot) in read {
            let mut part = self.part(&keys, staging, snapshot, snapshots).await?;
            if let Some(rates) = &rates {
                part.batch = money::convert(self.table, rates, self.night.as_of, &part.batch, &mut part.faults)?;
            }
            if self.name == money::TABLE {
                money::refuse_no_currency(&part.batch, &mut part.faults);
            }
            self.follow_references(&mut part, &known)?;
            origins.push(snapshot);
            parts.push(part);
        }
        let folded = fold::fold(&keys, &mut parts)?;
        let (rows, lineage) = self.assemble(&parts, &origins, &folded)?;
        let quarantine = quarantine(self.table, &parts, &origins)?;
        let store = self.night.store;
        let put = async |folder: String, batch: &RecordBatch| -> Result<Digest> {
            let bytes = parquet_file::write(batch.schema(), std::slice::from_ref(batch), parquet_file::ROW_GROUP_ROWS)?;
            store.put_named(&folder, "parquet", bytes).await
        };
        let table = ModelTable {
            digest: put(format!("model/{}", self.name), &rows).await?,
            rows: rows.num_rows() as u64,
            lineage: Some(put(format!("model/{}__lineage", self.name), &lineage).await?),
            quarantine: match quarantine.num_rows() {
                0 => None,
                _ => Some(put(format!("quarantine/{}", self.name), &quarantine).await?),
            },
            quarantined: quarantine.num_rows() as u64,
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
        Ok(MadeTable { name: self.name.to_owned(), table, balance: balance.collect() })
    }

    /// Runs a staging file over one export.
    async fn part(
        &self,
        keys: &Keys,
        staging: &Staging<'_>,
        snapshot: &Snapshot,
        snapshots: &[Snapshot],
    ) -> Result<Part> {
        let session = Session::new(self.night.limits, self.night.store)?;
        session.add_parquet(&staging.header.from, &snapshot.raw_path()).await?;
        for lookup in &staging.header.lookups {
            match of_table(staging.source, lookup, snapshots).last() {
                Some(newest) => session.add_parquet(lookup, &newest.raw_path()).await?,
                None => {
                    return Err(Diagnostic::data(format!("there is no export of `{lookup}`"))
                        .at(Place::file(staging.path))
                        .note(format!("{} joins it as a lookup", staging.path))
                        .help("export it, or take it out of the header's `lookups` and the SQL"));
                }
            }
        }
        let (schema, batches) = session.query(&staging.sql, &Parameters::new()).await?;
        let rows = concat_batches(&schema, &batches);
        let rows = rows.map_err(|error| Diagnostic::internal(format!("cannot stage {}: {error}", staging.path)))?;
        self.refuse_unknown_columns(staging, &rows)?;
        let numbers = record_numbers(staging, &rows, snapshot)?;
        let zone = time_zone(self.night)?;
        let formats = &staging.header.formats;
        let sources = source_names(self.night);
        let origin = Origin { file: staging.path, source: staging.source, sources: &sources, formats, zone: &zone };
        let table = money::as_read(self.table);
        let typed = typed::typed(&origin, &table.columns, table.schema(), &rows)?;
        let texts = |name: &str| rows.column_by_name(name).and_then(|array| array.as_string_opt::<i32>().cloned());
        let skips = match texts("_skip") {
            Some(reasons) => reasons.iter().map(|reason| reason.map(String::from)).collect(),
            None => vec![None; rows.num_rows()],
        };
        let deleted = deleted(staging, &rows)?;
        let keyless = keys.missing(&typed.batch);
        Ok(Part { batch: typed.batch, numbers, faults: typed.faults, skips, deleted, keyless })
    }

    fn refuse_unknown_columns(&self, staging: &Staging<'_>, rows: &RecordBatch) -> Result<()> {
        let known: BTreeSet<&str> = self.table.columns.iter().map(|c| c.name.as_str()).collect();
        for field in rows.schema().fields() {
            let name = field.name().as_str();
            if !known.contains(name) && !matches!(name, "_row" | "_skip" | "_deleted") {
                return Err(Diagnostic::project(format!("`{name}` is no column of {}", self.name))
                    .at(staging.sql.place_of(name))
                    .closest(name, known)
                    .help("add it to queries/model.toml, or leave it out here"));
            }
            if let Some(column) = money::fills(self.table, name) {
                return Err(Diagnostic::project(format!("`{name}` is filled by the engine"))
                    .at(staging.sql.place_of(name))
                    .note(format!("it shows {}.{} in another form", self.name, column.name))
                    .help(format!("leave it out here, and return the amount as `{}`", column.name)));
            }
        }
        Ok(())
    }

    /// The keys of the tables that this one references, itself excepted.
    async fn known_keys(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut known = BTreeMap::new();
        for target in self.table.targets().into_iter().filter(|target| *target != self.name) {
            let path = self.model.tables[target].path(target);
            let batches = parquet_file::read_all(&path, self.night.store.get(&path).await?)?;
            let position = self.contract.tables[target].key_positions()[0];
            known.insert(target.to_owned(), texts_of(&batches, position));
        }
        Ok(known)
    }

    /// Empties or faults references that lead nowhere.
    fn follow_references(&self, part: &mut Part, known: &BTreeMap<String, BTreeSet<String>>) -> Result<()> {
        let mut columns = part.batch.columns().to_vec();
        for (position, column) in self.table.columns.iter().enumerate() {
            if let Some(by) = self.table.columns.iter().position(|c| Some(&c.name) == column.references_by.as_ref()) {
                let (targets, texts) = (columns[by].as_string::<i32>(), columns[position].as_string::<i32>());
                for ((target, text), fault) in targets.iter().zip(texts).zip(&mut part.faults) {
                    if let (Some(target), Some(id)) = (target, text)
                        && known.get(target).is_some_and(|known| !known.contains(id))
                    {
                        fault.get_or_insert_with(|| format!("{}: {target} has no `{id}`", column.name));
                    }
                }
            }
            let Some(target) = column.references.as_deref() else { continue };
            let Some(known) = known.get(target) else { continue };
            let texts = columns[position].as_string::<i32>();
            let found = |id: &str| known.contains(id);
            match column.on_missing.unwrap_or(OnMissing::Quarantine) {
                OnMissing::Null => columns[position] = only(texts, found),
                OnMissing::Quarantine => {
                    for (text, fault) in texts.iter().zip(&mut part.faults) {
                        if let Some(id) = text.filter(|id| !found(id)) {
                            fault.get_or_insert_with(|| format!("{}: {target} has no `{id}`", column.name));
                        }
                    }
                }
            }
        }
        part.batch = batch(part.batch.schema(), columns)?;
        Ok(())
    }

    /// The present rows by key, and where each came from.
    fn assemble(&self, parts: &[Part], origins: &[&Snapshot], folded: &Folded) -> Result<(RecordBatch, RecordBatch)> {
        let schema = self.table.schema();
        let order: Vec<(usize, usize)> = folded.present.values().copied().collect();
        let empty = RecordBatch::new_empty(schema.clone());
        let batches: Vec<&RecordBatch> = parts.iter().map(|part| &part.batch).collect();
        let rows = match batches.is_empty() {
            true => empty,
            false => interleave_record_batch(&batches, &order)
                .map_err(|error| Diagnostic::internal(format!("cannot fold {}: {error}", self.name)))?,
        };
        let rows = self.follow_own_references(rows)?;
        let mut lineage: Vec<ArrayRef> =
            self.table.key_positions().into_iter().map(|position| rows.column(position).clone()).collect();
        let snapshots = order.iter().map(|(part, _)| origins[*part].raw.to_string());
        lineage.push(Arc::new(StringArray::from_iter_values(snapshots)));
        lineage
            .push(Arc::new(Int64Array::from_iter_values(order.iter().map(|(part, row)| parts[*part].numbers[*row]))));
        let lineage = batch(self.table.lineage_schema(), lineage)?;
        Ok((rows, lineage))
    }

    fn follow_own_references(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let mut columns = rows.columns().to_vec();
        let own = texts_of(std::slice::from_ref(&rows), self.table.key_positions()[0]);
        for (position, column) in self.table.columns.iter().enumerate() {
            if column.references.as_deref() == Some(self.name) {
                columns[position] = only(columns[position].as_string::<i32>(), |id| own.contains(id));
            }
        }
        batch(rows.schema(), columns)
    }
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|error| Diagnostic::internal(format!("cannot build rows: {error}")))
}

fn texts_of(batches: &[RecordBatch], position: usize) -> BTreeSet<String> {
    let columns = batches.iter().filter_map(|batch| batch.column(position).as_string_opt::<i32>());
    columns.flat_map(|column| column.iter().flatten().map(String::from).collect::<Vec<_>>()).collect()
}

/// The texts that are known; the others become empty.
fn only(texts: &StringArray, known: impl Fn(&str) -> bool) -> ArrayRef {
    Arc::new(texts.iter().map(|text| text.filter(|id| known(id))).collect::<StringArray>())
}

/// The company's time zone.
pub(crate) fn time_zone(night: &Night<'_>) -> Result<TimeZone> {
    let name = &night.settings.calendar.time_zone;
    TimeZone::get(name).map_err(|error| Diagnostic::project(format!("`{name}` is no time zone: {error}")))
}

/// The names of all sources.
fn source_names<'a>(night: &Night<'a>) -> Vec<&'a str> {
    night.settings.sources.keys().map(String::as_str).collect()
}

/// Checks that the query returns every record of the export once, and gives their numbers.
fn record_numbers(staging: &Staging<'_>, rows: &RecordBatch, snapshot: &Snapshot) -> Result<Vec<i64>> {
    let numbers = rows.column_by_name("_row").and_then(|array| array.as_primitive_opt::<Int64Type>());
    let Some(numbers) = numbers else {
        return Err(Diagnostic::project("the query does not return `_row`")
            .at(Place::line(staging.path, staging.sql.source, staging.sql.first_line))
            .help("pass the export's `_row` through: it leads from a number back to its record"));
    };
    let numbers = numbers.values().to_vec();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Diagnostic::project(format!("the query returns record {} of {} twice", twice[0], snapshot.path))
            .at(Place::line(staging.path, staging.sql.source, staging.sql.first_line))
            .note("a join in it finds several rows for one record")
            .help("join on a key that is unique in the lookup"));
    }
    if sorted.first().is_some_and(|first| *first < 1)
        || sorted.last().is_some_and(|last| *last > (snapshot.rows + snapshot.rejected) as i64)
    {
        return Err(Diagnostic::project(format!("the query changes the record numbers of {}", snapshot.path))
            .at(staging.sql.place_of("_row"))
            .help("return `_row` as it is: it leads from a number back to its record"));
    }
    if numbers.len() as u64 != snapshot.rows {
        let (got, of) = (numbers.len(), snapshot.rows);
        return Err(Diagnostic::project(format!("the query returns {got} of the {of} records of {}", snapshot.path))
            .at(staging.sql.place_of("WHERE"))
            .note("a staging file drops no record, so that every one can be accounted for")
            .help("instead of a WHERE, return a reason: `CASE WHEN ... THEN 'a test record' END AS _skip`"));
    }
    Ok(numbers)
}

/// Which rows say that their record was deleted: `_deleted`, a boolean or a text that reads as one.
fn deleted(staging: &Staging<'_>, rows: &RecordBatch) -> Result<Vec<bool>> {
    let Some(array) = rows.column_by_name("_deleted") else { return Ok(vec![false; rows.num_rows()]) };
    if let Some(flags) = array.as_any().downcast_ref::<BooleanArray>() {
        return Ok(flags.iter().map(|flag| flag == Some(true)).collect());
    }
    let Some(texts) = array.as_string_opt::<i32>() else {
        return Err(Diagnostic::project("`_deleted` must be true or false").at(staging.sql.place_of("_deleted")));
    };
    Ok(texts.iter().map(|text| text.is_some_and(|text| cell::boolean(text) == Ok(true))).collect())
}

/// All faulted rows, with file, record and reason; and, as far as they can be read, whose record of which key and name it is.
fn quarantine(table: &Table, parts: &[Part], origins: &[&Snapshot]) -> Result<RecordBatch> {
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

/// Finds or makes a table that comes from other tables alone.
async fn made_from(
    night: &Night<'_>,
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
            let table = ModelTable { digest, rows, lineage: None, quarantine: None, quarantined: 0, supplied };
            let made = MadeTable { name: name.to_owned(), table, balance: Vec::new() };
            night.steps.remember(key, &made)?;
            model.made.push(name.to_owned());
            made
        }
    };
    model.tables.insert(name.to_owned(), made.table);
    Ok(())
}

/// Reads a model table whole.
pub async fn read_table(night: &Night<'_>, model: &Model, name: &str) -> Result<Vec<RecordBatch>> {
    let path = model.tables[name].path(name);
    parquet_file::read_all(&path, night.store.get(&path).await?)
}
