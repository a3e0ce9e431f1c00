//! `scorebook.toml`, checked. Flags and the environment override it in [`crate::cli`]; secrets never stand in it.

use crate::access::Room;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::calendar::Calendar;
use crate::domain::limits::Unpacking;
use crate::domain::number::Number;
use crate::domain::period::in_range;
use crate::domain::{exchange, heading, limits};
use crate::project::{self, Project, SETTINGS};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All settings of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who the reports are about.
    pub company: Company,
    /// Where periods start and which days are worked.
    #[serde(default)]
    pub calendar: Calendar,
    /// How money in other currencies becomes the company's.
    #[serde(default)]
    pub money: Money,
    /// How people are grouped for rates and comparisons.
    #[serde(default)]
    pub people: People,
    /// Where results go.
    #[serde(default)]
    pub paths: Paths,
    /// How much of the machine to use. Changes no result.
    #[serde(default)]
    pub engine: Engine,
    /// Which record stands for those of other sources that are the same.
    #[serde(default)]
    pub matching: Matching,
    /// How exports are read.
    #[serde(default)]
    pub land: Land,
    /// What exports are held to before a run uses them.
    #[serde(default)]
    pub checks: Checks,
    /// The CRMs and other sources, by name.
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
}

/// The company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Its name as it prints.
    pub name: String,
    /// Its currency, ISO 4217.
    pub currency: String,
}

/// The most letters of the company's name: every page prints it.
const LONGEST_NAME: usize = 200;

/// Money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Money {
    /// How many days old a market rate may be on the day whose money it converts.
    #[serde(deserialize_with = "limits::rate_age_days")]
    pub rate_max_age_days: u32,
}

impl Default for Money {
    fn default() -> Money {
        Money { rate_max_age_days: 7 }
    }
}

/// A tenure of a hundred years is longer than any.
const LONGEST_TENURE_MONTHS: u32 = 1_200;

/// So many steps a ramp may have, and so many bands a tenure: each step is a month, each band a line of a table.
const MOST_STEPS: usize = 60;
/// What every packing program reaches with text.
const LEAST_RATIO: u64 = 20;

/// People.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// The lower ends of the tenure bands in months, ascending, from 0.
    pub tenure_bands_months: Vec<u32>,
    /// The part of a target that a new rep has in each month since the hire: `["0.25", "0.5", "0.75"]`. Then all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ramp: Vec<Number>,
    /// So many peers there must be for a quartile to be told.
    #[serde(deserialize_with = "limits::group")]
    pub minimum_group: usize,
    /// Metrics that may not be shown of a single rep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_for_teams: Vec<OnlyForTeams>,
}

/// Metrics that are scored for teams only in a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlyForTeams {
    /// The reps' holiday region; `all` means everyone.
    pub region: String,
    /// The metrics' ids.
    pub metrics: Vec<String>,
}

impl Default for People {
    fn default() -> People {
        People {
            tenure_bands_months: vec![0, 6, 12, 24],
            ramp: Vec::new(),
            minimum_group: 5,
            only_for_teams: Vec::new(),
        }
    }
}

/// Records of different sources that are the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matching {
    /// Sources by name: the record of an earlier one stands for that of a later one. Those not named follow by name.
    pub order: Vec<String>,
}

/// Folders within the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// The warehouse.
    pub warehouse: String,
    /// The readable view of the documents.
    pub reports: String,
    /// The same as linked pages, a closed folder for each audience.
    pub site: String,
    /// Which of them their group may read too; otherwise their owner alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_readable: Vec<Room>,
}

impl Default for Paths {
    fn default() -> Paths {
        let [warehouse, reports, site] = ["warehouse", "reports", "site"].map(String::from);
        Paths { warehouse, reports, site, group_readable: Vec::new() }
    }
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// Threads; 0 for as many as the machine has cores.
    #[serde(deserialize_with = "limits::threads")]
    pub threads: usize,
    /// Memory in MiB before sorts and aggregates spill to disk.
    #[serde(deserialize_with = "limits::memory_mib")]
    pub memory_mib: usize,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine { threads: 0, memory_mib: 1024 }
    }
}

/// How exports are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Land {
    /// The most MiB that one packed export may unpack to.
    pub unpacked_mib: u64,
    /// The most bytes that each byte of a packed export may unpack to, beyond the first 64 MiB.
    pub unpacked_ratio: u64,
}

impl Default for Land {
    fn default() -> Land {
        let Unpacking { most_bytes, most_ratio } = Unpacking::default();
        Land { unpacked_mib: most_bytes >> 20, unpacked_ratio: most_ratio }
    }
}

