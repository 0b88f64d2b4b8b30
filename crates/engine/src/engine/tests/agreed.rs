//! What an agreement changes, and when.

use std::sync::Mutex;

use terms::Agreement;

use super::*;

/// Permits, and remembers what it was asked.
#[derive(Debug, Clone, Default)]
struct Listening(Arc<Mutex<Vec<Heard>>>);

/// Purpose, country, amounts passed, authorisations.
type Heard = (Option<String>, Option<String>, Exceeded, usize);

impl Judge for Listening {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        self.0.lock().unwrap().push((
            question.purpose.map(str::to_owned),
            question.country.map(|country| country.to_string()),
            question.exceeded,
            question.agreement.authorisations.len(),
        ));
        let exceeded = question.exceeded.expected_usage || question.exceeded.request_size;
        Ruling {
            verdict: if exceeded {
                Verdict::Deny
            } else {
                Verdict::Permit
            },
            clauses: Vec::new(),
            policy_sha256: "00".into(),
            asked: None,
            until: None,
        }
    }
}

fn listening() -> (Engine, Listening) {
    let mut engine = engine(Mode::Enforced, Limits::UNLIMITED);
    let judge = Listening::default();
    engine.rejudge(Box::new(judge.clone()));
    let declared = Command::DeclarePurposes {
        project: project(),
        purposes: vec!["inference-product".to_owned(), "evaluation".to_owned()],
    };
    run(&mut engine, declared).unwrap();
    (engine, judge)
}

fn agree(engine: &mut Engine, n: u8, text: &str) {
    let agreement = Arc::new(Agreement::from_toml(text).unwrap());
    let command = Command::SetAgreement {
        account: account(n),
        agreement,
    };
    run(engine, command).unwrap();
}

fn evaluating(exchange: &str, at: Timestamp) -> Ask {
    Ask {
        purpose: Some("evaluation".to_owned()),
        at,
        ..ask(exchange, 0, "m")
    }
}

#[test]
fn a_ruling_is_kept_until_anything_that_it_rests_on_changes() {
    let (mut engine, judge) = listening();
    let asked = |judge: &Listening| judge.0.lock().unwrap().len();
    for n in 0..3 {
        engine.admit(&ask(&format!("x{n}"), 0, "m")).unwrap();
    }
    assert_eq!(asked(&judge), 1);
    let other = Ask {
        country: Some("de".to_owned()),
        ..ask("x3", 0, "m")
    };
    engine.admit(&other).unwrap();
    engine.admit(&ask("x4", 1, "m")).unwrap();
    assert_eq!(asked(&judge), 3);
    agree(
        &mut engine,
        0,
        "[[authorisation]]\nclause = \"a/1\"\nfrom = \"2020-01-01\"",
    );
    engine.admit(&ask("x5", 0, "m")).unwrap();
    engine.admit(&ask("x6", 1, "m")).unwrap();
    let last = judge.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!(asked(&judge), 4, "another account's ruling stays");
    assert_eq!(last.3, 1);
    run(
        &mut engine,
        Command::DeclarePurposes {
            project: project(),
            purposes: vec!["rag".to_owned()],
        },
    )
    .unwrap();
    let (admitted, _) = engine.admit(&ask("x7", 0, "m")).unwrap();
    assert_eq!(admitted.purpose.as_deref(), Some("rag"));
    assert_eq!(asked(&judge), 5);
}

#[test]
fn an_agreed_volume_ends_with_its_month_and_outlives_a_restart() {
    let (mut engine, judge) = listening();
    agree(
        &mut engine,
        0,
        "[[expected]]\npurpose = \"evaluation\"\nrequests_per_month = 2",
    );
    // START is 2023-11-14.
    engine.admit(&evaluating("x0", START)).unwrap();
    engine.admit(&ask("x1", 0, "m")).unwrap();
    engine.admit(&evaluating("x2", START)).unwrap();
    let (refusal, effects) = engine.admit(&evaluating("x3", START)).unwrap_err();
    assert!(matches!(refusal, Refusal::Terms { .. }), "{refusal:?}");
    let Effect::Record(Entry::Refusal(denial)) = &effects[0] else {
        panic!("{effects:?}")
    };
    assert_eq!(denial.purpose.as_deref(), Some("evaluation"));
    assert_eq!(denial.policy_sha256.as_deref(), Some("00"));
    engine
        .admit(&evaluating("x4", START.plus(Span::days(20))))
        .unwrap();
    assert!(
        judge
            .0
            .lock()
            .unwrap()
            .iter()
            .any(|(.., exceeded, _)| exceeded.expected_usage)
    );
    let (mut again, _) = listening();
    agree(
        &mut again,
        0,
        "[[expected]]\npurpose = \"evaluation\"\nrequests_per_month = 2",
    );
    again.restore_usage(&account(0), Purpose::Evaluation, START, 2);
    assert!(again.admit(&evaluating("x5", START)).is_err());
}

#[test]
fn a_request_beyond_belief_or_agreement_is_denied() {
    let (mut engine, _) = listening();
    for tokens_max in [u64::MAX, i64::MAX.unsigned_abs(), (1 << 40) + 1] {
        let asked = Ask {
            tokens_max,
            ..ask("x0", 0, "m")
        };
        assert!(engine.admit(&asked).is_err(), "{tokens_max}");
    }
    agree(&mut engine, 0, "request_tokens_max = 100");
    assert!(
        engine
            .admit(&Ask {
                tokens_max: 101,
                ..ask("x1", 0, "m")
            })
            .is_err()
    );
    engine
        .admit(&Ask {
            tokens_max: 100,
            ..ask("x2", 0, "m")
        })
        .unwrap();
}

#[test]
fn an_account_of_a_project_that_is_not_there_is_denied() {
    let (mut engine, judge) = listening();
    let row = engine.directory().account(&account(0)).unwrap().clone();
    engine.load(Row::Account(Account {
        project: ProjectId::parse("gone").unwrap(),
        ..row
    }));
    let ruling = engine.consult(key(0).id(), &ask("x0", 0, "m")).unwrap();
    assert!(matches!(ruling.verdict, Verdict::Error(_)), "{ruling:?}");
    let (refusal, effects) = engine.admit(&ask("x1", 0, "m")).unwrap_err();
    assert!(matches!(refusal, Refusal::TermsError { .. }), "{refusal:?}");
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Alert(Alert::TermsError { .. })))
    );
    assert!(judge.0.lock().unwrap().is_empty(), "nobody was asked");
}

#[test]
fn a_purpose_is_read_with_either_stroke_and_must_be_declared() {
    let (mut engine, _) = listening();
    let named = |word: &str| Ask {
        purpose: Some(word.to_owned()),
        ..ask("x0", 0, "m")
    };
    let (admitted, _) = engine.admit(&named("inference_product")).unwrap();
    assert_eq!(admitted.purpose.as_deref(), Some("inference-product"));
    for word in ["rag", "nonsense", "Evaluation"] {
        assert!(
            matches!(engine.admit(&named(word)), Err((Refusal::Terms { .. }, _))),
            "{word}"
        );
    }
}
