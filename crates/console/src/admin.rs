//! The admin API: JSON for whoever holds the running server's token.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::campaigns::Ending;
use crate::credentials;
use crate::custody::Release;
use crate::ledger;
use crate::office::{Office, OfficeError};

/// The largest body that an admin call may have: its largest is a case's text.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Routes under `/admin`, open to `Authorization: Bearer TOKEN` only.
pub fn admin<O: Office>(office: Arc<O>, token: &str) -> Router {
    let token: Arc<str> = token.into();
    Router::new()
        .route(
            "/admin/accounts",
            post(open_account::<O>).get(accounts::<O>),
        )
        .route("/admin/keys", post(create_key::<O>).get(keys::<O>))
        .route("/admin/keys/{id}/revoke", post(revoke_key::<O>))
        .route(
            "/admin/accounts/{id}/terms",
            get(terms::<O>).put(agree::<O>),
        )
        .route("/admin/accounts/{id}/links", post(link::<O>))
        .route("/admin/projects/{id}/purposes", put(declare::<O>))
        .route("/admin/cases", post(propose::<O>).get(cases::<O>))
        .route("/admin/cases/{id}", get(case::<O>))
        .route("/admin/cases/{id}/steps", post(step::<O>))
        .route("/admin/cases/{id}/bundle", get(bundle::<O>))
        .route("/admin/detect", post(detect::<O>))
        .route("/admin/calibrate", post(calibrate::<O>))
        .route("/admin/findings", get(findings::<O>))
        .route("/admin/accounts/{id}/findings", get(findings_about::<O>))
        .route("/admin/checkpoint", get(checkpoint::<O>))
        .route(
            "/admin/campaigns",
            post(activate_sketch::<O>).get(campaigns::<O>),
        )
        .route("/admin/campaigns/make", post(make_sketch::<O>))
        .route("/admin/campaigns/test", post(try_sketch::<O>))
        .route("/admin/campaigns/{name}/expire", post(expire_campaign::<O>))
        .route("/admin/erasures", post(erase::<O>))
        .route("/admin/holds", post(place_hold::<O>).get(holds::<O>))
        .route("/admin/holds/{id}/release", post(release_hold::<O>))
        .route("/admin/retention", post(let_go::<O>))
        .route("/admin/exchanges/{id}/bodies", post(read_bodies::<O>))
        .merge(ledger::admin())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(token, only_with_token))
        .with_state(office)
}

async fn only_with_token(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    if credentials::carries(request.headers(), &token) {
        return next.run(request).await;
    }
    error(
        StatusCode::UNAUTHORIZED,
        "invalid_admin_token",
        "send `Authorization: Bearer TOKEN` with the token of run.json in the data folder",
    )
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body =
        json!({"error": {"message": message, "type": "admin_error", "param": null, "code": code}});
    with_json(status, body.to_string())
}

pub(crate) fn with_json(status: StatusCode, body: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}

pub(crate) fn answer<T: Serialize>(status: StatusCode, result: Result<T, OfficeError>) -> Response {
    match result {
        Ok(value) => match serde_json::to_string(&value) {
            Ok(body) => with_json(status, body),
            Err(e) => error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unwritable",
                &e.to_string(),
            ),
        },
        Err(refused) => refusal(&refused),
    }
}

pub(crate) fn refusal(refused: &OfficeError) -> Response {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let code = match refused {
        OfficeError::NotFound(_) => "not_found",
        OfficeError::Conflict(_) => "conflict",
        OfficeError::Invalid(_) => "invalid",
        OfficeError::Unavailable(_) => "unavailable",
    };
    error(status, code, &refused.to_string())
}

pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, OfficeError> {
    serde_json::from_slice(body).map_err(|e| OfficeError::Invalid(format!("malformed body: {e}")))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFor {
    account: String,
}

async fn open_account<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.open_account(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn accounts<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.accounts().await)
}

async fn terms<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.terms(&id).await)
}

async fn agree<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(agreement) => answer(StatusCode::OK, office.agree(&id, agreement).await),
        Err(refused) => refusal(&refused),
    }
}

async fn link<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::OK, office.link(&id, new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn declare<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(purposes) => answer(StatusCode::OK, office.declare(&id, purposes).await),
        Err(refused) => refusal(&refused),
    }
}

async fn create_key<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read::<KeyFor>(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.create_key(&new.account).await),
        Err(refused) => refusal(&refused),
    }
}

async fn keys<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.keys().await)
}

async fn revoke_key<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.revoke_key(&id).await)
}

async fn propose<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.propose(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn cases<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.cases().await)
}

async fn case<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.case(&id).await)
}

async fn step<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(step) => answer(StatusCode::OK, office.step(&id, step).await),
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

async fn detect<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.detect().await)
}

async fn findings<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.findings(None).await)
}

async fn findings_about<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
) -> Response {
    answer(StatusCode::OK, office.findings(Some(&id)).await)
}

async fn calibrate<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.calibrate().await)
}

async fn checkpoint<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.checkpoint().await)
}

async fn make_sketch<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::OK, office.make_sketch(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn try_sketch<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(asked) => answer(StatusCode::OK, office.try_sketch(asked).await),
        Err(refused) => refusal(&refused),
    }
}

async fn activate_sketch<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(activation) => answer(StatusCode::OK, office.activate_sketch(activation).await),
        Err(refused) => refusal(&refused),
    }
}

async fn campaigns<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.campaigns().await)
}

async fn expire_campaign<O: Office>(
    State(office): State<Arc<O>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    match read::<Ending>(&body) {
        Ok(ending) => answer(
            StatusCode::OK,
            office.expire_campaign(&name, &ending.by).await,
        ),
        Err(refused) => refusal(&refused),
    }
}

async fn erase<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::OK, office.erase(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn place_hold<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(new) => answer(StatusCode::CREATED, office.place_hold(new).await),
        Err(refused) => refusal(&refused),
    }
}

async fn holds<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.holds().await)
}

async fn release_hold<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read::<Release>(&body) {
        Ok(release) => answer(StatusCode::OK, office.release_hold(&id, &release.by).await),
        Err(refused) => refusal(&refused),
    }
}

async fn let_go<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read(&body) {
        Ok(asked) => answer(StatusCode::OK, office.let_go(asked).await),
        Err(refused) => refusal(&refused),
    }
}

async fn read_bodies<O: Office>(
    State(office): State<Arc<O>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(reading) => answer(StatusCode::OK, office.read_bodies(&id, reading).await),
        Err(refused) => refusal(&refused),
    }
}
