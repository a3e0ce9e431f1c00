//! From a table's exports of many nights to its present rows, and what became of every row on the way.

use crate::diagnostic::{Diagnostic, Result};
use crate::pipeline::stage::contract::Table;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use std::collections::{BTreeMap, BTreeSet};

/// The rows that staging made of one export.
pub struct Part {
    /// The contract's columns.
    pub batch: RecordBatch,
    /// The record's number of each row; rows come in the order of their records.
    pub numbers: Vec<i64>,
    /// Whether the export is the whole table, and no list of what changed.
    pub is_whole: bool,
    /// What is wrong with each row.
    pub faults: Vec<Option<String>>,
    /// Which id of each row leads nowhere: a fault, unless a later export takes the row back.
    pub dangling: Vec<Option<String>>,
    /// Why each row is to be ignored.
    pub skips: Vec<Option<String>>,
    /// Whether the export says that the record was deleted.
    pub deleted: Vec<bool>,
    /// Whether the row lacks a part of its key.
    pub keyless: Vec<bool>,
    /// Whether the row's key was another before the ids in it became canonical.
    pub renamed: Vec<bool>,
    /// Whether the row is a part of a record that another source's record stands for.
    pub gone: Vec<bool>,
}

impl Part {
    /// Whether a row says no more than that the record of its key is gone.
    fn is_tombstone(&self, row: usize) -> bool {
        self.deleted[row] && !self.keyless[row] && self.skips[row].is_none()
    }

    /// Of the keys of its tombstones, those that have a row which counts too: the first of these.
    fn living(&self, rows: &Rows) -> BTreeMap<OwnedRow, usize> {
        let all = 0..self.batch.num_rows();
        let key = |row: usize| rows.row(row).owned();
        let gone: BTreeSet<OwnedRow> = all.clone().filter(|row| self.is_tombstone(*row)).map(key).collect();
        let mut living = BTreeMap::new();
        if !gone.is_empty() {
            let counts = |row: &usize| !self.deleted[*row] && self.skips[*row].is_none() && self.faults[*row].is_none();
            for (key, row) in all.filter(counts).map(|row| (key(row), row)).filter(|(key, _)| gone.contains(key)) {
                living.entry(key).or_insert(row);
            }
        }
        living
    }

    /// A deleted row beside the first one that counts. A whole table keeps what was deleted beside what was made instead. In a
    /// list of changes it can be read in two ways, which is told.
    fn fault_deleted_twin(&mut self, row: usize, first: usize, fates: &mut Fates) {
        match self.is_whole {
            true => fates.deleted += 1,
            false => {
                let first = self.numbers[first];
                let reason = "it says that its record was deleted, and record";
                self.faults[row] = Some(format!("{reason} {first} of the same export, which counts, that it was not"));
                fates.quarantined += 1;
            }
        }
    }
}

/// What became of a part's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Stand in the model.
    pub current: u64,
    /// A later export has a newer row.
    pub superseded: u64,
    /// The newest row says deleted.
    pub deleted: u64,
    /// Ignored, with a reason.
    pub skipped: u64,
    /// Broke the contract.
    pub quarantined: u64,
}

/// The present rows of a table: by key, the part and the row within it.
pub struct Folded {
    /// Sorted by key.
    pub present: BTreeMap<OwnedRow, (usize, usize)>,
    /// By part.
    pub fates: Vec<Fates>,
}

impl Folded {
    /// Takes rows out for which others stand: those at these places, in the order of keys.
    pub fn supersede(&mut self, is_superseded: impl Fn(usize) -> bool) {
        let mut place = 0;
        let fates = &mut self.fates;
        self.present.retain(|_, (part, _)| {
            let superseded = is_superseded(place);
            place += 1;
            fates[*part].superseded += u64::from(superseded);
            fates[*part].current -= u64::from(superseded);
            !superseded
        });
    }
}

/// Makes keys of rows comparable.
pub struct Keys {
    converter: RowConverter,
    positions: Vec<usize>,
}

impl Keys {
    /// Whether each row lacks a part of its key.
    pub fn missing(&self, batch: &RecordBatch) -> Vec<bool> {
        let lacks = |row: usize| self.positions.iter().any(|i| batch.column(*i).is_null(row));
        (0..batch.num_rows()).map(lacks).collect()
    }

    /// The keys of a table.
    pub fn of(table: &Table) -> Result<Keys> {
        let positions = table.key_positions();
        let fields = positions.iter().map(|i| SortField::new(table.columns[*i].kind.data_type())).collect();
        let converter = RowConverter::new(fields).map_err(|error| Diagnostic::internal(format!("no key: {error}")))?;
        Ok(Keys { converter, positions })
    }

