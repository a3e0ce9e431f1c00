//! Reads a company's exports by hand: CSV records, rejects, quarantine, and the folding of nights.
//!
//! Nothing here knows about snapshots or model tables. A table is a map from key to what a metric needs of the row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// What the company's exports say, after rejects, quarantine, folding and deletion.
pub struct Company {
    pub users: BTreeMap<String, User>,
    pub accounts: BTreeMap<String, Account>,
    pub opportunities: BTreeMap<String, Opportunity>,
    pub history: BTreeMap<String, Change>,
    pub tasks: BTreeMap<String, Task>,
    pub quotas: Vec<Quota>,
    pub teams: BTreeMap<String, Team>,
    /// By user, in the file's order.
    pub assignments: BTreeMap<String, Vec<Assignment>>,
    /// `closed_as` by stage name; empty for an open stage.
    pub stages: BTreeMap<String, String>,
}

pub struct User {
    pub left_on: Option<Date>,
    pub hired_on: Option<Date>,
}

pub struct Account {
    pub parent: String,
    deleted: bool,
}

pub struct Opportunity {
    pub id: String,
    pub owner: String,
    pub account: String,
    pub stage: String,
    pub cents: i128,
    pub closed_on: Date,
    pub created_on: Date,
    pub kind: Option<&'static str>,
    pub competitor: String,
    deleted: bool,
}

/// One row of OpportunityHistory.
pub struct Change {
    pub id: String,
    pub opportunity: String,
    pub stage: String,
    pub cents: i128,
    pub at: DateTime,
}

pub struct Task {
    pub owner: String,
    pub day: Date,
    pub is_outbound_call: bool,
    deleted: bool,
}

pub struct Quota {
    pub user: String,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub cents: i128,
}

pub struct Team {
    pub level: String,
    pub parent: String,
}

pub struct Assignment {
    pub team: String,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
}

impl Company {
    /// Reads the nights' folders, oldest first. A night without a table's file says nothing about that table.
    pub fn read(nights: &[PathBuf]) -> Company {
        let users = full(nights, "User", "Id", user);
        let mut accounts = full(nights, "Account", "Id", account);
        accounts.retain(|_, account| !account.deleted);
        let mut opportunities = full(nights, "Opportunity", "Id", opportunity);
        opportunities.retain(|_, opportunity| !opportunity.deleted);
        // Deletion comes after folding: the newest row of a task decides, and a deleted one leaves nothing behind.
        let mut tasks = every_night(nights, "Task", "Id", task);
        tasks.retain(|_, task| !task.deleted);
        let history = every_night(nights, "OpportunityHistory", "Id", change);
        let quotas = full(nights, "quotas", "quota_id", quota).into_values().flatten();
        // A quota of somebody who is not in User is quarantined, before any open end looks for the next start.
        let quotas = quotas.filter(|quota| users.contains_key(&quota.user)).collect();
        let teams = full(nights, "teams", "team_id", |row| {
            Ok(Team { level: row.text("level"), parent: row.text("parent_team_id") })
        });
        // Assignments have no id of their own; the specification names no key, so nothing counts as standing twice.
        let mut assignments: BTreeMap<String, Vec<Assignment>> = BTreeMap::new();
        for row in newest_file(nights, "assignments").map_or(Vec::new(), |path| rows(&path)) {
            if let Ok(assignment) = assignment(&row) {
                assignments.entry(row.text("user_id")).or_default().push(assignment);
            }
        }
        let stages = full(nights, "stages", "stage_name", |row| Ok(row.text("closed_as")));
        Company { users, accounts, opportunities, history, tasks, quotas, teams, assignments, stages }
    }
}

fn user(row: &Row) -> Result<User, Quarantined> {
    Ok(User { hired_on: row.date("Hired_On__c")?, left_on: row.date("Left_On__c")? })
}

fn account(row: &Row) -> Result<Account, Quarantined> {
    Ok(Account { parent: row.text("ParentId"), deleted: row.flag("IsDeleted")? })
}

