//! What do the terms say? The engine's question to whoever evaluates them.

use std::fmt;
use std::sync::Arc;

use facts::{
    AccountId, ClauseId, Endpoint, KeyId, ModelName, OrganisationId, ProjectId, Timestamp,
};
use terms::{Agreement, Asked, Country, Exceeded};

/// A request, as the terms see it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The customer.
    pub organisation: &'a OrganisationId,
    /// Its project.
    pub project: &'a ProjectId,
    /// The account.
    pub account: &'a AccountId,
    /// The key.
    pub key: &'a KeyId,
    /// The model asked for.
    pub model: &'a ModelName,
    /// The operation.
    pub endpoint: Endpoint,
    /// The purpose, one that the project declared.
    pub purpose: Option<&'a str>,
    /// What was agreed with the account.
    pub agreement: &'a Agreement,
    /// Where the request comes from, where known.
    pub country: Option<Country>,
    /// Which agreed amounts are passed.
    pub exceeded: Exceeded,
    /// When the request arrived: terms are those of that moment.
    pub at: Timestamp,
}

/// What the terms say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed.
    Permit,
    /// Forbidden.
    Deny,
    /// They could not be evaluated; that denies, and someone is told.
    Error(String),
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What the terms say.
    pub verdict: Verdict,
    /// The clauses that decided.
    pub clauses: Vec<ClauseId>,
    /// Digest of the policies that decided, hexadecimal.
    pub policy_sha256: Arc<str>,
    /// What the policies were asked, for the record; none where nothing was put to any.
    pub asked: Option<Arc<Asked>>,
    /// The ruling may be used for requests before this moment (the next
    /// change of the terms); none: until the judge is replaced.
    pub until: Option<Timestamp>,
}

/// Evaluates terms. Pure: equal questions have equal answers.
pub trait Judge: Send + Sync + fmt::Debug {
    /// The ruling on one question.
    fn rule(&self, question: &Question<'_>) -> Ruling;
}
