//! Amounts in the company's currency, at the rate of a day.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::numbers::{CENT, ONE, rounded, to_cents};
use super::rows::Quarantined;

/// The company's currency, as in scorebook.toml.
const OWN: &str = "EUR";
/// How old a market rate may be, in days.
const MAX_AGE: i32 = 7;

/// (currency, kind) -> the rates by day, in trillionths.
#[derive(Default)]
pub struct Rates(pub BTreeMap<(String, String), BTreeMap<Date, i128>>);

impl Rates {
    /// An amount at the newest market rate of the day or before, if that is fresh enough. No amount needs no rate.
    pub fn convert(&self, amount: Option<i128>, currency: &str, day: Date) -> Result<Option<i128>, Quarantined> {
        let Some(amount) = amount else { return Ok(None) };
        if is_own(currency) {
            return Ok(Some(to_cents(amount)));
        }
        let (valid_on, rate) = self.newest(currency, "market", day).ok_or(Quarantined)?;
        if (day - valid_on).get_days() > MAX_AGE {
            return Err(Quarantined);
        }
        Ok(Some(converted(amount, rate)))
    }

    /// An amount at the plan's newest rate of the day or before, however old.
    pub fn at_plan(&self, amount: Option<i128>, currency: &str, day: Date) -> Option<i128> {
        if is_own(currency) {
            return amount.map(to_cents);
        }
        let (_, rate) = self.newest(currency, "plan", day)?;
        amount.map(|amount| converted(amount, rate))
    }

    fn newest(&self, currency: &str, kind: &str, day: Date) -> Option<(Date, i128)> {
        let rates = self.0.get(&(currency.to_owned(), kind.to_owned()))?;
        rates.range(..=day).next_back().map(|(day, rate)| (*day, *rate))
    }
}

fn is_own(currency: &str) -> bool {
    currency.is_empty() || currency == OWN
}

/// Amount x rate, in full, rounded once.
fn converted(amount: i128, rate: i128) -> i128 {
    rounded(amount * rate, ONE * CENT) * CENT
}
