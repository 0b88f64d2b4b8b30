use std::sync::Arc;

use facts::{CaseId, Ending, OrganisationId, ProjectId};
use proptest::prelude::*;

use super::*;
use crate::command::CaseStep;
use crate::directory::{Organisation, Project};
use crate::key::RANDOM_BYTES;
use crate::prices::Price;
use crate::standing::{Act, Held};

mod agreed;

/// Forbids one model, cannot evaluate another, permits the rest.
#[derive(Debug)]
struct Terms;

impl Judge for Terms {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let verdict = match question.model.as_str() {
            "forbidden" => Verdict::Deny,
            "broken" => Verdict::Error("overflow".to_owned()),
            _ => Verdict::Permit,
        };
        Ruling {
            verdict,
            clauses: vec![clause("terms/1")],
            policy_sha256: Arc::from("00"),
            asked: None,
            until: None,
        }
    }
}

const START: Timestamp = Timestamp(1_700_000_000_000);

fn clause(text: &str) -> ClauseId {
    ClauseId::parse(text).unwrap()
}

fn account(n: u8) -> AccountId {
    AccountId::parse(&format!("a{n}")).unwrap()
}

fn case(n: u8) -> CaseId {
    CaseId::parse(&format!("c{n}")).unwrap()
}

fn key(n: u8) -> Key {
    Key::mint(&[n; RANDOM_BYTES])
}

fn project() -> ProjectId {
    ProjectId::parse("p").unwrap()
}

fn run(engine: &mut Engine, command: Command) -> Result<Vec<Effect>, CommandError> {
    let effects = engine.apply(command, START)?;
    for effect in &effects {
        engine.enact(effect);
    }
    Ok(effects)
}

/// Accounts `a0` to `a3` of one project, each with the key of its number.
fn engine(mode: Mode, limits: Limits) -> Engine {
    let mut engine = Engine::new(Config {
        mode,
        judge: Box::new(Terms),
        prices: Prices::flat(Price {
            input_per_1m: 1_000_000,
            output_per_1m: 1_000_000,
        }),
        lease: Span::hours(1),
        memory: Span::hours(24),
    });
    let organisation = OrganisationId::parse("o").unwrap();
    let open = [
        Command::OpenOrganisation(Organisation {
            id: organisation.clone(),
            name: "O".to_owned(),
            limits: Limits::UNLIMITED,
        }),
        Command::OpenProject(Project {
            id: project(),
            organisation,
            purposes: vec!["inference-product".to_owned()],
            limits,
        }),
    ];
    for command in open {
        run(&mut engine, command).unwrap();
    }
    for n in 0..4 {
        let opened = Command::OpenAccount {
            id: account(n),
            project: project(),
            limits: Limits::UNLIMITED,
        };
        let issued = Command::IssueKey {
            id: key(n).id().clone(),
            account: account(n),
            digest: key(n).digest(),
            limits: Limits::UNLIMITED,
        };
        run(&mut engine, opened).unwrap();
        run(&mut engine, issued).unwrap();
    }
    engine
}

fn ask(exchange: &str, n: u8, model: &str) -> Ask {
    Ask {
        exchange: ExchangeId::parse(exchange).unwrap(),
        at: START,
        secret: key(n).expose().to_owned(),
        endpoint: Endpoint::ChatCompletions,
        model: ModelName::parse(model).unwrap(),
        subject: None,
        tokens_max: 10,
        purpose: None,
        country: None,
        body_sha256: [0; 32],
    }
}

fn completion(admitted: Admitted, output_tokens: u64) -> Completion {
    Completion {
        admitted,
        at: START,
        ending: Ending::Completed,
        status: 200,
        usage: Usage {
            input_tokens: 0,
            output_tokens,
            estimated: false,
        },
        delivered_bytes: 1,
        answer_sha256: [0; 32],
    }
}

fn held(c: u8, act: Act) -> Held {
    Held {
        case: case(c),
        clause: clause("terms/1"),
        act,
        until: None,
    }
}

fn suspend(n: u8) -> Command {
    step(n, vec![held(1, Act::Suspend)])
}

fn step(n: u8, held: Vec<Held>) -> Command {
    Command::CaseSteps(vec![CaseStep {
        case: case(1),
        events: vec!["enforcement.approved".to_owned()],
        digest: [0; 32],
        held: vec![(account(n), held)],
    }])
}

const THROTTLE: Act = Act::Throttle {
    requests_per_minute: Some(1),
    tokens_per_minute: None,
};

