//! Quotas, day by day: spread over working days, less ramp and leave, in the team of each day.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::company::Company;
use super::numbers::{CENT, ONE, rounded};
use super::periods::{Days, Period};

/// A quota of a rep, in trillionths.
pub struct Quota {
    pub metric: String,
    pub rep: String,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
    pub amount: i128,
}

/// (level, entity, period) -> the sum of the days.
pub type Targets = BTreeMap<(usize, String, Period), i128>;

/// The targets of a metric. Money is spread in cents, all else in millionths.
pub fn of(company: &Company, metric: &str, is_money: bool, periods: &[Period]) -> Targets {
    let unit = if is_money { CENT } else { ONE / 1_000_000 };
    let mut targets = Targets::new();
    for quota in company.quotas.iter().filter(|quota| quota.metric == metric) {
        for (day, amount) in days_of(company, quota, unit) {
            let entities = company.people.entities(Some(&quota.rep), day);
            for period in periods.iter().filter(|period| period.days().has(day)) {
                for (level, entity) in entities.iter().enumerate() {
                    *targets.entry((level, entity.clone(), *period)).or_default() += amount;
                }
            }
        }
    }
    targets
}

/// A quota by working day: the same for each day, the odd units to the earliest days, then less leave.
fn days_of(company: &Company, quota: &Quota, unit: i128) -> Vec<(Date, i128)> {
    let same = company.quotas.iter().filter(|other| other.metric == quota.metric && other.rep == quota.rep);
    let later = same.map(|other| other.starts_on).filter(|start| *start > quota.starts_on);
    // Without an end and without a next start nobody can say over which days to spread: such a row gives nothing.
    let Some(to) = quota.ends_on.or_else(|| later.min().map(|start| start - 1.day())) else { return Vec::new() };
    let all = Days { from: quota.starts_on, to };
    let mut days = all.working();
    if days.is_empty() {
        days = all.each().collect(); // no day of it is worked
    }
    let count = i128::try_from(days.len()).expect("a count");
    let units = rounded(quota.amount, unit);
    let odd = units.rem_euclid(count);
    let given = (0..count).map(|place| units.div_euclid(count) + i128::from(place < odd));
    // Rounding runs along: the sum up to each day is the exact sum, rounded.
    let (mut exact, mut told) = (0, 0);
    let due = days.into_iter().zip(given).map(|(day, units)| {
        exact += units * (ONE - company.leave(&quota.rep, day));
        let part = rounded(exact, ONE) - told;
        told += part;
        (day, part * unit)
    });
    due.collect()
}

impl Company {
    /// How much of a day somebody is on leave, in trillionths.
    pub fn leave(&self, rep: &str, day: Date) -> i128 {
        let own = self.people.absences.iter().filter(|absence| absence.rep == rep && absence.covers(day));
        own.map(|absence| absence.share).sum::<i128>().min(ONE)
    }
}
