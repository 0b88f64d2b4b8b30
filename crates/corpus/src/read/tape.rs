//! `WebDataset`: a tar file whose members `.txt` are documents and `.json` rows. Others (images,
//! labels, checksums) are not read, and named.

use std::io::Read;

use super::{Gather, Row, SkippedMembers, Take, too_long_words};
use crate::plan::Options;

pub(crate) fn read(
    source: &mut dyn Read,
    options: &Options,
    take: Take<'_>,
    skipped: &mut SkippedMembers,
) -> Result<(), String> {
    let mut gather = Gather::new(options, take);
    let read = members(source, options, &mut gather, skipped);
    let _ = gather.hand_on();
    read
}

fn members(
    source: &mut dyn Read,
    options: &Options,
    gather: &mut Gather<'_, '_>,
    skipped: &mut SkippedMembers,
) -> Result<(), String> {
    let mut archive = tar::Archive::new(source);
    let damaged = |e: std::io::Error| format!("a damaged tar file: {e}");
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let entry_type = entry.header().entry_type();
        if entry_type.is_dir() {
            continue;
        }
        let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry_type.is_file() {
            skipped.add(&member);
            continue;
        }
        let kind = member.rsplit('.').next().unwrap_or_default();
        let (json, text) = (kind == "json", kind == "txt");
        if !json && !text {
            skipped.add(&member);
            continue;
        }
        let size = entry.size();
        let most = options.document_bytes_max;
        let row = if size > most as u64 {
            Row::Bad(format!("{member}: {}", too_long_words(most)))
        } else {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(damaged)?;
            if (bytes.len() as u64) < size {
                return Err(format!("it ends in the middle of `{member}`"));
            }
            row(member, bytes, json)
        };
        if gather.add(row).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

fn row(member: String, bytes: Vec<u8>, json: bool) -> Row {
    if json {
        return Row::Json { member, bytes };
    }
    Row::Text {
        member: Some(member),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        values: [const { None }; 5],
    }
}
