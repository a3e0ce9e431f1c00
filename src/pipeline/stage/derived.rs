//! `queries/model/*.sql`: model tables that come from other model tables. One that reads the table of its own name, which
//! staging fills, completes that: it changes cells and no keys, and all others read what it makes.

use crate::artifact::model::{Model, ModelTable};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::digest::Digest;
use crate::engine::{self, Parameters, Session, Sql};
use crate::pipeline::stage::contract::EXCHANGE_RATES;
use crate::pipeline::stage::contract::{Contract, Table};
use crate::pipeline::stage::fold::Keys;
use crate::pipeline::stage::made::made_from;
use crate::pipeline::stage::typed::{self, Origin};
use crate::project::{self, Project};
use crate::run_context::RunContext;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where derived tables stand.
const FOLDER: &str = "queries/model/";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// The model tables it reads.
    reads: Vec<String>,
    /// Those of them without which it tells what it can: it is supplied even if they are not.
    #[serde(default)]
    may_lack: Vec<String>,
}

/// A derived table's definition.
pub(super) struct Derived<'a> {
    /// Its name: the file's.
    pub name: &'a str,
    header: Header,
    sql: Sql<'a>,
    digest: Digest,
}

impl Derived<'_> {
    /// Whether it completes a table that staging fills.
    pub fn completes(&self) -> bool {
        self.header.reads.iter().any(|name| name == self.name)
    }

    /// The tables without which it is not supplied.
    fn needs(&self) -> impl Iterator<Item = &String> {
        self.header.reads.iter().filter(|name| !self.header.may_lack.contains(name))
    }
}

/// All derived tables.
pub(super) fn read<'a>(project: &'a Project, contract: &Contract) -> Result<Vec<Derived<'a>>> {
    let mut all = Vec::new();
    for (path, text, digest) in project.texts(FOLDER, ".sql")? {
        let split = project::split(path, text)?;
        let header: Header = project::toml(path, text, split.header, 1)?;
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".sql");
        if !contract.tables.contains_key(name) {
            return Err(Diagnostic::project(format!("the derived table `{name}` is not in the contract"))
                .at(Place::file(path))
                .closest(name, contract.tables.keys().map(String::as_str))
                .help("describe its columns and its key in queries/model.toml"));
        }
        let completes = header.reads.iter().any(|read| read == name);
        if let Some(stranger) = header.may_lack.iter().find(|name| !header.reads.contains(name)) {
            return Err(Diagnostic::project(format!("`may_lack` names `{stranger}`, which {name} does not read"))
                .at(Place::file(path))
                .closest(stranger, header.reads.iter().map(String::as_str)));
        }
        if (contract.tables[name].converts() && !completes) || name == EXCHANGE_RATES {
            let message = match name {
                EXCHANGE_RATES => {
                    format!("{name} is read while other tables are staged, so it cannot be derived")
                }
                _ => format!("{name} is derived, so its money is converted already"),
            };
            return Err(Diagnostic::project(message)
                .at(Place::file(path))
                .note("currencies are converted in staging alone")
                .help(match name {
                    EXCHANGE_RATES => "stage it: queries/staging/<source>/exchange_rates.sql",
                    _ => "take `currency` out of its columns in queries/model.toml",
                }));
        }
        let sql = Sql { file: path, source: text, text: split.sql, first_line: split.sql_line, is_definition: true };
        all.push(Derived { name, header, sql, digest });
    }
    Ok(all)
}

