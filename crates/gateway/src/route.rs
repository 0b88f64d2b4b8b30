//! Which request goes where; what no route takes is refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use engine::Ask;
use facts::{Endpoint, ExchangeId};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use wire::errors::Problem;

use crate::config::Config;
use crate::desk::Desk;
use crate::exchange::{self, Asked};
use crate::metrics::{Decision, Running};
use crate::reply::{self, Reply};
use crate::server::Shared;

/// Bodies up to this size are read before the key is looked at.
const SMALL: u64 = 64 << 10;
/// Longer words in headers mean nothing that anybody defined.
const WORD_MAX: usize = 128;

/// Answers one request.
pub(crate) async fn route<D: Desk>(
    shared: Arc<Shared<D>>,
    request: Request<Incoming>,
) -> Response<Reply> {
    let id = shared.next_id();
    // The parser drops a `content-length` that stands beside `transfer-encoding`, so
    // that it cannot be seen here; whoever passed the request on may have believed it.
    // Nothing behind such a body is read as a request (RFC 9112, 6.1).
    let close = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = take(shared, request, &id).await;
    let headers = response.headers_mut();
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        // The second is where Anthropic's libraries look.
        headers.insert("x-request-id", id.clone());
        headers.insert("request-id", id);
    }
    response
}

async fn take<D: Desk>(
    shared: Arc<Shared<D>>,
    request: Request<Incoming>,
    id: &str,
) -> Response<Reply> {
    let path = request.uri().path();
    if let Some(endpoint) = Endpoint::from_path(path) {
        if request.method() != Method::POST {
            let problem = Problem::new(405, "method_not_allowed", format!("use POST on {path}"));
            return reply::problem(endpoint, &problem);
        }
        return match open(&shared, endpoint, request, id).await {
            Ok(response) => response,
            Err(problem) => {
                shared.metrics.request(endpoint, Decision::of(&problem));
                reply::problem(endpoint, &problem)
            }
        };
    }
    let beside = ["/v1/terms", "/v1/organization/audit_logs", "/openapi.json"];
    if (path.starts_with("/fairhold/") || beside.contains(&path))
        && let Some(further) = &shared.further
    {
        return further(request).await;
    }
    match (request.method(), path) {
        (&Method::GET, "/healthz" | "/readyz") => reply::reply(200, "text/plain", "ok\n"),
        (&Method::GET, "/metrics") => {
            let skipped = shared.counter.skipped();
            let page = shared.metrics.page()
                + "# TYPE fairhold_token_counts_skipped_total counter\n"
                + &format!("fairhold_token_counts_skipped_total {skipped}\n");
            reply::reply(200, "text/plain; version=0.0.4", page)
        }
        (&Method::GET, _) if path == "/v1/models" || path.starts_with("/v1/models/") => {
            models(&shared, &request)
        }
        _ => {
            let text = format!("{} {path} is not served here", request.method());
            reply::problem(
                dialect(request.headers()),
                &Problem::new(404, "unknown_route", text),
            )
        }
    }
}

/// Reads a request and hands it to a task of its own.
async fn open<D: Desk>(
    shared: &Arc<Shared<D>>,
    endpoint: Endpoint,
    request: Request<Incoming>,
    id: &str,
) -> Result<Response<Reply>, Problem> {
    let (head, body) = request.into_parts();
    let secret = secret(&head.headers).ok_or_else(no_key)?;
    let limits = &shared.config.limits;
    // Large bodies are read for live keys only.
    if body.size_hint().upper().is_none_or(|n| n > SMALL) {
        reply::identify(shared, &secret).map_err(|p| *p)?;
    }
    let patience = Duration::from_secs(limits.body_seconds);
    let body = tokio::time::timeout(patience, whole(body, limits.body_bytes))
        .await
        .map_err(|_| {
            Problem::new(408, "request_timeout", "the request's body came too slowly")
        })??;
    let peek = match wire::peek(endpoint, &body) {
        Ok(peek) => peek,
        Err(error) => {
            reply::identify(shared, &secret).map_err(|p| *p)?;
            return Err(Problem::from(&error));
        }
    };
    let permit = Arc::clone(&shared.exchanges)
        .try_acquire_owned()
        .map_err(|_| {
            Problem::new(
                503,
                "too_many_exchanges",
                "too many exchanges are running; try again in a moment",
            )
        })?;
    let unreadable = |_| Problem::new(500, "internal_error", "the exchange could not be named");
    let ask = Ask {
        exchange: ExchangeId::parse(id).map_err(unreadable)?,
        at: (shared.clock)(),
        secret,
        endpoint,
        model: peek.model.clone(),
        subject: peek.subject.clone(),
        tokens_max: peek.tokens_max(limits.output_tokens_default),
        purpose: purpose(&head.headers),
        country: country(&shared.config, &head.headers),
        body_sha256: Sha256::digest(&body).into(),
    };
    let asked = Asked {
        ask,
        peek,
        headers: head.headers,
        body,
    };
    let (sender, receiver) = oneshot::channel();
    let task = Arc::clone(shared);
    tokio::spawn(async move {
        let _running = Running::new(&task.metrics);
        exchange::run(task, asked, sender).await;
        drop(permit);
    });
    receiver.await.map_err(|_| {
        Problem::new(
            500,
            "internal_error",
            "the exchange ended without an answer",
        )
    })
}

