//! How many further accounts of a campaign does the sketch of one find, and how many innocent
//! ones does it hit?
//!
//! For each harvest source: a sketch of one account of 100 exchanges, with nothing of it used
//! again. Honest sources are split in two by lineage: one half plays the fleet that the operator
//! cleared (the back-test, and the catalogue where one is learned), the other is unseen; then the
//! halves change places. Sources of the campaign's own lineage and its twins are in neither: their
//! text is the campaign's, and they are counted apart.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use detection::campaign::{
    Campaign, Demand, Matcher, NewCampaign, Rule, Tally, Trial, campaign_hashes, make,
};
use facts::{AccountId, Exchange, ExchangeId, Timestamp};

use super::{PoolError, flat, kin, rows, sources};
use crate::random::Random;

/// Exchanges of the confirmed account.
const CONFIRMED: usize = 100;
/// Exchanges of each further account.
const FURTHER: usize = 5;
/// Exchanges of honest accounts, the sizes that are tried.
pub const HONEST: [usize; 3] = [5, 20, 100];

/// How known campaigns are measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownSettings {
    /// When a campaign matches.
    pub rule: Rule,
    /// What its back-test must show.
    pub demand: Demand,
    /// Whether wording that two cleared sources share is taken out first.
    pub learned_catalogue: bool,
}

impl KnownSettings {
    /// As the product does it.
    pub const STANDARD: Self = Self {
        rule: Rule::STANDARD,
        demand: Demand::STANDARD,
        learned_catalogue: true,
    };
}

/// What came of one campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRow {
    /// Its source.
    pub source: String,
    /// Programmes and hashes of its sketch, of the first half.
    pub programmes: usize,
    /// Different hashes.
    pub hashes: usize,
    /// Halves, of two, in which no sketch could be made or the back-test refused it.
    pub refused: usize,
    /// Share of the further accounts that were found; 0 where it was refused.
    pub recall: f64,
    /// Share of unseen honest accounts hit, a mean over sources, by [`HONEST`]; 0 where refused.
    pub fpr: [f64; 3],
    /// The same where it was not refused although it might have been.
    pub fpr_unrefused: [f64; 3],
    /// Honest sources of its own lineage, and twins: share of their accounts of 20 hit.
    pub kin: Vec<(String, f64)>,
}

/// What came of all.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownReport {
    /// One row for each harvest source.
    pub rows: Vec<KnownRow>,
    /// Honest sources.
    pub honest: usize,
}

impl KnownReport {
    fn mean(&self, of: impl Fn(&KnownRow) -> f64) -> f64 {
        let rows = detection::bounds::real(self.rows.len().max(1));
        self.rows.iter().map(of).sum::<f64>() / rows
    }

    /// Mean recall over campaigns; a refused one counts as 0.
    pub fn recall(&self) -> f64 {
        self.mean(|row| row.recall)
    }

    /// Mean share of unseen honest accounts hit, by [`HONEST`].
    pub fn fpr(&self) -> [f64; 3] {
        [0, 1, 2].map(|n| self.mean(|row| row.fpr.get(n).copied().unwrap_or(1.0)))
    }

    /// The same without any refusal.
    pub fn fpr_unrefused(&self) -> [f64; 3] {
        [0, 1, 2].map(|n| self.mean(|row| row.fpr_unrefused.get(n).copied().unwrap_or(1.0)))
    }
}

/// One source: its different exchanges in random order.
struct Source {
    harvest: bool,
    exchanges: Vec<Exchange>,
    hashes: Vec<Vec<u64>>,
    kin: BTreeSet<String>,
    /// The half it lies in, where honest.
    half: usize,
}

