use super::*;
use proptest::prelude::*;

fn id(n: usize) -> ExchangeId {
    ExchangeId::parse(&format!("x{n}")).unwrap()
}

fn need(tokens: u64, price: u64) -> Need {
    Need {
        tokens,
        price: MicroUsd(price),
    }
}

const LEASE: Span = Span::seconds(90);
const LONG: Span = Span::days(3650);

/// Keeps the whole history and recounts it for every question.
struct Twin {
    limits: Vec<Limits>,
    past: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    id: usize,
    chain: [usize; 4],
    at: i64,
    need: Need,
    settled: Option<(i64, Need)>,
    released: bool,
}

impl Twin {
    fn expired(e: &Entry, now: i64) -> bool {
        !e.released && e.settled.is_none_or(|(t, _)| t >= e.at + LEASE.0) && now >= e.at + LEASE.0
    }

    fn tokens(&self, meter: usize, now: i64, window: i64) -> u64 {
        let current = now.div_euclid(window);
        let mut sum = 0;
        for e in self.past.iter().filter(|e| e.chain.contains(&meter)) {
            let opened_here = e.at.div_euclid(window) == current;
            let expired = Self::expired(e, now);
            match e.settled {
                _ if e.released => {}
                Some((t, actual)) => {
                    let held = if expired { 0 } else { e.need.tokens };
                    let settled_here = t.div_euclid(window) == current;
                    sum += match (opened_here, settled_here) {
                        (true, true) => actual.tokens,
                        (true, false) => held,
                        (false, true) => actual.tokens.saturating_sub(held),
                        (false, false) => 0,
                    };
                }
                None if opened_here && !expired => sum += e.need.tokens,
                None => {}
            }
        }
        sum
    }

    fn requests(&self, meter: usize, now: i64, window: i64) -> u64 {
        let hit = |e: &&Entry| {
            e.chain.contains(&meter)
                && !e.released
                && e.at.div_euclid(window) == now.div_euclid(window)
        };
        self.past.iter().filter(hit).count() as u64
    }

    fn money(&self, meter: usize, now: i64) -> u64 {
        self.past
            .iter()
            .filter(|e| e.chain.contains(&meter) && !e.released)
            .map(|e| match e.settled {
                Some((_, actual)) => actual.price.0,
                None if Self::expired(e, now) => 0,
                None => e.need.price.0,
            })
            .sum()
    }

    fn admits(&self, chain: [usize; 4], need: Need, now: i64) -> bool {
        chain.iter().all(|m| {
            let l = self.limits[*m];
            let ok = |used: u64, limit: Option<u64>| limit.is_none_or(|limit| used <= limit);
            ok(self.requests(*m, now, MINUTE_MS) + 1, l.requests_per_minute)
                && ok(self.requests(*m, now, DAY_MS) + 1, l.requests_per_day)
                && ok(
                    self.tokens(*m, now, MINUTE_MS) + need.tokens,
                    l.tokens_per_minute,
                )
                && ok(self.tokens(*m, now, DAY_MS) + need.tokens, l.tokens_per_day)
                && ok(self.money(*m, now) + need.price.0, l.budget.map(|b| b.0))
        })
    }
}

#[derive(Debug, Clone)]
enum Step {
    Reserve { key: usize, tokens: u64, price: u64 },
    Settle { nth: usize, tokens: u64, price: u64 },
    Release { nth: usize },
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..3, 0u64..40, 0u64..40)
            .prop_map(|(key, tokens, price)| Step::Reserve { key, tokens, price }),
        3 => (0usize..60, 0u64..80, 0u64..80)
            .prop_map(|(nth, tokens, price)| Step::Settle { nth, tokens, price }),
        1 => (0usize..60).prop_map(|nth| Step::Release { nth }),
        2 => prop_oneof![0i64..30_000, Just(3_600_000i64 * 7)].prop_map(Step::Pass),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let some = |r: std::ops::Range<u64>| proptest::option::of(r);
    (
        some(1..8),
        some(20..200),
        some(3..30),
        some(50..600),
        some(20..400),
    )
        .prop_map(|(rpm, tpm, rpd, tpd, budget)| Limits {
            requests_per_minute: rpm,
            tokens_per_minute: tpm,
            requests_per_day: rpd,
            tokens_per_day: tpd,
            budget: budget.map(MicroUsd),
        })
}

