//! The records that could not be read, kept so that none is lost without a word.
//!
//! If any column of the file is dropped or pseudonymised, a reject keeps its number, length and reason alone: its raw
//! text would show what the policy hides, and nobody can say which part of a broken record is which column.

use super::header::ROW;
use super::records::Fault;
use super::snapshot::{ROW_GROUP_BYTES, ROW_GROUP_ROWS, TableWriter};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::errors::Result;
use rayon::ThreadPool;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

/// A record that cannot be read.
#[derive(Clone, Debug)]
pub struct Reject {
    /// The record's number.
    pub row: i64,
    /// The record's length in bytes, without its line end.
    pub bytes: i64,
    /// Why it cannot be read.
    pub fault: Fault,
    /// The record itself, unless a column of the file is private.
    pub raw: Option<Vec<u8>>,
}

impl Reject {
    /// A reject of this text, which is not kept if `private`.
    pub fn new(row: i64, raw: &[u8], fault: Fault, private: bool) -> Reject {
        Reject { row, bytes: raw.len() as i64, fault, raw: (!private).then(|| raw.to_vec()) }
    }

    /// The raw text, with U+FFFD for what is not UTF-8.
    fn text(&self) -> Option<String> {
        self.raw.as_deref().map(|raw| String::from_utf8_lossy(raw).into_owned())
    }

    /// The raw bytes as hex digits, if they are not UTF-8.
    fn hex(&self) -> Option<String> {
        let raw = self.raw.as_deref().filter(|raw| std::str::from_utf8(raw).is_err())?;
        let mut hex = String::with_capacity(2 * raw.len());
        for byte in raw {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Some(hex)
    }
}

/// Writes rejects to a Parquet file that begins with the first of them: `_row`, `reason`, `bytes` (the record's
/// length), `raw` (its text) and `raw_hex` (its bytes, if they are not UTF-8).
pub struct RejectWriter<W: Write + Send> {
    sink: Option<W>,
    table: Option<TableWriter<W>>,
    waiting: Vec<Reject>,
    waiting_bytes: usize,
    written: u64,
}

impl<W: Write + Send> RejectWriter<W> {
    /// Nothing is written to `sink` before the first reject.
    pub fn new(sink: W) -> RejectWriter<W> {
        RejectWriter { sink: Some(sink), table: None, waiting: Vec::new(), waiting_bytes: 0, written: 0 }
    }

    /// Takes the next reject.
    pub fn push(&mut self, reject: Reject, pool: &ThreadPool) -> Result<()> {
        self.waiting_bytes += reject.raw.as_ref().map_or(0, Vec::len);
        self.waiting.push(reject);
        if self.waiting.len() == ROW_GROUP_ROWS || self.waiting_bytes >= ROW_GROUP_BYTES {
            self.flush(pool)?;
        }
        Ok(())
    }

    /// Writes what is waiting and the file's end; gives the number of rejects.
    pub fn finish(mut self, pool: &ThreadPool) -> Result<u64> {
        if !self.waiting.is_empty() {
            self.flush(pool)?;
        }
        if let Some(table) = self.table {
            table.finish()?;
        }
        Ok(self.written)
    }

    fn flush(&mut self, pool: &ThreadPool) -> Result<()> {
        if let Some(sink) = self.sink.take() {
            self.table = Some(TableWriter::new(schema(), sink)?);
        }
        let rejects = std::mem::take(&mut self.waiting);
        self.written += rejects.len() as u64;
        self.waiting_bytes = 0;
        let columns: [ArrayRef; 5] = [
            Arc::new(Int64Array::from_iter_values(rejects.iter().map(|reject| reject.row))),
            Arc::new(StringArray::from_iter_values(rejects.iter().map(|reject| reject.fault.to_string()))),
            Arc::new(Int64Array::from_iter_values(rejects.iter().map(|reject| reject.bytes))),
            Arc::new(StringArray::from_iter(rejects.iter().map(Reject::text))),
            Arc::new(StringArray::from_iter(rejects.iter().map(Reject::hex))),
        ];
        let group = columns.into_iter().map(|column| vec![column]).collect();
        self.table.as_mut().map_or(Ok(()), |table| table.write(vec![group], pool))
    }
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new(ROW, DataType::Int64, false),
        Field::new("reason", DataType::Utf8, false),
        Field::new("bytes", DataType::Int64, false),
        Field::new("raw", DataType::Utf8, true),
        Field::new("raw_hex", DataType::Utf8, true),
    ])
}
