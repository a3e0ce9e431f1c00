//! Schema drift: columns that an export had on the night before and has no more, or did not have.

use crate::artifact::snapshot::Snapshot;
use crate::diagnostic::{Kind, Result, closest};
use crate::engine::{Parameters, Session};
use crate::parquet_file;
use crate::pipeline::check::exports::{Earlier, Exported, Own, nights};
use crate::pipeline::check::finding::Found;
use crate::pipeline::stage::contract_check;
use crate::pipeline::stage::definition::{self, Staging};
use crate::run_context::RunContext;
use crate::store::Store;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// The check's name.
const CHECK: &str = "schema_drift";
/// What an engine's snapshot has besides the export's columns.
const ROW: &str = "_row";

/// What a table's newest night has lost and gained. What staging reads and cannot find any more stops the run.
pub(super) async fn of(
    night: &RunContext<'_>,
    observed: &[Snapshot],
    own: &Own<'_>,
    present: &Exported<'_>,
    before: &Earlier<'_>,
) -> Result<Vec<Found>> {
    let Some(earlier) = before.night.parts.first() else { return Ok(Vec::new()) };
    let old = match columns(before.store, earlier).await {
        Ok(old) => old,
        // An export that is read tonight can be landed again; of an earlier night only what was stored may be left.
        Err(error) if error.kind == Kind::Verification && !observed.contains(earlier) => {
            let title = format!("the columns of {} cannot be held against those of {}", own.name(), before.night.date);
            let found = Found::warning(CHECK, own.name(), title).at(present.place()).note(error.message);
            return Ok(vec![
                found.help("the next run is held against this one; `scorebook verify` says what is damaged"),
            ]);
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for part in &present.parts {
        let new = columns(night.store, part).await?;
        // Columns that the settings drop, or dropped then, have not drifted.
        let gone: Vec<&String> = old.iter().filter(|c| !new.contains(c) && !part.dropped.contains(c)).collect();
        let come: Vec<&String> = new.iter().filter(|c| !old.contains(c) && !earlier.dropped.contains(c)).collect();
        if gone.is_empty() && come.is_empty() {
            continue;
        }
        let mut drifted = Drifted { night, observed, own, part, before, old: &old, new: &new, renamed: Vec::new() };
        let mut unread = Vec::new();
        for column in gone {
            let instead = drifted.instead(column, &come);
            drifted.renamed.extend(instead.clone());
            match drifted.readers(column).await? {
                readers if readers.is_empty() => unread.push((column, instead)),
                readers => {
                    found.extend(readers.into_iter().map(|found| drifted.lost(column, instead.as_deref(), found)))
                }
            }
        }
        found.extend(unread.into_iter().map(|(column, instead)| drifted.unread(column, instead.as_deref())));
        let unexplained: Vec<&String> = come.into_iter().filter(|column| !drifted.renamed.contains(column)).collect();
        if !unexplained.is_empty() {
            found.push(drifted.gained(&unexplained));
        }
    }
    Ok(found)
}

/// The columns that landed of an export.
async fn columns(store: &Store, snapshot: &Snapshot) -> Result<Vec<String>> {
    let rows = parquet_file::read(store.file(&snapshot.raw_path()).await?, 1)?;
    Ok(rows.schema().fields().iter().map(|field| field.name().clone()).filter(|name| name != ROW).collect())
}

struct Drifted<'a> {
    night: &'a RunContext<'a>,
    observed: &'a [Snapshot],
    own: &'a Own<'a>,
    part: &'a Snapshot,
    before: &'a Earlier<'a>,
    old: &'a [String],
    new: &'a [String],
    /// New columns that another name stood for.
    renamed: Vec<String>,
}

/// A staging file's path, its text, and where it says the column.
struct Reader {
    path: String,
    place: crate::diagnostic::Place,
}

impl Drifted<'_> {
    /// The new column that a lost one most likely became: of a similar name, or in the same place.
    fn instead(&self, column: &str, come: &[&String]) -> Option<String> {
        let free = || come.iter().map(|name| name.as_str()).filter(|name| !self.renamed.iter().any(|r| r == name));
        let position = self.old.iter().position(|name| name == column);
        let beside = position.and_then(|i| self.new.get(i)).map(String::as_str);
        let in_its_place = || free().find(|name| self.old.len() == self.new.len() && Some(*name) == beside);
        closest(column, free()).or_else(in_its_place).map(String::from)
    }

    /// The staging files that cannot do without a column. One that has been changed already to do without it is none.
    async fn readers(&self, column: &str) -> Result<Vec<Reader>> {
        let contract = contract_check::read(self.night.project)?;
        let mut readers = Vec::new();
        for staging in definition::read(self.night.project, self.night.settings, &contract)? {
            let header = &staging.header;
            let reads = header.from == self.own.table || header.lookups.iter().any(|l| l == self.own.table);
            if staging.source != self.own.source || !reads || self.plans(&staging, self.new).await? {
                continue;
            }
            let without: Vec<String> = self.old.iter().filter(|name| *name != column).cloned().collect();
            if self.plans(&staging, self.old).await? && !self.plans(&staging, &without).await? {
                let place = staging.sql.place_of(column).label("the export has it no more");
                readers.push(Reader { path: staging.path.to_owned(), place });
            }
        }
        Ok(readers)
    }

    /// Whether a staging file could be run if the table had these columns.
    async fn plans(&self, staging: &Staging<'_>, columns: &[String]) -> Result<bool> {
        let session = Session::new(self.night.limits, self.night.store)?;
        for table in std::iter::once(&staging.header.from).chain(&staging.header.lookups) {
            let schema = match *table == self.own.table {
                true if *table == staging.header.from => {
                    let optional = staging.header.optional.iter().filter(|column| !columns.contains(column));
                    schema(&columns.iter().chain(optional).cloned().collect::<Vec<_>>())
                }
                true => schema(columns),
                false => {
                    let nights = nights(self.observed, staging.source, table);
                    let Some(newest) = nights.values().next_back().and_then(|parts| parts.first()) else {
                        return Ok(false);
                    };
                    schema(&self::columns(self.night.store, newest).await?)
                }
            };
            session.add_batches(table, schema, Vec::new())?;
        }
        Ok(session.shape(&staging.sql, &Parameters::new()).await.is_ok())
    }

    fn lost(&self, column: &str, instead: Option<&str>, Reader { path, place }: Reader) -> Found {
        let (name, date) = (self.own.name(), self.before.night.date);
        let title = match instead {
            Some(instead) => format!("{name} has no column `{column}` any more, but has `{instead}` now"),
            None => format!("{name} has no column `{column}` any more"),
        };
        let found = Found::error(CHECK, format!("{name}.{column}"), title).at(place);
        let found =
            found.note(format!("{} lacks it; the export of {date} had it, and {path} reads it", self.part.path));
        found.help(match instead {
            Some(instead) => format!(
                "if it was renamed, write COALESCE(\"{instead}\", \"{column}\") in {path}, and optional = [\"{instead}\", \"{column}\"] in \
                 its header, because earlier exports have the old name; if not, have the CRM export it again"
            ),
            None => format!("have the CRM export it again, or do without it in {path}"),
        })
    }

    fn unread(&self, column: &str, instead: Option<&str>) -> Found {
        let name = self.own.name();
        let title = match instead {
            Some(instead) => format!("{name} has no column `{column}` any more, but has `{instead}` now"),
            None => format!("{name} has no column `{column}` any more"),
        };
        let found = Found::warning(CHECK, format!("{name}.{column}"), title);
        found.help("no staging file needs it, so nothing is lost; look whether it was left out on purpose")
    }

    fn gained(&self, columns: &[&String]) -> Found {
        let name = self.own.name();
        let said: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
        let what = if said.len() == 1 { "a new column" } else { "new columns" };
        let found = Found::warning(CHECK, &name, format!("{name} has {what}: {}", said.join(", ")));
        found.help(format!(
            "read it in queries/staging/{}, or keep it out of the warehouse: {} = {{ columns = {{ {} = \"drop\" }} }}",
            self.own.source, self.own.table, columns[0]
        ))
    }
}

fn schema(columns: &[String]) -> SchemaRef {
    let texts = columns.iter().map(|name| Field::new(name, DataType::Utf8, true));
    let row = Field::new(ROW, DataType::Int64, false);
    Arc::new(Schema::new(std::iter::once(row).chain(texts).collect::<Vec<_>>()))
}
