//! How often would an honest account look like this?
//!
//! Two answers, and the greater is given. The conformal rank: the share of
//! honest programmes, of sources that the head was not trained on, that score
//! at least as high. And the source's tail: programmes of one source are kin,
//! forty of them are not forty witnesses, and the most extreme of a few dozen
//! sources would always rank first; so the upper third of the sources is
//! fitted with an exponential tail, and what is told is the chance that a new
//! source exceeds the score, the tail's own uncertainty included.
//!
//! # Source
//! Vovk, Gammerman and Shafer 2005 (conformal ranks); Barber et al. 2021
//! (cross-conformal); Dunn, Wasserman and Ramdas 2023 (groups); Pickands 1975
//! (peaks over a threshold). The predictive form of the exponential tail with
//! k excesses of mean b is (1 + x / (k b))^-k.

use std::collections::BTreeMap;

use crate::bounds::real;
use crate::intent::Peers;

/// The numbers of exchanges at which an account is tested.
pub const LOOKS: [u32; 6] = [20, 50, 100, 200, 500, 1500];

/// The part of the sources whose scores tell how the tail falls.
const TAIL: f64 = 1.0 / 3.0;

/// Peers of fewer programmes are not asked; the pool of all is.
pub const PEERS_MIN: usize = 100;

/// One honest programme.
#[derive(Debug, Clone, PartialEq)]
pub struct HonestProgramme {
    /// Where it comes from; programmes of one source are kin.
    pub source: String,
    /// Whose peers its accounts are.
    pub peers: Peers,
    /// For each of its accounts: the statistic at each look, in the order of [`LOOKS`]. An account
    /// that ends before a look keeps its last statistic; looks before its first are never its.
    pub accounts: Vec<[f64; 6]>,
}

/// Honest programmes, ready to be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    programmes: Vec<HonestProgramme>,
    /// For each look, all and by peers.
    looks: Vec<Ranked>,
    peers: BTreeMap<Peers, Vec<Ranked>>,
    /// Least p of whole trajectories, ascending, with weights.
    least: Ranked,
}

/// Scores in ascending order, with what is needed to rank another among them.
#[derive(Debug, Clone, PartialEq, Default)]
struct Ranked {
    scores: Vec<f64>,
    /// Programmes and sources from each score on, weighed: one account of four of a programme is a
    /// quarter of it.
    above: Vec<(f64, f64)>,
    programmes: usize,
    sources: usize,
    tail: Tail,
}

/// How the scores of sources fall off.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Tail {
    /// Where the upper third begins.
    from: f64,
    /// Share of the sources from there on.
    share: f64,
    /// Mean excess.
    mean: f64,
    /// Sources with an excess.
    sources: f64,
}

/// How often honest accounts look like this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    /// The chance that an honest account scores at least as high.
    pub p: f64,
    /// The least it could have been: 1 / (programmes + 1).
    pub floor: f64,
    /// Honest programmes compared with.
    pub programmes: usize,
    /// Sources that they come from.
    pub sources: usize,
    /// Whose; nothing where all were asked.
    pub peers: Option<Peers>,
}

impl Rank {
    /// Whether it says anything at this level; else the test abstains.
    pub fn can_reach(&self, alpha: f64) -> bool {
        self.floor <= alpha
    }
}

/// One account's score, its share of a programme and of a source.
type Weighed<'a> = (f64, f64, f64, &'a str);

impl Ranked {
    fn of<'a>(scores: impl IntoIterator<Item = (&'a str, Vec<f64>)>) -> Self {
        let all: Vec<(&str, Vec<f64>)> =
            scores.into_iter().filter(|(_, s)| !s.is_empty()).collect();
        let mut kin: BTreeMap<&str, f64> = BTreeMap::new();
        for (source, _) in &all {
            *kin.entry(source).or_default() += 1.0;
        }
        let mut weighed: Vec<Weighed<'_>> = Vec::new();
        for (source, scores) in &all {
            let own = kin.get(source).copied().unwrap_or(1.0);
            let each = 1.0 / real(scores.len());
            weighed.extend(scores.iter().map(|s| (*s, each, each / own, *source)));
        }
        weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = (0.0, 0.0);
        let mut above: Vec<(f64, f64)> = weighed
            .iter()
            .rev()
            .map(|(_, programme, source, _)| {
                sum = (sum.0 + programme, sum.1 + source);
                sum
            })
            .collect();
        above.reverse();
        Self {
            scores: weighed.iter().map(|w| w.0).collect(),
            above,
            programmes: all.len(),
            sources: kin.len(),
            tail: Tail::of(&weighed, real(kin.len())),
        }
    }

    /// The rank of a score among these.
    fn p(&self, score: f64) -> f64 {
        let below = self.scores.partition_point(|s| *s < score);
        let (programmes, sources) = self.above.get(below).copied().unwrap_or((0.0, 0.0));
        let by_programme = (1.0 + programmes) / (1.0 + real(self.programmes));
        let by_source = self.tail.beyond(score, sources / real(self.sources.max(1)));
        by_programme.max(by_source).min(1.0)
    }

    fn floor(&self) -> f64 {
        1.0 / (1.0 + real(self.programmes))
    }
}

