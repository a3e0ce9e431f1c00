//! Days, periods and the calendar's rules.

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Unit};
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
}

impl Period {
    /// The day on which what holds over time is measured: the last day, or `as_of` if that is earlier.
    pub fn measured_on(&self, as_of: Date) -> Date {
        self.end.min(as_of)
    }

    /// The name in paths and on the command line: `2026-09`, `2026-Q3`, `2026`, else the first day.
    pub fn name(&self) -> String {
        match self.grain {
            Grain::Month => self.start.strftime("%Y-%m").to_string(),
            Grain::Year => format!("{}", self.end.year()),
            Grain::Quarter => format!("{}-Q{}", self.end.year(), (self.end.month() - 1) / 3 + 1),
            Grain::Day | Grain::Week => self.start.to_string(),
        }
    }
}

/// Where periods start, and which days are worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// The zone in which a moment becomes a day, by its name in the time zone database.
    pub time_zone: String,
    /// The first day of the week.
    pub week_starts_on: Day,
    /// The first month of the fiscal year, 1 to 12. A fiscal year is named by the year in which it ends.
    pub fiscal_year_starts_in: i8,
    /// The days of the week that are worked.
    pub working_days: Vec<Day>,
}

impl Default for Calendar {
    fn default() -> Calendar {
        use Day::*;
        Calendar {
            time_zone: "UTC".into(),
            week_starts_on: Monday,
            fiscal_year_starts_in: 1,
            working_days: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    fn of(date: Date) -> Day {
        match date.weekday() {
            Weekday::Monday => Day::Monday,
            Weekday::Tuesday => Day::Tuesday,
            Weekday::Wednesday => Day::Wednesday,
            Weekday::Thursday => Day::Thursday,
            Weekday::Friday => Day::Friday,
            Weekday::Saturday => Day::Saturday,
            Weekday::Sunday => Day::Sunday,
        }
    }
}

impl Calendar {
    /// Whether people work on this day.
    pub fn is_working_day(&self, date: Date) -> bool {
        self.working_days.contains(&Day::of(date))
    }

    /// The period of this grain that contains the day.
    pub fn period(&self, grain: Grain, date: Date) -> Period {
        let (start, next) = match grain {
            Grain::Day => (date, date + 1.day()),
            Grain::Week => {
                let into_week = (Day::of(date) as i32 - self.week_starts_on as i32).rem_euclid(7);
                let start = date - into_week.days();
                (start, start + 7.days())
            }
            Grain::Month => self.months(date, 1),
            Grain::Quarter => self.months(date, 3),
            Grain::Year => self.months(date, 12),
        };
        Period { grain, start, end: next - 1.day() }
    }

    /// The first days of this and the next block of `count` months of the fiscal year.
    fn months(&self, date: Date, count: i32) -> (Date, Date) {
        let into_block = (i32::from(date.month()) - i32::from(self.fiscal_year_starts_in)).rem_euclid(count);
        let start = date.first_of_month() - into_block.months();
        (start, start + count.months())
    }

    /// The period before this one.
    pub fn previous(&self, period: Period) -> Period {
        self.period(period.grain, period.start - 1.day())
    }

    /// The same period of the year before.
    pub fn year_before(&self, period: Period) -> Period {
        match period.grain {
            // Weeks are compared with the week 52 weeks earlier, so that both have the same days.
            Grain::Week => self.period(Grain::Week, period.start - 52.weeks()),
            grain => self.period(grain, period.start - 1.year()),
        }
    }

    /// The period that contains the day and the ones before it, oldest first; `count` in all.
    pub fn trailing(&self, grain: Grain, date: Date, count: usize) -> Vec<Period> {
        let mut periods = vec![self.period(grain, date)];
        while periods.len() < count {
            periods.push(self.previous(periods[periods.len() - 1]));
        }
        periods.reverse();
        periods
    }
}

/// Whole days from one date to another; negative if `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_follow_the_fiscal_year() {
        let plain = Calendar::default();
        let april = Calendar { fiscal_year_starts_in: 4, week_starts_on: Day::Sunday, ..Calendar::default() };
        let day = date(2026, 2, 15);
        assert_eq!(plain.period(Grain::Quarter, day).start, date(2026, 1, 1));
        assert_eq!(april.period(Grain::Quarter, day).start, date(2026, 1, 1));
        assert_eq!(april.period(Grain::Year, day).start, date(2025, 4, 1));
        assert_eq!(april.period(Grain::Year, day).name(), "2026");
        assert_eq!(april.period(Grain::Week, day).start, day);
        assert_eq!(plain.period(Grain::Week, day).start, date(2026, 2, 9));
        assert_eq!(plain.period(Grain::Month, day).end, date(2026, 2, 28));
    }

    #[test]
    fn trailing_periods_end_with_the_one_asked_for() {
        let months = Calendar::default().trailing(Grain::Month, date(2026, 9, 30), 13);
        assert_eq!(months.len(), 13);
        assert_eq!(months[0].start, date(2025, 9, 1));
        assert_eq!(Calendar::default().year_before(months[12]), months[0]);
    }
}
