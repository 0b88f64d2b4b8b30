use std::collections::BTreeSet;

use facts::{AccountId, CaseId, ClauseId, PersonId};
use serde_json::Value;

use super::*;
use crate::*;

/// The field list of the database, as far as a contract with an API needs it,
/// and the three fields of a label.
const FIELDS: [&str; 26] = [
    "decision_provision",
    "decision_account",
    "account_type",
    "decision_ground",
    "decision_ground_reference_url",
    "incompatible_content_ground",
    "incompatible_content_explanation",
    "incompatible_content_illegal",
    "category",
    "category_specification",
    "content_type",
    "content_language",
    "content_date",
    "territorial_scope",
    "application_date",
    "end_date_account_restriction",
    "end_date_service_restriction",
    "decision_facts",
    "source_type",
    "source_identity",
    "automated_detection",
    "automated_decision",
    "platform_name",
    "puid",
    "created_at",
    "decision_visibility",
];
const LABEL_ENDS: &str = "end_date_visibility_restriction";

const REQUIRED: [&str; 16] = [
    "decision_ground",
    "incompatible_content_ground",
    "incompatible_content_explanation",
    "incompatible_content_illegal",
    "category",
    "content_type",
    "content_date",
    "territorial_scope",
    "application_date",
    "decision_facts",
    "source_type",
    "automated_detection",
    "automated_decision",
    "platform_name",
    "puid",
    "created_at",
];

const WORDS: [(&str, &[&str]); 9] = [
    (
        "decision_provision",
        &[
            "DECISION_PROVISION_PARTIAL_SUSPENSION",
            "DECISION_PROVISION_TOTAL_SUSPENSION",
            "DECISION_PROVISION_PARTIAL_TERMINATION",
            "DECISION_PROVISION_TOTAL_TERMINATION",
        ],
    ),
    (
        "decision_account",
        &["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"],
    ),
    (
        "account_type",
        &["ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"],
    ),
    (
        "decision_ground",
        &[
            "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            "DECISION_GROUND_ILLEGAL_CONTENT",
        ],
    ),
    (
        "automated_decision",
        &[
            "AUTOMATED_DECISION_FULLY",
            "AUTOMATED_DECISION_PARTIALLY",
            "AUTOMATED_DECISION_NOT_AUTOMATED",
        ],
    ),
    (
        "source_type",
        &[
            "SOURCE_ARTICLE_16",
            "SOURCE_TRUSTED_FLAGGER",
            "SOURCE_TYPE_OTHER_NOTIFICATION",
            "SOURCE_VOLUNTARY",
        ],
    ),
    ("automated_detection", &["Yes", "No"]),
    ("incompatible_content_illegal", &["Yes", "No"]),
    (
        "decision_visibility",
        &["DECISION_VISIBILITY_CONTENT_LABELLED"],
    ),
];

const DAY: i64 = 86_400_000;

fn by(person: &str) -> Actor {
    Actor {
        person: PersonId::parse(person).unwrap(),
        identity: Identity::of(person),
        role: Role::Approver,
    }
}

fn step(at: i64, person: &str, deed: Deed) -> Step {
    Step {
        at: Timestamp(at),
        by: by(person),
        comment: "it cannot wait".to_owned(),
        deed,
        attachments: Vec::new(),
    }
}

