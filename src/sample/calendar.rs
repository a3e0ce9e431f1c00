//! Days, months and moments in Berlin, and how they stand in an export: days as they are, moments in UTC.
//!
//! The rule for summer time is written out here, so that no machine's time-zone database can change a byte.

use crate::sample::rng::Rng;
use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Central European time as the European Union has set it since 1996.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// Days on which nobody works, as month and day.
const HOLIDAYS: [(i8, i8); 7] = [(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)];

/// A day in Berlin, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i32);

impl Day {
    /// The day of a date that exists.
    pub const fn of(year: i16, month: i8, day: i8) -> Day {
        let (year, month, day) = (year as i32, month as i32, day as i32);
        // Years begin in March, so that the leap day is the last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        Day(year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469)
    }

    /// So many days later, or earlier.
    pub const fn plus(self, days: i64) -> Day {
        Day(self.0 + days as i32)
    }

    /// How many days after `other` this is.
    pub fn since(self, other: Day) -> i64 {
        i64::from(self.0 - other.0)
    }

    /// The date.
    pub fn date(self) -> Date {
        Date::constant(1970, 1, 1).saturating_add(Span::new().days(self.0))
    }

    /// The month that it is in.
    pub fn month(self) -> Month {
        let date = self.date();
        Month::of(date.year(), date.month())
    }

    /// Its last moment: an export of that night knows everything up to here.
    pub const fn end(self) -> Moment {
        Moment { day: self, second: 86_399 }
    }

    /// That time of the day.
    pub const fn at(self, hour: i32, minute: i32) -> Moment {
        Moment { day: self, second: hour * 3600 + minute * 60 }
    }

    fn weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) >= 5
    }
}

/// A calendar month, counted from year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// A month of a year.
    pub const fn of(year: i16, month: i8) -> Month {
        Month(year as i32 * 12 + month as i32 - 1)
    }

    /// So many months later, or earlier.
    pub fn plus(self, months: i32) -> Month {
        Month(self.0 + months)
    }

    /// How many months after `other` this is.
    pub fn since(self, other: Month) -> i32 {
        self.0 - other.0
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.div_euclid(12) as i16
    }

    /// 0 for January, 11 for December.
    pub fn of_year(self) -> usize {
        self.0.rem_euclid(12) as usize
    }

    /// Its first day.
    pub fn first(self) -> Day {
        Day::of(self.year(), self.of_year() as i8 + 1, 1)
    }

    /// Its last day.
    pub fn last(self) -> Day {
        self.plus(1).first().plus(-1)
    }

    /// Itself and those up to `last`.
    pub fn to(self, last: Month) -> impl Iterator<Item = Month> {
        (self.0..=last.0).map(Month)
    }

    /// A number that no other month has, for records that are counted by month.
    pub fn serial(self) -> usize {
        (self.0 - Month::of(2000, 1).0) as usize
    }

    /// The stream number for a rep's month, the same however many months a sample has.
    pub fn stream(self, rep: usize) -> u64 {
        rep as u64 * 100_000 + self.0 as u64
    }
}

/// A second of a day in Berlin. Nothing happens between two and three at night, where the clock may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The day in Berlin.
    pub day: Day,
    /// Seconds since the day began.
    pub second: i32,
}

impl Moment {
    /// So many minutes later, within the day.
    pub fn later(self, minutes: i64) -> Moment {
        Moment { day: self.day, second: (self.second + minutes as i32 * 60).min(86_399) }
    }
}

/// What is to know about each day, worked out once.
pub struct Calendar {
    first: Day,
    days: Vec<Known>,
}

#[derive(Clone)]
struct Known {
    text: [u8; 10],
    offset_seconds: i32,
    works: bool,
}

impl Calendar {
    /// The calendar for some months and the two years around them.
    pub fn new(first: Month, last: Month) -> Calendar {
        let berlin = TimeZone::posix(BERLIN).expect("the rule is written in POSIX's form");
        let (first, last) = (first.plus(-24).first(), last.plus(24).last());
        let days = (first.0..=last.0).map(|day| Known::of(Day(day), &berlin)).collect();
        Calendar { first, days }
    }

    fn known(&self, day: Day) -> &Known {
        let place = day.since(self.first).clamp(0, self.days.len() as i64 - 1);
        &self.days[place as usize]
    }