impl Tail {
    /// Of scores in ascending order.
    fn of(weighed: &[Weighed<'_>], sources: f64) -> Self {
        let (mut share, mut excess) = (0.0, 0.0);
        let mut tail = Self::default();
        for (score, _, weight, _) in weighed.iter().rev() {
            share += weight;
            tail.from = *score;
            if share >= sources * TAIL {
                break;
            }
        }
        let mut who: Vec<&str> = Vec::new();
        for (score, _, weight, source) in weighed.iter().filter(|w| w.0 > tail.from) {
            excess += weight * (score - tail.from);
            who.push(source);
        }
        who.sort_unstable();
        who.dedup();
        tail.share = share / sources.max(1.0);
        tail.mean = excess / share.max(f64::MIN_POSITIVE);
        tail.sources = real(who.len());
        tail
    }

    /// The chance that a new source exceeds the score; below the tail, what was counted.
    fn beyond(&self, score: f64, counted: f64) -> f64 {
        if score <= self.from {
            return counted;
        }
        if self.mean <= 0.0 || self.sources <= 0.0 {
            // Nothing shows how the tail falls.
            return self.share;
        }
        let over = (score - self.from) / (self.sources * self.mean);
        self.share * (1.0 + over).powf(-self.sources)
    }
}

impl Calibration {
    /// Made ready.
    pub fn new(programmes: Vec<HonestProgramme>) -> Self {
        let ranked = |of: Option<Peers>| -> Vec<Ranked> {
            (0..LOOKS.len())
                .map(|look| {
                    let asked = programmes
                        .iter()
                        .filter(|p| of.is_none_or(|of| p.peers == of));
                    Ranked::of(asked.map(|p| (p.source.as_str(), at(p, look))))
                })
                .collect()
        };
        let looks = ranked(None);
        let peers = Peers::ALL.map(|of| (of, ranked(Some(of)))).into();
        let mut made = Self {
            looks,
            peers,
            least: Ranked::default(),
            programmes,
        };
        // Ranked by -ln p: the least p ranks highest, and tails fall off exponentially.
        made.least = Ranked::of(made.programmes.iter().map(|p| {
            let least = p.accounts.iter().filter_map(|account| {
                let ps = account.iter().zip(&made.looks);
                let ps = ps
                    .filter(|(s, _)| s.is_finite())
                    .map(|(s, ranked)| ranked.p(*s));
                ps.min_by(f64::total_cmp).map(|p| -p.ln())
            });
            (p.source.as_str(), least.collect::<Vec<f64>>())
        }));
        made
    }

    /// The programmes that it was made of.
    pub fn programmes(&self) -> &[HonestProgramme] {
        &self.programmes
    }

    /// The look that an account of so many exchanges has reached last, if any.
    pub fn look(exchanges: u32) -> Option<usize> {
        LOOKS.iter().rposition(|look| *look <= exchanges)
    }

    /// The rank of a statistic at a look, by its place in [`LOOKS`].
    pub fn rank(&self, statistic: f64, look: usize, declared: Option<Peers>) -> Rank {
        let asked = declared.and_then(|peers| {
            let ranked = self.peers.get(&peers)?.get(look)?;
            (ranked.programmes >= PEERS_MIN).then_some((ranked, Some(peers)))
        });
        let all = self.looks.get(look).map(|ranked| (ranked, None));
        let nobody = Rank {
            p: 1.0,
            floor: 1.0,
            programmes: 0,
            sources: 0,
            peers: None,
        };
        asked.or(all).map_or(nobody, |(ranked, peers)| Rank {
            p: ranked.p(statistic),
            floor: ranked.floor(),
            programmes: ranked.programmes,
            sources: ranked.sources,
            peers,
        })
    }

    /// The rank of the least p over all looks so far: the chance that an honest account ever
    /// shows one as small.
    pub fn anytime(&self, least: f64) -> Rank {
        Rank {
            p: self.least.p(-least.max(f64::MIN_POSITIVE).ln()),
            floor: self.least.floor(),
            programmes: self.least.programmes,
            sources: self.least.sources,
            peers: None,
        }
    }
}

fn at(programme: &HonestProgramme, look: usize) -> Vec<f64> {
    let each = programme.accounts.iter();
    each.filter_map(|account| account.get(look).copied())
        .filter(|statistic| statistic.is_finite())
        .collect()
}

#[cfg(test)]
mod tests;