#[test]
fn a_revoked_key_is_refused_at_once_and_its_streams_stop() {
    let mut engine = engine(Mode::Shadow, Limits::UNLIMITED);
    let (admitted, _) = engine.admit(&ask("x1", 0, "m")).unwrap();
    assert!(engine.still_welcome(&admitted, START));
    run(&mut engine, Command::RevokeKey(key(0).id().clone())).unwrap();
    assert!(!engine.still_welcome(&admitted, START));
    let (refusal, effects) = engine.admit(&ask("x2", 0, "m")).unwrap_err();
    assert!(matches!(refusal, Refusal::RevokedKey { .. }));
    assert_eq!(effects.len(), 1);
    assert!(engine.admit(&ask("x3", 1, "m")).is_ok());
}

#[test]
fn a_suspension_refuses_the_accused_and_nobody_else() {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    let (running, _) = engine.admit(&ask("x0", 2, "m")).unwrap();
    run(&mut engine, suspend(2)).unwrap();
    assert!(!engine.still_welcome(&running, START));
    for n in 0..4 {
        let answer = engine.admit(&ask(&format!("y{n}"), n, "m"));
        assert_eq!(answer.is_err(), n == 2, "account {n}");
    }
    let (refusal, _) = engine.admit(&ask("z", 2, "m")).unwrap_err();
    let expected = Refusal::Suspended {
        account: account(2),
        case: case(1),
        clause: clause("terms/1"),
    };
    assert_eq!(refusal, expected);
    assert!(
        engine.identify(key(2).expose()).is_ok(),
        "it may read its case"
    );
    run(&mut engine, step(2, Vec::new())).unwrap();
    assert!(engine.admit(&ask("z2", 2, "m")).is_ok());
}

#[test]
fn shadow_mode_records_what_it_would_have_refused() {
    let mut engine = engine(Mode::Shadow, Limits::UNLIMITED);
    run(&mut engine, suspend(0)).unwrap();
    let (_, effects) = engine.admit(&ask("x", 0, "forbidden")).unwrap();
    let codes: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(Entry::Shadow(denial)) => Some(denial.code),
            _ => None,
        })
        .collect();
    assert_eq!(codes, ["account_suspended", "terms_forbid"]);
}

#[test]
fn enforced_terms_refuse_and_an_evaluation_error_denies_and_alerts() {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    let (refusal, _) = engine.admit(&ask("x", 0, "forbidden")).unwrap_err();
    assert!(matches!(refusal, Refusal::Terms { .. }));
    let (refusal, effects) = engine.admit(&ask("x", 0, "broken")).unwrap_err();
    assert!(matches!(refusal, Refusal::TermsError { .. }));
    assert!(matches!(
        effects.last(),
        Some(Effect::Alert(Alert::TermsError { .. }))
    ));
    let undeclared = Ask {
        purpose: Some("resale".to_owned()),
        ..ask("x", 0, "m")
    };
    let (refusal, _) = engine.admit(&undeclared).unwrap_err();
    let clauses = vec![clause("fairhold/purpose-declared")];
    assert_eq!(
        refusal,
        Refusal::Terms {
            account: account(0),
            clauses
        }
    );
}

#[test]
fn a_throttle_is_enforced_and_a_notice_is_not() {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    run(&mut engine, step(0, vec![held(1, Act::Notice)])).unwrap();
    run(&mut engine, step(1, vec![held(1, THROTTLE)])).unwrap();
    for n in 0..3 {
        assert!(engine.admit(&ask(&format!("x{n}"), 0, "m")).is_ok());
        assert_eq!(engine.admit(&ask(&format!("y{n}"), 1, "m")).is_ok(), n == 0);
    }
}

#[test]
fn absurd_usage_is_clamped_flagged_and_charged_once() {
    let mut engine = engine(Mode::Shadow, Limits::UNLIMITED);
    let (admitted, _) = engine.admit(&ask("x", 0, "m")).unwrap();
    let done = completion(admitted, u64::MAX);
    let effects = engine.settle(&done);
    assert!(matches!(
        effects.last(),
        Some(Effect::Alert(Alert::AbsurdUsage {
            charged: TOKENS_PER_EXCHANGE_MAX,
            ..
        }))
    ));
    assert_eq!(engine.settle(&done), []);
    let (spent, reserved) = engine.spent(&Scope::Project(project()));
    assert_eq!((spent.0, reserved.0), (TOKENS_PER_EXCHANGE_MAX, 0));
}

