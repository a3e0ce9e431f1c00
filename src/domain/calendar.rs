//! The company's calendar: where periods start, and which days of the week are worked.

use crate::domain::period::{FIRST_DAY, Grain, LAST_DAY, Period, days_between, in_range};
use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday, date, time};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

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
    /// From when to when a working day is worked.
    #[serde(skip_serializing_if = "is_usual")]
    pub opening_hours: [Time; 2],
    /// First days of periods that are no plain months, quarters or years; each lasts up to the next one's, and the last
    /// day only ends the one before it. Outside the list the plain periods hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub starts: BTreeMap<Grain, Vec<Date>>,
    /// A retail calendar: quarters of thirteen weeks, such as 4-4-5. Excludes `starts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weeks: Option<Weeks>,
}

/// The first day of the model's calendar. A fixed span keeps that table, and all that reads it, the same from night to night.
pub const FIRST: Date = date(2000, 1, 1);
/// Its last day, and so the last one that a run can have.
pub const LAST: Date = date(2049, 12, 31);

/// Whether a run can have this date: a day that the model's calendar has.
///
/// # Errors
/// What to say of it otherwise.
pub fn can_be_run(day: Date) -> Result<Date, String> {
    match (FIRST..=LAST).contains(&day) {
        true => Ok(day),
        false => Err(format!("a run's date is from {FIRST} to {LAST}, the days of the calendar, and not {day}")),
    }
}

/// Nine to five.
const USUAL_HOURS: [Time; 2] = [time(9, 0, 0, 0), time(17, 0, 0, 0)];

fn is_usual(hours: &[Time; 2]) -> bool {
    *hours == USUAL_HOURS
}

/// Fiscal years of whole weeks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weeks {
    /// The weeks of a quarter's three months: `[4, 4, 5]`.
    pub pattern: [i32; 3],
    /// The first days of the fiscal years; the last one only ends the year before it. A year of 53 weeks gives its last
    /// month one more.
    pub year_starts: Vec<Date>,
}

impl Weeks {
    /// The first days of its months, quarters or years.
    fn starts(&self, grain: Grain) -> Vec<Date> {
        let mut starts = Vec::new();
        let years = self.year_starts.len().saturating_sub(1);
        for year in &self.year_starts[..years] {
            let mut start = *year;
            for month in 0..12 {
                match grain {
                    Grain::Quarter if month % 3 > 0 => {}
                    Grain::Year if month > 0 => {}
                    _ => starts.push(start),
                }
                start += self.pattern[month % 3].weeks();
            }
        }
        starts.extend(self.year_starts.last());
        starts
    }
}

impl Default for Calendar {
    fn default() -> Calendar {
        use Day::*;
        Calendar {
            time_zone: "UTC".into(),
            week_starts_on: Monday,
            fiscal_year_starts_in: 1,
            working_days: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
            opening_hours: USUAL_HOURS,
            starts: BTreeMap::new(),
            weeks: None,
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

    /// What is wrong with it, if anything: the word that is to be corrected, and why.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if !(1..=12).contains(&self.fiscal_year_starts_in) {
            return Some(("fiscal_year_starts_in", "a fiscal year starts in a month from 1 to 12".into()));
        }
        if self.working_days.is_empty() {
            return Some(("working_days", "a week without working days leaves targets without days".into()));
        }
        if self.opening_hours[0] >= self.opening_hours[1] {
            return Some(("opening_hours", "opening hours end after they begin: [\"09:00\", \"17:00\"]".into()));
        }
        for (grain, starts) in &self.starts {
            if matches!(grain, Grain::Day | Grain::Week) {
                return Some(("starts", format!("a {grain} has no list of starts: months, quarters and years have")));
            }
            if let Some(reason) = starts.iter().find_map(|start| in_range(*start).err()) {
                return Some(("starts", reason));
            }
            if starts.len() < 2 || !starts.is_sorted_by(|a, b| a < b) {
                return Some((
                    "starts",
                    format!("the starts of {grain} ascend, and the last one ends the one before it"),
                ));
            }
        }
        let weeks = self.weeks.as_ref()?;
        if !self.starts.is_empty() {
            return Some(("weeks", "`weeks` and `starts` exclude each other".into()));
        }
        if weeks.pattern.iter().any(|weeks| !(1..13).contains(weeks)) || weeks.pattern.iter().sum::<i32>() != 13 {
            return Some(("pattern", "a quarter has thirteen weeks: [4, 4, 5]".into()));
        }
        if let Some(reason) = weeks.year_starts.iter().find_map(|start| in_range(*start).err()) {
            return Some(("year_starts", reason));
        }
        let years = weeks.year_starts.windows(2).map(|years| days_between(years[0], years[1]));
        if weeks.year_starts.len() < 2 || years.into_iter().any(|days| days != 52 * 7 && days != 53 * 7) {
            return Some((
                "year_starts",
                "a year of weeks has 52 or 53 of them, and the last start ends the last".into(),
            ));
        }
        None
    }

