//! What links accounts besides what they ask?
//!
//! Five kinds of link, each tested alone: a shared payment token, a shared
//! verified identity, a shared network block, the same busy hours, and taking
//! over when another is blocked. Each is compared with random sets of accounts
//! of the same fleet: as many, as busy. A fleet's shared office or a reseller's
//! card is in those sets too.
//!
//! No edge is evidence of nothing: that a token is not known, or is not shared,
//! speaks neither for nor against anyone. Country, autonomous system and VPN
//! are no traits and never enter.
//!
//! # Limits
//! p is exact when the cluster was put together without regard to the trait. A
//! cluster that was chosen *by* the trait (an investigator who starts from a
//! card) proves nothing here. Tokens must be recorded for all accounts alike.
//! Accounts of one customer are one: give [`Fleet::of`] who belongs to whom.
//!
//! # Source
//! Phipson and Smyth 2010 (permutation p-values are never zero); Holm 1979;
//! Efron and Tibshirani 1993 (stratified permutation).

mod draw;
mod failover;
mod shared;
mod timing;
mod traits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use facts::{AccountId, OrganisationId, Span};

use crate::bounds::real;
use crate::families::Chance;
use draw::{Alike, Rank, Shuffler};
pub use traits::{Activity, Traits, WINDOW_DAYS};

/// A kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A payment token in common.
    Payment,
    /// A verified identity in common.
    Identity,
    /// A network block in common.
    Network,
    /// Busy in the same hours.
    Timing,
    /// Beginning or jumping when another is blocked.
    Failover,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Payment,
        Self::Identity,
        Self::Network,
        Self::Timing,
        Self::Failover,
    ];

    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Identity => "identity",
            Self::Network => "network",
            Self::Timing => "timing",
            Self::Failover => "failover",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Payment => "payment token",
            Self::Identity => "verified identity",
            Self::Network => "network block",
            Self::Timing => "active hours",
            Self::Failover => "beginning after a block",
        }
    }
}

/// How to test; a person decides it before looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Random sets that the cluster is compared with. No p is below 1/(1 + draws).
    pub draws: usize,
    /// Where the draws start; the same seed gives the same p on every machine.
    pub seed: u64,
    /// How soon after a block another account must begin or jump. Whole hours.
    pub failover_within: Span,
}

impl Rules {
    /// 999 draws, so that a p of 0.001 can be shown and Holm over five kinds reaches 0.5 %; a day
    /// for failover.
    pub fn standard() -> Self {
        Self {
            draws: 999,
            seed: 0,
            failover_within: Span::hours(24),
        }
    }

    /// The least p that can be shown.
    pub fn floor(&self) -> f64 {
        1.0 / real(1 + self.draws)
    }

    fn seed_of(&self, kind: Kind) -> u64 {
        let place = Kind::ALL.iter().position(|k| *k == kind).unwrap_or(0);
        let place = u64::try_from(place).unwrap_or(0);
        self.seed ^ (place + 1).wrapping_mul(0xd1b5_4a32_d192_ed03)
    }
}

/// One kind of link, tested on one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Which.
    pub kind: Kind,
    /// False when what it rests on is not known; p is then 1.
    pub known: bool,
    /// What was measured; 0 when not known.
    pub statistic: f64,
    /// Share of random sets, the cluster counted among them, that show as much.
    pub p: f64,
    /// Random sets drawn.
    pub draws: usize,
    /// The same in words.
    pub said: String,
}

impl Edge {
    fn unknown(kind: Kind, rules: &Rules, why: &str) -> Self {
        Self {
            kind,
            known: false,
            statistic: 0.0,
            p: 1.0,
            draws: rules.draws,
            said: format!(
                "{}: not known ({why}); this speaks neither for nor against the accounts",
                kind.word()
            ),
        }
    }

