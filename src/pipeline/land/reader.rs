//! Landing one export: its bytes in, a snapshot and rejects out.
//!
//! What is read is defined sequentially, record after record. Blocks, chunks and threads only make it faster: a chunk's
//! start is a guess, and a chunk counts only if the one before it ended exactly there.

use super::chunk::{Chunk, Stopped};
use super::decode::Text;
use super::header::{self, ROW};
use super::policy::{ColumnPolicy, Plan};
use super::records::{Cell, Cut, Dialect, cut, halve};
use super::rejects::RejectWriter;
use super::snapshot::{RowGroups, TableWriter};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::limits::Unpacking;
use arrow::datatypes::{DataType, Field, Schema};
use memchr::memchr2_iter;
use parquet::errors::ParquetError;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

/// The most bytes of one record: more is no record but a wrong quote, delimiter or file.
const RECORD_BYTES: usize = 64 << 20;
/// How many bytes are read at a time where the header alone is wanted.
const HEADER_BYTES: usize = 1 << 16;

/// How an export is read. The first five decide what is read, the others only how fast.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    /// The byte between two cells, in ASCII.
    pub delimiter: u8,
    /// The byte around quoted cells, in ASCII.
    pub quote: u8,
    /// The encoding's name, such as `windows-1252`; `None` for UTF-8. A byte order mark outranks it.
    pub encoding: Option<String>,
    /// The most bytes between a cell's two quotes.
    pub quoted_bytes: usize,
    /// How far a packed export is unpacked.
    pub unpacking: Unpacking,
    /// How many threads parse and encode; one more reads.
    pub threads: usize,
    /// How many bytes are read at a time, at most 64 MiB; memory grows with it. 8 MiB measured fastest: it fits caches.
    pub block_bytes: usize,
}

impl Default for ReaderOptions {
    fn default() -> ReaderOptions {
        ReaderOptions {
            delimiter: b',',
            quote: b'"',
            encoding: None,
            quoted_bytes: 1 << 20,
            unpacking: Unpacking::default(),
            threads: 1,
            block_bytes: 8 << 20,
        }
    }
}

impl ReaderOptions {
    /// The part that decides where records end. Bytes that cannot do that are a project error.
    fn dialect(&self) -> Result<Dialect> {
        let usable = |byte: u8| byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0);
        if !usable(self.delimiter) || !usable(self.quote) || self.delimiter == self.quote {
            let (delimiter, quote) = (char::from(self.delimiter), char::from(self.quote));
            let message = format!("an export cannot have the delimiter {delimiter:?} and the quote {quote:?}");
            return Err(Diagnostic::project(message).help("use two different ASCII characters"));
        }
        let Self { delimiter, quote, quoted_bytes, .. } = *self;
        Ok(Dialect { delimiter, quote, quoted_bytes, record_bytes: RECORD_BYTES })
    }
}

/// What became of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The columns in the snapshot, in the header's order; `_row` stands before them.
    pub columns: Vec<String>,
    /// Those of them that are pseudonymised.
    pub pseudonymised: Vec<String>,
    /// The columns that were not written.
    pub dropped: Vec<String>,
    /// Those of them of which nobody decided.
    pub undecided: Vec<String>,
    /// The records in the snapshot.
    pub rows: u64,
    /// The records in the rejects; if 0, nothing was written there.
    pub rejected: u64,
}

/// Lands an export: writes `snapshot` (`_row`, the record's number, then every kept column as text, empty cells as
/// NULL) and, if a record cannot be read, `rejects` (`_row`, `reason`, `bytes` for the record's length, `raw` for its
/// text and `raw_hex` for its bytes if they are not UTF-8). Both are Parquet whose bytes depend on the export, the
/// options that decide what is read, the policy and the key alone. With a private column `raw` and `raw_hex` are NULL.
///
/// `file_name` is for messages. Memory stays bounded whatever the export's size. An export without a header, damaged
/// packing, or a record of more than 64 MiB is a data error; options that cannot be or a missing pseudonym key are
/// project errors; a source or sink that fails is an internal one. After an error the sinks hold rubbish.
pub fn land(
    file_name: &str,
    source: impl Read + Send,
    options: &ReaderOptions,
    policy: &dyn Fn(&str) -> ColumnPolicy,
    pseudonym_key: Option<&[u8]>,
    snapshot: &mut (dyn Write + Send),
    rejects: &mut (dyn Write + Send),
) -> Result<Landed> {
    let dialect = options.dialect().map_err(|error| error.at(Place::file(file_name)))?;
    let block_bytes = options.block_bytes.clamp(1, RECORD_BYTES);
    let pool = ThreadPoolBuilder::new()
        .num_threads(options.threads.max(1))
        .build()
        .map_err(|error| Diagnostic::internal("cannot start threads").note(error.to_string()))?;
    let text = Text::open(file_name, source, options.encoding.as_deref(), options.unpacking)?;
    std::thread::scope(|scope| {
        let mut window = Window::ahead(scope, text, block_bytes);
        let header = read_header(file_name, &mut window, &dialect)?;
        let plan = Plan::new(file_name, &header, policy, pseudonym_key)?;
        Landing { file_name, pool, dialect, plan }.run(window, snapshot, rejects)
    })
}