    /// The key of every row.
    pub fn rows(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.positions.iter().map(|i| batch.column(*i).clone()).collect();
        let rows = self.converter.convert_columns(&columns);
        rows.map_err(|error| Diagnostic::internal(format!("no key: {error}")))
    }
}

/// Folds parts in the order in which they supersede each other, oldest first. A key that stands twice in one part
/// keeps its first row; later ones are faulted, unless the key is one only since two records are the same. A deleted row
/// decides nothing where the same part has one of its key that counts, whichever comes first. A row that
/// names what is not there leaves the older one standing, too. It is faulted only in the end: what was deleted together
/// with the record that it names is deleted, not wrong.
pub fn fold(keys: &Keys, parts: &mut [Part]) -> Result<Folded> {
    let mut present: BTreeMap<OwnedRow, (usize, usize)> = BTreeMap::new();
    let mut dangling: BTreeMap<OwnedRow, (usize, usize)> = BTreeMap::new();
    let mut fates = vec![Fates::default(); parts.len()];
    for (i, part) in parts.iter_mut().enumerate() {
        let rows = keys.rows(&part.batch)?;
        let living = part.living(&rows);
        for row in 0..part.batch.num_rows() {
            let key = rows.row(row).owned();
            let mut supersede = |standing: &mut BTreeMap<OwnedRow, (usize, usize)>| {
                if let Some((earlier, _)) = standing.remove(&key) {
                    fates[earlier].superseded += 1;
                }
            };
            let of_this_part =
                |standing: &BTreeMap<_, _>| standing.get(&key).copied().filter(|(earlier, _)| *earlier == i);
            // A newer row that is to be ignored, or that says no more than that its record is gone, ends the older one.
            let gone = part.is_tombstone(row);
            if part.skips[row].is_some() {
                for standing in [&mut present, &mut dangling] {
                    if !part.keyless[row] && of_this_part(standing).is_none() {
                        supersede(standing);
                    }
                }
                fates[i].skipped += 1;
                continue;
            }
            if gone {
                part.faults[row] = None;
                if let Some(first) = living.get(&key) {
                    part.fault_deleted_twin(row, *first, &mut fates[i]);
                    continue;
                }
            } else if part.faults[row].is_some() {
                fates[i].quarantined += 1;
                continue;
            }
            if let Some((_, first)) = of_this_part(&present).or(of_this_part(&dangling)) {
                if gone && part.deleted[first] {
                    fates[i].deleted += 1;
                    continue;
                }
                if !part.renamed[row] && !part.renamed[first] {
                    let first = part.numbers[first];
                    part.faults[row] = Some(format!("its key stands in record {first} already, which counts"));
                    fates[i].quarantined += 1;
                    continue;
                }
                if part.renamed[row] || !part.renamed[first] {
                    fates[i].superseded += 1;
                    continue;
                }
            }
            supersede(&mut dangling);
            if part.dangling[row].is_some() && !gone {
                dangling.insert(key, (i, row));
            } else {
                supersede(&mut present);
                present.insert(key, (i, row));
            }
        }
    }
    for (part, row) in dangling.into_values() {
        fates[part].quarantined += 1;
        parts[part].faults[row] = parts[part].dangling[row].take();
    }
    present.retain(|_, (part, row)| {
        let fates = &mut fates[*part];
        let (deleted, gone) = (parts[*part].deleted[*row], parts[*part].gone[*row]);
        fates.deleted += u64::from(deleted);
        fates.superseded += u64::from(!deleted && gone);
        fates.current += u64::from(!deleted && !gone);
        !deleted && !gone
    });
    Ok(Folded { present, fates })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::stage::contract::{Column, Kind};
    use arrow::array::StringArray;
    use std::sync::Arc;

    fn table() -> Table {
        let column = |name: &str| Column {
            name: name.into(),
            kind: Kind::Text,
            required: false,
            allowed: Vec::new(),
            references: None,
            references_by: None,
            on_missing: None,
            names: None,
            is_part: false,
            open_end: false,
            not_before: None,
            instant: false,
            currency: None,
            converts_on: None,
            original: None,
            at_plan: None,
            controlled: None,
        };
        Table {
            description: String::new(),
            key: vec!["id".into()],
            same_by: Vec::new(),
            versions_of: None,
            columns: vec![column("id"), column("value")],
        }
    }

    /// Rows of id and value; a value of `!` is faulted, `?` leads nowhere, `-` is deleted, `~` is skipped.
    fn part(keys: &Keys, rows: &[(&str, &str)]) -> Part {
        let texts = |get: fn(&(&str, &str)) -> String| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(get(row))).collect::<StringArray>())
        };
        let columns = vec![texts(|row| row.0.to_owned()), texts(|row| row.1.to_owned())];
        let batch = RecordBatch::try_new(table().schema(), columns).unwrap();
        let marked = |mark: char| rows.iter().map(move |row| row.1.contains(mark).then(|| "marked".to_owned()));
        Part {
            numbers: (1..=rows.len() as i64).collect(),
            is_whole: false,
            faults: marked('!').collect(),
            dangling: marked('?').collect(),
            skips: marked('~').collect(),
            deleted: rows.iter().map(|row| row.1.contains('-')).collect(),
            keyless: keys.missing(&batch),
            renamed: vec![false; rows.len()],
            gone: vec![false; rows.len()],
            batch,
        }
    }

    #[test]
    fn a_tombstone_counts_whatever_else_is_wrong_with_it() {
        let keys = Keys::of(&table()).unwrap();
        let mut parts =
            [part(&keys, &[("a", "1"), ("b", "1"), ("c", "1")]), part(&keys, &[("a", "-!"), ("b", "~"), ("c", "!")])];
        let folded = fold(&keys, &mut parts).unwrap();
        // `c` keeps its older row: the newer one cannot be read, and nothing says that the record is gone.
        assert_eq!(folded.present.values().collect::<Vec<_>>(), [&(0, 2)]);
        let old = Fates { current: 1, superseded: 2, ..Fates::default() };
        let new = Fates { deleted: 1, skipped: 1, quarantined: 1, ..Fates::default() };
        assert_eq!(folded.fates, [old, new]);
    }

    #[test]
    fn a_row_that_leads_nowhere_is_wrong_only_if_no_later_one_takes_it_back() {
        let keys = Keys::of(&table()).unwrap();
        let mut parts = [
            part(&keys, &[("a", "?"), ("b", "?"), ("c", "?"), ("d", "1"), ("e", "?")]),
            part(&keys, &[("a", "-?"), ("b", "~"), ("c", "1"), ("d", "?"), ("e", "?"), ("e", "?")]),
        ];
        let folded = fold(&keys, &mut parts).unwrap();
        assert_eq!(folded.present.values().collect::<Vec<_>>(), [&(1, 2), &(0, 3)]);
        let old = Fates { current: 1, superseded: 4, ..Fates::default() };
        let new = Fates { current: 1, deleted: 1, skipped: 1, quarantined: 3, ..Fates::default() };
        assert_eq!(folded.fates, [old, new]);
        let told: Vec<_> = parts.iter().map(|part| part.faults.iter().flatten().count()).collect();
        assert_eq!(told, [0, 3]);
    }

    #[test]
    fn a_deleted_row_decides_nothing_beside_one_that_counts() {
        let keys = Keys::of(&table()).unwrap();
        let of_a_night = |is_whole| {
            let rows = [("a", "-"), ("a", "1"), ("b", "1"), ("b", "-"), ("c", "-"), ("c", "-"), ("d", "-"), ("d", "!")];
            [part(&keys, &[("a", "0"), ("c", "0"), ("d", "0")]), Part { is_whole, ..part(&keys, &rows) }]
        };
        let old = Fates { superseded: 3, ..Fates::default() };
        let mut parts = of_a_night(true);
        let folded = fold(&keys, &mut parts).unwrap();
        assert_eq!(folded.present.values().collect::<Vec<_>>(), [&(1, 1), &(1, 2)]);
        let new = Fates { current: 2, deleted: 5, quarantined: 1, ..Fates::default() };
        assert_eq!(folded.fates, [old, new]);
        // In a list of changes it is told: nobody knows which came last.
        let mut parts = of_a_night(false);
        let folded = fold(&keys, &mut parts).unwrap();
        assert_eq!(folded.present.values().collect::<Vec<_>>(), [&(1, 1), &(1, 2)]);
        let new = Fates { current: 2, deleted: 3, quarantined: 3, ..Fates::default() };
        assert_eq!(folded.fates, [old, new]);
        assert!(parts[1].faults[0].as_deref().unwrap().contains("record 2 of the same export, which counts"));
    }

    #[test]
    fn a_key_twice_in_one_export_stands_once() {
        let keys = Keys::of(&table()).unwrap();
        let mut parts = [part(&keys, &[("a", "1"), ("a", "2")])];
        let folded = fold(&keys, &mut parts).unwrap();
        assert_eq!(folded.present.values().collect::<Vec<_>>(), [&(0, 0)]);
        assert!(parts[0].faults[1].as_deref().unwrap().contains("record 1"));
    }
}
