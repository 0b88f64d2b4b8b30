//! Pages for people: a customer reads, answers and contests its own case.
//!
//! Plain server-rendered pages: no script, nothing loaded from anywhere. A
//! browser asks for the API key as the password of a Basic prompt. A key sees
//! the cases of its own account only; another's case looks like none. No state
//! of an account or of a case closes these pages.

mod acts;
mod answer;
mod case;
mod frame;
mod house;
mod issuer;
mod people;
mod picture;
mod portal;
mod queue;
mod settings;
mod sign_in;
mod subject;
mod words;
mod work;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::admin::{answer as answer_json, download, read, refusal, with_json};
use crate::api::{Api, told};
use crate::cases::{CaseStep, CaseView, Step};
use crate::credentials;
use crate::ledger;
use crate::notices::{EndpointView, NewEndpoint, NoticeLine};
use crate::office::Office;
use crate::overview::OverviewView;
use crate::terms::{TermsView, terms_page};
use answer::{Conditions, Words};

pub use case::case_page;
pub use people::{console, console_routes, portal, portal_routes};

/// The largest body of an answer: its text and its files, in base64 or as a form.
const ANSWER_BYTES_MAX: usize = 12 << 20;

/// Routes for the customer: `/v1/terms`; for the accused `/fairhold/v1/cases`, with `/{id}`
/// and `/{id}/appeal`, `/evidence`, `/declare`, `/undertake`; its account, its endpoints, its part
/// of the audit log, its ledger and receipts, and the public root log.
pub fn customer<O: Office>(office: Arc<O>) -> Router {
    let document: Arc<str> = crate::api::openapi::<O>().to_string().into();
    let shown = move || std::future::ready(with_json(StatusCode::OK, document.to_string()));
    routes(Api::new())
        .into_router()
        .route("/openapi.json", get(shown))
        .layer(DefaultBodyLimit::max(ANSWER_BYTES_MAX))
        .with_state(office)
}

/// The operations that an account's key opens.
pub(crate) fn routes<O: Office>(api: Api<O>) -> Api<O> {
    let answered = |summary| told::<CaseView>(summary).takes::<Words>();
    let log = crate::audit_log::told_of("The audit log: for a key, what concerns its own account");
    let file = told::<String>("A file that you sent with an answer, by its SHA-256");
    let api = api
        .on(
            "get",
            "/v1/terms",
            get(own_terms::<O>),
            told::<TermsView>("The terms that bind you"),
        )
        .on(
            "get",
            "/fairhold/v1/account",
            get(own_account::<O>),
            told::<OverviewView>("Your account: usage against each limit, measures, cases"),
        )
        .on(
            "get",
            "/fairhold/v1/cases",
            get(own_cases::<O>),
            told::<Vec<CaseView>>("Your cases"),
        )
        .on(
            "get",
            "/fairhold/v1/cases/{id}",
            get(own_case::<O>),
            told::<CaseView>("One of your cases"),
        )
        .on(
            "get",
            "/fairhold/v1/cases/{id}/bundle",
            get(own_bundle::<O>),
            told::<String>("Its evidence bundle").bytes("application/zip"),
        )
        .on(
            "get",
            "/fairhold/v1/cases/{id}/attachments/{sha256}",
            get(own_attachment::<O>),
            file.bytes("application/octet-stream"),
        )
        .on(
            "post",
            "/fairhold/v1/cases/{id}/appeal",
            post(appeal::<O>),
            answered("Contest what is in force"),
        )
        .on(
            "post",
            "/fairhold/v1/cases/{id}/evidence",
            post(evidence::<O>),
            answered("Add to your appeal"),
        )
        .on(
            "post",
            "/fairhold/v1/cases/{id}/declare",
            post(declare::<O>),
            answered("Say what the account is for"),
        )
        .on(
            "post",
            "/fairhold/v1/cases/{id}/undertake",
            post(undertake::<O>),
            told::<CaseView>("Offer conditions").takes::<Conditions>(),
        )
        .on(
            "get",
            "/fairhold/v1/endpoints",
            get(own_endpoints::<O>),
            told::<Vec<EndpointView>>("Where your notices go"),
        )
        .on(
            "post",
            "/fairhold/v1/endpoints",
            post(add_endpoint::<O>),
            told::<EndpointView>("Add a place where your notices go")
                .takes::<NewEndpoint>()
                .created(),
        )
        .on(
            "delete",
            "/fairhold/v1/endpoints/{id}",
            delete(remove_endpoint::<O>),
            told::<EndpointView>("Remove it"),
        )
        .on(
            "post",
            "/fairhold/v1/endpoints/{id}/test",
            post(test_endpoint::<O>),
            told::<NoticeLine>("Send a trial there"),
        )
        .on(
            "get",
            "/v1/organization/audit_logs",
            get(crate::audit_log::own::<O>),
            log,
        );
    ledger::customer(api)
}

