//! The routes of the pages for people: one table, that makes the router and
//! says what there is, so that no page is forgotten where all are asked about.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::frame::{Pages, file, guard, guard_staff, with_data};
use super::portal as own;
use super::{acts, house, issuer, queue, settings, sign_in, subject, work};
use crate::caseroom::Caseroom;
use crate::door::Door;

/// Routes with their names.
struct Paths<O> {
    all: Vec<(&'static str, &'static str)>,
    router: Router<Pages<O>>,
}

impl<O: Caseroom> Paths<O> {
    fn new() -> Self {
        Self {
            all: Vec::new(),
            router: Router::new(),
        }
    }

    fn on(mut self, method: &'static str, path: &'static str, how: MethodRouter<Pages<O>>) -> Self {
        self.all.push((method, path));
        self.router = self.router.route(path, how);
        self
    }

    fn get<T, H>(self, path: &'static str, page: H) -> Self
    where
        T: 'static,
        H: Handler<T, Pages<O>>,
    {
        self.on("get", path, get(page))
    }

    fn post<T, H>(self, path: &'static str, act: H) -> Self
    where
        T: 'static,
        H: Handler<T, Pages<O>>,
    {
        self.on("post", path, post(act))
    }
}

/// The console: pages for people who work here, reached at the door's origin.
pub fn console<O: Caseroom>(office: Arc<O>, door: Arc<Door>) -> Router {
    let pages = Pages { office, door };
    let router = of_console()
        .router
        .layer(from_fn_with_state(pages.clone(), guard_staff::<O>))
        .with_state(pages);
    with_data(router)
}

/// Every route of the console, as method and path.
pub fn console_routes<O: Caseroom>() -> Vec<(&'static str, &'static str)> {
    of_console::<O>().all
}

/// Every route of the portal, as method and path.
pub fn portal_routes<O: Caseroom>() -> Vec<(&'static str, &'static str)> {
    of_portal::<O>().all
}

fn of_console<O: Caseroom>() -> Paths<O> {
    houses(casework(doors(Paths::new()))).get("/static/{name}", file)
}

fn doors<O: Caseroom>(paths: Paths<O>) -> Paths<O> {
    paths
        .get("/", house::home)
        .get("/sign-in", sign_in::page::<O>)
        .get("/sign-in/oidc", issuer::sign_in::<O>)
        .get("/sign-in/oidc/callback", issuer::back::<O>)
        .get("/sign-in/{token}/oidc", issuer::invited::<O>)
        .get("/settings/oidc", issuer::link::<O>)
        .post("/sign-in/challenge", sign_in::challenge::<O>)
        .post("/sign-in/passkey", sign_in::passkey::<O>)
        .get("/sign-in/{token}", sign_in::invited::<O>)
        .post("/sign-in/{token}", sign_in::accept::<O>)
        .post("/sign-out", sign_in::out::<O>)
        .get("/settings", settings::page::<O>)
        .post("/settings/passkeys/challenge", settings::challenge::<O>)
        .post("/settings/passkeys", settings::register::<O>)
        .post("/settings/passkeys/link", settings::link::<O>)
        .post("/settings/passkeys/remove", settings::remove::<O>)
        .post("/settings/sign-out-others", settings::others::<O>)
        .post("/settings/people", settings::invite::<O>)
        .post("/settings/people/end", settings::end::<O>)
        .post("/settings/keys/revoke", settings::revoke::<O>)
}

fn casework<O: Caseroom>(paths: Paths<O>) -> Paths<O> {
    paths
        .get("/queue", queue::page::<O>)
        .post("/queue", queue::many::<O>)
        .get("/held", work::held::<O>)
        .post("/held/{id}/undo", work::undo::<O>)
        .post("/cases", subject::open::<O>)
        .get("/cases/{id}", work::page::<O>)
        .post("/cases/{id}", acts::decide::<O>)
        .post("/cases/{id}/claim", work::claim::<O>)
        .post("/cases/{id}/unclaim", work::unclaim::<O>)
        .get("/cases/{id}/evidence.zip", work::bundle::<O>)
        .get("/cases/{id}/files/{sha256}", work::attached::<O>)
        .get("/cases/{id}/cluster", subject::of_case::<O>)
        .get("/clusters", subject::clusters::<O>)
        .post("/clusters", subject::look::<O>)
        .get("/clusters/{id}", subject::cluster::<O>)
        .get("/findings", subject::findings::<O>)
        .get("/accounts", subject::list::<O>)
        .get("/accounts/{id}", subject::page::<O>)
        .post("/exchanges/{id}/read", subject::read::<O>)
}

fn houses<O: Caseroom>(paths: Paths<O>) -> Paths<O> {
    paths
        .get("/rules", house::rules::<O>)
        .post("/rules/shadow", house::shadow::<O>)
        .post("/rules/shadow/end", house::end_shadow::<O>)
        .get("/ledger", house::ledger::<O>)
        .get("/statistics", house::statistics::<O>)
        .get("/audit", house::audit::<O>)
        .get("/help", house::help)
}

/// The portal: a customer's own pages, below `/fairhold/portal`.
pub fn portal<O: Caseroom>(office: Arc<O>, door: Arc<Door>) -> Router {
    let pages = Pages { office, door };
    let router = of_portal()
        .router
        .layer(DefaultBodyLimit::max(own::FILES_BYTES_MAX))
        .layer(from_fn_with_state(pages.clone(), guard::<O>))
        .with_state(pages);
    with_data(router)
}

fn of_portal<O: Caseroom>() -> Paths<O> {
    Paths::new()
        .get("/fairhold/portal", own::home::<O>)
        .get("/fairhold/portal/sign-in", own::sign_in)
        .post("/fairhold/portal/sign-in", own::exchange::<O>)
        .get("/fairhold/portal/sign-in/{token}", own::invited::<O>)
        .post("/fairhold/portal/sign-in/{token}", own::accept::<O>)
        .post("/fairhold/portal/sign-out", own::out::<O>)
        .get("/fairhold/portal/cases/{id}", own::case::<O>)
        .post("/fairhold/portal/cases/{id}", own::step::<O>)
        .get("/fairhold/portal/cases/{id}/evidence.zip", own::bundle::<O>)
        .get(
            "/fairhold/portal/cases/{id}/files/{sha256}",
            own::attached::<O>,
        )
        .get("/fairhold/portal/static/{name}", file)
}
