//! Pages for people: a customer reads, answers and contests its own case.
//!
//! Plain server-rendered pages: no script, nothing loaded from anywhere. A
//! browser asks for the API key as the password of a Basic prompt. A key sees
//! the cases of its own account only; another's case looks like none. No state
//! of an account or of a case closes these pages.

mod answer;
mod case;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::cases::{CaseStep, CaseView, Step};
use crate::credentials;
use crate::ledger;
use crate::office::Office;
use crate::terms::terms_page;

pub use case::case_page;

/// Routes for the customer: `/v1/terms`; for the accused `/fairhold/v1/cases`, with `/{id}`
/// and `/{id}/appeal`, `/evidence`, `/declare`, `/undertake`; its ledger and receipts, and the
/// public root log.
pub fn customer<O: Office>(office: Arc<O>) -> Router {
    Router::new()
        .route("/v1/terms", get(own_terms::<O>))
        .route("/fairhold/v1/cases", get(own_cases::<O>))
        .route("/fairhold/v1/cases/{id}", get(own_case::<O>))
        .route("/fairhold/v1/cases/{id}/appeal", post(appeal::<O>))
        .route("/fairhold/v1/cases/{id}/evidence", post(evidence::<O>))
        .route("/fairhold/v1/cases/{id}/declare", post(declare::<O>))
        .route("/fairhold/v1/cases/{id}/undertake", post(undertake::<O>))
        .merge(ledger::customer())
        .with_state(office)
}

async fn own_cases<O: Office>(State(office): State<Arc<O>>, headers: HeaderMap) -> Response {
    let Some(account) = caller(&*office, &headers) else {
        return ask_for_key();
    };
    match office.cases().await {
        Ok(cases) => {
            let own: Vec<CaseView> = cases.into_iter().filter(|c| c.concerns(&account)).collect();
            if wants_json(&headers) {
                json(&own)
            } else {
                page("Your cases", &list(&own))
            }
        }
        Err(_) => failed(
            StatusCode::SERVICE_UNAVAILABLE,
            "The cases cannot be read now.",
        ),
    }
}

/// JSON, as the API around it; a page for a browser.
async fn own_terms<O: Office>(State(office): State<Arc<O>>, headers: HeaderMap) -> Response {
    let Some(account) = caller(&*office, &headers) else {
        return ask_for_key();
    };
    match office.terms(&account).await {
        Ok(terms) if wants_page(&headers) => page("The terms that bind you", &terms_page(&terms)),
        Ok(terms) => json(&terms),
        Err(_) => failed(
            StatusCode::SERVICE_UNAVAILABLE,
            "The terms cannot be read now.",
        ),
    }
}

async fn own_case<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&*office, &id, &headers).await {
        Ok(case) if wants_json(&headers) => json(&case),
        Ok(case) => Html(case_page(&case, &language(&headers)))
            .into_response()
            .with_policy(),
        Err(response) => *response,
    }
}

async fn appeal<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let words = answer::words(&headers, &body);
    own_step(
        &*office,
        &id,
        &headers,
        words.map(|text| (CaseStep::Appeal, text)),
    )
    .await
}

async fn evidence<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let words = answer::words(&headers, &body);
    own_step(
        &*office,
        &id,
        &headers,
        words.map(|text| (CaseStep::Evidence, text)),
    )
    .await
}

async fn declare<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let words = answer::words(&headers, &body);
    own_step(
        &*office,
        &id,
        &headers,
        words.map(|text| (CaseStep::Declare, text)),
    )
    .await
}

async fn undertake<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let offered = answer::conditions(&headers, &body);
    let taken = offered.map(|(conditions, text)| (CaseStep::Undertake(conditions), text));
    own_step(&*office, &id, &headers, taken).await
}

/// A step of the accused, in the name of the account whose key was shown.
async fn own_step<O: Office>(
    office: &O,
    id: &str,
    headers: &HeaderMap,
    taken: Result<(CaseStep, String), String>,
) -> Response {
    if let Err(response) = find(office, id, headers).await {
        return *response;
    }
    let Some(by) = caller(office, headers) else {
        return ask_for_key();
    };
    let (step, comment) = match taken {
        Ok(taken) => taken,
        Err(why) => return failed(StatusCode::BAD_REQUEST, &why),
    };
    match office.step(id, Step { step, by, comment }).await {
        Ok(case) if wants_json(headers) => json(&case),
        Ok(case) => Html(case_page(&case, &language(headers)))
            .into_response()
            .with_policy(),
        Err(refused) => failed(
            StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            &format!("Nothing was changed: {refused}."),
        ),
    }
}

/// The language that the reader prefers, as far as it is one of ours.
fn language(headers: &HeaderMap) -> String {
    let accepted = headers.get(header::ACCEPT_LANGUAGE);
    let first = accepted.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let code = first.split([',', '-', ';']).next().unwrap_or_default();
    code.trim().to_ascii_lowercase()
}

async fn find<O: Office>(
    office: &O,
    id: &str,
    headers: &HeaderMap,
) -> Result<CaseView, Box<Response>> {
    let Some(account) = caller(office, headers) else {
        return Err(Box::new(ask_for_key()));
    };
    match office.case(id).await {
        Ok(case) if case.concerns(&account) => Ok(case),
        _ => Err(Box::new(failed(
            StatusCode::NOT_FOUND,
            "Your account has no such case.",
        ))),
    }
}

pub(crate) fn caller<O: Office>(office: &O, headers: &HeaderMap) -> Option<String> {
    office.whose(&credentials::secret(headers)?)
}

pub(crate) fn ask_for_key() -> Response {
    let mut response = failed(
        StatusCode::UNAUTHORIZED,
        "Send your API key: as a bearer token, or as the password your browser asks for.",
    );
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"your API key as the password\""),
    );
    response
}

/// True for a browser, which names pages first.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

fn json<T: serde::Serialize>(value: &T) -> Response {
    axum::Json(value).into_response()
}

fn failed(status: StatusCode, words: &str) -> Response {
    let body = format!("<p>{}</p>", escaped(words));
    (status, Html(document("Fairhold", &body)))
        .into_response()
        .with_policy()
}

fn page(title: &str, body: &str) -> Response {
    Html(document(title, body)).into_response().with_policy()
}

trait WithPolicy {
    fn with_policy(self) -> Self;
}

impl WithPolicy for Response {
    /// Nothing on these pages may load or run anything.
    fn with_policy(mut self) -> Self {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
        self.headers_mut().insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        );
        self.headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self
    }
}

fn list(cases: &[CaseView]) -> String {
    if cases.is_empty() {
        return "<p>No case concerns your account.</p>".to_owned();
    }
    let mut body = String::from("<ul>");
    for case in cases {
        let id = escaped(&case.case);
        let _ = write!(
            body,
            "<li><a href=\"/fairhold/v1/cases/{id}\">{id}</a>: {}</li>",
            escaped(&case.state)
        );
    }
    body.push_str("</ul>");
    body
}

pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:1rem/1.5 system-ui;\
         max-width:46rem;margin:2rem auto;padding:0 1rem}}dt{{font-weight:600}}pre{{white-space:pre-wrap}}\
         </style><body>{body}</body></html>"
    )
}

/// Text made safe inside HTML elements and quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
