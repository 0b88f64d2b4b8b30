//! A purpose, and the ruling on it.

use std::sync::Arc;

use facts::{AccountId, ClauseId};
use terms::Purpose;

use super::denial;
use crate::ask::Ask;
use crate::directory::Project;
use crate::effect::Denial;
use crate::judge::{Ruling, Verdict};

/// A ruling with the purpose that it is on.
pub(super) struct Judged {
    pub(super) purpose: Option<Purpose>,
    pub(super) ruling: Ruling,
}

impl Judged {
    /// The record of a refusal on this ground.
    pub(super) fn denial(&self, ask: &Ask, account: &AccountId, code: &'static str) -> Denial {
        Denial {
            purpose: self.purpose.map(|purpose| purpose.to_string()),
            policy_sha256: Some(Arc::clone(&self.ruling.policy_sha256)),
            ..denial(ask, account, code, &self.ruling.clauses)
        }
    }
}

/// The declared purpose that the request means; one that nobody declared is
/// denied, and so is a word that is no purpose.
pub(super) fn purpose_of(
    project: &Project,
    named: Option<&str>,
) -> Result<Option<Purpose>, Box<Judged>> {
    let first = project.purposes.first().map(String::as_str);
    let Some(word) = named.or(first) else {
        return Ok(None);
    };
    let known = Purpose::parse(word).ok();
    let declared = project
        .purposes
        .iter()
        .map(|text| Purpose::parse(text).ok());
    if known.is_some() && declared.into_iter().any(|purpose| purpose == known) {
        return Ok(known);
    }
    Err(Box::new(Judged {
        purpose: None,
        ruling: Ruling {
            verdict: Verdict::Deny,
            clauses: ClauseId::parse("fairhold/purpose-declared")
                .into_iter()
                .collect(),
            policy_sha256: Arc::from(""),
            asked: None,
            until: None,
        },
    }))
}

/// What cannot be put to the terms denies.
pub(super) fn unruled(detail: String) -> Judged {
    Judged {
        purpose: None,
        ruling: Ruling {
            verdict: Verdict::Error(detail),
            clauses: Vec::new(),
            policy_sha256: Arc::from(""),
            asked: None,
            until: None,
        },
    }
}
