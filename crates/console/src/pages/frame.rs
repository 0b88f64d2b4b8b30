//! What every page has: who looks at it, in which frame, and as data where
//! that is asked for.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use cases::Role;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use crate::caseroom::Caseroom;
use crate::door::{Customer, Door, Staff, same};
use crate::office::OfficeError;

/// The largest form: an appeal may be long.
const FORM_BYTES_MAX: usize = 256 << 10;

/// What the pages of one listener share.
#[derive(Debug)]
pub(crate) struct Pages<O> {
    pub(crate) office: Arc<O>,
    pub(crate) door: Arc<Door>,
}

impl<O> Clone for Pages<O> {
    fn clone(&self) -> Self {
        Self {
            office: Arc::clone(&self.office),
            door: Arc::clone(&self.door),
        }
    }
}

/// What surrounds a page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// The title.
    pub(crate) title: String,
    /// Which part of the console it belongs to.
    pub(crate) section: &'static str,
    /// Who is signed in; empty where nobody is.
    pub(crate) name: String,
    /// In what role.
    pub(crate) role: &'static str,
    /// What forms carry.
    pub(crate) csrf: String,
    /// What was done.
    pub(crate) told: &'static str,
    /// What was refused.
    pub(crate) wrong: String,
    /// Before the paths of files and of the portal.
    pub(crate) base: &'static str,
}

impl Frame {
    /// The frame of a page for somebody who works here.
    pub(crate) fn of(staff: &Staff, section: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            section,
            name: staff.name.clone(),
            role: staff.role.word(),
            csrf: staff.csrf.clone(),
            ..Self::default()
        }
    }

    /// The frame of a customer's page.
    pub(crate) fn portal(customer: &Customer, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            name: customer.account.clone(),
            role: "customer",
            csrf: customer.csrf.clone(),
            base: PORTAL,
            ..Self::default()
        }
    }

    /// Whether they work on cases.
    pub(crate) fn works(&self) -> bool {
        matches!(self.role, "reviewer" | "approver")
    }

    /// Whether they run the house.
    pub(crate) fn runs(&self) -> bool {
        self.role == "administrator"
    }
}

/// Where the portal begins.
pub(crate) const PORTAL: &str = "/fairhold/portal";

/// Whether data is asked for instead of a page.
pub(crate) fn wants_data(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

/// The page, or its data.
pub(crate) fn shown<P: Template + Serialize>(headers: &HeaderMap, page: &P) -> Response {
    if wants_data(headers) {
        return axum::Json(page).into_response();
    }
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Template, Serialize)]
#[template(path = "refused.html")]
struct RefusedPage {
    #[serde(skip)]
    frame: Frame,
    error: Said,
}

#[derive(Serialize)]
struct Said {
    message: String,
}

/// Why something was not done, in its frame.
pub(crate) fn refused(headers: &HeaderMap, frame: Frame, why: &OfficeError) -> Response {
    let status = StatusCode::from_u16(why.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    wrong(headers, frame, status, &why.to_string())
}

/// The same, with any status.
pub(crate) fn wrong(headers: &HeaderMap, frame: Frame, status: StatusCode, why: &str) -> Response {
    let page = RefusedPage {
        frame,
        error: Said {
            message: why.to_owned(),
        },
    };
    let mut response = shown(headers, &page);
    *response.status_mut() = status;
    response
}

/// Sends a browser on, so that reloading repeats nothing.
pub(crate) fn on(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// A path segment that holds an id: everything but unreserved characters is escaped.
pub(crate) fn segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

fn unreadable() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "sign-ins cannot be read now",
    )
        .into_response()
}

fn to_the_door(headers: &HeaderMap, door: &str) -> Response {
    if wants_data(headers) {
        let said = serde_json::json!({"error": {"message": "sign in first"}});
        return (StatusCode::UNAUTHORIZED, axum::Json(said)).into_response();
    }
    on(door)
}

impl<O: Caseroom> FromRequestParts<Pages<O>> for Staff {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        pages: &Pages<O>,
    ) -> Result<Self, Self::Rejection> {
        match pages.door.staff(&parts.headers).await {
            Ok(Some(staff)) => Ok(staff),
            Ok(None) => Err(to_the_door(&parts.headers, "/sign-in")),
            Err(error) => {
                tracing::error!(%error, "a sign-in cannot be read");
                Err(unreadable())
            }
        }
    }
}

impl<O: Caseroom> FromRequestParts<Pages<O>> for Customer {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        pages: &Pages<O>,
    ) -> Result<Self, Self::Rejection> {
        match pages.door.customer(&parts.headers).await {
            Ok(Some(customer)) => Ok(customer),
            Ok(None) => Err(to_the_door(&parts.headers, "/fairhold/portal/sign-in")),
            Err(error) => {
                tracing::error!(%error, "a sign-in cannot be read");
                Err(unreadable())
            }
        }
    }
}

/// Somebody who works on cases: a reviewer or an approver. Others see the pages and do none of it.
pub(crate) struct Worker(pub(crate) Staff);

