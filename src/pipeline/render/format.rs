//! How numbers, money and dates read: a [`Locale`], of which English is the one instance so far.
//!
//! Its one constraint: formatting is the last step. What comes out of here is printed and never read back.

use crate::domain::metric::Unit;
use crate::domain::number::Number;
use crate::domain::period::{Grain, Period};
use jiff::civil::Date;
use unicode_segmentation::UnicodeSegmentation;

/// The dash that stands where there is no number.
pub const NO_NUMBER: &str = "–";
/// A minus as wide as a figure; a hyphen is too short to be seen in a column.
const MINUS: char = '−';
const NARROW: char = '\u{a0}';
/// So many letters of a text of the data are printed, wherever it stands: two lines of a page. What a name is cannot be told
/// from more, and a name of 33,000 letters is a slip that would fill a document.
pub const MOST_LETTERS: usize = 200;
/// So many characters a letter may have on the average, with its marks: without a limit one letter could have 33,000.
const MOST_MARKS: usize = 4;

/// The formats of one language.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// The language, as HTML and PDF name it.
    pub language: &'static str,
    group: char,
    point: char,
    months: [&'static str; 12],
}

/// English as written in Europe: `1,234.5`, `30 September 2026`.
pub static ENGLISH: Locale = Locale {
    language: "en",
    group: ',',
    point: '.',
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

/// How exactly the values of a column or a line are printed, so that they align and add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    digits: u32,
    millions: bool,
}

impl Precision {
    /// The least precision that tells these values of one unit apart: no cents if none has any or from a hundred thousand
    /// on, and millions from a thousand of them on. The CSV twin and the attachments have every digit.
    pub fn of(unit: Unit, values: impl IntoIterator<Item = Number>) -> Precision {
        let values: Vec<Number> = values.into_iter().collect();
        let reach = |size| unit == Unit::Money && values.iter().any(|value| magnitude(*value) >= Number::whole(size));
        match (reach(1_000_000_000), reach(10_000_000_000)) {
            (true, true) => Precision { digits: 0, millions: true },
            (true, false) => Precision { digits: 1, millions: true },
            (false, _) if reach(100_000) => Precision { digits: 0, millions: false },
            (false, _) => Precision::exact(unit, values),
        }
    }

    /// The same without millions, where there is room for long numbers.
    pub fn exact(unit: Unit, values: impl IntoIterator<Item = Number>) -> Precision {
        let whole = values.into_iter().all(|value| value.round(0) == value);
        let digits = match unit {
            Unit::Percent | Unit::PerThousand => 1,
            Unit::Ratio => 2,
            _ if whole => 0,
            Unit::Money => 2,
            Unit::Count | Unit::Days | Unit::Hours => 1,
        };
        Precision { digits, millions: false }
    }
}

fn magnitude(value: Number) -> Number {
    Number::from_units(value.units().saturating_abs())
}

impl Locale {
    /// A value of some unit, with its unit: `€1,200`, `34.2%`, `42 days`.
    pub fn value(&self, unit: Unit, value: Number, currency: &str, precision: Precision) -> String {
        match unit {
            Unit::Money => self.money(value, currency, precision),
            Unit::Percent => format!("{}%", self.decimal(scaled(value, 100), precision.digits)),
            Unit::Days => self.counted(value, precision.digits, "day", "days"),
            Unit::Hours => self.counted(value, precision.digits, "hour", "hours"),
            Unit::Count | Unit::PerThousand | Unit::Ratio => self.decimal(value, precision.digits),
        }
    }

    /// A value on its own, as precisely as it needs.
    pub fn plain(&self, unit: Unit, value: Number, currency: &str) -> String {
        self.value(unit, value, currency, Precision::of(unit, [value]))
    }