    /// The day as exports write it.
    pub fn day(&self, day: Day) -> [u8; 10] {
        // People may have been hired long before the sample's first month.
        if day < self.first { digits(day) } else { self.known(day).text }
    }

    /// The moment as exports write it: in UTC.
    pub fn moment(&self, moment: Moment) -> [u8; 19] {
        let offset = if moment.day < self.first { 3600 } else { self.known(moment.day).offset_seconds };
        let utc = moment.second - offset;
        let (day, second) = if utc < 0 { (moment.day.plus(-1), utc + 86_400) } else { (moment.day, utc) };
        let mut text = *b"0000-00-00 00:00:00";
        text[..10].copy_from_slice(&self.day(day));
        for (place, part) in [(11, second / 3600), (14, second / 60 % 60), (17, second % 60)] {
            text[place] += (part / 10) as u8;
            text[place + 1] += (part % 10) as u8;
        }
        text
    }

    /// This day if people work on it, else the next such day.
    pub fn workday_from(&self, mut day: Day) -> Day {
        while !self.known(day).works {
            day = day.plus(1);
        }
        day
    }

    /// This day if people work on it, else the last such day before.
    pub fn workday_to(&self, mut day: Day) -> Day {
        while !self.known(day).works {
            day = day.plus(-1);
        }
        day
    }

    /// The days of a month on which people work.
    pub fn workdays(&self, month: Month) -> Vec<Day> {
        (month.first().0..=month.last().0).map(Day).filter(|day| self.known(*day).works).collect()
    }

    /// Some time of the day, nearly always between 8 and 18 o'clock.
    pub fn hours(&self, day: Day, rng: &mut Rng) -> Moment {
        // A few are typed in after midnight: in UTC that is still the day before.
        let late = self.known(day).works && rng.between(0, 149) == 0;
        let second = if late { rng.between(300, 3_300) } else { rng.between(8 * 3600, 18 * 3600 - 1) };
        Moment { day, second: second as i32 }
    }
}

impl Known {
    fn of(day: Day, berlin: &TimeZone) -> Known {
        let date = day.date();
        // Noon stands for the whole day: the clock jumps on Sunday nights, when nobody works.
        let noon = date.at(12, 0, 0, 0).to_zoned(berlin.clone()).expect("the sample's years have time zones");
        let offset_seconds = noon.offset().seconds();
        let holiday = HOLIDAYS.contains(&(date.month(), date.day()));
        Known { text: digits(day), offset_seconds, works: !day.weekend() && !holiday }
    }
}

/// `2026-09-29`.
fn digits(day: Day) -> [u8; 10] {
    let date = day.date();
    let mut text = *b"0000-00-00";
    let parts = [(0, date.year() / 100), (2, date.year() % 100), (5, date.month().into()), (8, date.day().into())];
    for (place, part) in parts {
        text[place] += (part / 10) as u8;
        text[place + 1] += (part % 10) as u8;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_read_as_exported() {
        let calendar = Calendar::new(Month::of(2026, 1), Month::of(2026, 9));
        let text = |day: Day, hour, minute| calendar.moment(day.at(hour, minute));
        assert_eq!(text(Day::of(2026, 1, 15), 9, 5), *b"2026-01-15 08:05:00");
        assert_eq!(text(Day::of(2026, 3, 30), 9, 5), *b"2026-03-30 07:05:00");
        assert_eq!(text(Day::of(2026, 7, 1), 0, 30), *b"2026-06-30 22:30:00");
        assert_eq!(calendar.moment(Day::of(2026, 9, 29).end()), *b"2026-09-29 21:59:59");
        assert_eq!(calendar.day(Day::of(2011, 2, 28)), *b"2011-02-28");
        for n in -800..40_000 {
            let date = Day(n).date();
            assert_eq!(Day::of(date.year(), date.month(), date.day()), Day(n));
        }
    }

    #[test]
    fn nobody_works_on_weekends_and_holidays() {
        let calendar = Calendar::new(Month::of(2026, 1), Month::of(2026, 9));
        assert_eq!(calendar.workday_from(Day::of(2026, 9, 26)), Day::of(2026, 9, 28));
        assert_eq!(calendar.workday_to(Day::of(2026, 1, 1)), Day::of(2025, 12, 30));
        assert_eq!(calendar.workdays(Month::of(2026, 5)).len(), 20);
    }
}
