//! Endpoints and the outbox over the admin API.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::StatusCode;

use super::{answer, read, refusal};
use crate::access::Open::{Administration, Staff};
use crate::api::{Api, told};
use crate::notices::{EndpointView, NewEndpoint, NoticeLine, NoticesAsked, RetriedView};
use crate::office::Office;

/// Adds them.
pub(super) fn routes<O: Office>(api: Api<O>) -> Api<O> {
    let list = told::<Vec<NoticeLine>>("Notices, the latest first")
        .asks("state", "`queued`, `delivered` or `dead`")
        .asks("case", "of this case only")
        .asks("limit", "at most so many, 1,000 at most");
    api.on(
        "get",
        "/admin/notices",
        get(notices::<O>),
        list.open_to(Staff),
    )
    .on(
        "post",
        "/admin/notices/{id}/retry",
        post(retry::<O>),
        told::<RetriedView>("Try a notice again at once").open_to(Administration),
    )
    .on(
        "get",
        "/admin/endpoints",
        get(endpoints::<O>),
        told::<Vec<EndpointView>>("Where notices go").open_to(Administration),
    )
    .on(
        "post",
        "/admin/endpoints",
        post(add::<O>),
        told::<EndpointView>("Add a place where notices go")
            .takes::<NewEndpoint>()
            .created()
            .open_to(Administration),
    )
    .on(
        "delete",
        "/admin/endpoints/{id}",
        delete(remove::<O>),
        told::<EndpointView>("Remove it").open_to(Administration),
    )
    .on(
        "post",
        "/admin/endpoints/{id}/test",
        post(test::<O>),
        told::<NoticeLine>("Send a trial there").open_to(Administration),
    )
}

async fn notices<O: Office>(
    State(office): State<Arc<O>>,
    Query(asked): Query<NoticesAsked>,
) -> Response {
    answer(StatusCode::OK, office.notices(asked).await)
}

async fn retry<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.retry_notice(&id).await)
}

async fn endpoints<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.endpoints(None).await)
}

async fn add<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.add_endpoint(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn remove<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.remove_endpoint(None, &id).await)
}

async fn test<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.test_endpoint(None, &id).await)
}
