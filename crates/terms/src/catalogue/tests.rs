use facts::{ClauseId, Span, Timestamp};

use super::{Catalogue, CatalogueError, Class, Source, builtin};

const FACTS: &str = r#"provider = "acme"
document = "api"
version = "2026-01-01"
title = "Acme API Terms"
class = "forbid-competing"
effective = { from = "2026-01-01", from_basis = "effective" }
source = { reference = "written for a test" }
[[clause]]
id = "1"
paraphrase = "Outputs may not train competing models."
forbids = ["train-competing-model", "classifier-internal"]
[[clause.exception]]
id = "a"
paraphrase = "Inside is fine."
purposes = ["classifier-internal"]
needs = ["not-distributed"]
"#;

fn read(facts: &str) -> Result<Catalogue, CatalogueError> {
    Catalogue::read(&[Source {
        name: "acme-api-2026-01-01",
        facts,
        policies: "",
        cases: "",
    }])
}

fn at(day: &str) -> Timestamp {
    crate::day::parse(day).unwrap()
}

fn in_force(catalogue: &Catalogue, provider: &str, at: Timestamp) -> Vec<String> {
    catalogue
        .in_force(provider, at)
        .map(super::Version::slug)
        .collect()
}

#[test]
fn the_built_in_catalogue_reads() {
    let catalogue = Catalogue::builtin().unwrap();
    assert_eq!(catalogue.versions().len(), builtin::SOURCES.len());
    let clause = ClauseId::parse("openai-services-2026-01-01/3.3(e)").unwrap();
    let (version, clause) = catalogue.clause(&clause).unwrap();
    assert_eq!(version.class(), Class::ForbidCompeting);
    assert_eq!(clause.exceptions.len(), 2);
    assert_eq!(version.process().cure_days, Some(30));
    for version in catalogue.versions() {
        let source = version.source();
        let read = source.text_sha256.is_some() && source.archive_commit.is_some();
        assert!(read, "{} names no text that was read", version.slug());
    }
}

#[test]
fn a_version_is_in_force_from_its_first_moment_to_before_its_end() {
    let catalogue = Catalogue::builtin().unwrap();
    let old = vec!["openai-services-2023-10-16".to_owned()];
    let new = vec!["openai-services-2026-01-01".to_owned()];
    let none: Vec<String> = Vec::new();
    for (moment, expected) in [
        (Timestamp(at("2023-03-14").0 - 1), &none),
        (at("2023-03-14"), &old),
        (at("2023-12-15"), &old),
        (Timestamp(at("2024-01-31").0 - 1), &old),
        (at("2024-01-31"), &none),
        (Timestamp(at("2026-01-01").0 - 1), &none),
        (at("2026-01-01"), &new),
        (at("2099-01-01"), &new),
        (Timestamp(i64::MAX), &new),
        (Timestamp(i64::MIN), &none),
    ] {
        assert_eq!(
            &in_force(&catalogue, "openai", moment),
            expected,
            "{}",
            moment.0
        );
    }
    assert_eq!(
        in_force(&catalogue, "anthropic", at("2026-08-14")),
        [
            "anthropic-commercial-2026-03-11",
            "anthropic-usage-policy-2026-08-14"
        ]
    );
    assert_eq!(in_force(&catalogue, "nobody", at("2026-08-14")), none);
}

#[test]
fn on_no_day_are_two_versions_of_a_document_in_force() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut day = at("2023-01-01");
    while day < at("2027-01-01") {
        for version in catalogue.versions() {
            let covering = catalogue
                .of(version.document())
                .filter(|v| v.covers(day))
                .count();
            assert!(covering <= 1, "{} on {}", version.document(), day.rfc3339());
        }
        day = day.plus(Span::days(1));
    }
}