fn opportunity(row: &Row) -> Result<Opportunity, Quarantined> {
    // No metric reads the probability, but a row whose typed cell cannot be read is quarantined all the same.
    row.cents("Probability")?;
    Ok(Opportunity {
        id: row.text("Id"),
        owner: row.text("OwnerId"),
        account: row.text("AccountId"),
        stage: row.text("StageName"),
        cents: row.cents("Amount")?.unwrap_or(0),
        closed_on: required(row.date("CloseDate"))?,
        created_on: berlin_day(required(row.timestamp("CreatedDate"))?),
        kind: match row.text("Type").as_str() {
            "New Customer" => Some("new"),
            "Existing Customer - Upgrade" => Some("expansion"),
            "Existing Customer - Returning" => Some("returning"),
            "Existing Customer - Renewal" => Some("renewal"),
            _ => None,
        },
        competitor: row.text("Competitor__c"),
        deleted: row.flag("IsDeleted")?,
    })
}

fn change(row: &Row) -> Result<Change, Quarantined> {
    row.date("CloseDate")?;
    Ok(Change {
        id: row.text("Id"),
        opportunity: row.text("OpportunityId"),
        stage: row.text("StageName"),
        cents: row.cents("Amount")?.unwrap_or(0),
        // A version without a day has no place in the order, so the specification's list makes this cell required.
        at: required(row.timestamp("CreatedDate"))?,
    })
}

fn task(row: &Row) -> Result<Task, Quarantined> {
    row.timestamp("CreatedDate")?;
    Ok(Task {
        owner: row.text("OwnerId"),
        day: required(row.date("ActivityDate"))?,
        is_outbound_call: row.text("TaskSubtype") == "Call"
            && row.text("CallType") == "Outbound"
            && row.text("Status") == "Completed",
        deleted: row.flag("IsDeleted")?,
    })
}

/// A quota on another metric than bookings is read, holds its key, and gives nothing.
fn quota(row: &Row) -> Result<Option<Quota>, Quarantined> {
    let quota = Quota {
        user: row.text("user_id"),
        starts_on: required(row.date("starts_on"))?,
        ends_on: row.date("ends_on")?,
        cents: required(row.cents("amount"))?,
    };
    Ok((row.text("metric") == "bookings").then_some(quota))
}

fn assignment(row: &Row) -> Result<Assignment, Quarantined> {
    Ok(Assignment {
        team: row.text("team_id"),
        starts_on: required(row.date("starts_on"))?,
        ends_on: row.date("ends_on")?,
    })
}

// Folding

/// A `full` table: the newest night's file alone.
fn full<T>(
    nights: &[PathBuf],
    table: &str,
    key: &str,
    read: impl Fn(&Row) -> Result<T, Quarantined>,
) -> BTreeMap<String, T> {
    newest_file(nights, table).map_or(BTreeMap::new(), |path| standing(&path, key, read))
}

/// An `upsert` or an `append` table: every night's rows, and of one key the newest night's. Quarantine comes first, so
/// a newer row that cannot be read leaves the older one standing.
fn every_night<T>(
    nights: &[PathBuf],
    table: &str,
    key: &str,
    read: impl Fn(&Row) -> Result<T, Quarantined>,
) -> BTreeMap<String, T> {
    let mut folded = BTreeMap::new();
    for night in nights {
        let path = night.join(format!("{table}.csv"));
        if path.exists() {
            folded.extend(standing(&path, key, &read));
        }
    }
    folded
}

fn newest_file(nights: &[PathBuf], table: &str) -> Option<PathBuf> {
    nights.iter().rev().map(|night| night.join(format!("{table}.csv"))).find(|path| path.exists())
}

/// One file's rows that are not quarantined. Of a key that stands twice the first row stands; a row that cannot be
/// read does not take the key from a later one that can.
fn standing<T>(path: &Path, key: &str, read: impl Fn(&Row) -> Result<T, Quarantined>) -> BTreeMap<String, T> {
    let mut kept = BTreeMap::new();
    for row in rows(path) {
        let key = row.text(key);
        if key.is_empty() {
            continue;
        }
        if let Ok(value) = read(&row) {
            kept.entry(key).or_insert(value);
        }
    }
    kept
}

// Cells

/// The row breaks the contract and does not count.
#[derive(Debug)]
pub struct Quarantined;

fn required<T>(cell: Result<Option<T>, Quarantined>) -> Result<T, Quarantined> {
    cell?.ok_or(Quarantined)
}

pub struct Row {
    /// The place of each column.
    header: Rc<BTreeMap<String, usize>>,
    cells: Vec<String>,
}

