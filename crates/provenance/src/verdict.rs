//! What do the hits of a document come to?

use std::collections::{HashMap, HashSet};

use crate::calibration::Calibration;
use crate::key::Channel;
use crate::registry::Registry;
use crate::segment::{Output, Role};

mod score;

pub use score::{Features, Fusion};
pub(crate) use score::{density, features};

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
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Independent {
    /// How many control twins were asked.
    pub twins: usize,
    /// How many answers of other models to other accounts with the same prompt the document holds some
    /// of. They are outputs themselves: they count in the contrast, not in the rank.
    pub fleet: usize,
    /// How many of them the document resembles as much or more.
    pub as_near: usize,
    /// (1 + those) / (twins + 1).
    pub rank_p: f64,
    /// By how much the document is nearer to the output than to the nearest independent answer
    /// ([`Features::ordered`]).
    pub contrast: f64,
    /// The share of independent answers with such a contrast, by the calibration.
    pub p: f64,
    /// The bits of the output or of the nearest twin, whichever are more.
    pub strongest: f64,
    /// Whether those are more than unrelated text explains. Only then is it worth asking which came
    /// first, and whether it is asked must not depend on which did.
    pub compared: bool,
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
    /// What independent answers say, where there are some.
    pub independent: Option<Independent>,
    /// The share of independent answers to the same prompt that are so near: by the contrast, or where
    /// none is at hand, by the nearness alone, which tells less.
    pub p_same_prompt: f64,
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

    /// The match that is counted where outputs are ranked among control twins: of those compared, that
    /// whose output or twin is the strongest.
    pub fn compared(&self) -> Option<(&Match, Independent)> {
        let compared = self.matches.iter().filter_map(|m| {
            let independent = m.independent.filter(|i| i.compared)?;
            Some((m, independent))
        });
        compared.max_by(|a, b| a.1.strongest.total_cmp(&b.1.strongest))
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
    /// Texts of the registry and background that the calibration was measured beside.
    pub texts: f64,
    /// Bits by which chance grows each time that those double.
    pub per_doubling: f64,
}

/// The most matches that are told of a document besides those that unrelated text does not explain.
const MATCHES_MAX: usize = 16;

impl Judge {
    /// The bits by triples alone that make a document worth opening: the ordered channels may add to
    /// what is less than a finding.
    pub(crate) fn worth_opening(&self, registry: &Registry) -> f64 {
        const PART: f64 = 0.4;
        self.threshold(registry) * PART
    }

    /// The bits that a finding must come to beside this registry.
    pub fn threshold(&self, registry: &Registry) -> f64 {
        let measured = self.calibration.unrelated.threshold(self.unrelated_max);
        measured + self.growth(registry)
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
            // What may be a finding is kept whatever stands before it: its terms may be stricter.
            let explained = self.p_unrelated(one.bits, registry) > self.unrelated_max;
            if explained && matches.len() >= MATCHES_MAX {
                continue;
            }
            matches.push(self.matched(one, output, &twins, registry));
        }
        families(&mut matches);
        explained(&mut matches);
        copied(&mut matches, registry);
        self.outdone(&mut matches, &scored, (&twins, registry));
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

    /// The share of human documents with so many bits or more. With more texts chance shares more.
    fn p_unrelated(&self, bits: f64, registry: &Registry) -> f64 {
        self.calibration.p_unrelated(bits - self.growth(registry))
    }

    /// The bits that chance gains by the registry being larger than the one that was measured.
    fn growth(&self, registry: &Registry) -> f64 {
        let doublings = (registry.texts() / self.texts.max(1.0)).log2().max(0.0);
        self.per_doubling * doublings
    }

    fn independent(
        &self,
        one: &Scored,
        output: &Output,
        twins: &Twins,
        registry: &Registry,
    ) -> Option<Independent> {
        let count = registry.twins(output.prompt);
        let held = |n: &usize| twins.ordered.get(n).is_some_and(|near| *near > 0.0);
        let fleet = registry.fleet(one.output).filter(held).count();
        if count + fleet == 0 {
            return None;
        }
        let (most, as_near) = twins.strongest(output.prompt, one.bits);
        let contrast = one.features.ordered() - twins.nearest(one.output, registry);
        let strongest = one.bits.max(most);
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let rank_p = (1.0 + as_near as f64) / (1.0 + count as f64);
        Some(Independent {
            twins: count,
            fleet,
            as_near,
            rank_p,
            contrast,
            p: self.calibration.p_independent(contrast),
            strongest,
            compared: count > 0 && self.p_unrelated(strongest, registry) <= self.unrelated_max,
        })
    }

    /// Outputs of which a document holds nothing, while it resembles a control twin of theirs: left out,
    /// outputs would come first too often.
    fn outdone(&self, matches: &mut Vec<Match>, scored: &[Scored], of: (&Twins, &Registry)) {
        let (twins, registry) = of;
        let outputs = registry.outputs();
        let prompt = |output: usize| outputs.get(output).map_or(0, |o| o.prompt);
        let mut told: HashSet<u64> = matches.iter().map(|m| prompt(m.output)).collect();
        for twin in scored {
            let of_twin = outputs.get(twin.output);
            let Some(of_twin) = of_twin.filter(|o| o.role == Role::Control) else {
                continue;
            };
            if self.p_unrelated(twin.bits, registry) > self.unrelated_max
                || !told.insert(of_twin.prompt)
            {
                continue;
            }
            let Some(n) = registry.output_to(of_twin.prompt) else {
                continue;
            };
            let nothing = Scored {
                output: n,
                bits: 0.0,
                features: Features::default(),
                hits: Vec::new(),
            };
            if let Some(output) = outputs.get(n) {
                matches.push(self.matched(&nothing, output, twins, registry));
            }
        }
    }

    fn matched(&self, one: &Scored, output: &Output, twins: &Twins, registry: &Registry) -> Match {
        let p_unrelated = self.p_unrelated(one.bits, registry);
        let independent = self.independent(one, output, twins, registry);
        let resembles = p_unrelated <= self.unrelated_max;
        let derived =
            resembles && independent.is_none_or(|i| i.as_near == 0 && i.p <= self.independent_max);
        let nearness = one.features.ordered();
        let alone = || self.calibration.alone.p(nearness);
        Match {
            output: one.output,
            channel: one.features.channel(),
            features: one.features,
            bits: one.bits,
            share: one.features.share(),
            spans: spans(&one.hits),
            p_unrelated,
            independent,
            p_same_prompt: independent.map_or_else(alone, |i| i.p),
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

/// What a document has in common with answers: control twins' bits by prompt, and how near it is to
/// each output of a prompt that was answered more than once.
struct Twins {
    by_prompt: HashMap<u64, Vec<f64>>,
    ordered: HashMap<usize, f64>,
}

impl Twins {
    fn of(scored: &[Scored], registry: &Registry) -> Self {
        let mut by_prompt: HashMap<u64, Vec<f64>> = HashMap::new();
        let mut ordered = HashMap::new();
        for one in scored {
            let Some(output) = registry.outputs().get(one.output) else {
                continue;
            };
            if output.role == Role::Control {
                by_prompt.entry(output.prompt).or_default().push(one.bits);
            }
            if registry.answered_again(output.prompt) {
                ordered.insert(one.output, one.features.ordered());
            }
        }
        Self { by_prompt, ordered }
    }

    /// Of the twins of a prompt: the most bits, and how many have so many or more.
    fn strongest(&self, prompt: u64, bits: f64) -> (f64, usize) {
        let theirs = self.by_prompt.get(&prompt).map_or(&[][..], Vec::as_slice);
        let most = theirs.iter().copied().fold(0.0, f64::max);
        (most, theirs.iter().filter(|b| **b >= bits).count())
    }

    /// How near the nearest independent answer to an output's prompt is.
    fn nearest(&self, output: usize, registry: &Registry) -> f64 {
        let answers = registry.controls(output).chain(registry.fleet(output));
        let near = answers.filter_map(|n| self.ordered.get(&n).copied());
        near.fold(0.0, f64::max)
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
        .map(|m| joined(m.spans.iter().map(|s| (s.start, s.end))))
        .collect();
    let names: Vec<usize> = matches.iter().map(|m| m.output).collect();
    let ends = |of: &[(usize, usize)]| of.first().zip(of.last()).map(|(f, l)| (f.0, l.1));
    for (n, one) in matches.iter_mut().enumerate() {
        let Some(own) = covers.get(n) else { continue };
        let Some((from, to)) = ends(own) else {
            continue;
        };
        for (other, theirs) in covers.iter().enumerate() {
            let apart = ends(theirs).is_none_or(|(start, end)| start >= to || end <= from);
            if other == n || apart {
                continue;
            }
            let less = length(own).min(length(theirs));
            if overlap(own, theirs) * 2 >= less && less > 0 {
                one.family.extend(names.get(other));
            }
        }
    }
}

/// The copies of an output are of its family.
fn copied(matches: &mut [Match], registry: &Registry) {
    for one in matches {
        one.family.extend(registry.copies(one.output));
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
pub(crate) fn covered(stretches: impl Iterator<Item = (usize, usize)>) -> usize {
    length(&joined(stretches))
}

/// Stretches that may overlap, as such that do not, in order.
fn joined(stretches: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut sorted: Vec<(usize, usize)> = stretches.collect();
    sorted.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn length(joined: &[(usize, usize)]) -> usize {
    joined.iter().map(|(start, end)| end - start).sum()
}

/// Bytes that both cover.
fn overlap(a: &[(usize, usize)], b: &[(usize, usize)]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut sum = 0;
    while let (Some(one), Some(other)) = (a.peek(), b.peek()) {
        sum += one.1.min(other.1).saturating_sub(one.0.max(other.0));
        if one.1 <= other.1 {
            a.next();
        } else {
            b.next();
        }
    }
    sum
}

#[cfg(test)]
pub(crate) mod tests;
