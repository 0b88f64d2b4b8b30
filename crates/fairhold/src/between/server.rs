//! The registry's holder: says hello, hands out the table, answers batches as long as the budget
//! lasts.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use provenance::{Registry, Role};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::described::{self, Names};
use super::{BATCH_MAX, BetweenError, DESCRIBED_MAX, Hello, Key, POINT, VERSION, table};

/// How long a request may take to arrive.
const ARRIVING: Duration = Duration::from_secs(20);
/// Clients that are counted one by one; who has been quiet longest is forgotten beyond them.
const CLIENTS_MAX: usize = 1_024;

/// How much may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Fingerprints in all, until the process ends.
    pub(crate) budget: u64,
    /// Fingerprints a second of one client.
    pub(crate) rate: u32,
}

/// A registry that is asked.
pub(crate) struct Desk {
    key: Key,
    hello: Hello,
    rows: Bytes,
    described: Bytes,
    limits: Limits,
    token_sha256: [u8; 32],
    asked: Mutex<Asked>,
    /// Evaluations at once: one a core.
    cores: Semaphore,
}

struct Asked {
    left: u64,
    clients: HashMap<IpAddr, (f64, Instant)>,
}

impl Desk {
    /// Makes the table; `done` is told of fingerprints.
    pub(crate) fn of(
        registry: &Registry,
        (key, audit_key): (Key, &[u8; 16]),
        names: Names,
        (limits, token): (Limits, &str),
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, BetweenError> {
        let secret = |output| described::secret(&key, output);
        let (texts, width) = described::all(registry, &key, names)?;
        if texts.len() as u64 > DESCRIBED_MAX {
            return Err(BetweenError::TooLarge);
        }
        let rows = table::table(registry, &key, &secret, done)?;
        let recognisable = registry.outputs().iter().filter(|o| o.role == Role::Output);
        let accounts: std::collections::BTreeSet<&str> =
            recognisable.map(|output| output.account.as_str()).collect();
        let hello = Hello {
            fairhold_between: VERSION,
            server_key: key.public(),
            audit_key: hex::encode(audit_key),
            normaliser: provenance::NORMALISER_VERSION,
            rows: (rows.len() / table::ROW) as u64,
            rows_sha256: hex::encode(Sha256::digest(&rows)),
            outputs: registry.outputs().len() as u64,
            recognisable: registry.len() as u64,
            accounts: accounts.len() as u64,
            width: width as u64,
            described_sha256: hex::encode(Sha256::digest(&texts)),
            batch_max: BATCH_MAX as u64,
            budget_left: limits.budget,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            hello,
            rows: rows.into(),
            described: texts.into(),
            limits,
            token_sha256: Sha256::digest(token).into(),
            asked: Mutex::new(Asked {
                left: limits.budget,
                clients: HashMap::new(),
            }),
            cores: Semaphore::new(cores),
        })
    }

    /// What it says first.
    pub(crate) fn hello(&self) -> Hello {
        let left = self
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .left;
        Hello {
            budget_left: left,
            ..self.hello.clone()
        }
    }

    /// Takes a batch off the client's rate and off the budget.
    fn take(&self, client: IpAddr, batch: usize) -> Result<(), Refused> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let most = f64::from(self.limits.rate).max(wide(BATCH_MAX));
        let now = Instant::now();
        if asked.clients.len() >= CLIENTS_MAX && !asked.clients.contains_key(&client) {
            let quietest = asked.clients.iter().min_by_key(|(_, (_, at))| *at);
            let quietest = quietest.map(|(ip, _)| *ip);
            quietest.and_then(|ip| asked.clients.remove(&ip));
        }
        let (had, at) = asked.clients.get(&client).copied().unwrap_or((most, now));
        let earned = now.duration_since(at).as_secs_f64() * f64::from(self.limits.rate);
        let have = (had + earned).min(most);
        let cost = wide(batch);
        if have < cost {
            asked.clients.insert(client, (have, now));
            return Err(Refused::Fast);
        }
        let left = asked.left.checked_sub(batch as u64).ok_or(Refused::Spent)?;
        asked.left = left;
        asked.clients.insert(client, (have - cost, now));
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a batch is small")]
fn wide(n: usize) -> f64 {
    n as f64
}

/// Why a batch is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Fast,
    Spent,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Fast => {
                let mut answer = words(
                    StatusCode::TOO_MANY_REQUESTS,
                    "faster than the rate allows: wait",
                );
                let headers = answer.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }
            Self::Spent => words(StatusCode::FORBIDDEN, "the budget of this audit is spent"),
        }
    }
}

fn words(status: StatusCode, words: &str) -> Response {
    (status, words.to_owned()).into_response()
}

/// The routes, for those who have the token.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/between/1/hello", get(hello))
        .route("/between/1/rows", get(rows))
        .route("/between/1/outputs", get(outputs))
        .route("/between/1/evaluate", post(evaluate))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&desk),
            with_token,
        ))
        .with_state(desk)
}

async fn with_token(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let told = request.headers().get(header::AUTHORIZATION);
    let told = told.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    // Digests are compared: how long that takes tells nothing of the token.
    let known =
        told.is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token)) == desk.token_sha256);
    if known {
        next.run(request).await
    } else {
        words(
            StatusCode::UNAUTHORIZED,
            "the token of the audit is missing or wrong",
        )
    }
}

async fn hello(State(desk): State<Arc<Desk>>) -> Response {
    axum::Json(desk.hello()).into_response()
}

async fn rows(State(desk): State<Arc<Desk>>) -> Response {
    desk.rows.clone().into_response()
}

async fn outputs(State(desk): State<Arc<Desk>>) -> Response {
    desk.described.clone().into_response()
}

async fn evaluate(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    body: Body,
) -> Response {
    let most = BATCH_MAX * POINT;
    let body = tokio::time::timeout(ARRIVING, Limited::new(body, most).collect()).await;
    let body = match body {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            return words(
                StatusCode::PAYLOAD_TOO_LARGE,
                "a batch is larger than 1,024",
            );
        }
        Err(_) => {
            return words(
                StatusCode::REQUEST_TIMEOUT,
                "the batch did not arrive in time",
            );
        }
    };
    if body.is_empty() || body.len() % POINT != 0 {
        return words(StatusCode::BAD_REQUEST, "a batch is empty or cut off");
    }
    if let Err(refused) = desk.take(client.ip(), body.len() / POINT) {
        return refused.into_response();
    }
    let Ok(_core) = desk.cores.acquire().await else {
        return words(StatusCode::SERVICE_UNAVAILABLE, "the process is ending");
    };
    let with = Arc::clone(&desk);
    match tokio::task::spawn_blocking(move || with.key.answer(&body)).await {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(error)) => words(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(_) => words(StatusCode::SERVICE_UNAVAILABLE, "the process is ending"),
    }
}
