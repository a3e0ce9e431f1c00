//! Where records and cells begin and end in a text.
//!
//! [`cut`] looks at nothing before its start and never at where a block or chunk happens to end: if the text seen so
//! far does not settle a record it says so. That is why blocks and threads cannot change what is read.

use memchr::{memchr, memchr2};
use std::fmt;

/// How a file separates and quotes its cells, and how far a record may reach.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The byte between two cells.
    pub delimiter: u8,
    /// The byte around quoted cells; doubled inside one.
    pub quote: u8,
    /// The most bytes between a cell's two quotes.
    pub quoted_bytes: usize,
    /// The most bytes that are read to settle one record.
    pub record_bytes: usize,
}

/// One cell: the range of its text, without the quotes around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The first byte, counted from the text's beginning.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Whether doubled quotes are still to be halved.
    pub doubled: bool,
}

/// Why a record cannot be read; prints as a short sentence that holds nothing of the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Text between a closing quote and the next delimiter.
    TextAfterQuote { field: usize },
    /// No closing quote within the limit.
    QuoteTooLong { field: usize, limit: usize },
    /// No closing quote by the end of the file.
    QuoteOpenAtEnd { field: usize },
    /// Bytes that the file's encoding does not have.
    Encoding,
    /// Not as many fields as the header.
    FieldCount { found: usize, expected: usize },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TextAfterQuote { field } => write!(f, "field {field} goes on after its closing quote"),
            Fault::QuoteTooLong { field, limit } => {
                write!(f, "the quote that opens field {field} is not closed within {limit} bytes")
            }
            Fault::QuoteOpenAtEnd { field } => {
                write!(f, "the quote that opens field {field} is not closed by the end of the file")
            }
            Fault::Encoding => write!(f, "the text is not valid in the file's encoding"),
            Fault::FieldCount { found: 1, expected } => write!(f, "1 field where the header has {expected}"),
            Fault::FieldCount { found, expected } => write!(f, "{found} fields where the header has {expected}"),
        }
    }
}

/// What stands at a position of a text. `end` is where the record's own text ends, `next` where the next one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// An empty line, which is no record.
    Blank { next: usize },
    /// A record; its cells are in the vector.
    Record { end: usize, next: usize },
    /// The first line of a record with a broken quote.
    Broken { end: usize, next: usize, fault: Fault },
    /// More text is needed.
    Incomplete,
    /// A record that the most bytes allowed do not settle.
    TooLong,
}

/// Cuts the record that starts at `start`, which must be within `text`; `at_end` says that no more text follows.
///
/// LF and CRLF end a record, so does the end of the file, with or without a CR before it. A quote only opens a cell
/// as its first byte. With a broken quote nobody knows where the record was meant to end, so only its first line is
/// given up and reading goes on with the next: one stray quote can then never swallow the good records behind it.
pub fn cut(text: &[u8], start: usize, at_end: bool, dialect: &Dialect, cells: &mut Vec<Cell>) -> Cut {
    let reach = text.len().min(start.saturating_add(dialect.record_bytes));
    let within = Cutter { text: &text[..reach], start, at_end: at_end && reach == text.len(), dialect };
    match within.cut(cells) {
        Cut::Incomplete if reach < text.len() => Cut::TooLong,
        cut => cut,
    }
}

/// A quoted cell's text with every doubled quote halved.
pub fn halve(cell: &str, quote: char) -> String {
    cell.replace(&String::from_iter([quote, quote]), quote.encode_utf8(&mut [0; 4]))
}

/// The text that one record may reach over.
struct Cutter<'a> {
    text: &'a [u8],
    start: usize,
    at_end: bool,
    dialect: &'a Dialect,
}

/// What follows a cell.
enum After {
    Cell { next: usize },
    Record { end: usize, next: usize },
    Broken(Fault),
    Incomplete,
}

