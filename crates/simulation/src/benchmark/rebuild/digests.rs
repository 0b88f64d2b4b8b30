//! Which rows the pool holds: six bytes of digest a row, in the pool's order.
//! They choose the rows out of all that a recipe makes, and say what share
//! was made exactly, without a word of the text.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::RebuildError;
use super::manifest::Manifest;
use super::rows::{Message, Row};

/// Bytes of a row: 4 of the prompt's digest, 2 of the response's. Among 10^5
/// made rows and 2,500 wanted ones, 4 bytes mistake one in 17 such sources.
const ROW: usize = 6;

/// What a row is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowDigest {
    prompt: [u8; 4],
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
        let mut all = bytes.chunks_exact(ROW).filter_map(|row| match row {
            [a, b, c, d, e, f] => Some(RowDigest {
                prompt: [*a, *b, *c, *d],
                response: [*e, *f],
            }),
            _ => None,
        });
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

/// The six bytes of a row.
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
        .take(4)
        .chain(of_response.finalize().into_iter().take(2));
    for (place, byte) in row.iter_mut().zip(bytes) {
        *place = byte;
    }
    row
}

/// The four bytes of a prompt.
pub(super) fn digest(prompt: &[Message]) -> [u8; 4] {
    let [a, b, c, d, ..] = row_digest(said(prompt), None);
    [a, b, c, d]
}

/// The prompts among rows.
pub(super) fn prompts_of(rows: &[RowDigest]) -> BTreeSet<[u8; 4]> {
    rows.iter().map(|r| r.prompt).collect()
}

fn said(prompt: &[Message]) -> impl Iterator<Item = (&str, &str)> {
    prompt.iter().map(|m| (m.role.as_str(), m.content.as_str()))
}

impl RowDigest {
    fn of(row: &Row) -> Self {
        let [a, b, c, d, e, f] = row_digest(said(&row.prompt), row.response.as_deref());
        Self {
            prompt: [a, b, c, d],
            response: [e, f],
        }
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

/// For each row of the pool, in its order, the made row of the same prompt and
/// response, else the next unused one of the same prompt.
pub(super) fn choose(made: Vec<Row>, wanted: &[RowDigest]) -> Chosen {
    let mut places: BTreeMap<[u8; 4], Vec<(usize, [u8; 2])>> = BTreeMap::new();
    for (place, row) in made.iter().enumerate() {
        let digest = RowDigest::of(row);
        places
            .entry(digest.prompt)
            .or_default()
            .push((place, digest.response));
    }
    let prompts = wanted
        .iter()
        .filter(|w| places.contains_key(&w.prompt))
        .count();
    let mut chosen: Vec<Option<usize>> = wanted
        .iter()
        .map(|want| {
            let left = places.get_mut(&want.prompt)?;
            let at = left.iter().position(|(_, r)| *r == want.response)?;
            Some(left.remove(at).0)
        })
        .collect();
    let with_response = chosen.iter().flatten().count();
    for (choice, want) in chosen.iter_mut().zip(wanted) {
        if let (None, Some(left)) = (&choice, places.get_mut(&want.prompt))
            && !left.is_empty()
        {
            *choice = Some(left.remove(0).0);
        }
    }
    let mut made: Vec<Option<Row>> = made.into_iter().map(Some).collect();
    let rows = chosen
        .into_iter()
        .flatten()
        .filter_map(|at| made.get_mut(at)?.take())
        .collect();
    Chosen {
        rows,
        prompts,
        with_response,
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
