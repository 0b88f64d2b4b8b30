//! Which rows the pool holds: seven bytes of digest a row, in the pool's order.
//! They choose the rows out of all that a recipe makes, and say what share
//! was made exactly, without a word of the text.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::RebuildError;
use super::manifest::Manifest;
use super::rows::{Message, Row};

/// Bytes of a row: 5 of the prompt's digest, 2 of the response's. Among the
/// 7 * 10^5 rows that the recipes make and 2,500 wanted ones of a source, 5
/// bytes mistake a row once in 600 rebuilds of the pool (4 bytes did it here).
const ROW: usize = PROMPT + 2;
/// Bytes of the prompt's digest.
const PROMPT: usize = 5;

/// What a row is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowDigest {
    prompt: [u8; PROMPT],
    response: [u8; 2],
}

/// The digests of a pool, by source.
#[derive(Debug, Clone, Default)]
pub struct PoolDigests(BTreeMap<String, Vec<RowDigest>>);

impl PoolDigests {
    /// The digests of the sources of `manifest`, one after another.
    ///
    /// # Errors
    /// [`RebuildError::Manifest`] when there are more or fewer than its rows.
    pub fn parse(manifest: &Manifest, bytes: &[u8]) -> Result<Self, RebuildError> {
        let rows: usize = manifest.sources().iter().map(|s| s.rows).sum();
        if bytes.len() != rows.saturating_mul(ROW) {
            return Err(RebuildError::Manifest(format!(
                "{} bytes of row digests for {rows} rows of {ROW}",
                bytes.len()
            )));
        }
        let mut all = bytes.chunks_exact(ROW).filter_map(RowDigest::parse);
        let by_source = manifest
            .sources()
            .iter()
            .map(|s| (s.name.clone(), all.by_ref().take(s.rows).collect()))
            .collect();
        Ok(Self(by_source))
    }

    pub(super) fn of(&self, source: &str) -> Option<&[RowDigest]> {
        self.0.get(source).map(Vec::as_slice)
    }
}

/// The seven bytes of a row.
///
/// # Shape
/// SHA-256 over role, 0, text, 0 of every message; then over the response with
/// 1 before it, or 0 alone where there is none.
pub fn row_digest<'a>(
    prompt: impl IntoIterator<Item = (&'a str, &'a str)>,
    response: Option<&str>,
) -> [u8; ROW] {
    let mut of_prompt = Sha256::new();
    for (role, text) in prompt {
        for part in [role.as_bytes(), &[0], text.as_bytes(), &[0]] {
            of_prompt.update(part);
        }
    }
    let mut of_response = Sha256::new();
    of_response.update([u8::from(response.is_some())]);
    of_response.update(response.unwrap_or_default());
    let mut row = [0; ROW];
    let bytes = of_prompt
        .finalize()
        .into_iter()
        .take(5)
        .chain(of_response.finalize().into_iter().take(2));
    for (place, byte) in row.iter_mut().zip(bytes) {
        *place = byte;
    }
    row
}

/// The five bytes of a prompt.
pub(super) fn digest(prompt: &[Message]) -> [u8; PROMPT] {
    let mut first = [0; PROMPT];
    let row = row_digest(said(prompt), None);
    first.iter_mut().zip(row).for_each(|(to, from)| *to = from);
    first
}

/// The prompts among rows.
pub(super) fn prompts_of(rows: &[RowDigest]) -> BTreeSet<[u8; PROMPT]> {
    rows.iter().map(|r| r.prompt).collect()
}

fn said(prompt: &[Message]) -> impl Iterator<Item = (&str, &str)> {
    prompt.iter().map(|m| (m.role.as_str(), m.content.as_str()))
}

impl RowDigest {
    fn parse(row: &[u8]) -> Option<Self> {
        let (prompt, rest) = row.split_first_chunk()?;
        Some(Self {
            prompt: *prompt,
            response: *rest.first_chunk()?,
        })
    }

    fn of(row: &Row) -> Option<Self> {
        Self::parse(&row_digest(said(&row.prompt), row.response.as_deref()))
    }
}

/// The rows of the pool among those made.
pub(super) struct Chosen {
    pub(super) rows: Vec<Row>,
    /// Of the pool's rows, those whose prompt was made.
    pub(super) prompts: usize,
    /// Of the pool's rows, those whose response was made too.
    pub(super) with_response: usize,
}

/// The first made row of a prompt, and the unused ones with their responses.
type Places = (usize, Vec<(usize, [u8; 2])>);

/// For each row of the pool, in its order, the made row of the same prompt and
/// response, else the next unused one of the same prompt. Where the pool has a
/// prompt more often than was made, it is repeated without a response.
pub(super) fn choose(made: &[Row], wanted: &[RowDigest]) -> Chosen {
    let mut places: BTreeMap<[u8; PROMPT], Places> = BTreeMap::new();
    for (place, row) in made.iter().enumerate() {
        let Some(digest) = RowDigest::of(row) else {
            continue;
        };
        let (_, unused) = places.entry(digest.prompt).or_insert((place, Vec::new()));
        unused.push((place, digest.response));
    }
    let exact: Vec<Option<usize>> = wanted
        .iter()
        .map(|want| {
            let (_, unused) = places.get_mut(&want.prompt)?;
            let at = unused.iter().position(|(_, r)| *r == want.response)?;
            Some(unused.remove(at).0)
        })
        .collect();
    let rows: Vec<Row> = exact
        .iter()
        .zip(wanted)
        .filter_map(|(exact, want)| {
            let (first, unused) = places.get_mut(&want.prompt)?;
            let next = exact.or_else(|| (!unused.is_empty()).then(|| unused.remove(0).0));
            let mut row = made.get(next.unwrap_or(*first))?.clone();
            if next.is_none() {
                row.response = None;
            }
            Some(row)
        })
        .collect();
    Chosen {
        prompts: rows.len(),
        with_response: exact.iter().flatten().count(),
        rows,
    }
}

/// Without digests: the `most` rows of the smallest SHA-256 over seed and
/// prompt, each prompt once, in the order they were made in.
pub(super) fn sample(made: Vec<Row>, most: usize, seed: u64) -> Vec<Row> {
    let mut ranked: BTreeMap<[u8; 32], (usize, Row)> = BTreeMap::new();
    for (place, row) in made.into_iter().enumerate() {
        let mut digest = Sha256::new();
        digest.update(seed.to_be_bytes());
        for message in &row.prompt {
            digest.update(&message.role);
            digest.update([0]);
            digest.update(&message.content);
            digest.update([0]);
        }
        ranked
            .entry(digest.finalize().into())
            .or_insert((place, row));
    }
    let mut taken: Vec<(usize, Row)> = ranked.into_values().take(most).collect();
    taken.sort_by_key(|(place, _)| *place);
    taken.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests;
