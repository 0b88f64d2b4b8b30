//! Parquet and Arrow: only the columns that are asked for are decoded.
//!
//! A file is hostile until its decoder says otherwise; whoever calls this stands behind
//! `catch_unwind`.

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

use super::held::Held;
use super::{Gather, Row, Take, too_long_words};
use crate::document::{Columns, Text};
use crate::plan::{Options, PlannedFile};

/// Bytes decoded at once, as far as the file's own account of its sizes can be believed.
const DECODED_BYTES: i64 = 32 << 20;
/// What a file of Arrow's file form begins with; the stream form begins otherwise.
pub(crate) const ARROW_MAGIC: &[u8; 6] = b"ARROW1";

/// For each row group that the file says it has: the rows before it.
pub(crate) fn row_groups(file: &PlannedFile) -> Vec<u64> {
    let opened = Held::open(file).ok();
    let builder = opened.and_then(|file| ParquetRecordBatchReaderBuilder::try_new(file).ok());
    let Some(builder) = builder else {
        return Vec::new();
    };
    let groups = builder.metadata().row_groups().iter();
    let before = groups.scan(0_u64, |rows, group| {
        let before = *rows;
        *rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(0));
        Some(before)
    });
    before.collect()
}

/// Reads one row group.
pub(crate) fn parquet(
    file: &PlannedFile,
    group: u32,
    options: &Options,
    take: Take<'_>,
) -> Result<(), String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Parquet file: {e}");
    let opened = Held::open(file).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|e| words(&e))?;
    if builder.metadata().num_row_groups() == 0 {
        return Ok(());
    }
    let wanted = wanted(builder.schema(), &options.columns)?;
    let others = others(builder.schema(), &options.columns);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let at_once = rows_at_once(builder.metadata().row_group(group as usize), options.rows);
    let reader = builder
        .with_projection(mask)
        .with_row_groups(vec![group as usize])
        .with_batch_size(at_once)
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
        if rows(&batch, others, options, &mut gather).is_break() {
            return Ok(());
        }
    }
    let _ = gather.hand_on();
    Ok(())
}

/// So many rows that their bytes stay within bounds.
fn rows_at_once(group: &parquet::file::metadata::RowGroupMetaData, most: usize) -> usize {
    let most = most.max(1);
    let a_row = group.total_byte_size() / group.num_rows().max(1);
    usize::try_from(DECODED_BYTES / a_row.max(1)).map_or(most, |rows| rows.clamp(1, most))
}

