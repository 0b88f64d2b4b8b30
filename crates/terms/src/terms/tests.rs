use std::collections::BTreeSet;

use std::sync::LazyLock;

use facts::{AccountId, ClauseId, Endpoint, ModelName, Span, Timestamp};
use proptest::prelude::*;

use super::{Authorisation, Countries, LoadError, Question, Ruling, Terms, Verdict};
use crate::question::{
    Act, EXPECTED_USAGE_CLAUSE, Exceeded, REQUEST_SIZE_CLAUSE, STANDING_CLAUSE, Standing,
};
use crate::{Catalogue, Conduct, Country, Declaration, DocumentId, Library, Purpose, Source};

mod naive;
mod outside;

static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::new(builtin(), outside::lists()));

fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap()
}

fn ids(documents: &[&str]) -> Vec<DocumentId> {
    documents
        .iter()
        .map(|text| DocumentId::parse(text).unwrap())
        .collect()
}

fn load(documents: &[&str]) -> Terms {
    Terms::load(&builtin(), &ids(documents)).unwrap()
}

fn day(text: &str) -> Timestamp {
    crate::day::parse(text).unwrap()
}

fn clause(text: &str) -> ClauseId {
    ClauseId::parse(text).unwrap()
}

/// Owns what a question borrows.
#[derive(Debug, Clone)]
struct Case {
    account: AccountId,
    model: ModelName,
    endpoint: Endpoint,
    uses: bool,
    purpose: Option<String>,
    declared: Vec<Declaration>,
    conduct: Vec<Conduct>,
    authorisations: Vec<Authorisation>,
    country: Option<Country>,
    exceeded: Exceeded,
    standing: Standing,
    at: Timestamp,
}

impl Case {
    fn new(purpose: Option<&str>, at: Timestamp) -> Self {
        Self {
            account: AccountId::parse("acct_1").unwrap(),
            model: ModelName::parse("gpt-4").unwrap(),
            endpoint: Endpoint::ChatCompletions,
            uses: false,
            purpose: purpose.map(str::to_owned),
            declared: Vec::new(),
            conduct: Vec::new(),
            authorisations: Vec::new(),
            country: None,
            exceeded: Exceeded::default(),
            standing: Standing::Active,
            at,
        }
    }

    fn question(&self) -> Question<'_> {
        let act = if self.uses {
            Act::Use {
                set: "outputs",
                model: Some(&self.model),
                transformed: false,
            }
        } else {
            Act::Infer {
                model: &self.model,
                endpoint: self.endpoint,
            }
        };
        Question {
            purpose: self.purpose.as_deref(),
            declared: &self.declared,
            conduct: &self.conduct,
            authorisations: &self.authorisations,
            country: self.country,
            exceeded: self.exceeded,
            standing: self.standing,
            ..Question::new(&self.account, act, self.at)
        }
    }

    fn ruled_by(&self, terms: &Terms) -> Ruling {
        terms.rule(&self.question())
    }
}

#[track_caller]
fn check(terms: &Terms, case: &Case, verdict: Verdict, because: &[&str]) {
    let ruling = case.ruled_by(terms);
    assert_eq!(ruling.errors, Vec::<String>::new());
    assert_eq!(ruling.verdict, verdict, "{case:?}");
    let named: Vec<_> = ruling.because.iter().map(ClauseId::as_str).collect();
    assert_eq!(named, because, "{case:?}");
}

#[test]
fn an_undeclared_purpose_is_allowed_and_a_competing_model_is_not() {
    let terms = load(&["openai/services"]);
    for (at, forbidding) in [
        ("2023-12-15", "openai-services-2023-10-16/2(c)(iii)"),
        ("2026-08-22", "openai-services-2026-01-01/3.3(e)"),
    ] {
        let at = day(at);
        check(&terms, &Case::new(None, at), Verdict::Allow, &[]);
        check(&terms, &Case::new(Some("rag"), at), Verdict::Allow, &[]);
        let train = Case::new(Some("train_competing_model"), at);
        check(&terms, &train, Verdict::Deny, &[forbidding]);
    }
}

