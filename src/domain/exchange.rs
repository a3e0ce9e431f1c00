//! Exchange rates: which one converts an amount of a day. The rule in words, with numbers: docs/rules/money.md.

use crate::domain::number::Number;
use crate::domain::period::days_between;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Digits after the point of every amount of money.
pub const CENTS: u32 = 2;

/// Whether a text is a currency code, as ISO 4217 writes them.
pub fn is_code(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What is wrong with a text that is none.
pub fn no_code(text: &str) -> String {
    format!("`{text}` is no currency code: three capital letters, such as EUR")
}

/// An amount in the company's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// At the market's rate.
    pub amount: Number,
    /// At the plan's rate, if there is one.
    pub at_plan: Option<Number>,
}

/// What a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What a currency was worth.
    Market,
    /// What it was expected to be worth when targets were set.
    Plan,
}

impl Kind {
    /// From its name in the table `exchange_rates`.
    pub fn of(name: &str) -> Option<Kind> {
        match name {
            "market" => Some(Kind::Market),
            "plan" => Some(Kind::Plan),
            _ => None,
        }
    }
}

/// What one unit of each currency is worth in the company's, by day.
#[derive(Clone, Debug)]
pub struct Rates {
    /// The company's currency, which needs no rate.
    company: String,
    /// A market rate older than this converts nothing.
    max_age_days: u32,
    by_day: BTreeMap<(Kind, String), BTreeMap<Date, Number>>,
}

impl Rates {
    /// No rates yet.
    pub fn new(company: &str, max_age_days: u32) -> Rates {
        Rates { company: company.to_owned(), max_age_days, by_day: BTreeMap::new() }
    }

    /// Adds the rate that holds from a day until the next one.
    pub fn add(&mut self, kind: Kind, currency: &str, valid_on: Date, rate: Number) {
        self.by_day.entry((kind, currency.to_owned())).or_default().insert(valid_on, rate);
    }

    /// Converts an amount with the rates of a day; an empty currency is the company's. Each result is rounded once.
    pub fn convert(&self, amount: Number, currency: &str, on: Date) -> Result<Converted, String> {
        if currency.is_empty() || currency == self.company {
            let amount = amount.round(CENTS);
            return Ok(Converted { amount, at_plan: Some(amount) });
        }
        if !is_code(currency) {
            return Err(no_code(currency));
        }
        let at = |rate: Number| {
            let too_large = || format!("{amount} {currency} at {rate} is too large an amount");
            amount.checked_mul(rate, CENTS).ok_or_else(too_large)
        };
        let plan = self.latest(Kind::Plan, currency, on).map(|(_, rate)| at(rate)).transpose()?;
        Ok(Converted { amount: at(self.market(currency, on)?)?, at_plan: plan })
    }

    /// The market's rate, unless there is none or it is too old.
    fn market(&self, currency: &str, on: Date) -> Result<Number, String> {
        if self.by_day.is_empty() {
            // Names no day: without rates nothing that staging makes may depend on the date of the run.
            return Err(format!(
                "{currency} cannot be converted: there are no exchange rates; export them, and stage them into \
                 exchange_rates"
            ));
        }
        let Some((day, rate)) = self.latest(Kind::Market, currency, on) else {
            return Err(format!(
                "{currency} cannot be converted on {on}: no market rate is of that day or before; add one to \
                 exchange_rates"
            ));
        };
        let age = days_between(day, on);
        if i64::from(age) <= i64::from(self.max_age_days) {
            return Ok(rate);
        }
        let most = self.max_age_days;
        let first = on.saturating_sub(i64::from(most).days());
        Err(format!(
            "{currency} cannot be converted on {on}: the newest market rate is of {day}, which is {age} days old, and \
             {most} are the most; add one of {first} to {on} to exchange_rates, or raise money.rate_max_age_days"
        ))
    }