#[test]
fn a_wrong_secret_and_a_typo_are_unknown() {
    let mut engine = engine(Mode::Shadow, Limits::UNLIMITED);
    let mut other = [0u8; RANDOM_BYTES];
    other[RANDOM_BYTES - 1] = 1;
    let same_id = Key::mint(&other);
    assert_eq!(same_id.id(), key(0).id());
    for secret in [same_id.expose(), "fh_live_", "", "sk-other"] {
        let asked = Ask {
            secret: secret.to_owned(),
            ..ask("x", 0, "m")
        };
        assert_eq!(
            engine.admit(&asked).unwrap_err(),
            (Refusal::UnknownKey, vec![])
        );
    }
}

#[test]
fn each_case_holds_its_own_measures_and_lifts_no_other() {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    run(&mut engine, suspend(0)).unwrap();
    let second = |held| CaseStep {
        case: case(2),
        events: vec!["enforcement.marked".to_owned()],
        digest: [0; 32],
        held: vec![(account(0), held)],
    };
    let of_second = vec![held(2, Act::Mark)];
    run(&mut engine, Command::CaseSteps(vec![second(of_second)])).unwrap();
    assert!(engine.admit(&ask("x", 0, "m")).is_err());
    run(&mut engine, step(0, Vec::new())).unwrap();
    let (admitted, _) = engine.admit(&ask("y", 0, "m")).unwrap();
    assert_eq!(
        admitted.marked,
        Some(case(2)),
        "the other case's mark is still there"
    );
    let lifted = Command::CaseSteps(vec![second(Vec::new())]);
    run(&mut engine, lifted).unwrap();
    assert_eq!(engine.admit(&ask("z", 0, "m")).unwrap().0.marked, None);
    // Two cases in one command, on one account: both hold.
    let both = Command::CaseSteps(vec![
        second(vec![held(2, Act::Mark)]),
        CaseStep {
            case: case(1),
            ..second(vec![held(1, Act::Notice)])
        },
    ]);
    let effects = run(&mut engine, both).unwrap();
    assert_eq!(effects.len(), 3, "two records, one row: {effects:?}");
    let row = engine.directory().account(&account(0)).unwrap();
    assert_eq!(
        (row.standing.held().len(), row.standing.word(START)),
        (2, "marked")
    );
    let foreign = step(0, vec![held(2, Act::Suspend)]);
    assert!(matches!(
        run(&mut engine, foreign),
        Err(CommandError::ForeignGround { .. })
    ));
}

#[test]
fn measures_end_by_time_and_nobody_acts() {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    let end = START.plus(Span::hours(4));
    let until = |act| Held {
        until: Some(end),
        ..held(1, act)
    };
    let later = |n: &str, k, at| Ask {
        at,
        ..ask(n, k, "m")
    };
    let (running, _) = engine.admit(&ask("r", 0, "m")).unwrap();
    for (n, act) in [(0, Act::Suspend), (1, THROTTLE), (2, Act::Mark)] {
        run(&mut engine, step(n, vec![until(act)])).unwrap();
    }
    let before = Timestamp(end.0 - 1);
    assert!(engine.admit(&later("a1", 0, before)).is_err());
    assert!(!engine.still_welcome(&running, before) && engine.still_welcome(&running, end));
    assert!(engine.admit(&later("b1", 1, before)).is_ok());
    assert!(engine.admit(&later("b2", 1, before)).is_err());
    assert_eq!(
        engine.admit(&later("c1", 2, before)).unwrap().0.marked,
        Some(case(1))
    );
    assert!(engine.admit(&later("a2", 0, end)).is_ok());
    for n in 0..5 {
        assert!(engine.admit(&later(&format!("b{n}-late"), 1, end)).is_ok());
    }
    assert_eq!(engine.admit(&later("c2", 2, end)).unwrap().0.marked, None);
}

#[test]
fn shadow_mode_marks_and_throttles_nobody() {
    let mut engine = engine(Mode::Shadow, Limits::UNLIMITED);
    let both = vec![held(1, Act::Mark), held(1, THROTTLE)];
    run(&mut engine, step(0, both)).unwrap();
    for n in 0..3 {
        let (admitted, _) = engine.admit(&ask(&format!("x{n}"), 0, "m")).unwrap();
        assert_eq!(admitted.marked, None);
    }
}