    fn ranked(kind: Kind, rules: &Rules, rank: &Rank, said: &str) -> Self {
        let least = if rank.p <= rules.floor() {
            ", the least that so many can show"
        } else {
            ""
        };
        Self {
            kind,
            known: true,
            statistic: rank.observed,
            p: rank.p,
            draws: rules.draws,
            said: format!(
                "{}: {said}; p = {:.4} over {} random sets{least}",
                kind.word(),
                rank.p,
                rules.draws
            ),
        }
    }
}

/// Of a larger fleet only so many customers, chosen at random once, are exchanged for members of a
/// cluster; p stays exact, and a cluster's test costs the same in any fleet.
const SAMPLE_MAX: usize = 20_000;

/// A fleet with what is known of each customer, ready for testing any of its clusters.
#[derive(Debug, Clone)]
pub struct Fleet {
    units: Vec<Traits>,
    places: BTreeMap<AccountId, usize>,
    holders: [BTreeMap<u64, usize>; 3],
    /// Customers that clusters are compared with, in random order.
    sample: Vec<usize>,
    /// The newest hour with an exchange of anyone.
    newest_hour: Option<i64>,
    /// What their hours leave unexplained, worked out when it is first asked for.
    hours: OnceLock<timing::Hours>,
}

impl Fleet {
    /// The fleet; accounts that `customers` gives to one organisation are one: what they share
    /// with each other links nobody.
    pub fn of(
        accounts: impl IntoIterator<Item = (AccountId, Traits)>,
        customers: &BTreeMap<AccountId, OrganisationId>,
    ) -> Self {
        let mut owned: BTreeMap<(bool, String), Traits> = BTreeMap::new();
        let mut owners: BTreeMap<AccountId, (bool, String)> = BTreeMap::new();
        for (account, traits) in accounts {
            let customer = customers.get(&account).map_or_else(
                || (false, account.to_string()),
                |organisation| (true, organisation.to_string()),
            );
            owned.entry(customer.clone()).or_default().merge(&traits);
            owners.insert(account, customer);
        }
        let numbers: BTreeMap<&(bool, String), usize> =
            owned.keys().enumerate().map(|(n, o)| (o, n)).collect();
        let places = owners
            .iter()
            .filter_map(|(account, owner)| Some((account.clone(), *numbers.get(owner)?)))
            .collect();
        let units: Vec<Traits> = owned.into_values().collect();
        let mut holders: [BTreeMap<u64, usize>; 3] = Default::default();
        for unit in &units {
            let sets = [&unit.payment, &unit.identity, &unit.network];
            for (counts, tokens) in holders.iter_mut().zip(sets) {
                for token in tokens {
                    *counts.entry(*token).or_default() += 1;
                }
            }
        }
        let newest = units.iter().filter_map(|u| u.activity.hours().last());
        let mut sample: Vec<usize> = (0..units.len()).collect();
        Shuffler::new(0).choose(&mut sample, SAMPLE_MAX);
        sample.truncate(SAMPLE_MAX);
        Self {
            sample,
            newest_hour: newest.map(|(hour, _)| *hour).max(),
            hours: OnceLock::new(),
            units,
            places,
            holders,
        }
    }

    /// Customers in it; an account that belongs to none known is one.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Tests the five kinds of link on a cluster of accounts of this fleet; always five, in the
    /// order of [`Kind::ALL`]. Accounts that are not of the fleet are left out.
    pub fn edges(&self, cluster: &[AccountId], rules: &Rules) -> Vec<Edge> {
        let members: BTreeSet<usize> = cluster
            .iter()
            .filter_map(|account| self.places.get(account).copied())
            .collect();
        let test = |kind: &Kind| match kind {
            Kind::Payment | Kind::Identity | Kind::Network => {
                shared::shared(self, &members, *kind, rules)
            }
            Kind::Timing => timing::timing(self, &members, rules),
            Kind::Failover => failover::failover(self, &members, rules),
        };
        Kind::ALL.iter().map(test).collect()
    }

    /// Whom a cluster's members may be exchanged for, themselves included.
    fn pool<'a>(&'a self, cluster: &'a BTreeSet<usize>) -> impl Iterator<Item = usize> + 'a {
        self.sample.iter().chain(cluster).copied()
    }

