//! One seed of the benchmark: every row that needs a split.

use std::collections::BTreeMap;

use detection::LOOKS;
use serde::{Deserialize, Serialize};

use crate::benchmark::accounts::{Unit, deal, harvest_units, honest_units, items, trajectory};
use crate::benchmark::pool::{Item, Pool};
use crate::benchmark::rates::{Flagged, flagged, found, mean, mean_of};
use crate::benchmark::trial::{Detector, OF_ONE, Tested, test};
use crate::random::Random;

/// Sizes of the accounts of the tables.
pub const SIZES: [usize; 5] = [20, 50, 100, 200, 500];

/// Shares of a harvest in a mixed account.
pub const SHARES: [f64; 4] = [0.05, 0.1, 0.25, 0.5];

/// Found shares at one size.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// Mean over campaigns.
    pub all: f64,
    /// The same where only logged requests are used.
    pub logged: f64,
    /// The same without sources that have a twin.
    pub without_twins: f64,
    /// Share of the campaigns of which at least half is found.
    pub half_found: f64,
    /// Campaign by campaign.
    pub campaigns: BTreeMap<String, f64>,
}

/// What one seed gave. Keys of the maps are account sizes, and shares before them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// Honest accounts flagged at p <= 1 %.
    pub fpr_at_1pct: BTreeMap<usize, Flagged>,
    /// And at p <= 5 %.
    pub fpr_at_5pct: BTreeMap<usize, Flagged>,
    /// The same when every account declares the purpose that its prompts show.
    pub fpr_at_1pct_declared: BTreeMap<usize, Flagged>,
    /// Campaigns found at p <= 1 %.
    pub tpr_p1: BTreeMap<usize, Recall>,
    /// And at p <= 5 %.
    pub tpr_p5: BTreeMap<usize, Recall>,
    /// Mixed accounts found at p <= 5 %, by share and size.
    pub mixtures: BTreeMap<String, BTreeMap<usize, f64>>,
    /// The same at p <= 1 %.
    pub mixtures_p1: BTreeMap<String, BTreeMap<usize, f64>>,
    /// Honest accounts ever flagged over six looks at nominal 5 %.
    pub anytime_fpr_5pct: f64,
    /// The same, over sources.
    pub anytime_fpr_5pct_by_source: f64,
    /// Campaigns' accounts ever flagged over the looks at nominal 5 %.
    pub anytime_tpr_5pct: f64,
    /// Honest accounts flagged by naive looks at nominal 5 %, for comparison.
    pub naive_looks_fpr_5pct: f64,
    /// Share of tested accounts' p at or below each level, honest ones.
    pub realised: Vec<(f64, f64)>,
    /// Honest programmes compared with, at 100 exchanges (mean over folds).
    pub programmes: f64,
    /// The least p that could be shown there.
    pub p_floor: f64,
    /// Statistics at 100 exchanges, for the plots: (p, harvest).
    pub scores: Vec<(String, f64, bool)>,
}

/// Where test accounts come from and what tests each.
#[expect(missing_debug_implementations, reason = "it borrows closures")]
pub struct Tests<'a> {
    /// The pool that is tested.
    pub pool: &'a Pool,
    /// The detector for a source.
    pub detector: &'a dyn Fn(usize) -> Option<&'a Detector>,
    /// Honest sources whose traffic may cover a harvest of that source.
    pub covers: &'a dyn Fn(usize) -> Vec<usize>,
}

