//! Seeded fleets without a planted link, and with one.

use super::super::draw::Shuffler;
use super::*;

pub(super) const DAYS: i64 = 28;

pub(super) struct World {
    pub(super) accounts: Vec<(AccountId, Traits)>,
    /// Time zone of each account, in hours.
    pub(super) zones: Vec<i64>,
    pub(super) random: Random,
}

pub(super) struct Random(Shuffler);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Shuffler::new(seed))
    }
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.0.next() >> 32).unwrap()) / f64::from(u32::MAX)
    }
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }
    pub(super) fn token(&mut self) -> u64 {
        self.0.next()
    }
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
    /// Poisson by its definition; the means here are small.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let (mut n, mut product, limit) = (0, self.unit(), (-mean.min(50.0)).exp());
        while product > limit && n < 500 {
            n += 1;
            product *= self.unit();
        }
        n
    }
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        let n = items.len();
        self.0.choose(items, n);
    }
}

/// How busy an hour of the local day is.
fn rhythm(kind: usize, hour: i64, weekend: bool) -> f64 {
    match kind {
        // An office: nine to six, hardly on weekends.
        0 => {
            let day = if (9..18).contains(&hour) { 1.0 } else { 0.05 };
            day * if weekend { 0.1 } else { 1.0 }
        }
        // A hobby: evenings, more on weekends, and then by day too.
        1 => match (hour, weekend) {
            (18..24, _) => 1.0,
            (10..18, true) => 0.8,
            _ => 0.05,
        },
        // A service: always, a little less at night.
        _ => {
            if (0..6).contains(&hour) {
                0.5
            } else {
                1.0
            }
        }
    }
}

impl World {
    /// A fleet in which nobody belongs together: volumes over three orders of magnitude, four time
    /// zones, weekends, a launch day on which many begin, two outages, one network that a third of
    /// the fleet uses, carriers' networks, resellers' cards, couples who share a card.
    pub(super) fn new(seed: u64, n: usize) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9) ^ 0x5eed);
        let mut days: Vec<f64> = (0..DAYS).map(|_| 0.6 + 0.8 * random.unit()).collect();
        days[14] *= 2.0;
        let outages = [random.below(672), random.below(672)].map(|h| i64::try_from(h).unwrap());
        let mut accounts = Vec::new();
        let mut zones = Vec::new();
        for at in 0..n {
            let zone = [0, 9, -5, -8][random.below(4)];
            let mut traits = Traits::default();
            active(&mut traits, &mut random, zone, &days, &outages);
            tokens(&mut traits, &mut random, at);
            if random.chance(0.05) {
                let hour = random.below(672);
                traits.blocked_at = Some(Timestamp(i64::try_from(hour).unwrap() * HOUR + 1));
            }
            accounts.push((name(at), traits));
            zones.push(zone);
        }
        Self {
            accounts,
            zones,
            random,
        }
    }

    pub(super) fn fleet(&self) -> Fleet {
        Fleet::of(self.accounts.clone(), &BTreeMap::new())
    }

    /// Any `n` accounts.
    pub(super) fn any(&self, n: usize, seed: u64) -> Vec<AccountId> {
        let mut places: Vec<usize> = (0..self.accounts.len()).collect();
        Random::new(seed).shuffle(&mut places);
        places.into_iter().take(n).map(name).collect()
    }
}

fn active(traits: &mut Traits, random: &mut Random, zone: i64, days: &[f64], outages: &[i64]) {
    let volume = (random.unit() * 6.0).exp() * 8.0;
    let kind = random.below(3);
    let launch = 14 * 24;
    let born = match random.below(10) {
        0..5 => -1,
        5..8 => i64::try_from(random.below(600)).unwrap(),
        _ => launch + i64::try_from(random.below(30)).unwrap(),
    };
    if born < 0 {
        traits.first_seen = Some(Timestamp(-40 * 24 * HOUR));
    }
    // Work comes in sittings: hours of one day vary together.
    let mut counts = Vec::new();
    for hour in born.max(0)..DAYS * 24 {
        let local = hour + zone;
        let weekend = local.div_euclid(24).rem_euclid(7) >= 5;
        let sitting = if random.chance(0.3) { 2.5 } else { 0.4 };
        let day = days[usize::try_from(hour / 24).unwrap()];
        let mean = volume / 250.0 * rhythm(kind, local.rem_euclid(24), weekend) * day * sitting;
        let n = random.poisson(mean);
        if n > 0 && !outages.contains(&hour) {
            counts.push((hour, n));
        }
    }
    if let Some((hour, _)) = counts.first() {
        let seen = Timestamp(hour * HOUR + 5);
        traits.first_seen = traits.first_seen.or(Some(seen));
    }
    traits.activity = Activity::of(counts);
}

fn tokens(traits: &mut Traits, random: &mut Random, at: usize) {
    if random.chance(0.9) {
        let card = match random.below(20) {
            0 => 1,                          // a large reseller
            1 => 2 + random.below(3) as u64, // smaller ones
            2..4 => 100 + (at / 2) as u64,   // couples
            _ => random.token(),
        };
        traits.payment.insert(card);
    }
    if random.chance(0.7) {
        let couple = random.chance(0.15);
        let person = if couple {
            100 + (at / 2) as u64
        } else {
            random.token()
        };
        traits.identity.insert(person);
    }
    if random.chance(0.33) {
        traits.network.insert(1); // the large office
    } else {
        traits.network.insert(random.token());
    }
    // The busier, the more places it is used from; carriers have few blocks.
    let busy = traits.activity.total().max(1).ilog2();
    for _ in 0..busy / 2 {
        traits.network.insert(1000 + random.below(80) as u64);
    }
}
