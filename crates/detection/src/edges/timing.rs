//! Are accounts of the cluster busy in the same hours, beyond everybody's rhythm?
//!
//! What an account's own habits explain is taken away first: each hour is
//! compared with what that day's total, that hour of the account's day and
//! that hour of its week predict, times what the whole fleet did in that hour.
//! Office hours, a time zone, weekends, a launch, a busy week, an outage leave
//! nothing behind; a controller that starts many accounts in the same hour
//! does. A time zone must not score, because it is a country by another name.
//!
//! What is left is compared twice, and the larger p counts. With random sets of
//! accounts as busy that began in the same week: they share what the whole
//! fleet went through. And with the same accounts when each one's hours are
//! moved by whole weeks: they keep every rhythm, also one that a time zone or a
//! trade has in common. Either alone accuses clusters for what nobody did
//! (random sets alone: 9.2 % of clusters of one time zone at 5 %; moved weeks
//! alone do not know a launch or an outage).
//!
//! # Limits
//! An hour in which one region alone fell out is not taken away. Days on which
//! all are busy together are, so a ring that is synchronous by days only is
//! not seen here.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::{Rank, Shuffler, Strata, among, rank};
use super::traits::WINDOW_HOURS;
use super::{Activity, Edge, Fleet, Kind, Rules};

/// Accounts that clusters are compared with at most: 672 hours of eight bytes each are 22 MB.
const POOL_MAX: usize = 4096;

/// Hours of a week.
const WEEK: usize = 7 * 24;

/// The quiet hours by which an account's day is cut.
const NIGHT: i64 = 8;

/// Exchanges on one weekday from which on its own hours outweigh the account's hours of all days:
/// four weeks give a small account too few to know its Mondays by.
const WEEKDAY_KNOWN: f64 = 4.0;

/// Accounts' worth of exchanges that are assumed to have gone as usual in each hour of the fleet.
const USUAL: f64 = 1.0;

/// What the hours of a fleet leave unexplained.
#[derive(Debug, Clone)]
pub(super) struct Hours {
    newest: i64,
    /// What the fleet did in each hour, over what its accounts' habits predict.
    common: Vec<f64>,
    /// A random choice of accounts.
    left: BTreeMap<usize, Vec<f64>>,
}

impl Hours {
    fn of(fleet: &Fleet, newest: i64) -> Self {
        let chosen = fleet.sample.iter().take(POOL_MAX);
        let habits: Vec<(usize, Habit)> = chosen
            .filter_map(|n| Some((*n, Habit::of(fleet.activity(*n)?, newest)?)))
            .collect();
        let common = common(habits.iter().map(|(_, habit)| habit));
        let left = habits
            .iter()
            .filter_map(|(n, habit)| Some((*n, habit.left(&common)?)))
            .collect();
        Self {
            newest,
            common,
            left,
        }
    }

    /// What one account's hours leave unexplained.
    pub(super) fn left(&self, activity: &Activity) -> Option<Vec<f64>> {
        Habit::of(activity, self.newest)?.left(&self.common)
    }
}

/// The fleet's hours, worked out once.
pub(super) fn hours(fleet: &Fleet) -> Option<&Hours> {
    let newest = fleet.newest_hour?;
    Some(fleet.hours.get_or_init(|| Hours::of(fleet, newest)))
}

