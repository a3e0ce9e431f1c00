//! Landing as a whole: each rule on a tiny export, and the reader against a naive one written from the rules.

use super::{ColumnPolicy, Landed, ReaderOptions, land};
use crate::diagnostic::{Kind, Result};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;

type Row = (i64, Vec<Option<String>>);

/// What landing gave: its answer and the bytes of both files.
#[derive(Debug, PartialEq)]
struct Files {
    landed: Landed,
    snapshot: Vec<u8>,
    rejects: Vec<u8>,
}

impl Files {
    fn rows(&self) -> Vec<Row> {
        table(&self.snapshot).1
    }

    /// Each reject's number, reason, length, raw text and raw bytes.
    fn rejects(&self) -> Vec<Row> {
        if self.rejects.is_empty() { Vec::new() } else { table(&self.rejects).1 }
    }
}

/// A Parquet file's column names and rows; numbers behind the first column as text.
fn table(parquet: &[u8]) -> (Vec<String>, Vec<Row>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(parquet)).unwrap();
    let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let number = batch.column(0).as_primitive::<Int64Type>();
        for i in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| match column.as_string_opt::<i32>() {
                _ if column.is_null(i) => None,
                Some(text) => Some(text.value(i).to_owned()),
                None => Some(column.as_primitive::<Int64Type>().value(i).to_string()),
            };
            rows.push((number.value(i), batch.columns()[1..].iter().map(cell).collect()));
        }
    }
    (names, rows)
}

fn land_as(export: &[u8], options: &ReaderOptions, policy: &dyn Fn(&str) -> ColumnPolicy) -> Result<Files> {
    let (mut snapshot, mut rejects) = (Vec::new(), Vec::new());
    let landed = land("deals.csv", export, options, policy, Some(b"key"), &mut snapshot, &mut rejects)?;
    Ok(Files { landed, snapshot, rejects })
}

fn keep(_: &str) -> ColumnPolicy {
    ColumnPolicy::Keep
}

fn land_all(export: impl AsRef<[u8]>) -> Files {
    land_as(export.as_ref(), &ReaderOptions::default(), &keep).unwrap()
}

fn row(number: i64, cells: &[&str]) -> Row {
    (number, cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect())
}

#[test]
fn cells_land_verbatim_with_their_record_number() {
    let files = land_all("\u{feff} Id ,Name,Name,\r\n\r\n1,\" A, \"\"B\"\"\r\nC \",x\"y,\"\"\r\n\n2,,,é");
    let (names, rows) = table(&files.snapshot);
    assert_eq!(names, ["_row", "Id", "Name", "Name_2", "column_4"]);
    assert_eq!(rows, [row(1, &["1", " A, \"B\"\r\nC ", "x\"y", ""]), row(2, &["2", "", "", "é"])]);
    assert_eq!(files.landed.columns, names[1..]);
    assert_eq!((files.landed.rows, files.landed.rejected), (2, 0));
    assert!(files.rejects.is_empty());
}

#[test]
fn what_cannot_be_read_is_rejected_and_the_rest_lands() {
    let export = b"a,b\n1,2\n3\n4,5,6\n\"7\"x,8\n\xe9,9\n10,\"11\n12,13\n";
    let files = land_all(export);
    assert_eq!(files.rows(), [row(1, &["1", "2"]), row(7, &["12", "13"])]);
    let open = "the quote that opens field 2 is not closed by the end of the file";
    assert_eq!(
        files.rejects(),
        [
            row(2, &["1 field where the header has 2", "1", "3", ""]),
            row(3, &["3 fields where the header has 2", "5", "4,5,6", ""]),
            row(4, &["field 1 goes on after its closing quote", "6", "\"7\"x,8", ""]),
            row(5, &["the text is not valid in the file's encoding", "3", "\u{fffd},9", "e92c39"]),
            row(6, &[open, "6", "10,\"11", ""]),
        ]
    );
    assert_eq!(table(&files.rejects).0, ["_row", "reason", "bytes", "raw", "raw_hex"]);
    assert_eq!((files.landed.rows, files.landed.rejected), (2, 5));
}

