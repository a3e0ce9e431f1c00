//! Parquet whose bytes depend on the rows alone.
//!
//! Row groups are cut by what is in them, and each column of a group is encoded in one go, so neither threads nor the
//! pieces that rows arrive in show in the file.

use super::header::ROW;
use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::ThreadPool;
use rayon::prelude::*;
use std::io::Write;
use std::sync::Arc;

/// The most rows in a row group.
pub const ROW_GROUP_ROWS: usize = 65_536;

/// A row group also ends with the row that brings the source text of its rows to this many bytes: only exports with
/// very wide records get there, and without it they would need as much memory as they are wide.
pub const ROW_GROUP_BYTES: usize = 128 << 20;

/// How Scorebook writes Parquet: nothing in it depends on the machine, the time or a library's version number.
pub fn properties() -> WriterProperties {
    let row = ColumnPath::from(ROW);
    WriterProperties::builder()
        .set_created_by("scorebook".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // A column of ever new texts gives up its dictionary sooner: faster, and smaller.
        .set_dictionary_page_size_limit(256 << 10)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Record numbers rise by about one: their differences pack into almost nothing, a dictionary would not.
        .set_column_dictionary_enabled(row.clone(), false)
        .set_column_encoding(row, Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// For each column the pieces that make up one row group, in order.
pub type RowGroup = Vec<Vec<ArrayRef>>;

/// Gathers pieces of any size into row groups.
#[derive(Default)]
pub struct RowGroups {
    open: RowGroup,
    rows: usize,
    bytes: usize,
    done: Vec<RowGroup>,
}

impl RowGroups {
    /// Takes the next rows: their columns, and each row's length in the source text.
    pub fn add(&mut self, columns: &[ArrayRef], lengths: &[u32]) {
        let mut from = 0;
        for (i, length) in lengths.iter().enumerate() {
            self.rows += 1;
            self.bytes += *length as usize;
            if self.rows == ROW_GROUP_ROWS || self.bytes >= ROW_GROUP_BYTES {
                self.take(columns, from, i + 1);
                self.close();
                from = i + 1;
            }
        }
        self.take(columns, from, lengths.len());
    }

    /// The row groups that are complete.
    pub fn complete(&mut self) -> Vec<RowGroup> {
        std::mem::take(&mut self.done)
    }

    /// The row groups that are complete, and the last.
    pub fn finish(mut self) -> Vec<RowGroup> {
        if self.rows > 0 {
            self.close();
        }
        self.done
    }

    fn take(&mut self, columns: &[ArrayRef], from: usize, to: usize) {
        if from < to {
            self.open.resize_with(columns.len(), Vec::new);
            for (pieces, column) in self.open.iter_mut().zip(columns) {
                pieces.push(column.slice(from, to - from));
            }
        }
    }

    fn close(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
        (self.rows, self.bytes) = (0, 0);
    }
}

/// Writes one Parquet file, row group by row group.
pub struct TableWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    groups: usize,
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a file with this schema.
    pub fn new(schema: Schema, sink: W) -> Result<TableWriter<W>> {
        let schema = Arc::new(schema);
        // The Parquet schema says it all; arrow's own copy of it would only be one more thing that can change.
        let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(sink, schema.clone(), options)?;
        let (file, factory) = writer.into_serialized_writer()?;
        Ok(TableWriter { file, factory, schema, groups: 0 })
    }

    /// Encodes all columns of all these row groups in parallel and writes them in order.
    pub fn write(&mut self, groups: Vec<RowGroup>, pool: &ThreadPool) -> Result<()> {
        let mut columns = Vec::new();
        for group in groups {
            let writers = self.factory.create_column_writers(self.groups)?;
            self.groups += 1;
            columns.extend(self.schema.fields().iter().zip(group).zip(writers));
        }
        let encoded: Result<Vec<ArrowColumnChunk>> = pool.install(|| {
            columns.into_par_iter().map(|((field, pieces), writer)| encode(field, &pieces, writer)).collect()
        });
        let mut encoded = encoded?.into_iter().peekable();
        while encoded.peek().is_some() {
            let mut group = self.file.next_row_group()?;
            for column in encoded.by_ref().take(self.schema.fields().len()) {
                column.append_to_row_group(&mut group)?;
            }
            group.close()?;
        }
        Ok(())
    }

    /// Writes the file's end.
    pub fn finish(mut self) -> Result<()> {
        self.file.finish()?;
        self.file.inner_mut().flush()?;
        Ok(())
    }
}

/// One column of one row group, always from a single array: the encoder cuts pages at the arrays it is given.
fn encode(field: &Field, pieces: &[ArrayRef], mut writer: ArrowColumnWriter) -> Result<ArrowColumnChunk> {
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    for leaf in compute_leaves(field, &concat(&pieces)?)? {
        writer.write(&leaf)?;
    }
    writer.close()
}
