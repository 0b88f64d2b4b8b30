//! Do accounts of the cluster begin, or jump, when another of them is blocked?

use std::collections::BTreeSet;

use facts::Timestamp;

use super::draw::{Strata, rank};
use super::{Activity, Edge, Fleet, Kind, Rules, Traits};
use crate::bounds::real;

/// A jump is at least so many exchanges after the block ...
const JUMP_MIN: u64 = 8;
/// ... and so many times as many as in a span of the same length before it.
const JUMP_TIMES: u64 = 4;

/// Tests for failover.
pub(super) fn failover(fleet: &Fleet, cluster: &BTreeSet<usize>, rules: &Rules) -> Edge {
    let blocks: BTreeSet<Timestamp> = cluster
        .iter()
        .filter_map(|n| fleet.unit(*n)?.blocked_at)
        .collect();
    let Some(first) = blocks.first().copied() else {
        return Edge::unknown(Kind::Failover, rules, "none of the accounts was blocked");
    };
    // Who could take over: not blocked by then, and seen at all.
    let able = |n: &usize| {
        let unit = fleet.unit(*n);
        unit.is_some_and(|u| u.first_seen.is_some() && u.blocked_at.is_none_or(|at| at > first))
    };
    let members: BTreeSet<usize> = cluster.iter().copied().filter(able).collect();
    if members.is_empty() {
        let why = "all of the accounts were blocked at once or their beginnings are not known";
        return Edge::unknown(Kind::Failover, rules, why);
    }
    let pool: Vec<_> = fleet
        .pool(cluster)
        .filter(able)
        .map(|n| (n, fleet.began_and_busy(n)))
        .collect();
    let strata = Strata::of(&pool, &members);
    if strata.fixed() {
        let why = "there is no other account that began in the same week and is as busy";
        return Edge::unknown(Kind::Failover, rules, why);
    }
    let followers = |set: &[usize]| {
        let units = set.iter().filter_map(|n| fleet.unit(*n));
        real(units.filter(|u| follows(u, &blocks, rules)).count())
    };
    let found = rank(
        &members,
        strata,
        rules.draws,
        rules.seed_of(Kind::Failover),
        followers,
    );
    let said = format!(
        "{} of {} accounts began or jumped within {} hours after another of them was blocked ({} {}); of random sets that began in the same weeks and are as busy, {:.1} do on average and {} at most",
        found.observed,
        members.len(),
        hours(rules),
        blocks.len(),
        if blocks.len() == 1 {
            "moment"
        } else {
            "moments"
        },
        found.mean,
        found.most
    );
    Edge::ranked(Kind::Failover, rules, &found, &said)
}

fn hours(rules: &Rules) -> i64 {
    rules.failover_within.0.max(0) / 3_600_000
}

/// Whether it began or jumped within the span after one of the blocks, its own excepted.
pub(super) fn follows(unit: &Traits, blocks: &BTreeSet<Timestamp>, rules: &Rules) -> bool {
    let others = blocks.iter().filter(|at| Some(**at) != unit.blocked_at);
    others
        .copied()
        .any(|at| begins(unit, at, rules) || jumps(unit, at, rules))
}

fn begins(unit: &Traits, block: Timestamp, rules: &Rules) -> bool {
    let until = block.plus(rules.failover_within);
    unit.first_seen
        .is_some_and(|seen| seen > block && seen <= until)
}

fn jumps(unit: &Traits, block: Timestamp, rules: &Rules) -> bool {
    let span = hours(rules).max(1);
    let at = Activity::hour(block);
    let after = unit.activity.between(at, at + span);
    let before = unit.activity.between(at - span, at);
    let old = unit
        .first_seen
        .is_some_and(|seen| Activity::hour(seen) <= at - span);
    old && after >= JUMP_MIN && after >= JUMP_TIMES.saturating_mul(before)
}
