//! Are accounts of the cluster busy in the same hours, beyond everybody's rhythm?
//!
//! What an account's own day and its own habits explain is taken away first:
//! each hour is compared with what that day's total and that hour of the
//! account's day predict (independence of day and hour). Office hours, a time
//! zone, weekends, a launch, a busy week leave nothing behind; a controller
//! that starts many accounts in the same hour does. A time zone must not
//! score, because it is a country by another name.
//!
//! What is left is compared with random sets of accounts as busy that began in
//! the same week, so that an hour's outage of the whole service is in both.
//! Shifting each account's series by whole days was tried in its place and
//! left out: it breaks what all accounts share (weekends, outages) and accuses
//! for it.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::{Shuffler, Strata, rank};
use super::traits::WINDOW_HOURS;
use super::{Activity, Edge, Fleet, Kind, Rules};
use crate::bounds::real;

/// Accounts outside the cluster that are drawn from at most (672 hours of eight bytes each: 22 MB).
const POOL_MAX: usize = 4096;

/// The quiet hours by which an account's day is cut.
const NIGHT: i64 = 8;

/// Tests the hours.
pub(super) fn timing(fleet: &Fleet, cluster: &BTreeSet<usize>, rules: &Rules) -> Edge {
    let Some(newest) = fleet.newest_hour else {
        return Edge::unknown(Kind::Timing, rules, "no account's hours are known");
    };
    let mut others: Vec<usize> = (0..fleet.len()).filter(|n| !cluster.contains(n)).collect();
    let mut shuffler = Shuffler::new(rules.seed_of(Kind::Timing) ^ 1);
    shuffler.choose(&mut others, POOL_MAX);
    others.truncate(POOL_MAX);
    let mut own: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for n in cluster.iter().chain(&others) {
        let left = fleet.activity(*n).and_then(|a| unexplained(a, newest));
        own.extend(left.map(|left| (*n, left)));
    }
    let members: BTreeSet<usize> = cluster
        .iter()
        .copied()
        .filter(|n| own.contains_key(n))
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
    let pool: Vec<_> = own.keys().map(|n| (*n, fleet.began_and_busy(*n))).collect();
    let strata = Strata::of(&pool, &members);
    if strata.fixed() {
        let why = "there is no other account as busy whose hours are known";
        return Edge::unknown(Kind::Timing, rules, why);
    }
    let found = rank(
        &members,
        strata,
        rules.draws,
        rules.seed_of(Kind::Timing),
        |set| alike(&own, set),
    );
    let said = format!(
        "beyond each account's own daily rhythm and daily totals, the hours of {} accounts agree by {:.4} (mean correlation of two); random sets of accounts as busy agree by {:.4} on average and {:.4} at most",
        members.len(),
        found.observed,
        found.mean,
        found.most
    );
    Edge::ranked(Kind::Timing, rules, &found, &said)
}

/// Mean correlation over pairs of the set, from the sum of its unit vectors.
fn alike(own: &BTreeMap<usize, Vec<f64>>, set: &[usize]) -> f64 {
    let mut sum: Vec<f64> = Vec::new();
    for left in set.iter().filter_map(|n| own.get(n)) {
        sum.resize(left.len(), 0.0);
        sum.iter_mut().zip(left).for_each(|(to, from)| *to += from);
    }
    let n = real(set.len());
    let square: f64 = sum.iter().map(|x| x * x).sum();
    (square - n) / (n * (n - 1.0)).max(1.0)
}

/// What an account's days and hours leave unexplained, per hour of the window, of length one;
/// none when they explain everything.
///
/// # Source
/// Freeman and Tukey 1950: `sqrt(x) + sqrt(x+1) - sqrt(4e+1)` has mean near zero and variance near
/// one for counts as small as these, and lets no single hour's burst decide.
pub(super) fn unexplained(activity: &Activity, newest: i64) -> Option<Vec<f64>> {
    let oldest = newest - WINDOW_HOURS + 1;
    let start = day_start(activity);
    let day = |hour: i64| (hour - start).div_euclid(24);
    // Whole days of the account only: a day that the window cuts would seem to be an odd one.
    let first = day(oldest + 23);
    let last = day(newest + 1) - 1;
    let inside = |hour: i64| (first..=last).contains(&day(hour));
    let mut days: BTreeMap<i64, f64> = BTreeMap::new();
    let mut hours: BTreeMap<i64, f64> = BTreeMap::new();
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    let mut total = 0.0;
    for (hour, n) in activity.hours().iter().filter(|(h, _)| inside(*h)) {
        let n = f64::from(*n);
        *days.entry(day(*hour)).or_default() += n;
        *hours.entry(hour.rem_euclid(24)).or_default() += n;
        counts.insert(*hour, n);
        total += n;
    }
    if days.len() < 2 || hours.len() < 2 {
        return None;
    }
    let mut left: Vec<f64> = (oldest..=newest)
        .map(|hour| {
            let of_day = days.get(&day(hour)).copied().unwrap_or(0.0);
            let of_hour = hours.get(&hour.rem_euclid(24)).copied().unwrap_or(0.0);
            let expected = of_day * of_hour / total;
            let x = counts.get(&hour).copied().unwrap_or(0.0);
            if expected > 0.0 {
                x.sqrt() + (x + 1.0).sqrt() - (4.0 * expected + 1.0).sqrt()
            } else {
                0.0
            }
        })
        .collect();
    let length = left.iter().map(|x| x * x).sum::<f64>().sqrt();
    left.iter_mut().for_each(|x| *x /= length);
    (length > 1e-9).then_some(left)
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
