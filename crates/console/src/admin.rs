//! The admin API: JSON for whoever holds the running server's token.

mod casework;
mod notices;
mod people;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::access::Open;
use crate::api::{Api, Caller, told};
use crate::calibration::CalibrationView;
use crate::campaigns::{
    Activation, ActivationView, CampaignView, Ending, NewSketch, SketchAsked, SketchFile, TrialView,
};
use crate::custody::{
    BodyView, ErasureView, HoldView, NewErasure, NewHold, Reading, Release, RetentionAsked,
    RetentionView,
};
use crate::detection::DetectionView;
use crate::findings::FindingsView;
use crate::office::{
    AccountView, CheckpointView, KeyView, LinksView, NewAccount, NewKey, NewLinks, Office,
    OfficeError,
};
use crate::overview::{ClusterLine, ClusterView, OverviewView};
use crate::terms::TermsView;
use crate::{audit_log, credentials, ledger};
pub(crate) use casework::download;

/// The largest body that an admin call may have: its largest is a case's text.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Routes under `/admin` and the audit log, open to `Authorization: Bearer TOKEN`: the operator's
/// token, or that of somebody who works here and whose role allows it.
pub fn admin<O: Office>(office: Arc<O>, token: &str) -> Router {
    let door = Arc::new(Door {
        token: token.to_owned(),
        office: Arc::clone(&office),
    });
    routes(Api::new())
        .into_router()
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(door, only_with_token))
        .with_state(office)
}

/// The operations of the admin API, with who may call them.
pub(crate) fn routes<O: Office>(api: Api<O>) -> Api<O> {
    let api = directory(api);
    let api = people::routes(api);
    let api = casework::routes(api);
    let api = notices::routes(api);
    let api = detecting(api);
    ledger::admin(custody(api))
}

fn keys_of<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Administration, Staff};
    api.on(
        "post",
        "/admin/keys",
        post(create_key::<O>),
        told::<NewKey>("Make a key; its secret is shown once")
            .takes::<KeyFor>()
            .created()
            .open_to(Administration),
    )
    .on(
        "get",
        "/admin/keys",
        get(keys::<O>),
        told::<Vec<KeyView>>("Every key, without secrets").open_to(Staff),
    )
    .on(
        "post",
        "/admin/keys/{id}/revoke",
        post(revoke_key::<O>),
        told::<KeyView>("Revoke a key").open_to(Administration),
    )
}

fn directory<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Administration, Staff};
    keys_of(api)
        .on(
            "post",
            "/admin/accounts",
            post(open_account::<O>),
            told::<AccountView>("Open an account")
                .takes::<NewAccount>()
                .created()
                .open_to(Administration),
        )
        .on(
            "get",
            "/admin/accounts",
            get(accounts::<O>),
            told::<Vec<AccountView>>("Every account").open_to(Staff),
        )
        .on(
            "get",
            "/admin/accounts/{id}",
            get(overview::<O>),
            told::<OverviewView>("An account at a glance").open_to(Staff),
        )
        .on(
            "get",
            "/admin/accounts/{id}/terms",
            get(terms::<O>),
            told::<TermsView>("The terms that bind an account").open_to(Staff),
        )
        .on(
            "put",
            "/admin/accounts/{id}/terms",
            put(agree::<O>),
            told::<TermsView>("Replace what was agreed with an account")
                .takes::<Value>()
                .open_to(Administration),
        )
        .on(
            "post",
            "/admin/accounts/{id}/links",
            post(link::<O>),
            told::<LinksView>("Record tokens that may link an account to others")
                .takes::<NewLinks>()
                .open_to(Administration),
        )
        .on(
            "put",
            "/admin/projects/{id}/purposes",
            put(declare::<O>),
            told::<Vec<String>>("Declare a project's purposes anew")
                .takes::<Vec<String>>()
                .open_to(Administration),
        )
        .on(
            "get",
            "/v1/organization/audit_logs",
            get(audit_log::all::<O>),
            audit_log::told_of("The audit log, newest first").open_to(Staff),
        )
}

fn known<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Casework, Operator, Staff};
    api.on(
        "post",
        "/admin/campaigns",
        post(activate_sketch::<O>),
        told::<ActivationView>("Let a known campaign act")
            .takes::<Activation>()
            .open_to(Operator),
    )
    .on(
        "get",
        "/admin/campaigns",
        get(campaigns::<O>),
        told::<Vec<CampaignView>>("Every campaign that was ever activated").open_to(Staff),
    )
    .on(
        "post",
        "/admin/campaigns/make",
        post(make_sketch::<O>),
        told::<SketchFile>("Make and sign the sketch of a campaign")
            .takes::<NewSketch>()
            .open_to(Operator),
    )
    .on(
        "post",
        "/admin/campaigns/test",
        post(try_sketch::<O>),
        told::<TrialView>("Try a sketch on cleared accounts")
            .takes::<SketchAsked>()
            .open_to(Casework),
    )
    .on(
        "post",
        "/admin/campaigns/{name}/expire",
        post(expire_campaign::<O>),
        told::<CampaignView>("End a campaign")
            .takes::<Ending>()
            .open_to(Operator),
    )
}