impl Land {
    /// The limits of packed exports.
    pub fn unpacking(&self) -> Unpacking {
        Unpacking { most_bytes: self.unpacked_mib.saturating_mul(1 << 20), most_ratio: self.unpacked_ratio }
    }
}

/// What exports are held to. Beyond it is a warning, further beyond it an error that stops the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// How many days the newest export of a table may be older than the run.
    #[serde(deserialize_with = "limits::age_days")]
    pub max_age_days: u32,
    /// A full export with fewer records than this part of the one before is told of.
    #[serde(deserialize_with = "limits::part_percent")]
    pub rows_warning_percent: u32,
    /// One with even fewer stops the run.
    #[serde(deserialize_with = "limits::part_percent")]
    pub rows_error_percent: u32,
    /// A controlled sum of which one closed month moved by more than this part is told of.
    #[serde(deserialize_with = "limits::change_percent")]
    pub sums_warning_percent: u32,
    /// One of which all closed months together moved by more stops the run.
    #[serde(deserialize_with = "limits::change_percent")]
    pub sums_error_percent: u32,
}

impl Default for Checks {
    fn default() -> Checks {
        Checks {
            max_age_days: 3,
            rows_warning_percent: 80,
            rows_error_percent: 50,
            sums_warning_percent: 1,
            sums_error_percent: 10,
        }
    }
}

/// One source of exports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where its exports stand: `{date}` is the data date, `{table}` the table's name, `*` anything within a name.
    pub path: String,
    /// How many days its newest exports may be older than the run, if not as `[checks]` says.
    #[serde(default, deserialize_with = "limits::maybe::age_days", skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u32>,
    /// The table in which the source's owner says how many records, and which sums, each night's exports have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_totals: Option<String>,
    /// Its tables by name.
    pub tables: BTreeMap<String, Table>,
}

/// One table of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// How one night's export relates to the nights before.
    pub fold: Fold,
    /// The first day of which its exports tell, if there was business before: what needs it is not supplied until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// Where its exports stand, if not where the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What stands between cells; a comma unless said.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// The files' encoding by its web label; unless said UTF-8, or UTF-16 with a byte order mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How many days its newest export may be older than the run, if not as its source says. A table with days of its own need
    /// not be in every night.
    #[serde(default, deserialize_with = "limits::maybe::age_days", skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u32>,
    /// As in `[checks]`.
    #[serde(default, deserialize_with = "limits::maybe::part_percent", skip_serializing_if = "Option::is_none")]
    pub rows_warning_percent: Option<u32>,
    /// As in `[checks]`.
    #[serde(default, deserialize_with = "limits::maybe::part_percent", skip_serializing_if = "Option::is_none")]
    pub rows_error_percent: Option<u32>,
    /// Columns that are not simply kept.
    #[serde(default)]
    pub columns: BTreeMap<String, Policy>,
}

fn comma() -> char {
    ','
}

/// How one export relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    /// It is the whole table.
    Full,
    /// It holds further rows.
    Append,
    /// It holds rows that are new or changed since, by key.
    Upsert,
}

/// What happens to a column on landing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It lands as it is.
    Keep,
    /// It is never written.
    Drop,
    /// Its cells land as keyed hashes: equal cells stay equal, and nothing else can be told.
    Pseudonymise,
}

/// Columns of free text and message bodies, which are dropped unless the settings keep them.
const FREE_TEXT: [&str; 8] =
    ["description", "comments", "body", "textbody", "htmlbody", "hs_note_body", "hs_email_text", "hs_email_html"];

impl Table {
    /// What the settings say of a column, however it is spelled: its name in the settings, and the policy.
    pub fn named(&self, column: &str) -> Option<(&str, Policy)> {
        let folded = heading::folded(column);
        let same = self.columns.iter().find(|(name, _)| heading::folded(name) == folded);
        same.map(|(name, policy)| (name.as_str(), *policy))
    }

    /// Whether a column is free text, which is dropped unless the settings say otherwise.
    pub fn is_free_text(column: &str) -> bool {
        FREE_TEXT.contains(&heading::folded(column).as_str())
    }

    /// The columns of which the settings keep something from the warehouse.
    pub fn private(&self) -> impl Iterator<Item = (&str, Policy)> {
        self.columns
            .iter()
            .filter(|(_, policy)| **policy != Policy::Keep)
            .map(|(name, policy)| (name.as_str(), *policy))
    }
}

/// Two names of one column, of which either could hold.
fn named_twice(table: &Table) -> Option<(&str, &str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    table.columns.keys().find_map(|name| seen.insert(heading::folded(name), name).map(|first| (first, name.as_str())))
}

impl Policy {
    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Keep => "keep",
            Policy::Drop => "drop",
            Policy::Pseudonymise => "pseudonymise",
        }
    }
}

