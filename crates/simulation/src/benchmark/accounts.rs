//! Accounts drawn from the pool: streams without replacement.

use detection::{Account, CUES, Calibration, Head, LOOKS};

use crate::benchmark::pool::{Item, Pool, Source};
use crate::random::Random;

/// Programmes of fewer exchanges make no account.
pub const PROGRAMME_MIN: usize = 20;

/// A programme: a source's place, its name, and the places of its exchanges.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The source's place in the pool.
    pub source: usize,
    /// Its name.
    pub name: String,
    /// Its exchanges in the source.
    pub items: Vec<usize>,
}

/// The honest programmes that can fill accounts of `n` exchanges (or of 100, if `n` is more);
/// what is too small is put together by campaign.
pub fn honest_units(pool: &Pool, n: usize) -> Vec<Unit> {
    let least = n.clamp(PROGRAMME_MIN, 100);
    let honest = pool.sources.iter().enumerate().filter(|(_, s)| !s.harvest);
    honest
        .flat_map(|(at, source)| units_of(at, source, least))
        .collect()
}

fn units_of(at: usize, source: &Source, least: usize) -> Vec<Unit> {
    let mut by_programme: Vec<Vec<usize>> = vec![Vec::new(); source.programmes.len()];
    for (n, item) in source.items.iter().enumerate() {
        if let Some(of) = by_programme.get_mut(item.programme) {
            of.push(n);
        }
    }
    let mut units = Vec::new();
    let mut rest: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
    for (name, items) in source.programmes.iter().zip(by_programme) {
        if items.len() >= least {
            units.push(Unit {
                source: at,
                name: format!("{}/{name}", source.name),
                items,
            });
        } else {
            let campaign = name.split('/').next().unwrap_or_default();
            rest.entry(campaign).or_default().extend(items);
        }
    }
    let rest = rest.into_iter().filter(|(_, items)| items.len() >= least);
    units.extend(rest.map(|(campaign, items)| Unit {
        source: at,
        name: format!("{}/{campaign}/rest", source.name),
        items,
    }));
    units
}

/// Each harvest source as one programme; with `logged` only what was logged of it.
pub fn harvest_units(pool: &Pool, logged: bool) -> Vec<Unit> {
    let harvests = pool.sources.iter().enumerate().filter(|(_, s)| s.harvest);
    let unit = |(at, source): (usize, &Source)| Unit {
        source: at,
        name: source.name.clone(),
        items: (0..source.items.len())
            .filter(|n| !logged || source.items.get(*n).is_some_and(|i| i.logged))
            .collect(),
    };
    harvests
        .map(unit)
        .filter(|u| u.items.len() >= PROGRAMME_MIN)
        .collect()
}

/// Exchanges of a unit, dealt into at most `most` accounts of `n`; where it holds fewer, one
/// account of all.
pub fn deal(unit: &Unit, n: usize, most: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let mut items = unit.items.clone();
    random.shuffle(&mut items);
    let n = n.min(items.len()).max(1);
    items
        .chunks_exact(n)
        .take(most)
        .map(<[usize]>::to_vec)
        .collect()
}

/// The exchanges of a pool by source and place.
pub fn items<'a>(pool: &'a Pool, source: usize, of: &'a [usize]) -> impl Iterator<Item = &'a Item> {
    let source = pool.sources.get(source);
    of.iter().filter_map(move |n| source?.items.get(*n))
}

/// The account of some exchanges.
pub fn account<'a>(items: impl IntoIterator<Item = &'a Item>) -> Account {
    let mut account = Account::default();
    for item in items {
        item.observed(&mut account);
    }
    account
}

/// The statistic of a stream at each look: an account that ends before a look keeps its last
/// one; looks before the first are not its.
pub fn trajectory<'a>(
    head: &Head,
    stream: impl IntoIterator<Item = &'a Item>,
) -> [f64; LOOKS.len()] {
    let mut account = Account::default();
    let mut out = [f64::NAN; LOOKS.len()];
    for item in stream {
        item.observed(&mut account);
        if let Some(look) = LOOKS.iter().position(|look| *look == account.seen())
            && let Some(to) = out.get_mut(look)
        {
            *to = head.intent(&account).statistic;
        }
    }
    // What follows the end of the stream.
    let reached = Calibration::look(account.seen());
    let last = head.intent(&account).statistic;
    for (look, to) in out.iter_mut().enumerate() {
        if reached.is_none_or(|r| look > r) {
            *to = last;
        }
    }
    out
}

/// Mean levels over some exchanges.
pub fn mean_levels<'a>(items: impl IntoIterator<Item = &'a Item>) -> [f64; CUES] {
    let (mut sums, mut n) = ([0.0; CUES], 0.0);
    for item in items {
        n += 1.0;
        for (sum, level) in sums.iter_mut().zip(item.levels) {
            *sum += f64::from(level) / 256.0;
        }
    }
    sums.map(|sum: f64| sum / f64::max(n, 1.0))
}

/// Honest programmes and campaigns that can fill accounts of a size.
#[derive(Debug, Clone)]
pub struct OwnedUnits {
    /// Honest programmes.
    pub honest: Vec<Unit>,
    /// Campaigns.
    pub harvest: Vec<Unit>,
}

impl OwnedUnits {
    /// Of a pool.
    pub fn of(pool: &Pool, n: usize) -> Self {
        Self {
            honest: honest_units(pool, n),
            harvest: harvest_units(pool, false),
        }
    }
}
