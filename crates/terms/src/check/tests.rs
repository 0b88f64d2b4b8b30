use super::{Report, check};
use crate::{Catalogue, Source};

/// The built-in catalogue: every clause decides its cases, and its cases
/// notice every mutant of it.
#[test]
fn every_clause_decides_its_cases_and_no_mutant_survives() {
    let mut seen = 0;
    let report = check(&Catalogue::builtin().unwrap(), |_| seen += 1);
    println!(
        "{} documents of {} providers in {} versions, {} clauses, {} cases, {} mutants, score {}",
        report.documents,
        report.providers,
        report.versions,
        report.clauses,
        report.cases,
        report.mutants,
        report.mutation_score(),
    );
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(report.survivors, Vec::<String>::new());
    assert!(report.documents >= 12 && report.providers >= 10);
    // Each clause is deleted, turned round, and has a condition turned round.
    assert!(report.mutants >= 3 * report.clauses);
    assert_eq!(seen, report.versions);
}

const FACTS: &str = r#"
provider = "acme"
document = "api"
version = "2026-01-01"
title = "Acme API Terms"
class = "forbid-competing"
effective = { from = "2026-01-01", from_basis = "effective" }
source = { reference = "written for a test" }
[[clause]]
id = "1"
paraphrase = "No training."
forbids = ["finetune-competing", "foundation-training"]
"#;

const POLICY: &str = r#"
@id("one")
@clause("acme-api-2026-01-01/1")
forbid (principal, action, resource)
when { context has purpose && ["finetune-competing", "foundation-training"].contains(context.purpose) };
"#;

fn of(policies: &str, cases: &str) -> Report {
    let source = Source {
        name: "acme-api-2026-01-01",
        facts: FACTS,
        policies,
        cases,
    };
    check(&Catalogue::read(&[source]).unwrap(), |_| {})
}

fn case(purpose: &str, fires: bool) -> String {
    format!(
        "[[case]]\nclause = \"1\"\nname = \"{purpose}\"\nfires = {fires}\npurpose = \"{purpose}\"\n"
    )
}

fn negatives() -> String {
    ["rag", "evaluation", "resale"]
        .map(|p| case(p, false))
        .concat()
}

#[test]
fn a_mutant_that_no_case_notices_is_told() {
    let one = case("finetune-competing", true).repeat(3);
    let report = of(POLICY, &(one.clone() + &negatives()));
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(report.mutants, 5);
    let [survivor] = report.survivors.as_slice() else {
        panic!("{:?}", report.survivors)
    };
    assert!(survivor.contains("`foundation-training`"), "{survivor}");
    assert!((report.mutation_score() - 0.8).abs() < 1e-12);
    let both = one + &case("foundation-training", true) + &negatives();
    assert!(of(POLICY, &both).holds());
}

#[test]
fn a_clause_that_catches_what_it_let_pass_is_noticed_by_negative_cases() {
    // Without positive cases that mutant is the only one noticed.
    let report = of(POLICY, &negatives());
    assert!(
        !report
            .survivors
            .iter()
            .any(|survivor| survivor.contains("condition 1 turned round")),
        "{:?}",
        report.survivors
    );
    assert_eq!(report.survivors.len(), 4);
}

#[test]
fn a_case_decided_otherwise_is_told_and_so_are_too_few() {
    let wrong = case("rag", true) + &case("finetune-competing", true).repeat(2) + &negatives();
    let report = of(POLICY, &wrong);
    assert!(
        report.errors[0].contains("rag: the clause is not named"),
        "{:?}",
        report.errors
    );
    let few = of(POLICY, &case("finetune-competing", true));
    assert!(
        few.errors[0].contains("write at least 3"),
        "{:?}",
        few.errors
    );
    let unknown = of(POLICY, &case("training", true));
    assert!(unknown.errors[0].contains("acme-api-2026-01-01/cases.toml: case `training`"));
    let stranger = of(POLICY, &case("rag", true).replace("\"1\"", "\"2\""));
    assert!(stranger.errors[0].contains("no clause `2`"));
}