#[test]
fn a_header_alone_lands_without_rows() {
    for export in ["Id,Name", "Id,Name\n", "\r\nId,Name\r\n\r\n"] {
        let files = land_all(export);
        assert_eq!(table(&files.snapshot), (vec!["_row".into(), "Id".into(), "Name".into()], vec![]));
        assert_eq!(files.landed.rows, 0);
    }
}

#[test]
fn an_export_without_a_header_is_refused() {
    let error = |export: &[u8]| land_as(export, &ReaderOptions::default(), &keep).unwrap_err();
    for export in ["", "\n\r\n", "\u{feff}", "\r", ",,\n1,2,3", "a,\"b\n1,2", "a\rb\rc", "PK\u{3}\u{4}"] {
        let error = error(export.as_bytes());
        assert_eq!(error.kind, Kind::Data, "{export:?}");
        assert!(error.to_string().contains("deals.csv") && !error.help.is_empty(), "{error}");
    }
    assert!(error(b"n\xe4me\n1").help[0].contains("windows-1252"));
}

#[test]
fn other_dialects_and_packings_land_the_same() {
    let table = land_all("a;b,é\n1,2\n").rows();
    let semicolon = ReaderOptions { delimiter: b';', quote: b'\'', ..ReaderOptions::default() };
    assert_eq!(land_as("'a;b';é\n1;2\n".as_bytes(), &semicolon, &keep).unwrap().rows(), table);
    let windows = ReaderOptions { encoding: Some("windows-1252".into()), ..ReaderOptions::default() };
    assert_eq!(land_as(b"a;b,\xe9\n1,2\n", &windows, &keep).unwrap(), land_all("a;b,é\n1,2\n"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all("a;b,é\n1,2\n".as_bytes()).unwrap();
    assert_eq!(land_all(gzip.finish().unwrap()), land_all("a;b,é\n1,2\n"));
    let same = ReaderOptions { delimiter: b'"', ..ReaderOptions::default() };
    assert_eq!(land_as(b"a", &same, &keep).unwrap_err().kind, Kind::Project);
}

#[test]
fn private_columns_leave_no_trace() {
    let policy = |name: &str| match name {
        "Body" => ColumnPolicy::Drop,
        "Email" => ColumnPolicy::Pseudonymise,
        _ => ColumnPolicy::Keep,
    };
    let export = b"Id,Email,Body\n1,\"a\"\"b@x.org\",secret\n2,,secret\n3,secret\n4,\"secret,\n5,\xff,\n";
    let files = land_as(export, &ReaderOptions::default(), &policy).unwrap();
    let (names, rows) = table(&files.snapshot);
    assert_eq!(names, ["_row", "Id", "Email"]);
    for trace in ["secret", "x.org"] {
        let found = |bytes: &[u8]| bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
        assert!(!found(&files.snapshot) && !found(&files.rejects), "{trace}");
    }
    // printf 'a"b@x.org' | openssl dgst -sha256 -hmac key
    assert_eq!(rows, [row(1, &["1", "p_56416ab98325b156c57411b5c151eac8"]), row(2, &["2", ""])]);
    assert_eq!((files.landed.dropped, files.landed.pseudonymised), (vec!["Body".into()], vec!["Email".into()]));
    let kept = table(&files.rejects).1.into_iter().map(|(_, cells)| (cells[1].clone(), cells[2..].to_vec()));
    assert_eq!(kept.collect::<Vec<_>>(), ["8", "10", "4"].map(|bytes| (Some(bytes.to_owned()), vec![None, None])));
}

#[test]
fn all_columns_may_be_dropped() {
    let files = land_as(b"a,b\n1,2\n3\n4,5\n", &ReaderOptions::default(), &|_| ColumnPolicy::Drop).unwrap();
    assert_eq!(files.rows(), [row(1, &[]), row(3, &[])]);
    assert_eq!((files.landed.rows, files.landed.rejected), (2, 1));
}

#[test]
fn a_record_of_many_megabytes_stops_the_file() {
    let mut export = b"a,b\n1,2\n3,".to_vec();
    export.resize(export.len() + (64 << 20), b'x');
    for (threads, block_bytes) in [(1, 32 << 20), (3, 5 << 20)] {
        let options = ReaderOptions { threads, block_bytes, ..ReaderOptions::default() };
        let error = land_as(&export, &options, &keep).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Data, "record 2 is longer than 64 MiB"));
    }
}

