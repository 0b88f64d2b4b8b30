//! How often may one address try to sign in?

use std::collections::HashMap;

use facts::{Span, Timestamp};

/// Tries of one address in a minute.
const TRIES_MAX: u32 = 30;
const WINDOW: Span = Span::seconds(60);
/// Addresses remembered; when there are more, those whose minute is over are let go.
const ADDRESSES_MAX: usize = 10_000;

/// Tries by address, in windows of a minute.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    tries: HashMap<String, (Timestamp, u32)>,
}

impl Limiter {
    /// Counts a try and says whether it may go on.
    pub(super) fn may_try(&mut self, from: &str, now: Timestamp) -> bool {
        if self.tries.len() >= ADDRESSES_MAX {
            self.tries.retain(|_, (since, _)| now < since.plus(WINDOW));
        }
        let entry = self.tries.entry(from.to_owned()).or_insert((now, 0));
        if entry.0.plus(WINDOW) <= now {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= TRIES_MAX
    }
}
