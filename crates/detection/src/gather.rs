//! Which of many sketches say the same, in one pass and one order?
//!
//! Leader clustering over an inverted index: each sketch joins the group with
//! which it shares most, if it shares enough, else founds its own. A group
//! answers for its founder's hashes and for those that two members carry, so
//! changing slots never glue groups together. Cost grows with the hashes
//! read, not with pairs of sketches; memory with the hashes that more than
//! one sketch carries, since the others link nobody.

use std::collections::{BTreeMap, HashMap};

/// What counts as the same wording.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Kept hashes that must be shared (each stands for about three shingles).
    pub(crate) shared_min: usize,
    /// Share of the smaller side that must be shared, in percent.
    pub(crate) percent_min: usize,
}

impl Rule {
    /// Whether `shared` hashes link sides of these sizes.
    pub(crate) fn links(self, shared: usize, one: usize, other: usize) -> bool {
        shared >= self.shared_min && shared * 100 >= self.percent_min * one.min(other)
    }
}

/// A hash found in more groups than this tells none apart.
const GROUPS_MAX: usize = 64;

/// Which hashes may come back: every one that two sketches carry, and a few more.
struct Repeated {
    twice: Vec<u64>,
    mask: u64,
}

impl Repeated {
    /// Bits per hash: about one in sixteen that come once is taken for one that comes back, which
    /// costs a place and changes nothing.
    const BITS: usize = 16;

    fn of(items: &[&[u64]]) -> Self {
        let hashes: usize = items.iter().map(|item| item.len()).sum();
        let words = (hashes * Self::BITS / 64).next_power_of_two();
        let mut made = Self {
            twice: vec![0; words],
            mask: u64::try_from(words).unwrap_or(1) * 64 - 1,
        };
        let mut once = vec![0_u64; words];
        for hash in items.iter().copied().flatten() {
            let (word, bit) = made.place(*hash);
            if let (Some(first), Some(again)) = (once.get_mut(word), made.twice.get_mut(word)) {
                *again |= *first & bit;
                *first |= bit;
            }
        }
        made
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        // Kept hashes lie in the lowest third of the range: their high bits say little.
        let at = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32) & self.mask;
        (usize::try_from(at / 64).unwrap_or(0), 1 << (at % 64))
    }

    fn holds(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.twice.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

struct Index {
    repeated: Repeated,
    /// For each hash: the groups that saw it, and how often (founders count twice).
    places: HashMap<u64, Vec<(usize, u32)>>,
    /// For each group: hashes it answers for.
    active: Vec<usize>,
}

impl Index {
    fn best(&self, item: &[u64], rule: Rule) -> Option<usize> {
        let mut hits: BTreeMap<usize, usize> = BTreeMap::new();
        for hash in item {
            for (group, seen) in self.places.get(hash).into_iter().flatten() {
                if *seen >= 2 {
                    *hits.entry(*group).or_default() += 1;
                }
            }
        }
        let mut best: Option<(usize, usize)> = None;
        for (group, shared) in hits {
            let size = self.active.get(group).copied().unwrap_or(0);
            if rule.links(shared, item.len(), size) && best.is_none_or(|(_, s)| shared > s) {
                best = Some((group, shared));
            }
        }
        best.map(|(group, _)| group)
    }

    fn add(&mut self, group: usize, item: &[u64], weight: u32) {
        for hash in item {
            if !self.repeated.holds(*hash) {
                self.activate(group, 0, weight);
                continue;
            }
            let places = self.places.entry(*hash).or_default();
            let Some(at) = places.iter().position(|(g, _)| *g == group) else {
                if places.len() < GROUPS_MAX {
                    places.push((group, weight));
                    self.activate(group, 0, weight);
                }
                continue;
            };
            if let Some((_, seen)) = places.get_mut(at) {
                let before = *seen;
                *seen = seen.saturating_add(weight);
                let after = *seen;
                self.activate(group, before, after);
            }
        }
    }

    fn activate(&mut self, group: usize, before: u32, after: u32) {
        if before < 2
            && after >= 2
            && let Some(size) = self.active.get_mut(group)
        {
            *size += 1;
        }
    }
}

/// Groups the items, each item in one group, by their places in `items`.
pub(crate) fn gather(items: &[&[u64]], rule: Rule) -> Vec<Vec<usize>> {
    gather_by(items, rule, Repeated::of(items))
}

fn gather_by(items: &[&[u64]], rule: Rule, repeated: Repeated) -> Vec<Vec<usize>> {
    let mut index = Index {
        repeated,
        places: HashMap::new(),
        active: Vec::new(),
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (n, item) in items.iter().enumerate() {
        if let Some(group) = index.best(item, rule) {
            index.add(group, item, 1);
            if let Some(members) = groups.get_mut(group) {
                members.push(n);
            }
        } else {
            groups.push(vec![n]);
            index.active.push(0);
            if item.len() >= rule.shared_min {
                index.add(groups.len() - 1, item, 2);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests;