/// Reads an Arrow file of either form.
pub(crate) fn arrow(file: &PlannedFile, options: &Options, take: Take<'_>) -> Result<(), String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Arrow file: {e}");
    let mut gather = Gather::new(options, take);
    let mut each = |batch: Result<RecordBatch, arrow_schema::ArrowError>| match batch {
        Ok(batch) => {
            let others = others(batch.schema_ref(), &options.columns);
            Ok(rows(&batch, others, options, &mut gather))
        }
        Err(e) => {
            let _ = gather.hand_on();
            Err(words(&e))
        }
    };
    match batches(file, options.read_bytes)? {
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
    File(Box<FileReader<BufReader<Held>>>),
    Stream(Box<StreamReader<BufReader<Held>>>),
}

pub(crate) fn batches(file: &PlannedFile, read_bytes: usize) -> Result<Batches, String> {
    let words = |e: &dyn std::fmt::Display| format!("a damaged Arrow file: {e}");
    let mut opened = Held::open(file).map_err(|e| e.to_string())?;
    let mut magic = [0; 6];
    let known = opened.read_exact(&mut magic).is_ok() && &magic == ARROW_MAGIC;
    opened.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    let opened = BufReader::with_capacity(read_bytes.max(1), opened);
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
        (_, Some(place)) => {
            let field = schema.field(place);
            if !holds_text(field.data_type()).map_err(|why| of_column(field.name(), &why))? {
                return Err(of_column(
                    field.name(),
                    &format!("it is of type {} and holds no text", field.data_type()),
                ));
            }
            wanted.push(place);
        }
        (Text::Usual, None) => {
            let mut any = false;
            for field in schema.fields() {
                let holds = holds_text(field.data_type());
                any |= holds.map_err(|why| of_column(field.name(), &why))?;
            }
            if !any {
                return Err("no column of the table holds text".to_owned());
            }
            wanted.extend(0..schema.fields().len());
        }
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

/// What is said of a column that cannot be read.
fn of_column(name: &str, why: &str) -> String {
    format!("column `{name}`: {why}; name the text's column with `--text-field`")
}

/// Whether rows whose usual column is empty may hold their text in another one.
fn others(schema: &Schema, columns: &Columns) -> bool {
    columns.text == Text::Usual
        && schema.fields().iter().any(|field| {
            field.name() != columns.text.name() && holds_text(field.data_type()) != Ok(false)
        })
}

/// Whether values of the type may hold text; an error for a type whose values are not decoded: what
/// is not decoded is not looked at, and must not pass for empty.
fn holds_text(kind: &DataType) -> Result<bool, String> {
    Ok(match kind {
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => holds_text(item.data_type())?,
        DataType::Struct(fields) => {
            let mut any = false;
            for field in fields {
                any |= holds_text(field.data_type())?;
            }
            any
        }
        DataType::Dictionary(_, values) => holds_text(values)?,
        DataType::Union(_, _) | DataType::RunEndEncoded(_, _) => {
            return Err(format!("the type {kind} is not read"));
        }
        _ => false,
    })
}

fn rows(
    batch: &RecordBatch,
    others: bool,
    options: &Options,
    gather: &mut Gather<'_, '_>,
) -> ControlFlow<()> {
    let columns = &options.columns;
    let text = batch.column_by_name(columns.text.name());
    for row in 0..batch.num_rows() {
        let mut words = String::new();
        let read = match text {
            Some(column) => strings(column, row, true, &mut words),
            None => batch
                .columns()
                .iter()
                .try_for_each(|column| strings(column, row, false, &mut words)),
        };
        let mut values = [const { None }; 5];
        for (column, name) in columns.named() {
            let value = batch.column_by_name(name).and_then(|a| scalar(a, row));
            if let Some(place) = values.get_mut(column.place()) {
                *place = value;
            }
        }
        let row = if let Err(why) = read {
            Row::Bad(why)
        } else if others && text.is_some() && words.trim_ascii().is_empty() {
            Row::Bad(format!(
                "its `{}` is empty while other columns hold text: name the column with \
                 `--text-field`",
                columns.text.name()
            ))
        } else if words.len() > options.document_bytes_max {
            Row::Bad(too_long_words(options.document_bytes_max))
        } else {
            Row::Text {
                member: None,
                text: words,
                values,
            }
        };
        if gather.add(row).is_break() {
            return ControlFlow::Break(());
        }
    }
    ControlFlow::Continue(())
}

/// Every string of a value; alone without an end of line. Bytes count as text, and must then be.
fn strings(array: &ArrayRef, row: usize, alone: bool, text: &mut String) -> Result<(), String> {
    if array.is_null(row) {
        return Ok(());
    }
    if let Some(word) = word(array, row) {
        text.push_str(word);
    } else if let Some(bytes) = bytes(array, row) {
        text.push_str(std::str::from_utf8(bytes).map_err(
            |_| "it holds bytes that are no UTF-8 text: name the text's column with `--text-field`",
        )?);
    } else {
        return nested(array, row, alone, text);
    }
    if !alone {
        text.push('\n');
    }
    Ok(())
}

/// The strings of a value that is made of others.
fn nested(array: &ArrayRef, row: usize, alone: bool, text: &mut String) -> Result<(), String> {
    let items = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::ListView(_) => array.as_list_view::<i32>().value(row),
        DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
        DataType::FixedSizeList(_, _) => array.as_fixed_size_list().value(row),
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let columns = entries.columns();
            return (0..entries.len()).try_for_each(|entry| {
                let mut columns = columns.iter();
                columns.try_for_each(|column| strings(column, entry, false, text))
            });
        }
        DataType::Struct(_) => {
            let mut columns = array.as_struct().columns().iter();
            return columns.try_for_each(|column| strings(column, row, false, text));
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied();
            return key.map_or(Ok(()), |key| strings(dictionary.values(), key, alone, text));
        }
        // Numbers, moments, truth values; a type that may hold text was refused by its schema.
        _ => return Ok(()),
    };
    list(&items, text)
}

fn bytes(array: &ArrayRef, row: usize) -> Option<&[u8]> {
    match array.data_type() {
        DataType::Binary => Some(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Some(array.as_fixed_size_binary().value(row)),
        _ => None,
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
