//! A small world of random steps: few people, few days, so that they meet.

use facts::{AccountId, CaseId, ClauseId, PersonId, Timestamp};

use crate::*;

/// `SplitMix64`: small, seeded, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(super) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

pub(super) fn actor(person: &str, identity: u8, role: Role) -> Actor {
    Actor {
        person: PersonId::parse(person).unwrap(),
        identity: Identity([identity; 32]),
        role,
    }
}

pub(super) fn account(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

pub(super) fn case_id(name: &str) -> CaseId {
    CaseId::parse(name).unwrap()
}

pub(super) fn observation() -> Observation {
    Observation {
        accounts: vec![account("a"), account("b")],
        clause: ClauseId::parse("terms/3.e").unwrap(),
        summary: "30 accounts run one programme".to_owned(),
        exculpatory: "none found".to_owned(),
        automated: true,
        rests_on: vec![case_id("root"), case_id("other")],
    }
}

pub(super) fn first() -> Step {
    Step {
        at: Timestamp(0),
        by: actor("ann", 1, Role::Reviewer),
        comment: String::new(),
        deed: Deed::Observed(observation()),
        attachments: Vec::new(),
    }
}

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

const LIMITS: [Limits; 3] = [
    Limits {
        requests_per_minute: Some(5),
        tokens_per_minute: None,
    },
    Limits {
        requests_per_minute: Some(9),
        tokens_per_minute: Some(1_000),
    },
    Limits {
        requests_per_minute: None,
        tokens_per_minute: None,
    },
];

/// Whose step such a deed is, mostly; anybody's, sometimes. `bob2` is bob's
/// second account; `cat` shares hers under two identities.
fn by(random: &mut Random, deed: &Deed) -> Actor {
    let staff = [
        actor("ann", 1, Role::Reviewer),
        actor("ann", 1, Role::Approver),
        actor("bob", 2, Role::Approver),
        actor("bob2", 2, Role::Approver),
        actor("cat", 3, Role::Approver),
        actor("cat", 4, Role::Approver),
        actor("dan", 5, Role::Approver),
        actor("eve", 6, Role::Approver),
    ];
    let others = [
        actor("a", 100, Role::Customer),
        actor("z", 101, Role::Customer),
        actor("fairhold", 0, Role::System),
        actor("aud", 7, Role::Auditor),
        actor("adm", 8, Role::Administrator),
        actor("a", 100, Role::Approver),
    ];
    if random.chance(6) {
        return random.of(&others);
    }
    match deed.right() {
        Right::Declare | Right::Undertake | Right::Appeal => actor("a", 100, Role::Customer),
        Right::Reopen => actor("fairhold", 0, Role::System),
        _ => random.of(&staff),
    }
}

fn proposal(random: &mut Random, at: i64) -> Deed {
    let limits = random.of(&LIMITS);
    let measure = random.of(&[
        Measure::Throttle(limits),
        Measure::Mark,
        Measure::Suspend,
        Measure::Suspend,
        Measure::Terminate,
    ]);
    let until = random.of(&[None, None, None, Some(at + HOUR), Some(at + 9 * DAY)]);
    Deed::Proposed(Proposal {
        measure,
        until: until.map(Timestamp),
        reason: "milder measures did not help".to_owned(),
        exculpatory: "none found".to_owned(),
    })
}

fn deed(random: &mut Random, at: i64) -> Deed {
    let limits = random.of(&LIMITS);
    match random.below(31) {
        0 | 1 => Deed::Noticed(Notice {
            metric: "exchanges a day".to_owned(),
            under: "20".to_owned(),
            due: Timestamp(at + random.of(&[2 * DAY, 3 * DAY, 10 * DAY, 40 * DAY])),
            declaration: true,
        }),
        2 => Deed::Declared,
        3 | 4 => {
            let one = |random: &mut Random| Condition {
                promise: "no more than 10 a day".to_owned(),
                check: "count them".to_owned(),
                by: Timestamp(at + random.of(&[-HOUR, 5 * DAY, 5 * DAY, 50 * DAY])),
            };
            let n = random.below(3);
            Deed::Undertaken((0..n).map(|_| one(random)).collect())
        }
        5 | 6 => Deed::Accepted,
        7 | 8 => Deed::Checked {
            condition: random.of(&[0, 0, 1]),
            met: random.chance(70),
        },
        9..=13 => proposal(random, at),
        14..=18 => Deed::Approved,
        19 => Deed::Returned,
        20 => Deed::Emergency(limits),
        21 | 22 => Deed::Appealed,
        23 => Deed::EvidenceAdded,
        24 | 25 => Deed::Upheld,
        26 => Deed::Overturned,
        27 => Deed::Reinstated,
        28 => Deed::Dismissed,
        29 => Deed::Reopened(case_id(random.of(&["root", "other", "stranger"]))),
        _ if random.chance(10) => Deed::Observed(observation()),
        _ => Deed::Approved,
    }
}

/// The next step that somebody tries.
pub(super) fn step(random: &mut Random, last: i64) -> Step {
    let back = if random.chance(10) { -1 } else { 0 };
    let long = if random.chance(20) { 184 * DAY } else { HOUR };
    let pause = random.of(&[
        0,
        1,
        HOUR,
        4 * HOUR,
        DAY,
        3 * DAY,
        7 * DAY,
        31 * DAY,
        back,
        long,
    ]);
    let at = last + pause;
    let deed = deed(random, at);
    Step {
        at: Timestamp(at),
        by: by(random, &deed),
        comment: if random.chance(95) {
            "because".to_owned()
        } else {
            " ".to_owned()
        },
        deed,
        attachments: Vec::new(),
    }
}
