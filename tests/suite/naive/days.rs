//! Days: where periods begin, which days are worked, and which periods are compared. Day by day, by the written rules.

use jiff::ToSpan;
use jiff::civil::Date;

pub const GRAINS: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// When periods begin and which days are worked.
#[derive(Clone, Debug)]
pub struct Cal {
    /// 0 is Monday.
    pub week_starts_on: i8,
    pub fiscal_month: i8,
    /// From Monday.
    pub worked: [bool; 7],
    /// Listed first days of months, quarters and years.
    pub months: Vec<Date>,
    pub quarters: Vec<Date>,
    pub years: Vec<Date>,
    /// The pattern and the years, if the lists come from weeks.
    pub weeks: Option<([i32; 3], Vec<Date>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: Date,
    pub end: Date,
}

impl Span {
    pub fn has(self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }

    pub fn days(self) -> Vec<Date> {
        let mut days = Vec::new();
        let mut day = self.start;
        while day <= self.end {
            days.push(day);
            day += 1.day();
        }
        days
    }
}

pub fn weekday(day: Date) -> i8 {
    day.weekday().to_monday_zero_offset()
}

impl Cal {
    fn listed(&self, grain: &str) -> &[Date] {
        match grain {
            "month" => &self.months,
            "quarter" => &self.quarters,
            "year" => &self.years,
            _ => &[],
        }
    }

    /// Whether a period of this grain begins on the day.
    fn begins(&self, grain: &str, day: Date) -> bool {
        let list = self.listed(grain);
        if let (Some(first), Some(last)) = (list.first(), list.last())
            && *first <= day
            && day <= *last
        {
            return list.contains(&day);
        }
        let months = match grain {
            "day" => return true,
            "week" => return weekday(day) == self.week_starts_on,
            "month" => 1,
            "quarter" => 3,
            _ => 12,
        };
        day.day() == 1 && (day.month() - self.fiscal_month).rem_euclid(months) == 0
    }

    pub fn period(&self, grain: &str, day: Date) -> Span {
        let (mut start, mut next) = (day, day + 1.day());
        while !self.begins(grain, start) {
            start -= 1.day();
        }
        while !self.begins(grain, next) {
            next += 1.day();
        }
        Span { start, end: next - 1.day() }
    }

    pub fn previous(&self, grain: &str, period: Span) -> Span {
        self.period(grain, period.start - 1.day())
    }

    pub fn year_before(&self, grain: &str, period: Span) -> Span {
        if grain == "week" {
            return self.period(grain, period.start - 52.weeks());
        }
        if self.listed(grain).is_empty() {
            return self.period(grain, period.start - 1.year());
        }
        // Of a listed period the middle, for it may begin some days earlier or later.
        let middle = period.start + ((period.days().len() as i64 - 1) / 2).days();
        self.period(grain, middle - 1.year())
    }

    /// The period that contains a day, the twelve before, and the one a year before; the newest first.
    pub fn scored(&self, grain: &str, day: Date) -> Vec<Span> {
        let mut all = vec![self.period(grain, day)];
        while all.len() < 13 {
            all.push(self.previous(grain, all[all.len() - 1]));
        }
        let before = self.year_before(grain, all[0]);
        if !all.contains(&before) {
            all.push(before);
        }
        all
    }
}
