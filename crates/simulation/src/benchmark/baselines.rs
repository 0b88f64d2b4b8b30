//! What others would do, on the same accounts: phrases, volume, message
//! lengths, two-sample tests, hashed words.
//!
//! The rules that rank are calibrated on the same honest programmes as the
//! detector; the two that do not rank (phrases, the pooled test) act as they
//! are used.

use std::collections::BTreeMap;

use detection::{BINS, CUES};
use serde::{Deserialize, Serialize};

use crate::benchmark::accounts::{OwnedUnits, Unit, deal};
use crate::benchmark::folds::FOLDS;
use crate::benchmark::pool::{Item, Pool};
use crate::benchmark::rates::mean;
use crate::random::Random;

/// Exchanges of each account.
const SIZE: usize = 100;

/// What one rule does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Honest accounts flagged, mean over programmes.
    pub fpr: f64,
    /// Campaigns' accounts flagged, mean over campaigns.
    pub tpr: f64,
    /// What it is and at which level it acts.
    pub rule: String,
}

/// Our own phrases of instruction writing, as such rules hold them; lower case.
const PHRASES: [&str; 33] = [
    "training data",
    "fine-tune",
    "fine tuning",
    "dataset",
    "synthetic data",
    "instruction",
    "generate questions",
    "generate a question",
    "question-answer pairs",
    "diverse",
    "come up with",
    "step by step",
    "chain of thought",
    "as an ai",
    "language model",
    "reasoning process",
    "evaluate the response",
    "rate the",
    "score from",
    "rubric",
    "preference",
    "chosen and rejected",
    "pretend you are",
    "act as",
    "conversation between",
    "rewrite the following",
    "paraphrase",
    "more complex",
    "json format",
    "in the following format",
    "examples of",
    "list of 10",
    "training examples",
];

/// An account is flagged when more of its prompts than this hold a phrase.
const PHRASE_SHARE: f64 = 0.5;

fn holds_phrase(item: &Item) -> bool {
    item.prompt.iter().any(|(_, text)| {
        let text = text.to_lowercase();
        PHRASES.iter().any(|phrase| text.contains(phrase))
    })
}

/// Accounts of one kind: their unit, source, and exchanges.
struct Drawn<'a> {
    unit: String,
    source: usize,
    items: Vec<&'a Item>,
}

/// Every baseline under one split.
pub fn baselines(pool: &Pool, folds: &[usize], seed: u64) -> BTreeMap<String, Baseline> {
    let mut random = Random::new(seed ^ 0xba5e);
    let units = OwnedUnits::of(pool, SIZE);
    let honest = drawn(pool, &units.honest, &mut random);
    let harvest = drawn(pool, &units.harvest, &mut random);
    let mut made = BTreeMap::new();
    let phrase = |d: &Drawn<'_>| {
        mean(
            &d.items
                .iter()
                .map(|i| f64::from(holds_phrase(i)))
                .collect::<Vec<_>>(),
        ) > PHRASE_SHARE
    };
    let rule = "33 phrases of ours; more than half of an account's prompts hold one";
    made.insert(
        "keywords".to_owned(),
        acts(&honest, &harvest, &phrase, rule),
    );
    made.insert("volume".to_owned(), volume(pool, &mut random));
    let fold = |d: &Drawn<'_>| folds.get(d.source).copied().unwrap_or(0);
    let spread = |d: &Drawn<'_>| -length_spread(&d.items);
    let rule = "evenness of message lengths, ranked among honest programmes, p <= 5 %";
    made.insert(
        "length_spread".to_owned(),
        ranks(&honest, &harvest, &fold, &spread, rule),
    );
    let centre = centre(pool);
    let distance = |d: &Drawn<'_>| mmd(&d.items, &centre);
    let rule = "distance of an account's mean cues from all honest prompts, ranked among honest programmes, p <= 5 %";
    made.insert(
        "mmd_per_account".to_owned(),
        ranks(&honest, &harvest, &fold, &distance, rule),
    );
    made.insert(
        "mmd_pooled".to_owned(),
        pooled(pool, &honest, &harvest, &centre, &mut random),
    );
    made.insert(
        "hashed_words".to_owned(),
        words(pool, folds, &honest, &harvest),
    );
    made
}

