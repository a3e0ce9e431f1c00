//! `queries/lists/*.sql`: records that a document shows one by one.

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::score::UNASSIGNED;
use crate::engine::text::{self, literal};
use crate::engine::{Parameters, Session, Sql};
use crate::pipeline::render::by_entity::ByEntity;
use crate::pipeline::render::input::{List, ListColumn};
use crate::project::{self, Project};
use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use serde::Deserialize;

/// Where lists stand.
pub const FOLDER: &str = "queries/lists/";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: String,
    question: String,
    /// The model table of its records.
    record: String,
    /// What to say if there are none.
    empty: String,
    /// The order of its rows, as SQL.
    order: String,
    /// So many rows are printed.
    limit: usize,
    columns: Vec<ListColumn>,
}

/// A list for every entity of a level.
pub struct Listed {
    empty: List,
    limit: usize,
    rows: ByEntity,
}

impl Listed {
    /// An entity's list. Entities must be asked for in their order.
    pub fn of(&mut self, entity: &str) -> Result<List> {
        let mut list = self.empty.clone();
        let taken = self.rows.take(entity, |batch, row| {
            list.total_rows += 1;
            if list.rows.len() < self.limit {
                let cells = batch.columns()[1..].iter();
                let cells = cells.map(|c| c.is_valid(row).then(|| array_value_to_string(c, row).unwrap_or_default()));
                list.rows.push(cells.collect());
            }
        });
        taken?;
        Ok(list)
    }
}

/// Runs a list for all entities of a level. Its SQL returns `rep_id`, `day` (on which the record counts for whoever
/// stands above the rep then), and its columns. What has no rep is nobody's, and stands in the company's list.
pub async fn run(
    session: &Session,
    project: &Project,
    id: &str,
    level: &str,
    parameters: &Parameters,
) -> Result<Listed> {
    let path = format!("{FOLDER}{id}.sql");
    let source = project.text(&path)?;
    let split = project::split(&path, source)?;
    let mut header: Header = project::toml(&path, source, split.header, 1)?;
    header.columns.retain(|column| column.levels.is_empty() || column.levels.iter().any(|own| own == level));
    let sql = Sql { file: &path, source, text: split.sql, first_line: split.sql_line, is_definition: true };
    let shape = session.shape(&sql, parameters).await?;
    for name in header.columns.iter().map(|column| column.name.as_str()).chain(["rep_id", "day"]) {
        if shape.schema.field_with_name(name).is_err() {
            let known: Vec<&str> = shape.schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(Diagnostic::project(format!("the list {id} does not return `{name}`"))
                .at(Place::file(&path))
                .closest(name, known));
        }
    }
    session.deregister("listed")?;
    session.keep("listed", &sql, parameters).await?;
    let columns: Vec<String> = header.columns.iter().map(|column| format!("l.{}", text::name(&column.name))).collect();
    let ordered = format!(
        "SELECT m.entity, {} FROM listed AS l JOIN membership AS m ON m.rep_id = COALESCE(l.rep_id, '{UNASSIGNED}') \
         AND m.valid_from <= l.day AND l.day < m.valid_to WHERE m.level = {} ORDER BY m.entity, {}",
        columns.join(", "),
        literal(level),
        header.order
    );
    let empty = List {
        id: id.to_owned(),
        title: header.title,
        question: header.question,
        record: header.record,
        columns: header.columns,
        rows: Vec::new(),
        total_rows: 0,
        empty: header.empty,
    };
    let ordered = session.stream(&ordered).await.map_err(|error| {
        let why = error.notes.into_iter().next().unwrap_or_default();
        let line = source.lines().position(|line| line.starts_with("order")).map_or(0, |i| i + 1);
        Diagnostic::project(format!("the list {id} cannot be put in its order"))
            .at(Place::line(&path, source, line))
            .note(why)
            .help("`order` names columns of the list, each with ASC or DESC")
    })?;
    Ok(Listed { empty, limit: header.limit, rows: ByEntity::of(ordered).await? })
}
