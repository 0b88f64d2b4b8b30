//! The same files without some of their rows, in the form and packing that they had.

#[cfg(feature = "parquet")]
mod columnar;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::plan::{Form, Packing, PlannedFile, READ_BYTES};
use crate::source::unpacked;

/// The largest sample of an archive that is copied: it is held in memory.
const SAMPLE_BYTES_MAX: u64 = 256 << 20;
/// zstd's own usual level.
const LEVEL: i32 = 3;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Rows that were copied as they are.
    pub kept: u64,
    /// Rows that were left out.
    pub left_out: u64,
}

/// Why a cleaned file could not be written.
#[derive(Debug)]
pub struct CleanError {
    /// The file that was copied from.
    pub file: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for CleanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write `{}` without its rows: {}", self.file, self.why)
    }
}

impl std::error::Error for CleanError {}

/// Copies `file` to `to`, where nothing may be yet, without the rows (from 1) that are named. A
/// file that is damaged is copied not at all: what could not be read was not checked; nor one whose
/// bytes are not those of `sha256`, when it is given: it was changed since somebody looked at it.
///
/// # Errors
/// [`CleanError`]; nothing is left at `to` then.
pub fn clean(
    file: &PlannedFile,
    without: &BTreeSet<u64>,
    sha256: Option<&str>,
    to: &Path,
) -> Result<Cleaned, CleanError> {
    let fault = |why: String| CleanError {
        file: file.name.clone(),
        why,
    };
    let temporary = beside(to);
    let written = File::options()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .map_err(|e| e.to_string())
        .and_then(|out| copy(file, without, out))
        .and_then(|(cleaned, read)| {
            if sha256.is_some_and(|sha256| sha256 != read) {
                return Err("it was changed since it was looked at: begin anew".to_owned());
            }
            if to.exists() {
                return Err(format!("`{}` exists: name an empty folder", to.display()));
            }
            std::fs::rename(&temporary, to).map_err(|e| e.to_string())?;
            Ok(cleaned)
        });
    if written.is_err() {
        // The first error is the one to report; a leftover is harmless.
        std::fs::remove_file(&temporary).ok();
    }
    written.map_err(fault)
}

fn beside(to: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(".part");
    to.with_file_name(name)
}

/// Copies; also says the SHA-256 of what was read.
fn copy(
    file: &PlannedFile,
    without: &BTreeSet<u64>,
    out: File,
) -> Result<(Cleaned, String), String> {
    let words = |e: io::Error| e.to_string();
    #[cfg(feature = "parquet")]
    if matches!(file.form, Form::Parquet | Form::Arrow) {
        let digest = || crate::source::digest(file, READ_BYTES, &|_| {}).map_err(words);
        let (before, _) = digest()?;
        let cleaned = match file.form {
            Form::Parquet => columnar::parquet(file, without, out)?,
            _ => columnar::arrow(file, without, out)?,
        };
        if digest()?.0 != before {
            return Err("it changes while it is copied".to_owned());
        }
        return Ok((cleaned, before));
    }
    let (mut source, meter) = unpacked(file, READ_BYTES, &|_| {}).map_err(words)?;
    let each = |source: &mut dyn Read, out: &mut dyn Write| match file.form {
        Form::Tar => members(source, without, out),
        Form::Text => text(source, without, out),
        Form::Lines | Form::Parquet | Form::Arrow => lines(source, without, out),
    };
    let cleaned = match file.packing {
        Packing::Plain => {
            let mut out = BufWriter::new(out);
            let cleaned = each(&mut source, &mut out)?;
            let out = out.into_inner().map_err(|e| e.to_string())?;
            out.sync_all().map_err(words)?;
            cleaned
        }
        Packing::Zstd => {
            let mut out = zstd::stream::write::Encoder::new(out, LEVEL).map_err(words)?;
            let cleaned = each(&mut source, &mut out)?;
            out.finish().and_then(|out| out.sync_all()).map_err(words)?;
            cleaned
        }
        Packing::Gzip => {
            let level = flate2::Compression::default();
            let mut out = flate2::write::GzEncoder::new(BufWriter::new(out), level);
            let cleaned = each(&mut source, &mut out)?;
            let out = out.finish().map_err(words)?;
            let out = out.into_inner().map_err(|e| e.to_string())?;
            out.sync_all().map_err(words)?;
            cleaned
        }
    };
    // What stands behind the last row belongs to the digest.
    io::copy(&mut source, &mut io::sink()).map_err(words)?;
    Ok((cleaned, meter.told().0))
}

