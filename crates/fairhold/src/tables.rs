//! The log as tables: one row a record, with its exact leaf.
//!
//! # Shape
//! `account=ID/day=YYYY-MM-DD/part-N.parquet`, names escaped as Hive does;
//! records without an account lie under Hive's name for "none". Everything a
//! column says is also in the leaf, whose SHA-256 (RFC 6962, section 2.1) is
//! `leaf_hash`; whoever distrusts a column reads the leaf.

mod columns;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use facts::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

pub(crate) use columns::{Opened, Row};

/// Rows of a file at most, so that writing takes little memory.
const FILE_ROWS: usize = 50_000;
/// Rows held back at most, over all days of an account.
const HELD_ROWS: usize = 100_000;
/// Bytes held back at most.
const HELD_BYTES: usize = 256 << 20;
/// Hive's name of a partition without a value.
const NOBODY: &str = "__HIVE_DEFAULT_PARTITION__";

/// Writes the tables of one folder.
pub(crate) struct Tables {
    folder: PathBuf,
    schema: Arc<Schema>,
    parts: BTreeMap<PathBuf, usize>,
    held: BTreeMap<String, Vec<Row>>,
    held_rows: usize,
    held_bytes: usize,
    /// Rows written.
    pub(crate) rows: u64,
    /// Files written.
    pub(crate) files: u64,
}

impl Tables {
    /// Tables under `folder`, with bodies or without.
    pub(crate) fn new(folder: &Path, bodies: bool) -> Self {
        Self {
            folder: folder.to_path_buf(),
            schema: Arc::new(columns::schema(bodies)),
            parts: BTreeMap::new(),
            held: BTreeMap::new(),
            held_rows: 0,
            held_bytes: 0,
            rows: 0,
            files: 0,
        }
    }

    /// Takes a row of this account's.
    pub(crate) fn add(&mut self, account: Option<&str>, row: Row) -> Result<(), String> {
        let day = day(row.at);
        self.held_rows += 1;
        self.held_bytes += row.bytes();
        let rows = self.held.entry(day.clone()).or_default();
        rows.push(row);
        if rows.len() >= FILE_ROWS {
            let rows = std::mem::take(rows);
            self.held.remove(&day);
            return self.write(account, &day, &rows);
        }
        if self.held_rows >= HELD_ROWS || self.held_bytes >= HELD_BYTES {
            return self.finish(account);
        }
        Ok(())
    }

    /// Writes what is held back of this account's.
    pub(crate) fn finish(&mut self, account: Option<&str>) -> Result<(), String> {
        for (day, rows) in std::mem::take(&mut self.held) {
            self.write(account, &day, &rows)?;
        }
        Ok(())
    }

    fn write(&mut self, account: Option<&str>, day: &str, rows: &[Row]) -> Result<(), String> {
        self.held_rows -= rows.len();
        self.held_bytes -= rows.iter().map(Row::bytes).sum::<usize>();
        let account = account.map_or(NOBODY.to_owned(), escaped);
        let folder = self
            .folder
            .join(format!("account={account}"))
            .join(format!("day={day}"));
        std::fs::create_dir_all(&folder)
            .map_err(|e| format!("make `{}`: {e}", folder.display()))?;
        let part = self.parts.entry(folder.clone()).or_default();
        let path = folder.join(format!("part-{part}.parquet"));
        *part += 1;
        let batch = columns::batch(&self.schema, rows).map_err(|e| e.to_string())?;
        pack(&path, &batch).map_err(|e| format!("write `{}`: {e}", path.display()))?;
        self.rows += rows.len() as u64;
        self.files += 1;
        Ok(())
    }
}

/// One file, whole or not there.
fn pack(path: &Path, batch: &RecordBatch) -> parquet::errors::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("fairhold ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let file = File::create(&unfinished)?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(std::fs::rename(&unfinished, path)?)
}

fn day(at: i64) -> String {
    let mut text = Timestamp(at).rfc3339();
    text.truncate(10);
    text
}

/// A partition's value as Hive writes it: what could be read as part of a path
/// is `%XX`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