#[test]
fn the_internal_classifier_is_excepted_only_under_the_later_text() {
    let terms = load(&["openai/services"]);
    let mut case = Case::new(Some("classifier-internal"), day("2023-12-15"));
    case.declared = vec![Declaration::NotDistributed];
    check(
        &terms,
        &case,
        Verdict::Deny,
        &["openai-services-2023-10-16/2(c)(iii)"],
    );
    case.at = day("2026-01-01");
    check(&terms, &case, Verdict::Allow, &[]);
    case.declared.clear();
    check(
        &terms,
        &case,
        Verdict::Deny,
        &["openai-services-2026-01-01/3.3(e)"],
    );
}

#[test]
fn the_permissive_document_names_the_clause_that_allows() {
    let terms = load(&["deepseek/open-platform"]);
    let case = Case::new(Some("train-competing-model"), day("2026-08-22"));
    check(
        &terms,
        &case,
        Verdict::Allow,
        &["deepseek-open-platform-2026-04-21/4.2(3)"],
    );
}

#[test]
fn of_several_documents_the_strictest_wins() {
    let terms = load(&[
        "deepseek/open-platform",
        "anthropic/commercial",
        "anthropic/usage-policy",
    ]);
    let at = day("2026-08-22");
    let both = [
        "anthropic-commercial-2026-03-11/D.4(a)",
        "anthropic-usage-policy-2026-08-14/model-training",
    ];
    let competing = Case::new(Some("finetune-competing"), at);
    check(&terms, &competing, Verdict::Deny, &both);
    let other = Case::new(Some("finetune-noncompeting"), at);
    check(&terms, &other, Verdict::Deny, &both[1..]);
}

#[test]
fn a_suspended_account_is_denied_by_the_house_and_a_restricted_one_is_not() {
    let terms = load(&["mistral/commercial"]);
    let mut case = Case::new(None, day("2026-08-22"));
    for (standing, verdict) in [
        (Standing::Active, Verdict::Allow),
        (Standing::Restricted, Verdict::Allow),
        (Standing::Suspended, Verdict::Deny),
        (Standing::Terminated, Verdict::Deny),
    ] {
        case.standing = standing;
        let because: &[&str] = match verdict {
            Verdict::Allow => &[],
            Verdict::Deny => &[STANDING_CLAUSE],
        };
        check(&terms, &case, verdict, because);
    }
}

#[test]
fn an_authorisation_waives_its_clause_for_its_purpose_while_it_lasts() {
    let terms = load(&["openai/services"]);
    let (from, until) = (day("2026-03-01"), day("2026-04-01"));
    let mut case = Case::new(Some("finetune-competing"), from);
    case.authorisations = vec![Authorisation {
        clause: clause("openai-services-2026-01-01/3.3(e)"),
        purpose: Some(Purpose::FinetuneCompeting),
        models: Vec::new(),
        from,
        until: Some(until),
    }];
    let denied: &[&str] = &["openai-services-2026-01-01/3.3(e)"];
    check(&terms, &case, Verdict::Allow, &[]);
    assert_eq!(case.ruled_by(&terms).until, Some(until));
    case.at = Timestamp(until.0 - 1);
    check(&terms, &case, Verdict::Allow, &[]);
    case.at = until;
    check(&terms, &case, Verdict::Deny, denied);
    assert_eq!(case.ruled_by(&terms).until, None);
    case.at = Timestamp(from.0 - 1);
    check(&terms, &case, Verdict::Deny, denied);
    assert_eq!(case.ruled_by(&terms).until, Some(from));
    case.at = from;
    case.purpose = Some("foundation-training".to_owned());
    check(&terms, &case, Verdict::Deny, denied);
}

