//! The same terms in vocabularies that others read.
//!
//! None of them can say everything: `odrl` keeps purposes, declarations and
//! authorisations and decides every such case alike; `cawg` and `aipref` know
//! a few words only and are stricter or refer back. [`table`] puts the forms
//! beside each other.

use facts::{AccountId, Endpoint, ModelName, Timestamp};
use serde::Serialize;

use crate::question::{Act, Authorisation, Question, Verdict};
use crate::{Declaration, Purpose, Terms};

pub mod aipref;
pub mod cawg;
pub mod odrl;

/// What is exported: the terms that bind at a moment, with what was
/// authorised.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The terms.
    pub terms: &'a Terms,
    /// Whose agreement.
    pub account: &'a AccountId,
    /// What the provider authorised.
    pub authorisations: &'a [Authorisation],
    /// The moment.
    pub at: Timestamp,
}

impl Subject<'_> {
    /// Our own verdict on a request for `purpose` under these declarations.
    pub(crate) fn verdict(&self, purpose: Purpose, declared: &[Declaration]) -> Verdict {
        let Ok(model) = ModelName::parse("any") else {
            return Verdict::Deny;
        };
        let act = Act::Infer {
            model: &model,
            endpoint: Endpoint::ChatCompletions,
        };
        let question = Question {
            purpose: Some(purpose.word()),
            declared,
            authorisations: self.authorisations,
            ..Question::new(self.account, act, self.at)
        };
        self.terms.rule(&question).verdict
    }
}

/// One case, decided by each form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The purpose.
    pub purpose: &'static str,
    /// What the customer declares.
    pub declared: Vec<&'static str>,
    /// Our own ruling: `allow` or `deny`.
    pub terms: &'static str,
    /// What the ODRL form decides.
    pub odrl: &'static str,
    /// What the CAWG form decides; `constrained` refers back to the terms.
    pub cawg: &'static str,
    /// What the AIPREF form decides; `unstated` where it has no word for it.
    pub aipref: &'static str,
}

impl Row {
    /// True when no form says otherwise: ODRL exactly, the others where they
    /// say anything definite; AIPREF may be stricter, never laxer.
    pub fn alike(&self) -> bool {
        let cawg = self.cawg == self.terms || self.cawg == "constrained";
        let aipref = self.aipref != "allow" || self.terms == "allow";
        self.odrl == self.terms && cawg && aipref
    }
}

/// Every purpose, undeclared and under each single declaration.
pub fn table(subject: &Subject<'_>) -> Vec<Row> {
    let odrl = odrl::write(subject);
    let cawg = cawg::write(subject);
    let preference = aipref::write(subject);
    let mut rows = Vec::new();
    for purpose in Purpose::ALL {
        let declarations = Declaration::ALL.iter().copied().map(Some);
        for declared in [None].into_iter().chain(declarations) {
            let declared = declared.as_slice();
            rows.push(Row {
                purpose: purpose.word(),
                declared: declared.iter().map(|d| d.word()).collect(),
                terms: subject.verdict(purpose, declared).word(),
                odrl: odrl::decide(&odrl, purpose, declared).word(),
                cawg: cawg::decide(&cawg, purpose),
                aipref: aipref::decide(&preference, purpose),
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests;
