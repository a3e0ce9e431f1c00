//! A chunk: the records that start in one stretch of a text, as columns.
//!
//! Parsing a chunk needs the text and the stretch alone; numbers count from the chunk's own first record until
//! [`Chunk::number_from`] says how many came before.

use super::policy::{Column, Plan};
use super::records::{Cell, Cut, Dialect, Fault, cut, halve};
use super::rejects::Reject;
use arrow::array::{ArrayRef, Int64Array, StringBuilder};
use std::ops::Range;
use std::sync::Arc;

/// Why a chunk ends before its stretch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its last record goes on behind the text.
    Incomplete,
    /// Its last record is longer than allowed.
    TooLong,
}

/// The records that start in one stretch of a text.
pub struct Chunk {
    /// From the first record's start to the first one that is not in the chunk.
    pub stretch: Range<usize>,
    /// Why the chunk ends before its stretch does, if so.
    pub stopped: Option<Stopped>,
    /// How many records there are, rejects counted.
    pub records: u64,
    /// Each landed record's number.
    pub rows: Vec<i64>,
    /// Each landed record's length in the text, in bytes.
    pub lengths: Vec<u32>,
    /// The plan's columns of the landed records.
    pub columns: Vec<ArrayRef>,
    /// The records that cannot be read.
    pub rejects: Vec<Reject>,
}

impl Chunk {
    /// Parses the records that start in `stretch`, whose first byte must be a record's first. `at_end` says that no
    /// more text follows.
    pub fn parse(text: &[u8], stretch: Range<usize>, at_end: bool, dialect: &Dialect, plan: &Plan) -> Chunk {
        let mut parser = Parser {
            plan,
            records: 0,
            rows: Vec::new(),
            lengths: Vec::new(),
            builders: plan.columns.iter().map(|_| StringBuilder::new()).collect(),
            rejects: Vec::new(),
        };
        let mut cells = Vec::with_capacity(plan.fields);
        let mut at = stretch.start;
        let mut stopped = None;
        while at < stretch.end && stopped.is_none() {
            match cut(text, at, at_end, dialect, &mut cells) {
                Cut::Blank { next } => at = next,
                Cut::Record { end, next } => {
                    parser.record(text, at..end, &cells, dialect.quote);
                    at = next;
                }
                Cut::Broken { end, next, fault } => {
                    parser.records += 1;
                    parser.reject(&text[at..end], fault);
                    at = next;
                }
                Cut::Incomplete => stopped = Some(Stopped::Incomplete),
                Cut::TooLong => stopped = Some(Stopped::TooLong),
            }
        }
        parser.finish(stretch.start..at, stopped)
    }

    /// Says how many records came before the chunk.
    pub fn number_from(&mut self, before: u64) {
        let before = before as i64;
        self.rows.iter_mut().for_each(|row| *row += before);
        self.rejects.iter_mut().for_each(|reject| reject.row += before);
    }

    /// The snapshot's columns: the landed records' numbers and the plan's columns.
    pub fn into_columns(self) -> Vec<ArrayRef> {
        let rows: ArrayRef = Arc::new(Int64Array::from(self.rows));
        std::iter::once(rows).chain(self.columns).collect()
    }
}

struct Parser<'a> {
    plan: &'a Plan,
    records: u64,
    rows: Vec<i64>,
    lengths: Vec<u32>,
    builders: Vec<StringBuilder>,
    rejects: Vec<Reject>,
}

impl Parser<'_> {
    fn record(&mut self, text: &[u8], range: Range<usize>, cells: &[Cell], quote: u8) {
        self.records += 1;
        let start = range.start;
        let raw = &text[range];
        let Ok(record) = std::str::from_utf8(raw) else { return self.reject(raw, Fault::Encoding) };
        if cells.len() != self.plan.fields {
            return self.reject(raw, Fault::FieldCount { found: cells.len(), expected: self.plan.fields });
        }
        for (column, builder) in self.plan.columns.iter().zip(&mut self.builders) {
            let cell = cells[column.field];
            append(builder, column, &record[cell.start - start..cell.end - start], cell.doubled.then_some(quote));
        }
        self.rows.push(self.records as i64);
        self.lengths.push(u32::try_from(raw.len()).unwrap_or(u32::MAX));
    }

    /// Rejects the record that was just counted.
    fn reject(&mut self, raw: &[u8], fault: Fault) {
        self.rejects.push(Reject::new(self.records as i64, raw, fault, self.plan.is_private()));
    }

    fn finish(mut self, stretch: Range<usize>, stopped: Option<Stopped>) -> Chunk {
        let columns = self.builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        let Parser { records, rows, lengths, rejects, .. } = self;
        Chunk { stretch, stopped, records, rows, lengths, columns, rejects }
    }
}

/// Appends a cell; `doubled` is the quote to halve in it.
fn append(builder: &mut StringBuilder, column: &Column, cell: &str, doubled: Option<u8>) {
    if cell.is_empty() {
        return builder.append_null();
    }
    let halved = doubled.map(|quote| halve(cell, char::from(quote)));
    let cell = halved.as_deref().unwrap_or(cell);
    match &column.pseudonym {
        Some(pseudonym) => builder.append_value(pseudonym.of(cell)),
        None => builder.append_value(cell),
    }
}
