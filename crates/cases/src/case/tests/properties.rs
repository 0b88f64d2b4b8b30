//! What holds on every path: 100,000 random sequences of steps.

use std::collections::BTreeMap;

use facts::Timestamp;

use super::naive;
use super::world::{DAY, HOUR, Random, actor, case_id, first, step};
use crate::*;

/// Sequences of one of the four parts.
const SEQUENCES: u64 = 25_000;
/// Steps that are tried in each.
const STEPS: usize = 24;

fn kind(measure: &Measure) -> u8 {
    match measure {
        Measure::Throttle(_) => 0,
        Measure::Mark => 1,
        Measure::Suspend => 2,
        Measure::Terminate => 3,
    }
}

/// What was reached, so that a property never holds for want of cases.
#[derive(Default)]
struct Reached {
    states: BTreeMap<State, u64>,
    taken: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    suspended_on_notice: u64,
    suspended_in_emergency: u64,
    appeals_open: u64,
}

/// What acts agrees with the twin, and no emergency outlasts four hours.
fn acts_the_same(case: &Case, taken: &[Step], now: i64) {
    let machine = case.standing(Timestamp(now)).into_iter();
    let machine: Vec<(u8, i64)> = machine
        .map(|f| (kind(&f.measure), f.until.map_or(i64::MAX, |t| t.0)))
        .collect();
    assert_eq!(machine, naive::acting(taken, now), "{taken:#?}");
    for acting in case.standing(Timestamp(now)) {
        assert!(!acting.emergency || now < acting.from.0 + 4 * HOUR);
    }
}

/// Reading, exporting and appealing: in every state.
fn rights_hold(case: &Case, taken: &[Step], now: i64, reached: &mut Reached) {
    for role in [Role::Customer, Role::Auditor, Role::Reviewer] {
        assert!(may(role, Right::Read) && may(role, Right::Export));
    }
    let open = naive::appealable(taken, now);
    assert_eq!(case.appeal_until(Timestamp(now)).is_some(), open);
    if open && !case.appeal_pending() {
        reached.appeals_open += 1;
        let appeal = Step {
            at: Timestamp(now),
            by: actor("b", 102, Role::Customer),
            comment: "we did not".to_owned(),
            deed: Deed::Appealed,
            attachments: Vec::new(),
        };
        assert!(
            case.clone().take(appeal).is_ok(),
            "{:?}",
            case.state(Timestamp(now))
        );
    }
}

/// What must have come before a measure, read off the steps alone.
fn came_before(taken: &[Step], step: &Step, reached: &mut Reached) {
    if step.deed != Deed::Approved {
        return;
    }
    let proposed = taken
        .iter()
        .rfind(|s| matches!(s.deed, Deed::Proposed(_)))
        .unwrap();
    assert_ne!(proposed.by.person, step.by.person);
    assert_ne!(proposed.by.identity, step.by.identity);
    let Deed::Proposed(proposal) = &proposed.deed else {
        unreachable!()
    };
    let notice = taken.iter().find(|s| matches!(s.deed, Deed::Noticed(_)));
    let emergency = taken.iter().any(|s| matches!(s.deed, Deed::Emergency(_)));
    match proposal.measure {
        Measure::Suspend => {
            assert!(notice.is_some() || emergency, "suspended from nowhere");
            reached.suspended_on_notice += u64::from(!emergency);
            reached.suspended_in_emergency += u64::from(notice.is_none());
        }
        Measure::Terminate => {
            assert!(
                notice.unwrap().at.0 + 30 * DAY <= step.at.0,
                "terminated too early"
            );
        }
        Measure::Throttle(_) | Measure::Mark => {}
    }
}

fn play(random: &mut Random, reached: &mut Reached) {
    let mut case = Case::open(case_id("c"), first()).unwrap();
    let mut taken = vec![first()];
    for _ in 0..STEPS {
        let last = taken[taken.len() - 1].at.0;
        let next = step(random, last);
        let before = case.clone();
        let done = case.take(next.clone());
        let allowed = naive::allows(&taken, &next);
        assert_eq!(
            done.is_ok(),
            allowed,
            "{done:?}\n{next:#?}\nafter {taken:#?}"
        );
        if done.is_err() {
            assert_eq!(case, before, "a refused step changes nothing");
            *reached.refused.entry(next.deed.word()).or_default() += 1;
        } else {
            came_before(&taken, &next, reached);
            *reached.taken.entry(next.deed.word()).or_default() += 1;
            taken.push(next);
        }
        let last = taken[taken.len() - 1].at.0;
        let probe = last + random.of(&[0, HOUR, 4 * HOUR, 8 * DAY, 100 * DAY, 183 * DAY]);
        acts_the_same(&case, &taken, last);
        acts_the_same(&case, &taken, probe);
        rights_hold(&case, &taken, probe, reached);
        *reached
            .states
            .entry(case.state(Timestamp(last)))
            .or_default() += 1;
    }
    assert!(
        case.statement().contains("terms/3.e"),
        "always there to be read"
    );
    assert_eq!(case.steps(), taken);
    assert_eq!(Case::replay(case_id("c"), taken).unwrap(), case);
}

fn part(seed: u64) {
    let mut random = Random(seed);
    let mut reached = Reached::default();
    for _ in 0..SEQUENCES {
        play(&mut random, &mut reached);
    }
    assert_eq!(reached.states.len(), 14, "{:?}", reached.states);
    assert_eq!(
        reached.taken.len(),
        16,
        "every step but the first: {:?}",
        reached.taken
    );
    assert_eq!(reached.refused.len(), 17, "{:?}", reached.refused);
    let rare = reached
        .states
        .values()
        .chain(reached.taken.values())
        .min()
        .copied();
    let rare = rare.into_iter().chain([
        reached.suspended_on_notice,
        reached.suspended_in_emergency,
        reached.appeals_open,
    ]);
    assert!(
        rare.min().unwrap() >= 100,
        "{:?} {:?}",
        reached.states,
        reached.taken
    );
}

#[test]
fn the_rules_hold_on_random_paths_1() {
    part(1);
}

#[test]
fn the_rules_hold_on_random_paths_2() {
    part(2);
}

#[test]
fn the_rules_hold_on_random_paths_3() {
    part(3);
}

#[test]
fn the_rules_hold_on_random_paths_4() {
    part(4);
}

#[test]
fn what_is_kept_is_read_back_to_the_same_case() {
    let mut random = Random(5);
    for _ in 0..2_000 {
        let mut case = Case::open(case_id("c"), first()).unwrap();
        for _ in 0..STEPS {
            let last = case.steps()[case.steps().len() - 1].at.0;
            let _ = case.take(step(&mut random, last));
        }
        let kept: Vec<String> = case.steps().iter().map(Step::canonical).collect();
        let read = kept.iter().map(|text| Step::parse(text).unwrap());
        assert_eq!(Case::replay(case_id("c"), read).unwrap(), case);
    }
}