/// Measures known campaigns on a pool of recorded traffic.
///
/// # Errors
/// [`PoolError`] naming the file and what is wrong with it.
pub fn known_campaigns(
    dir: &Path,
    seed: u64,
    settings: &KnownSettings,
) -> Result<KnownReport, PoolError> {
    let pool = pool(dir, seed)?;
    let carriers = [0, 1].map(|half| {
        let cleared = pool.values().filter(|s| !s.harvest && s.half == half);
        carriers(cleared)
    });
    let harvest = pool.iter().filter(|(_, source)| source.harvest);
    let rows: Result<_, _> = harvest
        .map(|(name, source)| measured(name, source, &pool, &carriers, settings))
        .collect();
    Ok(KnownReport {
        rows: rows?,
        honest: pool.values().filter(|s| !s.harvest).count(),
    })
}

fn pool(dir: &Path, seed: u64) -> Result<BTreeMap<String, Source>, PoolError> {
    let mut random = Random::new(seed);
    let mut pool = BTreeMap::new();
    for (name, path) in sources(dir)? {
        let mut rows = rows(&path)?;
        random.shuffle(&mut rows);
        let harvest = rows.first().is_some_and(|r| r.kind == "harvest");
        let account = AccountId::parse(&name).map_err(|e| PoolError(e.to_string()))?;
        let (mut exchanges, mut hashes) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for (n, row) in rows.into_iter().enumerate() {
            let id = ExchangeId::parse(&format!("{name}-{n}"));
            let exchange = Exchange {
                id: id.map_err(|e| PoolError(e.to_string()))?,
                account: account.clone(),
                at: Timestamp(0),
                model: None,
                prompt: row
                    .prompt
                    .into_iter()
                    .map(|m| (m.role, flat(m.content)))
                    .collect(),
                response: None,
                usage: None,
            };
            let own = campaign_hashes(&exchange.prompt);
            if known.insert(own.clone()) {
                exchanges.push(exchange);
                hashes.push(own);
            }
        }
        let own = kin(dir, &name)?.into_iter().filter(|k| *k != name);
        let source = Source {
            harvest,
            exchanges,
            hashes,
            kin: own.collect(),
            half: 0,
        };
        pool.insert(name, source);
    }
    halve(&mut pool, &mut random);
    Ok(pool)
}

/// Puts honest sources into two halves, kin together.
fn halve(pool: &mut BTreeMap<String, Source>, random: &mut Random) {
    let mut names: Vec<String> = pool.keys().cloned().collect();
    random.shuffle(&mut names);
    let mut placed: BTreeSet<String> = BTreeSet::new();
    let mut sizes = [0_usize; 2];
    for name in names {
        let mut family = vec![name];
        let mut next = 0;
        while let Some(member) = family.get(next) {
            let kin = pool.get(member).map(|s| s.kin.clone()).unwrap_or_default();
            for one in kin {
                if !family.contains(&one) {
                    family.push(one);
                }
            }
            next += 1;
        }
        let half = usize::from(sizes.first() > sizes.last());
        for member in family {
            let Some(source) = pool.get_mut(&member) else {
                continue;
            };
            if !source.harvest && placed.insert(member) {
                source.half = half;
                if let Some(size) = sizes.get_mut(half) {
                    *size += 1;
                }
            }
        }
    }
}

/// For each hash: how many of the sources carry it.
fn carriers<'a>(sources: impl Iterator<Item = &'a Source>) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    for source in sources {
        let own: HashSet<u64> = source.hashes.iter().flatten().copied().collect();
        for hash in own {
            *counts.entry(hash).or_default() += 1;
        }
    }
    counts
}

/// What of these prompts two sources carry that are no kin: the learned catalogue, as far as it
/// can matter.
fn common<'a>(
    prompts: impl Iterator<Item = &'a Vec<u64>>,
    all: &HashMap<u64, usize>,
    kin: &HashMap<u64, usize>,
) -> BTreeSet<u64> {
    let of = |counts: &HashMap<u64, usize>, hash| counts.get(hash).copied().unwrap_or(0);
    let hashes = prompts.flatten();
    let common = hashes.filter(|hash| of(all, hash) >= of(kin, hash) + 2);
    common.copied().collect()
}

