//! Parquet files whose bytes depend on their rows alone: fixed writer properties, row groups cut by row count.

use crate::diagnostic::{Diagnostic, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

/// Rows of a row group of snapshots and model tables.
pub const ROW_GROUP_ROWS: usize = 65_536;
/// Rows of a row group of scores: documents read a few hundred rows of an entity at a time.
pub const SCORE_ROW_GROUP_ROWS: usize = 8_192;

/// The writer's properties; they change only together with a step's format number.
pub fn properties(row_group_rows: usize) -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("scorebook".into())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(row_group_rows))
        .build()
}

/// The bytes of a table.
pub fn write(schema: SchemaRef, batches: &[RecordBatch], row_group_rows: usize) -> Result<Vec<u8>> {
    let write = || {
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties(row_group_rows)))?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.into_inner()
    };
    write().map_err(|error| Diagnostic::internal(format!("cannot write Parquet: {error}")))
}

/// The rows of a table, in batches of at most so many.
pub fn read(name: &str, bytes: Bytes, batch_rows: usize) -> Result<ParquetRecordBatchReader> {
    let open = || ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(batch_rows).build();
    open().map_err(|error| {
        Diagnostic::internal(format!("cannot read {name}: {error}"))
            .help("`scorebook verify` says whether it is damaged")
    })
}

/// All rows of a table.
pub fn read_all(name: &str, bytes: Bytes) -> Result<Vec<RecordBatch>> {
    let rows: std::result::Result<Vec<_>, _> = read(name, bytes, ROW_GROUP_ROWS)?.collect();
    rows.map_err(|error| Diagnostic::internal(format!("cannot read {name}: {error}")))
}