impl Settings {
    /// Reads and checks a project's settings.
    pub fn of(project: &Project) -> Result<Settings> {
        let source = project.text(SETTINGS)?;
        let settings: Settings = project::toml(SETTINGS, source, source, 1)?;
        settings.check(source)?;
        Ok(settings)
    }

    fn check(&self, source: &str) -> Result<()> {
        let wrong = |word: &str, message: String| {
            let line = source.lines().position(|line| line.contains(word)).map_or(0, |i| i + 1);
            Err(Diagnostic::project(message).at(Place::line(SETTINGS, source, line).word(word)))
        };
        let name = self.company.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return wrong("name", format!("the company's name has 1 to {LONGEST_NAME} letters and no line ends"));
        }
        let currency = &self.company.currency;
        if !exchange::is_code(currency) {
            return wrong("currency", exchange::no_code(currency));
        }
        if self.land.unpacked_mib == 0 {
            return wrong("unpacked_mib", "`unpacked_mib` is at least 1".into());
        }
        if self.land.unpacked_ratio < LEAST_RATIO {
            return wrong(
                "unpacked_ratio",
                format!("`unpacked_ratio` is at least {LEAST_RATIO}: any packing program reaches that with text"),
            );
        }
        if let Some((word, fault)) = self.calendar.fault() {
            return wrong(word, fault);
        }
        if jiff::tz::TimeZone::get(&self.calendar.time_zone).is_err() {
            let zone = &self.calendar.time_zone;
            return wrong("time_zone", format!("`{zone}` is no time zone: use a name such as Europe/Berlin"));
        }
        let bands = &self.people.tenure_bands_months;
        if bands.first() != Some(&0) || !bands.is_sorted_by(|a, b| a < b) {
            return wrong("tenure_bands_months", "tenure bands start at 0 and ascend: [0, 6, 12, 24]".into());
        }
        if bands.len() > MOST_STEPS || bands.iter().any(|months| *months > LONGEST_TENURE_MONTHS) {
            let message = format!(
                "there are at most {MOST_STEPS} tenure bands, and none begins after {LONGEST_TENURE_MONTHS} months"
            );
            return wrong("tenure_bands_months", message);
        }
        let parts = |part: &Number| *part < Number::ZERO || *part > Number::whole(1);
        if self.people.ramp.iter().any(parts) {
            return wrong("ramp", "each part of a ramp is from 0 to 1: [\"0.25\", \"0.5\", \"0.75\"]".into());
        }
        if self.people.ramp.len() > MOST_STEPS {
            return wrong("ramp", format!("a ramp has at most {MOST_STEPS} months"));
        }
        let is_plain = |name: &&String| !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
        for (i, name) in self.matching.order.iter().enumerate() {
            if !self.sources.contains_key(name) || self.matching.order[..i].contains(name) {
                return wrong("order", format!("`{name}` must be a source, named once in the order of matching"));
            }
        }
        if let Some(name) = self.sources.keys().find(|name| name.contains(':')) {
            return wrong(name, format!("`{name}` cannot name a source: `:` ends its name within an id"));
        }
        let mut names =
            self.sources.iter().flat_map(|(name, source)| std::iter::once(name).chain(source.tables.keys()));
        if let Some(name) = names.find(|name| !is_plain(name)) {
            return wrong(name, format!("`{name}` cannot name a source or a table: it is the name of a folder too"));
        }
        for source in self.sources.values() {
            if let Some(table) = source.control_totals.as_ref().filter(|table| !source.tables.contains_key(*table)) {
                return wrong(table, format!("`control_totals` names `{table}`, which is no table of its source"))
                    .map_err(|error| {
                        error
                            .closest(table, source.tables.keys().map(String::as_str))
                            .help(format!("add it to the source's tables: {table} = {{ fold = \"full\" }}"))
                    });
            }
        }
        for (name, table) in self.sources.values().flat_map(|source| &source.tables) {
            if let Some((first, second)) = named_twice(table) {
                let message = format!(
                    "`{first}` and `{second}` of {name} name one column: case and blanks do not tell two apart"
                );
                return wrong(second, message).map_err(|error| error.help("keep one of them"));
            }
            if let Some(Err(reason)) = table.since.map(in_range) {
                return wrong("since", format!("`since` of {name}: {reason}"));
            }
            if !table.delimiter.is_ascii() {
                return wrong("delimiter", format!("the delimiter of {name} must be one ASCII character"));
            }
            if let Some(label) = &table.encoding
                && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
            {
                return wrong(label, format!("`{label}` is no known encoding: use a label such as windows-1252"));
            }
        }
        Ok(())
    }
}
