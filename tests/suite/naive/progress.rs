//! How far a period is, and the days of earlier ones that it is compared with.

use super::company::Company;
use super::days::{GRAINS, Span};
use super::scored::When;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

impl Company {
    pub fn working_days(&self, span: Span) -> Vec<Date> {
        span.days().into_iter().filter(|day| self.works(None, *day)).collect()
    }

    /// The part of a period in which so many working days go by: up to the day before the next one.
    pub fn part(&self, period: Span, worked: usize) -> Span {
        let next = self.working_days(period).get(worked).copied();
        Span { start: period.start, end: next.map_or(period.end, |next| next - 1.day()) }
    }

    /// How many of a period's working days have gone by.
    pub fn gone(&self, period: Span) -> usize {
        self.working_days(period).iter().filter(|day| **day <= self.as_of).count()
    }

    /// The day on which a period's stocks are measured, and its people are looked at.
    pub fn measured(&self, span: Span) -> Date {
        span.end.min(self.as_of)
    }
}

/// A period that is scored.
pub struct Scored {
    pub period: Span,
    pub next: Span,
    /// What it is compared with of the period before, and of that a year before, if these are scored: all of them, or as
    /// many working days as have gone by.
    pub compared: [Option<When>; 2],
}

/// The periods of a grain that are scored.
pub type Periods = BTreeMap<&'static str, Vec<Scored>>;

pub fn periods(company: &Company) -> Periods {
    let of_grain = |grain: &'static str| {
        let all = company.cal.scored(grain, company.anchor);
        let compared = |period: Span, earlier: Span| {
            all.contains(&earlier).then(|| match period.end > company.as_of {
                true => When { period: earlier, days: company.part(earlier, company.gone(period)), of: period },
                false => When::whole(earlier),
            })
        };
        let scored = |period: &Span| Scored {
            period: *period,
            next: company.cal.period(grain, period.end + 1.day()),
            compared: [company.cal.previous(grain, *period), company.cal.year_before(grain, *period)]
                .map(|earlier| compared(*period, earlier)),
        };
        (grain, all.iter().map(scored).collect())
    };
    GRAINS.into_iter().map(of_grain).collect()
}