fn command() -> impl Strategy<Value = Command> {
    let kinds = [
        None,
        Some(Act::Notice),
        Some(THROTTLE),
        Some(Act::Suspend),
        Some(Act::Terminate),
    ];
    let standing = move |c: u8, kind: u8| -> Vec<Held> {
        kinds[usize::from(kind)]
            .map(|act| held(c, act))
            .into_iter()
            .collect()
    };
    prop_oneof![
        (0u8..6).prop_map(|n| Command::RevokeKey(key(n).id().clone())),
        (0u8..6).prop_map(|n| Command::OpenAccount {
            id: account(n),
            project: project(),
            limits: Limits::UNLIMITED
        }),
        (0u8..6, 0u8..6).prop_map(|(k, n)| Command::IssueKey {
            id: key(k).id().clone(),
            account: account(n),
            digest: key(k).digest(),
            limits: Limits::UNLIMITED,
        }),
        (0u8..6, 0u64..5).prop_map(|(n, budget)| Command::SetLimits {
            scope: Scope::Account(account(n)),
            limits: Limits {
                budget: Some(MicroUsd(budget)),
                ..Limits::UNLIMITED
            },
        }),
        (
            1u8..3,
            1u8..3,
            proptest::collection::vec((0u8..6, 0u8..5), 1..3)
        )
            .prop_map(move |(c, ground, of)| {
                Command::CaseSteps(vec![CaseStep {
                    case: case(c),
                    events: vec!["s".to_owned()],
                    digest: [c; 32],
                    held: of
                        .into_iter()
                        .map(|(n, kind)| (account(n), standing(ground, kind)))
                        .collect(),
                }])
            }),
    ]
}

/// Nothing is carried out before the record of it.
fn in_order(effects: &[Effect]) -> bool {
    let mut recorded = false;
    effects.iter().all(|effect| match effect {
        Effect::Record(_) => {
            recorded = true;
            true
        }
        Effect::Forward(_) | Effect::Put(_) | Effect::Charge(_) => recorded,
        Effect::Alert(_) => true,
    })
}

proptest! {
    #[test]
    fn record_precedes_what_it_records_and_a_refused_step_changes_nothing(
        commands in proptest::collection::vec(command(), 1..40),
        asks in proptest::collection::vec((0u8..6, 0usize..3, any::<bool>()), 40),
        enforced in any::<bool>(),
    ) {
        let mode = if enforced { Mode::Enforced } else { Mode::Shadow };
        let mut engine = engine(mode, Limits::UNLIMITED);
        for (n, (command, (k, model, settle))) in commands.into_iter().zip(asks).enumerate() {
            let before = engine.directory().rows();
            let planned = engine.apply(command.clone(), START);
            prop_assert_eq!(&engine.directory().rows(), &before, "planning changes nothing");
            if let Ok(effects) = planned {
                prop_assert!(in_order(&effects), "{:?}", effects);
                for effect in &effects {
 engine.enact(effect);
 }
                if let Command::CaseSteps(steps) = &command {
                    for row in engine.directory().rows() {
                        let named = steps[0].held.iter().any(|(id, _)| id.as_str() == row.id());
                        prop_assert!(named || before.contains(&row), "{:?} was not named", row);
                    }
                }
            }
            let model = ["m", "forbidden", "broken"][model];
            match engine.admit(&ask(&format!("x{n}"), k, model)) {
                Ok((admitted, effects)) => {
                    prop_assert!(in_order(&effects), "{:?}", effects);
                    prop_assert!(engine.still_welcome(&admitted, START));
                    if settle {
                        let effects = engine.settle(&completion(admitted, 1));
                        prop_assert!(in_order(&effects), "{:?}", effects);
                    }
                }
                Err((_, effects)) => {
                    let forwards = effects.iter().any(|e| matches!(e, Effect::Forward(_)));
                    prop_assert!(!forwards && in_order(&effects), "{:?}", effects);
                }
            }
        }
    }

    #[test]
    fn a_budget_of_fifty_admits_fifty_of_two_hundred_over_all_keys(
        order in proptest::collection::vec((0u8..4, any::<bool>()), 200),
    ) {
        let limits = Limits { budget: Some(MicroUsd(500)), ..Limits::UNLIMITED };
        let mut engine = engine(Mode::Shadow, limits);
        let mut admitted = Vec::new();
        for (n, (k, settle)) in order.into_iter().enumerate() {
            if let Ok((one, _)) = engine.admit(&ask(&format!("x{n}"), k, "m")) {
                admitted.push(one);
            }
            if settle && let Some(last) = admitted.last() {
                engine.settle(&completion(last.clone(), 10));
            }
        }
        prop_assert_eq!(admitted.len(), 50);
    }
}
