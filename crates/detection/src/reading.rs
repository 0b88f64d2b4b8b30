//! What one pass over a prompt gives: counts of cues, hashed words and pairs
//! of words, sketched shingles.

use crate::cues::{CUES, Counts, Cue, Lexicon, Shape, bump, joined};
use crate::sketch::SketchKey;
use crate::text;

/// Words and pairs of words fall into this many bins.
pub const BINS: usize = 1 << 18;

/// The key of words in the model: public, because a model is shared.
const PUBLIC: [u8; 16] = *b"fairhold reading";

/// What was read of one prompt; no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How often each family of cues occurs.
    pub counts: Counts,
    /// Bins of words and of pairs of words, in their order.
    pub bins: Vec<u32>,
    /// Public hashes of the words, in their order; pieces end with a 0.
    pub(crate) words: Vec<u64>,
    /// Hash of how the conversation opens: its first words.
    pub(crate) opening: u64,
    /// Hash of how its last message opens.
    pub(crate) request: u64,
    /// Hash of how it ends: its last words.
    pub(crate) ending: u64,
}

/// Words that make an opening, and an ending.
const OPENING: usize = 4;
const ENDING: usize = 3;

impl Reading {
    /// Words read.
    pub fn length(&self) -> usize {
        self.words.iter().filter(|word| **word != 0).count()
    }

    /// The id of what was asked, read as far as prompts are read: alike for repetitions.
    pub fn duplicate_id(&self) -> u64 {
        joined(&self.words)
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            counts: [0; CUES],
            bins: Vec::new(),
            words: Vec::new(),
            opening: 0,
            request: 0,
            ending: 0,
        }
    }
}

/// Reads prompts, one after the other, into one reused reading.
#[derive(Debug, Clone)]
pub struct Reader {
    lexicon: Lexicon,
    text: String,
    reading: Reading,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            lexicon: Lexicon::new(SketchKey::new(PUBLIC)),
            text: String::new(),
            reading: Reading::default(),
        }
    }
}

impl Reader {
    /// Reads a prompt. Nothing is allocated once the buffers have grown.
    pub fn read(&mut self, prompt: &[(String, String)]) -> &Reading {
        self.reading.counts = [0; CUES];
        self.reading.bins.clear();
        self.reading.words.clear();
        self.reading.request = 0;
        let mut shape = Shape::new();
        for (begins, piece) in text::read(prompt) {
            for c in piece.chars() {
                shape.take(c, &mut self.reading.counts);
            }
            shape.take('\n', &mut self.reading.counts);
            let from = self.reading.words.len();
            self.piece(piece);
            if begins {
                self.reading.request = self.opening(from);
            }
        }
        shape.end(&mut self.reading.counts);
        self.reading.opening = self.opening(0);
        self.reading.ending = self.ending();
        self.sizes();
        &self.reading
    }

    fn piece(&mut self, piece: &str) {
        self.text.clear();
        text::append(&mut self.text, piece);
        let from = self.reading.words.len();
        for word in self.text.split(' ').filter(|w| !w.is_empty()) {
            self.reading.words.push(self.lexicon.word(word));
        }
        let words = self.reading.words.get(from..).unwrap_or_default();
        self.lexicon.count(words, &mut self.reading.counts);
        for (n, word) in words.iter().enumerate() {
            self.reading.bins.push(bin(*word));
            if let Some(pair) = words.get(n..n + 2) {
                self.reading.bins.push(bin(joined(pair)));
            }
        }
        self.reading.words.push(0);
    }

    /// The hash of the first words from there on.
    fn opening(&self, from: usize) -> u64 {
        let words = self.reading.words.get(from..).unwrap_or_default();
        let end = words.iter().position(|word| *word == 0).unwrap_or(0);
        joined(words.get(..end.min(OPENING)).unwrap_or_default())
    }

    fn ending(&self) -> u64 {
        let words = &self.reading.words;
        let last = words
            .iter()
            .rposition(|word| *word != 0)
            .map_or(0, |at| at + 1);
        joined(
            words
                .get(last.saturating_sub(ENDING)..last)
                .unwrap_or_default(),
        )
    }

    fn sizes(&mut self) {
        let words = self.reading.words.iter().filter(|w| **w != 0);
        let all = words.clone().count();
        let mut seen = [0_u64; 64];
        for word in words {
            if let Some(slot) = seen.get_mut(usize::from(word.to_le_bytes()[7] & 63)) {
                *slot |= 1 << (word.to_le_bytes()[6] & 63);
            }
        }
        let different: u32 = seen.iter().map(|s| s.count_ones()).sum();
        let counts = &mut self.reading.counts;
        for _ in 0..usize::BITS - all.leading_zeros() {
            bump(counts, Cue::Length);
        }
        let percent = usize::try_from(different).unwrap_or(0) * 20 / all.max(1);
        for _ in 0..percent.min(20) {
            bump(counts, Cue::Richness);
        }
    }
}

/// The bin of a hash.
fn bin(hash: u64) -> u32 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46) as u32
}

#[cfg(test)]
mod tests;
