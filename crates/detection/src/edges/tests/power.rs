//! Rings with one planted link: how often is it found?

use super::world::{Random, World};
use super::*;

const RINGS: u64 = 60;
const MEMBERS: usize = 15;

/// Plants a link among the first accounts of a fleet.
type Plant = fn(&mut World);

/// The share of rings found at 1 % and at 5 %, before and after Holm's correction.
fn found(what: &str, kind: Kind, plant: Plant) -> f64 {
    let (mut one, mut five, mut holm_five) = (0, 0, 0);
    for seed in 0..RINGS {
        let mut world = World::new(1000 + seed, 300);
        plant(&mut world);
        let edges = world.fleet().edges(&first(MEMBERS), &rules(199, seed));
        let p = of(&edges, kind).p;
        one += usize::from(p <= 0.01);
        five += usize::from(p <= 0.05);
        holm_five += usize::from(EdgeEvidence::of(&edges).kinds(0.05).contains(&kind));
    }
    let share = |n: usize| 100.0 * real(n) / real(usize::try_from(RINGS).unwrap());
    eprintln!(
        "{what:<52} {:<9} 1 %: {:>5.1}   5 %: {:>5.1}   5 % after Holm: {:>5.1}",
        kind.word(),
        share(one),
        share(five),
        share(holm_five)
    );
    share(holm_five)
}

fn ring(world: &mut World) -> (&mut [(AccountId, Traits)], &mut Random) {
    (&mut world.accounts[..MEMBERS], &mut world.random)
}

/// `groups` cards over the first `n` members.
fn cards(world: &mut World, n: usize, groups: usize) {
    let (ring, random) = ring(world);
    let cards: Vec<u64> = (0..groups).map(|_| random.token()).collect();
    for (at, (_, traits)) in ring.iter_mut().take(n).enumerate() {
        traits.payment = BTreeSet::from([cards[at % groups]]);
    }
}

/// A controller wakes `share` of the members' exchanges in some of its hours.
fn controlled(world: &mut World, volume: f64, share: f64, jobs: usize) {
    let (ring, random) = ring(world);
    let starts: Vec<i64> = (0..jobs)
        .map(|_| i64::try_from(random.below(660)).unwrap())
        .collect();
    for (_, traits) in ring {
        let kept = traits.activity.total().max(1);
        let mut counts: Vec<(i64, u32)> = Vec::new();
        for (hour, n) in traits.activity.hours() {
            let mean =
                f64::from(*n) * volume * (1.0 - share) / real(usize::try_from(kept).unwrap());
            counts.push((*hour, random.poisson(mean)));
        }
        for start in &starts {
            for hour in 0..2 {
                let mean = volume * share / real(2 * jobs);
                counts.push((start + hour, random.poisson(mean)));
            }
        }
        traits.activity = Activity::of(counts);
    }
}

/// One is blocked; `n` others begin or jump within `hours`.
fn failing_over(world: &mut World, n: usize, hours: usize, begin: bool) {
    let (ring, random) = ring(world);
    let block = 300;
    for (_, traits) in ring.iter_mut() {
        traits.blocked_at = None;
    }
    ring[0].1.blocked_at = Some(Timestamp(block * HOUR));
    for (_, traits) in ring.iter_mut().skip(1).take(n) {
        let from = block + 1 + i64::try_from(random.below(hours)).unwrap();
        let own = (from..672).filter_map(|h| {
            let n = random.poisson(0.8);
            (n > 0 || h == from).then_some((h, n.max(1)))
        });
        traits.activity = Activity::of(own);
        let seen = if begin { from } else { 0 };
        traits.first_seen = Some(Timestamp(seen * HOUR));
    }
}

fn one_identity(w: &mut World) {
    let person = w.random.token();
    for (_, traits) in ring(w).0.iter_mut().take(4) {
        traits.identity = BTreeSet::from([person]);
    }
}

fn three_networks(w: &mut World) {
    let blocks: Vec<u64> = (0..3).map(|_| w.random.token()).collect();
    for (at, (_, traits)) in ring(w).0.iter_mut().enumerate() {
        traits.network.insert(blocks[at % 3]);
    }
}

/// What is planted, the kind that should find it, and in how many of a hundred rings at least, at
/// 5 % after Holm's correction.
const PLANTED: [(&str, Kind, Plant, f64); 10] = [
    (
        "one card for 3 of 15",
        Kind::Payment,
        |w| cards(w, 3, 1),
        70.0,
    ),
    (
        "one card for 6 of 15",
        Kind::Payment,
        |w| cards(w, 6, 1),
        90.0,
    ),
    ("5 cards for 15", Kind::Payment, |w| cards(w, 15, 5), 90.0),
    (
        "one identity for 4 of 15",
        Kind::Identity,
        one_identity,
        90.0,
    ),
    (
        "3 further networks over 15",
        Kind::Network,
        three_networks,
        90.0,
    ),
    (
        "30 exchanges each, 30 % in 10 common jobs",
        Kind::Timing,
        |w| controlled(w, 30.0, 0.3, 10),
        80.0,
    ),
    (
        "30 exchanges each, 10 % in 10 common jobs",
        Kind::Timing,
        |w| controlled(w, 30.0, 0.1, 10),
        0.0,
    ),
    (
        "one blocked, 3 of 14 begin within 24 h",
        Kind::Failover,
        |w| failing_over(w, 3, 20, true),
        10.0,
    ),
    (
        "one blocked, 6 of 14 begin within 24 h",
        Kind::Failover,
        |w| failing_over(w, 6, 20, true),
        50.0,
    ),
    (
        "one blocked, 6 of 14 jump within 24 h",
        Kind::Failover,
        |w| failing_over(w, 6, 12, false),
        60.0,
    ),
];

#[test]
fn planted_links_are_found() {
    for (what, kind, plant, least) in PLANTED {
        let found = found(what, kind, plant);
        assert!(found >= least, "{what}: {found} {least}");
    }
}
