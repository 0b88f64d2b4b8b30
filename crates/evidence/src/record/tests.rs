use super::*;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_:./-]{1,40}"
}

fn event() -> impl Strategy<Value = Event> {
    let clauses = || prop::collection::vec(name().prop_map(|n| ClauseId::parse(&n).unwrap()), 0..3);
    prop_oneof![
        (
            name(),
            name(),
            0_usize..5,
            any::<[u8; 32]>(),
            "[0-9a-f]{64}",
            clauses(),
            prop::option::of("[a-z-]{1,20}"),
            prop::option::of(0..1_u64 << 53),
        )
            .prop_map(|(x, k, e, request, policy, clauses, purpose, asked)| {
                Event::Intent {
                    exchange: ExchangeId::parse(&x).unwrap(),
                    key: KeyId::parse(&k).unwrap(),
                    endpoint: Endpoint::ALL[e],
                    model: ModelName::parse("gpt-4o").unwrap(),
                    request: Commitment(request),
                    policy,
                    clauses,
                    purpose,
                    asked,
                }
            }),
        (
            name(),
            ".*",
            clauses(),
            prop::option::of("[0-9a-f]{64}"),
            prop::option::of("[a-z-]{1,20}"),
        )
            .prop_map(|(x, code, clauses, policy, purpose)| Event::Refusal {
                exchange: ExchangeId::parse(&x).unwrap(),
                code,
                clauses,
                policy,
                purpose,
            }),
        (
            name(),
            0..1_u64 << 53,
            any::<u16>(),
            0..1_u64 << 53,
            any::<bool>(),
            any::<Option<[u8; 32]>>()
        )
            .prop_map(
                |(x, intent, status, tokens, estimated, answer)| Event::Completion {
                    exchange: ExchangeId::parse(&x).unwrap(),
                    intent,
                    ending: Ending::ClientGone,
                    status,
                    input_tokens: tokens,
                    output_tokens: tokens / 3,
                    estimated,
                    answer: answer.map(Commitment),
                }
            ),
        (name(), ".*", any::<[u8; 32]>()).prop_map(|(c, step, digest)| Event::CaseStep {
            case: CaseId::parse(&c).unwrap(),
            step,
            digest,
        }),
        about_bodies(),
        judged(),
        asked(),
    ]
}

fn judged() -> impl Strategy<Value = Event> {
    let kept = (name(), any::<[u8; 32]>()).prop_map(|(id, digest)| Kept { id, digest });
    let detector = any::<[u8; 32]>();
    (detector, prop::option::of(kept), prop::option::of(name())).prop_map(
        |(detector, finding, case)| Event::Judged {
            detector,
            finding,
            case: case.map(|c| CaseId::parse(&c).unwrap()),
        },
    )
}

fn asked() -> impl Strategy<Value = Event> {
    let words = || prop::collection::vec("[a-z-]{1,20}", 0..3);
    ("[0-9a-f]{64}", words(), words(), "[a-z]{1,9}").prop_map(|(policy, documents, set, word)| {
        let context = serde_json::json!({"declared": set, "standing": word});
        Event::Asked {
            model: ModelName::parse("gpt-4o").unwrap(),
            policy,
            documents,
            context: context.as_object().cloned().unwrap(),
        }
    })
}

fn about_bodies() -> impl Strategy<Value = Event> {
    prop_oneof![
        (".*", ".*").prop_map(|(change, subject)| Event::Directory { change, subject }),
        (
            any::<Option<[u8; 32]>>(),
            0..1_u64 << 53,
            0..3_u64,
            ".*",
            any::<[u8; 32]>()
        )
            .prop_map(|(subject, bodies, few, by, reason)| Event::Erased {
                subject,
                keys: bodies / 2,
                bodies,
                imported: few,
                by,
                reason,
            }),
        (0_i64..1 << 50, 0..1_u64 << 53).prop_map(|(before, bodies)| Event::Expired {
            before: Timestamp(before),
            keys: bodies / 2,
            bodies,
        }),
        (name(), ".*", any::<[u8; 32]>()).prop_map(|(x, by, reason)| Event::BodyRead {
            exchange: ExchangeId::parse(&x).unwrap(),
            by,
            reason,
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(event in event(), at in 0_i64..1 << 50, seq in 0_u64..1 << 53,
                               account in prop::option::of(name())) {
        let record = Record { at: Timestamp(at), account: account.map(|a| AccountId::parse(&a).unwrap()), event };
        let leaf = record.leaf(seq).unwrap();
        prop_assert_eq!(Record::parse(&leaf).unwrap(), (seq, record));
    }

    #[test]
    fn nothing_else_is_read(event in event(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let record = Record { at: Timestamp(5), account: None, event };
        let mut leaf = record.leaf(3).unwrap();
        let place = place.index(leaf.len());
        prop_assume!(leaf[place] != byte);
        leaf[place] = byte;
        if let Ok((seq, other)) = Record::parse(&leaf) {
            prop_assert_eq!(other.leaf(seq).unwrap(), leaf);
        }
    }
}

#[test]
fn the_usual_leaves_are_small_and_canonical() {
    let intent = Record {
        at: Timestamp(1_795_000_000_000),
        account: Some(AccountId::parse("acme-research-01").unwrap()),
        event: Event::Intent {
            exchange: ExchangeId::parse("x_0123456789abcdef0123").unwrap(),
            key: KeyId::parse("k0123456789").unwrap(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("gpt-4o-2024-08-06").unwrap(),
            request: Commitment([7; 32]),
            policy: "ab".repeat(32),
            clauses: vec![],
            purpose: None,
            asked: Some(123_400),
        },
    };
    let leaf = intent.leaf(123_456).unwrap();
    assert!(leaf.len() <= 400, "{} bytes", leaf.len());
    assert!(leaf.starts_with(
        br#"{"account":"acme-research-01","asked":123400,"at":1795000000000,"clauses":[],"#
    ));
    let spaced = String::from_utf8(leaf).unwrap().replace(":[]", ": []");
    assert!(Record::parse(spaced.as_bytes()).is_err());
    assert!(
        Record::parse(br#"{"v":2,"seq":1,"at":1,"type":"directory","change":"a","subject":"b"}"#)
            .is_err()
    );
    assert!(intent.leaf(1 << 53).is_err());
}

#[test]
fn what_was_let_go_is_said_without_naming_anybody() {
    let erased = Record {
        at: Timestamp(5),
        account: Some(AccountId::parse("acme").unwrap()),
        event: Event::Erased {
            subject: Some([1; 32]),
            keys: 2,
            bodies: 8,
            imported: 0,
            by: "dpo".to_owned(),
            reason: [2; 32],
        },
    };
    let golden = format!(
        r#"{{"account":"acme","at":5,"bodies":8,"by":"dpo","keys":2,"reason":"{}","seq":9,"subject":"{}","type":"erased","v":1}}"#,
        "02".repeat(32),
        "01".repeat(32)
    );
    assert_eq!(String::from_utf8(erased.leaf(9).unwrap()).unwrap(), golden);
}