async fn own_account<O: Office>(State(office): State<Arc<O>>, headers: HeaderMap) -> Response {
    match caller(&*office, &headers) {
        Some(account) => answer_json(StatusCode::OK, office.overview(&account).await),
        None => ask_for_key(),
    }
}

async fn own_endpoints<O: Office>(State(office): State<Arc<O>>, headers: HeaderMap) -> Response {
    match caller(&*office, &headers) {
        Some(account) => answer_json(StatusCode::OK, office.endpoints(Some(&account)).await),
        None => ask_for_key(),
    }
}

async fn add_endpoint<O: Office>(
    State(office): State<Arc<O>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(account) = caller(&*office, &headers) else {
        return ask_for_key();
    };
    match read::<NewEndpoint>(&body) {
        Ok(new) => {
            let account = Some(account);
            let new = NewEndpoint { account, ..new };
            answer_json(StatusCode::CREATED, office.add_endpoint(new).await)
        }
        Err(refused) => refusal(&refused),
    }
}

async fn remove_endpoint<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match caller(&*office, &headers) {
        Some(own) => answer_json(
            StatusCode::OK,
            office.remove_endpoint(Some(&own), &id).await,
        ),
        None => ask_for_key(),
    }
}

async fn test_endpoint<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match caller(&*office, &headers) {
        Some(own) => answer_json(StatusCode::OK, office.test_endpoint(Some(&own), &id).await),
        None => ask_for_key(),
    }
}

async fn own_cases<O: Office>(State(office): State<Arc<O>>, headers: HeaderMap) -> Response {
    let Some(account) = caller(&*office, &headers) else {
        return ask_for_key();
    };
    match office.cases_of(&account).await {
        Ok(own) if wants_json(&headers) => json(&own),
        Ok(own) => page("Your cases", &list(&own)),
        Err(_) => failed(
            StatusCode::SERVICE_UNAVAILABLE,
            "The cases cannot be read now.",
        ),
    }
}

async fn own_bundle<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = find(&*office, &id, &headers).await {
        return *response;
    }
    match office.export(&id).await {
        Ok(bytes) => {
            let zip = HeaderValue::from_static("application/zip");
            let kept = HeaderValue::from_static("no-store");
            let headers = [(header::CONTENT_TYPE, zip), (header::CACHE_CONTROL, kept)];
            (StatusCode::OK, headers, bytes).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

async fn own_attachment<O: Office>(
    State(office): State<Arc<O>>,
    Path((id, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = find(&*office, &id, &headers).await {
        return *response;
    }
    match office.attachment(&id, &sha256).await {
        Ok(file) => download(file),
        Err(refused) => refusal(&refused),
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
    request: Request,
) -> Response {
    worded(&*office, &id, CaseStep::Appeal, request).await
}

async fn evidence<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    worded(&*office, &id, CaseStep::Evidence, request).await
}

async fn declare<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    worded(&*office, &id, CaseStep::Declare, request).await
}

async fn worded<O: Office>(office: &O, id: &str, step: CaseStep, request: Request) -> Response {
    let headers = request.headers().clone();
    let by = match own(office, id, &headers).await {
        Ok(by) => by,
        Err(response) => return *response,
    };
    match answer::words(request).await {
        Ok(words) => {
            let step = Step {
                step,
                by,
                comment: words.text,
                attachments: words.attachments,
            };
            own_step(office, id, &headers, step).await
        }
        Err(why) => failed(StatusCode::BAD_REQUEST, &why),
    }
}

async fn undertake<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let by = match own(&*office, &id, &headers).await {
        Ok(by) => by,
        Err(response) => return *response,
    };
    match answer::conditions(request).await {
        Ok(Conditions { conditions, text }) => {
            let step = Step {
                step: CaseStep::Undertake(conditions),
                by,
                comment: text,
                attachments: Vec::new(),
            };
            own_step(&*office, &id, &headers, step).await
        }
        Err(why) => failed(StatusCode::BAD_REQUEST, &why),
    }
}

/// The caller's account, if this case concerns it: asked before anything of the body is read.
async fn own<O: Office>(
    office: &O,
    id: &str,
    headers: &HeaderMap,
) -> Result<String, Box<Response>> {
    find(office, id, headers).await?;
    caller(office, headers).ok_or_else(|| Box::new(ask_for_key()))
}

/// A step of the accused, in the name of the account whose key was shown.
async fn own_step<O: Office>(office: &O, id: &str, headers: &HeaderMap, step: Step) -> Response {
    match office.step(id, step).await {
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
