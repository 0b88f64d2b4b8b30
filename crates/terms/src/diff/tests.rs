use super::diff;
use crate::Catalogue;

#[test]
fn the_two_xai_texts_differ_for_a_third_partys_model_and_for_competing_products() {
    let catalogue = Catalogue::builtin().unwrap();
    let of = |slug: &str| catalogue.version(slug).unwrap();
    let changes = diff(
        of("xai-enterprise-2026-05-12"),
        of("xai-enterprise-2026-08-14"),
    )
    .unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|c| (c.situation(), c.old, c.new))
        .collect();
    assert!(told.contains(&(
        "request, for finetune-noncompeting, declared third-party-model".to_owned(),
        "allow",
        "deny"
    )));
    assert!(told.contains(&(
        "request, without a purpose, after competing-product".to_owned(),
        "deny",
        "allow"
    )));
    assert!(!told.iter().any(|(s, ..)| s.starts_with("request, for rag")));
}

#[test]
fn a_clause_on_countries_is_a_difference() {
    let catalogue = Catalogue::builtin().unwrap();
    let of = |slug: &str| catalogue.version(slug).unwrap();
    let changes = diff(
        of("xai-enterprise-2026-08-14"),
        of("openai-services-2026-01-01"),
    )
    .unwrap();
    let [abroad] = changes.iter().filter(|c| c.abroad).collect::<Vec<_>>()[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((abroad.old, abroad.new), ("allow", "deny"));
    assert_eq!(abroad.new_clauses, ["openai-services-2026-01-01/16.12"]);
    assert_eq!(
        abroad.situation(),
        "request, without a purpose, from a country off the list"
    );
}

#[test]
fn a_version_does_not_differ_from_itself() {
    let catalogue = Catalogue::builtin().unwrap();
    for version in catalogue.versions() {
        assert_eq!(diff(version, version).unwrap(), Vec::new());
    }
}