/// Finds or makes all derived tables, each after those it reads.
pub(super) async fn make(
    night: &RunContext<'_>,
    contract: &Contract,
    mut waiting: Vec<Derived<'_>>,
    model: &mut Model,
) -> Result<()> {
    while !waiting.is_empty() {
        // A table that is still to be completed is read by what completes it alone.
        let is_there = |of: &Derived<'_>, name: &String| {
            let completed = waiting.iter().all(|other| other.name != name || other.name == of.name);
            model.tables.contains_key(name) && completed
        };
        let ready = waiting.iter().position(|d| d.header.reads.iter().all(|name| is_there(d, name)));
        let Some(ready) = ready else { return Err(stuck(&waiting, model)) };
        let derived = waiting.remove(ready);
        #[derive(Serialize)]
        struct Inputs<'a> {
            engine: &'a str,
            definition: Digest,
            table: &'a Table,
            reads: BTreeMap<&'a str, Digest>,
            /// Only of what uses it: all else is as it was on another day.
            #[serde(skip_serializing_if = "Option::is_none")]
            as_of: Option<String>,
        }
        let table = &contract.tables[derived.name];
        let reads = derived.header.reads.iter().map(|name| (name.as_str(), model.tables[name].digest)).collect();
        let (_, used) = engine::reads(&derived.sql, &parameters(night))?;
        let as_of = used.contains("as_of").then(|| night.as_of.to_string());
        let inputs = Inputs { engine: engine::VERSION, definition: derived.digest, table, reads, as_of };
        let supplied = derived.needs().all(|name| model.tables[name].supplied);
        let make = async |model: &Model| rows(night, table, &derived, model).await;
        let staged = model.tables.get(derived.name).cloned();
        made_from(night, model, derived.name, &inputs, supplied, make).await?;
        if let (Some(staged), Some(made)) = (staged, model.tables.get_mut(derived.name)) {
            if made.rows != staged.rows {
                let (now, before) = (made.rows, staged.rows);
                let message = format!("{} makes {now} rows of the {before} that staging filled", derived.name);
                return Err(Diagnostic::project(message)
                    .at(Place::file(derived.sql.file))
                    .note("it reads the table of its own name, and so completes it: cells may change, and no keys")
                    .help("return every row once: a join in it may find none, or several"));
            }
            *made = ModelTable { digest: made.digest, staged: Some(staged.digest), ..staged };
            continue;
        }
        let since = derived.needs().filter_map(|name| model.since.get(name)).max().copied();
        model.since.extend(since.map(|since| (derived.name.to_owned(), since)));
    }
    Ok(())
}

fn stuck(waiting: &[Derived<'_>], model: &Model) -> Box<Diagnostic> {
    let names: BTreeSet<&str> = waiting.iter().map(|d| d.name).collect();
    for derived in waiting {
        for read in &derived.header.reads {
            if !model.tables.contains_key(read) && !names.contains(read.as_str()) {
                let known = model.tables.keys().map(String::as_str).chain(names.iter().copied());
                return Diagnostic::project(format!("{} reads `{read}`, which is no table", derived.name))
                    .at(Place::file(derived.sql.file))
                    .closest(read, known);
            }
        }
    }
    let circle: Vec<&str> = names.into_iter().collect();
    Diagnostic::project(format!("these derived tables read each other in a circle: {}", circle.join(", ")))
        .at(Place::file(waiting[0].sql.file))
}

/// What a definition may use beside its tables.
fn parameters(night: &RunContext<'_>) -> Parameters {
    Parameters::from([("as_of".to_owned(), format!("DATE '{}'", night.as_of))])
}

async fn rows(night: &RunContext<'_>, table: &Table, derived: &Derived<'_>, model: &Model) -> Result<RecordBatch> {
    let mut session = Session::new(night.limits, night.store)?;
    session.know(&model.keys);
    for name in &derived.header.reads {
        session.register_parquet(name, &model.tables[name].path(name)).await?;
    }
    let (schema, batches) = session.query(&derived.sql, &parameters(night)).await?;
    let failed =
        |error: &dyn std::fmt::Display| Diagnostic::internal(format!("cannot derive {}: {error}", derived.name));
    let rows = concat_batches(&schema, &batches).map_err(|error| failed(&error))?;
    let zone = night.time_zone()?;
    let origin = Origin { file: derived.sql.file, source: "", sources: &[], formats: &BTreeMap::new(), zone: &zone };
    let typed = typed::typed(&origin, &table.columns, table.schema(), &rows)?;
    let refused = |message: String| Err(Diagnostic::project(message).at(Place::file(derived.sql.file)));
    if let Some(fault) = typed.faults.iter().flatten().next() {
        return refused(format!("a row of {} breaks the contract: {fault}", derived.name));
    }
    let keys = Keys::of(table)?.rows(&typed.batch)?;
    let mut order: Vec<u32> = (0..typed.batch.num_rows() as u32).collect();
    order.sort_by(|a, b| keys.row(*a as usize).cmp(&keys.row(*b as usize)));
    if let Some(pair) = order.windows(2).find(|pair| keys.row(pair[0] as usize) == keys.row(pair[1] as usize)) {
        let row = typed.batch.slice(pair[0] as usize, 1);
        let cells = table
            .key_positions()
            .into_iter()
            .map(|i| arrow::util::display::array_value_to_string(row.column(i), 0).unwrap_or_default());
        let cells: Vec<String> = cells.collect();
        return refused(format!("{} has two rows with the key {}", derived.name, cells.join(", ")));
    }
    take_record_batch(&typed.batch, &UInt32Array::from(order)).map_err(|error| failed(&error))
}