/// The names in an export's header, as [`land`] reads them, and nothing of what follows.
pub fn header_of(file_name: &str, source: impl Read + Send, options: &ReaderOptions) -> Result<Vec<String>> {
    let dialect = options.dialect().map_err(|error| error.at(Place::file(file_name)))?;
    let text = Text::open(file_name, source, options.encoding.as_deref(), options.unpacking)?;
    std::thread::scope(|scope| read_header(file_name, &mut Window::ahead(scope, text, HEADER_BYTES), &dialect))
}

/// The part of the text in sight: what is not settled yet, and the blocks read since.
struct Window {
    receive: Receiver<Result<Vec<u8>>>,
    text: Vec<u8>,
    at_end: bool,
}

impl Window {
    /// A window on a text of which reading and unpacking go one block ahead; dropping it ends them.
    fn ahead<'scope>(scope: &'scope Scope<'scope, '_>, mut text: Text<'scope>, block_bytes: usize) -> Window {
        let (send, receive) = sync_channel(1);
        scope.spawn(move || {
            loop {
                let block = text.block(block_bytes);
                let last = !matches!(&block, Ok(block) if !block.is_empty());
                if send.send(block).is_err() || last {
                    return;
                }
            }
        });
        Window { receive, text: Vec::new(), at_end: false }
    }

    /// Moves on by `settled` bytes and reads at least one more block. While a record is not settled the window doubles,
    /// so that looking at it again and again stays cheap.
    fn advance(&mut self, settled: usize) -> Result<()> {
        self.text.drain(..settled);
        let wanted = 2 * self.text.len();
        while !self.at_end {
            match self.receive.recv() {
                Ok(block) => {
                    let block = block?;
                    self.at_end = block.is_empty();
                    self.append(block);
                }
                Err(_) => return Err(Diagnostic::internal("the thread that reads the export died")),
            }
            if self.text.len() > wanted {
                break;
            }
        }
        Ok(())
    }

    fn append(&mut self, block: Vec<u8>) {
        if self.text.is_empty() {
            self.text = block;
        } else {
            self.text.extend_from_slice(&block);
        }
    }
}

/// Reads the header and leaves the window behind it.
fn read_header(file_name: &str, window: &mut Window, dialect: &Dialect) -> Result<Vec<String>> {
    let place = || Place::file(file_name);
    let mut cells: Vec<Cell> = Vec::new();
    let mut settled = 0;
    loop {
        window.advance(settled)?;
        settled = 0;
        while settled < window.text.len() {
            match cut(&window.text, settled, window.at_end, dialect, &mut cells) {
                Cut::Blank { next } => settled = next,
                Cut::Record { next, .. } => {
                    let names = header_cells(&window.text, &cells, dialect.quote).ok_or_else(|| {
                        Diagnostic::data("the header is not valid in the file's encoding")
                            .at(place())
                            .help("set `encoding` for this export, such as `windows-1252`")
                    })?;
                    window.text.drain(..next);
                    return header::check(file_name, &names);
                }
                Cut::Broken { fault, .. } => {
                    return Err(Diagnostic::data("the header cannot be read")
                        .at(place())
                        .note(fault.to_string())
                        .help("check the export's first line, and its `delimiter` and `quote`"));
                }
                Cut::TooLong => return Err(too_long(file_name, "the header")),
                Cut::Incomplete => break,
            }
        }
        if window.at_end {
            return Err(Diagnostic::data("this export is empty: it has no header")
                .at(place())
                .help("export it again; an export without records still needs the line with the columns' names"));
        }
    }
}

/// The text of a header's cells, unless one is not UTF-8.
fn header_cells(text: &[u8], cells: &[Cell], quote: u8) -> Option<Vec<String>> {
    let cell_text = |cell: &Cell| {
        let name = std::str::from_utf8(&text[cell.start..cell.end]).ok()?;
        Some(if cell.doubled { halve(name, char::from(quote)) } else { name.to_owned() })
    };
    cells.iter().map(cell_text).collect()
}

fn too_long(file_name: &str, what: &str) -> Box<Diagnostic> {
    Diagnostic::data(format!("{what} is longer than {} MiB", RECORD_BYTES >> 20))
        .at(Place::file(file_name))
        .help("check that this is a text file with LF or CRLF line ends, and its `encoding`, `delimiter` and `quote`")
}