fn drawn<'a>(pool: &'a Pool, units: &'a [Unit], random: &mut Random) -> Vec<Drawn<'a>> {
    let mut made = Vec::new();
    for unit in units {
        for of in deal(unit, SIZE, 2, random) {
            let source = pool.sources.get(unit.source);
            made.push(Drawn {
                unit: unit.name.clone(),
                source: unit.source,
                items: of.iter().filter_map(|n| source?.items.get(*n)).collect(),
            });
        }
    }
    made
}

/// Means over programmes (honest) and over sources (campaigns).
fn share(drawn: &[Drawn<'_>], hit: &dyn Fn(&Drawn<'_>) -> bool) -> f64 {
    let mut units: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in drawn {
        units
            .entry(&one.unit)
            .or_default()
            .push(f64::from(hit(one)));
    }
    mean(&units.values().map(|v| mean(v)).collect::<Vec<_>>())
}

fn acts(
    honest: &[Drawn<'_>],
    harvest: &[Drawn<'_>],
    hit: &dyn Fn(&Drawn<'_>) -> bool,
    rule: &str,
) -> Baseline {
    Baseline {
        fpr: share(honest, hit),
        tpr: share(harvest, hit),
        rule: rule.to_owned(),
    }
}

/// A score, ranked among the honest accounts of the other folds, programmes weighing alike.
fn ranks(
    honest: &[Drawn<'_>],
    harvest: &[Drawn<'_>],
    fold: &dyn Fn(&Drawn<'_>) -> usize,
    score: &dyn Fn(&Drawn<'_>) -> f64,
    rule: &str,
) -> Baseline {
    let mut kin: BTreeMap<&str, f64> = BTreeMap::new();
    for one in honest {
        *kin.entry(&one.unit).or_default() += 1.0;
    }
    let scored: Vec<(usize, f64, f64)> = honest
        .iter()
        .map(|d| {
            (
                fold(d),
                score(d),
                1.0 / kin.get(d.unit.as_str()).copied().unwrap_or(1.0),
            )
        })
        .collect();
    let hit = |d: &Drawn<'_>| {
        let (own, s) = (fold(d), score(d));
        let others = scored.iter().filter(|(f, ..)| *f != own);
        let (above, all) = others.fold((1.0, 1.0), |(above, all), (_, other, weight)| {
            (
                above + if *other >= s { *weight } else { 0.0 },
                all + weight,
            )
        });
        above / all <= 0.05
    };
    acts(honest, harvest, &hit, rule)
}

/// Standard deviation of message lengths over their mean.
fn length_spread(items: &[&Item]) -> f64 {
    let lengths: Vec<f64> = items.iter().map(|i| f64::from(i.characters)).collect();
    let middle = mean(&lengths);
    let variance = mean(
        &lengths
            .iter()
            .map(|l| (l - middle).powi(2))
            .collect::<Vec<_>>(),
    );
    variance.sqrt() / middle.max(1.0)
}

/// A volume rule at the 99th percentile of honest accounts. Volumes are simulated, because recorded
/// pools hold none: honest accounts log-normal about 40 requests a day (spread 1.5), campaigns
/// about the published 25.6 a day and account (28.8 million over 25,000 accounts in 45 days).
fn volume(pool: &Pool, random: &mut Random) -> Baseline {
    let mut normal = || (0..12).map(|_| unit(random)).sum::<f64>() - 6.0;
    let mut honest: Vec<f64> = (0..4_000).map(|_| 40f64.ln() + 1.5 * normal()).collect();
    honest.sort_by(f64::total_cmp);
    let bound = honest
        .get(honest.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::MAX);
    let campaigns = pool.sources.iter().filter(|s| s.harvest).count() * 400;
    let over = (0..campaigns)
        .filter(|_| 25.6f64.ln() + 0.8 * normal() > bound)
        .count();
    let share = |n: usize, of: usize| {
        f64::from(u32::try_from(n).unwrap_or(0)) / f64::from(u32::try_from(of.max(1)).unwrap_or(1))
    };
    Baseline {
        fpr: 0.01,
        tpr: share(over, campaigns),
        rule: "requests a day above the honest 99th percentile; volumes simulated from published counts".to_owned(),
    }
}

/// A number in 0..1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
fn unit(random: &mut Random) -> f64 {
    (random.next() >> 11) as f64 / (1u64 << 53) as f64
}

/// Mean and spread of each cue over honest prompts.
struct Centre {
    mean: [f64; CUES],
    spread: [f64; CUES],
}

fn centre(pool: &Pool) -> Centre {
    let (mut sum, mut square, mut n) = ([0.0; CUES], [0.0; CUES], 0.0);
    for source in pool.sources.iter().filter(|s| !s.harvest) {
        let weight = 1.0 / f64::from(u32::try_from(source.items.len().max(1)).unwrap_or(1));
        n += 1.0;
        for item in &source.items {
            for ((sum, square), level) in sum.iter_mut().zip(&mut square).zip(item.levels) {
                let x = f64::from(level) / 256.0;
                *sum += weight * x;
                *square += weight * x * x;
            }
        }
    }
    let mean = sum.map(|s: f64| s / f64::max(n, 1.0));
    let mut spread = [0.0; CUES];
    for ((spread, square), mean) in spread.iter_mut().zip(square).zip(mean) {
        *spread = f64::max(square / f64::max(n, 1.0) - mean * mean, 0.0).sqrt() + 0.05;
    }
    Centre { mean, spread }
}

fn place(item: &Item, centre: &Centre) -> [f64; CUES] {
    let mut z = [0.0; CUES];
    let each = item.levels.iter().zip(&centre.mean).zip(&centre.spread);
    for (z, ((level, mean), spread)) in z.iter_mut().zip(each) {
        *z = (f64::from(*level) / 256.0 - mean) / spread;
    }
    z
}

/// Squared distance of the mean (the linear kernel's MMD).
fn mmd(items: &[&Item], centre: &Centre) -> f64 {
    let mut sum = [0.0; CUES];
    for item in items {
        for (sum, z) in sum.iter_mut().zip(place(item, centre)) {
            *sum += z;
        }
    }
    let n = f64::from(u32::try_from(items.len().max(1)).unwrap_or(1));
    sum.iter().map(|s| (s / n) * (s / n)).sum()
}

/// The two-sample test as it is used: the account's prompts against as many of all honest prompts,
/// labels permuted, p <= 1 %. Prompts of one account are not exchangeable with a pool's, so it
/// rejects nearly everybody.
fn pooled(
    pool: &Pool,
    honest: &[Drawn<'_>],
    harvest: &[Drawn<'_>],
    centre: &Centre,
    random: &mut Random,
) -> Baseline {
    const DRAWS: usize = 199;
    let sources: Vec<usize> = (0..pool.sources.len())
        .filter(|s| pool.sources.get(*s).is_some_and(|s| !s.harvest))
        .collect();
    let hit = |d: &Drawn<'_>, random: &mut Random| {
        let mut all: Vec<[f64; CUES]> = d.items.iter().map(|i| place(i, centre)).collect();
        let own = all.len();
        for _ in 0..own {
            let source = sources
                .get(random.below(sources.len()))
                .and_then(|s| pool.sources.get(*s));
            let item = source.and_then(|s| s.items.get(random.below(s.items.len())));
            all.extend(item.map(|i| place(i, centre)));
        }
        let distance = |all: &[[f64; CUES]]| {
            let (mut a, mut b) = ([0.0; CUES], [0.0; CUES]);
            for (n, z) in all.iter().enumerate() {
                let to = if n < own { &mut a } else { &mut b };
                for (to, z) in to.iter_mut().zip(z) {
                    *to += z;
                }
            }
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let observed = distance(&all);
        let mut above = 0_u32;
        for _ in 0..DRAWS {
            random.shuffle(&mut all);
            above += u32::from(distance(&all) >= observed);
        }
        f64::from(above + 1) / f64::from(u32::try_from(DRAWS + 1).unwrap_or(1)) <= 0.01
    };
    let cell = std::cell::RefCell::new(random);
    let hit = |d: &Drawn<'_>| hit(d, &mut cell.borrow_mut());
    acts(
        honest,
        harvest,
        &hit,
        "two-sample permutation test against all honest prompts, p <= 1 %",
    )
}

/// Logistic regression on 2^18 hashed words and pairs, by stochastic descent, fitted without the
/// tested fold; an account scores the mean of its prompts.
fn words(pool: &Pool, folds: &[usize], honest: &[Drawn<'_>], harvest: &[Drawn<'_>]) -> Baseline {
    let fold = |source: usize| folds.get(source).copied().unwrap_or(0);
    let heads: Vec<Vec<f32>> = (0..FOLDS)
        .map(|out| fit_words(pool, &|source, _| fold(source) != out))
        .collect();
    let score = |d: &Drawn<'_>| {
        let head = heads.get(fold(d.source)).map_or(&[][..], Vec::as_slice);
        mean(
            &d.items
                .iter()
                .map(|i| score_words(head, i))
                .collect::<Vec<_>>(),
        )
    };
    let rule =
        "logistic regression on 2^18 hashed words and pairs, fitted on other lineages, p <= 5 %";
    ranks(honest, harvest, &|d| fold(d.source), &score, rule)
}

/// The mean weight of a prompt's bins.
pub(super) fn score_words(head: &[f32], item: &Item) -> f64 {
    let root = f64::from(u32::try_from(item.bins.len().max(1)).unwrap_or(1)).sqrt();
    let weights = item
        .bins
        .iter()
        .filter_map(|b| head.get(usize::try_from(*b).ok()?));
    weights.map(|w| f64::from(*w)).sum::<f64>() / root
}

/// Fits the words of what `take` takes (by source and place).
#[expect(clippy::cast_possible_truncation, reason = "weights are kept short")]
pub(super) fn fit_words(pool: &Pool, take: &dyn Fn(usize, usize) -> bool) -> Vec<f32> {
    const PASSES: usize = 2;
    let mut head = vec![0.0_f32; BINS];
    let mut all: Vec<(usize, usize)> = Vec::new();
    for (at, source) in pool.sources.iter().enumerate() {
        all.extend(
            (0..source.items.len())
                .filter(|n| take(at, *n))
                .map(|n| (at, n)),
        );
    }
    let count = |harvest: bool| {
        let of = pool.sources.iter().filter(|s| s.harvest == harvest).count();
        f64::from(u32::try_from(of.max(1)).unwrap_or(1))
    };
    let (harvests, others) = (count(true), count(false));
    let mut random = Random::new(0x70_7264);
    for pass in 0..PASSES {
        random.shuffle(&mut all);
        for (at, n) in &all {
            let Some(source) = pool.sources.get(*at) else {
                continue;
            };
            let Some(item) = source.items.get(*n) else {
                continue;
            };
            let kin = if source.harvest { harvests } else { others };
            let size = f64::from(u32::try_from(source.items.len()).unwrap_or(1));
            let share = 20_000.0 / (kin * size);
            let y = if source.harvest { 1.0 } else { -1.0 };
            let pull = y / (1.0 + (y * score_words(&head, item)).exp());
            let root = f64::from(u32::try_from(item.bins.len().max(1)).unwrap_or(1)).sqrt();
            let step =
                (0.5 / f64::from(u32::try_from(pass + 1).unwrap_or(1)) * pull * share.min(4.0)
                    / root) as f32;
            for bin in &item.bins {
                if let Some(w) = usize::try_from(*bin).ok().and_then(|b| head.get_mut(b)) {
                    *w += step;
                }
            }
        }
    }
    head
}

/// Hashed words when exchanges, not lineages, are split: half of each source is fitted, the other
/// half makes the accounts. Campaigns found at p <= 5 %.
pub(super) fn random_words(pool: &Pool, seed: u64) -> f64 {
    let mut random = Random::new(seed ^ 0x3a1f);
    let mut halves = (pool.clone(), pool.clone());
    for (a, b) in halves.0.sources.iter_mut().zip(&mut halves.1.sources) {
        random.shuffle(&mut a.items);
        b.items = a.items.split_off(a.items.len() / 2);
    }
    let head = fit_words(&halves.0, &|_, _| true);
    let units = OwnedUnits::of(&halves.1, SIZE);
    let honest = drawn(&halves.1, &units.honest, &mut random);
    let harvest = drawn(&halves.1, &units.harvest, &mut random);
    let score = |d: &Drawn<'_>| {
        mean(
            &d.items
                .iter()
                .map(|i| score_words(&head, i))
                .collect::<Vec<_>>(),
        )
    };
    // Every honest account is of a fold of its own: all others calibrate.
    ranks(&honest, &harvest, &|d| d.source, &score, "").tpr
}
