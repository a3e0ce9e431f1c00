//! Exact decimal numbers: every value, sum, target and ratio of a score.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A decimal number with twelve digits after the point, held as an integer of trillionths.
///
/// Sums are exact, so neither the order of rows nor the number of threads can change them. Division rounds half
/// away from zero at the twelfth digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i128);

/// Digits after the point.
pub const SCALE: u32 = 12;
/// Digits in all, as Arrow and Parquet count them.
pub const PRECISION: u8 = 38;
const ONE: i128 = 10_i128.pow(SCALE);
/// The first number of trillionths that has too many digits.
const MOST: i128 = 10_i128.pow(PRECISION as u32);

impl Number {
    /// Nought.
    pub const ZERO: Number = Number(0);

    /// From trillionths, as stored in Parquet.
    pub fn from_units(units: i128) -> Number {
        Number(units)
    }

    /// In trillionths, as stored in Parquet.
    pub fn units(self) -> i128 {
        self.0
    }

    /// From an integer.
    pub fn whole(value: i64) -> Number {
        Number(i128::from(value) * ONE)
    }

    /// `self / other`, rounded half away from zero; `None` if `other` is zero or the result does not fit.
    pub fn checked_div(self, other: Number) -> Option<Number> {
        // Split off the whole part first, so that the scaled remainder cannot overflow for any sum of money.
        let (whole, rest) = (self.0.checked_div(other.0)?, self.0.checked_rem(other.0)?);
        let scaled = rest.checked_mul(ONE)?;
        Some(Number(whole.checked_mul(ONE)?.checked_add(divide_half_away(scaled, other.0))?))
    }

    /// `self * other`, rounded once and half away from zero to so many digits after the point; `None` beyond 38 digits.
    pub fn checked_mul(self, other: Number, digits: u32) -> Option<Number> {
        let one = ONE.unsigned_abs();
        let step = 10_u128.pow(SCALE.saturating_sub(digits));
        let split = |number: Number| (number.0.unsigned_abs() / one, number.0.unsigned_abs() % one);
        let ((whole, part), (other_whole, other_part)) = (split(self), split(other));
        // The exact product has 24 digits after the point, too many for 128 bits beside a large whole part. Only `rest`
        // has to be rounded: all before it is a whole number of steps.
        let cross = whole.checked_mul(other_part)?.checked_add(part.checked_mul(other_whole)?)?;
        let rest = (cross % step) * one + part * other_part;
        let rounded = (rest + step * one / 2) / (step * one);
        let steps = whole.checked_mul(other_whole)?.checked_mul(one / step)?.checked_add(cross / step + rounded)?;
        let units = i128::try_from(steps.checked_mul(step)?).ok().filter(|units| *units < MOST)?;
        Some(Number(if (self.0 < 0) == (other.0 < 0) { units } else { -units }))
    }

    /// `self - other`, or `None` beyond 38 digits.
    pub fn checked_sub(self, other: Number) -> Option<Number> {
        self.0.checked_sub(other.0).map(Number)
    }

    /// `self + other`, or `None` beyond 38 digits.
    pub fn checked_add(self, other: Number) -> Option<Number> {
        self.0.checked_add(other.0).map(Number)
    }

    /// Rounded half away from zero to so many digits after the point.
    pub fn round(self, digits: u32) -> Number {
        let step = 10_i128.pow(SCALE.saturating_sub(digits));
        Number(divide_half_away(self.0, step) * step)
    }

    /// Without its sign.
    pub fn magnitude(self) -> Number {
        Number(self.0.abs())
    }

    /// An approximation, for drawing only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// The sign, whole part and exactly `digits` digits after the point, rounded half away from zero.
    pub fn to_fixed(self, digits: u32) -> String {
        let rounded = self.round(digits).0;
        let (whole, rest) = (rounded.unsigned_abs() / ONE as u128, rounded.unsigned_abs() % ONE as u128);
        let sign = if rounded < 0 { "-" } else { "" };
        if digits == 0 {
            return format!("{sign}{whole}");
        }
        let rest = rest / 10_u128.pow(SCALE.saturating_sub(digits));
        format!("{sign}{whole}.{rest:0width$}", width = digits.min(SCALE) as usize)
    }
}

/// An integer quotient rounded half away from zero.
pub fn divide_half_away(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    let away = if (a < 0) == (b < 0) { 1 } else { -1 };
    if rest.unsigned_abs() >= b.unsigned_abs() - rest.unsigned_abs() { quotient + away } else { quotient }
}

