mod level;
mod naive;
mod power;
mod world;

use std::collections::BTreeMap;

use super::*;
use facts::Timestamp;

pub(super) const HOUR: i64 = 3_600_000;

pub(super) fn name(n: usize) -> AccountId {
    AccountId::parse(&format!("a{n:05}")).unwrap()
}

pub(super) fn rules(draws: usize, seed: u64) -> Rules {
    Rules {
        draws,
        seed,
        ..Rules::standard()
    }
}

/// A fleet of `n` accounts with two exchanges each and nothing else known.
fn plain(n: usize) -> Vec<(AccountId, Traits)> {
    let traits = |n: usize| {
        let mut traits = Traits::default();
        let at = i64::try_from(n % 48).unwrap();
        traits.saw(Timestamp(at * HOUR));
        traits.saw(Timestamp((at + 50) * HOUR));
        traits
    };
    (0..n).map(|n| (name(n), traits(n))).collect()
}

fn fleet(accounts: &[(AccountId, Traits)]) -> Fleet {
    Fleet::of(accounts.to_vec(), &BTreeMap::new())
}

pub(super) fn of(edges: &[Edge], kind: Kind) -> &Edge {
    edges.iter().find(|e| e.kind == kind).unwrap()
}

fn first(n: usize) -> Vec<AccountId> {
    (0..n).map(name).collect()
}

#[test]
fn what_is_not_known_has_p_one_and_says_so() {
    let accounts = plain(100);
    let edges = fleet(&accounts).edges(&first(10), &Rules::standard());
    assert_eq!(edges.iter().map(|e| e.kind).collect::<Vec<_>>(), Kind::ALL);
    for kind in [Kind::Payment, Kind::Identity, Kind::Network, Kind::Failover] {
        let edge = of(&edges, kind);
        assert!(!edge.known && edge.p >= 1.0, "{edge:?}");
        assert!(edge.said.contains("not known"), "{edge:?}");
        assert!(edge.said.contains("neither for nor against"), "{edge:?}");
    }
    let empty = Fleet::of(Vec::new(), &BTreeMap::new());
    assert!(empty.is_empty());
    for edge in empty.edges(&first(3), &Rules::standard()) {
        assert!(!edge.known && edge.p >= 1.0, "{edge:?}");
    }
}

#[test]
fn one_account_and_all_alike_prove_nothing() {
    let mut accounts = plain(40);
    for (_, traits) in &mut accounts {
        traits.payment.insert(7);
        traits.identity.insert(7);
        traits.network.insert(7);
    }
    let whole = fleet(&accounts);
    for edge in whole.edges(&first(1), &Rules::standard()) {
        assert!(edge.p >= 1.0, "{edge:?}");
    }
    // All share everything: nothing tells the cluster from the rest.
    for edge in whole.edges(&first(10), &Rules::standard()) {
        assert!(edge.p >= 1.0 || edge.kind == Kind::Timing, "{edge:?}");
    }
    // The cluster is the fleet: there is nothing to compare with.
    for edge in whole.edges(&first(40), &Rules::standard()) {
        assert!(!edge.known && edge.p >= 1.0, "{edge:?}");
    }
}

#[test]
fn tokens_recorded_of_suspects_only_make_no_edge() {
    let mut accounts = plain(200);
    for (_, traits) in accounts.iter_mut().take(10) {
        traits.payment.insert(7);
    }
    let edges = fleet(&accounts).edges(&first(10), &Rules::standard());
    assert!(!of(&edges, Kind::Payment).known);
}

#[test]
fn a_card_of_half_the_fleet_never_carries() {
    let mut accounts = plain(200);
    for (n, (_, traits)) in accounts.iter_mut().enumerate() {
        traits
            .payment
            .insert(if n < 100 { 1 } else { 1000 + n as u64 });
    }
    let edges = fleet(&accounts).edges(&first(15), &Rules::standard());
    let edge = of(&edges, Kind::Payment);
    assert!(edge.known && edge.p >= 1.0, "{edge:?}");
    assert!(edge.said.contains("neither for nor against"), "{edge:?}");
}

#[test]
fn a_card_of_the_cluster_alone_carries_and_p_never_falls_below_its_floor() {
    let mut accounts = plain(200);
    for (n, (_, traits)) in accounts.iter_mut().enumerate() {
        traits
            .payment
            .insert(if n < 5 { 1 } else { 1000 + n as u64 });
    }
    let rules = Rules::standard();
    let edges = fleet(&accounts).edges(&first(12), &rules);
    let edge = of(&edges, Kind::Payment);
    assert!((edge.statistic - 2.5).abs() < 1e-12, "{edge:?}");
    assert!(edge.p >= rules.floor() && edge.p < 0.002, "{edge:?}");
    assert!(edge.said.contains("5 of 12"), "{edge:?}");
}

#[test]
fn a_large_fleet_is_sampled_and_its_rings_are_found() {
    let mut accounts = plain(25_000);
    for (n, (_, traits)) in accounts.iter_mut().enumerate() {
        traits
            .payment
            .insert(if n < 5 { 1 } else { 1000 + n as u64 });
    }
    let edges = fleet(&accounts).edges(&first(12), &rules(99, 1));
    assert!((of(&edges, Kind::Payment).p - 0.01).abs() < 1e-12);
    assert!(of(&edges, Kind::Timing).p > 0.05);
}

#[test]
fn what_one_customer_shares_with_itself_links_nobody() {
    let mut accounts = plain(200);
    for (n, (_, traits)) in accounts.iter_mut().enumerate() {
        traits
            .payment
            .insert(if n < 5 { 1 } else { 1000 + n as u64 });
    }
    let own = OrganisationId::parse("one").unwrap();
    let customers = (0..5).map(|n| (name(n), own.clone())).collect();
    let fleet = Fleet::of(accounts, &customers);
    assert_eq!(fleet.len(), 196);
    let edges = fleet.edges(&first(12), &Rules::standard());
    assert!(of(&edges, Kind::Payment).p >= 1.0);
}

#[test]
fn order_of_accounts_and_members_changes_nothing() {
    let world = world::World::new(5, 200);
    let members = world.any(12, 3);
    let rules = rules(99, 4);
    let straight = world.fleet().edges(&members, &rules);
    let mut reversed = world.accounts.clone();
    reversed.reverse();
    let mut backwards = members;
    backwards.reverse();
    let other = Fleet::of(reversed, &BTreeMap::new()).edges(&backwards, &rules);
    assert_eq!(straight, other);
}

fn edge(kind: Kind, known: bool, p: f64) -> Edge {
    Edge {
        kind,
        known,
        statistic: 0.0,
        p,
        draws: 99,
        said: String::new(),
    }
}

#[test]
fn holm_counts_the_kinds_that_could_be_tested() {
    let edges = [
        edge(Kind::Payment, true, 0.01),
        edge(Kind::Identity, false, 1.0),
        edge(Kind::Network, true, 0.04),
        edge(Kind::Timing, true, 0.03),
        edge(Kind::Failover, false, 1.0),
    ];
    let adjusted: Vec<f64> = holm(&edges).into_iter().map(|(_, p)| p).collect();
    let expected = [0.03, 1.0, 0.06, 0.06, 1.0];
    for (a, b) in adjusted.iter().zip(expected) {
        assert!((a - b).abs() < 1e-12, "{adjusted:?}");
    }
    let evidence = EdgeEvidence::of(&edges);
    assert!((evidence.p() - 0.03).abs() < 1e-12);
    assert_eq!(evidence.kinds(0.05), [Kind::Payment]);
    assert!(EdgeEvidence::of(&[]).p() >= 1.0);
}
