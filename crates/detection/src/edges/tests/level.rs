//! Clusters without a link: how often does each kind of edge accuse them?

use std::fmt::Write as _;

use super::world::{Random, World};
use super::*;
use crate::bounds::clopper_pearson;

/// 99 draws show exactly 1 % and 5 %.
const DRAWS: usize = 99;
/// One cluster of each sort per fleet: two clusters of the busiest would be one counted twice.
const FLEETS: u64 = 1000;
const MEMBERS: usize = 15;

/// Who is put into a cluster without regard to any link.
type Chosen = fn(&World, u64) -> Vec<AccountId>;

/// Sorts of clusters, with the kinds of edge to be tried on them.
const SORTS: [(&str, Chosen, &[Kind]); 5] = [
    ("any accounts", any, &FOUR),
    ("busy accounts", busy, &FOUR),
    ("one time zone", neighbours, &FOUR),
    ("newcomers", newcomers, &Kind::ALL),
    ("with one blocked", with_one_blocked, &[Kind::Failover]),
];
const FOUR: [Kind; 4] = [Kind::Payment, Kind::Identity, Kind::Network, Kind::Timing];

/// One row of the table; whether the rates are as stated.
fn row(how: &str, kind: Kind, p: &[f64]) -> (String, bool) {
    let mut line = format!("{how:<17} {:<9} {:>5} clusters", kind.word(), p.len());
    let mut good = true;
    for alpha in [0.01, 0.05] {
        let hits = p.iter().filter(|p| **p <= alpha + 1e-12).count();
        let (low, high) = clopper_pearson(hits, p.len(), 0.05);
        let rate = real(hits) / real(p.len());
        let _ = write!(
            line,
            "   at {:.0} %: {:.1} % [{:.1}, {:.1}]",
            100.0 * alpha,
            100.0 * rate,
            100.0 * low,
            100.0 * high
        );
        // One of these 40 intervals in 100 may miss by accident.
        good &= clopper_pearson(hits, p.len(), 0.01).0 <= alpha && high <= alpha + 0.025;
    }
    (line, good)
}

/// Clusters that nothing links, of five sorts, in fleets with a shared office, resellers, couples,
/// carriers, volumes over three orders of magnitude, time zones, weekends, launches and outages.
#[test]
fn unlinked_clusters_are_accused_no_more_often_than_stated() {
    let mut p: BTreeMap<(&str, Kind), Vec<f64>> = BTreeMap::new();
    let mut together = 0;
    for seed in 0..FLEETS {
        let world = World::new(seed, 300);
        let fleet = world.fleet();
        for (how, chosen, kinds) in SORTS {
            let members = chosen(&world, seed);
            let mut edges = Vec::new();
            for kind in kinds {
                let edge = one(&fleet, &members, *kind, &rules(DRAWS, seed));
                if edge.known {
                    p.entry((how, *kind)).or_default().push(edge.p);
                }
                edges.push(edge);
            }
            let all = kinds.len() == Kind::ALL.len();
            together += usize::from(all && EdgeEvidence::of(&edges).p() <= 0.05);
        }
    }
    let table: Vec<(String, bool)> = p
        .iter()
        .map(|((how, kind), p)| row(how, *kind, p))
        .collect();
    for (line, _) in &table {
        eprintln!("{line}");
    }
    let fleets = usize::try_from(FLEETS).unwrap();
    let (low, high) = clopper_pearson(together, fleets, 0.05);
    eprintln!(
        "any of five after Holm, newcomers: {together} of {fleets} at 5 % [{low:.3}, {high:.3}]"
    );
    assert!(low <= 0.05);
    let bad: Vec<&String> = table.iter().filter(|t| !t.1).map(|t| &t.0).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(p.values().all(|p| p.len() > 400));
}

fn one(fleet: &Fleet, members: &[AccountId], kind: Kind, rules: &Rules) -> Edge {
    let set: BTreeSet<usize> = members
        .iter()
        .filter_map(|m| fleet.places.get(m).copied())
        .collect();
    match kind {
        Kind::Payment | Kind::Identity | Kind::Network => shared::shared(fleet, &set, kind, rules),
        Kind::Timing => timing::timing(fleet, &set, rules),
        Kind::Failover => failover::failover(fleet, &set, rules),
    }
}

/// Those of `fit`, in random order, `MEMBERS` of them.
fn among(world: &World, seed: u64, fit: impl Fn(usize) -> bool) -> Vec<AccountId> {
    let mut places: Vec<usize> = (0..world.accounts.len()).filter(|n| fit(*n)).collect();
    Random::new(seed ^ 0xabcd).shuffle(&mut places);
    places.into_iter().take(MEMBERS).map(name).collect()
}

fn any(world: &World, seed: u64) -> Vec<AccountId> {
    world.any(MEMBERS, seed ^ 0xabcd)
}

/// With a chance that grows with volume.
fn busy(world: &World, seed: u64) -> Vec<AccountId> {
    let mut random = Random::new(seed ^ 0xb5b5);
    let volume = |n: &usize| real(usize::try_from(world.accounts[*n].1.activity.total()).unwrap());
    let mut places: Vec<(f64, usize)> = (0..world.accounts.len())
        .map(|n| (-random.unit().max(1e-9).ln() / volume(&n).max(0.1), n))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places
        .into_iter()
        .take(MEMBERS)
        .map(|(_, n)| name(n))
        .collect()
}

/// Of one time zone.
fn neighbours(world: &World, seed: u64) -> Vec<AccountId> {
    let zone = [0, 9, -5, -8][usize::try_from(seed % 4).unwrap()];
    among(world, seed, |n| world.zones[n] == zone)
}

/// That began in the window: a tool that has just come out.
fn newcomers(world: &World, seed: u64) -> Vec<AccountId> {
    let new = |n: usize| world.accounts[n].1.first_seen.is_some_and(|at| at.0 > 0);
    among(world, seed, new)
}

/// One that was blocked, and any others.
fn with_one_blocked(world: &World, seed: u64) -> Vec<AccountId> {
    let blocked: Vec<usize> = (0..world.accounts.len())
        .filter(|n| world.accounts[*n].1.blocked_at.is_some())
        .collect();
    let mut members = any(world, seed);
    if !blocked.is_empty() {
        members[0] = name(blocked[usize::try_from(seed).unwrap() % blocked.len()]);
    }
    members
}
