//! Who works here, over the admin API: the operator invites and ends.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::{answer, read, refusal};
use crate::access::Open;
use crate::api::{Api, told};
use crate::caseroom::{InviteView, NewInvite, PersonView};
use crate::casework::ByWhom;
use crate::office::Office;

/// Its operations.
pub(super) fn routes<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Operator, Staff};
    api.on(
        "get",
        "/admin/people",
        get(all::<O>),
        told::<Vec<PersonView>>("Everybody who works here").open_to(Staff),
    )
    .on(
        "post",
        "/admin/people",
        post(invite::<O>),
        told::<InviteView>("Make a one-time sign-in for somebody who works here, or a customer")
            .takes::<NewInvite>()
            .created()
            .open_to(Operator),
    )
    .on(
        "post",
        "/admin/people/{name}/end",
        post(end::<O>),
        told::<PersonView>("Somebody works here no longer")
            .takes::<ByWhom>()
            .open_to(Operator),
    )
}

async fn all<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.people().await)
}

async fn invite<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.invite(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn end<O: Office>(
    State(office): State<Arc<O>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    match read::<ByWhom>(&body) {
        Ok(who) => answer(StatusCode::OK, office.end_person(&name, &who.by).await),
        Err(refused) => refusal(&refused),
    }
}
