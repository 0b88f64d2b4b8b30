//! Customers: real HTTP with real keys, a bounded number of calls at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// One call to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Place of the account in the fleet.
    pub(crate) account: usize,
    /// Its key.
    pub(crate) key: Arc<str>,
    /// The body of `POST /v1/chat/completions`.
    pub(crate) body: Bytes,
}

/// What the caller saw.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// Place of the account in the fleet.
    pub(crate) account: usize,
    /// The status; 0 when there was no answer.
    pub(crate) status: u16,
    /// Our error code, when refused.
    pub(crate) code: Option<String>,
    /// Whether the whole answer came, to its end.
    pub(crate) whole: bool,
    /// Milliseconds from the call to the last byte.
    pub(crate) millis: f64,
}

impl Outcome {
    /// Served to the end.
    pub(crate) fn served(&self) -> bool {
        self.status == 200 && self.whole
    }
}

type Caller = Client<HttpConnector, Full<Bytes>>;

/// Makes every call, at most `at_once` at a time, and tells `tick` of each end.
/// Outcomes come in the order in which they ended.
pub(crate) async fn drive(
    gateway: SocketAddr,
    calls: Vec<Call>,
    at_once: usize,
    tick: impl Fn(),
) -> Vec<Outcome> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let caller: Caller = Client::builder(TokioExecutor::new()).build(connector);
    let doors = Arc::new(Semaphore::new(at_once));
    let mut outcomes = Vec::with_capacity(calls.len());
    let mut running = JoinSet::new();
    for call in calls {
        let Ok(door) = Arc::clone(&doors).acquire_owned().await else {
            break;
        };
        let caller = caller.clone();
        running.spawn(async move {
            let outcome = make(&caller, gateway, call).await;
            drop(door);
            outcome
        });
        while let Some(done) = running.try_join_next() {
            outcomes.extend(done);
            tick();
        }
    }
    while let Some(done) = running.join_next().await {
        outcomes.extend(done);
        tick();
    }
    outcomes
}

async fn make(caller: &Caller, gateway: SocketAddr, call: Call) -> Outcome {
    let began = Instant::now();
    let account = call.account;
    let (status, body, whole) = send(caller, gateway, call).await.unwrap_or_default();
    Outcome {
        account,
        status,
        code: if status == 200 {
            None
        } else {
            error_code(&body)
        },
        whole,
        millis: began.elapsed().as_secs_f64() * 1000.0,
    }
}

async fn send(caller: &Caller, gateway: SocketAddr, call: Call) -> Option<(u16, Bytes, bool)> {
    let request = Request::post(format!("http://{gateway}/v1/chat/completions"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", call.key))
        .body(Full::new(call.body))
        .ok()?;
    let answer = caller.request(request).await.ok()?;
    let status = answer.status().as_u16();
    let streamed = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let Ok(body) = answer.into_body().collect().await else {
        return Some((status, Bytes::new(), false));
    };
    let body = body.to_bytes();
    let whole = !streamed || body.ends_with(b"data: [DONE]\n\n");
    Some((status, body, whole))
}

fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refused {
        error: Reason,
    }
    #[derive(Deserialize)]
    struct Reason {
        code: Option<String>,
    }
    serde_json::from_slice::<Refused>(body).ok()?.error.code
}

#[cfg(test)]
mod tests;
