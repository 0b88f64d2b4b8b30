//! What is known of an account besides its prompts.

use std::collections::BTreeSet;

use facts::Timestamp;

/// Days that are kept of an account's hours.
pub const WINDOW_DAYS: usize = 28;

/// Hours of [`WINDOW_DAYS`].
pub(crate) const WINDOW_HOURS: i64 = 28 * 24;

const HOUR_MS: i64 = 3_600_000;

/// Exchanges per hour over the last [`WINDOW_DAYS`] days, by the account's newest exchange.
///
/// # Units
/// Hours since 1970-01-01T00:00Z, and counts. At most 672 hours are kept, so an account costs at
/// most 8 KB and one of 25 exchanges a few hundred bytes. Merging two halves gives the whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Hours with exchanges, in order.
    hours: Vec<(i64, u32)>,
}

impl Activity {
    /// Counts from somewhere else: (hour since 1970, exchanges), in any order.
    pub fn of(counts: impl IntoIterator<Item = (i64, u32)>) -> Self {
        let mut made = Self {
            hours: counts.into_iter().filter(|(_, n)| *n > 0).collect(),
        };
        made.settle();
        made
    }

    /// The hour of a moment.
    pub fn hour(at: Timestamp) -> i64 {
        at.0.div_euclid(HOUR_MS)
    }

    /// Counts one exchange.
    pub fn saw(&mut self, at: Timestamp) {
        let hour = Self::hour(at);
        match self.hours.binary_search_by_key(&hour, |(h, _)| *h) {
            Ok(place) => {
                if let Some((_, n)) = self.hours.get_mut(place) {
                    *n = n.saturating_add(1);
                }
            }
            Err(place) => {
                self.hours.insert(place, (hour, 1));
                self.forget();
            }
        }
    }

    /// Adds what another part of the same account's history saw.
    pub fn merge(&mut self, other: &Self) {
        self.hours.extend_from_slice(&other.hours);
        self.settle();
    }

    /// The kept hours with their counts, in order.
    pub fn hours(&self) -> &[(i64, u32)] {
        &self.hours
    }

    /// Exchanges in the kept hours.
    pub fn total(&self) -> u64 {
        self.hours.iter().map(|(_, n)| u64::from(*n)).sum()
    }

    /// Exchanges in the hours after `after` up to and with `until`.
    pub(crate) fn between(&self, after: i64, until: i64) -> u64 {
        let from = self.hours.partition_point(|(h, _)| *h <= after);
        let rest = self.hours.get(from..).unwrap_or_default();
        let theirs = rest.iter().take_while(|(h, _)| *h <= until);
        theirs.map(|(_, n)| u64::from(*n)).sum()
    }

    fn settle(&mut self) {
        self.hours.sort_unstable();
        self.hours.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            same
        });
        self.forget();
    }

    fn forget(&mut self) {
        let newest = self.hours.last().map_or(0, |(h, _)| *h);
        let gone = self
            .hours
            .partition_point(|(h, _)| *h <= newest.saturating_sub(WINDOW_HOURS));
        self.hours.drain(..gone);
    }
}

/// What links an account to others, besides what it asks.
///
/// Tokens are opaque: hashed with a key of the house before they come here. A country, an
/// autonomous system or the use of a VPN is none of them and never becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traits {
    /// Hashes of payment tokens, for example of a card.
    pub payment: BTreeSet<u64>,
    /// Hashes of verified identities.
    pub identity: BTreeSet<u64>,
    /// Hashes of network blocks: /24 of IPv4, /48 of IPv6.
    pub network: BTreeSet<u64>,
    /// When it was active.
    pub activity: Activity,
    /// Its first exchange, where known.
    pub first_seen: Option<Timestamp>,
    /// When it was first blocked, if it was.
    pub blocked_at: Option<Timestamp>,
}

impl Traits {
    /// Notes one exchange.
    pub fn saw(&mut self, at: Timestamp) {
        self.activity.saw(at);
        self.first_seen = earlier(self.first_seen, Some(at));
    }

    /// Adds what is known from another part of the same account's history, or of another account
    /// of the same customer.
    pub fn merge(&mut self, other: &Self) {
        self.payment.extend(&other.payment);
        self.identity.extend(&other.identity);
        self.network.extend(&other.network);
        self.activity.merge(&other.activity);
        self.first_seen = earlier(self.first_seen, other.first_seen);
        self.blocked_at = earlier(self.blocked_at, other.blocked_at);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
