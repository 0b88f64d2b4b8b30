mod naive;
mod properties;
mod world;

use facts::Timestamp;
use proptest::prelude::*;

use crate::*;
use world::{DAY, HOUR, account, actor, case_id, first, observation};

fn step(at: i64, person: &str, identity: u8, deed: Deed) -> Step {
    Step {
        attachments: Vec::new(),
        at: Timestamp(at),
        by: actor(person, identity, Role::Approver),
        comment: "because".to_owned(),
        deed,
    }
}

fn customer(at: i64, deed: Deed) -> Step {
    Step {
        by: actor("a", 100, Role::Customer),
        ..step(at, "a", 100, deed)
    }
}

fn proposed(measure: Measure) -> Deed {
    Deed::Proposed(Proposal {
        measure,
        until: None,
        reason: "milder measures did not help".to_owned(),
        exculpatory: "none found".to_owned(),
    })
}

const SLOW: Limits = Limits {
    requests_per_minute: Some(5),
    tokens_per_minute: None,
};

fn case() -> Case {
    Case::open(case_id("c"), first()).unwrap()
}

/// A case that two people suspended at day 1, after an emergency.
fn suspended() -> Case {
    let mut case = case();
    case.take(step(0, "ann", 1, Deed::Emergency(SLOW))).unwrap();
    case.take(step(DAY, "ann", 1, proposed(Measure::Suspend)))
        .unwrap();
    case.take(step(DAY, "bob", 2, Deed::Approved)).unwrap();
    case
}

#[test]
fn an_observation_must_be_answerable() {
    let broken = |change: fn(&mut Observation)| {
        let mut observation = observation();
        change(&mut observation);
        let step = Step {
            deed: Deed::Observed(observation),
            ..first()
        };
        Case::open(case_id("c"), step).is_err()
    };
    assert!(broken(|o| o.accounts.clear()));
    assert!(broken(|o| o.accounts.push(account("a"))));
    assert!(broken(|o| o.summary = " ".to_owned()));
    assert!(broken(|o| o.exculpatory = String::new()));
    assert!(broken(|o| o.summary = "x".repeat(5_001)));
    assert!(!broken(|o| o.summary = "字".repeat(5_000)));
    assert_eq!(
        Case::open(case_id("c"), step(0, "ann", 1, Deed::Dismissed)),
        Err(Refused::Opening)
    );
}

#[test]
fn neither_a_second_account_nor_a_borrowed_one_is_a_second_person() {
    let mut case = case();
    case.take(step(0, "ann", 1, proposed(Measure::Mark)))
        .unwrap();
    for (person, identity) in [("ann", 1), ("ann2", 1), ("ann", 9)] {
        let refused = case
            .take(step(1, person, identity, Deed::Approved))
            .unwrap_err();
        assert!(matches!(refused, Refused::SamePerson { .. }), "{refused}");
        assert!(refused.to_string().contains("a second person"), "{refused}");
    }
    assert!(case.take(step(1, "bob", 2, Deed::Approved)).is_ok());
}

#[test]
fn appeals_are_open_for_six_months_and_heard_by_a_stranger() {
    let mut case = suspended();
    let end = DAY + 183 * DAY;
    assert_eq!(case.appeal_until(Timestamp(2 * DAY)), Some(Timestamp(end)));
    assert!(case.clone().take(customer(end, Deed::Appealed)).is_ok());
    let late = case.clone().take(customer(end + 1, Deed::Appealed));
    assert_eq!(late, Err(Refused::NothingToAppeal));
    case.take(customer(2 * DAY, Deed::Appealed)).unwrap();
    for (person, identity) in [("ann", 1), ("bob", 2), ("new", 2), ("bob", 7)] {
        let refused = case.take(step(3 * DAY, person, identity, Deed::Overturned));
        assert!(
            matches!(refused, Err(Refused::TookPart { .. })),
            "{refused:?}"
        );
    }
    let effects = case
        .take(step(3 * DAY, "cat", 3, Deed::Overturned))
        .unwrap();
    let expected = [
        Effect::Inform,
        Effect::Enforce,
        Effect::Reopen(case_id("c")),
    ];
    assert_eq!(effects, expected);
    let now = Timestamp(3 * DAY);
    assert_eq!(
        (case.state(now), case.standing(now)),
        (State::Overturned, Vec::new())
    );
    case.take(step(4 * DAY, "cat", 3, Deed::Reinstated))
        .unwrap();
    assert_eq!(case.state(Timestamp(4 * DAY)), State::Reinstated);
}

#[test]
fn a_restriction_after_the_appeal_has_an_appeal_of_its_own() {
    let mut case = suspended();
    case.take(customer(2 * DAY, Deed::Appealed)).unwrap();
    case.take(step(2 * DAY, "ann", 1, proposed(Measure::Mark)))
        .unwrap();
    case.take(step(2 * DAY, "bob", 2, Deed::Approved)).unwrap();
    case.take(step(2 * DAY, "cat", 3, Deed::Upheld)).unwrap();
    case.take(customer(3 * DAY, Deed::Appealed)).unwrap();
    case.take(step(3 * DAY, "dan", 4, Deed::Upheld)).unwrap();
    let again = case.take(customer(4 * DAY, Deed::Appealed));
    assert_eq!(again, Err(Refused::NothingToAppeal));
}

