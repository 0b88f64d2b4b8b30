//! One split of the pool, from fitting to p-values.

use detection::{Calibration, Head, HonestProgramme, LOOKS, Rank};

use crate::benchmark::accounts::{Unit, account, deal, honest_units, items, trajectory};
use crate::benchmark::folds::{FOLDS, folds};
use crate::benchmark::pool::{Item, Pool};
use crate::benchmark::train::{Recipe, fit};
use crate::random::Random;

/// Accounts drawn of one programme.
pub const OF_ONE: usize = 4;

/// What accounts are tested with.
#[derive(Debug, Clone)]
pub struct Detector {
    /// The head.
    pub head: Head,
    /// Honest programmes that neither it nor the heads they were scored with ever saw.
    pub calibration: Calibration,
}

/// Detectors of one split: each source is tested by one that never saw its lineage.
#[derive(Debug)]
pub struct Split {
    /// The fold of each source.
    pub folds: Vec<usize>,
    /// The detector of each fold.
    pub detectors: Vec<Detector>,
}

impl Split {
    /// Splits the pool by lineage and fits what each fold is tested with.
    pub fn of(pool: &Pool, seed: u64, recipe: Recipe) -> Self {
        let folds = folds(pool, seed);
        let fold = |source: usize| folds.get(source).copied().unwrap_or(0);
        let without = |a: usize, b: usize| {
            fit(
                pool,
                &|s| fold(s) != a && fold(s) != b,
                seed ^ key(a, b),
                recipe,
            )
        };
        // heads[a][b], b <= a: fitted without the folds a and b.
        let heads: Vec<Vec<Head>> = (0..FOLDS)
            .map(|a| (0..=a).map(|b| without(a, b)).collect())
            .collect();
        let head = |a: usize, b: usize| heads.get(a.max(b)).and_then(|row| row.get(a.min(b)));
        let detectors = (0..FOLDS).filter_map(|tested| {
            let scored = |source: usize| {
                (fold(source) != tested)
                    .then(|| head(tested, fold(source)))
                    .flatten()
            };
            Some(Detector {
                head: head(tested, tested)?.clone(),
                calibration: Calibration::new(calibrate(pool, &scored, seed)),
            })
        });
        Self {
            detectors: detectors.collect(),
            folds,
        }
    }

    /// Every fold tested with one detector that never saw the pool.
    pub fn given(pool: &Pool, seed: u64, detector: &Detector) -> Self {
        Self {
            folds: folds(pool, seed),
            detectors: vec![detector.clone(); FOLDS],
        }
    }

    /// The detector that never saw a source.
    pub fn of_source(&self, source: usize) -> Option<&Detector> {
        self.detectors.get(*self.folds.get(source)?)
    }
}

fn key(a: usize, b: usize) -> u64 {
    u64::try_from(a.max(b) * FOLDS + a.min(b)).unwrap_or(0) << 32
}

/// A detector fitted and calibrated on a whole pool, for sources that are not in it: each
/// programme is scored by a head that never saw its lineage.
pub fn whole(pool: &Pool, seed: u64, recipe: Recipe) -> Detector {
    let folds = folds(pool, seed);
    let fold = |source: usize| folds.get(source).copied().unwrap_or(0);
    let heads: Vec<Head> = (0..FOLDS)
        .map(|out| fit(pool, &|s| fold(s) != out, seed ^ key(out, out), recipe))
        .collect();
    Detector {
        head: fit(pool, &|_| true, seed, recipe),
        calibration: Calibration::new(calibrate(pool, &|s| heads.get(fold(s)), seed)),
    }
}

/// Scores honest programmes, each by the head that `scored` gives for its source, if any.
pub fn calibrate<'a>(
    pool: &Pool,
    scored: &dyn Fn(usize) -> Option<&'a Head>,
    seed: u64,
) -> Vec<HonestProgramme> {
    let mut random = Random::new(seed ^ 0xca11);
    let mut made = Vec::new();
    for (unit, peers) in streams(pool) {
        let Some(head) = scored(unit.source) else {
            continue;
        };
        let Some(source) = pool.sources.get(unit.source) else {
            continue;
        };
        let whole = account(items(pool, unit.source, &unit.items));
        let n = unit.items.len();
        let drawn = deal(
            &unit,
            n.div_ceil(OF_ONE).clamp(100, 1500),
            OF_ONE,
            &mut random,
        );
        let accounts = drawn.iter().map(|of| {
            let mut looks = trajectory(head, items(pool, unit.source, of));
            for (look, at) in LOOKS.iter().zip(&mut looks) {
                // What is too small for a look is no peer of accounts that reach it.
                let enough = of.len() >= usize::try_from((*look).min(PEER_MIN)).unwrap_or(0);
                if !enough || !peers.contains(look) {
                    *at = f64::NAN;
                }
            }
            looks
        });
        made.push(HonestProgramme {
            source: source.lineage.clone(),
            peers: head.peers(whole.whole()),
            accounts: accounts.collect(),
        });
    }
    made
}

/// Honest programmes, and the looks at which each is a peer: what is too small for a later look
/// counts there together with the other small ones of its campaign, and by itself no more.
fn streams(pool: &Pool) -> Vec<(Unit, std::ops::Range<u32>)> {
    let together = |unit: &Unit| unit.name.ends_with("/rest");
    let own = honest_units(pool, 20).into_iter().map(|unit| {
        let last = if together(&unit) { PEER_MIN } else { u32::MAX };
        (unit, 0..last)
    });
    let rest = honest_units(pool, PEERS_AT).into_iter().filter(together);
    own.chain(rest.map(|unit| (unit, PEER_MIN..u32::MAX)))
        .collect()
}

/// Programmes of fewer exchanges are no peers of accounts that reach later looks. Those of fewer
/// than the look are noisier than what is tested, which makes the test the milder.
const PEER_MIN: u32 = 50;
const PEERS_AT: usize = 50;

/// One tested account.
#[derive(Debug, Clone)]
pub struct Tested {
    /// Its programme or campaign.
    pub unit: String,
    /// Its source.
    pub source: String,
    /// Whose peers it is.
    pub peers: detection::Peers,
    /// The rank of its statistic.
    pub rank: Rank,
    /// The same among its peers, had it declared its purpose.
    pub declared: Rank,
    /// The statistic.
    pub statistic: f64,
}

/// Tests an account of these exchanges at the look that `n` reaches.
pub fn test<'a>(
    detector: &Detector,
    unit: &str,
    source: &str,
    n: usize,
    of: impl IntoIterator<Item = &'a Item>,
) -> Tested {
    let account = account(of);
    let look = Calibration::look(u32::try_from(n).unwrap_or(u32::MAX)).unwrap_or(0);
    let statistic = detector.head.intent(&account).statistic;
    let peers = detector.head.peers(account.whole());
    Tested {
        unit: unit.to_owned(),
        source: source.to_owned(),
        peers,
        rank: detector.calibration.rank(statistic, look, None),
        declared: detector.calibration.rank(statistic, look, Some(peers)),
        statistic,
    }
}