impl Tests<'_> {
    /// Every row of one seed.
    pub fn run(&self, seed: u64) -> SeedResult {
        let mut random = Random::new(seed ^ 0x7e57);
        let mut made = SeedResult::default();
        for n in SIZES {
            let honest = self.honest(n, &mut random);
            made.fpr_at_1pct
                .insert(n, flagged(&honest, &|t| t.rank.p <= 0.01));
            made.fpr_at_5pct
                .insert(n, flagged(&honest, &|t| t.rank.p <= 0.05));
            made.fpr_at_1pct_declared
                .insert(n, flagged(&honest, &|t| t.declared.p <= 0.01));
            let (all, logged) = (
                self.pure(n, false, &mut random),
                self.pure(n, true, &mut random),
            );
            made.tpr_p1.insert(n, self.recall(&all, &logged, 0.01));
            made.tpr_p5.insert(n, self.recall(&all, &logged, 0.05));
            for share in SHARES {
                let mixed = self.mixed(n, share, &mut random);
                let at = |level: f64| mean_of(&found(&mixed, &|t| t.rank.p <= level));
                let key = format!("{share}");
                made.mixtures
                    .entry(key.clone())
                    .or_default()
                    .insert(n, at(0.05));
                made.mixtures_p1.entry(key).or_default().insert(n, at(0.01));
            }
            if n == 100 {
                figures(&mut made, &honest, &all);
            }
        }
        self.anytime(&mut made, &mut random);
        made
    }

    fn name(&self, source: usize) -> &str {
        self.pool
            .sources
            .get(source)
            .map_or("", |s| s.name.as_str())
    }

    /// Honest accounts of `n` exchanges.
    pub fn honest(&self, n: usize, random: &mut Random) -> Vec<Tested> {
        let mut made = Vec::new();
        for unit in honest_units(self.pool, n) {
            self.deal(&unit, n, random, &mut made);
        }
        made
    }

    /// Accounts that only harvest.
    fn pure(&self, n: usize, logged: bool, random: &mut Random) -> Vec<Tested> {
        let mut made = Vec::new();
        let units = harvest_units(self.pool, logged);
        for unit in units.into_iter().filter(|u| 2 * u.items.len() >= n) {
            self.deal(&unit, n, random, &mut made);
        }
        made
    }

    fn deal(&self, unit: &Unit, n: usize, random: &mut Random, made: &mut Vec<Tested>) {
        let Some(detector) = (self.detector)(unit.source) else {
            return;
        };
        for of in deal(unit, n, OF_ONE, random) {
            let stream = items(self.pool, unit.source, &of);
            made.push(test(
                detector,
                &unit.name,
                self.name(unit.source),
                n,
                stream,
            ));
        }
    }

    /// Accounts that harvest with a share of their exchanges; the rest is one honest source's.
    fn mixed(&self, n: usize, share: f64, random: &mut Random) -> Vec<Tested> {
        let own = (1..=n)
            .find(|own| {
                f64::from(u32::try_from(*own).unwrap_or(0)) + 1e-9
                    >= share * f64::from(u32::try_from(n).unwrap_or(0))
            })
            .unwrap_or(1);
        let mut made = Vec::new();
        for unit in harvest_units(self.pool, false) {
            let Some(detector) = (self.detector)(unit.source) else {
                continue;
            };
            if unit.items.len() < own.max(PER_CAMPAIGN_MIN) {
                continue;
            }
            let covers: Vec<usize> = (self.covers)(unit.source)
                .into_iter()
                .filter(|c| {
                    self.pool
                        .sources
                        .get(*c)
                        .is_some_and(|s| s.items.len() >= n - own)
                })
                .collect();
            for of in deal(&unit, own, OF_ONE, random) {
                let Some(cover) = covers.get(random.below(covers.len())).copied() else {
                    break;
                };
                let count = self.pool.sources.get(cover).map_or(0, |s| s.items.len());
                let mut rest: Vec<usize> = (0..count).collect();
                random.shuffle(&mut rest);
                rest.truncate(n - own);
                let stream =
                    items(self.pool, unit.source, &of).chain(items(self.pool, cover, &rest));
                made.push(test(
                    detector,
                    &unit.name,
                    self.name(unit.source),
                    n,
                    stream,
                ));
            }
        }
        made
    }

    fn recall(&self, all: &[Tested], logged: &[Tested], level: f64) -> Recall {
        let hit = |t: &Tested| t.rank.p <= level;
        let campaigns = found(all, &hit);
        let untwinned: BTreeMap<String, f64> = campaigns
            .iter()
            .filter(|(name, _)| !self.pool.is_twin(name))
            .map(|(name, rate)| (name.clone(), *rate))
            .collect();
        let half: Vec<f64> = campaigns.values().map(|r| f64::from(*r >= 0.5)).collect();
        Recall {
            all: mean_of(&campaigns),
            logged: mean_of(&found(logged, &hit)),
            without_twins: mean_of(&untwinned),
            half_found: mean(&half),
            campaigns,
        }
    }

    /// Streams of up to 1,500 exchanges, tested at every look.
    fn anytime(&self, made: &mut SeedResult, random: &mut Random) {
        let honest = honest_units(self.pool, 100);
        let (ever, naive) = self.looked_at(&honest, random);
        let told = flagged(&ever, &|t| t.rank.p <= 0.05);
        made.anytime_fpr_5pct = told.marginal;
        made.anytime_fpr_5pct_by_source = told.by_source;
        made.naive_looks_fpr_5pct = flagged(&naive, &|t| t.rank.p <= 0.05).marginal;
        let (ever, _) = self.looked_at(&harvest_units(self.pool, false), random);
        made.anytime_tpr_5pct = mean_of(&found(&ever, &|t| t.rank.p <= 0.05));
    }

    /// Each stream's rank over all looks, and its least rank uncorrected.
    fn looked_at(&self, units: &[Unit], random: &mut Random) -> (Vec<Tested>, Vec<Tested>) {
        let (mut ever, mut naive) = (Vec::new(), Vec::new());
        for unit in units {
            let Some(detector) = (self.detector)(unit.source) else {
                continue;
            };
            let n = unit.items.len().div_ceil(OF_ONE).clamp(100, 1500);
            for of in deal(unit, n, OF_ONE, random) {
                let stream: Vec<&Item> = items(self.pool, unit.source, &of).collect();
                let looks = trajectory(&detector.head, stream.iter().copied());
                let reached = LOOKS
                    .iter()
                    .filter(|l| usize::try_from(**l).unwrap_or(0) <= of.len());
                let ranks = reached.zip(looks).enumerate();
                let ranks = ranks.map(|(look, (_, s))| detector.calibration.rank(s, look, None));
                let Some(least) = ranks.min_by(|a, b| a.p.total_cmp(&b.p)) else {
                    continue;
                };
                let mut one = test(
                    detector,
                    &unit.name,
                    self.name(unit.source),
                    of.len(),
                    stream,
                );
                one.rank = least;
                naive.push(one.clone());
                one.rank = detector.calibration.anytime(least.p);
                ever.push(one);
            }
        }
        (ever, naive)
    }
}

/// What is told of accounts of 100.
fn figures(made: &mut SeedResult, honest: &[Tested], harvest: &[Tested]) {
    let counted: Vec<f64> = honest
        .iter()
        .map(|t| f64::from(u32::try_from(t.rank.programmes).unwrap_or(0)))
        .collect();
    made.programmes = mean(&counted);
    made.p_floor = mean(&honest.iter().map(|t| t.rank.floor).collect::<Vec<_>>());
    made.realised = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        .map(|level| (level, flagged(honest, &|t| t.rank.p <= level).marginal))
        .into();
    let one = |t: &Tested, harvest| (t.source.clone(), t.rank.p, harvest);
    made.scores = honest.iter().map(|t| one(t, false)).collect();
    made.scores.extend(harvest.iter().map(|t| one(t, true)));
}

/// Campaigns of fewer exchanges are not mixed.
const PER_CAMPAIGN_MIN: usize = 40;
