//! Pages for people: a customer reads and contests its own case.
//!
//! Plain server-rendered pages: no script, nothing loaded from anywhere. A
//! browser asks for the API key as the password of a Basic prompt. A key sees
//! the cases of its own account only; another's case looks like none.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Form;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::credentials;
use crate::ledger;
use crate::office::{CaseStep, CaseView, Office, Step};
use crate::terms::terms_page;

/// Routes for the customer: `/v1/terms`; for the accused `/fairhold/v1/cases`, with `/{id}`
/// and `/{id}/appeal`; its ledger and receipts, and the public root log.
pub fn customer<O: Office>(office: Arc<O>) -> Router {
    Router::new()
        .route("/v1/terms", get(own_terms::<O>))
        .route("/fairhold/v1/cases", get(own_cases::<O>))
        .route("/fairhold/v1/cases/{id}", get(own_case::<O>))
        .route("/fairhold/v1/cases/{id}/appeal", post(appeal::<O>))
        .merge(ledger::customer())
        .with_state(office)
}

#[derive(Deserialize)]
struct Appeal {
    text: String,
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
        Ok(case) => Html(case_page(&case)).into_response().with_policy(),
        Err(response) => *response,
    }
}

async fn appeal<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(appeal): Form<Appeal>,
) -> Response {
    let case = match find(&*office, &id, &headers).await {
        Ok(case) => case,
        Err(response) => return *response,
    };
    let step = Step {
        step: CaseStep::Appeal,
        by: case.account,
        comment: appeal.text,
    };
    match office.step(&id, step).await {
        Ok(case) if wants_json(&headers) => json(&case),
        Ok(case) => Html(case_page(&case)).into_response().with_policy(),
        Err(refused) => failed(
            StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            &format!("The appeal was not opened: {refused}."),
        ),
    }
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

/// One case as a page: what, why, what happened, how to contest.
pub fn case_page(case: &CaseView) -> String {
    let id = escaped(&case.case);
    let mut body = format!(
        "<h1>Case {id}</h1><dl><dt>Account</dt><dd>{}</dd><dt>State</dt><dd>{}</dd>\
         <dt>Measure</dt><dd>{}</dd><dt>Clause</dt><dd>{}</dd></dl>\
         <h2>Statement of reasons</h2><pre>{}</pre><h2>What happened</h2><ol>",
        escaped(&case.account),
        escaped(&case.state),
        escaped(&case.action),
        escaped(&case.clause),
        escaped(&case.statement),
    );
    for step in &case.timeline {
        let _ = write!(
            body,
            "<li><time>{}</time> {} by {}: {}</li>",
            escaped(&step.at),
            escaped(&step.step),
            escaped(&step.by),
            escaped(&step.comment)
        );
    }
    body.push_str("</ol><h2>Contest it</h2>");
    if let Some(until) = &case.appeal_until {
        let _ = write!(
            body,
            "<p>An appeal is free and open until {}; someone who took no part decides it.</p>\
             <form method=\"post\" action=\"/fairhold/v1/cases/{id}/appeal\"><p><textarea name=\"text\" rows=\"6\" \
             cols=\"70\" required></textarea></p><p><button>Open an appeal</button></p></form>",
            escaped(until)
        );
    } else {
        body.push_str("<p>No measure is in force; there is nothing to appeal yet.</p>");
    }
    document(&format!("Case {id}"), &body)
}

fn document(title: &str, body: &str) -> String {
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
