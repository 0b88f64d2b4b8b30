//! The AIPREF usage preference (IETF draft): one word for training.

use super::Subject;
use crate::question::Verdict;
use crate::{Declaration, Purpose};

fn trains(purpose: Purpose) -> bool {
    matches!(
        purpose,
        Purpose::ClassifierInternal
            | Purpose::ClassifierDistributed
            | Purpose::FinetuneOnProvider
            | Purpose::FinetuneNoncompeting
            | Purpose::FinetuneCompeting
            | Purpose::FoundationTraining
            | Purpose::TrainCompetingModel
    )
}

/// The header: `y` only when every kind of training is allowed, whatever is
/// declared.
pub fn write(subject: &Subject<'_>) -> String {
    let declarations = Declaration::ALL.iter().copied().map(Some);
    let situations: Vec<_> = [None].into_iter().chain(declarations).collect();
    let free = Purpose::ALL
        .into_iter()
        .filter(|purpose| trains(*purpose))
        .all(|purpose| {
            situations
                .iter()
                .all(|declared| subject.verdict(purpose, declared.as_slice()) == Verdict::Allow)
        });
    format!("Content-Usage: train-ai={}", if free { "y" } else { "n" })
}

/// What the preference says of a purpose: `allow`, `deny` or `unstated`.
pub fn decide(preference: &str, purpose: Purpose) -> &'static str {
    match preference.rsplit_once("train-ai=") {
        Some((_, "y")) if trains(purpose) => "allow",
        Some((_, "n")) if trains(purpose) => "deny",
        _ => "unstated",
    }
}
