use super::*;
use facts::{AccountId, Endpoint, KeyId, OrganisationId, ProjectId, Timestamp};
use terms::Exceeded;

/// 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp(1_793_491_200_000);

struct Asked<'a> {
    model: &'a str,
    purpose: Option<&'a str>,
    country: Option<&'a str>,
    agreement: &'a Agreement,
    at: Timestamp,
}

fn plain(agreement: &Agreement) -> Asked<'_> {
    Asked {
        model: "gpt-4o",
        purpose: None,
        country: None,
        agreement,
        at: NOW,
    }
}

fn rule(judge: &dyn Judge, asked: &Asked<'_>) -> Ruling {
    judge.rule(&Question {
        organisation: &OrganisationId::parse("o").unwrap(),
        project: &ProjectId::parse("p").unwrap(),
        account: &AccountId::parse("a").unwrap(),
        key: &KeyId::parse("k").unwrap(),
        model: &ModelName::parse(asked.model).unwrap(),
        endpoint: Endpoint::ChatCompletions,
        purpose: asked.purpose,
        agreement: asked.agreement,
        country: asked.country.and_then(Country::parse),
        exceeded: Exceeded::default(),
        at: asked.at,
    })
}

fn bound(documents: &[&str]) -> Bound {
    Bound {
        documents: documents.iter().map(|d| (*d).to_owned()).collect(),
        ..Bound::default()
    }
}

fn seated(bound: &Bound) -> Seated {
    Seated(Arc::new(Documents::load(bound).unwrap()))
}

#[test]
fn documents_forbid_with_their_clause_and_fail_closed() {
    let none = Agreement::default();
    let judge = seated(&bound(&["openai/services"]));
    let of = |purpose, at| {
        rule(
            &judge,
            &Asked {
                purpose,
                at,
                ..plain(&none)
            },
        )
    };
    assert_eq!(of(None, NOW).verdict, Verdict::Permit);
    assert_eq!(of(Some("rag"), NOW).verdict, Verdict::Permit);
    let denied = of(Some("train-competing-model"), NOW);
    assert_eq!(denied.verdict, Verdict::Deny);
    assert_eq!(
        denied.clauses[0].as_str(),
        "openai-services-2026-01-01/3.3(e)"
    );
    assert_eq!(denied.policy_sha256.len(), 64);
    assert!(matches!(
        of(Some("no such purpose"), NOW).verdict,
        Verdict::Error(_)
    ));
    assert!(matches!(of(None, Timestamp(0)).verdict, Verdict::Error(_)));
}

#[test]
fn models_accounts_and_countries_bring_documents_of_their_own() {
    let none = Agreement::default();
    let judge = seated(&Bound {
        models: [("llama-3*".to_owned(), vec!["meta/llama-3".to_owned()])].into(),
        countries: [("openai/services".to_owned(), vec!["US".to_owned()])].into(),
        ..bound(&["openai/services"])
    });
    let asked = Asked {
        purpose: Some("finetune-noncompeting"),
        ..plain(&none)
    };
    assert_eq!(rule(&judge, &asked).verdict, Verdict::Permit);
    let llama = rule(
        &judge,
        &Asked {
            model: "llama-3-70b",
            ..asked
        },
    );
    assert_eq!(llama.clauses[0].as_str(), "meta-llama-3-2024-04-18/1.b.v");
    let abroad = rule(
        &judge,
        &Asked {
            country: Some("KP"),
            ..plain(&none)
        },
    );
    assert_eq!(
        abroad.clauses[0].as_str(),
        "openai-services-2026-01-01/16.12"
    );
    let agreement = Agreement::from_toml(
        "documents = [\"openrouter/terms\"]\n[[authorisation]]\n\
         clause = \"openai-services-2026-01-01/3.3(e)\"\nfrom = \"2026-06-01\"\n",
    )
    .unwrap();
    let resale = rule(
        &judge,
        &Asked {
            purpose: Some("resale"),
            ..plain(&agreement)
        },
    );
    assert_eq!(
        resale.clauses[0].as_str(),
        "openrouter-terms-2026-05-12/use(4)"
    );
    let licensed = rule(
        &judge,
        &Asked {
            purpose: Some("train-competing-model"),
            ..plain(&agreement)
        },
    );
    assert_eq!(licensed.verdict, Verdict::Permit);
}

#[test]
fn agreements_are_checked_before_they_bind() {
    let judge = Documents::load(&bound(&["openai/services"])).unwrap();
    let refused = |text: &str| judge.refuses(&Agreement::from_toml(text).unwrap());
    assert_eq!(refused("declared = [\"not-distributed\"]"), None);
    assert!(
        refused("documents = [\"nobody/nothing\"]")
            .unwrap()
            .contains("no version")
    );
    let clause =
        "[[authorisation]]\nclause = \"openai-services-2026-01-01/9\"\nfrom = \"2026-01-01\"";
    assert!(refused(clause).unwrap().contains("no clause"));
}

#[test]
fn unknown_documents_are_errors_at_load() {
    assert!(Documents::load(&bound(&["nobody/nothing"])).is_err());
    assert!(Documents::load(&bound(&["no slash"])).is_err());
    let models = Bound {
        models: [("x*".to_owned(), vec!["nobody/nothing".to_owned()])].into(),
        ..bound(&["openai/services"])
    };
    assert!(Documents::load(&models).is_err());
    let countries = Bound {
        countries: [("openai/services".to_owned(), vec!["Utopia".to_owned()])].into(),
        ..bound(&["openai/services"])
    };
    assert!(Documents::load(&countries).is_err());
}