    fn unit(&self, n: usize) -> Option<&Traits> {
        self.units.get(n)
    }

    fn tokens(&self, n: usize, kind: Kind) -> Option<&BTreeSet<u64>> {
        let unit = self.unit(n)?;
        match kind {
            Kind::Payment => Some(&unit.payment),
            Kind::Identity => Some(&unit.identity),
            Kind::Network => Some(&unit.network),
            Kind::Timing | Kind::Failover => None,
        }
    }

    fn holders(&self, kind: Kind, token: u64) -> usize {
        let [payment, identity, network] = &self.holders;
        let counts = match kind {
            Kind::Payment => payment,
            Kind::Identity => identity,
            Kind::Network => network,
            Kind::Timing | Kind::Failover => return 0,
        };
        counts.get(&token).copied().unwrap_or(0)
    }

    fn activity(&self, n: usize) -> Option<&Activity> {
        self.unit(n).map(|unit| &unit.activity)
    }

    fn volume(&self, n: usize) -> u64 {
        self.activity(n).map_or(0, Activity::total)
    }

    /// Weeks since it began, up to the window and one more for all that are older; and how busy.
    fn began_and_busy(&self, n: usize) -> Alike {
        const WEEK: i64 = 7 * 24;
        let began = self.unit(n).and_then(|unit| unit.first_seen);
        let age = match (began, self.newest_hour) {
            (Some(began), Some(newest)) => (newest - Activity::hour(began)).div_euclid(WEEK),
            _ => i64::MAX,
        };
        let weeks = i64::try_from(WINDOW_DAYS / 7).unwrap_or(4);
        let age = u64::try_from(age.clamp(0, weeks)).unwrap_or(0);
        (age, self.volume(n))
    }
}

/// Each edge's p, corrected for having looked at several (Holm): the chance that any of the kinds
/// that could be tested at all shows as much by accident stays below alpha when those at most
/// alpha are believed. Kinds that are not known could never be significant and cost nothing.
///
/// # Source
/// Holm 1979; Tarone 1990 for the last sentence.
pub fn holm(edges: &[Edge]) -> Vec<(Kind, f64)> {
    let mut known: Vec<(f64, Kind)> = edges
        .iter()
        .filter(|e| e.known)
        .map(|e| (e.p, e.kind))
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let looks = known.len();
    let mut at_least: f64 = 0.0;
    let mut adjusted: BTreeMap<Kind, f64> = BTreeMap::new();
    for (before, (p, kind)) in known.into_iter().enumerate() {
        at_least = at_least.max((p * real(looks - before)).min(1.0));
        adjusted.insert(kind, at_least);
    }
    edges
        .iter()
        .map(|e| (e.kind, adjusted.get(&e.kind).copied().unwrap_or(1.0)))
        .collect()
}

/// What the edges say together: the strongest of them after Holm's correction. The only way to
/// bring edges into a combination with other families, so that they count once.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeEvidence {
    kinds: Vec<(Kind, f64)>,
    p: f64,
}

impl EdgeEvidence {
    /// The evidence of these edges, which must be all that were tested on the cluster; p is 1
    /// when none could be.
    pub fn of(edges: &[Edge]) -> Self {
        let kinds = holm(edges);
        let p = kinds.iter().map(|(_, p)| *p).fold(1.0, f64::min);
        Self { kinds, p }
    }

    /// The chance that edges as strong appear among accounts that nothing links.
    pub fn p(&self) -> f64 {
        self.p
    }

    /// The same as a [`Chance`].
    pub fn chance(&self) -> Chance {
        // Edges come with p above 0; a hand-made one that does not proves nothing.
        Chance::of(self.p).unwrap_or(Chance::ONE)
    }

    /// The kinds whose corrected p is at most `alpha`.
    pub fn kinds(&self, alpha: f64) -> Vec<Kind> {
        let passed = self.kinds.iter().filter(|(_, p)| *p <= alpha);
        passed.map(|(kind, _)| *kind).collect()
    }
}

#[cfg(test)]
mod tests;