#[test]
fn deadlines_are_data() {
    let mut case = case();
    let notice = Notice {
        metric: "exchanges a day".to_owned(),
        under: "20".to_owned(),
        due: Timestamp(5 * DAY),
        declaration: true,
    };
    case.take(step(0, "ann", 1, Deed::Noticed(notice))).unwrap();
    case.take(step(DAY, "ann", 1, Deed::Emergency(SLOW)))
        .unwrap();
    let said = |case: &Case, now: i64| -> Vec<(i64, &'static str)> {
        let timers = case.timers(Timestamp(now)).into_iter();
        timers.map(|t| (t.at.0, t.what.word())).collect()
    };
    let expected = [
        (DAY + 4 * HOUR, "emergency_ends"),
        (5 * DAY, "notice_due"),
        (30 * DAY, "termination_possible"),
        (184 * DAY, "appeal_closes"),
    ];
    assert_eq!(said(&case, DAY), expected);
    assert_eq!(said(&case, 6 * DAY), expected[2..]);
    assert_eq!(case.state(Timestamp(DAY)), State::Throttled);
    assert_eq!(case.state(Timestamp(DAY + 4 * HOUR)), State::Noticed);
}

#[test]
fn a_reversed_ground_is_reviewed_within_a_week_or_measures_end() {
    let mut case = suspended();
    let reopened = |at, because: &str| Step {
        by: actor("fairhold", 0, Role::System),
        ..step(at, "fairhold", 0, Deed::Reopened(case_id(because)))
    };
    let stranger = case.take(reopened(2 * DAY, "stranger"));
    assert!(matches!(stranger, Err(Refused::NotResting { .. })));
    case.take(reopened(2 * DAY, "root")).unwrap();
    assert!(matches!(
        case.take(step(3 * DAY, "ann", 1, proposed(Measure::Mark))),
        Err(Refused::UnderReview { .. })
    ));
    assert_eq!(case.standing(Timestamp(9 * DAY - 1)).len(), 1);
    assert_eq!(case.standing(Timestamp(9 * DAY)).len(), 0);
    let mut late = case.clone();
    late.take(step(10 * DAY, "cat", 3, Deed::Upheld)).unwrap();
    assert_eq!(
        late.standing(Timestamp(10 * DAY)).len(),
        0,
        "lapsed is lapsed"
    );
    case.take(step(8 * DAY, "cat", 3, Deed::Upheld)).unwrap();
    assert_eq!(case.standing(Timestamp(99 * DAY)).len(), 1);
}

#[test]
fn who_may_do_what() {
    use Right::*;
    let of = |role: Role| -> Vec<Right> {
        Right::ALL
            .into_iter()
            .filter(|right| may(role, *right))
            .collect()
    };
    assert_eq!(of(Role::Auditor), [Read, Export]);
    assert_eq!(
        of(Role::Customer),
        [Read, Export, Declare, Undertake, Appeal]
    );
    assert_eq!(of(Role::Administrator), [Read, Export, Observe, Emergency]);
    assert_eq!(of(Role::System), [Observe, Reopen]);
    let reviewer = [
        Read, Export, Observe, Notify, Supervise, Propose, Emergency, Relieve,
    ];
    assert_eq!(of(Role::Reviewer), reviewer);
    let approver = [
        Read, Export, Observe, Notify, Supervise, Propose, Approve, Emergency, Hear, Relieve,
    ];
    assert_eq!(of(Role::Approver), approver);
}

#[test]
fn a_kept_step_looks_like_this() {
    let step = step(7, "ann", 0xab, Deed::Emergency(SLOW));
    let identity = "ab".repeat(32);
    let expected = format!(
        "{{\"at\":7,\"by\":\"ann\",\"comment\":\"because\",\"identity\":\"{identity}\",\"role\":\"approver\",\"step\":{{\"emergency\":{{\"requests_per_minute\":5}}}},\"v\":2}}"
    );
    assert_eq!(step.canonical(), expected);
    let old = "{\"at\":1,\"by\":\"ann\",\"comment\":\"\",\"step\":\"approved\"}";
    let refused = Step::parse(old).unwrap_err().to_string();
    assert!(refused.contains("version 1"), "{refused}");
}

proptest! {
    #[test]
    fn only_canonical_steps_are_read(comment in ".*", place in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let step = Step { comment, ..first() };
        let text = step.canonical();
        prop_assert_eq!(Step::parse(&text).unwrap(), step);
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Some(step) = String::from_utf8(bytes).ok().and_then(|t| Step::parse(&t).ok().map(|s| (s, t))) {
            prop_assert_eq!(step.0.canonical(), step.1);
        }
    }
}
