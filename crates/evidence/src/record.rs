//! What the log's leaves say: one record for everything that happened.
//!
//! A leaf is RFC 8785 canonical JSON of at most 400 bytes in the usual case
//! and never more than 65,535. It holds commitments, never text.

use facts::{
    AccountId, CaseId, ClauseId, Ending, Endpoint, ExchangeId, KeyId, ModelName, Timestamp,
};

/// A salted commitment to a body: HMAC-SHA256 of the plaintext under a salt
/// that is sealed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment(pub [u8; 32]);

/// Something that happened, before it has a place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// Whose account it concerns, if one.
    pub account: Option<AccountId>,
    /// What.
    pub event: Event,
}

/// The kinds of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A request was let upstream.
    Intent {
        /// The exchange.
        exchange: ExchangeId,
        /// The key used.
        key: KeyId,
        /// The operation.
        endpoint: Endpoint,
        /// The model asked for.
        model: ModelName,
        /// Commitment to the request's exact bytes.
        request: Commitment,
        /// Digest of the policy set that decided, hexadecimal.
        policy: String,
        /// The clauses that decided.
        clauses: Vec<ClauseId>,
        /// The purpose that was judged, if one was declared.
        purpose: Option<String>,
        /// Sequence number of the record that says what the policies were asked;
        /// none where no policies bound, and in records of earlier versions.
        asked: Option<u64>,
    },
    /// A question was put to policies; whatever they ruled on names this record.
    Asked {
        /// The model asked for.
        model: ModelName,
        /// Digest of the policy set, hexadecimal.
        policy: String,
        /// The documents that bound, `provider/document`.
        documents: Vec<String>,
        /// The context as the policies got it: words of closed sets, no text.
        context: serde_json::Map<String, serde_json::Value>,
    },
    /// A request was refused.
    Refusal {
        /// The exchange.
        exchange: ExchangeId,
        /// Our error code, for example `account_suspended`.
        code: String,
        /// The clauses that decided.
        clauses: Vec<ClauseId>,
        /// Digest of the policies that decided, if the terms were asked.
        policy: Option<String>,
        /// The purpose that was judged, if one was declared.
        purpose: Option<String>,
    },
    /// An exchange ended.
    Completion {
        /// The exchange.
        exchange: ExchangeId,
        /// Sequence number of its intent.
        intent: u64,
        /// Why it ended.
        ending: Ending,
        /// Status the client was given.
        status: u16,
        /// Tokens of the request.
        input_tokens: u64,
        /// Tokens of the answer.
        output_tokens: u64,
        /// True when we counted them ourselves.
        estimated: bool,
        /// Commitment to the bytes delivered; none when the process died first.
        answer: Option<Commitment>,
    },
    /// A step of a case.
    CaseStep {
        /// The case.
        case: CaseId,
        /// The step's word, for example `proposed`.
        step: String,
        /// SHA-256 of the step's canonical JSON.
        digest: [u8; 32],
    },
    /// A detector judged an account, or a case came to rest on what it says.
    Judged {
        /// SHA-256 of the detector's file; of a finding by a known campaign, of the campaign's.
        detector: [u8; 32],
        /// The finding, if there is one.
        finding: Option<Kept>,
        /// The case that rests on it, if one does.
        case: Option<CaseId>,
    },
    /// The directory changed: a key was made or revoked, an account opened.
    Directory {
        /// The change's word, for example `key_revoked`.
        change: String,
        /// What it concerns.
        subject: String,
    },
    /// What a subject, or a whole account, had sent and got was made unreadable.
    Erased {
        /// The subject's keyed digest; none: the whole account.
        subject: Option<[u8; 32]>,
        /// Keys destroyed.
        keys: u64,
        /// Sealed bodies deleted.
        bodies: u64,
        /// Imported exchanges deleted.
        imported: u64,
        /// Who asked for it.
        by: String,
        /// SHA-256 of the reason's text.
        reason: [u8; 32],
    },
    /// Bodies were let go because their time was over.
    Expired {
        /// Those of records before this moment.
        before: Timestamp,
        /// Keys destroyed.
        keys: u64,
        /// Sealed bodies deleted.
        bodies: u64,
    },
    /// A person read the bodies of an exchange.
    BodyRead {
        /// The exchange.
        exchange: ExchangeId,
        /// Who read.
        by: String,
        /// SHA-256 of the reason's text.
        reason: [u8; 32],
    },
}

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// SHA-256 of its exact bytes: what it says, and the inputs of its score.
    pub digest: [u8; 32],
}

mod leaf;

pub use leaf::RecordError;

#[cfg(test)]
mod tests;
