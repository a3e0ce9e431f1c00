//! Text that a spreadsheet would run as a formula, made harmless by an apostrophe.
//!
//! A spreadsheet opens a CSV with the separator of its locale, whatever the file's own: where it is a semicolon, the cell
//! `x;=HYPERLINK(...)` of a comma-separated file becomes two, and the second is a formula, quotes or not. So every place within a
//! text counts at which a cell could begin. (OWASP, CSV Injection.)

use std::borrow::Cow;

/// What stands before a character that would begin a formula.
const MARK: char = '\'';

/// The text with an apostrophe before every character that would begin a formula: at the text's start, and behind whatever some
/// spreadsheet takes for the end of a cell. Blanks, quotes and invisible marks between do not matter.
pub fn harmless(text: &str) -> Cow<'_, str> {
    // A spreadsheet may trim these at a text's very start, and look at what follows.
    let mut marks: Vec<usize> = text.starts_with(['\t', '\r', '\n']).then_some(0).into_iter().collect();
    let mut may_begin = true;
    for (at, letter) in text.char_indices() {
        if may_begin && is_formula(letter) {
            marks.push(at);
        }
        may_begin = ends_cell(letter) || (may_begin && is_passed_over(letter));
    }
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + marks.len());
    let mut from = 0;
    for at in marks {
        safe.push_str(&text[from..at]);
        safe.push(MARK);
        from = at;
    }
    safe.push_str(&text[from..]);
    Cow::Owned(safe)
}

/// Whether a text is a plain number, which no spreadsheet runs: `-12.5`, `1e-9`, `+3%`.
pub fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let unsigned = unsigned.strip_suffix('%').unwrap_or(unsigned);
    // Digits alone: `parse` would take `inf` too.
    let of_digits =
        unsigned.starts_with(|c: char| c.is_ascii_digit()) && unsigned.ends_with(|c: char| c.is_ascii_digit());
    of_digits && unsigned.parse::<f64>().is_ok()
}

/// Signs that begin a formula, also as East Asian keyboards write them.
fn is_formula(letter: char) -> bool {
    matches!(
        letter,
        '=' | '+'
            | '-'
            | '@'
            | '\u{ff1d}'
            | '\u{ff0b}'
            | '\u{ff0d}'
            | '\u{ff20}'
            | '\u{fe66}'
            | '\u{fe62}'
            | '\u{fe63}'
            | '\u{fe6b}'
    )
}

/// Separators of locales other than the comma, which every reader of this file knows, and line ends.
fn ends_cell(letter: char) -> bool {
    matches!(
        letter,
        ';' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{61b}' | '\u{ff1b}'
    )
}

fn is_passed_over(letter: char) -> bool {
    letter == '"'
        || letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_marked_wherever_a_cell_could_begin() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("x;=cmd()", "x;'=cmd()"),
            ("x\t=cmd()", "x\t'=cmd()"),
            ("x\n=cmd()\r\n-y", "x\n'=cmd()\r\n'-y"),
            ("x; =cmd()", "x; '=cmd()"),
            ("x;\"=cmd()\"", "x;\"'=cmd()\""),
            ("x;;@a", "x;;'@a"),
            ("\u{feff}=1", "\u{feff}'=1"),
            ("  +1", "  '+1"),
            ("\tb", "'\tb"),
            ("\r=b", "'\r'=b"),
            ("；＝1", "；'＝1"),
            ("＋1", "'＋1"),
            ("-x", "'-x"),
        ];
        for (text, safe) in cases {
            assert_eq!(harmless(text), safe, "{text:?}");
        }
        for plain in ["", "a=b", "Q3 - won; lost", "a@b.com", "AT&T; Inc.", "x, -y", "1-2", "a;b", "'=1", "line\nline"]
        {
            assert!(matches!(harmless(plain), Cow::Borrowed(_)), "{plain:?}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        for number in ["-12.5", "0", "+3", "1e-9", "-5%", "156500", "-1.5E+10"] {
            assert!(is_number(number), "{number}");
        }
        for other in
            ["", "-", "-inf", "NaN", "1+1", "-1+cmd|' /C calc'!A0", "+49 151 1", "1,5", "--1", "-.5", "5.", "=1"]
        {
            assert!(!is_number(other), "{other}");
        }
    }

    proptest! {
        /// Whatever separator a reader splits at, and whether or not it knows quotes and trims, no part begins a formula.
        #[test]
        fn no_part_of_a_text_begins_a_formula(text in "[=+@;\t\r\n \"'a1,\u{feff}\u{ff1d}-]{0,24}") {
            let safe = harmless(&text);
            for separator in [";", "\t", "\n", "\r"] {
                for part in safe.split(separator) {
                    let start = part.trim_start_matches(|c: char| c == '"' || c.is_whitespace() || c == '\u{feff}');
                    prop_assert!(!start.starts_with(is_formula), "{text:?} -> {safe:?} at {separator:?}");
                }
            }
            prop_assert_eq!(safe.replace('\'', ""), text.replace('\'', ""));
        }
    }
}
