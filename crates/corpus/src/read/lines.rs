//! Lines: cut into batches of whole ones.

use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter, memrchr};

use super::{Batch, Take};
use crate::plan::Options;

/// Reads a file of lines. What comes before a damaged place is handed on.
pub(crate) fn read(source: &mut dyn Read, options: &Options, take: Take<'_>) -> Result<(), String> {
    let mut kept: Vec<u8> = Vec::with_capacity(options.batch_bytes * 2);
    let mut skipping = false;
    loop {
        let before = kept.len();
        let ended = match fill(source, &mut kept, options.batch_bytes) {
            Ok(read) => read < options.batch_bytes,
            Err(why) => {
                // A line that was cut off is no line; the whole ones before it are.
                if let Some(end) = memrchr(b'\n', &kept).filter(|_| !skipping) {
                    kept.truncate(end + 1);
                    let _ = take(Batch::Lines(kept));
                }
                return Err(why);
            }
        };
        if skipping {
            let Some(end) = memchr(b'\n', &kept) else {
                kept.clear();
                if ended {
                    return Ok(());
                }
                continue;
            };
            kept.drain(..=end);
            skipping = false;
        }
        let fresh = kept.get(before..).unwrap_or_default();
        let end = memrchr(b'\n', fresh).map(|end| before + end + 1);
        let end = end.or_else(|| memrchr(b'\n', &kept).map(|end| end + 1));
        let whole = if ended { Some(kept.len()) } else { end };
        if let Some(end) = whole {
            let rest = kept.split_off(end);
            let lines = std::mem::replace(&mut kept, rest);
            kept.reserve(options.batch_bytes);
            if !lines.is_empty() && take(Batch::Lines(lines)).is_break() {
                return Ok(());
            }
        }
        if ended {
            return Ok(());
        }
        if kept.len() > options.document_bytes_max {
            kept.clear();
            skipping = true;
            if take(Batch::TooLong) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
    }
}

/// Reads up to `most` bytes more; fewer only at the end.
fn fill(source: &mut dyn Read, kept: &mut Vec<u8>, most: usize) -> Result<usize, String> {
    let from = kept.len();
    kept.resize(from + most, 0);
    let mut read = 0;
    while read < most {
        let Some(room) = kept.get_mut(from + read..) else {
            break;
        };
        match source.read(room) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => {
                kept.truncate(from + read);
                return Err(e.to_string());
            }
        }
    }
    kept.truncate(from + read);
    Ok(read)
}

/// The lines of a batch without their ends.
pub(crate) fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    let last = (bytes.last() != Some(&b'\n')).then_some(bytes.len());
    let ends = memchr_iter(b'\n', bytes).chain(last);
    ends.filter_map(move |end| {
        let line = bytes.get(from..end)?;
        from = end + 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}
