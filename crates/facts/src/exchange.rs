//! One request with its answer, as facts.

use crate::{AccountId, ExchangeId, ModelName, Timestamp};

/// Which API operation was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/messages` (Anthropic)
    Messages,
}

impl Endpoint {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Embeddings,
        Self::Responses,
        Self::Messages,
    ];

    /// The path under which it is served.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }

    /// The operation served at `path`, if any.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.path() == path)
    }
}

/// Tokens of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// True when we counted them because the upstream did not say.
    pub estimated: bool,
}

/// Why an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The upstream finished and the client was sent all of it.
    Completed,
    /// The client left before the end.
    ClientGone,
    /// The upstream failed or cut the answer.
    UpstreamError,
    /// The upstream stayed silent longer than allowed.
    UpstreamStall,
    /// We stopped it because the terms say so.
    PolicyStop,
    /// The process died before the end was recorded.
    Interrupted,
}

impl Ending {
    /// The word used in records and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientGone => "client_gone",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamStall => "upstream_stall",
            Self::PolicyStop => "policy_stop",
            Self::Interrupted => "interrupted",
        }
    }

    /// The ending that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Completed,
            Self::ClientGone,
            Self::UpstreamError,
            Self::UpstreamStall,
            Self::PolicyStop,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|e| e.word() == word)
    }
}

/// What detection and audits read of one exchange.
///
/// # Shape
/// `prompt` holds (role, text) in order; `response` is the answer's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its id.
    pub id: ExchangeId,
    /// Who asked.
    pub account: AccountId,
    /// When the request arrived.
    pub at: Timestamp,
    /// The model asked for, where known.
    pub model: Option<ModelName>,
    /// The conversation sent: (role, text).
    pub prompt: Vec<(String, String)>,
    /// The answer's text, where recorded.
    pub response: Option<String>,
    /// Tokens, where known.
    pub usage: Option<Usage>,
}