fn detecting<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Administration, Casework, Staff};
    known(api)
        .on(
            "post",
            "/admin/detect",
            post(detect::<O>),
            told::<DetectionView>("Look for rings in what was recorded").open_to(Casework),
        )
        .on(
            "get",
            "/admin/clusters",
            get(clusters::<O>),
            told::<Vec<ClusterLine>>("Gatherings that detection found last").open_to(Staff),
        )
        .on(
            "get",
            "/admin/clusters/{id}",
            get(cluster::<O>),
            told::<ClusterView>("One gathering").open_to(Staff),
        )
        .on(
            "post",
            "/admin/calibrate",
            post(calibrate::<O>),
            told::<CalibrationView>("Calibrate on the store's own accounts")
                .open_to(Administration),
        )
        .on(
            "get",
            "/admin/findings",
            get(findings::<O>),
            told::<FindingsView>("What the watch has found").open_to(Staff),
        )
        .on(
            "get",
            "/admin/accounts/{id}/findings",
            get(findings_about::<O>),
            told::<FindingsView>("What the watch has found about an account").open_to(Staff),
        )
}

fn custody<O: Office>(api: Api<O>) -> Api<O> {
    use Open::{Operator, Staff};
    api.on(
        "post",
        "/admin/erasures",
        post(erase::<O>),
        told::<ErasureView>("Make what was sent and got unreadable, for good")
            .takes::<NewErasure>()
            .open_to(Operator),
    )
    .on(
        "post",
        "/admin/holds",
        post(place_hold::<O>),
        told::<HoldView>("Place a legal hold")
            .takes::<NewHold>()
            .created()
            .open_to(Operator),
    )
    .on(
        "get",
        "/admin/holds",
        get(holds::<O>),
        told::<Vec<HoldView>>("Every legal hold").open_to(Staff),
    )
    .on(
        "post",
        "/admin/holds/{id}/release",
        post(release_hold::<O>),
        told::<HoldView>("End a legal hold")
            .takes::<Release>()
            .open_to(Operator),
    )
    .on(
        "post",
        "/admin/retention",
        post(let_go::<O>),
        told::<RetentionView>("Let go of bodies whose time is over")
            .takes::<RetentionAsked>()
            .open_to(Operator),
    )
    .on(
        "post",
        "/admin/exchanges/{id}/bodies",
        post(read_bodies::<O>),
        told::<Vec<BodyView>>("Read the bodies of an exchange; that is recorded first")
            .takes::<Reading>()
            .open_to(Open::Casework),
    )
    .on(
        "get",
        "/admin/checkpoint",
        get(checkpoint::<O>),
        told::<CheckpointView>("Seal and sign what is recorded now").open_to(Staff),
    )
}

/// Who opens the admin API.
struct Door<O> {
    token: String,
    office: Arc<O>,
}

async fn only_with_token<O: Office>(
    State(door): State<Arc<Door<O>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = if credentials::carries(request.headers(), &door.token) {
        Some(Caller::Operator)
    } else {
        let secret = credentials::secret(request.headers());
        let known = secret.and_then(|secret| door.office.colleague(&secret));
        known.map(Caller::Colleague)
    };
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    error(
        StatusCode::UNAUTHORIZED,
        "invalid_admin_token",
        "send `Authorization: Bearer TOKEN` with the token of run.json in the data folder, or your own of people.toml",
    )
}

/// Whether this caller may act under that name: a colleague in their own only.
pub(crate) fn in_own_name(caller: &Caller, by: &str) -> Result<(), OfficeError> {
    match caller {
        Caller::Operator => Ok(()),
        Caller::Colleague(colleague) if colleague.name == by => Ok(()),
        Caller::Colleague(colleague) => Err(OfficeError::Forbidden(format!(
            "your token is that of `{}`: act in your own name",
            colleague.name
        ))),
    }
}

pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response {
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
        OfficeError::Forbidden(_) => "forbidden",
    };
    error(status, code, &refused.to_string())
}

pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, OfficeError> {
    serde_json::from_slice(body).map_err(|e| OfficeError::Invalid(format!("malformed body: {e}")))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
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

async fn overview<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.overview(&id).await)
}

async fn clusters<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.clusters().await)
}

async fn cluster<O: Office>(State(office): State<Arc<O>>, Path(id): Path<String>) -> Response {
    answer(StatusCode::OK, office.cluster(&id).await)
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
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let reading = read::<Reading>(&body);
    match reading.and_then(|r| in_own_name(&caller, &r.by).map(|()| r)) {
        Ok(reading) => answer(StatusCode::OK, office.read_bodies(&id, reading).await),
        Err(refused) => refusal(&refused),
    }
}
