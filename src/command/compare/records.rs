//! The rows of the model that are new, gone or different, each with the export row that says so.

use crate::artifact::model::ModelTable;
use crate::artifact::snapshot::Snapshot;
use crate::command::compare::changes::{ColumnChange, Origin, RecordChange, TableChange};
use crate::command::compare::removed;
use crate::command::compare::run::{Side, ask};
use crate::diagnostic::Result;
use crate::engine::Session;
use crate::store::object_name;
use std::collections::{BTreeMap, BTreeSet};

type Row = Vec<Option<String>>;

/// All tables that differ: opportunities first, then the others by name.
pub async fn between(from: &Side<'_>, to: &Side<'_>) -> Result<Vec<TableChange>> {
    let names: BTreeSet<&String> = from.entry.model.keys().chain(to.entry.model.keys()).collect();
    let mut all = Vec::new();
    for name in names {
        match (from.entry.model.get(name), to.entry.model.get(name)) {
            (Some(a), Some(b)) if a.digest == b.digest => {}
            (Some(a), Some(b)) => all.extend(of_table(from, to, name, (a, b)).await?),
            (Some(a), None) => all.push(alone(name, (0, a.rows), from)),
            (None, Some(b)) => all.push(alone(name, (b.rows, 0), to)),
            (None, None) => {}
        }
    }
    all.sort_by_key(|table| (table.table != "opportunities", table.table.clone()));
    Ok(all)
}

fn alone(name: &str, (new, gone): (u64, u64), side: &Side<'_>) -> TableChange {
    let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let note = format!("only run {} has this table", side.entry.number);
    TableChange { table: name.into(), new: count(new), gone: count(gone), changed: 0, rows: vec![], notes: vec![note] }
}

async fn of_table(
    from: &Side<'_>,
    to: &Side<'_>,
    name: &str,
    (a, b): (&ModelTable, &ModelTable),
) -> Result<Option<TableChange>> {
    let (old, new) = (from.columns(&a.path(name)).await?, to.columns(&b.path(name)).await?);
    let columns: Vec<&String> = new.iter().filter(|column| old.contains(column)).collect();
    let mut notes = Vec::new();
    for (side, own, others) in [(from, &old, &new), (to, &new, &old)] {
        let alone: Vec<&str> = own.iter().filter(|column| !others.contains(column)).map(String::as_str).collect();
        if !alone.is_empty() {
            notes.push(format!("only run {} has the columns {}", side.entry.number, alone.join(", ")));
        }
    }
    let contract = to.contract.as_ref().or(from.contract.as_ref()).and_then(|contract| contract.tables.get(name));
    let key: Vec<usize> = match contract {
        Some(table) => table.key.iter().filter_map(|key| columns.iter().position(|column| *column == key)).collect(),
        // What the engine makes has no key: a row that differs is another row.
        None => (0..columns.len()).collect(),
    };
    let session = Session::new(to.opened.limits, &to.opened.store)?;
    from.add(&session, "a", &a.path(name)).await?;
    to.add(&session, "b", &b.path(name)).await?;
    let texts: Vec<String> =
        columns.iter().map(|column| format!("CAST(\"{column}\" AS VARCHAR) AS \"{column}\"")).collect();
    let texts = texts.join(", ");
    for (kept, one, other) in [("gone", "a", "b"), ("come", "b", "a")] {
        session.materialize(kept, &format!("SELECT {texts} FROM {one} EXCEPT SELECT {texts} FROM {other}")).await?;
    }
    let mut rows: BTreeMap<Vec<String>, [Option<Row>; 2]> = BTreeMap::new();
    for (i, kept) in ["gone", "come"].into_iter().enumerate() {
        for row in ask(&session, &format!("SELECT * FROM {kept}")).await? {
            let key = key.iter().map(|place| row[*place].clone().unwrap_or_default()).collect();
            rows.entry(key).or_default()[i] = Some(row);
        }
    }
    if rows.is_empty() && notes.is_empty() {
        return Ok(None);
    }
    let keys: Vec<&str> = key.iter().map(|place| columns[*place].as_str()).collect();
    let before = origins(&session, from, name, (a, "gone"), &keys).await?;
    let after = origins(&session, to, name, (b, "come"), &keys).await?;
    let rows = rows.into_iter().map(|(key, sides)| {
        let (before, after) = (before.get(&key).cloned(), after.get(&key).cloned());
        record(key, &columns, sides, before, after)
    });
    let mut rows: Vec<RecordChange> = rows.collect();
    rows.sort_by_key(RecordChange::rank);
    removed::explain(to, name, &mut rows).await?;
    let count = |change: &str| rows.iter().filter(|row| row.change == change).count();
    let (new, gone, changed) = (count("new"), count("gone"), count("changed"));
    Ok(Some(TableChange { table: name.to_owned(), new, gone, changed, rows, notes }))
}

fn record(
    key: Vec<String>,
    columns: &[&String],
    sides: [Option<Row>; 2],
    before: Option<Origin>,
    after: Option<Origin>,
) -> RecordChange {
    let change = match &sides {
        [Some(_), Some(_)] => "changed",
        [Some(_), None] => "gone",
        _ => "new",
    };
    let [old, new] = sides.map(Option::unwrap_or_default);
    let cell = |row: &Row, place: usize| row.get(place).cloned().flatten();
    let cells = columns.iter().enumerate().map(|(place, column)| ColumnChange {
        name: (*column).clone(),
        before: cell(&old, place),
        after: cell(&new, place),
    });
    RecordChange {
        change,
        key,
        columns: cells.filter(|cell| cell.before != cell.after).collect(),
        before,
        after,
        why: None,
    }
}

/// Where the rows of a kept table came from, by their keys.
async fn origins(
    session: &Session,
    side: &Side<'_>,
    name: &str,
    (table, kept): (&ModelTable, &str),
    keys: &[&str],
) -> Result<BTreeMap<Vec<String>, Origin>> {
    let Some(digest) = table.lineage else { return Ok(BTreeMap::new()) };
    let path = object_name(&format!("model/{name}__lineage"), &digest, "parquet");
    let known = side.columns(&path).await?;
    if keys.iter().any(|key| !known.iter().any(|column| column == key)) {
        return Ok(BTreeMap::new());
    }
    session.deregister("lineage")?;
    side.add(session, "lineage", &path).await?;
    let own: Vec<String> = keys.iter().map(|key| format!("k.\"{key}\"")).collect();
    let joined: Vec<String> = keys.iter().map(|key| format!("CAST(l.\"{key}\" AS VARCHAR) = k.\"{key}\"")).collect();
    let sql = format!(
        "SELECT l._snapshot, l._row, {} FROM lineage AS l JOIN {kept} AS k ON {}",
        own.join(", "),
        joined.join(" AND ")
    );
    let mut origins = BTreeMap::new();
    for row in ask(session, &sql).await? {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let (snapshot, number) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        if let Some(export) = Snapshot::named(&side.entry.observations, &snapshot) {
            let origin = Origin { export: export.path.clone(), row: number.parse().unwrap_or_default() };
            origins.insert(cells.collect(), origin);
        }
    }
    Ok(origins)
}
