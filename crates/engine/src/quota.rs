//! May this much more be consumed? Reserve, then settle.
//!
//! A request is reserved against every scope of its chain (key, account,
//! project, organisation) at once: all or nothing. Nothing is asked of the
//! store, so the cost is that of four meters.
//!
//! # Shape
//! Windows are fixed: the calendar minute and the UTC day in which the request
//! was admitted. A window begins empty, save for debt: what an exchange
//! consumed beyond its reservation is charged to the window in which it is
//! settled. A budget has no window; it counts what was spent and what is
//! reserved. A reservation is a lease: when it expires (the process that held
//! it died) what it held is free again, and a late settling is charged whole.

use std::collections::{HashMap, VecDeque};

use facts::{ExchangeId, MicroUsd, Span, Timestamp};

use crate::ask::LimitState;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// More than any published context window: what one exchange can consume at
/// most. A figure above it is a fault of the upstream and is not believed.
pub const TOKENS_PER_EXCHANGE_MAX: u64 = 16_000_000;

/// Limits of one scope; none is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Requests admitted per calendar minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens per calendar minute.
    pub tokens_per_minute: Option<u64>,
    /// Requests admitted per UTC day.
    pub requests_per_day: Option<u64>,
    /// Tokens per UTC day.
    pub tokens_per_day: Option<u64>,
    /// Spend, in all.
    pub budget: Option<MicroUsd>,
}

impl Limits {
    /// None at all.
    pub const UNLIMITED: Self = Self {
        requests_per_minute: None,
        tokens_per_minute: None,
        requests_per_day: None,
        tokens_per_day: None,
        budget: None,
    };
}

/// Names a meter of one [`Quota`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeterId(usize);

/// The meters that one request is charged to.
pub type Chain = [MeterId; 4];

/// What a request may consume at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Tokens.
    pub tokens: u64,
    /// Their price.
    pub price: MicroUsd,
}

/// Why a reservation was refused; nothing was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// A window is full.
    Rate {
        /// `requests_per_minute` and so on, as in [`Limits`].
        limit: &'static str,
        /// For the headers.
        state: LimitState,
        /// When the window starts anew.
        retry_after_ms: u64,
    },
    /// The budget does not cover the upper estimate.
    Budget(MicroUsd),
    /// The exchange holds, or held, a reservation already.
    Duplicate,
}

/// What a settling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Charged.
    Charged,
    /// Settled or released before; nothing was charged again.
    Already,
    /// Never reserved here, or forgotten since; nothing was charged.
    Unknown,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    index: i64,
    requests: u64,
    tokens: u64,
}

impl Window {
    fn roll(&mut self, index: i64) {
        if self.index != index {
            *self = Self {
                index,
                ..Self::default()
            };
        }
    }

