//! Is one queue of work divided among the accounts, or does each have its own?
//!
//! Strangers who use one public template fill it with their own matters, so
//! prompts of one account resemble each other more than prompts of two. A
//! ring deals one queue out: its accounts cannot be told apart by content,
//! and no item is done twice.

use std::collections::BTreeMap;

use crate::bounds::real;
use crate::profile::Prompt;

/// Prompts compared at most; beyond it every account gives its first ones.
const PROMPTS_MAX: usize = 2000;

/// Random divisions that the real one is compared with.
const SHUFFLES: usize = 99;

/// From here on prompts of one account are too much alike for a divided queue.
pub(crate) const Z_MAX: f64 = 2.0;

/// From here on too many items are done twice for a divided queue.
pub(crate) const REPEATED_MAX: f64 = 0.02;

/// How the programme's items lie over its accounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partition {
    /// Prompts compared.
    pub prompts: usize,
    /// Standard deviations by which prompts of one account are more alike than prompts of any
    /// two; near 0 when one queue was divided.
    pub z: f64,
    /// Share of prompts that repeat one of another account exactly.
    pub repeated: f64,
}

impl Partition {
    /// Whether it looks like one queue divided.
    pub fn divided(&self) -> bool {
        self.z < Z_MAX && self.repeated < REPEATED_MAX
    }
}

/// `SplitMix64` (Steele et al. 2014): the shuffles are the same on every machine.
struct Shuffler(u64);

impl Shuffler {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            let at = usize::try_from(self.next() % bound).unwrap_or(0);
            items.swap(last, at);
        }
    }
}

/// Looks at the prompts of one programme; `accounts` holds each account's.
pub(crate) fn partition(accounts: &[Vec<&Prompt>]) -> Partition {
    let each = (PROMPTS_MAX / accounts.len().max(1)).max(2);
    let mut owners = Vec::new();
    let mut prompts = Vec::new();
    for (owner, own) in accounts.iter().enumerate() {
        for prompt in own.iter().take(each) {
            owners.push(owner);
            prompts.push(*prompt);
        }
    }
    let postings = postings(&prompts);
    let observed = alike(&postings, &owners);
    let mut shuffler = Shuffler(0);
    let drawn: Vec<f64> = (0..SHUFFLES)
        .map(|_| {
            shuffler.shuffle(&mut owners);
            alike(&postings, &owners)
        })
        .collect();
    let mean = drawn.iter().sum::<f64>() / real(SHUFFLES);
    let variance =
        drawn.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / real(SHUFFLES.saturating_sub(1));
    Partition {
        prompts: prompts.len(),
        z: if variance > 0.0 {
            (observed - mean) / variance.sqrt()
        } else {
            0.0
        },
        repeated: repeated(accounts),
    }
}

/// For each word that tells prompts apart: the prompts that hold it.
fn postings(prompts: &[&Prompt]) -> Vec<Vec<usize>> {
    let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (n, prompt) in prompts.iter().enumerate() {
        for word in &prompt.words {
            places.entry(*word).or_default().push(n);
        }
    }
    // Words of more than a quarter of the prompts belong to the template.
    let most = (prompts.len() / 4).max(2);
    places
        .into_values()
        .filter(|p| (2..=most).contains(&p.len()))
        .collect()
}

/// Pairs of prompts of one owner that share a word, summed over words; rare words weigh more.
fn alike(postings: &[Vec<usize>], owners: &[usize]) -> f64 {
    let mut sum = 0.0;
    let mut seen: Vec<usize> = Vec::new();
    for places in postings {
        seen.clear();
        seen.extend(places.iter().filter_map(|n| owners.get(*n).copied()));
        seen.sort_unstable();
        let pairs: usize = seen
            .chunk_by(|a, b| a == b)
            .map(|run| run.len() * (run.len() - 1) / 2)
            .sum();
        sum += real(pairs) / real(places.len());
    }
    sum
}

/// Share of prompts whose whole text another account has too.
fn repeated(accounts: &[Vec<&Prompt>]) -> f64 {
    let prompts: usize = accounts.iter().map(Vec::len).sum();
    let mut holders: BTreeMap<u64, BTreeMap<usize, usize>> = BTreeMap::new();
    for (owner, own) in accounts.iter().enumerate() {
        for prompt in own {
            *holders
                .entry(prompt.whole)
                .or_default()
                .entry(owner)
                .or_default() += 1;
        }
    }
    let copies: usize = holders
        .values()
        .filter(|by| by.len() > 1)
        .map(|by| by.values().sum::<usize>() - by.values().max().copied().unwrap_or(0))
        .sum();
    real(copies) / real(prompts.max(1))
}

#[cfg(test)]
mod tests;
