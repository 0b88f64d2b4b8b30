//! A log as bytes: unpacked, and counted as they leave the disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use facts::Timestamp;
use indicatif::ProgressBar;
use serde::de::IgnoredAny;

use super::LINE_BYTES_MAX;

/// The bytes of the file, and when it was changed last.
pub(super) fn source(path: &Path, bar: &ProgressBar) -> io::Result<(Box<dyn Read>, Timestamp)> {
    let file = File::open(path)?;
    let changed = file.metadata()?.modified()?;
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    let counted = bar.wrap_read(file);
    let packed = path.extension().is_some_and(|e| e == "zst");
    let source: Box<dyn Read> = if packed {
        Box::new(zstd::Decoder::new(counted)?)
    } else {
        Box::new(counted)
    };
    let name = if packed {
        path.file_stem()
    } else {
        path.file_name()
    };
    let document = name.is_some_and(|n| Path::new(n).extension().is_some_and(|e| e == "json"));
    let source = if document { one_line(source)? } else { source };
    let changed = Timestamp(i64::try_from(changed.as_millis()).unwrap_or_default());
    Ok((source, changed))
}

/// One JSON document laid out over many lines becomes one line; anything else stays as it is.
/// Line ends inside JSON are white space: a text holds them escaped.
fn one_line(source: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let is_json = |bytes: &[u8]| serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    let mut source = BufReader::new(source);
    let mut bytes = Vec::new();
    (&mut source)
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut bytes)?;
    if !is_json(&bytes) {
        (&mut source).take(LINE_BYTES_MAX).read_to_end(&mut bytes)?;
        if is_json(&bytes) {
            for byte in &mut bytes {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
    }
    Ok(Box::new(Cursor::new(bytes).chain(source)))
}

#[cfg(test)]
mod tests;
