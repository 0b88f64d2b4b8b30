//! Plain text: a document a file, or one a paragraph.
//!
//! Bytes that are no UTF-8 are replaced and the rest is read: one bad byte would otherwise hide
//! a file from an audit.

use std::io::{BufRead as _, BufReader, Read};

use super::{Gather, Row, Take, too_long_words};
use crate::plan::Options;

pub(crate) fn read(source: &mut dyn Read, options: &Options, take: Take<'_>) -> Result<(), String> {
    let mut gather = Gather::new(options, take);
    let most = options.document_bytes_max;
    if !options.paragraphs {
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = (&mut *source).take(limit).read_to_end(&mut bytes);
        let long = bytes.len() > most;
        let row = if long {
            // The rest is read for its digest.
            std::io::copy(source, &mut std::io::sink()).map_err(|e| e.to_string())?;
            Row::Bad(format!(
                "{}, or read it with `--paragraphs`",
                too_long_words(most)
            ))
        } else {
            text(&bytes)
        };
        if read.is_ok() || !bytes.is_empty() {
            let _ = gather.add(row);
            let _ = gather.hand_on();
        }
        return read.map(drop).map_err(|e| e.to_string());
    }
    let mut lines = BufReader::with_capacity(options.read_bytes.max(1), source);
    let (mut paragraph, mut line, mut long) = (Vec::new(), Vec::new(), false);
    loop {
        line.clear();
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        let read = (&mut lines).take(limit).read_until(b'\n', &mut line);
        let ended = !matches!(read, Ok(n) if n > 0);
        if ended || line.trim_ascii().is_empty() {
            let row = if long {
                Some(Row::Bad(too_long_words(most)))
            } else {
                (!paragraph.is_empty()).then(|| text(&paragraph))
            };
            (paragraph, long) = (Vec::new(), false);
            if row.is_some_and(|row| gather.add(row).is_break()) {
                return Ok(());
            }
        } else if paragraph.len() + line.len() > most {
            (paragraph, long) = (Vec::new(), true);
        } else if !long {
            paragraph.extend_from_slice(&line);
        }
        if ended {
            let _ = gather.hand_on();
            return read.map(drop).map_err(|e| e.to_string());
        }
    }
}

fn text(bytes: &[u8]) -> Row {
    Row::Text {
        member: None,
        text: String::from_utf8_lossy(bytes).into_owned(),
        values: [const { None }; 5],
    }
}
