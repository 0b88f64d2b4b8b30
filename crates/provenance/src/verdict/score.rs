//! How many bits do the channels tell together?

use std::collections::HashSet;

use super::Hit;
use crate::key::Channel;
use crate::segment::Output;

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
    /// Bits of triples that a document of 1,000 words has with an output by chance.
    pub by_chance: f64,
}

impl Fusion {
    /// All channels together, in bits.
    pub fn bits(&self, of: &Features) -> f64 {
        let mut sum = 0.0;
        for (bits, weight) in of.bits.iter().zip(self.weights) {
            sum += bits * weight;
        }
        #[expect(clippy::cast_precision_loss, reason = "words of a document")]
        let chance = self.by_chance * of.words as f64 / 1000.0;
        (sum - chance).max(0.0)
    }
}

/// Words in a gram that a gram `gap` places on shares with it.
fn fresh(gap: u16) -> f64 {
    f64::from(gap.min(8)) / 8.0
}

pub(super) fn features(output: &Output, words: usize, hits: &[Hit]) -> Features {
    let mut found = Features {
        own: output.own,
        words,
        ..Features::default()
    };
    for (channel, (bits, shared)) in Channel::ALL
        .iter()
        .zip(found.bits.iter_mut().zip(found.shared.iter_mut()))
    {
        let mut of: Vec<&Hit> = hits.iter().filter(|h| h.channel == *channel).collect();
        if *channel == Channel::Triples {
            let mut seen = HashSet::new();
            for hit in of {
                if seen.insert(hit.key) {
                    *bits += hit.bits;
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