/// One export being landed.
struct Landing<'a> {
    file_name: &'a str,
    pool: ThreadPool,
    dialect: Dialect,
    plan: Plan,
}

impl Landing<'_> {
    fn run(
        self,
        mut window: Window,
        snapshot: &mut (dyn Write + Send),
        rejects: &mut (dyn Write + Send),
    ) -> Result<Landed> {
        let unwritten = |error: ParquetError| {
            Diagnostic::internal("cannot write the snapshot").at(Place::file(self.file_name)).note(error.to_string())
        };
        let mut table = TableWriter::new(self.schema(), snapshot).map_err(unwritten)?;
        let mut rejects = RejectWriter::new(rejects);
        let mut groups = RowGroups::default();
        let (mut records, mut rows) = (0, 0);
        loop {
            let mut settled = 0;
            for mut chunk in self.parse(&window.text, window.at_end) {
                chunk.number_from(records);
                records += chunk.records;
                rows += chunk.rows.len() as u64;
                settled = chunk.stretch.end;
                if chunk.stopped == Some(Stopped::TooLong) {
                    return Err(too_long(self.file_name, &format!("record {}", records + 1)));
                }
                for reject in std::mem::take(&mut chunk.rejects) {
                    rejects.push(reject, &self.pool).map_err(unwritten)?;
                }
                let lengths = std::mem::take(&mut chunk.lengths);
                groups.add(&chunk.into_columns(), &lengths);
            }
            table.write(groups.complete(), &self.pool).map_err(unwritten)?;
            if window.at_end {
                break;
            }
            window.advance(settled)?;
        }
        table.write(groups.finish(), &self.pool).map_err(unwritten)?;
        table.finish().map_err(unwritten)?;
        let rejected = rejects.finish(&self.pool).map_err(unwritten)?;
        Ok(self.landed(rows, rejected))
    }

    /// Parses all records that the text settles, in parallel: gives consecutive chunks from the text's beginning.
    fn parse(&self, text: &[u8], at_end: bool) -> Vec<Chunk> {
        let parse = |stretch: Range<usize>| Chunk::parse(text, stretch, at_end, &self.dialect, &self.plan);
        let stretches = guess_stretches(text, self.dialect.quote, &self.pool);
        let guessed: Vec<(Chunk, usize)> =
            self.pool.install(|| stretches.into_par_iter().map(|s| (parse(s.clone()), s.end)).collect());
        let mut chunks: Vec<Chunk> = Vec::with_capacity(guessed.len());
        let mut start = 0;
        for (mut chunk, end) in guessed {
            if chunk.stretch.start != start {
                chunk = parse(start..end.max(start));
            }
            start = chunk.stretch.end;
            let stopped = chunk.stopped.is_some();
            chunks.push(chunk);
            if stopped {
                break;
            }
        }
        chunks
    }

    fn schema(&self) -> Schema {
        let row = Field::new(ROW, DataType::Int64, false);
        let columns = self.plan.columns.iter().map(|column| Field::new(&column.name, DataType::Utf8, true));
        Schema::new(std::iter::once(row).chain(columns).collect::<Vec<_>>())
    }

    fn landed(self, rows: u64, rejected: u64) -> Landed {
        let columns = &self.plan.columns;
        let hashed = columns.iter().filter(|column| column.pseudonym.is_some());
        Landed {
            pseudonymised: hashed.map(|column| column.name.clone()).collect(),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            dropped: self.plan.dropped,
            undecided: self.plan.undecided,
            rows,
            rejected,
        }
    }
}

/// Divides a text that starts with a record into one stretch per thread. Each starts behind a line end that an even
/// number of quotes precedes, which is a record's start unless a quote stands in an unquoted cell or is broken.
fn guess_stretches(text: &[u8], quote: u8, pool: &ThreadPool) -> Vec<Range<usize>> {
    let threads = pool.current_num_threads();
    let aim = |i: usize| text.len() / threads * i;
    let count = |i: usize| memchr::memchr_iter(quote, &text[aim(i - 1)..aim(i)]).count();
    let quotes: Vec<usize> = pool.install(|| (1..threads).into_par_iter().map(count).collect());
    let mut starts = vec![0];
    let mut quoted = false;
    for (i, quotes) in (1..threads).zip(quotes) {
        quoted ^= quotes % 2 == 1;
        starts.push(next_start(text, aim(i), quote, quoted));
    }
    starts.push(text.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The first line's start behind `from` that is not within quotes, if `quoted` says whether `from` is.
fn next_start(text: &[u8], from: usize, quote: u8, mut quoted: bool) -> usize {
    for i in memchr2_iter(quote, b'\n', &text[from..]) {
        if text[from + i] == quote {
            quoted = !quoted;
        } else if !quoted {
            return from + i + 1;
        }
    }
    text.len()
}
