//! Do accounts of the cluster share a payment token, an identity or a network?

use std::collections::{BTreeMap, BTreeSet};

use super::draw::{Strata, rank};
use super::{Edge, Fleet, Kind, Rules};
use crate::bounds::real;

/// A token of which more than half of the holders are outside even if the whole cluster held it
/// tells more about the token (an office, a reseller) than about the cluster: it weighs nothing.
const HOLDERS_PER_MEMBER_MAX: usize = 2;

/// Tests one kind of token.
pub(super) fn shared(fleet: &Fleet, cluster: &BTreeSet<usize>, kind: Kind, rules: &Rules) -> Edge {
    let known = |n: &usize| fleet.tokens(*n, kind).is_some_and(|t| !t.is_empty());
    let members: BTreeSet<usize> = cluster.iter().copied().filter(known).collect();
    if members.len() < 2 {
        return Edge::unknown(
            kind,
            rules,
            &format!(
                "the {} of {} of {} accounts is known, and two are needed",
                kind.noun(),
                members.len(),
                cluster.len()
            ),
        );
    }
    // Only accounts of which the token is known are exchanged: to record tokens of suspects only
    // makes no edge. Accounts with as many tokens, and about as busy, are exchanged for each other.
    let pool: Vec<_> = fleet
        .pool(cluster)
        .filter(known)
        .map(|n| {
            let held = fleet.tokens(n, kind).map_or(0, BTreeSet::len);
            (n, (as_many(held), fleet.volume(n)))
        })
        .collect();
    let strata = Strata::of(&pool, &members);
    if strata.fixed() {
        return Edge::unknown(
            kind,
            rules,
            &format!(
                "there is no other account of the same kind whose {} is known",
                kind.noun()
            ),
        );
    }
    let most = members.len().saturating_mul(HOLDERS_PER_MEMBER_MAX);
    let found = rank(&members, strata, rules.draws, rules.seed_of(kind), |set| {
        weight(fleet, kind, set, most)
    });
    let sharing = sharing(fleet, kind, &members, most);
    let said = if sharing == 0 {
        format!(
            "none of {} accounts whose {} is known shares one with another of them: that speaks neither for nor against them",
            members.len(),
            kind.noun()
        )
    } else {
        format!(
            "{sharing} of {} accounts whose {} is known share one with another of them (weight {:.2}); random sets of accounts as busy have {:.2} on average and {:.2} at most",
            members.len(),
            kind.noun(),
            found.observed,
            found.mean,
            found.most
        )
    };
    Edge::ranked(kind, rules, &found, &said)
}

/// What accounts must have in common to be exchanged: up to eight tokens exactly as many, beyond
/// it as many within a fifth.
fn as_many(held: usize) -> u64 {
    let held = u64::try_from(held).unwrap_or(u64::MAX);
    if held <= 8 {
        return held;
    }
    let octave = u64::from(held.ilog2());
    // 2^octave, 1.25, 1.5 and 1.75 times it.
    let quarter = (held >> (octave - 2)) & 3;
    octave * 4 + quarter
}

/// How many of the set hold each token, for tokens that weigh anything.
fn counts(fleet: &Fleet, kind: Kind, set: &[usize], most: usize) -> BTreeMap<u64, usize> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for token in set.iter().filter_map(|n| fleet.tokens(*n, kind)).flatten() {
        if (2..=most).contains(&fleet.holders(kind, *token)) {
            *counts.entry(*token).or_default() += 1;
        }
    }
    counts
}

/// Pairs that share a token, each weighing one over the token's other holders in the fleet: a
/// token that `h` accounts hold weighs `h/2` when all of them are in the set.
fn weight(fleet: &Fleet, kind: Kind, set: &[usize], most: usize) -> f64 {
    let tokens = counts(fleet, kind, set, most).into_iter();
    tokens
        .map(|(token, k)| {
            let others = fleet.holders(kind, token).saturating_sub(1).max(1);
            real(k * k.saturating_sub(1) / 2) / real(others)
        })
        .sum()
}

/// Members that share a token which weighs anything with another member.
fn sharing(fleet: &Fleet, kind: Kind, members: &BTreeSet<usize>, most: usize) -> usize {
    let set: Vec<usize> = members.iter().copied().collect();
    let counts = counts(fleet, kind, &set, most);
    let shares = |n: &&usize| {
        let tokens = fleet.tokens(**n, kind).into_iter().flatten();
        tokens
            .into_iter()
            .any(|t| counts.get(t).is_some_and(|k| *k > 1))
    };
    members.iter().filter(shares).count()
}
