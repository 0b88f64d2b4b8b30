use facts::{AccountId, ClauseId};
use serde_json::json;

use super::{Subject, aipref, cawg, odrl, table};
use crate::{Authorisation, Catalogue, Countries, Library, Purpose, Verdict, day};

/// Every document on its first day, plain and with one clause waived: the
/// forms decide each case alike.
#[test]
fn every_document_is_decided_alike_by_every_form() {
    let account = AccountId::parse("acme").unwrap();
    let library = Library::new(Catalogue::builtin().unwrap(), Countries::new());
    let mut rows = 0;
    for version in library.catalogue().versions() {
        let terms = library.bound(&[version.document().clone()]).unwrap();
        for clause in [None, version.clauses().first()] {
            let authorisations: Vec<_> = clause
                .map(|clause| Authorisation {
                    clause: clause.id.clone(),
                    purpose: None,
                    models: Vec::new(),
                    from: version.from().0,
                    until: None,
                })
                .into_iter()
                .collect();
            let subject = Subject {
                terms: &terms,
                account: &account,
                authorisations: &authorisations,
                at: version.from().0,
            };
            for row in table(&subject) {
                assert!(row.alike(), "{}: {row:?}", version.slug());
                rows += 1;
            }
        }
    }
    println!("{rows} cases decided alike");
    assert!(rows > 3_000);
}

#[test]
fn the_words_are_those_of_the_vocabularies() {
    let account = AccountId::parse("acme").unwrap();
    let library = Library::new(Catalogue::builtin().unwrap(), Countries::new());
    let subject = |name: &str| {
        let document = crate::DocumentId::parse(name).unwrap();
        library.bound(&[document]).unwrap()
    };
    let at = day("2026-09-01").unwrap();
    let (open, shut) = (subject("deepseek/open-platform"), subject("xai/enterprise"));
    let of = |terms| Subject {
        terms,
        account: &account,
        authorisations: &[],
        at,
    };
    assert_eq!(aipref::write(&of(&open)), "Content-Usage: train-ai=y");
    assert_eq!(aipref::write(&of(&shut)), "Content-Usage: train-ai=n");
    let assertion = cawg::write(&of(&shut));
    let entries = &assertion["data"]["entries"];
    assert_eq!(
        entries["cawg.ai_generative_training"],
        json!({"use": "notAllowed"})
    );
    assert_eq!(entries["cawg.ai_inference"], json!({"use": "allowed"}));
    let agreement = odrl::write(&of(&shut));
    assert_eq!(agreement["@type"], "Agreement");
    assert_eq!(
        odrl::decide(&agreement, Purpose::FoundationTraining, &[]),
        Verdict::Deny
    );
    assert_eq!(odrl::decide(&json!({}), Purpose::Rag, &[]), Verdict::Deny);
    let clause = ClauseId::parse("xai-enterprise-2026-08-14/output-training").unwrap();
    let licence = [Authorisation {
        clause,
        purpose: Some(Purpose::FoundationTraining),
        models: Vec::new(),
        from: at,
        until: None,
    }];
    let licensed = odrl::write(&Subject {
        authorisations: &licence,
        ..of(&shut)
    });
    assert_eq!(
        odrl::decide(&licensed, Purpose::FoundationTraining, &[]),
        Verdict::Allow
    );
    assert_eq!(
        odrl::decide(&licensed, Purpose::FinetuneCompeting, &[]),
        Verdict::Deny
    );
}
