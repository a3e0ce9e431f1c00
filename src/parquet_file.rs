//! Parquet files whose bytes depend on their rows alone: fixed writer properties, row groups cut by row count.

use crate::diagnostic::{Diagnostic, Result};
use crate::store::ObjectFile;
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::reader::ChunkReader;
use std::io::Write;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Rows of a row group of snapshots and model tables.
pub const ROW_GROUP_ROWS: usize = 65_536;
/// Rows of a row group of scores. What is known of each column of each group is in memory while documents are made.
pub const SCORE_ROW_GROUP_ROWS: usize = 32_768;

/// Rows of a page.
const PAGE_ROWS: usize = 1024;

/// The writer's properties; they change only together with a step's format number.
pub fn properties(row_group_rows: usize) -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("scorebook".into())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(row_group_rows))
        // Small pages: who reads many files side by side holds a page of each column.
        .set_data_page_row_count_limit(PAGE_ROWS)
        .build()
}

/// A table that is written as its rows come.
///
/// Its bytes depend on the sizes of the batches too: whoever writes must cut them by row count.
pub struct Writer<W: Write + Send = Vec<u8>>(ArrowWriter<W>);

impl Writer {
    /// An empty table in memory.
    pub fn new(schema: SchemaRef, row_group_rows: usize) -> Result<Writer> {
        Writer::into(Vec::new(), schema, row_group_rows)
    }
}

impl<W: Write + Send> Writer<W> {
    /// An empty table.
    pub fn into(to: W, schema: SchemaRef, row_group_rows: usize) -> Result<Writer<W>> {
        let writer = ArrowWriter::try_new(to, schema, Some(properties(row_group_rows)));
        writer.map(Writer).map_err(|error| unwritten(&error))
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(|error| unwritten(&error))
    }

    /// What the table was written into.
    pub fn finish(self) -> Result<W> {
        self.0.into_inner().map_err(|error| unwritten(&error))
    }
}

/// A table in memory that a thread of its own encodes while the next rows are made.
pub struct Background {
    rows: SyncSender<RecordBatch>,
    table: JoinHandle<Result<Vec<u8>>>,
}

impl Background {
    /// An empty table.
    pub fn new(schema: SchemaRef, row_group_rows: usize) -> Result<Background> {
        let mut writer = Writer::new(schema, row_group_rows)?;
        // Nothing waits in between: each batch there would be in memory.
        let (rows, batches) = sync_channel::<RecordBatch>(0);
        let table = std::thread::spawn(move || {
            batches.iter().try_for_each(|batch| writer.write(&batch))?;
            writer.finish()
        });
        Ok(Background { rows, table })
    }

    /// Adds rows. That they could not be written is said by [`Background::finish`].
    pub fn write(&self, batch: RecordBatch) {
        let _ = self.rows.send(batch);
    }

    /// The bytes of the table.
    pub fn finish(self) -> Result<Vec<u8>> {
        drop(self.rows);
        self.table.join().unwrap_or_else(|_| Err(Diagnostic::internal("the thread that wrote Parquet has stopped")))
    }
}

fn unwritten(error: &parquet::errors::ParquetError) -> Box<Diagnostic> {
    Diagnostic::internal(format!("cannot write Parquet: {error}"))
}

/// The bytes of a table.
pub fn write(schema: SchemaRef, batches: &[RecordBatch], row_group_rows: usize) -> Result<Vec<u8>> {
    let mut writer = Writer::new(schema, row_group_rows)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

/// The rows of a stored table, read as they are asked for.
pub struct Rows {
    rows: ParquetRecordBatchReader,
    object: ObjectFile,
}

impl Rows {
    /// Their columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let next = self.rows.next()?;
        // Before what was read is believed, or what could not be: the file may be another by now.
        let confirmed = self.object.confirm();
        Some(confirmed.and(next.map_err(|error| unread(self.object.path(), &error))))
    }
}

/// The rows of a stored table, in batches of at most so many.
pub fn read(mut object: ObjectFile, batch_rows: usize) -> Result<Rows> {
    let rows = open(object.path(), object.reader()?, batch_rows);
    object.confirm()?;
    Ok(Rows { rows: rows?, object })
}

/// All rows of a table.
pub fn read_all(name: &str, bytes: Bytes) -> Result<Vec<RecordBatch>> {
    let rows: std::result::Result<Vec<_>, _> = open(name, bytes, ROW_GROUP_ROWS)?.collect();
    rows.map_err(|error| unread(name, &error))
}

/// The rows of a table that is no stored object, in batches of at most so many.
pub fn open(name: &str, table: impl ChunkReader + 'static, batch_rows: usize) -> Result<ParquetRecordBatchReader> {
    let open = || ParquetRecordBatchReaderBuilder::try_new(table)?.with_batch_size(batch_rows).build();
    open().map_err(|error| unread(name, &error))
}

/// Its bytes are what its name says, so it is not damaged.
fn unread(name: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::internal(format!("cannot read {name}: {error}"))
        .help("its bytes are as they were written, so another version of Scorebook may have made it")
}