    fn settle(&mut self, opened: i64, reserved: u64, actual: u64) {
        if self.index == opened {
            self.tokens = self.tokens.saturating_sub(reserved).saturating_add(actual);
        } else {
            self.tokens = self.tokens.saturating_add(actual.saturating_sub(reserved));
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Meter {
    limits: Limits,
    minute: Window,
    day: Window,
    spent: u64,
    reserved: u64,
}

impl Meter {
    fn roll(&mut self, now: Timestamp) {
        self.minute.roll(now.0.div_euclid(MINUTE_MS));
        self.day.roll(now.0.div_euclid(DAY_MS));
    }

    /// The first limit that `need` would break, with its window's length.
    fn broken(&self, need: Need) -> Option<(&'static str, i64)> {
        let over = |used: u64, more: u64, limit: Option<u64>| {
            limit.is_some_and(|limit| used.saturating_add(more) > limit)
        };
        let Limits {
            requests_per_minute: rpm,
            tokens_per_minute: tpm,
            requests_per_day: rpd,
            tokens_per_day: tpd,
            budget,
        } = self.limits;
        if over(self.day.requests, 1, rpd) {
            Some(("requests_per_day", DAY_MS))
        } else if over(self.day.tokens, need.tokens, tpd) {
            Some(("tokens_per_day", DAY_MS))
        } else if over(self.minute.requests, 1, rpm) {
            Some(("requests_per_minute", MINUTE_MS))
        } else if over(self.minute.tokens, need.tokens, tpm) {
            Some(("tokens_per_minute", MINUTE_MS))
        } else if over(
            self.spent.saturating_add(self.reserved),
            need.price.0,
            budget.map(|b| b.0),
        ) {
            Some(("budget", 0))
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Expired,
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    chain: Chain,
    need: Need,
    minute: i64,
    day: i64,
    stage: Stage,
}

/// Every meter and every open reservation.
#[derive(Debug)]
pub struct Quota {
    meters: Vec<Meter>,
    leases: HashMap<ExchangeId, Lease>,
    /// In order of admission, which is the order of expiry: the span is constant.
    open: VecDeque<(Timestamp, ExchangeId)>,
    /// Expired or done, remembered so that a repeated settling charges nothing.
    past: VecDeque<(Timestamp, ExchangeId)>,
    lease: Span,
    memory: Span,
    now: Timestamp,
}

impl Quota {
    /// Empty. A reservation lives for `lease`; an exchange's id is remembered
    /// for `memory` after it ended.
    pub fn new(lease: Span, memory: Span) -> Self {
        Self {
            meters: Vec::new(),
            leases: HashMap::new(),
            open: VecDeque::new(),
            past: VecDeque::new(),
            lease,
            memory,
            now: Timestamp(i64::MIN),
        }
    }

    /// A new meter.
    pub fn meter(&mut self, limits: Limits) -> MeterId {
        self.meters.push(Meter {
            limits,
            minute: Window::default(),
            day: Window::default(),
            spent: 0,
            reserved: 0,
        });
        MeterId(self.meters.len() - 1)
    }

    /// Changes a meter's limits; what it counted stays.
    pub fn limit(&mut self, id: MeterId, limits: Limits) {
        if let Some(meter) = self.meters.get_mut(id.0) {
            meter.limits = limits;
        }
    }

    /// Sets what a meter's scope had spent before this process started.
    pub fn restore(&mut self, id: MeterId, spent: MicroUsd) {
        if let Some(meter) = self.meters.get_mut(id.0) {
            meter.spent = spent.0;
        }
    }

    /// What a meter's scope has spent: (settled, reserved).
    pub fn spent(&self, id: MeterId) -> (MicroUsd, MicroUsd) {
        self.meters
            .get(id.0)
            .map_or((MicroUsd::ZERO, MicroUsd::ZERO), |m| {
                (MicroUsd(m.spent), MicroUsd(m.reserved))
            })
    }

    /// Reserves `need` on every meter of `chain`, or on none.
    ///
    /// # Errors
    /// [`Denied`] with the limit that stands in the way.
    pub fn reserve(
        &mut self,
        exchange: &ExchangeId,
        chain: Chain,
        need: Need,
        at: Timestamp,
    ) -> Result<LimitState, Denied> {
        self.wake(at);
        if self.leases.contains_key(exchange) {
            return Err(Denied::Duplicate);
        }
        let now = self.now;
        for id in chain {
            let Some(meter) = self.meters.get_mut(id.0) else {
                continue;
            };
            meter.roll(now);
            let budget = meter.limits.budget;
            if let Some((limit, window)) = meter.broken(need) {
                return Err(match (window, budget) {
                    (0, budget) => Denied::Budget(budget.unwrap_or(MicroUsd::ZERO)),
                    (window, _) => Denied::Rate {
                        limit,
                        state: self.state(chain),
                        retry_after_ms: left_of(now, window),
                    },
                });
            }
        }
        self.each(chain, |meter| {
            for window in [&mut meter.minute, &mut meter.day] {
                window.requests = window.requests.saturating_add(1);
                window.tokens = window.tokens.saturating_add(need.tokens);
            }
            meter.reserved = meter.reserved.saturating_add(need.price.0);
        });
        let lease = Lease {
            chain,
            need,
            minute: now.0.div_euclid(MINUTE_MS),
            day: now.0.div_euclid(DAY_MS),
            stage: Stage::Open,
        };
        self.leases.insert(exchange.clone(), lease);
        self.open
            .push_back((now.plus(self.lease), exchange.clone()));
        Ok(self.state(chain))
    }

    /// Replaces the reservation by what was consumed.
    pub fn settle(&mut self, exchange: &ExchangeId, actual: Need, at: Timestamp) -> Settled {
        self.wake(at);
        let (now, memory) = (self.now, self.memory);
        let Some(lease) = self.leases.get_mut(exchange) else {
            return Settled::Unknown;
        };
        let was = *lease;
        if was.stage == Stage::Done {
            return Settled::Already;
        }
        lease.stage = Stage::Done;
        let held = if was.stage == Stage::Open {
            self.past.push_back((now.plus(memory), exchange.clone()));
            was.need
        } else {
            Need {
                tokens: 0,
                price: MicroUsd::ZERO,
            }
        };
        self.each(was.chain, |meter| {
            meter.roll(now);
            meter.minute.settle(was.minute, held.tokens, actual.tokens);
            meter.day.settle(was.day, held.tokens, actual.tokens);
            meter.reserved = meter.reserved.saturating_sub(held.price.0);
            meter.spent = meter.spent.saturating_add(actual.price.0);
        });
        Settled::Charged
    }

    /// Undoes a reservation whose request never went upstream.
    pub fn release(&mut self, exchange: &ExchangeId, at: Timestamp) -> Settled {
        self.wake(at);
        let (now, memory) = (self.now, self.memory);
        let Some(lease) = self.leases.get_mut(exchange) else {
            return Settled::Unknown;
        };
        if lease.stage != Stage::Open {
            return Settled::Already;
        }
        lease.stage = Stage::Done;
        let was = *lease;
        self.past.push_back((now.plus(memory), exchange.clone()));
        self.each(was.chain, |meter| {
            meter.roll(now);
            for (window, opened) in [(&mut meter.minute, was.minute), (&mut meter.day, was.day)] {
                if window.index == opened {
                    window.requests = window.requests.saturating_sub(1);
                }
                window.settle(opened, was.need.tokens, 0);
            }
            meter.reserved = meter.reserved.saturating_sub(was.need.price.0);
        });
        Settled::Charged
    }

    /// Lets expired leases go. Time never runs backwards here.
    pub fn wake(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        let now = self.now;
        while self.open.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, exchange)) = self.open.pop_front() else {
                break;
            };
            self.expire(exchange);
        }
        while self.past.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, exchange)) = self.past.pop_front() {
                self.leases.remove(&exchange);
            }
        }
    }

    /// When [`Quota::wake`] has something to do next.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.open.front().map(|(due, _)| *due)
    }

    /// The tightest of the chain's minute windows.
    pub fn state(&self, chain: Chain) -> LimitState {
        let mut state = LimitState {
            reset_ms: left_of(self.now, MINUTE_MS),
            ..LimitState::default()
        };
        let minute = self.now.0.div_euclid(MINUTE_MS);
        for meter in chain.iter().filter_map(|id| self.meters.get(id.0)) {
            let (requests, tokens) = if meter.minute.index == minute {
                (meter.minute.requests, meter.minute.tokens)
            } else {
                (0, 0)
            };
            if let Some(limit) = meter.limits.requests_per_minute {
                let left = limit.saturating_sub(requests);
                if state.requests_limit == 0 || left < state.requests_remaining {
                    (state.requests_limit, state.requests_remaining) = (limit, left);
                }
            }
            if let Some(limit) = meter.limits.tokens_per_minute {
                let left = limit.saturating_sub(tokens);
                if state.tokens_limit == 0 || left < state.tokens_remaining {
                    (state.tokens_limit, state.tokens_remaining) = (limit, left);
                }
            }
        }
        state
    }

    fn expire(&mut self, exchange: ExchangeId) {
        let (now, memory) = (self.now, self.memory);
        let Some(lease) = self.leases.get_mut(&exchange) else {
            return;
        };
        if lease.stage != Stage::Open {
            return;
        }
        lease.stage = Stage::Expired;
        let was = *lease;
        self.past.push_back((now.plus(memory), exchange));
        self.each(was.chain, |meter| {
            meter.roll(now);
            meter.minute.settle(was.minute, was.need.tokens, 0);
            meter.day.settle(was.day, was.need.tokens, 0);
            meter.reserved = meter.reserved.saturating_sub(was.need.price.0);
        });
    }

    fn each(&mut self, chain: Chain, mut change: impl FnMut(&mut Meter)) {
        for id in chain {
            if let Some(meter) = self.meters.get_mut(id.0) {
                change(meter);
            }
        }
    }
}

fn left_of(now: Timestamp, window: i64) -> u64 {
    u64::try_from(window - now.0.rem_euclid(window)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
