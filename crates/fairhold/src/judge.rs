//! Who evaluates the terms for the engine.

use engine::judge::{Judge, Question, Ruling, Verdict};
use sha2::{Digest as _, Sha256};
use terms::{Catalogue, DocumentId, Standing, Terms};

use crate::failure::Failure;

/// No document of terms is configured: nothing is forbidden, and the records
/// say so, because the digest of the empty policy set stands in each of them.
#[derive(Debug)]
pub(crate) struct NoTerms {
    digest: String,
}

impl NoTerms {
    /// The judge of a house without terms.
    pub(crate) fn new() -> Self {
        Self {
            digest: hex::encode(Sha256::digest(b"")),
        }
    }
}

impl Judge for NoTerms {
    fn rule(&self, _: &Question<'_>) -> Ruling {
        Ruling {
            verdict: Verdict::Permit,
            clauses: Vec::new(),
            until: None,
        }
    }

    fn policy_sha256(&self) -> &str {
        &self.digest
    }
}

/// The documents of the catalogue that bind this house.
#[derive(Debug)]
pub(crate) struct Documents {
    terms: Terms,
    digest: String,
}

impl Documents {
    /// The judge of these documents, named `provider/document`.
    pub(crate) fn load(names: &[String]) -> Result<Self, Failure> {
        let wrong = |what: &dyn std::fmt::Display| {
            Failure::error(format!("failed to load the terms: {what}"))
        };
        let catalogue = Catalogue::builtin().map_err(|e| wrong(&e))?;
        let parsed = names.iter().map(|name| {
            DocumentId::parse(name)
                .ok_or_else(|| wrong(&format!("`{name}` is not `provider/document`")))
        });
        let documents = parsed.collect::<Result<Vec<_>, _>>()?;
        let terms = Terms::load(&catalogue, &documents).map_err(|e| wrong(&e))?;
        Ok(Self {
            digest: terms.sha256(),
            terms,
        })
    }
}

impl Judge for Documents {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let ruling = self.terms.rule(&terms::Question {
            account: question.account,
            model: question.model,
            endpoint: question.endpoint,
            purpose: question.purpose,
            declared: &[],
            authorisations: &[],
            // Standing is the engine's own matter; it is judged before the terms.
            standing: Standing::Active,
            at: question.at,
        });
        let verdict = match ruling.verdict {
            _ if !ruling.errors.is_empty() => Verdict::Error(ruling.errors.join("; ")),
            terms::Verdict::Allow => Verdict::Permit,
            terms::Verdict::Deny => Verdict::Deny,
        };
        Ruling {
            verdict,
            clauses: ruling.because,
            until: ruling.until,
        }
    }

    fn policy_sha256(&self) -> &str {
        &self.digest
    }
}

#[cfg(test)]
mod tests;
