//! Rows that are set aside for no fault of their own: the record that they name was.
//!
//! One cell of one rep takes all that is the rep's along, a quarter of a table in a company of four. That says nothing of the
//! table's form, so it does not stop the night; it is told like all that is set aside.

use crate::artifact::model::Model;
use crate::diagnostic::Result;
use crate::parquet_file;
use crate::run_context::RunContext;
use crate::store::object_name;
use arrow::array::{Array, AsArray};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows of each export, by its path, were set aside because what they name was.
pub async fn count(night: &RunContext<'_>, model: &Model) -> Result<BTreeMap<String, u64>> {
    let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
    let mut named: Vec<(String, (String, String))> = Vec::new();
    for (name, table) in &model.tables {
        let Some(digest) = table.quarantine else { continue };
        let path = object_name(&format!("quarantine/{name}"), &digest, "parquet");
        for batch in parquet_file::read_all(&path, night.store.get(&path).await?)? {
            let texts = |column: &str| batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>());
            let (Some(paths), Some(reasons), Some(ids)) = (texts("path"), texts("reason"), texts("record_id")) else {
                continue;
            };
            for row in 0..batch.num_rows() {
                if ids.is_valid(row) {
                    gone.insert((name.clone(), ids.value(row).to_owned()));
                }
                named.extend(missing(reasons.value(row)).map(|record| (paths.value(row).to_owned(), record)));
            }
        }
    }
    let mut counts = BTreeMap::new();
    for (path, _) in named.into_iter().filter(|(_, record)| gone.contains(record)) {
        *counts.entry(path).or_default() += 1;
    }
    Ok(counts)
}

/// The table and the id that a reason says there is none of: `rep_id: reps has no `crm:7``.
fn missing(reason: &str) -> Option<(String, String)> {
    let (_, what) = reason.split_once(": ")?;
    let (table, id) = what.split_once(" has no `")?;
    Some((table.to_owned(), id.strip_suffix('`')?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn a_reason_names_the_record_that_is_not_there() {
        let reps = |id: &str| Some(("reps".to_owned(), id.to_owned()));
        assert_eq!(missing("rep_id: reps has no `crm:7`"), reps("crm:7"));
        assert_eq!(missing("rep_id: reps has no `crm:a`b`"), reps("crm:a`b"));
        assert_eq!(missing("amount: `12.500,00` is not a decimal number"), None);
        assert_eq!(missing("name is empty"), None);
    }
}
