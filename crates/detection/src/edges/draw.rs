//! Random sets of accounts that could have been the cluster.
//!
//! Accounts are put into strata of accounts alike in what the test must not
//! see (above all: how busy they are). A draw takes from each stratum as many
//! as the cluster has there. Under the null, which says that the cluster was
//! put together without regard to the trait, the cluster is one more such
//! draw, so its rank among them is uniform and p is exact.

use std::collections::BTreeSet;

use crate::bounds::real;

/// Accounts in a stratum, less than twice as many at most: fewer, and a draw would mostly draw the
/// cluster itself; more, and a cluster of the busiest would be compared with less busy ones (with
/// strata of 32 by orders of magnitude, clusters chosen by volume had a network edge at 5 % twice
/// as often as stated). Accounts that differ in the first number are never mixed, however few:
/// where groups below 8 were, it was 6.4 % in the place of 5 %.
const STRATUM: usize = 16;

/// `SplitMix64` (Steele et al. 2014): the draws are the same on every machine.
pub(super) struct Shuffler(u64);

impl Shuffler {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// Brings a random choice of `n` items to the front.
    pub(super) fn choose<T>(&mut self, items: &mut [T], n: usize) {
        for at in 0..n.min(items.len()) {
            let other = at + self.below(items.len() - at);
            items.swap(at, other);
        }
    }
}

/// What puts an account beside others: two numbers, the first weighing more.
pub(super) type Alike = (u64, u64);

/// The pool, in strata.
pub(super) struct Strata {
    /// Members of each stratum, with how many of them the cluster has.
    strata: Vec<(Vec<usize>, usize)>,
}

impl Strata {
    /// Strata of the pool; the cluster's members must be in it. How the pool is cut does not
    /// depend on who is in the cluster.
    pub(super) fn of(pool: &[(usize, Alike)], cluster: &BTreeSet<usize>) -> Self {
        // Accounts alike in both numbers lie in random order, not by name: one operator's names
        // may follow each other.
        let mut sorted: Vec<(Alike, u64, usize)> = pool
            .iter()
            .map(|(n, alike)| (*alike, scattered(*n), *n))
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        let groups = sorted.chunk_by(|a, b| a.0.0 == b.0.0);
        let strata = groups.flat_map(|group| {
            let whole = (group.len() / STRATUM).max(1);
            let mut cut: Vec<Vec<usize>> = Vec::new();
            for (at, (.., n)) in group.iter().enumerate() {
                match cut.last_mut() {
                    Some(last) if at % STRATUM != 0 || at / STRATUM >= whole => last.push(*n),
                    _ => cut.push(vec![*n]),
                }
            }
            cut
        });
        let counted = strata.map(|members| {
            let taken = members.iter().filter(|n| cluster.contains(n)).count();
            (members, taken)
        });
        Self {
            strata: counted.collect(),
        }
    }

    /// Whether every draw would be the cluster itself.
    pub(super) fn fixed(&self) -> bool {
        let mut strata = self.strata.iter();
        strata.all(|(members, taken)| *taken == 0 || *taken == members.len())
    }

    /// One random set, in the order of numbers.
    pub(super) fn draw(&mut self, shuffler: &mut Shuffler) -> Vec<usize> {
        let mut set = Vec::new();
        for (members, taken) in &mut self.strata {
            if *taken > 0 {
                shuffler.choose(members, *taken);
                set.extend(members.iter().take(*taken));
            }
        }
        set.sort_unstable();
        set
    }
}

fn scattered(n: usize) -> u64 {
    Shuffler::new(u64::try_from(n).unwrap_or(u64::MAX)).next()
}

/// How the cluster's statistic lies among the draws'.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    pub(super) observed: f64,
    pub(super) p: f64,
    /// The mean over the draws.
    pub(super) mean: f64,
    /// The largest of the draws.
    pub(super) most: f64,
}

/// Ranks the cluster among `draws` random sets.
pub(super) fn rank(
    cluster: &BTreeSet<usize>,
    mut strata: Strata,
    draws: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> f64,
) -> Rank {
    let own: Vec<usize> = cluster.iter().copied().collect();
    let mut shuffler = Shuffler::new(seed);
    among(statistic(&own), draws, || {
        statistic(&strata.draw(&mut shuffler))
    })
}

/// Ranks what was observed among `draws` of what could have been.
pub(super) fn among(own: f64, draws: usize, mut another: impl FnMut() -> f64) -> Rank {
    // Sums of the same terms in another order may differ in the last bits: that is a tie.
    let reached = own - 1e-9 * own.abs().max(1.0);
    let (mut as_extreme, mut sum, mut most) = (0, 0.0, f64::NEG_INFINITY);
    for _ in 0..draws {
        let value = another();
        as_extreme += usize::from(value >= reached);
        sum += value;
        most = most.max(value);
    }
    Rank {
        observed: own,
        p: real(1 + as_extreme) / real(1 + draws),
        mean: sum / real(draws.max(1)),
        most,
    }
}
