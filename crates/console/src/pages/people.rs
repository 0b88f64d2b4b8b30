//! The routes of the pages for people.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::frame::{Pages, file, guard, guard_staff, with_data};
use super::portal as own;
use super::{acts, house, issuer, queue, settings, sign_in, subject, work};
use crate::caseroom::Caseroom;
use crate::door::Door;

/// The console: pages for people who work here, reached at the door's origin.
pub fn console<O: Caseroom>(office: Arc<O>, door: Arc<Door>) -> Router {
    let pages = Pages { office, door };
    let router = Router::new()
        .merge(doors())
        .merge(casework())
        .merge(houses())
        .route("/static/{name}", get(file))
        .layer(from_fn_with_state(pages.clone(), guard_staff::<O>))
        .with_state(pages);
    with_data(router)
}

fn doors<O: Caseroom>() -> Router<Pages<O>> {
    Router::new()
        .route("/", get(house::home))
        .route("/sign-in", get(sign_in::page::<O>))
        .route("/sign-in/oidc", get(issuer::sign_in::<O>))
        .route("/sign-in/oidc/callback", get(issuer::back::<O>))
        .route("/sign-in/{token}/oidc", get(issuer::invited::<O>))
        .route("/settings/oidc", get(issuer::link::<O>))
        .route("/sign-in/challenge", post(sign_in::challenge::<O>))
        .route("/sign-in/passkey", post(sign_in::passkey::<O>))
        .route(
            "/sign-in/{token}",
            get(sign_in::invited::<O>).post(sign_in::accept::<O>),
        )
        .route("/sign-out", post(sign_in::out::<O>))
        .route("/settings", get(settings::page::<O>))
        .route(
            "/settings/passkeys/challenge",
            post(settings::challenge::<O>),
        )
        .route("/settings/passkeys", post(settings::register::<O>))
        .route("/settings/passkeys/link", post(settings::link::<O>))
        .route("/settings/passkeys/remove", post(settings::remove::<O>))
        .route("/settings/sign-out-others", post(settings::others::<O>))
        .route("/settings/people", post(settings::invite::<O>))
        .route("/settings/people/end", post(settings::end::<O>))
        .route("/settings/keys/revoke", post(settings::revoke::<O>))
}

fn casework<O: Caseroom>() -> Router<Pages<O>> {
    Router::new()
        .route("/queue", get(queue::page::<O>).post(queue::many::<O>))
        .route("/held", get(work::held::<O>))
        .route("/held/{id}/undo", post(work::undo::<O>))
        .route("/cases", post(subject::open::<O>))
        .route("/cases/{id}", get(work::page::<O>).post(acts::decide::<O>))
        .route("/cases/{id}/claim", post(work::claim::<O>))
        .route("/cases/{id}/unclaim", post(work::unclaim::<O>))
        .route("/cases/{id}/evidence.zip", get(work::bundle::<O>))
        .route("/cases/{id}/files/{sha256}", get(work::attached::<O>))
        .route("/cases/{id}/cluster", get(subject::of_case::<O>))
        .route(
            "/clusters",
            get(subject::clusters::<O>).post(subject::look::<O>),
        )
        .route("/clusters/{id}", get(subject::cluster::<O>))
        .route("/findings", get(subject::findings::<O>))
        .route("/accounts", get(subject::list::<O>))
        .route("/accounts/{id}", get(subject::page::<O>))
        .route("/exchanges/{id}/read", post(subject::read::<O>))
}

fn houses<O: Caseroom>() -> Router<Pages<O>> {
    Router::new()
        .route("/rules", get(house::rules::<O>))
        .route("/rules/shadow", post(house::shadow::<O>))
        .route("/rules/shadow/end", post(house::end_shadow::<O>))
        .route("/ledger", get(house::ledger::<O>))
        .route("/statistics", get(house::statistics::<O>))
        .route("/audit", get(house::audit::<O>))
        .route("/help", get(house::help))
}

/// The portal: a customer's own pages, below `/fairhold/portal`.
pub fn portal<O: Caseroom>(office: Arc<O>, door: Arc<Door>) -> Router {
    let pages = Pages { office, door };
    let router = Router::new()
        .route("/fairhold/portal", get(own::home::<O>))
        .route(
            "/fairhold/portal/sign-in",
            get(own::sign_in).post(own::exchange::<O>),
        )
        .route(
            "/fairhold/portal/sign-in/{token}",
            get(own::invited::<O>).post(own::accept::<O>),
        )
        .route("/fairhold/portal/sign-out", post(own::out::<O>))
        .route(
            "/fairhold/portal/cases/{id}",
            get(own::case::<O>).post(own::step::<O>),
        )
        .route(
            "/fairhold/portal/cases/{id}/evidence.zip",
            get(own::bundle::<O>),
        )
        .route(
            "/fairhold/portal/cases/{id}/files/{sha256}",
            get(own::attached::<O>),
        )
        .route("/fairhold/portal/static/{name}", get(file))
        .layer(DefaultBodyLimit::max(own::FILES_BYTES_MAX))
        .layer(from_fn_with_state(pages.clone(), guard::<O>))
        .with_state(pages);
    with_data(router)
}
