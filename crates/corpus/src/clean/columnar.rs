//! Tables without some of their rows.

use std::collections::BTreeSet;
use std::fs::File;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::Cleaned;
use crate::plan::{PlannedFile, READ_BYTES};
use crate::read::columnar::{Batches, batches};

/// Leaves rows out of the batches in their order.
struct Without<'a> {
    rows: &'a BTreeSet<u64>,
    row: u64,
    cleaned: Cleaned,
}

impl Without<'_> {
    fn of(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let keep: Vec<bool> = (0..batch.num_rows())
            .map(|_| {
                self.row += 1;
                !self.rows.contains(&self.row)
            })
            .collect();
        let kept = keep.iter().filter(|kept| **kept).count();
        self.cleaned.kept += kept as u64;
        self.cleaned.left_out += (keep.len() - kept) as u64;
        filter_record_batch(batch, &BooleanArray::from(keep)).map_err(|e| e.to_string())
    }
}

pub(super) fn parquet(
    file: &PlannedFile,
    rows: &BTreeSet<u64>,
    out: File,
) -> Result<Cleaned, String> {
    let words = |e: parquet::errors::ParquetError| e.to_string();
    let source = crate::read::held::Held::open(file).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(words)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let schema = builder.schema().clone();
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties)).map_err(words)?;
    let mut without = Without {
        rows,
        row: 0,
        cleaned: Cleaned::default(),
    };
    for batch in builder.build().map_err(words)? {
        let batch = without.of(&batch.map_err(|e| e.to_string())?)?;
        writer.write(&batch).map_err(words)?;
    }
    let out = writer.into_inner().map_err(words)?;
    out.sync_all().map_err(|e| e.to_string())?;
    Ok(without.cleaned)
}

pub(super) fn arrow(
    file: &PlannedFile,
    rows: &BTreeSet<u64>,
    out: File,
) -> Result<Cleaned, String> {
    let words = |e: ArrowError| e.to_string();
    let mut without = Without {
        rows,
        row: 0,
        cleaned: Cleaned::default(),
    };
    let out = match batches(file, READ_BYTES)? {
        Batches::File(reader) => {
            let mut writer = FileWriter::try_new(out, &reader.schema()).map_err(words)?;
            for batch in *reader {
                let batch = without.of(&batch.map_err(words)?)?;
                writer.write(&batch).map_err(words)?;
            }
            writer.into_inner().map_err(words)?
        }
        Batches::Stream(reader) => {
            let mut writer = StreamWriter::try_new(out, &reader.schema()).map_err(words)?;
            for batch in *reader {
                let batch = without.of(&batch.map_err(words)?)?;
                writer.write(&batch).map_err(words)?;
            }
            writer.into_inner().map_err(words)?
        }
    };
    out.sync_all().map_err(|e| e.to_string())?;
    Ok(without.cleaned)
}
