//! From exchanges to a report.

use std::collections::{BTreeMap, BTreeSet};

use facts::{AccountId, Exchange};

use crate::account::Sums;
use crate::bounds::{binomial_tail, hypergeometric_tail, real, tarone};
use crate::edges::{Edge, EdgeEvidence, Fleet, Rules};
use crate::explain::{self, Facts};
use crate::gather::{Rule, gather};
use crate::partition::{Partition, partition};
use crate::profile::{Profile, Profiles, Prompt};
use crate::programme::{Programme, core, decompose};
use crate::report::{Cluster, Report};
use crate::settings::{Background, Settings};
use crate::standing::{Declaration, EdgePassed, May, Notice, PartitionPassed, Subject};
use crate::suspect::{self, Pooled};

/// Programmes of two accounts are one when they share this much: about twenty words in a row,
/// and a third of the smaller one's fixed parts.
const ACROSS: Rule = Rule {
    shared_min: 6,
    percent_min: 33,
};

/// Prompts of a programme that its accounts send on average, before its intent may speak against
/// them: accounts that share one wording once each are no workers of one queue.
pub const PROMPTS_EACH: usize = 3;

/// Looks for accounts that run one programme.
pub fn detect(exchanges: &[Exchange], settings: &Settings) -> Report {
    detect_profiles(&Profiles::of(settings.key, exchanges), settings)
}

/// The same over profiles that were kept or merged before. Their key must be the settings'
/// own: profiles of another key share nothing and nothing is found.
pub fn detect_profiles(fleet: &Profiles, settings: &Settings) -> Report {
    let pool = Pool::of(fleet, settings);
    let items: Vec<&[u64]> = pool
        .entries
        .iter()
        .map(|e| e.programme.core.as_slice())
        .collect();
    let gatherings: Vec<Gathering<'_>> = gather(&items, ACROSS)
        .into_iter()
        .map(|group| pool.gathering(&group))
        .collect();
    let tested = pool.tested(&gatherings, settings);
    let mut report = Report {
        accounts: fleet.len(),
        exchanges: fleet.seen(),
        programmes: gatherings.iter().filter(|g| g.inside() > 0).count(),
        clusters: Vec::new(),
        observed: Vec::new(),
        suspects: suspect::suspects(fleet, settings),
    };
    let traits = fleet.iter().map(|(account, _)| {
        let known = settings.traits.get(account).cloned();
        (account.clone(), known.unwrap_or_default())
    });
    let edges = (!settings.traits.is_empty()).then(|| Fleet::of(traits, &settings.customers));
    for gathering in gatherings
        .iter()
        .filter(|g| g.inside() >= settings.accounts_min.max(2))
    {
        let (named, cluster) = pool.judged(gathering, tested, edges.as_ref(), settings);
        if named {
            report.clusters.push(cluster);
        } else {
            report.observed.push(cluster);
        }
    }
    rank(&mut report.clusters);
    rank(&mut report.observed);
    report
}

fn rank(clusters: &mut [Cluster]) {
    clusters.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| b.prompts.cmp(&a.prompts))
            .then_with(|| a.programme.cmp(&b.programme))
    });
}

/// One programme of one account.
struct Entry<'a> {
    account: &'a AccountId,
    unit: &'a str,
    /// False for accounts of the reference.
    tested: bool,
    programme: Programme<'a>,
}

/// Programmes of the tested accounts and, where given, of the reference, mixed without regard
/// to which is which: what gathers must not depend on the label that is tested afterwards.
struct Pool<'a> {
    entries: Vec<Entry<'a>>,
    units: usize,
    reference: usize,
}

/// One programme with all who carry it.
struct Gathering<'a> {
    accounts: BTreeMap<&'a AccountId, Vec<&'a Prompt>>,
    customers: BTreeSet<&'a str>,
    outside: BTreeSet<&'a str>,
    core: Vec<u64>,
}

impl Gathering<'_> {
    /// Customers among the tested who carry it.
    fn inside(&self) -> usize {
        self.customers.len()
    }
}

