//! How many bits do the channels tell together?

use std::collections::HashSet;

use super::Hit;
use crate::key::Channel;
use crate::segment::{Output, WORDS_FEW};

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

    /// What length makes of chance, in bits.
    fn chance(&self) -> f64 {
        2.0 * (real(self.words.max(8)) / WORDS_USUAL).log2()
    }

    /// The bits of both ordered channels, by the square root of the words of the shorter text: what tells
    /// a copy from an independent answer, which shares triples but few sentences.
    pub fn ordered(&self) -> f64 {
        let [words, skeleton, _] = self.bits;
        let chance = self.chance();
        let compared = self.words.min(self.output_words);
        (less(words, chance) + less(skeleton, chance)) / real(compared.max(20)).sqrt()
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

impl Fusion {
    /// As chosen on the first split of the audit benchmark.
    pub const STANDARD: Self = Self {
        weights: [1.0, 1.0, 0.45],
    };

    /// All channels together, in bits.
    ///
    /// A longer document has more chances to share a key: each run of grams, and each triple, is
    /// worth less by twice the logarithm of how much longer it is than usual.
    pub fn bits(&self, of: &Features) -> f64 {
        let [words, skeleton, triples] = of.bits;
        let [w, s, t] = self.weights;
        let chance = of.chance();
        let triples = (triples - chance * f64::from(of.shared_in(Channel::Triples))).max(0.0);
        w * less(words, chance) + s * less(skeleton, chance) + t * triples
    }

    /// About the bits of triples, before chance is taken off, that come to `bits`.
    pub(crate) fn triples_of(&self, bits: f64, words: usize) -> f64 {
        let [_, _, weight] = self.weights;
        let of = Features {
            words,
            ..Features::default()
        };
        // A triple tells at least as much as chance may take off a long document's.
        (bits / weight.max(0.01)).max(0.0) * (1.0 + of.chance() / 16.0).max(0.25)
    }
}

fn less(bits: f64, chance: f64) -> f64 {
    if bits > 0.0 {
        (bits - chance).max(0.0)
    } else {
        0.0
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
            let few = (output.words as usize) < WORDS_FEW;
            let density = if few { 0.5 } else { 1.0 };
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
