//! The findings as a Parquet table: a row for each document and output.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::found::{self, Found, Line};
use crate::failure::Failure;

/// Rows that are written together.
const ROWS: usize = 16_384;

/// Writes the table.
pub(super) fn write(scan: &Path, to: &Path) -> Result<(), Failure> {
    let fault = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to write `{}`: {e}", to.display()))
    };
    let out = File::create(to).map_err(|e| fault(&e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let schema = batch(&[]).map_err(|e| fault(&e))?.schema();
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties)).map_err(|e| fault(&e))?;
    let mut held: Vec<Found> = Vec::new();
    let mut wrong = None;
    let mut hand_on = |held: &mut Vec<Found>| {
        let table = batch(held).map_err(|e| fault(&e));
        let written = table.and_then(|table| writer.write(&table).map_err(|e| fault(&e)));
        wrong = wrong.take().or(written.err());
        held.clear();
    };
    found::each(scan, |line| {
        if let Line::Document(found) = line {
            held.push(*found);
            if held.len() >= ROWS {
                hand_on(&mut held);
            }
        }
    })?;
    hand_on(&mut held);
    if let Some(error) = wrong {
        return Err(error);
    }
    writer.close().map(drop).map_err(|e| fault(&e))
}

fn batch(held: &[Found]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let rows = || {
        held.iter()
            .flat_map(|f| f.matches.iter().map(move |m| (f, m)))
    };
    let strings = |pick: &dyn Fn(&Found, &found::Resembled) -> Option<String>| -> ArrayRef {
        Arc::new(rows().map(|(f, m)| pick(f, m)).collect::<StringArray>())
    };
    let counts = |pick: &dyn Fn(&Found) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows().map(|(f, _)| pick(f))))
    };
    let reals = |pick: &dyn Fn(&found::Resembled) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows().map(|(_, m)| pick(m))))
    };
    let derived = rows().map(|(_, m)| Some(m.derived));
    let derived: ArrayRef = Arc::new(derived.collect::<BooleanArray>());
    let spans = |m: &found::Resembled| serde_json::to_string(&m.spans).ok();
    RecordBatch::try_from_iter_with_nullable([
        ("file", strings(&|f, _| Some(f.file.clone())), false),
        ("row", counts(&|f| f.row), false),
        ("id", strings(&|f, _| f.id.clone()), true),
        (
            "document_sha256",
            strings(&|f, _| Some(f.sha256.clone())),
            false,
        ),
        ("document_bytes", counts(&|f| f.bytes as u64), false),
        ("bytes_derived", counts(&|f| f.bytes_derived as u64), false),
        ("exchange", strings(&|_, m| Some(m.exchange.clone())), false),
        ("account", strings(&|_, m| Some(m.account.clone())), false),
        ("model", strings(&|_, m| Some(m.model.clone())), false),
        ("at", strings(&|_, m| Some(m.at.clone())), false),
        ("channel", strings(&|_, m| Some(m.channel.clone())), false),
        ("bits", reals(&|m| m.bits), false),
        ("share", reals(&|m| m.share), false),
        ("p_unrelated", reals(&|m| m.p_unrelated), false),
        ("derived", derived, false),
        ("spans", strings(&|_, m| spans(m)), true),
    ])
}
