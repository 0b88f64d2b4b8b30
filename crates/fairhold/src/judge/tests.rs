use super::*;
use facts::{AccountId, Endpoint, KeyId, ModelName, OrganisationId, ProjectId, Timestamp};

/// 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp(1_793_491_200_000);

fn rule(judge: &dyn Judge, purpose: Option<&str>, at: Timestamp) -> Ruling {
    judge.rule(&Question {
        organisation: &OrganisationId::parse("o").unwrap(),
        project: &ProjectId::parse("p").unwrap(),
        account: &AccountId::parse("a").unwrap(),
        key: &KeyId::parse("k").unwrap(),
        model: &ModelName::parse("gpt-4o").unwrap(),
        endpoint: Endpoint::ChatCompletions,
        purpose,
        at,
    })
}

#[test]
fn documents_forbid_with_their_clause_and_fail_closed() {
    let judge = Documents::load(&["openai/services".to_owned()]).unwrap();
    assert_eq!(rule(&judge, None, NOW).verdict, Verdict::Permit);
    assert_eq!(rule(&judge, Some("rag"), NOW).verdict, Verdict::Permit);
    let denied = rule(&judge, Some("train-competing-model"), NOW);
    assert_eq!(denied.verdict, Verdict::Deny);
    assert!(
        denied.clauses.iter().any(|c| c.as_str().contains("3.3(e)")),
        "{denied:?}"
    );
    assert!(matches!(
        rule(&judge, Some("no such purpose"), NOW).verdict,
        Verdict::Error(_)
    ));
    assert_ne!(
        rule(&judge, None, Timestamp(0)).verdict,
        Verdict::Permit,
        "no terms are known for 1970"
    );
    assert_eq!(judge.policy_sha256().len(), 64);
}

#[test]
fn unknown_documents_are_errors_at_load() {
    assert!(Documents::load(&["nobody/nothing".to_owned()]).is_err());
    assert!(Documents::load(&["no slash".to_owned()]).is_err());
}
