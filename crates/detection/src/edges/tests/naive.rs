//! A second, naive implementation of what is measured must agree.

use proptest::prelude::*;

use super::super::draw::{Strata, rank};
use super::*;

fn traits() -> impl Strategy<Value = Traits> {
    let token = || prop::collection::btree_set(0_u64..12, 0..3);
    let hours = prop::collection::vec((0_i64..700, 1_u32..6), 0..30);
    let seen = prop::option::of(0_i64..700);
    let blocked = prop::option::weighted(0.2, 0_i64..700);
    (token(), token(), token(), hours, seen, blocked).prop_map(
        |(payment, identity, network, hours, seen, blocked)| Traits {
            payment,
            identity,
            network,
            activity: Activity::of(hours),
            first_seen: seen.map(|h| Timestamp(h * HOUR)),
            blocked_at: blocked.map(|h| Timestamp(h * HOUR)),
        },
    )
}

fn accounts() -> impl Strategy<Value = Vec<(AccountId, Traits)>> {
    prop::collection::vec(traits(), 2..60).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(n, t)| (name(n), t))
            .collect()
    })
}

fn tokens(traits: &Traits, kind: Kind) -> &BTreeSet<u64> {
    match kind {
        Kind::Payment => &traits.payment,
        Kind::Identity => &traits.identity,
        _ => &traits.network,
    }
}

/// Every pair, every token, every holder, one by one.
fn pairs(all: &[(AccountId, Traits)], members: usize, kind: Kind) -> f64 {
    let known: Vec<&Traits> = all[..members]
        .iter()
        .map(|(_, t)| t)
        .filter(|t| !tokens(t, kind).is_empty())
        .collect();
    let mut sum = 0.0;
    for (n, one) in known.iter().enumerate() {
        for other in &known[n + 1..] {
            for token in tokens(one, kind) {
                let holders = all
                    .iter()
                    .filter(|(_, t)| tokens(t, kind).contains(token))
                    .count();
                if tokens(other, kind).contains(token) && holders <= 2 * known.len() {
                    sum += 1.0 / real(holders - 1);
                }
            }
        }
    }
    sum
}

/// Mean over pairs of the sum of products.
fn correlation(all: &[(AccountId, Traits)], members: usize) -> f64 {
    let whole = fleet(all);
    let hours = timing::hours(&whole).unwrap();
    let left: Vec<Vec<f64>> = all[..members]
        .iter()
        .filter_map(|(_, t)| hours.left(&t.activity))
        .collect();
    let (mut sum, mut pairs) = (0.0, 0.0_f64);
    for (n, one) in left.iter().enumerate() {
        for other in &left[n + 1..] {
            sum += one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            pairs += 1.0;
        }
    }
    sum / pairs.max(1.0)
}

/// Who began or jumped after another's block, hour by hour.
fn followers(all: &[(AccountId, Traits)], members: usize) -> usize {
    let ring = &all[..members];
    let blocks: Vec<i64> = ring
        .iter()
        .filter_map(|(_, t)| Some(t.blocked_at?.0))
        .collect();
    let Some(first) = blocks.iter().min() else {
        return 0;
    };
    let hour = |ms: i64| ms / HOUR;
    let follows = |t: &Traits| {
        let Some(seen) = t.first_seen else {
            return false;
        };
        if t.blocked_at.is_some_and(|at| at.0 <= *first) {
            return false;
        }
        blocks.iter().any(|block| {
            if t.blocked_at.is_some_and(|at| at.0 == *block) {
                return false;
            }
            let count = |from: i64, to: i64| -> u32 {
                let hours = t.activity.hours().iter();
                hours
                    .filter(|(h, _)| *h > from && *h <= to)
                    .map(|(_, n)| n)
                    .sum()
            };
            let at = hour(*block);
            let (before, after) = (count(at - 24, at), count(at, at + 24));
            let begins = seen.0 > *block && seen.0 <= block + 24 * HOUR;
            let jumps = hour(seen.0) <= at - 24 && after >= 8 && after >= 4 * before;
            begins || jumps
        })
    };
    ring.iter().filter(|(_, t)| follows(t)).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn both_measure_the_same(all in accounts(), percent in 10_usize..90) {
        let members = (all.len() * percent / 100).max(1);
        let edges = fleet(&all).edges(&first(members), &rules(5, 1));
        for edge in &edges {
            prop_assert!(edge.p > 0.0 && edge.p <= 1.0);
            prop_assert!(edge.known || edge.p >= 1.0);
            if !edge.known {
                continue;
            }
            let expected = match edge.kind {
                Kind::Timing => correlation(&all, members),
                Kind::Failover => real(followers(&all, members)),
                kind => pairs(&all, members, kind),
            };
            prop_assert!((edge.statistic - expected).abs() < 1e-9, "{edge:?} {expected}");
        }
    }

    #[test]
    fn halves_merge_to_the_whole(hours in prop::collection::vec(-900_i64..900, 0..200), cut in 0_usize..200) {
        let mut whole = Traits::default();
        let (mut left, mut right) = (Traits::default(), Traits::default());
        for (n, hour) in hours.iter().enumerate() {
            let at = Timestamp(hour * HOUR + 7);
            whole.saw(at);
            if n < cut { left.saw(at) } else { right.saw(at) }
        }
        left.payment.insert(1);
        right.payment.insert(2);
        right.blocked_at = Some(Timestamp(3));
        whole.payment.extend([1, 2]);
        whole.blocked_at = Some(Timestamp(3));
        let mut other = right.clone();
        other.merge(&left);
        left.merge(&right);
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&other, &whole);
        prop_assert!(whole.activity.hours().len() <= 672);
    }

    /// A draw holds as many of each stratum as the cluster, and the cluster's own rank is fair:
    /// among sets drawn by the same rule every one is as likely to be the largest.
    #[test]
    fn draws_are_like_the_cluster(sizes in prop::collection::vec(1_usize..60, 1..6), seed: u64) {
        let mut pool = Vec::new();
        for (stratum, size) in sizes.iter().enumerate() {
            for _ in 0..*size {
                pool.push((pool.len(), (stratum as u64, 0)));
            }
        }
        let cluster: BTreeSet<usize> = (0..pool.len()).filter(|n| n % 3 == 0).collect();
        let mut strata = Strata::of(&pool, &cluster);
        let drawn = strata.draw(&mut super::super::draw::Shuffler::new(seed));
        prop_assert_eq!(drawn.len(), cluster.len());
        prop_assert!(drawn.windows(2).all(|w| w[0] < w[1]));
        let found = rank(&cluster, strata, 9, seed, |_| 1.0);
        prop_assert!(found.p >= 1.0);
    }
}
