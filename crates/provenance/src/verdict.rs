//! What do the hits of a document come to?

use std::collections::HashMap;

use crate::calibration::Calibration;
use crate::key::Channel;
use crate::registry::Registry;
use crate::segment::{Output, Role};

mod score;

pub(crate) use score::features;
pub use score::{Features, Fusion};

/// A key that a document shares with an output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) channel: Channel,
    pub(crate) key: u64,
    /// The place in the output, in the channel's order.
    pub(crate) position: u16,
    /// Bytes of the document.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) bits: f64,
}

/// A stretch of the document that agrees with an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte in the document.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// The place in the output: words before it in W8, words of the skeleton in S8, content words
    /// in T3.
    pub position: usize,
    /// In which sense they agree.
    pub channel: Channel,
}

/// What independent answers to the same prompt say about a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Independent {
    /// How many control twins were asked.
    pub twins: usize,
    /// How many of them the document resembles as much or more.
    pub as_near: usize,
    /// (1 + those) / (twins + 1).
    pub rank_p: f64,
    /// By how much the document is nearer to the output than to the nearest twin
    /// ([`Features::ordered`]).
    pub contrast: f64,
    /// The share of independent answers with such a contrast, by the calibration.
    pub p: f64,
}

/// An output that a document resembles.
#[derive(Debug, Clone)]
pub struct Match {
    /// Which: its place among [`Registry::outputs`].
    pub output: usize,
    /// The channel that tells most.
    pub channel: Channel,
    /// What the channels found.
    pub features: Features,
    /// All channels together, in bits.
    pub bits: f64,
    /// The share of the output's own keys of the channel that the document holds.
    pub share: f64,
    /// Where.
    pub spans: Vec<Span>,
    /// The chance of so many bits in a human document that holds no output.
    pub p_unrelated: f64,
    /// What control twins say, where there are some.
    pub independent: Option<Independent>,
    /// Other outputs that the same stretch of the document resembles nearly as much.
    pub family: Vec<usize>,
    /// Whether unrelated human text does not explain it.
    pub resembles: bool,
    /// Whether it is a finding: neither chance nor an independent answer explains it.
    pub derived: bool,
}

/// What a document holds.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Bytes of the document.
    pub bytes: usize,
    /// Its words, as parted by white space.
    pub words: usize,
    /// The outputs it resembles, the strongest first.
    pub matches: Vec<Match>,
    /// Bytes of the document inside spans of findings.
    pub bytes_derived: usize,
}

impl Verdict {
    /// Whether one of its matches is a finding.
    pub fn derived(&self) -> bool {
        self.matches.iter().any(|m| m.derived)
    }

    /// The bits of its strongest match.
    pub fn bits(&self) -> f64 {
        self.matches.first().map_or(0.0, |m| m.bits)
    }
}

/// How hits are weighed.
#[derive(Debug, Clone)]
pub struct Judge {
    /// What the channels are worth.
    pub fusion: Fusion,
    /// What chance looks like.
    pub calibration: Calibration,
    /// The most human documents that may be flagged, as a share.
    pub unrelated_max: f64,
    /// The most independent answers that may be flagged, as a share.
    pub independent_max: f64,
}

/// The most matches that are told of a document.
const MATCHES_MAX: usize = 16;

impl Judge {
    /// The bits of triples with one output that make a document of so many words worth opening:
    /// the ordered channels may add to what is less than a finding.
    pub(crate) fn worth_opening(&self, words: usize) -> f64 {
        const PART: f64 = 0.4;
        let threshold = self.calibration.unrelated.threshold(self.unrelated_max);
        self.fusion.triples_of(threshold * PART, words)
    }

    pub(crate) fn judge(
        &self,
        registry: &Registry,
        (bytes, words): (usize, usize),
        found: HashMap<u32, Vec<Hit>>,
    ) -> Verdict {
        let mut scored: Vec<Scored> = found
            .into_iter()
            .filter_map(|(output, hits)| self.scored(registry, output as usize, words, hits))
            .collect();
        scored.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.output.cmp(&b.output)));
        let twins = Twins::of(&scored, registry);
        let mut matches: Vec<Match> = Vec::new();
        for one in &scored {
            let Some(output) = registry.outputs().get(one.output) else {
                continue;
            };
            if output.role == Role::Control || one.bits <= 0.0 {
                continue;
            }
            if matches.len() == MATCHES_MAX {
                break;
            }
            matches.push(self.matched(one, output, &twins, registry));
        }
        families(&mut matches);
        explained(&mut matches);
        let bytes_derived = covered(
            matches
                .iter()
                .filter(|m| m.derived)
                .flat_map(|m| m.spans.iter().map(|s| (s.start, s.end))),
        );
        Verdict {
            bytes,
            words,
            matches,
            bytes_derived,
        }
    }

    fn scored(
        &self,
        registry: &Registry,
        output: usize,
        words: usize,
        hits: Vec<Hit>,
    ) -> Option<Scored> {
        let known = registry.outputs().get(output)?;
        let features = features(known, words, &hits);
        Some(Scored {
            output,
            bits: self.fusion.bits(&features),
            features,
            hits,
        })
    }

    fn matched(&self, one: &Scored, output: &Output, twins: &Twins, registry: &Registry) -> Match {
        let p_unrelated = self.calibration.p_unrelated(one.bits);
        let independent = twins.against(one, output, registry, &self.calibration);
        let resembles = p_unrelated <= self.unrelated_max;
        let derived =
            resembles && independent.is_none_or(|i| i.as_near == 0 && i.p <= self.independent_max);
        Match {
            output: one.output,
            channel: one.features.channel(),
            features: one.features,
            bits: one.bits,
            share: one.features.share(),
            spans: spans(&one.hits),
            p_unrelated,
            independent,
            family: Vec::new(),
            resembles,
            derived,
        }
    }
}