    /// A value for a headline or an axis: money without cents, from ten million on in millions.
    pub fn short(&self, unit: Unit, value: Number, currency: &str) -> String {
        if unit != Unit::Money {
            return self.plain(unit, value, currency);
        }
        let size = magnitude(value);
        let (divisor, digits, suffix) = if size >= Number::whole(10_000_000_000) {
            (1_000_000_000, 1, "bn")
        } else if size >= Number::whole(10_000_000) {
            (1_000_000, 1, "m")
        } else {
            (1, 0, "")
        };
        self.signed_money(divided(value, divisor), currency, digits, suffix)
    }

    /// A round number on an axis: `€50k`, `€1.2m`, `40%`.
    pub fn axis(&self, unit: Unit, value: Number, currency: &str) -> String {
        let size = magnitude(value);
        let step = [(1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k")];
        let (divisor, suffix) = step.into_iter().find(|(by, _)| size >= Number::whole(*by)).unwrap_or((1, ""));
        let digits = |value: Number| (0..2).find(|digits| value.round(*digits) == value).unwrap_or(2);
        match unit {
            Unit::Percent => {
                let value = scaled(value, 100);
                format!("{}%", self.decimal(value, digits(value)))
            }
            Unit::Money => {
                let value = divided(value, divisor);
                self.signed_money(value, currency, digits(value), suffix)
            }
            _ => self.decimal(value, digits(value)),
        }
    }

    fn money(&self, value: Number, currency: &str, precision: Precision) -> String {
        let millions = divided(value, 1_000_000);
        // Beside giants a small number must not turn into zero.
        match precision.millions {
            true if value == Number::ZERO || millions.round(precision.digits) != Number::ZERO => {
                self.signed_money(millions, currency, precision.digits, "m")
            }
            true => self.signed_money(value, currency, 0, ""),
            false => self.signed_money(value, currency, precision.digits, ""),
        }
    }

    fn signed_money(&self, value: Number, currency: &str, digits: u32, suffix: &str) -> String {
        let sign = if value.round(digits) < Number::ZERO { String::from(MINUS) } else { String::new() };
        format!("{sign}{}{}{suffix}", symbol(currency), self.decimal(magnitude(value), digits))
    }

    fn counted(&self, value: Number, digits: u32, one: &str, many: &str) -> String {
        let word = if value == Number::whole(1) { one } else { many };
        format!("{}{NARROW}{word}", self.decimal(value, digits))
    }

    /// A number with its thousands grouped.
    pub fn decimal(&self, value: Number, digits: u32) -> String {
        let text = value.to_fixed(digits);
        let (sign, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let mut out = String::with_capacity(text.len() + 6);
        if sign {
            out.push(MINUS);
        }
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push(self.group);
            }
            out.push(digit);
        }
        if !rest.is_empty() {
            out.push(self.point);
            out.push_str(rest);
        }
        out
    }

    /// How many: `1,234`.
    pub fn count(&self, n: i64) -> String {
        self.decimal(Number::whole(n), 0)
    }

    /// How many of a model table's records: `1 opportunity`, `23 opportunities`.
    pub fn records(&self, n: i64, table: &str) -> String {
        let many = table.replace('_', " ");
        let one = match many.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => many.strip_suffix('s').unwrap_or(&many).to_owned(),
        };
        format!("{}{NARROW}{}", self.count(n), if n == 1 { one } else { many })
    }

    /// A change with its sign: `+12.4%`, `−3.1 points`, `+4 days`.
    ///
    /// Shares change in points, days and hours in their unit, everything else in per cent of what it was; from zero or
    /// to less than zero in the unit itself, since no percentage can say it.
    pub fn change(&self, unit: Unit, from: Number, to: Number, currency: &str) -> Option<String> {
        let difference = to.checked_sub(from)?;
        let text = match unit {
            Unit::Percent => format!("{}{NARROW}pts", self.decimal(scaled(magnitude(difference), 100), 1)),
            Unit::Days | Unit::Hours | Unit::PerThousand | Unit::Ratio => {
                self.plain(unit, magnitude(difference), currency)
            }
            Unit::Money | Unit::Count if from > Number::ZERO && to >= Number::ZERO => {
                format!("{}%", self.decimal(scaled(magnitude(difference).checked_div(from)?, 100), 1))
            }
            Unit::Money | Unit::Count => self.short(unit, magnitude(difference), currency),
        };
        Some(match difference.cmp(&Number::ZERO) {
            std::cmp::Ordering::Less => format!("{MINUS}{text}"),
            std::cmp::Ordering::Equal => "±0".into(),
            std::cmp::Ordering::Greater => format!("+{text}"),
        })
    }

