//! Periods, working days, and which parts of earlier periods unfinished ones are compared with.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

pub const GRAINS: [&str; 4] = ["week", "month", "quarter", "year"];

/// Days from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

impl Days {
    pub fn has(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    pub fn each(self) -> impl Iterator<Item = Date> {
        self.from.series(1.day()).take_while(move |day| *day <= self.to)
    }

    pub fn working(self) -> Vec<Date> {
        self.each().filter(|day| is_working_day(*day)).collect()
    }
}

/// A period of the calendar. The fiscal year is the calendar year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    pub grain: &'static str,
    pub start: Date,
}

impl Period {
    /// How long it is: so many months, or a week.
    fn length(self) -> Span {
        match self.grain {
            "week" => 1.week(),
            "month" => 1.month(),
            "quarter" => 3.months(),
            "year" => 1.year(),
            other => panic!("no such grain: {other}"),
        }
    }

    /// The period of a grain that holds `day`. Weeks start on Mondays.
    pub fn of(grain: &'static str, day: Date) -> Period {
        let start = match grain {
            "week" => day - i64::from(day.weekday().to_monday_zero_offset()).days(),
            "month" => day.first_of_month(),
            "quarter" => Date::constant(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
            _ => day.first_of_year(),
        };
        Period { grain, start }
    }

    /// So many periods later, or earlier.
    pub fn plus(self, count: i64) -> Period {
        Period { start: self.start + self.length() * count, ..self }
    }

    /// The same period a year before; of a week the one 52 weeks before.
    pub fn year_before(self) -> Period {
        Period { start: if self.grain == "week" { self.start - 52.weeks() } else { self.start - 1.year() }, ..self }
    }

    pub fn last_day(self) -> Date {
        self.plus(1).start - 1.day()
    }

    pub fn days(self) -> Days {
        Days { from: self.start, to: self.last_day() }
    }

    /// As many working days of this earlier period as have gone by of `present`: up to the day before the next working
    /// day. All of it if it has fewer, or if `present` is over; nothing before the first working day.
    pub fn compared(self, present: Period, as_of: Date) -> Option<Days> {
        if present.last_day() <= as_of {
            return Some(self.days());
        }
        let gone = Days { from: present.start, to: as_of }.working().len();
        let to = self.days().working().get(gone).map_or(self.last_day(), |next| *next - 1.day());
        (gone > 0).then_some(Days { from: self.start, to })
    }
}

pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Of each grain the period that contains `as_of`, the twelve before it, and the one a year before.
pub fn scored(as_of: Date) -> Vec<Period> {
    let mut periods = Vec::new();
    for grain in GRAINS {
        let last = Period::of(grain, as_of);
        periods.extend((0..=12).map(|back| last.plus(-back)));
        if !periods.contains(&last.year_before()) {
            periods.push(last.year_before());
        }
    }
    periods
}
