//! Results on stdout: tables for people, JSON and CSV for programs.

use crate::cli::Format;
use crate::diagnostic::{Diagnostic, Result};
use crate::domain::spreadsheet;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::array_value_to_string;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest text that is printed whole for people.
const WIDEST: usize = 60;
/// The widest name: of a path or an id a part is of no use.
const WIDEST_NAME: usize = 200;

/// Rows of text under headings.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The headings.
    pub head: Vec<String>,
    /// The rows; `None` is nothing.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(|cell| Some(cell.into())).collect());
    }

    /// The table in a format.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => self.for_people(),
            Format::Json => self.json(),
            Format::Csv => self.csv(),
        }
    }

    fn for_people(&self) -> String {
        let cells = |row: &Vec<Option<String>>| -> Vec<String> {
            row.iter().map(|cell| cell.as_deref().map_or_else(String::new, printable)).collect()
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let width = |i: usize| {
            let widths = rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width());
            widths.chain([self.head[i].width()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let numeric = |i: usize| {
            let mut cells = rows.iter().filter_map(|row| row.get(i)).filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some() && cells.all(|cell| cell.trim_end_matches('%').parse::<f64>().is_ok())
        };
        let right: Vec<bool> = (0..self.head.len()).map(numeric).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().enumerate().map(|(i, cell)| {
                let blank = " ".repeat(widths[i].saturating_sub(cell.width()));
                if right[i] { format!("{blank}{cell}") } else { format!("{cell}{blank}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let head = line(&self.head) + &line(&rule);
        rows.iter().fold(head, |text, row| text + &line(row))
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Option<String>>| {
            let members = self.head.iter().cloned().zip(row.iter().map(|cell| Value::from(cell.clone())));
            Value::Object(members.collect::<Map<_, _>>())
        };
        let rows: Vec<Value> = self.rows.iter().map(object).collect();
        format!("{:#}\n", Value::Array(rows))
    }

    fn csv(&self) -> String {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| in_csv(cell.as_deref().unwrap_or(""))).collect());
        let head = std::iter::once(self.head.iter().map(|name| in_csv(name)).collect::<Vec<_>>());
        for row in head.chain(rows) {
            // Writing to memory cannot fail, and all rows have the head's length.
            let _ = writer.write_record(row.iter().map(|cell| cell.as_bytes()));
        }
        String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
    }
}

/// A cell of a CSV, which people open in spreadsheets: a number as it is, a text so that nothing of it is run.
fn in_csv(cell: &str) -> Cow<'_, str> {
    if spreadsheet::is_number(cell) { Cow::Borrowed(cell) } else { spreadsheet::harmless(cell) }
}

/// Text from a CRM on a terminal: one line, no control characters, not wider than need be.
pub fn printable(text: &str) -> String {
    let mut clean = one_line(text);
    let widest = if clean.contains(' ') { WIDEST } else { WIDEST_NAME };
    if clean.width() > widest {
        let mut left = widest - 1;
        let fits = |c: &char| {
            let width = c.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        };
        clean = clean.chars().take_while(fits).chain(['…']).collect();
    }
    clean
}

/// Text from a CRM on one line and without control characters.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Refuses CSV where there is more to say than one table.
pub fn refuse_csv(format: Format, command: &str) -> Result<()> {
    match format {
        Format::Csv => Err(Diagnostic::usage(format!("`{command}` says more than a table can"))
            .help("take --format json for a program, or leave --format out")),
        Format::Table | Format::Json => Ok(()),
    }
}

/// Writes to stdout. A reader that has gone away (`| head`) is no error.
pub fn write(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::internal(format!("cannot write the result: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a result on stdout.
pub fn print(table: &Table, format: Format) -> Result<()> {
    write(&table.render(format))
}

/// Rows as text.
pub fn table(schema: &SchemaRef, batches: &[RecordBatch]) -> Table {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut table = Table::new(&names);
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| {
                column.is_valid(row).then(|| array_value_to_string(column, row).unwrap_or_default())
            };
            table.rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    table
}

/// Writes a line to stderr; a closed stderr stops no run.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_runs_nothing_and_changes_no_number() {
        let mut table = Table::new(&["=name", "amount"]);
        table.row(["x;=cmd()", "-12.50"]);
        table.row(["-1+1", "1e-9"]);
        assert_eq!(table.render(Format::Csv), "'=name,amount\nx;'=cmd(),-12.50\n'-1+1,1e-9\n");
        let json: serde_json::Value = serde_json::from_str(&table.render(Format::Json)).unwrap();
        assert_eq!(json[0]["=name"], "x;=cmd()");
    }

    #[test]
    fn a_path_is_printed_whole_and_a_long_text_in_part() {
        let path = format!("scores/bookings/{}.parquet", "0".repeat(64));
        assert_eq!(printable(&path), path);
        let text = "asked for references ".repeat(10);
        assert_eq!(printable(&text).chars().count(), WIDEST);
        // A sign may take two places, or none.
        assert_eq!(printable(&"山田 ".repeat(40)).width(), WIDEST);
        let mut table = Table::new(&["name", "deals"]);
        table.row(["山田太郎", "7"]);
        table.row(["Zoe\u{308}", "12"]);
        assert_eq!(
            table.render(Format::Table),
            "name      deals\n--------  -----\n山田太郎      7\nZoe\u{308}          12\n"
        );
    }
}