impl<'a> Pool<'a> {
    fn of(fleet: &'a Profiles, settings: &'a Settings) -> Self {
        let unit = |account: &'a AccountId| {
            let customer = settings.customers.get(account);
            customer.map_or_else(|| account.as_str(), |c| c.as_str())
        };
        let tested = fleet
            .iter()
            .map(|(account, profile)| (account, profile, true));
        let reference = match &settings.background {
            Background::Reference(profiles) => Some(profiles),
            Background::Assumed { .. } => None,
        };
        let unrelated = reference
            .into_iter()
            .flat_map(Profiles::iter)
            .filter(|(account, _)| fleet.account(account).is_none())
            .map(|(account, profile)| (account, profile, false));
        let mut all: Vec<(&AccountId, &Profile, bool)> = tested.chain(unrelated).collect();
        all.sort_by_cached_key(|(account, ..)| settings.key.hash(account.as_str().as_bytes()));
        let count = |own: bool| {
            let of_side = all.iter().filter(|(.., tested)| *tested == own);
            of_side
                .map(|(a, ..)| unit(a))
                .collect::<BTreeSet<_>>()
                .len()
        };
        Self {
            units: count(true),
            reference: count(false),
            entries: all
                .iter()
                .flat_map(|(account, profile, tested)| {
                    decompose(profile, &settings.catalogue)
                        .into_iter()
                        .map(|programme| Entry {
                            account,
                            unit: unit(account),
                            tested: *tested,
                            programme,
                        })
                })
                .collect(),
        }
    }

    fn gathering(&self, group: &[usize]) -> Gathering<'_> {
        let members: Vec<&Entry<'_>> = group.iter().filter_map(|n| self.entries.get(*n)).collect();
        let mut made = Gathering {
            accounts: BTreeMap::new(),
            customers: BTreeSet::new(),
            outside: BTreeSet::new(),
            core: Vec::new(),
        };
        let mut cores: Vec<&[u64]> = Vec::new();
        for entry in members {
            cores.push(&entry.programme.core);
            if entry.tested {
                made.customers.insert(entry.unit);
                let prompts = made.accounts.entry(entry.account).or_default();
                prompts.extend(entry.programme.prompts.iter().copied());
            } else {
                made.outside.insert(entry.unit);
            }
        }
        made.core = core(&cores, 50);
        made
    }

    /// For how many looks a chance must be corrected.
    fn tested(&self, gatherings: &[Gathering<'_>], settings: &Settings) -> usize {
        match settings.background {
            Background::Reference(_) => {
                let least: Vec<f64> = gatherings
                    .iter()
                    .map(|g| {
                        let carriers = g.inside() + g.outside.len();
                        let most = carriers.min(self.units);
                        hypergeometric_tail(most, carriers, self.units, self.units + self.reference)
                    })
                    .collect();
                tarone(&least, settings.alpha)
            }
            // Each programme of each account could have founded a gathering.
            Background::Assumed { .. } => self.entries.len().max(1),
        }
    }

    fn chance(&self, gathering: &Gathering<'_>, settings: &Settings) -> f64 {
        let inside = gathering.inside();
        match settings.background {
            Background::Reference(_) => hypergeometric_tail(
                inside,
                inside + gathering.outside.len(),
                self.units,
                self.units + self.reference,
            ),
            // Given one carrier, at least so many of the others.
            Background::Assumed { rate } => binomial_tail(
                inside.saturating_sub(1),
                self.units.saturating_sub(1),
                rate.clamp(0.0, 1.0),
            ),
        }
    }

    fn judged(
        &self,
        gathering: &Gathering<'_>,
        looks: usize,
        fleet: Option<&Fleet>,
        settings: &Settings,
    ) -> (bool, Cluster) {
        let chance = self.chance(gathering, settings);
        let bound = (chance * real(looks)).min(1.0);
        let owned: Vec<Vec<&Prompt>> = gathering.accounts.values().cloned().collect();
        let partition = partition(&owned);
        let named = bound <= settings.alpha && partition.divided();
        let prompts = owned.iter().map(Vec::len).sum();
        let accounts: Vec<AccountId> = gathering.accounts.keys().map(|a| (*a).clone()).collect();
        let pooled = pooled(gathering, settings);
        let edges = fleet.map(|fleet| fleet.edges(&accounts, &Rules::standard()));
        let edges = edges.unwrap_or_default();
        let may = may(&accounts, partition, pooled.as_ref(), &edges, settings);
        let cluster = Cluster {
            accounts,
            programme: name(settings, &gathering.core),
            score: -chance.max(1e-300).log10(),
            bound,
            prompts,
            partition,
            reasons: explain::reasons(&Facts {
                accounts: gathering.accounts.len(),
                customers: gathering.inside(),
                of: self.units,
                outside: gathering.outside.len(),
                reference: self.reference,
                background: &settings.background,
                alpha: settings.alpha,
                bound,
                looks,
                fixed: gathering.core.len(),
                prompts,
                sampled: self.sampled(gathering),
                partition,
                pooled: pooled.as_ref(),
                edges: &edges,
                may: &may,
            }),
            intent: pooled.map(|p| p.rank),
            edges,
            may,
        };
        (named, cluster)
    }

    /// Prompts of these accounts that were compared at all.
    fn sampled(&self, gathering: &Gathering<'_>) -> usize {
        let theirs = self.entries.iter().filter(|e| e.tested);
        theirs
            .filter(|e| gathering.accounts.contains_key(e.account))
            .map(|e| e.programme.prompts.len())
            .sum()
    }
}

/// What the programme's prompts ask for, all accounts together.
fn pooled(gathering: &Gathering<'_>, settings: &Settings) -> Option<Pooled> {
    let prompts = gathering.accounts.values().flatten();
    let sums = Sums::of(prompts.map(|prompt| prompt.levels()));
    Some(Pooled::of(settings.detector.as_deref()?, &sums))
}

/// All that may follow of what was found.
fn may(
    accounts: &[AccountId],
    partition: Partition,
    pooled: Option<&Pooled>,
    edges: &[Edge],
    settings: &Settings,
) -> May {
    let Some(subject) = Subject::of(accounts.iter().cloned()) else {
        return May::Observe;
    };
    let Some(intent) = pooled.and_then(|p| p.passed(subject.clone(), settings.intent_alpha)) else {
        return May::Observe;
    };
    let mild = May::from(intent.may(Declaration::Missing));
    if partition.prompts < PROMPTS_EACH * accounts.len() {
        return mild;
    }
    let divided = PartitionPassed::of(subject.clone(), partition, settings.accounts_min);
    let edge = EdgePassed::of(subject, &EdgeEvidence::of(edges), settings.alpha);
    match (divided, edge) {
        (Ok(divided), Ok(edge)) => Notice::of_work(divided, intent, edge).map_or(mild, May::from),
        _ => mild,
    }
}

/// The same programme has the same name in every report under one key, as long as its smallest
/// hashes stay.
fn name(settings: &Settings, core: &[u64]) -> String {
    let bytes: Vec<u8> = core.iter().take(8).flat_map(|h| h.to_le_bytes()).collect();
    format!("programme-{:016x}", settings.key.hash(&bytes))
}

#[cfg(test)]
mod tests;
