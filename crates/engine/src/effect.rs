//! What is to be done, in order. `Record` precedes what it records.

use std::sync::Arc;

use evidence::Record;
use facts::{AccountId, ClauseId, ExchangeId, KeyId, MicroUsd, OrganisationId, ProjectId};

use crate::directory::Row;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Make this durable before anything that follows.
    Record(Entry),
    /// Let the request go upstream.
    Forward(ExchangeId),
    /// Keep this row of the directory, then tell the engine ([`crate::Engine::enact`]).
    Put(Row),
    /// Add to what the scopes have spent.
    Charge(Charge),
    /// Tell an operator.
    Alert(Alert),
}

/// What a record says, before the keeper seals the bodies that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The request was admitted; the fields are those of `Admitted`.
    Intent(ExchangeId),
    /// The request was refused.
    Refusal(Denial),
    /// The request would have been refused were the measure enforced.
    Shadow(Denial),
    /// The exchange ended; the fields are those of `Completion`.
    Completion(ExchangeId),
    /// Anything else: complete as it stands.
    Event(Record),
}

/// A refusal, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The exchange refused.
    pub exchange: ExchangeId,
    /// Whose.
    pub account: AccountId,
    /// Our error code, for example `account_suspended`.
    pub code: &'static str,
    /// The clauses that decided.
    pub clauses: Vec<ClauseId>,
    /// The purpose that was judged, if the terms were asked.
    pub purpose: Option<String>,
    /// Digest of the policies that decided, if the terms were asked.
    pub policy_sha256: Option<Arc<str>>,
}

/// What one exchange cost, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The exchange.
    pub exchange: ExchangeId,
    /// The key used.
    pub key: KeyId,
    /// Its account.
    pub account: AccountId,
    /// Its project.
    pub project: ProjectId,
    /// Its organisation, if the project is still known.
    pub organisation: Option<OrganisationId>,
    /// Tokens charged.
    pub tokens: u64,
    /// Their price.
    pub price: MicroUsd,
}

/// Something an operator should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// The terms could not be evaluated.
    TermsError {
        /// Whose request.
        account: AccountId,
        /// What went wrong.
        detail: String,
    },
    /// The upstream reported more tokens than one exchange can consume.
    AbsurdUsage {
        /// The exchange.
        exchange: ExchangeId,
        /// What was reported.
        reported: u64,
        /// What was charged.
        charged: u64,
    },
    /// A completion came for an exchange that holds no reservation.
    UnknownExchange(ExchangeId),
}
