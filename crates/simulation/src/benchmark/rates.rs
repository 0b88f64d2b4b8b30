//! Rates with their intervals, over programmes, never over accounts.

use std::collections::BTreeMap;

use detection::bounds::clopper_pearson;
use serde::{Deserialize, Serialize};

use crate::benchmark::trial::Tested;

/// A rate of one level of the test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Flagged {
    /// Mean over programmes of the share of each one's accounts that were flagged.
    pub marginal: f64,
    /// The same over sources: programmes of one source are kin.
    pub by_source: f64,
    /// The type (by what its prompts show) whose mean over programmes is greatest.
    pub worst_type: f64,
    /// Its name.
    pub worst_type_is: String,
    /// The source whose mean over programmes is greatest.
    pub worst_source: f64,
    /// Its name.
    pub worst_source_is: String,
    /// Upper end of the exact 95 % interval of the marginal, programmes as trials.
    pub upper95: f64,
    /// Lower end.
    pub lower95: f64,
    /// Programmes tested.
    pub programmes: usize,
    /// Accounts tested.
    pub accounts: usize,
}

/// Shares of some keys' programmes.
fn by<'a>(
    tested: &'a [Tested],
    hit: &dyn Fn(&Tested) -> bool,
    key: &dyn Fn(&'a Tested) -> &'a str,
) -> BTreeMap<&'a str, Vec<f64>> {
    let mut units: BTreeMap<(&str, &str), (f64, f64)> = BTreeMap::new();
    for one in tested {
        let (hits, all) = units.entry((key(one), &one.unit)).or_default();
        *all += 1.0;
        if hit(one) {
            *hits += 1.0;
        }
    }
    let mut made: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((key, _), (hits, all)) in units {
        made.entry(key).or_default().push(hits / all);
    }
    made
}

pub(super) fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / f64::from(u32::try_from(of.len().max(1)).unwrap_or(1))
}

fn worst(of: &BTreeMap<&str, Vec<f64>>) -> (f64, String) {
    let means = of.iter().map(|(key, shares)| (mean(shares), *key));
    let most = means.max_by(|a, b| a.0.total_cmp(&b.0));
    most.map_or((0.0, String::new()), |(rate, key)| (rate, key.to_owned()))
}

/// How often honest accounts were flagged.
pub fn flagged(tested: &[Tested], hit: &dyn Fn(&Tested) -> bool) -> Flagged {
    let all = by(tested, hit, &|_| "all");
    let shares = all.get("all").map_or(&[][..], Vec::as_slice);
    let sources = by(tested, hit, &|t| &t.source);
    let source_means: Vec<f64> = sources.values().map(|s| mean(s)).collect();
    let (worst_type, worst_type_is) = worst(&by(tested, hit, &|t| t.peers.word()));
    let (worst_source, worst_source_is) = worst(&sources);
    let hits = shares.iter().sum::<f64>();
    let (floor, ceil) = (hits.floor(), hits.ceil());
    let count =
        |x: f64| (0..=shares.len()).find(|n| f64::from(u32::try_from(*n).unwrap_or(0)) >= x);
    let (low, high) = (
        count(floor).unwrap_or(0),
        count(ceil).unwrap_or(shares.len()),
    );
    Flagged {
        marginal: mean(shares),
        by_source: mean(&source_means),
        worst_type,
        worst_type_is,
        worst_source,
        worst_source_is,
        upper95: clopper_pearson(high, shares.len(), 0.05).1,
        lower95: clopper_pearson(low, shares.len(), 0.05).0,
        programmes: shares.len(),
        accounts: tested.len(),
    }
}

/// For each campaign, the share of its accounts that were found.
pub fn found(tested: &[Tested], hit: &dyn Fn(&Tested) -> bool) -> BTreeMap<String, f64> {
    let sources = by(tested, hit, &|t| &t.source);
    sources
        .into_iter()
        .map(|(source, shares)| (source.to_owned(), mean(&shares)))
        .collect()
}

/// The mean over campaigns.
pub fn mean_of(found: &BTreeMap<String, f64>) -> f64 {
    mean(&found.values().copied().collect::<Vec<_>>())
}