fn measured(
    name: &str,
    source: &Source,
    pool: &BTreeMap<String, Source>,
    carried: &[HashMap<u64, usize>; 2],
    settings: &KnownSettings,
) -> Result<KnownRow, PoolError> {
    let take = CONFIRMED.min(source.exchanges.len() / 2);
    let (confirmed, _) = source.exchanges.split_at(take);
    let (_, further) = source.hashes.split_at(take);
    let mut row = KnownRow {
        source: name.to_owned(),
        programmes: 0,
        hashes: 0,
        refused: 0,
        recall: 0.0,
        fpr: [0.0; 3],
        fpr_unrefused: [0.0; 3],
        kin: Vec::new(),
    };
    for (half, carried) in carried.iter().enumerate() {
        let honest = pool
            .iter()
            .filter(|(other, s)| !s.harvest && !source.kin.contains(*other));
        let (cleared, unseen): (Vec<_>, Vec<_>) = honest.partition(|(_, s)| s.half == half);
        let new = NewCampaign {
            name: name.to_owned(),
            made_at: Timestamp(0),
            expires_at: Timestamp(1),
            rule: settings.rule,
        };
        let catalogue = if settings.learned_catalogue {
            let kin = source.kin.iter().filter_map(|k| pool.get(k));
            let kin = carriers(kin.filter(|s| !s.harvest && s.half == half));
            common(source.hashes.iter().take(take), carried, &kin)
        } else {
            BTreeSet::new()
        };
        let Ok(campaign) = make(&new, confirmed, &catalogue) else {
            row.refused += 1;
            continue;
        };
        let matcher = Matcher::new([campaign.clone()]);
        let fpr = HONEST.map(|each| {
            let shares = unseen.iter().map(|(_, s)| hit(&matcher, &s.hashes, each));
            shares.sum::<f64>() / detection::bounds::real(unseen.len().max(1))
        });
        let add = |to: &mut [f64; 3]| to.iter_mut().zip(fpr).for_each(|(to, f)| *to += f / 2.0);
        add(&mut row.fpr_unrefused);
        if half == 0 {
            row.programmes = campaign.parts().programmes.len();
            row.hashes = campaign.hashes();
            row.kin = kin_hit(&matcher, source, pool);
        }
        if refused(&campaign, &cleared, settings)? {
            row.refused += 1;
        } else {
            add(&mut row.fpr);
            row.recall += hit(&matcher, further, FURTHER) / 2.0;
        }
    }
    Ok(row)
}

/// Honest kin and twins of the source, with the share of their accounts that is hit.
fn kin_hit(
    matcher: &Matcher,
    source: &Source,
    pool: &BTreeMap<String, Source>,
) -> Vec<(String, f64)> {
    let kin = source.kin.iter().filter_map(|k| Some((k, pool.get(k)?)));
    kin.filter(|(_, s)| !s.harvest)
        .map(|(k, s)| (k.clone(), hit(matcher, &s.hashes, 20)))
        .collect()
}

/// The back-test on accounts of 100 exchanges of the cleared sources.
fn refused(
    campaign: &Campaign,
    cleared: &[(&String, &Source)],
    settings: &KnownSettings,
) -> Result<bool, PoolError> {
    let mut trial = Trial::of(campaign);
    for (name, source) in cleared {
        for (n, part) in source.hashes.chunks(CONFIRMED).enumerate() {
            let account = AccountId::parse(&format!("{name}-{n}"));
            let account = account.map_err(|e| PoolError(e.to_string()))?;
            for hashes in part {
                trial.observe_hashes(&account, hashes);
            }
        }
    }
    Ok(settings.demand.judge(trial.finish().result).is_err())
}

/// The share of accounts of `each` exchanges that the campaign hits at any time.
fn hit(matcher: &Matcher, prompts: &[Vec<u64>], each: usize) -> f64 {
    let accounts = prompts.chunks_exact(each.clamp(1, prompts.len().max(1)));
    let all = accounts.len();
    let hit = accounts
        .filter(|prompts| {
            let mut tally = Tally::new();
            prompts
                .iter()
                .any(|hashes| !matcher.observe(&mut tally, hashes).is_empty())
        })
        .count();
    detection::bounds::real(hit) / detection::bounds::real(all.max(1))
}

#[cfg(test)]
mod tests;
