//! One's own sign-in; and for administrators the people and the keys.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{PasskeyRow, SignInRow, StoreError, SubjectRow, SystemClock};

use super::frame::{Frame, Pages, Posted, on, refused, shown, wrong};
use super::sign_in::{Answered, Nothing, Told, bytes, failed, party, question, unread, whose};
use super::words;
use crate::caseroom::{Caseroom, InviteView, NewInvite, PersonView};
use crate::door::Staff;
use crate::office::{KeyView, OfficeError};
use crate::passkey::{PasskeyError, registered};

#[derive(Template, Serialize)]
#[template(path = "settings.html")]
struct SettingsPage {
    #[serde(skip)]
    frame: Frame,
    how: String,
    passkeys: Vec<KeyLine>,
    /// What the issuer is called, and who they are there.
    issuer: Option<String>,
    subjects: Vec<SubjectLine>,
    sign_ins: Vec<SignInLine>,
    people: Vec<PersonView>,
    keys: Vec<KeyView>,
    #[serde(skip)]
    invited: Option<(InviteView, String)>,
}

#[derive(Serialize)]
struct KeyLine {
    id: String,
    since: String,
    used: String,
}

#[derive(Serialize)]
struct SubjectLine {
    shown: String,
    since: String,
}

#[derive(Serialize)]
struct SignInLine {
    how: String,
    since: String,
    seen: String,
    here: bool,
}

impl KeyLine {
    fn of(row: &PasskeyRow) -> Self {
        Self {
            id: row.id.clone(),
            since: row.created_at.rfc3339(),
            used: row
                .used_at
                .map_or_else(String::new, facts::Timestamp::rfc3339),
        }
    }
}

impl SubjectLine {
    fn of(row: SubjectRow) -> Self {
        Self {
            shown: row.shown,
            since: row.linked_at.rfc3339(),
        }
    }
}

impl SignInLine {
    fn of(row: &SignInRow, here: &str) -> Self {
        Self {
            how: row.how.clone(),
            since: row.created_at.rfc3339(),
            seen: row.seen_at.rfc3339(),
            here: row.digest == here,
        }
    }
}

fn unavailable(error: &StoreError) -> OfficeError {
    OfficeError::Unavailable(format!("failed to {error}"))
}

async fn gathered<O: Caseroom>(
    pages: &Pages<O>,
    staff: &Staff,
) -> Result<SettingsPage, OfficeError> {
    let frame = Frame::of(staff, "settings", "Settings");
    let database = pages.door.database();
    let read = async {
        let passkeys = database.passkeys(Some(&staff.name)).await?;
        let subjects = database.subjects_of(&staff.name).await?;
        Ok((passkeys, subjects, database.sign_ins_of(&staff.name).await?))
    };
    let (passkeys, subjects, sign_ins) = read.await.map_err(|e: StoreError| unavailable(&e))?;
    let keys = if frame.runs() {
        pages.office.keys().await?
    } else {
        Vec::new()
    };
    Ok(SettingsPage {
        frame,
        how: staff.how.clone(),
        passkeys: passkeys.iter().map(KeyLine::of).collect(),
        issuer: pages.door.issuer().map(|issuer| issuer.called().to_owned()),
        subjects: subjects.into_iter().map(SubjectLine::of).collect(),
        sign_ins: sign_ins
            .iter()
            .map(|s| SignInLine::of(s, &staff.digest))
            .collect(),
        people: pages.office.people().await?,
        keys,
        invited: None,
    })
}

pub(super) async fn page<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    match gathered(&pages, &staff).await {
        Ok(mut page) => {
            page.frame.told = words::told(told.told.as_deref());
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, Frame::of(&staff, "settings", "Settings"), &why),
    }
}

fn said(why: &PasskeyError) -> Response {
    let body = json!({"error": {"message": why.to_string()}});
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

/// Asks for a new passkey. Every known one is named, so that an authenticator which has one here
/// already, under whichever name, does not make another: one person does not become two.
pub(super) async fn challenge<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Posted(staff, Nothing {}): Posted<Staff, Nothing>,
) -> Response {
    let known = match pages.door.database().passkeys(None).await {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let challenge = match pages.door.challenge() {
        Ok(challenge) => challenge,
        Err(error) => return failed(&error),
    };
    Json(json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "rp": pages.door.origin().host(),
        "user": URL_SAFE_NO_PAD.encode(Sha256::digest(&staff.name)),
        "name": staff.name,
        "known": known.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
    }))
    .into_response()
}

#[derive(Deserialize)]
pub(super) struct Made {
    challenge: String,
    client_data: String,
    attestation: String,
}

