//! The whole benchmark: seeds, and what needs no seed.

use std::collections::BTreeMap;

use detection::Calibration;
use serde::{Deserialize, Serialize};

use crate::benchmark::accounts::{deal, harvest_units, items};
use crate::benchmark::baselines::{Baseline, baselines, random_words};
use crate::benchmark::fleets::{Attacker, Counts, Named, hydras};
use crate::benchmark::leaks::leaks;
use crate::benchmark::pool::Pool;
use crate::benchmark::rates::{found, mean_of};
use crate::benchmark::seed::{SeedResult, Tests};
use crate::benchmark::train::{Recipe, fit};
use crate::benchmark::trial::{Detector, Split, Tested, calibrate, test};
use crate::random::Random;

/// What does not depend on the seed, or is too costly to repeat for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Once {
    /// What each rule names of simulated hydras that deal their queue out at random, one draw of
    /// every fleet of every split.
    pub hydra: BTreeMap<String, Named>,
    /// The same of other attackers, one draw.
    pub hydra_attackers: BTreeMap<String, BTreeMap<String, Named>>,
    /// Other rules.
    pub baselines: BTreeMap<String, Baseline>,
    /// Areas under the ROC of raw fields.
    pub leaks: BTreeMap<String, f64>,
    /// Campaigns found at p <= 1 % when accounts, not lineages, are split: how published figures
    /// are made.
    pub random_split_tpr_p1: f64,
    /// The same of hashed words.
    pub random_split_words_tpr_p5: f64,
}

/// One seed on one pool, split by lineage.
pub fn split_seed(pool: &Pool, seed: u64) -> (Split, SeedResult) {
    let split = Split::of(pool, seed, Recipe::default());
    let detector = |source: usize| split.of_source(source);
    let covers = |source: usize| honest_of_fold(pool, &split.folds, source);
    let tests = Tests {
        pool,
        detector: &detector,
        covers: &covers,
    };
    let made = tests.run(seed);
    (split, made)
}

fn honest_of_fold(pool: &Pool, folds: &[usize], source: usize) -> Vec<usize> {
    let own = folds.get(source);
    let all = pool.sources.iter().enumerate();
    all.filter(|(s, other)| !other.harvest && folds.get(*s) == own)
        .map(|(s, _)| s)
        .collect()
}

/// One seed of a pool that a given detector never saw.
pub fn tested_with(detector: &Detector, test: &Pool, seed: u64) -> SeedResult {
    let honest: Vec<usize> = (0..test.sources.len())
        .filter(|s| test.sources.get(*s).is_some_and(|s| !s.harvest))
        .collect();
    let tests = Tests {
        pool: test,
        detector: &|_| Some(detector),
        covers: &|_| honest.clone(),
    };
    tests.run(seed)
}

/// What is measured once: rings on every split, the rest on the first.
pub fn once(pool: &Pool, splits: &[Split], seed: u64) -> Once {
    let folds = splits.first().map_or(&[][..], |split| &split.folds);
    Once {
        hydra: named(pool, splits, Attacker::Random, seed),
        hydra_attackers: Attacker::ALL
            .into_iter()
            .filter(|attacker| *attacker != Attacker::Random)
            .map(|attacker| {
                let rates = named(pool, splits.get(..1).unwrap_or_default(), attacker, seed);
                (attacker.word().to_owned(), rates)
            })
            .collect(),
        baselines: baselines(pool, folds, seed),
        leaks: leaks(pool),
        random_split_tpr_p1: random_split(pool, seed),
        random_split_words_tpr_p5: random_words(pool, seed),
    }
}

/// What each rule names over one draw of each split.
fn named(pool: &Pool, splits: &[Split], attacker: Attacker, seed: u64) -> BTreeMap<String, Named> {
    let mut all: BTreeMap<&'static str, Counts> = BTreeMap::new();
    for (split, seed) in splits.iter().zip(seed..) {
        for (rule, counts) in hydras(pool, split, attacker, seed) {
            all.entry(rule).or_default().add(counts);
        }
    }
    all.into_iter()
        .map(|(rule, counts)| (rule.to_owned(), counts.rates()))
        .collect()
}

/// Split by exchange: three quarters of each source train and calibrate, the rest is tested, in
/// accounts of 50.
fn random_split(pool: &Pool, seed: u64) -> f64 {
    let (mut one, mut other) = (pool.clone(), pool.clone());
    let mut random = Random::new(seed ^ 0x5911);
    for (a, b) in one.sources.iter_mut().zip(&mut other.sources) {
        random.shuffle(&mut a.items);
        b.items = a.items.split_off(a.items.len() * 3 / 4);
    }
    // Nothing is left out, neither of the fit nor of the calibration: that is the point.
    let head = fit(&one, &|_| true, seed, Recipe::default());
    let detector = Detector {
        calibration: Calibration::new(calibrate(&one, &|_| Some(&head), seed)),
        head,
    };
    let mut got: Vec<Tested> = Vec::new();
    for unit in harvest_units(&other, false) {
        for of in deal(&unit, 50, 4, &mut random) {
            let stream = items(&other, unit.source, &of);
            got.push(test(&detector, &unit.name, &unit.name, 50, stream));
        }
    }
    mean_of(&found(&got, &|t| t.rank.p <= 0.01))
}
