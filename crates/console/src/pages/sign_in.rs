//! How people come in: by a passkey, or by a one-time invitation; `issuer` has the third way.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{PasskeyRow, SystemClock, Whose};

use super::frame::{Frame, Pages, Posted, on, shown, wrong};
use super::words;
use crate::caseroom::Caseroom;
use crate::door::{Door, Issuer, Side, Staff, token_digest};
use crate::passkey::{Assertion, PasskeyError, RelyingParty, Said, asserted};

#[derive(Template, Serialize)]
#[template(path = "sign_in.html")]
struct SignInPage {
    #[serde(skip)]
    frame: Frame,
    /// A one-time sign-in that is to be used, and whose.
    invited: Option<Invited>,
    /// What the issuer is called, where one is configured.
    issuer: Option<String>,
    /// Whether invitations are used there only.
    #[serde(skip)]
    required: bool,
}

impl SignInPage {
    fn of(door: &Door, frame: Frame, invited: Option<Invited>) -> Self {
        let issuer = door.issuer();
        Self {
            frame,
            invited,
            issuer: issuer.map(|issuer| issuer.called().to_owned()),
            required: issuer.is_some_and(Issuer::required),
        }
    }
}

#[derive(Serialize)]
struct Invited {
    #[serde(skip)]
    token: String,
    whom: String,
}

#[derive(Deserialize)]
pub(super) struct Told {
    pub(super) told: Option<String>,
}

pub(super) fn stranger(title: &str) -> Frame {
    Frame {
        title: title.to_owned(),
        ..Frame::default()
    }
}

pub(super) fn too_often(headers: &HeaderMap, frame: Frame) -> Response {
    let why = "too many tries from your address; wait a minute";
    let mut response = wrong(headers, frame, StatusCode::TOO_MANY_REQUESTS, why);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

pub(super) async fn page<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame {
        told: words::told(told.told.as_deref()),
        ..stranger("Sign in")
    };
    shown(&headers, &SignInPage::of(&pages.door, frame, None))
}

/// Looks at an invitation; only the button of the page uses it, so that no preview of a link does.
pub(super) async fn invited<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger("Sign in"));
    }
    let now = SystemClock.now();
    let found = pages
        .door
        .database()
        .invite(&token_digest(&token), now)
        .await;
    match found {
        Ok(Some(Whose::Person(whom))) => {
            let invited = Some(Invited { token, whom });
            let frame = stranger("You are invited");
            shown(&headers, &SignInPage::of(&pages.door, frame, invited))
        }
        Ok(_) => gone(&headers, stranger("Sign in")),
        Err(error) => unread(&headers, &error),
    }
}

pub(super) fn gone(headers: &HeaderMap, frame: Frame) -> Response {
    let why = "this one-time sign-in was used already or is over; ask for another: `fairhold people invite`";
    wrong(headers, frame, StatusCode::GONE, why)
}

pub(super) fn unread(headers: &HeaderMap, error: &store::StoreError) -> Response {
    tracing::error!(%error, "sign-ins cannot be read");
    let why = "sign-ins cannot be read now";
    wrong(
        headers,
        stranger("Sign in"),
        StatusCode::SERVICE_UNAVAILABLE,
        why,
    )
}

/// Uses an invitation.
pub(super) async fn accept<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger("Sign in"));
    }
    if let Some(issuer) = pages.door.issuer().filter(|issuer| issuer.required()) {
        let why = format!("invitations are used at {} here", issuer.called());
        return wrong(&headers, stranger("Sign in"), StatusCode::FORBIDDEN, &why);
    }
    let digest = token_digest(&token);
    let database = pages.door.database();
    let used = async {
        let Some(Whose::Person(name)) = database.invite(&digest, SystemClock.now()).await? else {
            return Ok(None);
        };
        if !database.use_invite(&digest).await? {
            return Ok(None);
        }
        let whose = Whose::Person(name);
        pages
            .door
            .sign_in(Side::Staff, whose, "invited")
            .await
            .map(Some)
    };
    match used.await {
        Ok(Some(cookie)) => {
            let mut response = on("/settings?told=welcome");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Ok(None) => gone(&headers, stranger("Sign in")),
        Err(error) => unread(&headers, &error),
    }
}

fn said(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": {"message": why}}))).into_response()
}

pub(super) fn failed(error: &impl std::fmt::Display) -> Response {
    tracing::error!(%error, "a sign-in failed");
    said(StatusCode::SERVICE_UNAVAILABLE, "it cannot be done now")
}