/// Keeps a new passkey.
pub(super) async fn register<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Posted(staff, made): Posted<Staff, Made>,
) -> Response {
    let checked = || {
        let challenge = question(&pages, &made.challenge)?;
        let (client, object) = (bytes(&made.client_data)?, bytes(&made.attestation)?);
        let new = registered(party(&pages), &challenge, &client, &object)?;
        if new.said.verified {
            Ok(new)
        } else {
            Err(PasskeyError::Absent)
        }
    };
    let new = match checked() {
        Ok(new) => new,
        Err(why) => return said(&why),
    };
    let row = PasskeyRow {
        id: URL_SAFE_NO_PAD.encode(&new.id),
        person: staff.name.clone(),
        public_key: new.public_key,
        counter: new.said.counter,
        created_at: SystemClock.now(),
        used_at: None,
    };
    if let Err(error) = pages.door.database().keep_passkey(&row).await {
        return failed(&error);
    }
    if let Err(error) = pages.office.note("passkey_registered", &staff.name).await {
        return failed(&error);
    }
    Json(json!({"to": "/settings?told=passkey"})).into_response()
}

/// Shows by a passkey that two names are one person: from then on they count as one.
pub(super) async fn link<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Posted(staff, given): Posted<Staff, Answered>,
) -> Response {
    let row = match whose(&pages, &given).await {
        Ok(Ok(row)) => row,
        Ok(Err(why)) => return said(&why),
        Err(error) => return failed(&error),
    };
    let database = pages.door.database();
    let linked = async {
        if let Some(other) = database.person(&row.person).await? {
            database.same_person(&staff.name, &other.identity).await?;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = linked.await {
        return failed(&error);
    }
    let names = format!("{} {}", staff.name, row.person);
    if let Err(error) = pages.office.note("names_of_one_person", &names).await {
        return failed(&error);
    }
    Json(json!({"to": "/settings?told=linked"})).into_response()
}

#[derive(Deserialize)]
pub(super) struct Key {
    id: String,
}

pub(super) async fn remove<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, key): Posted<Staff, Key>,
) -> Response {
    let removed = pages.door.database().remove_passkey(&key.id, &staff.name);
    match removed.await {
        Ok(_) => on("/settings?told=removed"),
        Err(error) => unread(&headers, &error),
    }
}

/// Ends one's other sign-ins.
pub(super) async fn others<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, Nothing {}): Posted<Staff, Nothing>,
) -> Response {
    let ended = pages
        .door
        .database()
        .sign_out_others(&staff.name, &staff.digest);
    match ended.await {
        Ok(()) => on("/settings?told=signed-out"),
        Err(error) => unread(&headers, &error),
    }
}

fn only_administrators(headers: &HeaderMap, frame: Frame) -> Response {
    let why = "only administrators change people and keys";
    wrong(headers, frame, StatusCode::FORBIDDEN, why)
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Inviting {
    name: String,
    role: String,
    account: String,
    oidc: String,
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Invites somebody: the one-time sign-in is shown once, on the page that answers.
pub(super) async fn invite<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, new): Posted<Staff, Inviting>,
) -> Response {
    let frame = Frame::of(&staff, "settings", "Settings");
    if !frame.runs() {
        return only_administrators(&headers, frame);
    }
    let new = NewInvite {
        name: given(&new.name),
        role: given(&new.role),
        identity: None,
        account: given(&new.account),
        oidc: given(&new.oidc),
        by: staff.name.clone(),
    };
    let invited = match pages.office.invite(new).await {
        Ok(invited) => invited,
        Err(why) => return refused(&headers, frame, &why),
    };
    match gathered(&pages, &staff).await {
        Ok(mut page) => {
            page.frame.told = words::told(Some("invited"));
            let place = if invited.path.starts_with("/sign-in") {
                format!("{}{}", pages.door.origin().as_str(), invited.path)
            } else {
                invited.path.clone()
            };
            page.invited = Some((invited, place));
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Deserialize)]
pub(super) struct Person {
    name: String,
}

pub(super) async fn end<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, person): Posted<Staff, Person>,
) -> Response {
    let frame = Frame::of(&staff, "settings", "Settings");
    if !frame.runs() {
        return only_administrators(&headers, frame);
    }
    match pages.office.end_person(&person.name, &staff.name).await {
        Ok(_) => on("/settings?told=ended"),
        Err(why) => refused(&headers, frame, &why),
    }
}

pub(super) async fn revoke<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, key): Posted<Staff, Key>,
) -> Response {
    let frame = Frame::of(&staff, "settings", "Settings");
    if !frame.runs() {
        return only_administrators(&headers, frame);
    }
    match pages.office.revoke_key(&key.id).await {
        Ok(_) => on("/settings?told=revoked"),
        Err(why) => refused(&headers, frame, &why),
    }
}
