//! Every id of a record that another one stands for becomes that one's, in every table.

use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::parquet_file;
use crate::pipeline::stage::contract::{Column, Table};
use crate::pipeline::stage::fold::Part;
use crate::pipeline::stage::rows::batch;
use crate::run_context::RunContext;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The canonical id of each record that has another one stand for it, by table.
#[derive(Debug, Default)]
pub(in crate::pipeline::stage) struct Names(BTreeMap<String, BTreeMap<String, String>>);

impl Names {
    /// Those of these tables.
    pub(in crate::pipeline::stage) async fn of<'a>(
        night: &RunContext<'_>,
        model: &Model,
        tables: impl IntoIterator<Item = &'a str>,
    ) -> Result<Names> {
        let mut names = Names::default();
        for table in tables {
            let Some(path) = model.tables.get(table).and_then(|of| of.matches_path(table)) else { continue };
            let own = names.0.entry(table.to_owned()).or_default();
            for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
                let (from, to) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
                own.extend(from.iter().flatten().map(String::from).zip(to.iter().flatten().map(String::from)));
            }
        }
        Ok(names)
    }

    /// The ids of a table's records that another one stands for.
    pub(in crate::pipeline::stage) fn superseded(&self, table: &str) -> impl Iterator<Item = &String> {
        self.0.get(table).into_iter().flat_map(BTreeMap::keys)
    }

    /// The id of the record that stands for this one, if another does.
    pub(in crate::pipeline::stage) fn canonical(&self, table: &str, id: &str) -> Option<&str> {
        self.0.get(table)?.get(id).map(String::as_str)
    }

    /// Rewrites the ids of a part. A row that is a part of a record which another one stands for goes with it.
    pub(in crate::pipeline::stage) fn rewrite(&self, table: &Table, part: &mut Part) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut columns = part.batch.columns().to_vec();
        for (position, column) in table.columns.iter().enumerate() {
            let Some(targets) = Targets::of(table, column, &columns) else { continue };
            let ids = columns[position].as_string::<i32>();
            let mut rewritten: Vec<Option<String>> = Vec::with_capacity(ids.len());
            for (row, id) in ids.iter().enumerate() {
                let canonical = id.and_then(|id| self.canonical(targets.at(row)?, id));
                match canonical {
                    Some(_) if column.is_part => part.gone[row] = true,
                    Some(_) if table.key.contains(&column.name) => part.renamed[row] = true,
                    _ => {}
                }
                let canonical = canonical.filter(|_| !column.is_part);
                rewritten.push(canonical.or(id).map(String::from));
            }
            let rewritten: ArrayRef = Arc::new(StringArray::from(rewritten));
            columns[position] = rewritten;
        }
        part.batch = batch(part.batch.schema(), columns)?;
        Ok(())
    }
}

/// Whose ids a column holds.
enum Targets<'a> {
    One(&'a str),
    ByRow(StringArray),
}

impl Targets<'_> {
    fn of<'a>(table: &'a Table, column: &'a Column, columns: &[ArrayRef]) -> Option<Targets<'a>> {
        if let Some(target) = column.references.as_deref().or(column.names.as_deref()) {
            return Some(Targets::One(target));
        }
        let by = column.references_by.as_ref()?;
        let by = table.columns.iter().position(|column| column.name == *by)?;
        Some(Targets::ByRow(columns[by].as_string::<i32>().clone()))
    }

    fn at(&self, row: usize) -> Option<&str> {
        match self {
            Targets::One(target) => Some(target),
            Targets::ByRow(targets) => targets.is_valid(row).then(|| targets.value(row)),
        }
    }
}
