//! From a fact to the export row behind it.

use crate::diagnostic::Result;
use crate::domain::metric::{Metric, Metrics};
use crate::engine::Session;
use crate::ledger::Entry;
use crate::pipeline::score::definition;
use crate::pipeline::stage::contract::Contract;
use crate::store::object_name;

/// Which tables of lineage a session has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lineage {
    /// `lineage`: of each record, `_snapshot` and `_row`.
    pub of_record: bool,
    /// `traced`: the same of each record and day.
    pub of_day: bool,
}

/// Names the tables of where a metric's facts come from. The session has the run's model.
pub(super) async fn add(
    session: &Session,
    entry: &Entry,
    contract: &Contract,
    metrics: &Metrics,
    metric: &Metric,
) -> Result<Lineage> {
    let owner = definition::owner_of_facts(metrics, metric);
    // Adds a table's lineage to the session and gives its key columns.
    let add = async |name: &str, table: &str| -> Result<Option<Vec<String>>> {
        let Some(digest) = entry.model.get(table).and_then(|of| of.lineage) else { return Ok(None) };
        session.deregister(name)?;
        session.register_parquet(name, &object_name(&format!("model/{table}__lineage"), &digest, "parquet")).await?;
        Ok(contract.tables.get(table).map(|of| of.key.clone()))
    };
    let mut there = Lineage::default();
    if let Some(record) = &owner.header.record
        && let Some(keys) = add("of_record", record).await?
        // A fact names one column of the key: of several, the other rows would seem to stand behind it too.
        && let [key] = keys.as_slice()
    {
        let sql = format!("SELECT {key} AS record, _snapshot, _row FROM of_record");
        session.materialize("lineage", &sql).await?;
        there.of_record = true;
    }
    let mut rows: Vec<String> = Vec::new();
    for (rank, trace) in owner.header.trace.iter().enumerate() {
        let name = format!("of_trace_{rank}");
        let Some(keys) = add(&name, &trace.table).await? else { continue };
        let same: Vec<String> = keys.iter().map(|key| format!("l.{key} = t.{key}")).collect();
        let order: Vec<String> = trace.order.iter().map(|column| format!("t.{column} DESC")).collect();
        let order = if order.is_empty() { "l._row".to_owned() } else { order.join(", ") };
        rows.push(format!(
            "SELECT t.{record} AS record, t.{day} AS day, l._snapshot, l._row, {rank} AS rank, \
             ROW_NUMBER() OVER (PARTITION BY t.{record}, t.{day} ORDER BY {order}) AS place \
             FROM {table} AS t JOIN {name} AS l ON {same}",
            record = trace.record,
            day = trace.day,
            table = trace.table,
            same = same.join(" AND "),
        ));
    }
    if !rows.is_empty() {
        let sql = format!(
            "SELECT record, day, _snapshot, _row FROM (SELECT record, day, _snapshot, _row, \
             ROW_NUMBER() OVER (PARTITION BY record, day ORDER BY rank) AS first \
             FROM ({}) WHERE place = 1) WHERE first = 1",
            rows.join(" UNION ALL ")
        );
        session.materialize("traced", &sql).await?;
        there.of_day = true;
    }
    Ok(there)
}