    /// The list of first days that a grain has, if it has one.
    fn listed(&self, grain: Grain) -> Option<Cow<'_, [Date]>> {
        match (&self.weeks, grain) {
            (Some(weeks), Grain::Month | Grain::Quarter | Grain::Year) => Some(weeks.starts(grain).into()),
            _ => self.starts.get(&grain).map(|starts| starts.as_slice().into()),
        }
    }

    /// The period of this grain that contains the day.
    pub fn period(&self, grain: Grain, date: Date) -> Period {
        let Some(starts) = self.listed(grain) else { return self.plain(grain, date) };
        let next = starts.partition_point(|start| *start <= date);
        match (next.checked_sub(1).map(|i| starts[i]), starts.get(next)) {
            (Some(start), Some(next)) => Period { grain, start, end: *next - 1.day(), listed: true },
            // Outside the list, up to it.
            (None, Some(first)) => {
                let plain = self.plain(grain, date);
                Period { end: plain.end.min(*first - 1.day()), ..plain }
            }
            (last, None) => {
                let plain = self.plain(grain, date);
                Period { start: last.map_or(plain.start, |last| plain.start.max(last)), ..plain }
            }
        }
    }

    fn plain(&self, grain: Grain, date: Date) -> Period {
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
        Period { grain, start, end: next - 1.day(), listed: false }
    }

    /// The first days of this and the next block of `count` months of the fiscal year.
    fn months(&self, date: Date, count: i32) -> (Date, Date) {
        let into_block = (i32::from(date.month()) - i32::from(self.fiscal_year_starts_in)).rem_euclid(count);
        let start = date.first_of_month() - into_block.months();
        (start, start + count.months())
    }

    /// The period of this grain that has the name, as [`Period::name`] gives it.
    pub fn named(&self, grain: Grain, name: &str) -> Option<Period> {
        // Whatever its grain, a name begins with a year in which the period starts or ends.
        let year: i16 =
            name.get(..4)?.parse().ok().filter(|year| (FIRST_DAY.year()..=LAST_DAY.year()).contains(year))?;
        let mut period = self.period(grain, jiff::civil::date(year, 1, 1));
        while period.start.year() <= year {
            if period.name() == name {
                return Some(period);
            }
            period = self.period(grain, period.end + 1.day());
        }
        None
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
            // The middle, for listed periods may start some days earlier or later.
            grain if self.listed(grain).is_some() => {
                let middle = period.start + (days_between(period.start, period.end) / 2).days();
                self.period(grain, middle - 1.year())
            }
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn weeks_make_months_of_four_four_and_five() {
        let years = [date(2025, 2, 2), date(2026, 2, 1), date(2027, 1, 31)];
        let calendar =
            Calendar { weeks: Some(Weeks { pattern: [4, 4, 5], year_starts: years.into() }), ..Calendar::default() };
        assert_eq!(calendar.fault(), None);
        let months: Vec<Date> =
            calendar.trailing(Grain::Month, date(2026, 5, 2), 4).iter().map(|month| month.start).collect();
        assert_eq!(months, [date(2025, 12, 28), date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 29)]);
        let month = calendar.period(Grain::Month, date(2026, 4, 10));
        assert_eq!((month.end, month.name()), (date(2026, 5, 2), "2026-03-29".to_owned()));
        assert_eq!(calendar.year_before(month).start, date(2025, 3, 30));
        assert_eq!(calendar.period(Grain::Year, date(2026, 5, 2)).start, date(2026, 2, 1));
        // Outside the list plain periods hold, up to it.
        assert_eq!(calendar.period(Grain::Month, date(2025, 2, 1)).end, date(2025, 2, 1));
        assert_eq!(calendar.period(Grain::Month, date(2027, 2, 10)).start, date(2027, 2, 1));
    }

    #[test]
    fn every_period_is_found_by_its_name() {
        let years = [date(2025, 2, 2), date(2026, 2, 1), date(2027, 1, 31)];
        let weeks = Some(Weeks { pattern: [4, 4, 5], year_starts: years.into() });
        let calendars = [
            Calendar::default(),
            Calendar { fiscal_year_starts_in: 11, week_starts_on: Day::Sunday, ..Calendar::default() },
            Calendar { weeks, ..Calendar::default() },
        ];
        for calendar in calendars {
            for grain in Grain::ALL {
                for period in calendar.trailing(grain, date(2027, 4, 30), 40) {
                    assert_eq!(calendar.named(grain, &period.name()), Some(period), "{}", period.name());
                }
            }
        }
        let plain = Calendar::default();
        for wrong in ["2026-13", "2026-Q5", "2026-9", "26-09", "", "september", "9999", "2026-09-01", "2026-0\u{e9}"] {
            assert_eq!(plain.named(Grain::Month, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn listed_quarters_hold_from_start_to_start() {
        let starts = [date(2025, 12, 29), date(2026, 3, 31), date(2026, 7, 1), date(2026, 9, 29), date(2026, 12, 29)];
        let starts = BTreeMap::from([(Grain::Quarter, starts.to_vec())]);
        let calendar = Calendar { starts, ..Calendar::default() };
        let quarter = calendar.period(Grain::Quarter, date(2026, 3, 30));
        assert_eq!((quarter.start, quarter.end), (date(2025, 12, 29), date(2026, 3, 30)));
        let before = calendar.previous(quarter);
        assert_eq!((before.start, before.end), (date(2025, 10, 1), date(2025, 12, 28)));
        assert_eq!(calendar.period(Grain::Month, date(2026, 3, 30)).name(), "2026-03");
    }
}
