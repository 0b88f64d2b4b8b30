//! Which programmes does one account run?

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::gather::{Rule, gather};
use crate::profile::{Profile, Prompt};

/// Programmes looked at per account, the most frequent first.
const PROGRAMMES_MAX: usize = 32;

/// Hashes kept of a programme's fixed parts, the smallest ones.
const CORE_MAX: usize = 512;

/// Prompts of one account are one programme when they share this much.
const WITHIN: Rule = Rule {
    shared_min: 4,
    percent_min: 20,
};

/// One way of prompting that an account uses again and again (or once).
#[derive(Debug, Clone)]
pub(crate) struct Programme<'a> {
    /// Hashes of the fixed parts: those that come back, or all of a single prompt.
    pub(crate) core: Vec<u64>,
    /// The prompts, as sampled.
    pub(crate) prompts: Vec<&'a Prompt>,
}

/// Takes an account apart.
pub(crate) fn decompose<'a>(profile: &'a Profile, catalogue: &Catalogue) -> Vec<Programme<'a>> {
    let prompts: Vec<&Prompt> = profile.prompts().collect();
    let own: Vec<Vec<u64>> = prompts
        .iter()
        .map(|p| catalogue.without_common(&p.shingles))
        .collect();
    let items: Vec<&[u64]> = own.iter().map(Vec::as_slice).collect();
    let mut found: Vec<Programme<'a>> = gather(&items, WITHIN)
        .into_iter()
        .map(|group| {
            let sketches: Vec<&[u64]> = group
                .iter()
                .filter_map(|n| items.get(*n).copied())
                .collect();
            Programme {
                core: core(&sketches, 10),
                prompts: group
                    .iter()
                    .filter_map(|n| prompts.get(*n).copied())
                    .collect(),
            }
        })
        .filter(|p| !p.core.is_empty())
        .collect();
    // Single long prompts before single short ones: they can be linked, short ones cannot.
    found.sort_by(|a, b| {
        (b.prompts.len(), b.core.len(), &a.core).cmp(&(a.prompts.len(), a.core.len(), &b.core))
    });
    found.truncate(PROGRAMMES_MAX);
    found
}

/// Hashes carried by at least two and at least `percent` of the sketches (by all of one),
/// ascending.
pub(crate) fn core(sketches: &[&[u64]], percent: usize) -> Vec<u64> {
    let needed = match sketches.len() {
        0 | 1 => 1,
        many => (many * percent).div_ceil(100).max(2),
    };
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for hash in sketches.iter().copied().flatten() {
        *counts.entry(*hash).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(_, n)| *n >= needed)
        .map(|(hash, _)| hash)
        .take(CORE_MAX)
        .collect()
}
