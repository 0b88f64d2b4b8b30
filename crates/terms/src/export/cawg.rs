//! The CAWG training and data mining assertion, version 1.1: four words, each
//! allowed, not allowed, or constrained.

use serde_json::{Value, json};

use super::Subject;
use crate::question::Verdict;
use crate::{Declaration, Purpose};

/// The entry under which a purpose falls; none where the assertion has no word.
fn entry(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::InferenceProduct | Purpose::Rag => Some("cawg.ai_inference"),
        Purpose::ClassifierInternal | Purpose::ClassifierDistributed => Some("cawg.ai_training"),
        Purpose::FinetuneOnProvider
        | Purpose::FinetuneNoncompeting
        | Purpose::FinetuneCompeting
        | Purpose::FoundationTraining
        | Purpose::TrainCompetingModel => Some("cawg.ai_generative_training"),
        Purpose::Evaluation | Purpose::LabellingInternal => Some("cawg.data_mining"),
        Purpose::Resale | Purpose::ReasoningCapture => None,
    }
}

/// The assertion.
pub fn write(subject: &Subject<'_>) -> Value {
    let mut entries = serde_json::Map::new();
    for purpose in Purpose::ALL {
        let Some(name) = entry(purpose) else { continue };
        if entries.contains_key(name) {
            continue;
        }
        let together: Vec<Purpose> = Purpose::ALL
            .into_iter()
            .filter(|other| entry(*other) == Some(name))
            .collect();
        entries.insert(name.to_owned(), settled(subject, &together));
    }
    json!({"label": "cawg.training-mining", "data": {"entries": entries}})
}

fn settled(subject: &Subject<'_>, purposes: &[Purpose]) -> Value {
    let declarations = Declaration::ALL.iter().copied().map(Some);
    let situations: Vec<_> = [None].into_iter().chain(declarations).collect();
    let verdicts: Vec<Verdict> = purposes
        .iter()
        .flat_map(|purpose| {
            situations
                .iter()
                .map(|d| subject.verdict(*purpose, d.as_slice()))
        })
        .collect();
    if verdicts.iter().all(|verdict| *verdict == Verdict::Allow) {
        json!({"use": "allowed"})
    } else if verdicts.iter().all(|verdict| *verdict == Verdict::Deny) {
        json!({"use": "notAllowed"})
    } else {
        let denied: Vec<_> = purposes
            .iter()
            .filter(|purpose| subject.verdict(**purpose, &[]) == Verdict::Deny)
            .map(|purpose| purpose.word())
            .collect();
        let info = if denied.is_empty() {
            "it depends on what is declared: see the terms".to_owned()
        } else {
            format!("undeclared, not for: {}", denied.join(", "))
        };
        json!({"use": "constrained", "constraint_info": info})
    }
}

/// What the assertion says of a purpose: `allow`, `deny` or `constrained`.
pub fn decide(assertion: &Value, purpose: Purpose) -> &'static str {
    let said = entry(purpose).and_then(|name| {
        assertion
            .pointer("/data/entries")?
            .get(name)?
            .get("use")?
            .as_str()
    });
    match said {
        Some("allowed") => "allow",
        Some("notAllowed") => "deny",
        _ => "constrained",
    }
}
