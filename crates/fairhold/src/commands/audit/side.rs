//! Both texts side by side, where the auditor holds both.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::found::{self, Found, Line};
use crate::args::provenance::Sought;
use crate::failure::Failure;
use crate::logs::{Listing, stream};
use crate::out::Out;

/// Findings that the report opens.
const PAIRS: usize = 20;
/// Words in a row that count as said in both.
const RUN: usize = 4;
/// The longest text that is shown.
const SHOWN_BYTES: usize = 3_000;

/// A finding that is opened.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The document.
    pub(crate) found: Found,
    /// A piece of it, if it was kept, and the output, if it is at hand.
    pub(crate) document: Vec<Piece>,
    /// The output.
    pub(crate) output: Vec<Piece>,
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// It.
    pub(crate) text: String,
    /// Whether the other text says it too.
    pub(crate) both: bool,
}

/// The strongest findings of which a piece was kept.
pub(crate) fn pairs(scan: &Path, sought: &Sought, out: Out) -> Result<Vec<Pair>, Failure> {
    let mut best: Vec<Found> = Vec::new();
    let bits = |found: &Found| found.strongest().map_or(0.0, |one| one.bits);
    found::each(scan, |line| {
        if let Line::Document(found) = line
            && found.excerpt.is_some()
        {
            best.push(*found);
            if best.len() > 8 * PAIRS {
                best.sort_by(|a, b| bits(b).total_cmp(&bits(a)));
                best.truncate(PAIRS);
            }
        }
    })?;
    best.sort_by(|a, b| bits(b).total_cmp(&bits(a)));
    best.truncate(PAIRS);
    let texts = texts(&best, sought, out)?;
    Ok(best
        .into_iter()
        .map(|found| {
            let excerpt = found.excerpt.as_ref().map_or("", |e| e.text.as_str());
            let exchange = found.strongest().map_or("", |one| one.exchange.as_str());
            let output = texts.get(exchange).map_or("", String::as_str);
            let (document, output) = both(excerpt, output);
            Pair {
                found,
                document,
                output,
            }
        })
        .collect())
}

fn texts(best: &[Found], sought: &Sought, out: Out) -> Result<BTreeMap<String, String>, Failure> {
    let mut texts = BTreeMap::new();
    if sought.answers.is_empty() || best.is_empty() {
        return Ok(texts);
    }
    let wanted: HashSet<&str> = best
        .iter()
        .filter_map(|found| found.strongest().map(|one| one.exchange.as_str()))
        .collect();
    let account = sought.account.as_deref();
    stream(&Listing::of(&sought.answers)?, account, out, |batch| {
        for exchange in batch {
            if wanted.contains(exchange.id.as_str())
                && let Some(text) = exchange.response
            {
                texts.insert(exchange.id.to_string(), text);
            }
        }
    })?;
    Ok(texts)
}

/// Both texts in pieces: what stands in both in runs of four words or more is marked.
pub(crate) fn both(document: &str, output: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (one, other) = (words(document), words(output));
    let runs = |words: &[Word<'_>]| -> HashSet<Vec<String>> {
        let normal = words.iter().map(|w| w.normal.clone()).collect::<Vec<_>>();
        normal.windows(RUN).map(<[String]>::to_vec).collect()
    };
    let (first, second) = (runs(&one), runs(&other));
    (marked(&one, &second), marked(&other, &first))
}

struct Word<'a> {
    /// The word with the space behind it.
    text: &'a str,
    normal: String,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut end = text.len().min(SHOWN_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    text.split_inclusive(char::is_whitespace)
        .map(|text| Word {
            text,
            normal: text
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect(),
        })
        .collect()
}

fn marked(words: &[Word<'_>], other: &HashSet<Vec<String>>) -> Vec<Piece> {
    let mut both = vec![false; words.len()];
    let normal: Vec<String> = words.iter().map(|w| w.normal.clone()).collect();
    for (at, run) in normal.windows(RUN).enumerate() {
        if other.contains(run) && run.iter().any(|word| !word.is_empty()) {
            both.iter_mut().skip(at).take(RUN).for_each(|b| *b = true);
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (word, both) in words.iter().zip(both) {
        match pieces.last_mut() {
            Some(last) if last.both == both => last.text.push_str(word.text),
            _ => pieces.push(Piece {
                text: word.text.to_owned(),
                both,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