fn no_key() -> Problem {
    Problem::new(
        401,
        "invalid_api_key",
        "no API key was given; send `Authorization: Bearer fh_live_...` (or `x-api-key`)",
    )
}

/// The key as sent: `Authorization: Bearer`, or Anthropic's `x-api-key`. More
/// than one of them, or one twice, is none.
fn secret(headers: &HeaderMap) -> Option<String> {
    let one = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next();
        first
            .filter(|_| all.next().is_none())
            .and_then(|v| v.to_str().ok())
    };
    let given = |name: &str| headers.contains_key(name);
    match (given("authorization"), given("x-api-key")) {
        (true, false) => {
            let (scheme, key) = one("authorization")?.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| key.trim().to_owned())
        }
        (false, true) => one("x-api-key").map(str::to_owned),
        _ => None,
    }
}

/// The purpose as named. What cannot be read, or is named twice, stays a word
/// that is no purpose: left out, it would fall back to the project's own, and
/// what was named would be allowed unread.
fn purpose(headers: &HeaderMap) -> Option<String> {
    let given = headers.get_all("x-fairhold-purpose").iter();
    let words: Vec<_> = given
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let all = || words.join(", ").chars().take(WORD_MAX).collect();
    (!words.is_empty()).then(all)
}

/// Where the request comes from, when a trusted proxy says so.
fn country(config: &Config, headers: &HeaderMap) -> Option<String> {
    word(headers, config.country_header.as_deref()?)
}

/// A header that holds one short word.
fn word(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= WORD_MAX).then(|| text.to_owned())
}

/// All of a body, at most `max` bytes.
async fn whole(mut body: Incoming, max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            413,
            "request_too_large",
            format!("the body exceeds {max} bytes; send less at once"),
        )
    };
    let hint = body.size_hint();
    if hint.lower() > max as u64 {
        return Err(too_large());
    }
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| {
            Problem::new(
                400,
                "incomplete_request",
                format!("the body broke off: {e}"),
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let so_far = first.as_ref().map_or(0, Bytes::len) + rest.len();
        if so_far + data.len() > max {
            return Err(too_large());
        }
        if so_far == 0 {
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                // What a client announces is believed only up to a mebibyte.
                let announced = hint.exact().unwrap_or(0).min(1 << 20);
                rest.reserve(usize::try_from(announced).unwrap_or(0));
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

/// Whose error shape a request expects where its path does not say.
fn dialect(headers: &HeaderMap) -> Endpoint {
    if headers.contains_key("anthropic-version") {
        Endpoint::Messages
    } else {
        Endpoint::ChatCompletions
    }
}

fn models<D: Desk>(shared: &Shared<D>, request: &Request<Incoming>) -> Response<Reply> {
    let dialect = dialect(request.headers());
    let Some(secret) = secret(request.headers()) else {
        return reply::problem(dialect, &no_key());
    };
    if let Err(problem) = reply::identify(shared, &secret) {
        return reply::problem(dialect, &problem);
    }
    let served = shared.upstreams.models();
    let one = |id: &str| match dialect {
        Endpoint::Messages => json!({
            "type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z",
        }),
        _ => json!({"id": id, "object": "model", "created": 0, "owned_by": "fairhold"}),
    };
    if let Some(id) = request.uri().path().strip_prefix("/v1/models/") {
        return if shared.upstreams.of(id).is_some() {
            reply::reply(200, "application/json", one(id).to_string())
        } else {
            let text = format!("the model `{id}` is not served here");
            reply::problem(dialect, &Problem::new(404, "model_not_found", text))
        };
    }
    let data: Vec<_> = served.iter().map(|id| one(id)).collect();
    let list = match dialect {
        Endpoint::Messages => json!({
            "data": data, "has_more": false, "first_id": served.first(), "last_id": served.last(),
        }),
        _ => json!({"object": "list", "data": data}),
    };
    reply::reply(200, "application/json", list.to_string())
}

#[cfg(test)]
mod tests;