/// Tests the hours.
pub(super) fn timing(fleet: &Fleet, cluster: &BTreeSet<usize>, rules: &Rules) -> Edge {
    let Some(hours) = hours(fleet) else {
        return Edge::unknown(Kind::Timing, rules, "no account's hours are known");
    };
    let unseen = cluster.iter().filter(|n| !hours.left.contains_key(n));
    let further: BTreeMap<usize, Vec<f64>> = unseen
        .filter_map(|n| Some((*n, hours.left(fleet.activity(*n)?)?)))
        .collect();
    let left = |n: &usize| hours.left.get(n).or_else(|| further.get(n));
    let members: BTreeSet<usize> = cluster
        .iter()
        .copied()
        .filter(|n| left(n).is_some())
        .collect();
    if members.len() < 2 {
        return Edge::unknown(
            Kind::Timing,
            rules,
            &format!(
                "{} of {} accounts were active on more than one day and hour of the last {} days, and two are needed",
                members.len(),
                cluster.len(),
                WINDOW_HOURS / 24
            ),
        );
    }
    let known = hours.left.keys().chain(further.keys());
    let pool: Vec<_> = known.map(|n| (*n, fleet.began_and_busy(*n))).collect();
    let strata = Strata::of(&pool, &members);
    if strata.fixed() {
        let why = "there is no other account as busy whose hours are known";
        return Edge::unknown(Kind::Timing, rules, why);
    }
    let sets = rank(
        &members,
        strata,
        rules.draws,
        rules.seed_of(Kind::Timing),
        |set| alike(set.iter().filter_map(left).map(|own| (own, 0))),
    );
    let own: Vec<&Vec<f64>> = members.iter().filter_map(left).collect();
    let moved = moved(&own, rules);
    let found = Rank {
        p: sets.p.max(moved.p),
        ..sets
    };
    let said = format!(
        "beyond their own daily and weekly rhythm and the fleet's, the hours of {} accounts agree by {:.4} (mean correlation of two); random sets of accounts as busy agree by {:.4} on average and {:.4} at most, the same accounts moved by whole weeks by {:.4} at most",
        members.len(),
        found.observed,
        found.mean,
        found.most,
        moved.most
    );
    Edge::ranked(Kind::Timing, rules, &found, &said)
}

/// Ranks the accounts' agreement among what it is when each one's weeks are moved.
fn moved(own: &[&Vec<f64>], rules: &Rules) -> Rank {
    let mut shuffler = Shuffler::new(rules.seed_of(Kind::Timing) ^ 1);
    let observed = alike(own.iter().map(|left| (*left, 0)));
    among(observed, rules.draws, || {
        let weeks = own
            .iter()
            .map(|left| (*left, WEEK * shuffler.below(left.len() / WEEK)));
        alike(weeks)
    })
}

/// Mean correlation over pairs, from the sum of unit vectors, each turned by so many hours.
fn alike<'a>(set: impl Iterator<Item = (&'a Vec<f64>, usize)>) -> f64 {
    let mut sum: Vec<f64> = Vec::new();
    let mut n = 0.0;
    for (left, by) in set {
        sum.resize(left.len(), 0.0);
        let turned = left.iter().cycle().skip(by);
        sum.iter_mut()
            .zip(turned)
            .for_each(|(to, from)| *to += from);
        n += 1.0;
    }
    let square: f64 = sum.iter().map(|x| x * x).sum();
    (square - n) / (n * (n - 1.0_f64)).max(1.0)
}

/// What the fleet did in each hour, over what its accounts' habits predict. An account weighs by
/// the root of its volume, so that no single one is the fleet.
fn common<'a>(habits: impl Iterator<Item = &'a Habit>) -> Vec<f64> {
    let hours = usize::try_from(WINDOW_HOURS).unwrap_or(0);
    let mut sums = vec![(USUAL, USUAL); hours];
    for habit in habits {
        let weight = 1.0 / habit.total.sqrt();
        for ((seen, expected), (x, e)) in sums.iter_mut().zip(&habit.hours) {
            *seen += x * weight;
            *expected += e * weight;
        }
    }
    sums.iter()
        .map(|(seen, expected)| seen / expected)
        .collect()
}

/// Sums over a cycle of hours or days.
struct Sums(Vec<f64>);

impl Sums {
    fn new(cycle: i64) -> Self {
        Self(vec![0.0; usize::try_from(cycle).unwrap_or(0)])
    }

    fn place(&self, n: i64) -> usize {
        let cycle = i64::try_from(self.0.len()).unwrap_or(1);
        usize::try_from(n.rem_euclid(cycle)).unwrap_or(0)
    }