#[test]
fn a_moment_without_known_terms_denies_and_says_so() {
    let terms = load(&["openai/services"]);
    for (at, next) in [
        (Timestamp(day("2023-03-14").0 - 1), Some(day("2023-03-14"))),
        (day("2024-01-31"), Some(day("2026-01-01"))),
        (Timestamp(day("2026-01-01").0 - 1), Some(day("2026-01-01"))),
        (Timestamp(i64::MIN), Some(day("2023-03-14"))),
    ] {
        let case = Case::new(None, at);
        let ruling = case.ruled_by(&terms);
        assert_eq!(ruling.verdict, Verdict::Deny);
        assert!(
            ruling.errors[0].contains("`openai/services`"),
            "{:?}",
            ruling.errors
        );
        assert_eq!(ruling.until, next);
        assert_eq!(terms.key(&case.question()), None);
    }
    let last = Case::new(None, Timestamp(day("2024-01-31").0 - 1));
    assert_eq!(last.ruled_by(&terms).until, Some(day("2024-01-31")));
    check(&terms, &last, Verdict::Allow, &[]);
    check(
        &terms,
        &Case::new(None, Timestamp(i64::MAX)),
        Verdict::Allow,
        &[],
    );
}

#[test]
fn two_documents_bind_only_while_both_are_known() {
    let terms = load(&["anthropic/commercial", "anthropic/usage-policy"]);
    let before = Timestamp(day("2026-08-14").0 - 1);
    assert!(terms.in_force(before).is_none());
    assert_eq!(
        Case::new(None, before).ruled_by(&terms).verdict,
        Verdict::Deny
    );
    assert_eq!(terms.in_force(day("2026-08-14")).unwrap().len(), 2);
    let apart = Terms::load(
        &Catalogue::read(&[
            source(
                "acme-a-2026-01-01",
                &toml("a", "2026-01-01", "2026-02-01"),
                &permit("acme-a-2026-01-01"),
            ),
            source(
                "acme-b-2026-02-01",
                &toml("b", "2026-02-01", "2026-03-01"),
                &permit("acme-b-2026-02-01"),
            ),
        ])
        .unwrap(),
        &ids(&["acme/a", "acme/b"]),
    );
    assert_eq!(apart.unwrap_err(), LoadError::NeverTogether);
}

#[test]
fn an_unknown_purpose_denies_and_is_not_kept() {
    let terms = load(&["deepseek/open-platform"]);
    for word in ["", "training", "purpose\" == \"x", &"x".repeat(100_000)] {
        let case = Case::new(Some(word), day("2026-08-22"));
        let ruling = case.ruled_by(&terms);
        assert_eq!(ruling.verdict, Verdict::Deny);
        assert!(ruling.errors[0].contains("is not a purpose"));
        assert!(ruling.errors[0].len() < 500);
        assert_eq!(terms.key(&case.question()), None);
    }
}

fn toml(document: &str, from: &str, until: &str) -> String {
    format!(
        "provider = \"acme\"\ndocument = \"{document}\"\nversion = \"{from}\"\ntitle = \"T\"\n\
         class = \"allow\"\n[effective]\nfrom = \"{from}\"\nfrom_basis = \"effective\"\n\
         until = \"{until}\"\nuntil_basis = \"superseded\"\n[source]\nreference = \"a test\"\n\
         [[clause]]\nid = \"1\"\nparaphrase = \"Nothing.\"\nallows = [\"evaluation\"]\n"
    )
}

/// The policy of the one clause of [`toml`].
fn permit(slug: &str) -> String {
    format!("@id(\"x\") @clause(\"{slug}/1\") permit (principal, action, resource);")
}

fn source<'a>(name: &'a str, facts: &'a str, policies: &'a str) -> Source<'a> {
    Source {
        name,
        facts,
        policies,
        cases: "",
    }
}

/// Compiles one clause that forbids `rag`, with `policies`.
fn one_clause(policies: &str) -> Result<Terms, LoadError> {
    let facts = toml("a", "2026-01-01", "2027-01-01").replace("allows", "forbids");
    let catalogue = Catalogue::read(&[source("acme-a-2026-01-01", &facts, policies)]).unwrap();
    Terms::load(&catalogue, &ids(&["acme/a"]))
}

const HEAD: &str =
    "@id(\"x\")\n@clause(\"acme-a-2026-01-01/1\")\nforbid (principal, action, resource)\n";