struct Scored {
    output: usize,
    bits: f64,
    features: Features,
    hits: Vec<Hit>,
}

/// The bits of control twins by prompt.
struct Twins(HashMap<u64, Vec<(f64, f64)>>);

impl Twins {
    fn of(scored: &[Scored], registry: &Registry) -> Self {
        let mut by_prompt: HashMap<u64, Vec<(f64, f64)>> = HashMap::new();
        for one in scored {
            if let Some(output) = registry.outputs().get(one.output)
                && output.role == Role::Control
            {
                by_prompt
                    .entry(output.prompt)
                    .or_default()
                    .push((one.bits, one.features.ordered()));
            }
        }
        Self(by_prompt)
    }

    fn against(
        &self,
        one: &Scored,
        output: &Output,
        registry: &Registry,
        calibration: &Calibration,
    ) -> Option<Independent> {
        let twins = registry.twins(output.prompt);
        if twins == 0 {
            return None;
        }
        let theirs = self.0.get(&output.prompt).map_or(&[][..], Vec::as_slice);
        let as_near = theirs.iter().filter(|(bits, _)| *bits >= one.bits).count();
        let nearest = theirs.iter().map(|(_, o)| *o).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let rank_p = (1.0 + as_near as f64) / (1.0 + twins as f64);
        let contrast = one.features.ordered() - nearest;
        Some(Independent {
            twins,
            as_near,
            rank_p,
            contrast,
            p: calibration.p_independent(contrast),
        })
    }
}

/// Hits that follow each other, joined.
fn spans(hits: &[Hit]) -> Vec<Span> {
    let mut sorted: Vec<&Hit> = hits.iter().collect();
    sorted.sort_by_key(|h| (h.channel, h.start, h.position));
    let mut spans: Vec<Span> = Vec::new();
    for hit in sorted {
        match spans.last_mut() {
            Some(last) if last.channel == hit.channel && hit.start <= last.end => {
                last.end = last.end.max(hit.end);
            }
            _ => spans.push(Span {
                start: hit.start,
                end: hit.end,
                position: usize::from(hit.position),
                channel: hit.channel,
            }),
        }
    }
    spans
}

/// Matches whose spans lie in those of a stronger one are of its family.
fn families(matches: &mut [Match]) {
    let covers: Vec<Vec<(usize, usize)>> = matches
        .iter()
        .map(|m| m.spans.iter().map(|s| (s.start, s.end)).collect())
        .collect();
    let names: Vec<usize> = matches.iter().map(|m| m.output).collect();
    for (n, one) in matches.iter_mut().enumerate() {
        let Some(own) = covers.get(n) else { continue };
        for (other, theirs) in covers.iter().enumerate() {
            let both = overlap(own, theirs);
            let less = covered(own.iter().copied()).min(covered(theirs.iter().copied()));
            if other != n && both * 2 >= less && less > 0 {
                one.family.extend(names.get(other));
            }
        }
    }
}

/// A stretch that an independent answer explains accuses no other output that it resembles less:
/// what they have in common is older than both.
fn explained(matches: &mut [Match]) {
    let explained: Vec<(usize, f64)> = matches
        .iter()
        .filter(|m| m.resembles && !m.derived)
        .map(|m| (m.output, m.bits))
        .collect();
    for one in matches.iter_mut().filter(|m| m.independent.is_none()) {
        let stronger =
            |(output, bits): &(usize, f64)| *bits >= one.bits && one.family.contains(output);
        one.derived &= !explained.iter().any(stronger);
    }
}

/// Bytes covered by stretches that may overlap.
fn covered(stretches: impl Iterator<Item = (usize, usize)>) -> usize {
    let mut sorted: Vec<(usize, usize)> = stretches.collect();
    sorted.sort_unstable();
    let (mut sum, mut until) = (0, 0);
    for (start, end) in sorted {
        sum += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    sum
}

fn overlap(a: &[(usize, usize)], b: &[(usize, usize)]) -> usize {
    let all = covered(a.iter().chain(b).copied());
    covered(a.iter().copied()) + covered(b.iter().copied()) - all
}
