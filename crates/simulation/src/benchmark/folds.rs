//! Splits by lineage.

use std::collections::BTreeMap;

use crate::benchmark::pool::Pool;
use crate::random::Random;

/// How many folds.
pub const FOLDS: usize = 8;

/// The fold of each source, in the order of the pool's: lineages are dealt out at random,
/// those with a harvest among them first, so that every fold holds some of both.
pub fn folds(pool: &Pool, seed: u64) -> Vec<usize> {
    let mut lineages: BTreeMap<&str, bool> = BTreeMap::new();
    for source in &pool.sources {
        *lineages.entry(&source.lineage).or_default() |= source.harvest;
    }
    let mut random = Random::new(seed ^ 0xf01d);
    let mut dealt: BTreeMap<&str, usize> = BTreeMap::new();
    for harvest in [true, false] {
        let mut names: Vec<&str> = lineages
            .iter()
            .filter(|(_, h)| **h == harvest)
            .map(|(name, _)| *name)
            .collect();
        random.shuffle(&mut names);
        for (n, name) in names.into_iter().enumerate() {
            dealt.insert(name, n % FOLDS);
        }
    }
    pool.sources
        .iter()
        .map(|s| dealt.get(s.lineage.as_str()).copied().unwrap_or(0))
        .collect()
}