/// A case with every measure, on facts of this length.
fn case(facts: usize, automated: bool) -> Case {
    let first = Deed::Observed(Observation {
        accounts: vec![AccountId::parse("acme-1").unwrap()],
        clause: ClauseId::parse("terms/3.e").unwrap(),
        summary: "f".repeat(facts),
        exculpatory: "nothing {case} was found".to_owned(),
        automated,
        rests_on: Vec::new(),
    });
    let mut case = Case::open(CaseId::parse("case:1").unwrap(), step(0, "ann", first)).unwrap();
    let limits = Limits {
        requests_per_minute: Some(7),
        tokens_per_minute: Some(900),
    };
    let notice = Notice {
        metric: "exchanges a day".to_owned(),
        under: "20".to_owned(),
        due: Timestamp(5 * DAY),
        declaration: true,
    };
    case.take(step(1, "ann", Deed::Noticed(notice))).unwrap();
    case.take(step(2, "ann", Deed::Emergency(limits))).unwrap();
    let measures = [
        (Measure::Throttle(limits), Some(60 * DAY)),
        (Measure::Mark, Some(60 * DAY)),
        (Measure::Suspend, None),
        (Measure::Suspend, Some(70 * DAY)),
        (Measure::Terminate, None),
    ];
    for (n, (measure, until)) in (40..).zip(measures) {
        let proposal = Proposal {
            measure,
            until: until.map(Timestamp),
            reason: "milder measures did not help".to_owned(),
            exculpatory: "still nothing".to_owned(),
        };
        case.take(step(n * DAY, "ann", Deed::Proposed(proposal)))
            .unwrap();
        case.take(step(n * DAY, "bob", Deed::Approved)).unwrap();
    }
    assert_eq!(case.restrictions().len(), 6);
    case
}

fn is_day(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 10
        && text.bytes().enumerate().all(|(n, b)| {
            if n == 4 || n == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        })
}

#[test]
fn every_restriction_has_a_statement_that_the_database_would_take() {
    for (facts, automated) in [(1, true), (4_990, false), (5_000, true)] {
        let case = case(facts, automated);
        let mut ids = BTreeSet::new();
        for place in 0..case.restrictions().len() {
            let made = case.statement_json(place, "Example API").unwrap();
            let Value::Object(fields) = serde_json::to_value(made).unwrap() else {
                unreachable!()
            };
            for name in fields.keys() {
                assert!(
                    FIELDS.contains(&name.as_str()) || name == LABEL_ENDS,
                    "{name}"
                );
            }
            for name in REQUIRED {
                assert!(fields.contains_key(name), "{name}");
            }
            for (name, words) in WORDS {
                let said = fields.get(name).into_iter().flat_map(|v| match v {
                    Value::Array(all) => all.clone(),
                    one => vec![one.clone()],
                });
                for word in said {
                    assert!(words.contains(&word.as_str().unwrap()), "{name}: {word}");
                }
            }
            let decided = [
                "decision_visibility",
                "decision_provision",
                "decision_account",
            ];
            assert!(decided.iter().any(|name| fields.contains_key(*name)));
            for (name, value) in &fields {
                assert!(!name.contains("date") || is_day(value), "{name}: {value}");
            }
            assert!(fields["decision_facts"].as_str().unwrap().chars().count() <= 5_000);
            assert_eq!(fields["automated_detection"] == "Yes", automated);
            assert_eq!(fields["territorial_scope"].as_array().unwrap().len(), 30);
            let id = fields["puid"].as_str().unwrap();
            assert!(
                id.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{id}"
            );
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
        }
        assert_eq!(case.statement_json(6, "Example API"), None);
    }
}

#[test]
fn each_measure_is_the_decision_that_it_is() {
    let case = case(1, true);
    let of = |place| {
        let made = case.statement_json(place, "p").unwrap();
        (
            made.decision_visibility.len(),
            made.decision_provision,
            made.decision_account,
            [
                made.end_date_visibility_restriction.is_some(),
                made.end_date_service_restriction.is_some(),
                made.end_date_account_restriction.is_some(),
            ],
        )
    };
    let partial = Some("DECISION_PROVISION_PARTIAL_SUSPENSION");
    let total = Some("DECISION_PROVISION_TOTAL_SUSPENSION");
    let suspended = Some("DECISION_ACCOUNT_SUSPENDED");
    assert_eq!(of(0), (0, partial, None, [false, true, false]));
    assert_eq!(of(1), (0, partial, None, [false, true, false]));
    assert_eq!(of(2), (1, None, None, [true, false, false]));
    assert_eq!(of(3), (0, total, suspended, [false, false, false]));
    assert_eq!(of(4), (0, total, suspended, [false, true, true]));
    let gone = Some("DECISION_PROVISION_TOTAL_TERMINATION");
    let terminated = Some("DECISION_ACCOUNT_TERMINATED");
    assert_eq!(of(5), (0, gone, terminated, [false, false, false]));
}

