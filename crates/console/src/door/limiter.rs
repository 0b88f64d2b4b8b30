//! How often may one address try to sign in, and how often as whom?
//!
//! Tries are counted by address and by what is tried there (the public part of
//! a key), so that one noisy customer behind an address that many share shuts
//! the door to nobody else; and, further out, by address alone.

use std::collections::HashMap;
use std::net::IpAddr;

use facts::{Span, Timestamp};

/// Tries as one, from one address, in a minute.
const TRIES_MAX: u32 = 30;
/// Tries from one address, as whoever, in a minute.
const ADDRESS_MAX: u32 = 300;
const WINDOW: Span = Span::seconds(60);
/// Counts that are remembered at once.
const COUNTS_MAX: usize = 10_000;
/// Characters of a name that are remembered.
const NAME_MAX: usize = 40;

/// Who tries, as far as counting goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source(String);

impl Source {
    /// Somebody at an address; one network of IPv6 is one address, because it is one subscriber's.
    pub(crate) fn address(ip: Option<IpAddr>) -> Self {
        Self(match ip.map(|ip| ip.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        })
    }

    fn naming(&self, name: &str) -> String {
        let name: String = name.chars().take(NAME_MAX).collect();
        format!("{} {name}", self.0)
    }
}

/// Tries in windows of a minute.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    tries: HashMap<String, (Timestamp, u32)>,
}

impl Limiter {
    /// Counts a try as `name` (nobody in particular: empty) and says whether it may go on.
    pub(super) fn may_try(&mut self, from: &Source, name: &str, now: Timestamp) -> bool {
        let own = self.counted(from.naming(name), now) <= TRIES_MAX;
        let all = self.counted(from.0.clone(), now) <= ADDRESS_MAX;
        own && all
    }

    fn counted(&mut self, what: String, now: Timestamp) -> u32 {
        if self.tries.len() >= COUNTS_MAX && !self.tries.contains_key(&what) {
            self.make_room(now);
        }
        let entry = self.tries.entry(what).or_insert((now, 0));
        if entry.0.plus(WINDOW) <= now {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1
    }

    /// Lets go of what is over; where everything is of this minute, of the older half, so that a
    /// flood of addresses costs little for each of them.
    fn make_room(&mut self, now: Timestamp) {
        self.tries.retain(|_, (since, _)| now < since.plus(WINDOW));
        if self.tries.len() < COUNTS_MAX {
            return;
        }
        let mut began: Vec<Timestamp> = self.tries.values().map(|(since, _)| *since).collect();
        let half = began.len() / 2;
        let (_, middle, _) = began.select_nth_unstable(half);
        let middle = *middle;
        self.tries.retain(|_, (since, _)| middle < *since);
    }

    /// How many counts are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.tries.len()
    }
}