#[test]
fn a_policy_that_errs_denies_instead_of_being_skipped() {
    // Holds against the schema, overflows when evaluated: Cedar skips the
    // forbid and answers Allow by the house's permit.
    let policies = format!("{HEAD}when {{ 9223372036854775807 + 1 > 0 }};");
    let terms = one_clause(&policies).unwrap();
    let ruling = Case::new(None, day("2026-06-01")).ruled_by(&terms);
    assert_eq!(ruling.verdict, Verdict::Deny);
    assert_eq!(ruling.errors.len(), 1);
    assert!(ruling.errors[0].contains("overflow"), "{:?}", ruling.errors);
    assert_eq!(ruling.because, Vec::new());
}

#[track_caller]
fn refused_at(policies: &str, message: &str) {
    let error = one_clause(policies).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn policies_that_do_not_hold_are_refused_at_load_with_file_and_line() {
    let good = format!("{HEAD}when {{ context has purpose && context.purpose == \"rag\" }};");
    one_clause(&good).unwrap();
    let with = |condition: &str| format!("\n\n{HEAD}when {{ {condition} }};");
    refused_at(
        &with("context.purpose == \"rag\""),
        "acme-a-2026-01-01/policies.cedar:3: ",
    );
    refused_at(
        &with("context.standing == 7"),
        "acme-a-2026-01-01/policies.cedar:3: ",
    );
    refused_at(
        &with("context.colour == \"red\""),
        "acme-a-2026-01-01/policies.cedar:3: ",
    );
    // No entity has an attribute, so that none can be missing.
    refused_at(
        &with("principal.tier == \"gold\""),
        "acme-a-2026-01-01/policies.cedar:3: ",
    );
    refused_at(
        &with("principal == Agreement::\"a\""),
        "acme-a-2026-01-01/policies.cedar:3: ",
    );
    refused_at("\n\nforbid (\n;", "acme-a-2026-01-01/policies.cedar:4: ");
    refused_at(
        &good.replace("@id(\"x\")", "\n\n"),
        "acme-a-2026-01-01/policies.cedar:4: a policy has no @id",
    );
    refused_at(
        &good.replace("@clause(\"acme-a-2026-01-01/1\")", ""),
        "names no @clause",
    );
    refused_at(
        &good.replace("acme-a-2026-01-01/1", "acme-a-2026-01-01/2"),
        "forbids",
    );
    refused_at(&format!("{good}\n{good}"), "`x` is the @id of two policies");
    refused_at("", "differ on whether it forbids");
    let stranger = good
        .replace("\"x\"", "\"y\"")
        .replace("-01-01/1", "-01-01/9");
    refused_at(
        &format!("{good}\n{stranger}"),
        "not a clause of this version",
    );
    let slots = good.replace("forbid (principal", "forbid (principal == ?principal");
    refused_at(&slots, "slots");
}

#[test]
fn documents_must_be_named_and_known() {
    let catalogue = builtin();
    assert_eq!(
        Terms::load(&catalogue, &[]).unwrap_err(),
        LoadError::NoDocument
    );
    assert!(matches!(
        Terms::load(&catalogue, &ids(&["openai/none"])).unwrap_err(),
        LoadError::UnknownDocument { .. }
    ));
    for text in [
        "openai",
        "Openai/services",
        "openai/",
        "/services",
        "open ai/x",
    ] {
        assert_eq!(DocumentId::parse(text), None, "{text}");
    }
}

#[test]
fn the_digest_names_the_policies_that_decided() {
    let terms = load(&["openai/services"]);
    let digest = |terms: &Terms, at: &str| Case::new(None, day(at)).ruled_by(terms).policy_sha256;
    let (old, new) = (digest(&terms, "2023-12-01"), digest(&terms, "2026-02-01"));
    assert_eq!(old.len(), 64);
    assert_ne!(old, new);
    assert_eq!(new, digest(&load(&["openai/services"]), "2026-08-01"));
    assert_ne!(
        new,
        digest(
            &load(&["openai/services", "mistral/commercial"]),
            "2026-08-22"
        )
    );
    assert_ne!(terms.sha256(), load(&["mistral/commercial"]).sha256());
}