/// What a text must name, in words of its language.
fn names(language: Language, place: usize) -> [&'static str; 6] {
    let measures = match language {
        Language::English => [
            "throttling: at most 7 requests per minute and at most 900 tokens",
            "marking",
            "suspension of",
            "termination of",
        ],
        Language::Chinese => [
            "限速：每分钟最多 7 次请求，且每分钟最多 900 个词元",
            "标记：",
            "暂停 API",
            "终止 API",
        ],
    };
    let measure = measures[[0, 0, 1, 2, 2, 3][place]];
    let automation = match (language, place) {
        (Language::English, 0) => "one person took it in an emergency",
        (Language::English, _) => "not automated: one person proposed it",
        (Language::Chinese, 0) => "由一人在紧急情况下作出",
        (Language::Chinese, _) => "决定并非自动作出：由一人提出",
    };
    let (redress, court) = match language {
        Language::English => ("appeal free of charge", "go to court"),
        Language::Chinese => ("免费申诉", "法院"),
    };
    [measure, "fff", automation, "terms/3.e", redress, court]
}

#[test]
fn texts_name_measure_facts_automation_clause_and_redress() {
    let case = case(9, true);
    for language in Language::ALL {
        for place in 0..case.restrictions().len() {
            let text = case.statement_of(place, language).unwrap();
            for part in names(language, place) {
                assert!(
                    text.contains(part),
                    "{language:?} {place}: `{part}` in {text}"
                );
            }
            let appeal = case.restrictions()[place].from.plus(APPEAL).rfc3339();
            assert!(text.contains(&appeal), "{text}");
        }
        let notice = case.notice_in(language).unwrap();
        for part in [
            "exchanges a day",
            "20",
            "1970-01-06T00:00:00.000Z",
            "terms/3.e",
        ] {
            assert!(notice.contains(part), "{notice}");
        }
        assert!(
            notice.contains("nothing {case} was found"),
            "braces of others stay: {notice}"
        );
    }
    assert!(case.statement().starts_with("STATEMENT OF REASONS"));
}

#[test]
fn what_comes_before_a_measure_has_its_words_too() {
    let first = case(3, false).steps()[0].clone();
    let observed = Case::open(CaseId::parse("c").unwrap(), first).unwrap();
    for language in Language::ALL {
        let text = observed.statement_in(language);
        assert!(text.contains("fff") && text.contains("terms/3.e"), "{text}");
        assert_eq!(observed.statement_of(0, language), None);
    }
    assert!(observed.statement().contains("without automated means"));
}

#[track_caller]
fn wrong(from: &str, to: &str, expected: &TemplateError) {
    let text = Language::English.file().replacen(from, to, 1);
    assert_eq!(Template::parse(&text).as_ref(), Err(expected));
}

#[test]
fn a_template_names_all_that_it_must() {
    for language in Language::ALL {
        assert!(Template::parse(language.file()).is_ok(), "{language:?}");
    }
    let name = "restriction";
    for word in ["measure", "facts", "decision", "clause", "redress"] {
        let lacking = TemplateError::Words {
            name,
            word: word.to_owned(),
        };
        wrong(&format!("{{{word}}}"), "", &lacking);
    }
    let unknown = TemplateError::Words {
        name,
        word: "mood".to_owned(),
    };
    wrong("STATEMENT OF", "{mood}", &unknown);
    wrong(
        "[undecided]",
        "[decided]",
        &TemplateError::Missing { name: "undecided" },
    );
    let twice = "notice".to_owned();
    wrong(
        "[observation]",
        "[notice]",
        &TemplateError::Section { name: twice },
    );
    wrong(
        "# A section",
        "A section",
        &TemplateError::Outside { line: 2 },
    );
}