fn lines(
    source: &mut dyn Read,
    without: &BTreeSet<u64>,
    out: &mut dyn Write,
) -> Result<Cleaned, String> {
    let words = |e: io::Error| e.to_string();
    let mut source = BufReader::with_capacity(1 << 18, source);
    let mut cleaned = Cleaned::default();
    let mut number = 0;
    loop {
        number += 1;
        let dropped = without.contains(&number);
        // A line is copied piece by piece: none is held in memory, however long it is.
        let mut any = false;
        loop {
            let piece = source.fill_buf().map_err(words)?;
            if piece.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', piece).map(|end| end + 1);
            let take = end.unwrap_or(piece.len());
            if !dropped {
                out.write_all(piece.get(..take).unwrap_or_default())
                    .map_err(words)?;
            }
            source.consume(take);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(cleaned);
        }
        cleaned.left_out += u64::from(dropped);
        cleaned.kept += u64::from(!dropped);
    }
}

/// A text file is one row: it is copied whole, or it comes out empty.
fn text(
    source: &mut dyn Read,
    without: &BTreeSet<u64>,
    out: &mut dyn Write,
) -> Result<Cleaned, String> {
    if without.is_empty() {
        io::copy(source, out).map_err(|e| e.to_string())?;
        return Ok(Cleaned {
            kept: 1,
            left_out: 0,
        });
    }
    if without.iter().any(|row| *row > 1) {
        return Err("paragraphs of a text file cannot be left out: split the file".to_owned());
    }
    io::copy(source, &mut io::sink()).map_err(|e| e.to_string())?;
    Ok(Cleaned {
        kept: 0,
        left_out: 1,
    })
}

/// Leaves out a sample with all its members: an image without its caption trains as well.
fn members(
    source: &mut dyn Read,
    without: &BTreeSet<u64>,
    out: &mut dyn Write,
) -> Result<Cleaned, String> {
    let damaged = |e: io::Error| format!("a damaged tar file: {e}");
    let mut archive = tar::Archive::new(source);
    let mut builder = tar::Builder::new(out);
    let (mut row, mut held, mut cleaned) = (0, 0_u64, Cleaned::default());
    let mut sample: Vec<(tar::Header, String, Vec<u8>, bool)> = Vec::new();
    let mut open = String::new();
    let mut flush = |sample: &mut Vec<(tar::Header, String, Vec<u8>, bool)>| {
        let dropped = sample.iter().any(|(_, _, _, dropped)| *dropped);
        for (mut header, name, bytes, _) in sample.drain(..) {
            if !dropped {
                builder
                    .append_data(&mut header, name, bytes.as_slice())
                    .map_err(damaged)?;
            }
        }
        Ok::<(), String>(())
    };
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let key = sample_key(&name);
        if key != open {
            flush(&mut sample)?;
            key.clone_into(&mut open);
        }
        let kind = name.rsplit('.').next().unwrap_or_default();
        let mut dropped = false;
        if kind == "json" || kind == "txt" {
            row += 1;
            dropped = without.contains(&row);
            cleaned.left_out += u64::from(dropped);
            cleaned.kept += u64::from(!dropped);
        }
        held = if sample.is_empty() { 0 } else { held };
        held = held.saturating_add(entry.size());
        if held > SAMPLE_BYTES_MAX {
            return Err(format!(
                "the sample of `{name}` is larger than {SAMPLE_BYTES_MAX} bytes: split it"
            ));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        sample.push((entry.header().clone(), name, bytes, dropped));
    }
    flush(&mut sample)?;
    builder.finish().map_err(damaged)?;
    Ok(cleaned)
}

/// What the members of one sample have in common: the name up to the first dot behind the folder.
fn sample_key(name: &str) -> String {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let key = file.split('.').next().unwrap_or_default();
    format!("{folder}/{key}")
}

#[cfg(test)]
mod tests;
