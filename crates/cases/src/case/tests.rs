use super::*;
use facts::ClauseId;
use proptest::prelude::*;

fn person(name: &str) -> PersonId {
    PersonId::parse(name).unwrap()
}

fn first(by: &str) -> Step {
    Step {
        at: Timestamp(0),
        by: person(by),
        comment: String::new(),
        deed: Deed::Proposed(Proposal {
            accounts: vec![
                AccountId::parse("a").unwrap(),
                AccountId::parse("b").unwrap(),
            ],
            clause: ClauseId::parse("terms/3.e").unwrap(),
            measure: Measure::Suspend,
            summary: "30 accounts run one programme".into(),
            exculpatory: "none found".into(),
        }),
    }
}

fn case() -> Case {
    Case::open(CaseId::parse("c").unwrap(), first("ann")).unwrap()
}

const ACTS: [Act; 5] = [
    Act::Approve,
    Act::Reject,
    Act::Appeal,
    Act::Uphold,
    Act::Overturn,
];

fn act(case: &mut Case, act: Act, by: &str, at: i64) -> Result<(), Refused> {
    let step = case.decide(act, person(by), String::new(), Timestamp(at))?;
    case.take(step)
}

#[test]
fn every_act_in_every_state() {
    use State::*;
    let reach = |state: State| {
        let mut c = case();
        let path: &[(Act, &str)] = match state {
            Proposed => &[],
            Rejected => &[(Act::Reject, "bob")],
            InForce => &[(Act::Approve, "bob")],
            Appealed => &[(Act::Approve, "bob"), (Act::Appeal, "customer")],
            Upheld => &[
                (Act::Approve, "bob"),
                (Act::Appeal, "customer"),
                (Act::Uphold, "cat"),
            ],
            Overturned => &[
                (Act::Approve, "bob"),
                (Act::Appeal, "customer"),
                (Act::Overturn, "cat"),
            ],
        };
        for (a, by) in path {
            act(&mut c, *a, by, 1).unwrap();
        }
        assert_eq!(c.state(), state);
        c
    };
    for (state, allowed) in [
        (Proposed, vec![Act::Approve, Act::Reject]),
        (Rejected, vec![]),
        (InForce, vec![Act::Appeal]),
        (Appealed, vec![Act::Uphold, Act::Overturn]),
        (Upheld, vec![]),
        (Overturned, vec![]),
    ] {
        for a in ACTS {
            let mut c = reach(state);
            let before = c.clone();
            let done = act(&mut c, a, "dan", 2);
            assert_eq!(
                done.is_ok(),
                allowed.contains(&a),
                "{a:?} in {state:?}: {done:?}"
            );
            if done.is_err() {
                assert_eq!(c, before, "a refused step changes nothing");
            }
        }
        let acting = matches!(state, InForce | Appealed | Upheld);
        assert_eq!(reach(state).in_force().is_some(), acting);
    }
}

#[test]
fn nobody_decides_alone() {
    let mut c = case();
    assert!(act(&mut c, Act::Approve, "ann", 1).is_err());
    act(&mut c, Act::Approve, "bob", 1).unwrap();
    act(&mut c, Act::Appeal, "customer", 2).unwrap();
    for involved in ["ann", "bob"] {
        assert!(act(&mut c, Act::Overturn, involved, 3).is_err());
        assert!(act(&mut c, Act::Uphold, involved, 3).is_err());
    }
    act(&mut c, Act::Overturn, "cat", 3).unwrap();
    assert_eq!((c.in_force(), c.state_word()), (None, "overturned"));
}

#[test]
fn appeals_are_open_for_six_months() {
    let mut c = case();
    act(&mut c, Act::Approve, "bob", 1_000).unwrap();
    let end = c.appeal_until().unwrap();
    assert_eq!(end, Timestamp(1_000 + 183 * 86_400_000));
    assert!(act(&mut c.clone(), Act::Appeal, "customer", end.0).is_ok());
    assert!(act(&mut c, Act::Appeal, "customer", end.0 + 1).is_err());
    assert!(
        act(&mut c, Act::Appeal, "customer", 999).is_err(),
        "time does not run backwards"
    );
}

#[test]
fn a_proposal_must_be_answerable() {
    let broken = |change: fn(&mut Proposal)| {
        let mut step = first("ann");
        if let Deed::Proposed(p) = &mut step.deed {
            change(p);
        }
        Case::open(CaseId::parse("c").unwrap(), step).is_err()
    };
    assert!(broken(|p| p.accounts.clear()));
    assert!(broken(|p| p.accounts.push(AccountId::parse("a").unwrap())));
    assert!(broken(|p| p.summary = " ".into()));
    assert!(broken(|p| p.exculpatory = String::new()));
    assert!(broken(|p| p.summary = "x".repeat(5_001)));
    let text = case().statement();
    for part in [
        "a, b",
        "terms/3.e",
        "30 accounts run one programme",
        "none found",
        "appeal",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

/// The rules once more, written as sets of names and a state number.
fn twin(steps: &[(Act, &str)]) -> Vec<bool> {
    let (mut state, mut involved) = (0, vec!["ann"]);
    let mut taken = Vec::new();
    for (a, by) in steps {
        let stranger = !involved.contains(by);
        let to = match (state, a) {
            (0, Act::Approve) if stranger => Some(1),
            (1, Act::Appeal) => Some(2),
            (0, Act::Reject) | (2, Act::Uphold | Act::Overturn) if stranger => Some(9),
            _ => None,
        };
        if let Some(to) = to {
            if state == 0 {
                involved.push(by);
            }
            state = to;
        }
        taken.push(to.is_some());
    }
    taken
}

proptest! {
    #[test]
    fn agrees_with_its_twin_and_replays(acts in prop::collection::vec((0_usize..5, 0_usize..4), 0..12)) {
        let names = ["ann", "bob", "cat", "customer"];
        let acts: Vec<(Act, &str)> = acts.into_iter().map(|(a, n)| (ACTS[a], names[n])).collect();
        let mut c = case();
        let taken: Vec<bool> =
            acts.iter().enumerate().map(|(n, (a, by))| act(&mut c, *a, by, i64::try_from(n).unwrap()).is_ok()).collect();
        prop_assert_eq!(taken, twin(&acts));
        let written: Vec<String> = c.steps().iter().map(Step::canonical).collect();
        let read = written.iter().map(|text| Step::parse(text).unwrap());
        prop_assert_eq!(Case::replay(c.id().clone(), read).unwrap(), c);
    }

    #[test]
    fn only_canonical_steps_are_read(comment in ".*", place in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let step = Step { comment, ..first("ann") };
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
