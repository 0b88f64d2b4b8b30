//! Cases over the admin API.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, http};
use http::{HeaderValue, StatusCode, header};

use super::{answer, in_own_name, read, refusal};
use crate::access::Open::{Casework, Staff};
use crate::api::{Api, Caller, told};
use crate::cases::{CaseView, NewCase, Step};
use crate::casework::{AttachmentFile, ByWhom, CasesAsked, CasesView, ClaimView, HeldView};
use crate::office::{Office, OfficeError};

/// Adds them.
pub(super) fn routes<O: Office>(api: Api<O>) -> Api<O> {
    let list = told::<CasesView>("Cases, what is due soonest first")
        .asks("awaits", "those that await this, for example `approval`")
        .asks("state", "those in this state")
        .asks("account", "those against this account")
        .asks("closed", "`true` or `false`")
        .asks("limit", "at most so many, 500 at most")
        .asks("after", "`next` of the page before");
    let step = told::<CaseView>("Take a step in a case").takes::<Step>();
    let held = told::<HeldView>("Decide on a step that may be taken back for a while");
    let file = told::<String>("A file that came with an answer, by its SHA-256");
    api.on(
        "post",
        "/admin/cases",
        post(propose::<O>),
        told::<CaseView>("Open a case")
            .takes::<NewCase>()
            .created()
            .open_to(Casework),
    )
    .on("get", "/admin/cases", get(cases::<O>), list.open_to(Staff))
    .on(
        "get",
        "/admin/cases/{id}",
        get(case::<O>),
        told::<CaseView>("One case").open_to(Staff),
    )
    .on(
        "post",
        "/admin/cases/{id}/steps",
        post(step_in::<O>),
        step.open_to(Staff),
    )
    .on(
        "post",
        "/admin/cases/{id}/held",
        post(hold::<O>),
        held.takes::<Step>().created().open_to(Casework),
    )
    .on(
        "get",
        "/admin/held",
        get(held_steps::<O>),
        told::<Vec<HeldView>>("Steps that may still be taken back").open_to(Staff),
    )
    .on(
        "delete",
        "/admin/held/{id}",
        delete(take_back::<O>),
        told::<HeldView>("Take a held step back")
            .takes::<ByWhom>()
            .open_to(Casework),
    )
    .on(
        "post",
        "/admin/cases/{id}/claim",
        post(claim::<O>),
        told::<ClaimView>("Claim a case for a while")
            .takes::<ByWhom>()
            .open_to(Casework),
    )
    .on(
        "delete",
        "/admin/cases/{id}/claim",
        delete(unclaim::<O>),
        told::<ClaimView>("End a claim")
            .takes::<ByWhom>()
            .open_to(Casework),
    )
    .on(
        "get",
        "/admin/cases/{id}/bundle",
        get(bundle::<O>),
        told::<String>("The evidence bundle of a case")
            .bytes("application/zip")
            .open_to(Staff),
    )
    .on(
        "get",
        "/admin/cases/{id}/attachments/{sha256}",
        get(attachment::<O>),
        file.bytes("application/octet-stream").open_to(Staff),
    )
}

async fn propose<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Response {
    let new = async {
        let new = read::<NewCase>(&body)?;
        in_own_name(&caller, &new.by)?;
        not_of_a_signer(&*office, &caller, &new.by).await?;
        Ok(new)
    };
    match new.await {
        Ok(new) => answer(StatusCode::CREATED, office.propose(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn cases<O: Office>(
    State(office): State<Arc<O>>,
    Query(asked): Query<CasesAsked>,
) -> Response {
    answer(StatusCode::OK, office.cases(asked).await)
}

async fn case<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.case(&id).await)
}

/// Whoever signs in acts for themself: the operator's token opens no name of theirs.
async fn not_of_a_signer<O: Office>(
    office: &O,
    caller: &Caller,
    by: &str,
) -> Result<(), OfficeError> {
    if *caller == Caller::Operator && office.signs_in(by).await? {
        return Err(OfficeError::Conflict(format!(
            "`{by}` signs in at the console: their steps are taken there"
        )));
    }
    Ok(())
}

async fn own_step<O: Office>(
    office: &O,
    caller: &Caller,
    body: &Bytes,
) -> Result<Step, OfficeError> {
    let step = read::<Step>(body)?;
    in_own_name(caller, &step.by)?;
    not_of_a_signer(office, caller, &step.by).await?;
    Ok(step)
}

async fn step_in<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match own_step(&*office, &caller, &body).await {
        Ok(step) => answer(StatusCode::OK, office.step(&id, step).await),
        Err(refused) => refusal(&refused),
    }
}

async fn hold<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match own_step(&*office, &caller, &body).await {
        Ok(step) => answer(StatusCode::CREATED, office.hold_step(&id, step).await),
        Err(refused) => refusal(&refused),
    }
}

async fn held_steps<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.held_steps().await)
}

fn whom(caller: &Caller, body: &Bytes) -> Result<String, OfficeError> {
    let whom = read::<ByWhom>(body)?;
    in_own_name(caller, &whom.by)?;
    Ok(whom.by)
}

async fn take_back<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match whom(&caller, &body) {
        Ok(by) => answer(StatusCode::OK, office.take_back(&id, &by).await),
        Err(refused) => refusal(&refused),
    }
}

async fn claim<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match whom(&caller, &body) {
        Ok(by) => answer(StatusCode::OK, office.claim(&id, &by).await),
        Err(refused) => refusal(&refused),
    }
}

async fn unclaim<O: Office>(
    State(office): State<Arc<O>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match whom(&caller, &body) {
        Ok(by) => answer(StatusCode::OK, office.unclaim(&id, &by).await),
        Err(refused) => refusal(&refused),
    }
}

async fn bundle<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    match office.export(&id).await {
        Ok(bytes) => {
            let zip = HeaderValue::from_static("application/zip");
            (StatusCode::OK, [(header::CONTENT_TYPE, zip)], bytes).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

async fn attachment<O: Office>(
    State(office): State<Arc<O>>,
    Path((id, sha256)): Path<(String, String)>,
) -> Response {
    match office.attachment(&id, &sha256).await {
        Ok(file) => download(file),
        Err(refused) => refusal(&refused),
    }
}

/// A file to keep: a browser never shows or runs it in our name.
pub(crate) fn download(file: AttachmentFile) -> Response {
    let kind = HeaderValue::from_str(&file.view.kind);
    let headers = [
        (
            header::CONTENT_TYPE,
            kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, file.bytes).into_response()
}