    fn latest(&self, kind: Kind, currency: &str, on: Date) -> Option<(Date, Number)> {
        let (day, rate) = self.by_day.get(&(kind, currency.to_owned()))?.range(..=on).next_back()?;
        Some((*day, *rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().expect(text)
    }

    /// The rows of the table beneath a heading of the rules, which so cannot say what is not computed.
    fn rows_of_the_rules(heading: &str) -> Vec<Vec<&'static str>> {
        let rules = include_str!("../../docs/rules/money.md");
        let section = rules.split_once(&format!("## {heading}\n")).expect(heading).1;
        let table = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        table.skip(2).map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
    }

    fn example() -> Rates {
        let mut rates = Rates::new("EUR", 7);
        for row in rows_of_the_rules("Where rates come from") {
            rates.add(Kind::of(row[3]).expect(row[3]), row[0], row[1].parse().expect(row[1]), number(row[2]));
        }
        rates
    }

    #[test]
    fn the_worked_example_of_the_rules() {
        let rates = example();
        let rows = rows_of_the_rules("Worked example");
        assert_eq!(rows.len(), 10);
        for row in rows {
            let converted = rates.convert(number(row[0]), row[1], row[2].parse().expect(row[2]));
            let shown = converted.map(|c| (c.amount.to_fixed(2), c.at_plan.map_or(String::new(), |c| c.to_fixed(2))));
            match row[5] {
                "" => assert!(shown.is_err() && row[7].starts_with("quarantined"), "{row:?}: {shown:?}"),
                _ => assert_eq!(shown, Ok((row[5].to_owned(), row[6].to_owned())), "{row:?}"),
            }
        }
    }

    #[test]
    fn a_reason_names_currency_day_newest_rate_and_way_out() {
        let why = |currency: &str, day: Date| example().convert(number("1"), currency, day).unwrap_err();
        assert_eq!(
            why("USD", date(2026, 9, 23)),
            "USD cannot be converted on 2026-09-23: the newest market rate is of 2026-09-15, which is 8 days old, and 7 \
             are the most; add one of 2026-09-16 to 2026-09-23 to exchange_rates, or raise money.rate_max_age_days"
        );
        assert!(why("CHF", date(2026, 9, 23)).contains("no market rate is of that day or before"));
        assert!(why("USD", date(2026, 8, 31)).contains("USD cannot be converted on 2026-08-31: no market rate"));
        assert!(why("usd", date(2026, 9, 23)).contains("three capital letters"));
        let none = Rates::new("EUR", 7).convert(number("1"), "USD", date(2026, 9, 23)).unwrap_err();
        assert!(none.contains("there are no exchange rates") && !none.contains("2026"), "{none}");
    }

    /// The product of two numbers of trillionths, rounded to cents: long multiplication digit by digit, which shares
    /// nothing with [`Number`].
    fn by_hand(a: i128, b: i128) -> String {
        let digits = |n: i128| -> Vec<u32> {
            n.unsigned_abs().to_string().bytes().rev().map(|byte| u32::from(byte - b'0')).collect()
        };
        let (left, right) = (digits(a), digits(b));
        let mut product = vec![0; (left.len() + right.len()).max(26) + 1];
        for (i, x) in left.iter().enumerate() {
            for (j, y) in right.iter().enumerate() {
                product[i + j] += x * y;
            }
        }
        let carry = |digits: &mut Vec<u32>| {
            for i in 0..digits.len() - 1 {
                digits[i + 1] += digits[i] / 10;
                digits[i] %= 10;
            }
        };
        carry(&mut product);
        // 24 digits stand after the point; 22 of them go, and five or more in the first of these round away from zero.
        let up = u32::from(product[21] >= 5);
        let mut cents: Vec<u32> = product.split_off(22);
        cents[0] += up;
        carry(&mut cents);
        let text: String = cents.iter().rev().map(|digit| char::from(b'0' + *digit as u8)).collect();
        let (whole, rest) = text.split_at(text.len() - 2);
        let whole = whole.trim_start_matches('0');
        let sign = if (a < 0) != (b < 0) && cents.iter().any(|digit| *digit > 0) { "-" } else { "" };
        format!("{sign}{}.{rest}", if whole.is_empty() { "0" } else { whole })
    }

    proptest! {
        #[test]
        fn converting_is_exact(
            amount in -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999,
            rate in 1_i128..=9_999_999_999_999_999_999_999,
            halves in any::<bool>(),
        ) {
            // Cents times a rate that ends in 5 fall on halves, which random trillionths hardly ever do.
            let (amount, rate) = match halves {
                true => (amount / 10_i128.pow(18) * 10_i128.pow(10), rate / 10_i128.pow(15) * 10_i128.pow(11)),
                false => (amount, rate),
            };
            let day = date(2026, 9, 30);
            let mut rates = Rates::new("EUR", 0);
            rates.add(Kind::Market, "USD", day, Number::from_units(rate));
            let converted = rates.convert(Number::from_units(amount), "USD", day);
            prop_assert_eq!(converted.map(|c| c.amount.to_fixed(2)), Ok(by_hand(amount, rate)));
        }

        #[test]
        fn the_order_of_rates_changes_nothing(
            rows in prop::collection::btree_map(
                (any::<bool>(), 0_i32..60, any::<bool>()), 1_i64..5_000_000_000_000, 0..40,
            ),
            order in any::<u64>(),
            on in 0_i32..60,
            max_age_days in 0_u32..20,
        ) {
            let start = date(2026, 8, 1);
            let day = |n: i32| start.saturating_add(n.days());
            let rates = |rows: &[(&(bool, i32, bool), &i64)]| {
                let mut rates = Rates::new("EUR", max_age_days);
                for ((is_plan, n, is_dollar), rate) in rows {
                    let kind = if *is_plan { Kind::Plan } else { Kind::Market };
                    let currency = if *is_dollar { "USD" } else { "GBP" };
                    rates.add(kind, currency, day(*n), Number::from_units(i128::from(**rate)));
                }
                rates
            };
            let sorted: Vec<_> = rows.iter().collect();
            let mut shuffled = sorted.clone();
            shuffled.sort_by_key(|((_, n, _), rate)| (**rate as u64 ^ order).wrapping_mul(*n as u64 + 7));
            let amount = number("1234.56");
            let converted = rates(&sorted).convert(amount, "USD", day(on));
            prop_assert_eq!(&converted, &rates(&shuffled).convert(amount, "USD", day(on)));
            // Counted the slow way: the newest dollar rate of the market that is not too old.
            let newest = (0..=on).rev().take(max_age_days as usize + 1).find_map(|n| rows.get(&(false, n, true)));
            let expected = newest.map(|rate| by_hand(amount.units(), i128::from(*rate)));
            prop_assert_eq!(converted.ok().map(|c| c.amount.to_fixed(2)), expected);
        }
    }
}