impl Cutter<'_> {
    fn cut(&self, cells: &mut Vec<Cell>) -> Cut {
        cells.clear();
        if let Some(next) = self.line_end(self.start) {
            return Cut::Blank { next };
        }
        let mut at = self.start;
        loop {
            let after = match self.text.get(at) {
                Some(byte) if *byte == self.dialect.quote => self.quoted(at, cells),
                _ => self.unquoted(at, cells),
            };
            match after {
                After::Cell { next } => at = next,
                After::Record { end, next } => return Cut::Record { end, next },
                After::Incomplete => return Cut::Incomplete,
                After::Broken(fault) => return self.first_line(fault),
            }
        }
    }

    /// Where the next line starts, if the line ends exactly at `at`.
    fn line_end(&self, at: usize) -> Option<usize> {
        match self.text[at..] {
            [b'\n', ..] => Some(at + 1),
            [b'\r', b'\n', ..] => Some(at + 2),
            [b'\r'] | [] if self.at_end => Some(self.text.len()),
            _ => None,
        }
    }

    /// The end of a text from `from` to `to` without the CR of its line end.
    fn without_cr(&self, from: usize, to: usize) -> usize {
        if to > from && self.text[to - 1] == b'\r' { to - 1 } else { to }
    }

    fn unquoted(&self, start: usize, cells: &mut Vec<Cell>) -> After {
        let (found, delimiter) = match memchr2(self.dialect.delimiter, b'\n', &self.text[start..]) {
            Some(i) => (start + i, self.text[start + i] == self.dialect.delimiter),
            None if self.at_end => (self.text.len(), false),
            None => return After::Incomplete,
        };
        if delimiter {
            cells.push(Cell { start, end: found, doubled: false });
            return After::Cell { next: found + 1 };
        }
        let end = self.without_cr(start, found);
        cells.push(Cell { start, end, doubled: false });
        After::Record { end, next: self.text.len().min(found + 1) }
    }

    fn quoted(&self, open: usize, cells: &mut Vec<Cell>) -> After {
        let field = cells.len() + 1;
        let start = open + 1;
        // One past the last place where the closing quote may stand.
        let limit = start.saturating_add(self.dialect.quoted_bytes).saturating_add(1);
        let reach = self.text.len().min(limit);
        let mut from = start;
        let mut doubled = false;
        let close = loop {
            // A doubled quote across the limit leads past it.
            let rest = self.text.get(from..reach).unwrap_or_default();
            match memchr(self.dialect.quote, rest).map(|i| from + i) {
                Some(i) if i + 1 == self.text.len() && !self.at_end => return After::Incomplete,
                Some(i) if self.text.get(i + 1) == Some(&self.dialect.quote) => (from, doubled) = (i + 2, true),
                Some(i) => break i,
                None if reach == limit => {
                    return After::Broken(Fault::QuoteTooLong { field, limit: self.dialect.quoted_bytes });
                }
                None if self.at_end => return After::Broken(Fault::QuoteOpenAtEnd { field }),
                None => return After::Incomplete,
            }
        };
        cells.push(Cell { start, end: close, doubled });
        let end = close + 1;
        if self.text.get(end) == Some(&self.dialect.delimiter) {
            return After::Cell { next: end + 1 };
        }
        match self.line_end(end) {
            Some(next) => After::Record { end, next },
            None if matches!(self.text[end..], [b'\r'] | []) => After::Incomplete,
            None => After::Broken(Fault::TextAfterQuote { field }),
        }
    }

    fn first_line(&self, fault: Fault) -> Cut {
        let (end, next) = match memchr(b'\n', &self.text[self.start..]) {
            Some(i) => (self.start + i, self.start + i + 1),
            None if self.at_end => (self.text.len(), self.text.len()),
            None => return Cut::Incomplete,
        };
        Cut::Broken { end: self.without_cr(self.start, end), next, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect { delimiter: b',', quote: b'"', quoted_bytes: 8, record_bytes: 32 };

    fn cut_first(text: &str, at_end: bool) -> (Cut, Vec<String>) {
        let mut cells = Vec::new();
        let cut = cut(text.as_bytes(), 0, at_end, &DIALECT, &mut cells);
        (cut, cells.iter().map(|cell| text[cell.start..cell.end].to_owned()).collect())
    }

    #[test]
    fn records_end_at_lines_outside_quotes() {
        assert_eq!(
            cut_first("a,\"b\r\n\",\r\nx", false),
            (Cut::Record { end: 8, next: 10 }, vec!["a".into(), "b\r\n".into(), "".into()])
        );
        assert_eq!(cut_first("a\rb\r", true), (Cut::Record { end: 3, next: 4 }, vec!["a\rb".into()]));
        assert_eq!(cut_first("\"a\"\r", true), (Cut::Record { end: 3, next: 4 }, vec!["a".into()]));
        assert_eq!(cut_first("a,", true), (Cut::Record { end: 2, next: 2 }, vec!["a".into(), "".into()]));
        assert_eq!(cut_first("\r\na", false).0, Cut::Blank { next: 2 });
        assert_eq!(cut_first("\r", true).0, Cut::Blank { next: 1 });
    }

    #[test]
    fn what_more_text_could_change_is_incomplete() {
        for text in ["a", "a\r", "\r", "a,", "\"a", "\"a\"", "\"a\"\r", "\"a\"\"", "\"a\"b"] {
            assert_eq!(cut_first(text, false).0, Cut::Incomplete, "{text:?}");
        }
    }

    #[test]
    fn a_broken_quote_gives_up_one_line() {
        let broken = |text| match cut_first(text, true).0 {
            Cut::Broken { end, next, fault } => (end, next, fault.to_string()),
            other => panic!("{text:?}: {other:?}"),
        };
        let after = "field 1 goes on after its closing quote".to_owned();
        assert_eq!(broken("\"a\nb\"c\nd"), (2, 3, after.clone()));
        assert_eq!(broken("\"a\" \r\nd"), (4, 6, after));
        let open = "the quote that opens field 2 is not closed by the end of the file";
        assert_eq!(broken("a,\"b\nc"), (4, 5, open.to_owned()));
        let long = "the quote that opens field 1 is not closed within 8 bytes";
        assert_eq!(broken("\"1\n3456789\""), (2, 3, long.to_owned()));
        assert_eq!(broken("\"1\n34567\"\"\""), (2, 3, long.to_owned()));
        assert_eq!(cut_first("\"12345678\"\n", false).0, Cut::Record { end: 10, next: 11 });
    }

    #[test]
    fn a_record_without_end_is_too_long() {
        let line = |width: usize| format!("{}\n", "x".repeat(width));
        assert_eq!(cut_first(&line(31), false).0, Cut::Record { end: 31, next: 32 });
        assert_eq!(cut_first(&line(32), false).0, Cut::TooLong);
        assert_eq!(cut_first(&"x".repeat(32), false).0, Cut::Incomplete);
        assert_eq!(cut_first(&"x".repeat(32), true).0, Cut::Record { end: 32, next: 32 });
    }
}