#[test]
fn many_rows_give_the_same_bytes_however_they_are_read() {
    let mut export = b"Id,Stage,Note\n".to_vec();
    for i in 0..150_000 {
        let note = if i % 9 == 0 { "\"two\nlines, \"\"quoted\"\"\"" } else { "" };
        let stray = if i % 20_000 == 0 { "5\" pipe" } else { "Won" };
        writeln!(export, "{i},{stray},{note}").unwrap();
        if i % 50_000 == 0 {
            writeln!(export, "broken,\"").unwrap();
        }
    }
    let sequential = ReaderOptions { block_bytes: 64 << 20, ..ReaderOptions::default() };
    let expected = land_as(&export, &sequential, &keep).unwrap();
    assert_eq!((expected.landed.rows, expected.landed.rejected), (150_000, 3));
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(expected.snapshot.clone())).unwrap();
    let groups: Vec<i64> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [65_536, 65_536, 150_000 - 2 * 65_536]);
    assert_eq!(reader.metadata().file_metadata().created_by(), Some("scorebook"));
    for (threads, block_bytes) in [(2, 8 << 20), (3, 100_003), (7, 1 << 20)] {
        let options = ReaderOptions { threads, block_bytes, ..ReaderOptions::default() };
        let files = land_as(&export, &options, &keep).unwrap();
        assert!(files == expected, "{threads} threads, blocks of {block_bytes} bytes");
    }
}

#[test]
fn real_exports_land_whole() {
    let folder = Path::new("/work/shared/data");
    let exports = [
        ("maven_crm/as_published/sales_pipeline.csv", 8800),
        ("salesforce_workshop/Opportunity.csv", 50),
        ("salesforce_workshop/Task.csv", 75),
        ("salesforce_workshop/Lead.csv", 60),
    ];
    for (name, rows) in exports {
        let Ok(export) = std::fs::read(folder.join(name)) else {
            eprintln!("skipped: {name} is not here");
            continue;
        };
        let expected = land_all(&export);
        assert_eq!((expected.landed.rows, expected.landed.rejected), (rows, 0), "{name}");
        let options = ReaderOptions { threads: 3, block_bytes: 5000, ..ReaderOptions::default() };
        assert_eq!(land_as(&export, &options, &keep).unwrap(), expected, "{name}");
    }
}

/// A reader written from the rules alone: one byte after the other, the whole export in sight.
mod naive {
    use super::Row;

    /// The landed rows, and each reject's number and reason.
    pub type Read = (Vec<Row>, Vec<(i64, String)>);

    pub fn read(records: &[u8], fields: usize, quoted_bytes: usize) -> Read {
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        let (mut at, mut number) = (0, 0);
        while at < records.len() {
            if let Some(next) = line_end(records, at) {
                at = next;
                continue;
            }
            number += 1;
            let (cells, next) = match record(records, at, quoted_bytes) {
                Ok(record) => record,
                Err(reason) => {
                    rejects.push((number, reason));
                    at = (at..records.len()).find(|i| records[*i] == b'\n').map_or(records.len(), |i| i + 1);
                    continue;
                }
            };
            let text: Option<Vec<String>> = cells.iter().map(|cell| String::from_utf8(cell.clone()).ok()).collect();
            match text {
                None => rejects.push((number, "the text is not valid in the file's encoding".to_owned())),
                Some(cells) if cells.len() != fields => {
                    let s = if cells.len() == 1 { "" } else { "s" };
                    rejects.push((number, format!("{} field{s} where the header has {fields}", cells.len())));
                }
                Some(cells) => rows
                    .push((number, cells.into_iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty())).collect())),
            }
            at = next;
        }
        (rows, rejects)
    }

    fn line_end(text: &[u8], at: usize) -> Option<usize> {
        if at == text.len() {
            Some(at)
        } else if text[at] == b'\n' {
            Some(at + 1)
        } else if text[at] == b'\r' && (at + 1 == text.len() || text[at + 1] == b'\n') {
            Some(text.len().min(at + 2))
        } else {
            None
        }
    }

    fn record(text: &[u8], start: usize, quoted_bytes: usize) -> Result<(Vec<Vec<u8>>, usize), String> {
        let mut cells = Vec::new();
        let mut at = start;
        loop {
            let mut cell = Vec::new();
            if at < text.len() && text[at] == b'"' {
                at = quoted(text, at, quoted_bytes, cells.len() + 1, &mut cell)?;
                if line_end(text, at).is_none() && text[at] != b',' {
                    return Err(format!("field {} goes on after its closing quote", cells.len() + 1));
                }
            } else {
                while line_end(text, at).is_none() && text[at] != b',' {
                    cell.push(text[at]);
                    at += 1;
                }
            }
            cells.push(cell);
            match line_end(text, at) {
                Some(next) => return Ok((cells, next)),
                None => at += 1,
            }
        }
    }

    /// Reads a quoted cell and gives the position behind its closing quote.
    fn quoted(text: &[u8], open: usize, limit: usize, field: usize, cell: &mut Vec<u8>) -> Result<usize, String> {
        let late = format!("the quote that opens field {field} is not closed within {limit} bytes");
        let mut at = open + 1;
        while at < text.len() {
            if text[at] != b'"' {
                cell.push(text[at]);
                at += 1;
            } else if text.get(at + 1) == Some(&b'"') {
                cell.push(b'"');
                at += 2;
            } else {
                return if at - open - 1 <= limit { Ok(at + 1) } else { Err(late) };
            }
        }
        let rest = text.len() - open - 1;
        Err(if rest > limit {
            late
        } else {
            format!("the quote that opens field {field} is not closed by the end of the file")
        })
    }
}