#[test]
fn overlapping_versions_are_refused_and_adjacent_ones_are_not() {
    let later = FACTS.replace("2026-01-01", "2026-06-01");
    let read = |until: &str| {
        let ended = FACTS.replace(
            "from_basis = \"effective\" }",
            &format!("from_basis = \"effective\"{until} }}"),
        );
        Catalogue::read(&[
            Source {
                name: "acme-api-2026-06-01",
                facts: &later,
                policies: "",
                cases: "",
            },
            Source {
                name: "acme-api-2026-01-01",
                facts: &ended,
                policies: "",
                cases: "",
            },
        ])
    };
    for until in ["", ", until = \"2026-06-02\", until_basis = \"superseded\""] {
        let refused = read(until).unwrap_err();
        assert!(
            matches!(refused, CatalogueError::Overlap { .. }),
            "{refused}"
        );
    }
    let adjacent = read(", until = \"2026-06-01\", until_basis = \"superseded\"").unwrap();
    assert_eq!(
        in_force(&adjacent, "acme", at("2026-06-01")),
        ["acme-api-2026-06-01"]
    );
}

#[track_caller]
fn refused(from: &str, to: &str, message: &str) {
    assert!(FACTS.contains(from), "{from}");
    let error = read(&FACTS.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn unknown_and_senseless_facts_are_refused_with_their_place() {
    read(FACTS).unwrap();
    refused(
        "title =",
        "colour = \"red\"\ntitle =",
        "acme-api-2026-01-01/facts.toml:4: unknown field `colour`",
    );
    refused(
        "paraphrase = \"Out",
        "note = \"x\"\nparaphrase = \"Out",
        "facts.toml:10: unknown field `note`",
    );
    refused("needs = [", "needed = [", "unknown field `needed`");
    refused("title = \"Acme API Terms\"\n", "", "missing field `title`");
    refused("title = \"", "title = ", "facts.toml:4: ");
    refused("forbid-competing", "forbid-some", "class: `forbid-some`");
    refused(
        "from = \"2026-01-01\"",
        "from = \"2026-02-30\"",
        "effective.from: `2026-02-30`",
    );
    refused(
        "from_basis = \"effective\"",
        "from_basis = \"guess\"",
        "`guess` is not a basis",
    );
    refused(
        "\"train-competing-model\", ",
        "\"training\", ",
        "clause 1, forbids: `training`",
    );
    refused(
        "[\"not-distributed\"]",
        "[\"nice\"]",
        "`nice` is not a declaration",
    );
    refused(
        "purposes = [\"classifier-internal\"]",
        "purposes = [\"rag\"]",
        "a part of what the clause forbids",
    );
    refused("provider = \"acme\"", "provider = \"Acme\"", "two words");
    refused(
        "provider = \"acme\"",
        "provider = \"acne\"",
        "the source's name",
    );
    refused(
        "reference = ",
        "text_sha256 = \"00\", reference = ",
        "64 hexadecimal digits",
    );
    refused(
        "effective\" }",
        "effective\", until = \"2027-01-01\" }",
        "given with its basis",
    );
    refused(
        "effective\" }",
        "effective\", until = \"2026-01-01\", until_basis = \"superseded\" }",
        "after the beginning",
    );
    refused(
        "\"Outputs may not train competing models.\"",
        "\" \"",
        "a sentence",
    );
}

#[test]
fn a_clause_that_says_nothing_is_refused() {
    let facts = FACTS.replace(
        "forbids = [\"train-competing-model\", \"classifier-internal\"]",
        "",
    );
    let facts = facts.split("[[clause.exception]]").next().unwrap();
    let error = read(facts).unwrap_err().to_string();
    assert!(error.contains("forbids or allows something"), "{error}");
}

#[test]
fn a_proposal_takes_the_place_of_a_document_for_all_time() {
    let catalogue = Catalogue::builtin().unwrap();
    let proposed = Catalogue::of_one(catalogue.version("openai-services-2026-01-01").unwrap());
    let both = catalogue.with_proposed(&proposed);
    assert_eq!(
        in_force(&both, "openai", at("2023-12-15")),
        ["openai-services-2026-01-01"]
    );
    assert_eq!(both.versions().len(), catalogue.versions().len() - 1);
    assert_eq!(
        in_force(&both, "xai", at("2026-09-01")),
        ["xai-enterprise-2026-08-14"]
    );
}
