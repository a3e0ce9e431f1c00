//! An export's rows and cells, and how the nights of a table fold into one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::csv;
use super::numbers;

/// The row breaks the contract and does not count.
#[derive(Debug)]
pub struct Quarantined;

/// A cell that must not be empty.
pub fn required<T>(cell: Result<Option<T>, Quarantined>) -> Result<T, Quarantined> {
    cell?.ok_or(Quarantined)
}

/// A source's exports: its name, and the folders of its nights, oldest first.
pub struct Source {
    pub name: &'static str,
    pub nights: Vec<PathBuf>,
    /// How many rows of the files that count broke the contract.
    pub quarantined: Cell<usize>,
}

impl Source {
    pub fn of(exports: &Path, name: &'static str, nights: &[&str]) -> Source {
        let nights = nights.iter().map(|night| exports.join(name).join(night)).collect();
        Source { name, nights, quarantined: Cell::new(0) }
    }

    /// An id across sources. One that begins with a source's name and a colon is whole already. Empty is none.
    pub fn id(&self, text: &str) -> Option<String> {
        let is_whole = super::SOURCES.iter().any(|name| text.strip_prefix(name).is_some_and(|id| id.starts_with(':')));
        match text {
            "" => None,
            text if is_whole => Some(text.to_owned()),
            text => Some(format!("{}:{text}", self.name)),
        }
    }

    /// A `full` table: the newest file alone. A night without a table's file says nothing about that table.
    pub fn full<T>(
        &self,
        table: &str,
        key: &[&str],
        read: impl Fn(&Row) -> Result<T, Quarantined>,
    ) -> BTreeMap<String, T> {
        self.files(table).last().map_or(BTreeMap::new(), |path| self.standing(path, key, read))
    }

    /// An `upsert` or an `append` table: every night's rows, and of one key the newest night's. Quarantine comes first,
    /// so a newer row that cannot be read leaves the older one standing.
    pub fn every_night<T>(
        &self,
        table: &str,
        key: &[&str],
        read: impl Fn(&Row) -> Result<T, Quarantined>,
    ) -> BTreeMap<String, T> {
        let mut folded = BTreeMap::new();
        for path in self.files(table) {
            folded.extend(self.standing(&path, key, &read));
        }
        folded
    }

    /// Whether a later night replaces a file of deals.
    fn is_replaced(&self, path: &Path) -> bool {
        let table = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_full = matches!(table.as_str(), "Opportunity" | "deals");
        is_full && self.files(&table).last().is_some_and(|newest| newest != path)
    }

    /// The table's files, the oldest first.
    pub fn files(&self, table: &str) -> Vec<PathBuf> {
        let paths = self.nights.iter().map(|night| night.join(format!("{table}.csv")));
        paths.filter(|path| path.exists()).collect()
    }

    /// One file's rows that are not quarantined, by id or, of several key columns, by all of them. Of a key that stands
    /// twice the first row stands; a row that cannot be read does not take the key from a later one that can.
    pub fn standing<T>(
        &self,
        path: &Path,
        key: &[&str],
        read: impl Fn(&Row) -> Result<T, Quarantined>,
    ) -> BTreeMap<String, T> {
        let (mut kept, mut broken) = (BTreeMap::new(), 0);
        for row in rows(path) {
            let cells: Vec<&str> = key.iter().map(|column| row.cell(column)).collect();
            if cells.contains(&"") {
                broken += 1;
                continue;
            }
            let key = if let [id] = cells[..] { self.id(id).expect("a key") } else { cells.join("|") };
            match read(&row) {
                Ok(value) if !kept.contains_key(&key) => drop(kept.insert(key, value)),
                _ => broken += 1,
            }
        }
        // Of a full table's files only the newest counts, of the others all; deals are read night by night.
        if !self.is_replaced(path) {
            self.quarantined.set(self.quarantined.get() + broken);
        }
        kept
    }
}

/// A file's records as rows, without the rejects.
pub fn rows(path: &Path) -> Vec<Row> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut records = csv::records(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes)).read.into_iter();
    let Some(header) = records.next() else { return Vec::new() };
    let width = header.len();
    let header = Rc::new(header.into_iter().zip(0..).collect::<BTreeMap<_, _>>());
    let fits = records.filter(|cells| cells.len() == width);
    fits.map(|cells| Row { header: header.clone(), cells }).collect()
}

pub struct Row {
    /// The place of each column.
    header: Rc<BTreeMap<String, usize>>,
    cells: Vec<String>,
}

impl Row {
    /// The cell exactly as it stands, unquoted. Empty is null.
    pub fn cell(&self, column: &str) -> &str {
        let place = self.header.get(column).unwrap_or_else(|| panic!("no column {column} among {:?}", self.header));
        &self.cells[*place]
    }

    pub fn text(&self, column: &str) -> Option<String> {
        Some(self.cell(column)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub fn date(&self, column: &str) -> Result<Option<Date>, Quarantined> {
        self.typed(column, date)
    }

    pub fn timestamp(&self, column: &str) -> Result<Option<DateTime>, Quarantined> {
        self.typed(column, timestamp)
    }

    /// In trillionths.
    pub fn decimal(&self, column: &str) -> Result<Option<i128>, Quarantined> {
        self.typed(column, numbers::decimal)
    }

    pub fn whole(&self, column: &str) -> Result<Option<i64>, Quarantined> {
        self.typed(column, |text| text.parse().ok())
    }

    pub fn flag(&self, column: &str) -> Result<bool, Quarantined> {
        let flag = self.typed(column, |text| match text.to_lowercase().as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        })?;
        Ok(flag.unwrap_or(false))
    }

    /// Empty is null; anything else must be read, or the row is quarantined.
    fn typed<T>(&self, column: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Quarantined> {
        match self.cell(column) {
            "" => Ok(None),
            text => read(text).map(Some).ok_or(Quarantined),
        }
    }
}

/// `YYYY-MM-DD`, with ` 00:00:00` behind it at most.
pub fn date(text: &str) -> Option<Date> {
    let text = text.strip_suffix(" 00:00:00").unwrap_or(text);
    if has_shape(text, "0000-00-00") { text.parse().ok() } else { None }
}

/// `YYYY-MM-DD HH:MM:SS` or, as HubSpot has it, without the seconds; in UTC.
pub fn timestamp(text: &str) -> Option<DateTime> {
    let has_time = has_shape(text, "0000-00-00 00:00:00") || has_shape(text, "0000-00-00 00:00");
    if has_time { text.parse().ok() } else { None }
}

fn has_shape(text: &str, shape: &str) -> bool {
    let is_like = |(byte, like): (u8, u8)| if like == b'0' { byte.is_ascii_digit() } else { byte == like };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(is_like)
}

/// A moment in UTC as the company's clocks showed it.
pub fn berlin(utc: DateTime) -> DateTime {
    let berlin = TimeZone::get("Europe/Berlin").expect("the time zones are compiled in");
    let moment = utc.to_zoned(TimeZone::UTC).expect("an export's year is a usual one");
    moment.with_time_zone(berlin).datetime()
}

/// The company's day of a moment in UTC.
pub fn berlin_day(utc: DateTime) -> Date {
    berlin(utc).date()
}