    fn at(&self, n: i64) -> f64 {
        self.0.get(self.place(n)).copied().unwrap_or(0.0)
    }

    fn add(&mut self, n: i64, x: f64) {
        let place = self.place(n);
        if let Some(sum) = self.0.get_mut(place) {
            *sum += x;
        }
    }
}

/// An account's hours with what its habits predict for them.
struct Habit {
    /// Seen and expected, per hour of the window.
    hours: Vec<(f64, f64)>,
    total: f64,
}

impl Habit {
    /// None when it was active on one day or in one hour of the day only: there its habit
    /// explains everything.
    fn of(activity: &Activity, newest: i64) -> Option<Self> {
        let oldest = newest - WINDOW_HOURS + 1;
        let start = day_start(activity);
        let day = |hour: i64| (hour - start).div_euclid(24);
        // Whole days of the account only: a day that the window cuts would seem to be an odd one.
        let inside = day(oldest + 23)..day(newest + 1);
        let mut days: BTreeMap<i64, f64> = BTreeMap::new();
        let mut seen = Sums::new(WINDOW_HOURS);
        let mut by_hour = Sums::new(24);
        let mut weekdays = Sums::new(7);
        let mut by_week = Sums::new(7 * 24);
        let kept = activity.hours().iter();
        for (hour, n) in kept.filter(|(h, _)| inside.contains(&day(*h))) {
            let n = f64::from(*n);
            seen.add(*hour, n);
            *days.entry(day(*hour)).or_default() += n;
            by_hour.add(*hour, n);
            weekdays.add(day(*hour), n);
            by_week.add(hour - start, n);
        }
        let hours_used = by_hour.0.iter().filter(|n| **n > 0.0).count();
        if days.len() < 2 || hours_used < 2 {
            return None;
        }
        let total: f64 = days.values().sum();
        let predicted = |hour: i64| {
            let Some(of_day) = days.get(&day(hour)) else {
                return 0.0;
            };
            let usual = by_hour.at(hour) / total;
            let own = by_week.at(hour - start) + WEEKDAY_KNOWN * usual;
            of_day * own / (weekdays.at(day(hour)) + WEEKDAY_KNOWN)
        };
        let hours = (oldest..=newest).map(|hour| (seen.at(hour), predicted(hour)));
        Some(Self {
            hours: hours.collect(),
            total,
        })
    }

    /// What is left per hour, of length one; none when nothing is.
    ///
    /// # Source
    /// Freeman and Tukey 1950: `sqrt(x) + sqrt(x+1) - sqrt(4e+1)` has mean near zero and variance
    /// near one for counts as small as these, and lets no single hour's burst decide.
    fn left(&self, common: &[f64]) -> Option<Vec<f64>> {
        let one = |((x, e), common): (&(f64, f64), &f64)| {
            if *e > 0.0 {
                x.sqrt() + (x + 1.0).sqrt() - (4.0 * e * common + 1.0).sqrt()
            } else {
                0.0
            }
        };
        let mut left: Vec<f64> = self.hours.iter().zip(common).map(one).collect();
        let length = left.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut left {
            *x /= length;
        }
        (length > 1e-9).then_some(left)
    }
}

/// The hour of the UTC day in the middle of the account's quietest hours: there its day begins.
/// Cut at midnight UTC, a Friday evening in America would count as Saturday and all of its
/// neighbours would look alike.
fn day_start(activity: &Activity) -> i64 {
    let mut by_hour: BTreeMap<i64, u64> = BTreeMap::new();
    for (hour, n) in activity.hours() {
        *by_hour.entry(hour.rem_euclid(24)).or_default() += u64::from(*n);
    }
    let at = |hour: i64| by_hour.get(&hour.rem_euclid(24)).copied().unwrap_or(0);
    let night = |start: i64| (start..start + NIGHT).map(at).sum::<u64>();
    let quietest = (0..24).min_by_key(|start| night(*start)).unwrap_or(0);
    (quietest + NIGHT / 2).rem_euclid(24)
}