/// Asks a passkey.
pub(super) async fn challenge<O: Caseroom>(
    State(pages): State<Pages<O>>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return said(
            StatusCode::TOO_MANY_REQUESTS,
            "too many tries; wait a minute",
        );
    }
    match pages.door.challenge() {
        Ok(challenge) => Json(json!({
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "rp": pages.door.origin().host(),
        }))
        .into_response(),
        Err(error) => failed(&error),
    }
}

/// What a browser sends after a passkey was asked; bytes as base64url.
#[derive(Deserialize)]
pub(super) struct Answered {
    challenge: String,
    id: String,
    client_data: String,
    authenticator_data: String,
    signature: String,
}

/// Bytes of a field.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, PasskeyError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| PasskeyError::Malformed("answer"))
}

/// The question that was answered, taken back so that it is answered once.
pub(super) fn question<O: Caseroom>(
    pages: &Pages<O>,
    text: &str,
) -> Result<[u8; 32], PasskeyError> {
    let challenge = bytes(text)?;
    let challenge: [u8; 32] = challenge.try_into().map_err(|_| PasskeyError::Challenge)?;
    if pages.door.asked(&challenge) {
        Ok(challenge)
    } else {
        Err(PasskeyError::Challenge)
    }
}

pub(super) fn party<O>(pages: &Pages<O>) -> RelyingParty<'_> {
    RelyingParty {
        origin: pages.door.origin().as_str(),
        id: pages.door.origin().host(),
    }
}

fn verified(said: Said) -> Result<Said, PasskeyError> {
    if said.verified {
        Ok(said)
    } else {
        Err(PasskeyError::Absent)
    }
}

/// Whose passkey answered; what it says is checked and its count is kept.
pub(super) async fn whose<O: Caseroom>(
    pages: &Pages<O>,
    given: &Answered,
) -> Result<Result<PasskeyRow, PasskeyError>, store::StoreError> {
    let database = pages.door.database();
    let Some(row) = database.passkey(&given.id).await? else {
        return Ok(Err(PasskeyError::Signature));
    };
    let checked = || {
        let challenge = question(pages, &given.challenge)?;
        let (client, data) = (
            bytes(&given.client_data)?,
            bytes(&given.authenticator_data)?,
        );
        let signature = bytes(&given.signature)?;
        let by = Assertion {
            client_data: &client,
            authenticator_data: &data,
            signature: &signature,
        };
        let said = verified(asserted(party(pages), &challenge, &row.public_key, by)?)?;
        // A count that does not grow is a copy of the authenticator.
        let counts = said.counter > 0 || row.counter > 0;
        if counts && said.counter <= row.counter {
            return Err(PasskeyError::Signature);
        }
        Ok(said)
    };
    match checked() {
        Ok(said) => {
            let now = SystemClock.now();
            database.passkey_used(&row.id, said.counter, now).await?;
            Ok(Ok(row))
        }
        Err(why) => Ok(Err(why)),
    }
}

/// Signs in by a passkey.
pub(super) async fn passkey<O: Caseroom>(
    State(pages): State<Pages<O>>,
    extensions: Extensions,
    headers: HeaderMap,
    Json(given): Json<Answered>,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return said(
            StatusCode::TOO_MANY_REQUESTS,
            "too many tries; wait a minute",
        );
    }
    let row = match whose(&pages, &given).await {
        Ok(Ok(row)) => row,
        Ok(Err(why)) => return said(StatusCode::FORBIDDEN, &why.to_string()),
        Err(error) => return failed(&error),
    };
    let person = match pages.door.database().person(&row.person).await {
        Ok(person) => person.filter(|p| p.ended_at.is_none()),
        Err(error) => return failed(&error),
    };
    let Some(person) = person else {
        return said(StatusCode::FORBIDDEN, "its owner works here no longer");
    };
    let whose = Whose::Person(person.name);
    match pages.door.sign_in(Side::Staff, whose, "passkey").await {
        Ok(cookie) => {
            let mut response = Json(json!({"to": "/"})).into_response();
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Leaves.
pub(super) async fn out<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, Nothing {}): Posted<Staff, Nothing>,
) -> Response {
    let response = on("/sign-in");
    let out = pages.door.sign_out(Side::Staff, &staff.digest, response);
    match out.await {
        Ok(response) => response,
        Err(error) => unread(&headers, &error),
    }
}