/// Bytes that are mostly trouble.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(&b"\""[..]),
        1 => Just(&b"\"\""[..]),
        4 => Just(&b","[..]),
        2 => Just(&b"\n"[..]),
        1 => Just(&b"\r"[..]),
        1 => Just(&b"\r\n"[..]),
        1 => Just(&b"1,2\n"[..]),
        1 => Just(&b"\"3\n\",4\n"[..]),
        3 => Just(&b"a"[..]),
        1 => Just("é€".as_bytes()),
        1 => Just(&b"\xff"[..]),
    ];
    prop::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// A cell of any text, often of the characters that matter.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![2 => "[a\",\r\n é]{0,6}", 1 => any::<String>(), 1 => Just(String::new())]
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_the_rules_say(
        soup in soup(),
        fields in 1..4usize,
        block_bytes in 1..80usize,
        quoted_bytes in prop_oneof![0..12usize, Just(1 << 20)],
    ) {
        let header = &b"a,b,c"[..2 * fields - 1];
        let export = [header, b"\n", &soup].concat();
        let (rows, rejects) = naive::read(&soup, fields, quoted_bytes);
        let mut first = None;
        for threads in [1, 2, 3, 7] {
            let options = ReaderOptions { threads, block_bytes, quoted_bytes, ..ReaderOptions::default() };
            let files = land_as(&export, &options, &keep).unwrap();
            prop_assert_eq!(files.rows(), rows.clone());
            let reasons = files.rejects().into_iter().map(|(row, cells)| (row, cells[0].clone().unwrap()));
            prop_assert_eq!(reasons.collect::<Vec<_>>(), rejects.clone());
            prop_assert_eq!(files.landed.rejected, rejects.len() as u64);
            prop_assert!(files == *first.get_or_insert_with(|| land_all_limited(&export, quoted_bytes)));
        }
    }

    #[test]
    fn any_table_comes_back_verbatim(
        table in (1..5usize).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(cell(), width), 1..12)),
        always in any::<bool>(),
        crlf in any::<bool>(),
        block_bytes in 1..200usize,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record((0..table[0].len()).map(|i| format!("c{i}"))).unwrap();
        table.iter().for_each(|cells| writer.write_record(cells).unwrap());
        let options = ReaderOptions { threads: 3, block_bytes, ..ReaderOptions::default() };
        let files = land_as(&writer.into_inner().unwrap(), &options, &keep).unwrap();
        let expected = table.into_iter().zip(1..).map(|(cells, number)| {
            (number, cells.into_iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty())).collect())
        });
        prop_assert_eq!(files.rows(), expected.collect::<Vec<Row>>());
        prop_assert_eq!(files.landed.rejected, 0);
    }
}

/// One block, one thread.
fn land_all_limited(export: &[u8], quoted_bytes: usize) -> Files {
    land_as(export, &ReaderOptions { quoted_bytes, ..ReaderOptions::default() }, &keep).unwrap()
}