    /// An interval of shares: `22.1–48.0%`.
    pub fn interval(&self, low: Number, high: Number) -> String {
        format!("{}–{}%", self.decimal(scaled(low, 100), 1), self.decimal(scaled(high, 100), 1))
    }

    /// `30 September 2026`.
    pub fn date(&self, date: Date) -> String {
        format!("{}{NARROW}{} {}", date.day(), self.month(date), date.year())
    }

    /// `30 Sep 2026`.
    pub fn short_date(&self, date: Date) -> String {
        format!("{}{NARROW}{}{NARROW}{}", date.day(), &self.month(date)[..3], date.year())
    }

    /// `30 September`.
    pub fn day(&self, date: Date) -> String {
        format!("{}{NARROW}{}", date.day(), self.month(date))
    }

    /// `September`.
    pub fn month(&self, date: Date) -> &'static str {
        self.months[usize::from(date.month().unsigned_abs()) - 1]
    }

    /// `September 2026`, `Q3 2026`, `2026`.
    pub fn period(&self, period: Period) -> String {
        match period.grain {
            _ if period.listed => format!("{} to {}", self.short_date(period.start), self.short_date(period.end)),
            Grain::Month => format!("{} {}", self.month(period.start), period.start.year()),
            Grain::Quarter => self.quarter(period),
            Grain::Year => period.name(),
            Grain::Week => format!("week of {}", self.short_date(period.start)),
            Grain::Day => self.short_date(period.start),
        }
    }

    /// `Sep 2026`, `Q3 2026`, `2026`.
    pub fn short_period(&self, period: Period) -> String {
        match period.grain {
            Grain::Month if !period.listed => {
                format!("{}{NARROW}{}", &self.month(period.start)[..3], period.start.year())
            }
            _ => self.period(period),
        }
    }

    fn quarter(&self, period: Period) -> String {
        let name = period.name();
        match name.split_once('-') {
            Some((year, quarter)) => format!("{quarter}{NARROW}{year}"),
            None => name,
        }
    }
}

/// The sign of a currency, or its letters and a blank.
fn symbol(currency: &str) -> String {
    match currency {
        "EUR" => "€".into(),
        "USD" => "$".into(),
        "GBP" => "£".into(),
        "JPY" => "¥".into(),
        "TRY" => "₺".into(),
        other => format!("{other}{NARROW}"),
    }
}

fn scaled(value: Number, by: i128) -> Number {
    Number::from_units(value.units().saturating_mul(by))
}

fn divided(value: Number, by: i64) -> Number {
    value.checked_div(Number::whole(by)).unwrap_or(value)
}

