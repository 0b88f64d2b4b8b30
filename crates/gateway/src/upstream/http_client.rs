//! Upstreams over HTTP/1.1 and HTTP/2, with pooled connections.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Answer, Call, Chunks, UpstreamError};
use crate::config::{ConfigError, Kind, Timeouts, UpstreamConfig};

type Caller = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Bytes read ahead of a client, for each stream of HTTP/1.1 (hyper's own limit is about 400 KB);
/// also the largest head of an answer.
const READ_BYTES: usize = 64 << 10;

/// Callers per upstream: one HTTP/2 connection each, so that no single
/// connection carries everything.
const CALLERS: usize = 4;

/// Request headers that are never passed on: those of one hop, the client's
/// own credentials, and what we set ourselves.
const NOT_SENT: [HeaderName; 16] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    header::ACCEPT_ENCODING,
    header::FORWARDED,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
];

/// More of them, by name: of the hop, of the client's own contract with the
/// upstream, of where the client is.
const NEITHER_SENT: [&str; 7] = [
    "keep-alive",
    "proxy-connection",
    "http2-settings",
    "openai-organization",
    "openai-project",
    "via",
    "x-real-ip",
];

#[derive(Debug)]
pub(crate) struct HttpUpstream {
    callers: Vec<Caller>,
    turn: AtomicUsize,
    base: String,
    credentials: HeaderMap,
}

impl HttpUpstream {
    pub(crate) fn new(config: &UpstreamConfig, timeouts: Timeouts) -> Result<Self, ConfigError> {
        let named = |e: String| ConfigError(format!("upstream `{}`: {e}", config.name));
        let base = config
            .base_url
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned();
        let uri: Uri = base
            .parse()
            .map_err(|e| named(format!("`base_url`: {e}")))?;
        if uri.host().is_none() {
            return Err(named("`base_url` names no host".to_owned()));
        }
        Ok(Self {
            callers: (0..CALLERS).map(|_| caller(timeouts)).collect(),
            turn: AtomicUsize::new(0),
            base,
            credentials: credentials(config).map_err(named)?,
        })
    }

    pub(crate) async fn ask(&self, call: Call) -> Result<Answer, UpstreamError> {
        let turn = self.turn.fetch_add(1, Relaxed) % CALLERS;
        let Some(caller) = self.callers.get(turn) else {
            return Err(UpstreamError::Unreachable("no caller".to_owned()));
        };
        let uri = format!("{}{}", self.base, call.endpoint.path());
        let mut request = Request::post(uri)
            .body(Full::new(call.body))
            .map_err(|e| UpstreamError::Unreachable(e.to_string()))?;
        let headers = request.headers_mut();
        *headers = passed_on(&call.headers);
        for (name, value) in &self.credentials {
            headers.insert(name, value.clone());
        }
        let answer = caller.request(request).await.map_err(|e| {
            let why = chain(&e);
            if e.is_connect() {
                UpstreamError::Unreachable(why)
            } else {
                UpstreamError::Broken(why)
            }
        })?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            chunks: Chunks::Http(body),
        })
    }
}

/// A client that retries only where nothing was sent: on a pooled connection
/// that turned out closed.
fn caller(timeouts: Timeouts) -> Caller {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(Duration::from_millis(timeouts.connect_ms)));
    let secure = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(connector);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .retry_canceled_requests(true)
        .http1_max_buf_size(READ_BYTES)
        .build(secure)
}

fn credentials(config: &UpstreamConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let Some(key) = key_of(config)? else {
        return Ok(headers);
    };
    let (name, text) = match config.kind {
        Kind::Anthropic => (HeaderName::from_static("x-api-key"), key),
        Kind::Openai | Kind::Replay | Kind::Mock => {
            (header::AUTHORIZATION, format!("Bearer {key}"))
        }
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| "its key holds characters that no header may hold")?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

fn key_of(config: &UpstreamConfig) -> Result<Option<String>, String> {
    if let Some(name) = &config.api_key_env {
        let missing = |_| format!("environment variable {name} (its key) is not set");
        return std::env::var(name).map(Some).map_err(missing);
    }
    let Some(path) = &config.api_key_file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("its key file {} cannot be read: {e}", path.display()))?;
    Ok(Some(text.trim().to_owned()))
}

fn passed_on(from: &HeaderMap) -> HeaderMap {
    // Headers that `connection` names belong to that hop too.
    let hop: Vec<String> = from
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let kept = |name: &HeaderName| {
        let text = name.as_str();
        !NOT_SENT.contains(name)
            && !NEITHER_SENT.contains(&text)
            && !text.starts_with("x-fairhold-")
            && !text.starts_with("x-forwarded-")
            && !hop.iter().any(|h| h == name.as_str())
    };
    let pairs = from.iter().filter(|(name, _)| kept(name));
    pairs
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The next data of a body; trailers are not passed on.
pub(super) async fn next_chunk(body: &mut Incoming) -> Option<Result<Bytes, UpstreamError>> {
    loop {
        match body.frame().await? {
            Err(error) => return Some(Err(UpstreamError::Broken(chain(&error)))),
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
