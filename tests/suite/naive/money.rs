//! Amounts in several currencies become the company's. What cannot be converted is set aside.

use super::company::{Company, Rate};
use super::credits::rounded;
use super::days::Span;
use super::metrics::ONE;
use jiff::ToSpan;
use jiff::civil::Date;

impl Company {
    /// The company as staging leaves it.
    pub fn converted(&self) -> Company {
        let mut company = self.clone();
        company.opportunities = Vec::new();
        for mut one in self.opportunities.iter().cloned() {
            let day = one.rate_on.unwrap_or(self.as_of);
            if let Some(amount) = one.amount {
                let Some(converted) = self.market(amount, one.currency, day) else { continue };
                one.amount = Some(converted);
                one.at_plan = self.plan(amount, one.currency, day);
            }
            company.opportunities.push(one);
        }
        company.history = Vec::new();
        for mut change in self.history.iter().cloned() {
            if let Some(amount) = change.amount {
                let Some(converted) = self.market(amount, change.currency, change.day) else { continue };
                change.amount = Some(converted);
            }
            company.history.push(change);
        }
        let is_there = |id: &String| company.opportunities.iter().any(|one| one.id == *id);
        company.credits = self.credits.iter().filter(|credit| is_there(&credit.opportunity)).cloned().collect();
        company
    }

    fn market(&self, amount: i64, currency: Option<&str>, day: Date) -> Option<i64> {
        let Some(currency) = currency.filter(|code| *code != "EUR") else { return Some(at(amount, ONE)) };
        let newest = self.newest(currency, true, day)?;
        let fresh = Span { start: day - self.rate_days.days(), end: day };
        fresh.has(newest.day).then(|| at(amount, newest.rate))
    }

    fn plan(&self, amount: i64, currency: Option<&str>, day: Date) -> Option<i64> {
        let Some(currency) = currency.filter(|code| *code != "EUR") else { return Some(at(amount, ONE)) };
        self.newest(currency, false, day).map(|newest| at(amount, newest.rate))
    }

    fn newest(&self, currency: &str, market: bool, day: Date) -> Option<&Rate> {
        let known = self.rates.iter().filter(|rate| rate.currency == currency && rate.market == market);
        known.filter(|rate| rate.day <= day).max_by_key(|rate| rate.day)
    }
}

/// An amount in ten-thousandths at a rate in trillionths: to the cent, in ten-thousandths.
fn at(amount: i64, rate: i128) -> i64 {
    rounded(i128::from(amount) * rate, ONE * 100) as i64 * 100
}
