//! How people come in at their issuer: out by a link, back by an address that
//! only the browser which left can use.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use store::{StoreError, SystemClock, Whose};

use super::frame::{Pages, on, refused, wrong};
use super::sign_in::{gone, stranger, too_often, unread};
use crate::caseroom::Caseroom;
use crate::door::{
    Answered, Entry, Errand, Issuer, IssuerError, Known, Linked, Side, Staff, token_digest,
};
use crate::office::OfficeError;

/// Where the issuer sends people back to.
const BACK: &str = "/sign-in/oidc/callback";

/// Why somebody at the issuer is not let in.
enum Refused {
    Store(StoreError),
    Office(OfficeError),
    Issuer(IssuerError),
    Gone,
    Nobody(String),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OfficeError> for Refused {
    fn from(error: OfficeError) -> Self {
        Self::Office(error)
    }
}

fn told(headers: &HeaderMap, why: &Refused) -> Response {
    let frame = stranger("Sign in");
    match why {
        Refused::Store(error) => unread(headers, error),
        Refused::Office(error) => refused(headers, frame, error),
        Refused::Gone => gone(headers, frame),
        Refused::Nobody(why) => wrong(headers, frame, StatusCode::FORBIDDEN, why),
        Refused::Issuer(error) => {
            let status = match error {
                IssuerError::Unreached(why) => {
                    tracing::error!("the issuer cannot be asked: {why}");
                    StatusCode::SERVICE_UNAVAILABLE
                }
                IssuerError::Untrue(why) => {
                    tracing::warn!("what the issuer says does not hold: {why}");
                    StatusCode::FORBIDDEN
                }
                IssuerError::Foreign | IssuerError::Declined(_) => StatusCode::FORBIDDEN,
            };
            wrong(headers, frame, status, &error.to_string())
        }
    }
}

fn none(headers: &HeaderMap) -> Response {
    let why = "no issuer is configured here: `[console.oidc]`";
    wrong(headers, stranger("Sign in"), StatusCode::NOT_FOUND, why)
}

/// Sends a browser to the issuer.
async fn leave<O: Caseroom>(pages: &Pages<O>, headers: &HeaderMap, errand: Errand) -> Response {
    let Some(issuer) = pages.door.issuer() else {
        return none(headers);
    };
    let back = format!("{}{BACK}", pages.door.origin().as_str());
    match issuer.begin(&back, errand).await {
        Ok((to, browser)) => {
            let mut response = on(&to);
            if let Some(cookie) = pages.door.away(Some(&browser)) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => told(headers, &Refused::Issuer(error)),
    }
}

/// Goes to the issuer to sign in.
pub(super) async fn sign_in<O: Caseroom>(
    State(pages): State<Pages<O>>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger("Sign in"));
    }
    leave(&pages, &headers, Errand::SignIn).await
}

/// Goes to the issuer to use an invitation. Looking at it uses nothing up.
pub(super) async fn invited<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger("Sign in"));
    }
    let digest = token_digest(&token);
    let database = pages.door.database();
    match database.invite(&digest, SystemClock.now()).await {
        Ok(Some(Whose::Person(_))) => leave(&pages, &headers, Errand::Invited(digest)).await,
        Ok(_) => told(&headers, &Refused::Gone),
        Err(error) => unread(&headers, &error),
    }
}

/// Goes to the issuer to say who somebody that is signed in is there.
pub(super) async fn link<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    headers: HeaderMap,
) -> Response {
    let errand = Errand::Link {
        name: staff.name,
        digest: staff.digest,
    };
    leave(&pages, &headers, errand).await
}

/// Comes back from the issuer.
pub(super) async fn back<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Query(answer): Query<Answered>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger("Sign in"));
    }
    let Some(issuer) = pages.door.issuer() else {
        return none(&headers);
    };
    let mut response = match arrived(&pages, issuer, answer, &headers).await {
        Ok(response) => response,
        Err(why) => told(&headers, &why),
    };
    // It is of no more use, whatever came of it.
    if let Some(cookie) = pages.door.away(None) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn arrived<O: Caseroom>(
    pages: &Pages<O>,
    issuer: &Issuer,
    answer: Answered,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let place = format!("{}{BACK}", pages.door.origin().as_str());
    let browser = pages.door.came_back(headers);
    let said = issuer.finish(&place, answer, browser).await;
    let (known, errand) = said.map_err(Refused::Issuer)?;
    let database = pages.door.database();
    let name = match errand {
        Errand::SignIn => admitted(pages, &known).await?,
        Errand::Invited(digest) => {
            let Some(Whose::Person(name)) = database.invite(&digest, SystemClock.now()).await?
            else {
                return Err(Refused::Gone);
            };
            if !database.use_invite(&digest).await? {
                return Err(Refused::Gone);
            }
            linked(pages, &name, &known).await?;
            name
        }
        Errand::Link { name, digest } => {
            let row = database.sign_in(&digest).await?;
            if row.is_none_or(|row| row.whose != Whose::Person(name.clone())) {
                let why = "you signed out meanwhile; sign in and begin again";
                return Err(Refused::Nobody(why.to_owned()));
            }
            linked(pages, &name, &known).await?;
            return Ok(onward("/settings?told=issuer", None));
        }
    };
    let whose = Whose::Person(name);
    let cookie = pages.door.sign_in(Side::Staff, whose, "oidc").await?;
    Ok(onward("/queue?told=welcome", Some(cookie)))
}

/// Who the issuer's word lets in.
async fn admitted<O: Caseroom>(pages: &Pages<O>, known: &Known) -> Result<String, Refused> {
    let before = pages.door.database().subject(&known.subject).await?;
    match pages.door.entry(known).await? {
        Entry::Person(name) => {
            if before.is_none() {
                noted(pages, "issuer_linked", &name, known).await?;
            }
            Ok(name)
        }
        Entry::Uninvited => Err(Refused::Nobody(format!(
            "`{}` was not invited to work here: ask an administrator; `fairhold people invite NAME --role reviewer --oidc {}` does it",
            known.shown,
            known.email.as_deref().unwrap_or(&known.sub)
        ))),
        Entry::Left(name) => Err(Refused::Nobody(format!("`{name}` works here no longer"))),
        Entry::Several => Err(Refused::Nobody(
            "several names wait for you here: use the one-time sign-in of the one that is meant"
                .to_owned(),
        )),
    }
}

async fn noted<O: Caseroom>(
    pages: &Pages<O>,
    change: &str,
    name: &str,
    known: &Known,
) -> Result<(), Refused> {
    // The log is for ever: it has the subject's digest only.
    let digest = hex::encode(Sha256::digest(&known.subject));
    let short: String = digest.chars().take(12).collect();
    Ok(pages
        .office
        .note(change, &format!("{name} {short}"))
        .await?)
}

async fn linked<O: Caseroom>(pages: &Pages<O>, name: &str, known: &Known) -> Result<(), Refused> {
    match pages.door.linked(name, known).await? {
        Linked::Known => Ok(()),
        Linked::New => noted(pages, "issuer_linked", name, known).await,
        Linked::Same(other) => {
            let names = format!("{name} {other}");
            Ok(pages.office.note("names_of_one_person", &names).await?)
        }
    }
}

/// Goes on from a page of our own: the cookie of a sign-in is not sent where the way began at
/// another site, as it does here.
fn onward(to: &str, cookie: Option<HeaderValue>) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed in</title></head>\
         <body><p>You are signed in. <a href=\"{to}\">Go on</a></p></body></html>"
    );
    let mut response = axum::response::Html(page).into_response();
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={to}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
