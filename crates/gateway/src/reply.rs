//! Answers to clients: their bodies and their headers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use engine::{LimitState, Refusal};
use facts::{AccountId, Endpoint};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use wire::errors::Problem;

use crate::desk::Desk;
use crate::server::Shared;

/// The body of a reply.
#[derive(Debug)]
pub enum Reply {
    /// All of it; none once it was taken.
    Whole(Option<Bytes>),
    /// Chunk by chunk; the sender waits until the one before was taken. An
    /// error aborts the transfer.
    Stream(mpsc::Receiver<Result<Bytes, Cut>>),
}

/// The transfer is to be cut so that nobody takes it for complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer was cut off")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Reply {
    /// A body that is there already.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Stream(chunks) => chunks
                .poll_recv(cx)
                .map(|next| next.map(|c| c.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// A whole reply of one content type.
pub(crate) fn reply(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Response<Reply> {
    let mut response = Response::new(Reply::whole(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An error in the API's own shape.
pub(crate) fn problem(endpoint: Endpoint, problem: &Problem) -> Response<Reply> {
    reply(
        problem.status,
        "application/json",
        wire::errors::body(endpoint, problem),
    )
}

/// A refusal as the problem that its reader can act on, with the seconds after
/// which trying again may help.
pub(crate) fn refusal(refusal: &Refusal, public_url: Option<&str>) -> (Problem, Option<u64>) {
    let join = |clauses: &[facts::ClauseId]| {
        clauses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let problem = match refusal {
        Refusal::UnknownKey => Problem::new(
            401,
            "invalid_api_key",
            "this API key is not known; check it or make a new one",
        ),
        Refusal::RevokedKey { key } => Problem::new(
            401,
            "key_revoked",
            format!("API key {key} was revoked; make a new one"),
        ),
        Refusal::Suspended {
            account,
            case,
            clause,
        } => {
            let base = public_url.unwrap_or_default();
            let url = format!("{base}/fairhold/v1/cases/{case}");
            let text = format!(
                "account {account} is suspended under {clause}; read the statement of reasons at {url} with this key"
            );
            Problem {
                clause: Some(clause.to_string()),
                appeal: Some(format!("{url}/appeal")),
                case_url: Some(url),
                ..Problem::new(403, "account_suspended", text)
            }
        }
        Refusal::Terms { clauses, .. } => Problem {
            clause: Some(join(clauses)),
            ..Problem::new(
                403,
                "terms_forbid",
                format!(
                    "the terms forbid this use ({}); see the clause for its exceptions",
                    join(clauses)
                ),
            )
        },
        Refusal::TermsError { .. } => Problem::new(
            403,
            "terms_unavailable",
            "the terms could not be evaluated, so the request was not sent; we were alerted, try again later",
        ),
        Refusal::RateLimited {
            limit,
            retry_after_ms,
            ..
        } => Problem::new(
            429,
            "rate_limit_exceeded",
            format!("the limit {limit} is reached; try again in {retry_after_ms} ms"),
        ),
        Refusal::Budget {
            budget_micro_usd, ..
        } => Problem::new(
            429,
            "insufficient_quota",
            format!(
                "the spend budget of {budget_micro_usd} millionths of a US dollar is used up; ask for a larger one"
            ),
        ),
        Refusal::Recording => Problem::new(
            503,
            "recording_unavailable",
            "exchanges cannot be recorded at the moment, so none is served; try again later",
        ),
    };
    let retry = match refusal {
        Refusal::RateLimited { retry_after_ms, .. } => Some(retry_after_ms.div_ceil(1000).max(1)),
        Refusal::Recording => Some(5),
        _ => None,
    };
    (problem, retry)
}

/// Whose live key it is; else the refusal as a problem.
pub(crate) fn identify<D: Desk>(
    shared: &Shared<D>,
    secret: &str,
) -> Result<AccountId, Box<Problem>> {
    let url = shared.config.public_url.as_deref();
    let refused = |why: Refusal| Box::new(refusal(&why, url).0);
    shared.desk.identify(secret).map_err(refused)
}

/// Which record says so: where its receipt will be (`/fairhold/v1/receipts/<seq>`).
pub(crate) fn evidence(headers: &mut HeaderMap, seq: Option<u64>) {
    if let Some(seq) = seq {
        headers.insert(HeaderName::from_static("x-evidence-seq"), seq.into());
    }
}

/// Writes the `x-ratelimit-*` headers.
pub(crate) fn limits(headers: &mut HeaderMap, state: &LimitState) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if state.requests_limit > 0 {
        set(
            "x-ratelimit-limit-requests",
            state.requests_limit.to_string(),
        );
        set(
            "x-ratelimit-remaining-requests",
            state.requests_remaining.to_string(),
        );
        set(
            "x-ratelimit-reset-requests",
            format!("{}ms", state.reset_ms),
        );
    }
    if state.tokens_limit > 0 {
        set("x-ratelimit-limit-tokens", state.tokens_limit.to_string());
        set(
            "x-ratelimit-remaining-tokens",
            state.tokens_remaining.to_string(),
        );
        set("x-ratelimit-reset-tokens", format!("{}ms", state.reset_ms));
    }
}

/// The upstream's headers that a client may see: not those of the hop, of the
/// framing, or of the upstream's own limits and sessions.
pub(crate) fn shown(from: &HeaderMap) -> HeaderMap {
    const HIDDEN: [HeaderName; 9] = [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::TRAILER,
        header::UPGRADE,
        header::SET_COOKIE,
        header::ALT_SVC,
        header::STRICT_TRANSPORT_SECURITY,
        header::WWW_AUTHENTICATE,
    ];
    let kept = |name: &HeaderName| {
        let text = name.as_str();
        !HIDDEN.contains(name)
            && text != "keep-alive"
            && text != "x-request-id"
            && !text.starts_with("x-ratelimit-")
            && !text.starts_with("x-fairhold-")
            && !text.starts_with("anthropic-ratelimit-")
    };
    let pairs = from.iter().filter(|(name, _)| kept(name));
    pairs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