/// Keys 0 and 1 share account 3; key 2 has account 4; both share 5 and 6.
fn chain_of(key: usize) -> [usize; 4] {
    [key, if key < 2 { 3 } else { 4 }, 5, 6]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_quota_agrees_with_its_naive_twin(
        all in proptest::collection::vec(limits(), 7),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut quota = Quota::new(LEASE, LONG);
        let meters: Vec<_> = all.iter().map(|l| quota.meter(*l)).collect();
        let mut twin = Twin { limits: all, past: Vec::new() };
        let mut now = 1_700_000_000_000i64;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Reserve { key, tokens, price } => {
                    let chain = chain_of(key);
                    let expected = twin.admits(chain, need(tokens, price), now);
                    let got = quota.reserve(
                        &id(n), chain.map(|m| meters[m]), need(tokens, price), Timestamp(now),
                    );
                    prop_assert_eq!(got.is_ok(), expected, "step {}: {:?}", n, got);
                    if expected {
                        twin.past.push(Entry {
                            id: n, chain, at: now, need: need(tokens, price),
                            settled: None, released: false,
                        });
                    }
                }
                Step::Settle { nth, tokens, price } => {
                    let Some(e) = twin.past.get_mut(nth) else { continue };
                    let fresh = e.settled.is_none() && !e.released;
                    let got = quota.settle(&id(e.id), need(tokens, price), Timestamp(now));
                    prop_assert_eq!(got == Settled::Charged, fresh);
                    if fresh { e.settled = Some((now, need(tokens, price))); }
                }
                Step::Release { nth } => {
                    let Some(e) = twin.past.get_mut(nth) else { continue };
                    let fresh = e.settled.is_none() && !e.released && !Twin::expired(e, now);
                    let got = quota.release(&id(e.id), Timestamp(now));
                    prop_assert_eq!(got == Settled::Charged, fresh);
                    if fresh { e.released = true; }
                }
                Step::Pass(ms) => now += ms,
            }
            quota.wake(Timestamp(now));
            for (m, meter) in meters.iter().enumerate() {
                let (spent, reserved) = quota.spent(*meter);
                prop_assert_eq!(spent.0 + reserved.0, twin.money(m, now), "money of {}", m);
            }
        }
    }

    #[test]
    fn a_budget_for_fifty_admits_exactly_fifty_of_two_hundred(
        settles in proptest::collection::vec(any::<bool>(), 200), cost in 1u64..1000,
    ) {
        let mut quota = Quota::new(LEASE, LONG);
        let limits = Limits { budget: Some(MicroUsd(cost * 50)), ..Limits::UNLIMITED };
        let budgeted = quota.meter(limits);
        let free = quota.meter(Limits::UNLIMITED);
        let mut admitted = Vec::new();
        let mut now = Timestamp(1_700_000_000_000);
        for (n, settle_one) in settles.into_iter().enumerate() {
            now = now.plus(Span(1));
            if quota.reserve(&id(n), [free, budgeted, free, free], need(1, cost), now).is_ok() {
                admitted.push(n);
            }
            if settle_one && let Some(last) = admitted.last() {
                quota.settle(&id(*last), need(1, cost), now);
            }
        }
        prop_assert_eq!(admitted.len(), 50);
    }
}

#[test]
fn a_lease_expires_and_frees_what_it_held() {
    let mut quota = Quota::new(LEASE, LONG);
    let limits = Limits {
        budget: Some(MicroUsd(10)),
        ..Limits::UNLIMITED
    };
    let chain = [(); 4].map(|()| quota.meter(limits));
    let start = Timestamp(1_700_000_000_000);
    assert!(quota.reserve(&id(1), chain, need(1, 10), start).is_ok());
    assert_eq!(
        quota.reserve(&id(2), chain, need(1, 1), start),
        Err(Denied::Budget(MicroUsd(10)))
    );
    assert_eq!(quota.deadline(), Some(start.plus(LEASE)));
    assert!(
        quota
            .reserve(&id(3), chain, need(1, 1), start.plus(LEASE))
            .is_ok()
    );
    assert_eq!(
        quota.settle(&id(1), need(1, 7), start.plus(LEASE)),
        Settled::Charged
    );
    assert_eq!(quota.spent(chain[0]), (MicroUsd(7), MicroUsd(1)));
}

#[test]
fn a_refused_reservation_changes_no_scope() {
    let mut quota = Quota::new(LEASE, LONG);
    let one = Limits {
        requests_per_minute: Some(1),
        ..Limits::UNLIMITED
    };
    let (tight, loose) = (quota.meter(one), quota.meter(one));
    let now = Timestamp(1_700_000_000_000);
    let free = quota.meter(Limits::UNLIMITED);
    assert!(
        quota
            .reserve(&id(1), [free, free, free, tight], need(1, 1), now)
            .is_ok()
    );
    let refused = quota.reserve(&id(2), [loose, free, free, tight], need(1, 1), now);
    assert!(matches!(
        refused,
        Err(Denied::Rate {
            limit: "requests_per_minute",
            ..
        })
    ));
    assert!(
        quota
            .reserve(&id(3), [loose, free, free, free], need(1, 1), now)
            .is_ok()
    );
}

#[test]
fn the_header_state_is_the_tightest_scope_and_resets_with_the_minute() {
    let mut quota = Quota::new(LEASE, LONG);
    let of = |n| Limits {
        requests_per_minute: Some(n),
        ..Limits::UNLIMITED
    };
    let chain = [
        quota.meter(of(10)),
        quota.meter(of(3)),
        quota.meter(of(7)),
        quota.meter(of(9)),
    ];
    let now = Timestamp(1_700_000_040_000 / 60_000 * 60_000 + 15_000);
    let state = quota.reserve(&id(1), chain, need(1, 1), now).unwrap();
    assert_eq!((state.requests_limit, state.requests_remaining), (3, 2));
    assert_eq!(state.reset_ms, 45_000);
    quota.wake(now.plus(Span::seconds(45)));
    assert_eq!(quota.state(chain).requests_remaining, 3);
}
