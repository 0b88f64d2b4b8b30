//! What the gateway asks and what it is told: the values that cross between
//! `gateway`, `engine` and `store`. They hold no behaviour and no I/O.

use std::sync::Arc;

use facts::{
    AccountId, CaseId, ClauseId, Ending, Endpoint, ExchangeId, KeyId, ModelName, ProjectId,
    Timestamp, Usage,
};

/// One request at the door, read by `wire`, before anything is decided.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The id the gateway gave it.
    pub exchange: ExchangeId,
    /// When it arrived.
    pub at: Timestamp,
    /// The whole key as the client sent it (`fh_live_...`).
    pub secret: String,
    /// The operation.
    pub endpoint: Endpoint,
    /// The model named in the body.
    pub model: ModelName,
    /// Whom the request says it is made for, if anybody.
    pub subject: Option<String>,
    /// Upper estimate of the tokens that the request may consume.
    pub tokens_max: u64,
    /// Purpose declared in the request's header, if any.
    pub purpose: Option<String>,
    /// Where the request comes from, as a trusted proxy says: two letters.
    pub country: Option<String>,
    /// SHA-256 of the body's exact bytes.
    pub body_sha256: [u8; 32],
}

/// The request may go upstream; its intent is to be recorded first.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its id, as asked.
    pub exchange: ExchangeId,
    /// Who is charged and judged.
    pub account: AccountId,
    /// The project that owns the account.
    pub project: ProjectId,
    /// The key used.
    pub key: KeyId,
    /// The model asked for.
    pub model: ModelName,
    /// The operation.
    pub endpoint: Endpoint,
    /// When it arrived.
    pub at: Timestamp,
    /// SHA-256 of the request's exact bytes.
    pub body_sha256: [u8; 32],
    /// What the terms said: the clauses that decided, by id.
    pub clauses: Vec<ClauseId>,
    /// Digest of the policies that decided, hexadecimal.
    pub policy_sha256: Arc<str>,
    /// What the policies were asked; none where nothing was put to any.
    pub asked: Option<Arc<terms::Asked>>,
    /// The purpose that was judged: the one named, or the project's first.
    pub purpose: Option<String>,
    /// The case whose mark the answer carries, if one.
    pub marked: Option<CaseId>,
    /// State of the limits after the reservation.
    pub limits: LimitState,
}

/// For the `x-ratelimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitState {
    /// Requests allowed per minute (0: unlimited).
    pub requests_limit: u64,
    /// Requests left in this minute.
    pub requests_remaining: u64,
    /// Tokens allowed per minute (0: unlimited).
    pub tokens_limit: u64,
    /// Tokens left in this minute.
    pub tokens_remaining: u64,
    /// Milliseconds until the minute's window starts anew.
    pub reset_ms: u64,
}

/// Why a request may not go upstream. Exhaustive on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No such key, or the wrong secret (401 `invalid_api_key`).
    UnknownKey,
    /// The key was revoked (401 `key_revoked`).
    RevokedKey {
        /// Which one.
        key: KeyId,
    },
    /// The account is suspended or terminated (403 `account_suspended`).
    Suspended {
        /// Which account.
        account: AccountId,
        /// The case to read and contest.
        case: CaseId,
        /// The clause relied on.
        clause: ClauseId,
    },
    /// The terms forbid it (403 `terms_forbid`).
    Terms {
        /// Which account.
        account: AccountId,
        /// The clauses that decided.
        clauses: Vec<ClauseId>,
    },
    /// The terms could not be evaluated; the request is denied and we alert (403 `terms_unavailable`).
    TermsError {
        /// Which account.
        account: AccountId,
        /// What went wrong, for the log only.
        detail: String,
    },
    /// A rate limit (429 `rate_limit_exceeded`).
    RateLimited {
        /// Which account.
        account: AccountId,
        /// `requests_per_minute`, `tokens_per_minute`, `requests_per_day` or `tokens_per_day`.
        limit: &'static str,
        /// State for the headers.
        state: LimitState,
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The spend budget is used up (429 `insufficient_quota`).
    Budget {
        /// Which account.
        account: AccountId,
        /// The budget in millionths of a US dollar.
        budget_micro_usd: u64,
    },
    /// Records cannot be made durable (503 `recording_unavailable`).
    Recording,
}

/// How an exchange ended, to be durable before its last frame is released.
#[derive(Debug, Clone)]
pub struct Completion {
    /// What was admitted.
    pub admitted: Admitted,
    /// When it ended.
    pub at: Timestamp,
    /// Why it ended.
    pub ending: Ending,
    /// Status the client was given.
    pub status: u16,
    /// Tokens consumed.
    pub usage: Usage,
    /// Bytes delivered to the client.
    pub delivered_bytes: u64,
    /// SHA-256 of the answer's exact bytes as delivered.
    pub answer_sha256: [u8; 32],
}
