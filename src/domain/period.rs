//! Periods: stretches of whole days.

use jiff::Unit;
use jiff::civil::{Date, date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// One day.
    Day,
    /// Seven days from the calendar's first day of the week.
    Week,
    /// A calendar month.
    Month,
    /// Three months of the fiscal year.
    Quarter,
    /// A fiscal year.
    Year,
}

impl Grain {
    /// All grains, shortest first.
    pub const ALL: [Grain; 5] = [Grain::Day, Grain::Week, Grain::Month, Grain::Quarter, Grain::Year];

    /// The name in files and columns.
    pub fn name(self) -> &'static str {
        match self {
            Grain::Day => "day",
            Grain::Week => "week",
            Grain::Month => "month",
            Grain::Quarter => "quarter",
            Grain::Year => "year",
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Grain {
    type Err = String;

    fn from_str(text: &str) -> Result<Grain, String> {
        let found = Grain::ALL.into_iter().find(|grain| grain.name() == text);
        found.ok_or_else(|| format!("`{text}` is no grain: day, week, month, quarter or year"))
    }
}

/// A stretch of whole days that starts and ends where the calendar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// How long it is.
    pub grain: Grain,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
    /// Whether it is one of the calendar's own list, and not a plain month, quarter or year.
    pub listed: bool,
}

impl Period {
    /// The day on which what holds over time is measured: the last day, or `as_of` if that is earlier.
    pub fn measured_on(&self, as_of: Date) -> Date {
        self.end.min(as_of)
    }

    /// The name in paths and on the command line: `2026-09`, `2026-Q3`, `2026`, else the first day. A listed period has
    /// its first day as well: two of them may start in one month.
    pub fn name(&self) -> String {
        match self.grain {
            _ if self.listed => self.start.to_string(),
            Grain::Month => self.start.strftime("%Y-%m").to_string(),
            Grain::Year => format!("{}", self.end.year()),
            Grain::Quarter => format!("{}-Q{}", self.end.year(), (self.end.month() - 1) / 3 + 1),
            Grain::Day | Grain::Week => self.start.to_string(),
        }
    }
}

/// The first day that can be meant. Spreadsheets begin here, and a day before it is a slip of the pen, such as the year 0026.
pub const FIRST_DAY: Date = date(1900, 1, 1);
/// The last day that can be meant. A day behind it is a slip, such as the year 2926, or says "for good": 9999-12-31. Within
/// these two the engine can reckon with any day, also in nanoseconds.
pub const LAST_DAY: Date = date(2199, 12, 31);

/// The day itself, if it can be meant.
///
/// # Errors
/// What to say of it otherwise.
pub fn in_range(day: Date) -> Result<Date, String> {
    match (FIRST_DAY..=LAST_DAY).contains(&day) {
        true => Ok(day),
        false => Err(format!("{day} is out of range: days from {FIRST_DAY} to {LAST_DAY} can be meant")),
    }
}

/// Day zero of Arrow's dates.
pub const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Whole days from one date to another; negative if `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days())
}
