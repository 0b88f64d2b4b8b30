//! What is counted or looked up outside the policies: countries, amounts.

use super::*;

/// Two documents have a list; the others admit every country.
pub(super) fn lists() -> Countries {
    let list: BTreeSet<Country> = ["US", "DE"]
        .map(|text| Country::parse(text).unwrap())
        .into();
    ids(&["openai/services", "google/gemini-api"])
        .into_iter()
        .map(|document| (document, list.clone()))
        .collect()
}

#[test]
fn a_country_off_the_list_is_refused_by_the_clause_of_its_own() {
    let terms = load(&["openai/services"]).with_countries(lists());
    let mut case = Case::new(None, day("2026-08-22"));
    for (country, verdict) in [
        (None, Verdict::Allow),
        (Some("US"), Verdict::Allow),
        (Some("KP"), Verdict::Deny),
    ] {
        case.country = country.map(|text| Country::parse(text).unwrap());
        let because: &[&str] = match verdict {
            Verdict::Allow => &[],
            Verdict::Deny => &["openai-services-2026-01-01/16.12"],
        };
        check(&terms, &case, verdict, because);
    }
    let without = load(&["openai/services"]);
    check(&without, &case, Verdict::Allow, &[]);
}

#[test]
fn an_amount_that_is_passed_is_refused_by_the_house() {
    let terms = load(&["deepseek/open-platform"]);
    let mut case = Case::new(Some("evaluation"), day("2026-08-22"));
    case.exceeded.expected_usage = true;
    check(&terms, &case, Verdict::Deny, &[EXPECTED_USAGE_CLAUSE]);
    case.exceeded.request_size = true;
    check(
        &terms,
        &case,
        Verdict::Deny,
        &[EXPECTED_USAGE_CLAUSE, REQUEST_SIZE_CLAUSE],
    );
}

#[test]
fn established_conduct_is_refused_whatever_the_purpose() {
    let terms = load(&["anthropic/usage-policy", "bytedance/doubao"]);
    let mut case = Case::new(Some("rag"), day("2026-08-22"));
    case.conduct = vec![Conduct::BanEvasion, Conduct::BulkRegistration];
    let because = [
        "anthropic-usage-policy-2026-08-14/ban-evasion",
        "bytedance-doubao-2026-07-15/5.1.2(10)",
    ];
    check(&terms, &case, Verdict::Deny, &because);
}

#[test]
fn an_authorisation_covers_the_models_that_it_names() {
    let terms = load(&["openai/services"]);
    let mut case = Case::new(Some("finetune-competing"), day("2026-08-22"));
    case.authorisations = vec![Authorisation {
        clause: clause("openai-services-2026-01-01/3.3(e)"),
        purpose: None,
        models: vec!["gpt-4*".to_owned()],
        from: day("2026-01-01"),
        until: None,
    }];
    for (model, verdict) in [
        ("gpt-4", Verdict::Allow),
        ("gpt-4o", Verdict::Allow),
        ("gpt-5", Verdict::Deny),
    ] {
        case.model = ModelName::parse(model).unwrap();
        assert_eq!(case.ruled_by(&terms).verdict, verdict, "{model}");
    }
}

#[test]
fn the_explanation_names_clause_version_and_what_would_change_it() {
    let terms = load(&["openai/services"]);
    let mut case = Case::new(Some("classifier-internal"), day("2023-12-15"));
    case.declared = vec![Declaration::NotDistributed];
    let then = terms.explain(&case.question());
    assert_eq!(then.ruling, case.ruled_by(&terms));
    assert_eq!(then.clauses[0].version, "openai-services-2023-10-16");
    assert_eq!(then.clauses[0].finding, "forbids");
    assert_eq!(then.clauses[0].analysis, ["the clause states no exception"]);
    case.at = day("2026-01-01");
    let now = terms.explain(&case.question());
    assert_eq!(now.clauses[0].clause, "openai-services-2026-01-01/3.3(e)");
    assert_eq!(now.clauses[0].finding, "excepted");
    assert!(now.clauses[0].analysis[0].starts_with("exception permitted-exception-a applies"));
    case.declared.clear();
    let undeclared = terms.explain(&case.question());
    assert!(
        undeclared.clauses[0].analysis[0]
            .contains("would apply if `not-distributed` were declared")
    );
}
