//! Parquet and Arrow: only the columns that are asked for are decoded.
//!
//! A file is hostile until its decoder says otherwise; whoever calls this stands behind
//! `catch_unwind`.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Gather, Row, Take, too_long_words};
use crate::document::{Columns, Text};
use crate::plan::{Options, PlannedFile};

/// Rows decoded at once.
const ROWS: usize = 256;
/// What a file of Arrow's file form begins with; the stream form begins otherwise.
pub(crate) const ARROW_MAGIC: &[u8; 6] = b"ARROW1";

/// How many row groups the file says that it has.
pub(crate) fn row_groups(file: &PlannedFile) -> u32 {
    let opened = File::open(&file.path).ok();
    let builder = opened.and_then(|file| ParquetRecordBatchReaderBuilder::try_new(file).ok());
    builder
        .and_then(|builder| u32::try_from(builder.metadata().num_row_groups()).ok())
        .unwrap_or(1)
}

/// Reads one row group.
pub(crate) fn parquet(
    file: &PlannedFile,
    group: u32,
    options: &Options,
    take: Take<'_>,
) -> Result<(), String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Parquet file: {e}");
    let opened = File::open(&file.path).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|e| words(&e))?;
    if builder.metadata().num_row_groups() == 0 {
        return Ok(());
    }
    let wanted = wanted(builder.schema(), &options.columns)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_row_groups(vec![group as usize])
        .with_batch_size(ROWS)
        .build()
        .map_err(|e| words(&e))?;
    let mut gather = Gather::new(options, take);
    for batch in reader {
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) => {
                let _ = gather.hand_on();
                return Err(words(&e));
            }
        };
        if rows(&batch, options, &mut gather)?.is_break() {
            return Ok(());
        }
    }
    let _ = gather.hand_on();
    Ok(())
}

/// Reads an Arrow file of either form.
pub(crate) fn arrow(file: &PlannedFile, options: &Options, take: Take<'_>) -> Result<(), String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Arrow file: {e}");
    let mut gather = Gather::new(options, take);
    let mut each = |batch: Result<RecordBatch, arrow_schema::ArrowError>| match batch {
        Ok(batch) => rows(&batch, options, &mut gather),
        Err(e) => {
            let _ = gather.hand_on();
            Err(words(&e))
        }
    };
    match batches(file)? {
        Batches::File(reader) => {
            wanted(&reader.schema(), &options.columns)?;
            for batch in *reader {
                if each(batch)?.is_break() {
                    return Ok(());
                }
            }
        }
        Batches::Stream(reader) => {
            wanted(&reader.schema(), &options.columns)?;
            for batch in *reader {
                if each(batch)?.is_break() {
                    return Ok(());
                }
            }
        }
    }
    let _ = gather.hand_on();
    Ok(())
}

/// The record batches of an Arrow file.
pub(crate) enum Batches {
    File(Box<FileReader<BufReader<File>>>),
    Stream(Box<StreamReader<BufReader<File>>>),
}

pub(crate) fn batches(file: &PlannedFile) -> Result<Batches, String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Arrow file: {e}");
    let mut opened = File::open(&file.path).map_err(|e| e.to_string())?;
    let mut magic = [0; 6];
    let known = opened.read_exact(&mut magic).is_ok() && &magic == ARROW_MAGIC;
    opened.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    let opened = BufReader::new(opened);
    Ok(if known {
        let reader = FileReader::try_new(opened, None).map_err(|e| words(&e))?;
        Batches::File(Box::new(reader))
    } else {
        let reader = StreamReader::try_new(opened, None).map_err(|e| words(&e))?;
        Batches::Stream(Box::new(reader))
    })
}

/// The places of the columns that are read.
fn wanted(schema: &Schema, columns: &Columns) -> Result<Vec<usize>, String> {
    let place = |name: &str| schema.index_of(name).ok();
    let mut wanted: Vec<usize> = columns
        .named()
        .filter_map(|(_, name)| place(name))
        .collect();
    match (&columns.text, place(columns.text.name())) {
        (_, Some(place)) => wanted.push(place),
        (Text::Usual, None) => wanted.extend(0..schema.fields().len()),
        (Text::Named(name), None) => {
            let known = schema.fields().iter().map(|field| field.name().as_str());
            let known: Vec<&str> = known.take(12).collect();
            return Err(format!(
                "no column `{name}`; it has `{}`: name one with `--text-field`",
                known.join("`, `")
            ));
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

fn rows(
    batch: &RecordBatch,
    options: &Options,
    gather: &mut Gather<'_, '_>,
) -> Result<ControlFlow<()>, String> {
    let columns = &options.columns;
    let text = batch.column_by_name(columns.text.name());
    for row in 0..batch.num_rows() {
        let mut words = String::new();
        match text {
            Some(column) => strings(column, row, true, &mut words)?,
            None => {
                for column in batch.columns() {
                    strings(column, row, false, &mut words)?;
                }
            }
        }
        let mut values = [const { None }; 5];
        for (column, name) in columns.named() {
            let value = batch.column_by_name(name).and_then(|a| scalar(a, row));
            if let Some(place) = values.get_mut(column.place()) {
                *place = value;
            }
        }
        let row = if words.len() > options.document_bytes_max {
            Row::Bad(too_long_words(options.document_bytes_max))
        } else {
            Row::Text {
                member: None,
                text: words,
                values,
            }
        };
        if gather.add(row).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Every string of a value; alone without an end of line.
fn strings(array: &ArrayRef, row: usize, alone: bool, text: &mut String) -> Result<(), String> {
    if array.is_null(row) {
        return Ok(());
    }
    if let Some(word) = word(array, row) {
        text.push_str(word);
        if !alone {
            text.push('\n');
        }
        return Ok(());
    }
    match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row), text),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), text),
        DataType::Struct(_) => {
            for column in array.as_struct().columns() {
                strings(column, row, false, text)?;
            }
            Ok(())
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied();
            match key {
                Some(key) => strings(dictionary.values(), key, alone, text),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn list(items: &ArrayRef, text: &mut String) -> Result<(), String> {
    (0..items.len()).try_for_each(|item| strings(items, item, false, text))
}

fn word(array: &ArrayRef, row: usize) -> Option<&str> {
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// A short value as text: a moment in milliseconds, a number as it is.
fn scalar(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    if let Some(word) = word(array, row) {
        return Some(word.to_owned());
    }
    let millis = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => array
            .as_primitive::<TimestampSecondType>()
            .value(row)
            .saturating_mul(1000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value(row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row) / 1000
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().value(row) / 1_000_000
        }
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        _ => {
            let mut text = String::new();
            strings(array, row, false, &mut text).ok()?;
            return (!text.is_empty()).then_some(text);
        }
    };
    Some(millis.to_string())
}