impl fmt::Display for Number {
    /// The shortest exact text: `12.5`, `-3`, `0.000000000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_fixed(SCALE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Number {
    type Err = String;

    /// A sign, digits, and at most twelve digits after a point. Nothing else: no separators, no exponent.
    fn from_str(text: &str) -> Result<Number, String> {
        let wrong = || format!("`{text}` is not a decimal number");
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && rest.is_empty()) || !all_digits(whole) || !all_digits(rest) {
            return Err(wrong());
        }
        if rest.len() > SCALE as usize {
            return Err(format!("`{text}` has more than {SCALE} digits after the point"));
        }
        let value: i128 = format!("{whole}{rest:0<width$}", width = SCALE as usize)
            .parse()
            .map_err(|_| format!("`{text}` has too many digits"))?;
        if value >= MOST {
            return Err(format!("`{text}` has too many digits"));
        }
        Ok(Number(sign * value))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Shares `total` over `weights` in whole `unit`s, so that the parts add up to it exactly: each part gets its share
/// rounded down, and the units left over go to the largest remainders, the earlier part first.
///
/// Weights must not be negative; if all are zero, the parts are equal.
pub fn spread(total: i128, weights: &[u64]) -> Vec<i128> {
    if weights.is_empty() {
        return Vec::new();
    }
    let ones = vec![1; weights.len()];
    let weights = if weights.iter().all(|w| *w == 0) { &ones } else { weights };
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    // Whole multiples of the sum are shared exactly; only the rest can overflow, and it is below the sum.
    let (each, rest) = (total.div_euclid(sum), total.rem_euclid(sum));
    let mut parts: Vec<i128> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    for (i, weight) in weights.iter().map(|w| i128::from(*w)).enumerate() {
        parts.push(each * weight + rest * weight / sum);
        remainders.push((rest * weight % sum, i));
    }
    let left = total - parts.iter().sum::<i128>();
    remainders.sort_by_key(|(remainder, i)| (-remainder, *i));
    for (_, i) in remainders.iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[*i] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect(text)
    }

    #[test]
    fn texts_round_trip() {
        for text in ["0", "1", "-1", "12.5", "-0.000000000001", "99999999999999999999999999.999999999999"] {
            assert_eq!(number(text).to_string(), text);
        }
        for wrong in
            ["", "-", ".", "1,5", "1e3", " 1", "0.0000000000001", "100000000000000000000000000", "--1", "1.2.3"]
        {
            assert!(wrong.parse::<Number>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(number("2.345").to_fixed(2), "2.35");
        assert_eq!(number("-2.345").to_fixed(2), "-2.35");
        assert_eq!(number("0.4999").to_fixed(0), "0");
        assert_eq!(number("-0.5").to_fixed(0), "-1");
        assert_eq!(number("2").checked_div(number("3")), Some(number("0.666666666667")));
        assert_eq!(number("-2").checked_div(number("3")), Some(number("-0.666666666667")));
        assert_eq!(number("2").checked_div(Number::ZERO), None);
    }

    #[test]
    fn products_are_rounded_once() {
        let product = |a: &str, b: &str, digits: u32| number(a).checked_mul(number(b), digits);
        assert_eq!(product("12.50", "0.9", 2), Some(number("11.25")));
        assert_eq!(product("0.05", "0.1", 2), Some(number("0.01")));
        assert_eq!(product("-0.05", "0.1", 2), Some(number("-0.01")));
        assert_eq!(product("0.05", "0.099999999999", 2), Some(Number::ZERO));
        assert_eq!(product("2.5", "-3", 0), Some(number("-8")));
        assert_eq!(product("0.000001", "0.000001", 12), Some(number("0.000000000001")));
        let large = "9999999999999999.99";
        assert_eq!(product(large, "0.999999999999", 2), Some(number("9999999999989999.99")));
        assert_eq!(product(large, "9999999999", 2), Some(number("99999999989999999900000000.01")));
        assert_eq!(product(large, large, 2), None);
    }

    #[test]
    fn spreading_loses_nothing() {
        assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(spread(-100, &[1, 1, 1]).iter().sum::<i128>(), -100);
        assert_eq!(spread(5, &[0, 0]), [3, 2]);
        assert_eq!(spread(7, &[0, 2, 1]), [0, 5, 2]);
    }
}