/// A text of the data on one line: breaks become blanks, control characters a sign that says so, and a text without end ends
/// with an ellipsis. All else stays as it is. Attachments and the CSV twin have the whole text.
///
/// No page can print a control character, and PDF/A forbids them.
pub fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(plain).collect();
    capped(&plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

fn plain(c: char) -> char {
    match c {
        '\u{2028}' | '\u{2029}' => ' ',
        _ if c.is_control() && c.is_whitespace() => ' ',
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// The text, or as much of it as is printed and an ellipsis.
fn capped(text: &str) -> String {
    if text.len() <= MOST_LETTERS {
        return text.to_owned();
    }
    let (mut printed, mut characters) = (String::new(), 0);
    for (letters, letter) in text.graphemes(true).enumerate() {
        characters += letter.chars().count();
        if letters == MOST_LETTERS || characters > MOST_LETTERS * MOST_MARKS {
            printed.truncate(printed.trim_end().len());
            printed.push('…');
            return printed;
        }
        printed.push_str(letter);
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn number(text: &str) -> Number {
        text.parse().expect(text)
    }

    #[test]
    fn values_read_as_english() {
        let plain = |unit, text| ENGLISH.plain(unit, number(text), "EUR").replace(NARROW, " ");
        assert_eq!(plain(Unit::Money, "1234567"), "€1,234,567");
        assert_eq!(plain(Unit::Money, "-1234.5"), "−€1,234.50");
        assert_eq!(plain(Unit::Money, "123456789012.34"), "€123,457m");
        assert_eq!(plain(Unit::Money, "-3456789012"), "−€3,456.8m");
        assert_eq!(plain(Unit::Percent, "0.3421"), "34.2%");
        assert_eq!(plain(Unit::Days, "1"), "1 day");
        assert_eq!(plain(Unit::Days, "42.5"), "42.5 days");
        assert_eq!(plain(Unit::Count, "999"), "999");
        assert_eq!(ENGLISH.plain(Unit::Money, number("5"), "CHF"), "CHF\u{a0}5");
        assert_eq!(ENGLISH.short(Unit::Money, number("-123456789012"), "EUR"), "−€123.5bn");
        assert_eq!(ENGLISH.short(Unit::Money, number("-0.2"), "EUR"), "€0");
        assert_eq!(ENGLISH.axis(Unit::Money, number("1500"), "EUR"), "€1.5k");
    }

    #[test]
    fn small_numbers_do_not_vanish_beside_giants() {
        let precision = Precision::of(Unit::Money, [number("276000"), number("400000000000")]);
        let text = |value| ENGLISH.value(Unit::Money, number(value), "EUR", precision);
        assert_eq!([text("400000000000"), text("276000"), text("0")], ["€400,000m", "€276,000", "€0m"]);
    }

    #[test]
    fn a_column_shows_cents_if_one_value_has_them() {
        let precision = Precision::of(Unit::Money, [number("12"), number("0.5")]);
        assert_eq!(ENGLISH.value(Unit::Money, number("12"), "EUR", precision), "€12.00");
    }

    #[test]
    fn changes_carry_their_sign() {
        let change = |unit, from, to| {
            ENGLISH.change(unit, number(from), number(to), "EUR").map(|text| text.replace(NARROW, " "))
        };
        assert_eq!(change(Unit::Money, "200", "250").as_deref(), Some("+25.0%"));
        assert_eq!(change(Unit::Money, "0", "250").as_deref(), Some("+€250"));
        assert_eq!(change(Unit::Money, "100", "-50").as_deref(), Some("−€150"));
        assert_eq!(change(Unit::Percent, "0.5", "0.469").as_deref(), Some("−3.1 pts"));
        assert_eq!(change(Unit::Days, "40", "44").as_deref(), Some("+4 days"));
        assert_eq!(change(Unit::Count, "3", "3").as_deref(), Some("±0"));
    }

    #[test]
    fn dates_and_records_read_as_english() {
        assert_eq!(ENGLISH.date(date(2026, 9, 30)).replace(NARROW, " "), "30 September 2026");
        assert_eq!(ENGLISH.records(1, "opportunities").replace(NARROW, " "), "1 opportunity");
        assert_eq!(ENGLISH.records(1200, "activities").replace(NARROW, " "), "1,200 activities");
        assert_eq!(one_line("a\r\n b\tc"), "a b c");
        assert_eq!(one_line("a\u{2028}b\u{7}\u{0}"), "a b\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_text_without_end_is_cut_at_a_letter() {
        for letter in ["x", "Ä", "日", "e\u{301}", "\u{1f468}\u{200d}\u{1f469}"] {
            assert_eq!(one_line(&letter.repeat(200)), letter.repeat(200));
            assert_eq!(one_line(&letter.repeat(33_000)), letter.repeat(200) + "…");
        }
        assert_eq!(one_line(&"word ".repeat(60)), "word ".repeat(40).trim_end().to_owned() + "…");
        let marks = one_line(&format!("ab{}", "\u{301}".repeat(33_000)));
        assert_eq!(marks, "a…");
    }
}
