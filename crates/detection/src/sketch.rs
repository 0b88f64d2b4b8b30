//! How are two prompts compared without keeping either?
//!
//! Five words in a row make a shingle; a keyed 64-bit hash of it is kept
//! when it falls in the lowest third of the range (`FracMinHash`). Shared
//! kept hashes then estimate shared wording, sketches are united by set
//! union, and without the key they say nothing about the text.

use std::collections::BTreeSet;

use crate::text;

/// Words in one shingle.
pub const SHINGLE: usize = 5;

/// One hash in so many is kept.
pub const SCALE: u64 = 3;

const KEEP_MAX: u64 = u64::MAX / SCALE;

/// The secret under which shingles are hashed: sketches of two keys cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SketchKey {
    first: u64,
    second: u64,
}

impl std::fmt::Debug for SketchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SketchKey(..)")
    }
}

/// The low and the high 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "each half is what is asked for"
)]
fn halves(whole: u128) -> (u64, u64) {
    (whole as u64, (whole >> 64) as u64)
}

/// Multiplies to 128 bits and folds the halves together (the step of wyhash).
fn fold(a: u64, b: u64) -> u64 {
    let (low, high) = halves(u128::from(a).wrapping_mul(u128::from(b)));
    low ^ high
}

// Odd constants with about half of their bits set (fractions of the square roots of 2, 3 and 5).
const P0: u64 = 0x6a09_e667_f3bc_c909;
const P1: u64 = 0xbb67_ae85_84ca_a73b;
const P2: u64 = 0x3c6e_f372_fe94_f82b;

impl SketchKey {
    /// A key from 16 secret bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        let (first, second) = halves(u128::from_le_bytes(bytes));
        Self {
            first: first ^ P0,
            second: second ^ P1,
        }
    }

    /// The keyed hash of some bytes.
    ///
    /// Not a cryptographic hash: it keeps texts from being read off a stolen
    /// sketch by a dictionary, not from an attacker who holds the key.
    pub(crate) fn hash(self, bytes: &[u8]) -> u64 {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut state = self.first ^ length.wrapping_mul(P2);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            state = fold(state ^ u64::from_le_bytes(word), self.second);
        }
        fold(state ^ P1, self.first ^ P2)
    }

    fn shingle(self, tokens: &[u64]) -> u64 {
        let mut state = self.second ^ P2;
        for token in tokens {
            state = fold(state ^ token, self.first).wrapping_add(P1);
        }
        fold(state, self.second ^ P0)
    }
}

/// Every shingle of a normalised text, hashed, in order; a shorter text is one shingle.
pub fn shingles(key: SketchKey, normalised: &str) -> Vec<u64> {
    let tokens: Vec<u64> = normalised
        .split(' ')
        .filter(|t| !t.is_empty())
        .map(|t| key.hash(t.as_bytes()))
        .collect();
    if tokens.is_empty() {
        Vec::new()
    } else if tokens.len() < SHINGLE {
        vec![key.shingle(&tokens)]
    } else {
        tokens.windows(SHINGLE).map(|w| key.shingle(w)).collect()
    }
}

/// Whether a hash belongs to sketches.
pub(crate) fn kept(hash: u64) -> bool {
    hash <= KEEP_MAX
}

/// The sketch of a conversation: its kept hashes, ascending, each once.
pub fn prompt_sketch(key: SketchKey, prompt: &[(String, String)]) -> Vec<u64> {
    sketch_of(key, &text::pieces(prompt))
}

pub(crate) fn sketch_of(key: SketchKey, pieces: &[String]) -> Vec<u64> {
    let mut out: Vec<u64> = pieces
        .iter()
        .flat_map(|piece| shingles(key, piece))
        .filter(|h| kept(*h))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Longer words, hashed: what a prompt is about, for the partition test.
pub(crate) fn words_of(key: SketchKey, pieces: &[String]) -> Vec<u32> {
    const LONG: usize = 4;
    const MOST: usize = 64;
    let words: BTreeSet<u32> = pieces
        .iter()
        .flat_map(|piece| piece.split(' '))
        .filter(|w| w.len() >= LONG || !w.is_ascii())
        .map(|w| {
            let [a, b, c, d, ..] = key.hash(w.as_bytes()).to_le_bytes();
            u32::from_le_bytes([a, b, c, d])
        })
        .collect();
    // The smallest hashes are the same choice of words in every prompt.
    words.into_iter().take(MOST).collect()
}

/// How many values two ascending slices share.
#[cfg(test)]
fn shared(a: &[u64], b: &[u64]) -> usize {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut n = 0;
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => {
                left.next();
            }
            std::cmp::Ordering::Greater => {
                right.next();
            }
            std::cmp::Ordering::Equal => {
                n += 1;
                left.next();
                right.next();
            }
        }
    }
    n
}

#[cfg(test)]
mod tests;
