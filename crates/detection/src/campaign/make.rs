//! What do the prompts of confirmed accounts repeat?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use facts::{AccountId, Exchange, Timestamp};

use super::{
    Campaign, CampaignError, CampaignParts, HASHES_MAX, KnownProgramme, MadeFrom, PROGRAMMES_MAX,
    Rule, campaign_hashes, public_key,
};
use crate::catalogue::Catalogue;
use crate::gather;

/// Prompts are one programme when they share so much (all shingles count, not one in three).
const WITHIN: gather::Rule = gather::Rule {
    shared_min: 8,
    percent_min: 20,
};

/// A hash is of the frame when this share of the programme's prompts carries it, in percent.
const HEAVY_PERCENT: usize = 25;

/// And so many prompts at least: two may quote each other.
const HEAVY_MIN: usize = 3;

/// What a person decides about a campaign to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaign {
    /// What people will call it.
    pub name: String,
    /// Now.
    pub made_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it matches.
    pub rule: Rule,
}

/// Why no campaign can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakeError {
    /// No wording comes back often enough.
    NothingRepeats {
        /// Different prompts read.
        prompts: usize,
    },
    /// The name or the dates do not hold.
    Malformed(CampaignError),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingRepeats { prompts } => write!(
                f,
                "make a sketch: no wording outside the catalogue comes back in {HEAVY_MIN} or more of {prompts} different prompts; give more exchanges of the confirmed accounts"
            ),
            Self::Malformed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for MakeError {}

/// The sketch of confirmed accounts: what their prompts repeat, programme by programme, without
/// the built-in catalogue and without `common`.
///
/// # Errors
/// [`MakeError`] when nothing repeats or the name or dates do not hold.
pub fn make<'a>(
    new: &NewCampaign,
    exchanges: impl IntoIterator<Item = &'a Exchange>,
    common: &BTreeSet<u64>,
) -> Result<Campaign, MakeError> {
    let stock = Catalogue::built_in(public_key());
    let mut accounts: BTreeSet<&AccountId> = BTreeSet::new();
    let mut read = 0_u64;
    // Each prompt once: one that was sent again and again is no frame.
    let mut prompts: BTreeSet<Vec<u64>> = BTreeSet::new();
    for exchange in exchanges {
        read += 1;
        accounts.insert(&exchange.account);
        let own: Vec<u64> = stock
            .without_common(&campaign_hashes(&exchange.prompt))
            .into_iter()
            .filter(|hash| !common.contains(hash))
            .collect();
        prompts.insert(own);
    }
    let parts = CampaignParts {
        name: new.name.clone(),
        made_at: new.made_at,
        expires_at: new.expires_at,
        made_from: MadeFrom {
            accounts: accounts.len() as u64,
            exchanges: read,
            prompts: prompts.len() as u64,
        },
        rule: new.rule,
        programmes: programmes(&prompts, new.rule),
        back_test: None,
    };
    if parts.programmes.is_empty() {
        return Err(MakeError::NothingRepeats {
            prompts: prompts.len(),
        });
    }
    Campaign::new(parts).map_err(MakeError::Malformed)
}

fn programmes(prompts: &BTreeSet<Vec<u64>>, rule: Rule) -> Vec<KnownProgramme> {
    let items: Vec<&[u64]> = prompts.iter().map(Vec::as_slice).collect();
    let least = usize::try_from(rule.hashes_min).unwrap_or(usize::MAX);
    let mut found: Vec<KnownProgramme> = gather::gather(&items, WITHIN)
        .into_iter()
        .map(|group| {
            let own: Vec<&[u64]> = group
                .iter()
                .filter_map(|n| items.get(*n).copied())
                .collect();
            KnownProgramme {
                prompts: own.len() as u64,
                hashes: heavy(&own),
            }
        })
        .filter(|programme| programme.hashes.len() >= least)
        .collect();
    found.sort_by(|a, b| (b.prompts, &a.hashes).cmp(&(a.prompts, &b.hashes)));
    found.dedup_by(|a, b| a.hashes == b.hashes);
    found.truncate(PROGRAMMES_MAX);
    found
}

/// The smallest hashes among those that come back: the same choice in every prompt.
fn heavy(prompts: &[&[u64]]) -> Vec<u64> {
    let needed = (prompts.len() * HEAVY_PERCENT).div_ceil(100).max(HEAVY_MIN);
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for hash in prompts.iter().copied().flatten() {
        *counts.entry(*hash).or_default() += 1;
    }
    let often = counts.into_iter().filter(|(_, n)| *n >= needed);
    often.map(|(hash, _)| hash).take(HASHES_MAX).collect()
}

/// The shingles that at least `accounts_min` accounts of a pool carry: a learned catalogue.
///
/// The pool must be of unrelated accounts. Accounts of the campaign among them would take its own
/// wording out of the sketch.
pub fn carried_widely<'a>(
    pool: impl IntoIterator<Item = &'a Exchange>,
    accounts_min: usize,
) -> BTreeSet<u64> {
    let mut own: BTreeMap<&AccountId, BTreeSet<u64>> = BTreeMap::new();
    for exchange in pool {
        let known = own.entry(&exchange.account).or_default();
        known.extend(campaign_hashes(&exchange.prompt));
    }
    let mut carriers: BTreeMap<u64, usize> = BTreeMap::new();
    for hash in own.into_values().flatten() {
        *carriers.entry(hash).or_default() += 1;
    }
    let widely = carriers
        .into_iter()
        .filter(|(_, n)| *n >= accounts_min.max(2));
    widely.map(|(hash, _)| hash).collect()
}