impl<O: Caseroom> FromRequestParts<Pages<O>> for Worker {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        pages: &Pages<O>,
    ) -> Result<Self, Self::Rejection> {
        let staff = Staff::from_request_parts(parts, pages).await?;
        if works(staff.role) {
            return Ok(Self(staff));
        }
        let why = "only reviewers and approvers work on cases";
        let frame = Frame::of(&staff, "queue", "Not yours to do");
        Err(wrong(&parts.headers, frame, StatusCode::FORBIDDEN, why))
    }
}

/// A form that carries the sign-in's own token, so that no other site could have sent it.
pub(crate) struct Posted<W, T>(pub(crate) W, pub(crate) T);

/// Who has a token that forms carry.
pub(crate) trait Carries {
    /// The token.
    fn csrf(&self) -> &str;
}

impl Carries for Staff {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

impl Carries for Worker {
    fn csrf(&self) -> &str {
        &self.0.csrf
    }
}

impl Carries for Customer {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

fn foreign() -> Response {
    let why = "the form is not of this sign-in; go back, reload the page and send it again";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// The token that a form carries.
fn carried(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(token) = headers.get("x-csrf") {
        return token.to_str().ok().map(ToOwned::to_owned);
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
    pairs.into_iter().find(|(k, _)| k == "csrf").map(|(_, v)| v)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

impl<O, W, T> FromRequest<Pages<O>> for Posted<W, T>
where
    O: Caseroom,
    W: FromRequestParts<Pages<O>, Rejection = Response> + Carries + Send,
    T: DeserializeOwned + Send,
{
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Pages<O>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let who = W::from_request_parts(&mut parts, pages).await?;
        let body: Bytes = axum::body::to_bytes(body, FORM_BYTES_MAX)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        if !carried(&parts.headers, &body).is_some_and(|token| same(&token, who.csrf())) {
            return Err(foreign());
        }
        let read = if is_json(&parts.headers) {
            serde_json::from_slice(&body).map_err(|e| e.to_string())
        } else {
            serde_urlencoded::from_bytes(&body).map_err(|e| e.to_string())
        };
        let read = read.map_err(|e| {
            let why = format!("the form cannot be read: {e}");
            (StatusCode::BAD_REQUEST, why).into_response()
        })?;
        Ok(Self(who, read))
    }
}

/// Headers of every answer: nothing is loaded or run but what this server sends as a file of its
/// own, nothing frames it, nothing is remembered by caches.
fn guarded(headers: &mut HeaderMap, secure: bool) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let fixed = [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), microphone=(), geolocation=(), payment=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// A form of another site is refused whatever it carries.
fn of_another_site(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site");
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    !matches!(*request.method(), Method::GET | Method::HEAD) && foreign
}

/// Guards the customers' pages.
pub(crate) async fn guard<O: Caseroom>(
    State(pages): State<Pages<O>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if of_another_site(&request) {
        foreign()
    } else {
        next.run(request).await
    };
    guarded(response.headers_mut(), pages.door.origin().secure());
    response
}

/// Guards the pages of people who work here: they are reached by their own name only.
pub(crate) async fn guard_staff<O: Caseroom>(
    State(pages): State<Pages<O>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut response = if !pages.door.origin().is(host) {
        let here = pages.door.origin().as_str();
        let why = format!("the console is at {here}; set `origin` in `[console]` to change that");
        (StatusCode::MISDIRECTED_REQUEST, why).into_response()
    } else if of_another_site(&request) {
        foreign()
    } else {
        next.run(request).await
    };
    guarded(response.headers_mut(), pages.door.origin().secure());
    response
}

/// The same pages by `.json` at the end of their paths.
pub(crate) fn with_data(router: Router) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let router = router.clone();
        async move {
            match router.oneshot(as_data(request)).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    })
}

fn as_data(mut request: Request<Body>) -> Request<Body> {
    let uri = request.uri();
    let Some(path) = uri.path().strip_suffix(".json") else {
        return request;
    };
    let path = if path.is_empty() { "/" } else { path };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    if let Ok(uri) = text.parse::<Uri>() {
        *request.uri_mut() = uri;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json);
    }
    request
}

/// Files that pages load; each is compiled in.
pub(crate) async fn file(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let (bytes, kind): (&'static [u8], &str) = match name.as_str() {
        "console.css" => (
            include_bytes!("../../assets/console.css"),
            "text/css; charset=utf-8",
        ),
        "uplot.min.css" => (
            include_bytes!("../../assets/uplot.min.css"),
            "text/css; charset=utf-8",
        ),
        "console.js" => (
            include_bytes!("../../assets/console.js"),
            "text/javascript; charset=utf-8",
        ),
        "htmx.min.js" => (
            include_bytes!("../../assets/htmx.min.js"),
            "text/javascript; charset=utf-8",
        ),
        "uplot.min.js" => (
            include_bytes!("../../assets/uplot.min.js"),
            "text/javascript; charset=utf-8",
        ),
        "LICENSES.md" => (
            include_bytes!("../../assets/LICENSES.md"),
            "text/plain; charset=utf-8",
        ),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=600"),
    ];
    (headers, bytes).into_response()
}

/// Whether a role works on cases.
pub(crate) fn works(role: Role) -> bool {
    matches!(role, Role::Reviewer | Role::Approver)
}
