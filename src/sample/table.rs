//! One CSV file in the making, in the shape of its source.

use crate::diagnostic::{Diagnostic, Result};
use crate::sample::calendar::{Calendar, Day, Moment};
use crate::sample::id::Id;
use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

/// A damaged record that stands after so many rows of a file.
pub struct Stray {
    /// After which row.
    pub after_rows: usize,
    /// Its cells, as they are.
    pub cells: Vec<Vec<u8>>,
}

/// Which program wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Salesforce's data export: every value quoted, moments to the second.
    Salesforce,
    /// What HubSpot's pages export: every value quoted, moments to the minute.
    HubSpot,
    /// A spreadsheet that somebody keeps: quotes where they are needed.
    Sheet,
}

/// A file, written cell by cell and row by row.
pub struct Table<'a> {
    writer: Writer<Vec<u8>>,
    calendar: &'a Calendar,
    shape: Shape,
    columns: usize,
    cells: usize,
    rows: usize,
    strays: Vec<Stray>,
    /// The first thing that went wrong; kept, so that rows read as lists of cells.
    failure: Option<csv::Error>,
}

impl<'a> Table<'a> {
    /// A file with that header, separated by commas, and those damaged records in between its rows.
    pub fn new(shape: Shape, header: &str, calendar: &'a Calendar, strays: Vec<Stray>) -> Table<'a> {
        let mut builder = WriterBuilder::new();
        let quotes = if shape == Shape::Sheet { QuoteStyle::Necessary } else { QuoteStyle::Always };
        builder.quote_style(quotes).terminator(Terminator::Any(b'\n')).flexible(true);
        let writer = builder.from_writer(Vec::new());
        let columns = header.split(',').count();
        let mut table = Table { writer, calendar, shape, columns, cells: 0, rows: 0, strays, failure: None };
        table.record(header.split(','));
        table
    }

    /// A cell as it stands.
    pub fn text(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.cells += 1;
        let written = self.writer.write_field(text);
        self.keep(written)
    }

    /// A cell without a value.
    pub fn null(&mut self) -> &mut Self {
        self.text("")
    }

    /// A whole number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.text(number.to_string())
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.text(if flag { "1" } else { "0" })
    }

    /// Money, from cents.
    pub fn money(&mut self, cents: Option<i64>) -> &mut Self {
        match cents {
            None => self.null(),
            Some(cents) if cents % 10 == 0 => self.text(format!("{}.{}", cents / 100, cents / 10 % 10)),
            Some(cents) => self.text(format!("{}.{:02}", cents / 100, cents % 100)),
        }
    }

    /// The id of this or another record.
    pub fn id(&mut self, id: impl Into<Option<Id>>) -> &mut Self {
        match id.into() {
            Some(id) => self.text(id.letters()),
            None => self.null(),
        }
    }

    /// A day.
    pub fn day(&mut self, day: impl Into<Option<Day>>) -> &mut Self {
        match day.into() {
            Some(day) => self.text(self.calendar.day(day)),
            None => self.null(),
        }
    }

    /// A moment.
    pub fn moment(&mut self, moment: impl Into<Option<Moment>>) -> &mut Self {
        match moment.into() {
            Some(moment) if self.shape == Shape::HubSpot => self.text(&self.calendar.moment(moment)[..16]),
            Some(moment) => self.text(self.calendar.moment(moment)),
            None => self.null(),
        }
    }

    /// Ends the row.
    pub fn end(&mut self) {
        debug_assert_eq!(self.cells, self.columns, "row {} has another number of cells than the header", self.rows);
        let written = self.writer.write_record(None::<&[u8]>);
        self.keep(written);
        self.cells = 0;
        self.rows += 1;
        while let Some(place) = self.strays.iter().position(|stray| stray.after_rows == self.rows) {
            let stray = self.strays.remove(place);
            self.record(stray.cells);
        }
    }

    /// The file's bytes.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        // A sample may be too small to reach the row after which a stray was to stand.
        for stray in std::mem::take(&mut self.strays) {
            self.record(stray.cells);
        }
        if let Some(error) = self.failure {
            return Err(Diagnostic::internal(format!("failed to write a sample file: {error}")));
        }
        self.writer
            .into_inner()
            .map_err(|error| Diagnostic::internal(format!("failed to write a sample file: {error}")))
    }

    fn record(&mut self, cells: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        let written = self.writer.write_record(cells);
        self.keep(written);
    }

    fn keep(&mut self, written: csv::Result<()>) -> &mut Self {
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
        self
    }
}
