//! How many bits do the channels tell together?

use std::collections::HashSet;

use super::Hit;
use crate::key::{Channel, GRAM};
use crate::segment::{Output, WORDS_FEW, WORDS_MIN};

/// What the channels found between a document and an output.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Features {
    /// Bits by channel; in the ordered ones a gram counts by its words that no gram before had.
    pub bits: [f64; 3],
    /// Shared keys by channel.
    pub shared: [u32; 3],
    /// The output's own keys by channel.
    pub own: [u32; 3],
    /// Words of the document.
    pub words: usize,
    /// Words of the output.
    pub output_words: usize,
}

impl Features {
    /// The channel that tells most.
    pub fn channel(&self) -> Channel {
        let [w, s, t] = self.bits;
        if w > 0.0 && w >= 0.5 * s && w >= 0.5 * t {
            Channel::Words
        } else if s >= 0.5 * t && s > 0.0 {
            Channel::Skeleton
        } else {
            Channel::Triples
        }
    }

    fn shared_in(&self, channel: Channel) -> u32 {
        self.shared.get(channel as usize).copied().unwrap_or(0)
    }

    /// How many pairs of places there are at which chance may make them meet, beside the usual
    /// number, in bits: as many as the product of both lengths.
    fn pairs(&self) -> f64 {
        let document = real(self.words.max(8)) / WORDS_USUAL;
        let output = real(self.output_words.max(WORDS_MIN)) / OUTPUT_USUAL;
        document.log2() + output.log2()
    }

    /// The bits of the ordered channels for each word of the shorter text, and how much of the output they
    /// hold: what tells a copy from an independent answer, which shares triples but few sentences.
    pub fn ordered(&self) -> f64 {
        let [words, skeleton, _] = self.bits;
        let chance = self.pairs();
        let compared = self.words.min(self.output_words);
        let bits = both(less(words, chance), less(skeleton, chance));
        bits / real(compared.max(20)) + HELD * self.held()
    }

    /// The share of all ordered grams that a text of the document's length could hold of the output.
    fn held(&self) -> f64 {
        let grams = u32::try_from(self.words.saturating_sub(GRAM - 1)).unwrap_or(u32::MAX);
        let [words, skeleton, _] = self.own;
        let share = |shared: u32, own: u32| f64::from(shared) / f64::from(own.min(grams).max(1));
        let [in_words, in_skeleton, _] = self.shared;
        share(in_words, words)
            .max(share(in_skeleton, skeleton))
            .min(1.0)
    }

    /// The share of the output's own keys of that channel.
    pub fn share(&self) -> f64 {
        let at = self.channel() as usize;
        let pick = |of: &[u32; 3]| of.get(at).copied().unwrap_or(0);
        f64::from(pick(&self.shared)) / f64::from(pick(&self.own).max(1))
    }
}

/// What each channel's bits are worth. No weight is negative: more in common never counts less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// By channel.
    pub weights: [f64; 3],
}

/// Words of a document at which chance is counted as it comes.
const WORDS_USUAL: f64 = 150.0;
/// The same of an output.
const OUTPUT_USUAL: f64 = 100.0;
/// Bits a word that an output is worth which a document holds whole.
const HELD: f64 = 0.3;
/// What unrelated texts share comes in longer pieces than pairs of places count: phrases, lists, names.
/// Twice the pairs' bits were best among none, once and twice.
const PIECES: f64 = 2.0;

impl Fusion {
    /// As chosen on the first split of the audit benchmark.
    pub const STANDARD: Self = Self {
        weights: [1.0, 1.0, 0.3],
    };

    /// All channels together, in bits.
    ///
    /// Longer texts have more chances to share a key: what each channel found, and each triple, is worth
    /// less by how many more pairs of places there are than usual. The plain words and the skeleton
    /// mostly find the same stretch: the lesser of them counts by half.
    pub fn bits(&self, of: &Features) -> f64 {
        let [words, skeleton, triples] = of.bits;
        let [w, s, t] = self.weights;
        let chance = PIECES * of.pairs();
        let triples = (triples - chance * f64::from(of.shared_in(Channel::Triples))).max(0.0);
        both(w * less(words, chance), s * less(skeleton, chance)) + t * triples
    }
}

/// Two channels that mostly find the same stretch.
fn both(a: f64, b: f64) -> f64 {
    a.max(b) + 0.5 * a.min(b)
}

fn less(bits: f64, chance: f64) -> f64 {
    if bits > 0.0 {
        (bits - chance).max(0.0)
    } else {
        0.0
    }
}

/// What a triple of an output is worth beside one of an output of which one in four is kept.
pub(crate) fn density(output: &Output) -> f64 {
    if (output.words as usize) < WORDS_FEW {
        0.5
    } else {
        1.0
    }
}

/// Words in a gram that a gram `gap` places on shares with it.
fn fresh(gap: u16) -> f64 {
    f64::from(gap.min(8)) / 8.0
}

pub(crate) fn features(output: &Output, words: usize, hits: &[Hit]) -> Features {
    let mut found = Features {
        own: output.own,
        words,
        output_words: output.words as usize,
        ..Features::default()
    };
    for (channel, (bits, shared)) in Channel::ALL
        .iter()
        .zip(found.bits.iter_mut().zip(found.shared.iter_mut()))
    {
        let mut of: Vec<&Hit> = hits.iter().filter(|h| h.channel == *channel).collect();
        if *channel == Channel::Triples {
            // Where all are kept there are four times as many, and they repeat each other.
            let density = density(output);
            let mut seen = HashSet::new();
            for hit in of {
                if seen.insert(hit.key) {
                    *bits += hit.bits * density;
                    *shared += 1;
                }
            }
            continue;
        }
        of.sort_by_key(|h| h.position);
        of.dedup_by_key(|h| h.position);
        let mut before: Option<u16> = None;
        for hit in of {
            *bits += hit.bits * before.map_or(1.0, |b| fresh(hit.position - b));
            *shared += 1;
            before = Some(hit.position);
        }
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "words of a document")]
fn real(n: usize) -> f64 {
    n as f64
}