impl Row {
    /// The cell exactly as it stands, unquoted. Empty is null.
    pub fn text(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    fn cell(&self, column: &str) -> &str {
        let place = self.header.get(column).unwrap_or_else(|| panic!("no column {column} among {:?}", self.header));
        &self.cells[*place]
    }

    fn date(&self, column: &str) -> Result<Option<Date>, Quarantined> {
        self.typed(column, date)
    }

    fn timestamp(&self, column: &str) -> Result<Option<DateTime>, Quarantined> {
        self.typed(column, timestamp)
    }

    fn cents(&self, column: &str) -> Result<Option<i128>, Quarantined> {
        self.typed(column, cents)
    }

    fn flag(&self, column: &str) -> Result<bool, Quarantined> {
        let flag = self.typed(column, |text| match text {
            "1" => Some(true),
            "0" => Some(false),
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

/// `YYYY-MM-DD HH:MM:SS`, in UTC.
pub fn timestamp(text: &str) -> Option<DateTime> {
    if has_shape(text, "0000-00-00 00:00:00") { text.parse().ok() } else { None }
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(
            |(byte, like)| {
                if like == b'0' { byte.is_ascii_digit() } else { byte == like }
            },
        )
}

/// A plain decimal (optional sign, digits, optional point and digits) in cents, half a cent rounded away from zero.
pub fn cents(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let digit = |place: usize| fraction.as_bytes().get(place).map_or(0, |byte| i128::from(byte - b'0'));
    let whole: i128 = whole.parse().ok()?;
    let cents = whole.checked_mul(100)? + digit(0) * 10 + digit(1);
    Some(sign * if digit(2) >= 5 { cents + 1 } else { cents })
}

/// The company's day of a moment in UTC.
pub fn berlin_day(utc: DateTime) -> Date {
    let berlin = TimeZone::get("Europe/Berlin").expect("the time zones are compiled in");
    let moment = utc.to_zoned(TimeZone::UTC).expect("an export's year is a usual one");
    moment.with_time_zone(berlin).date()
}

// Records

/// A file's records as rows, without the rejects.
fn rows(path: &Path) -> Vec<Row> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut records = records(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes)).into_iter();
    let Some(header) = records.next() else { return Vec::new() };
    let width = header.len();
    let header = Rc::new(header.into_iter().zip(0..).collect::<BTreeMap<_, _>>());
    let fits = records.filter(|cells| cells.len() == width);
    fits.map(|cells| Row { header: header.clone(), cells }).collect()
}

/// All records that have no broken quote and are UTF-8. After a broken quote nobody knows where the record was meant
/// to end, so its first physical line alone is rejected and reading goes on with the next one.
pub fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match record(bytes, at) {
            Some((cells, next)) => {
                // One bad cell rejects the whole record.
                if let Ok(cells) = cells.into_iter().map(String::from_utf8).collect() {
                    found.push(cells);
                }
                at = next;
            }
            None => at = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |line| at + line + 1),
        }
    }
    found
}

/// The record that starts at `at` and where the next one starts; nothing if one of its quotes is broken.
fn record(bytes: &[u8], mut at: usize) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut cells = Vec::new();
    loop {
        let (cell, end) = if bytes.get(at) == Some(&b'"') { quoted(bytes, at + 1)? } else { bare(bytes, at)? };
        cells.push(cell);
        match &bytes[end..] {
            [] => return Some((cells, end)),
            [b',', ..] => at = end + 1,
            [b'\n', ..] => return Some((cells, end + 1)),
            [b'\r', b'\n', ..] => return Some((cells, end + 2)),
            // Something stands between a closing quote and the next comma.
            _ => return None,
        }
    }
}

/// A cell whose opening quote stands before `at`; two quotes inside are one. Broken if the file ends first.
fn quoted(bytes: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut cell = Vec::new();
    loop {
        let length = bytes[at..].iter().position(|&byte| byte == b'"')?;
        cell.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some((cell, at));
        }
        cell.push(b'"');
        at += 1;
    }
}

/// A cell without quotes, up to the comma or the line's end. A quote inside it is broken.
fn bare(bytes: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut end = start;
    loop {
        match &bytes[end..] {
            [] | [b',', ..] | [b'\n', ..] | [b'\r', b'\n', ..] => return Some((bytes[start..end].to_vec(), end)),
            [b'"', ..] => return None,
            _ => end += 1,
        }
    }
}
