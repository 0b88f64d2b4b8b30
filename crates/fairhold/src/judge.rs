//! Who evaluates the terms for the engine.

use engine::judge::{Judge, Question, Ruling, Verdict};
use sha2::{Digest as _, Sha256};

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
