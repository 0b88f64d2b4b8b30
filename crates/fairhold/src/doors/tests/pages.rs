//! Every page of the console and of the portal, asked for by everybody: what
//! the routers have and the table has not does not pass.

use console::{console_routes, portal_routes};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use store::{PersonRow, SignInRow, Whose};

use super::*;
use crate::settings::ConsoleAt;

/// Who may ask for a page.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Page {
    /// Everybody: it signs somebody in, or shows nothing of anybody.
    Everybody,
    /// All who work here.
    Staff,
    /// Reviewers and approvers.
    Casework,
    /// All who work here but auditors.
    Acting,
    /// Administrators.
    Administration,
    /// All who work here may send it; the case refuses who may not take the step.
    Step,
    /// Customers, who see their own.
    Own,
    /// Customers, who see nothing of another's.
    Tenant,
}

use Page::{Acting, Everybody, Step as Steps};

const CONSOLE: &[(&str, Page)] = &[
    ("get /sign-in", Everybody),
    ("get /sign-in/oidc", Everybody),
    ("get /sign-in/oidc/callback", Everybody),
    ("get /sign-in/{token}", Everybody),
    ("get /sign-in/{token}/oidc", Everybody),
    ("post /sign-in/{token}", Everybody),
    ("post /sign-in/challenge", Everybody),
    ("post /sign-in/passkey", Everybody),
    ("get /static/{name}", Everybody),
    ("get /", Page::Staff),
    ("post /sign-out", Page::Staff),
    ("get /settings", Page::Staff),
    ("get /settings/oidc", Page::Staff),
    ("post /settings/passkeys", Page::Staff),
    ("post /settings/passkeys/challenge", Page::Staff),
    ("post /settings/passkeys/link", Page::Staff),
    ("post /settings/passkeys/remove", Page::Staff),
    ("post /settings/sign-out-others", Page::Staff),
    ("post /settings/people", Page::Administration),
    ("post /settings/people/end", Page::Administration),
    ("post /settings/keys/revoke", Page::Administration),
    ("get /queue", Page::Staff),
    ("post /queue", Page::Casework),
    ("get /held", Page::Staff),
    ("post /held/{id}/undo", Page::Casework),
    ("post /cases", Page::Casework),
    ("get /cases/{id}", Page::Staff),
    ("post /cases/{id}", Steps),
    ("post /cases/{id}/claim", Page::Casework),
    ("post /cases/{id}/unclaim", Page::Casework),
    ("get /cases/{id}/cluster", Page::Staff),
    ("get /cases/{id}/evidence.zip", Page::Staff),
    ("get /cases/{id}/files/{sha256}", Page::Staff),
    ("get /clusters", Page::Staff),
    ("post /clusters", Page::Casework),
    ("get /clusters/{id}", Page::Staff),
    ("get /findings", Page::Staff),
    ("get /accounts", Page::Staff),
    ("get /accounts/{id}", Page::Staff),
    ("post /exchanges/{id}/read", Page::Casework),
    ("get /rules", Page::Staff),
    ("post /rules/shadow", Acting),
    ("post /rules/shadow/end", Acting),
    ("get /ledger", Page::Staff),
    ("get /statistics", Page::Staff),
    ("get /audit", Page::Staff),
    ("get /help", Page::Staff),
];

const PORTAL: &[(&str, Page)] = &[
    ("get /fairhold/portal", Page::Own),
    ("get /fairhold/portal/sign-in", Everybody),
    ("post /fairhold/portal/sign-in", Everybody),
    ("get /fairhold/portal/sign-in/{token}", Everybody),
    ("post /fairhold/portal/sign-in/{token}", Everybody),
    ("get /fairhold/portal/static/{name}", Everybody),
    ("post /fairhold/portal/sign-out", Page::Own),
    ("get /fairhold/portal/cases/{id}", Page::Tenant),
    ("post /fairhold/portal/cases/{id}", Page::Tenant),
    ("get /fairhold/portal/cases/{id}/evidence.zip", Page::Tenant),
    (
        "get /fairhold/portal/cases/{id}/files/{sha256}",
        Page::Tenant,
    ),
];

impl Page {
    fn allows(self, role: Role) -> bool {
        let works = matches!(role, Role::Reviewer | Role::Approver);
        match self {
            Everybody | Page::Staff | Steps => true,
            Page::Casework => works,
            Acting => works || role == Role::Administrator,
            Page::Administration => role == Role::Administrator,
            Page::Own | Page::Tenant => false,
        }
    }
}

fn named(routes: Vec<(&'static str, &'static str)>) -> BTreeSet<String> {
    let each = routes.into_iter();
    each.map(|(method, path)| format!("{method} {path}"))
        .collect()
}

#[track_caller]
fn complete(table: &[(&str, Page)], routes: &BTreeSet<String>) {
    let known: BTreeSet<String> = table.iter().map(|(o, _)| (*o).to_owned()).collect();
    assert_eq!(*routes, known);
    assert_eq!(known.len(), table.len(), "one is there twice");
}

#[test]
fn no_page_is_missing_from_the_table() {
    complete(CONSOLE, &named(console_routes::<LocalOffice>()));
    complete(PORTAL, &named(portal_routes::<LocalOffice>()));
}

/// Somebody at the door.
#[derive(Clone)]
struct Visitor {
    cookie: String,
    csrf: String,
}

impl Visitor {
    fn nobody() -> Self {
        Self {
            cookie: String::new(),
            csrf: String::new(),
        }
    }

    fn with(cookie: &str, token: &str) -> Self {
        let csrf = Sha256::new().chain_update(b"csrf\0").chain_update(token);
        Self {
            cookie: format!("{cookie}={token}"),
            csrf: hex::encode(csrf.finalize()),
        }
    }
}

struct Said {
    status: StatusCode,
    to: String,
    body: String,
}

impl Served {
    /// Signs somebody in; each request has a sign-in of its own, because some end it.
    async fn signed_in(&self, whose: Whose, how: &str) -> String {
        let token = hex::encode(store::random::<32>().unwrap());
        let row = SignInRow {
            digest: hex::encode(Sha256::digest(&token)),
            whose,
            how: how.to_owned(),
            created_at: SystemClock.now(),
            seen_at: SystemClock.now(),
        };
        let database = self.house.keeper.database();
        database
            .keep_sign_in(&row, facts::Timestamp(0))
            .await
            .unwrap();
        token
    }

    async fn staff(&self, role: Role) -> Visitor {
        let whose = Whose::Person(role.word().to_owned());
        Visitor::with("fairhold-staff", &self.signed_in(whose, "passkey").await)
    }

    async fn customer(&self, account: &str) -> Visitor {
        let whose = Whose::Account(account.to_owned());
        Visitor::with("fairhold-customer", &self.signed_in(whose, "key").await)
    }

    async fn hires(&self) {
        for role in Role::ALL {
            let row = PersonRow {
                name: role.word().to_owned(),
                role: role.word().to_owned(),
                identity: role.word().to_owned(),
                invited_by: "operator".to_owned(),
                created_at: SystemClock.now(),
                ended_at: None,
            };
            let kept = self.house.keeper.database().keep_person(&row).await;
            kept.unwrap();
        }
    }

    fn page(&self, path: &str) -> String {
        let id = if path.contains("/cases/") {
            &self.case
        } else if path.starts_with("/accounts/") {
            "victim"
        } else if path.starts_with("/exchanges/") {
            "x1"
        } else {
            "none"
        };
        path.replace("{id}", id)
            .replace("{sha256}", &"0".repeat(64))
            .replace("{token}", &"0".repeat(64))
            .replace("{name}", "console.css")
    }

    async fn visit(&self, route: &str, who: &Visitor, form: &str) -> Said {
        let (method, path) = route.split_once(' ').unwrap();
        let at = if path.starts_with("/fairhold/") {
            format!("http://{}", self.running.gateway)
        } else {
            self.running.console.clone()
        };
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(format!("{at}{}", self.page(path)))
            .header("cookie", &who.cookie);
        let body = if method == "get" {
            String::new()
        } else if route.starts_with("post /fairhold/portal/cases") {
            let fields = [
                ("csrf", who.csrf.as_str()),
                ("act", "evidence"),
                ("text", "so"),
            ];
            let part = |(name, value): (&str, &str)| {
                format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            request = request.header("content-type", "multipart/form-data; boundary=b");
            fields.map(part).concat() + "--b--\r\n"
        } else {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            format!("csrf={}&{form}", who.csrf)
        };
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let answer = caller().request(request).await.unwrap();
        let to = answer.headers().get("location");
        let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Said {
            status,
            to,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// Enough of a form that only who sends it is left to be refused.
fn form(route: &str) -> &'static str {
    match route {
        "post /cases/{id}" => "act=dismiss&clause=t%2F1&reason=so",
        "post /queue" => "act=claim&case=none",
        "post /exchanges/{id}/read" => "reason=to+see",
        _ => "name=none&id=none&what=level&value=0.05&days=7&reason=so",
    }
}

const REFUSED: [StatusCode; 2] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];

/// Whoever does not work here is sent to the door.
async fn strangers_at_the_console(served: &Served, route: &str, may: Page) {
    let customer = served.customer("victim").await;
    // A customer's sign-in under the staff's name, one that is none, and no cookie.
    let renamed = customer.cookie.replace("customer", "staff");
    let renamed = Visitor {
        cookie: renamed,
        ..customer.clone()
    };
    let forged = Visitor::with("fairhold-staff", &"0".repeat(64));
    for (who, visitor) in [
        ("nobody", Visitor::nobody()),
        ("a customer", customer),
        ("a renamed cookie", renamed),
        ("a forged cookie", forged),
    ] {
        if may == Everybody && who != "nobody" {
            continue;
        }
        let said = served.visit(route, &visitor, form(route)).await;
        let sent_away = said.status == StatusCode::SEE_OTHER && said.to == "/sign-in";
        assert_eq!(
            sent_away,
            may != Everybody,
            "{route} as {who}: {}",
            said.status
        );
        assert!(!said.body.contains("victim"), "{route} told {who}");
    }
}

/// Whoever works here is let in or refused by their role; a form of another site is always refused.
async fn a_role_at_the_console(served: &Served, (route, may): (&str, Page), role: Role) {
    let visitor = served.staff(role).await;
    let said = served.visit(route, &visitor, form(route)).await;
    let refused = REFUSED.contains(&said.status);
    assert_eq!(
        refused,
        !may.allows(role),
        "{route} as {role:?}: {} {}",
        said.status,
        said.body
    );
    assert_ne!(
        said.to,
        if route == "post /sign-out" {
            ""
        } else {
            "/sign-in"
        }
    );
    if may == Steps && role == Role::Auditor {
        assert!(
            said.status.is_client_error(),
            "{route} as {role:?}: {}",
            said.status
        );
    }
    if route.starts_with("post") {
        let csrf = "00".to_owned();
        let visitor = Visitor {
            csrf,
            ..served.staff(role).await
        };
        let said = served.visit(route, &visitor, form(route)).await;
        assert_eq!(
            said.status,
            StatusCode::FORBIDDEN,
            "{route} of another site"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_console_knows_who_may_ask_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.hires().await;
    for (route, may) in CONSOLE {
        strangers_at_the_console(&served, route, *may).await;
        if *may == Everybody {
            continue;
        }
        for role in Role::ALL {
            a_role_at_the_console(&served, (route, *may), role).await;
        }
    }
    let held = served.house.keeper.database().held_steps().await.unwrap();
    assert!(held.iter().all(|row| row.person != "auditor"), "{held:?}");
    served.running.stop().await;
    served.house.close().await;
}

/// Whoever is no customer is sent to the door.
async fn strangers_at_the_portal(served: &Served, route: &str, may: Page) {
    let staff = served.staff(Role::Approver).await;
    let renamed = Visitor {
        cookie: staff.cookie.replace("staff", "customer"),
        ..staff.clone()
    };
    for (who, visitor) in [
        ("nobody", Visitor::nobody()),
        ("staff", staff),
        ("a renamed cookie", renamed),
    ] {
        let said = served.visit(route, &visitor, "key=fh_live_none_none").await;
        let door = "/fairhold/portal/sign-in";
        let sent_away = said.status == StatusCode::SEE_OTHER && said.to == door;
        assert_eq!(
            sent_away,
            may != Everybody,
            "{route} as {who}: {}",
            said.status
        );
        assert!(!said.body.contains("victim"), "{route} told {who}");
    }
}

/// A customer finds its own, and nothing of another's.
async fn customers_at_the_portal(served: &Served, route: &str, may: Page) {
    let other = served.customer("other").await;
    let said = served.visit(route, &other, "").await;
    let missing = said.status == StatusCode::NOT_FOUND;
    assert_eq!(
        missing,
        may == Page::Tenant,
        "{route}: {} {}",
        said.status,
        said.body
    );
    assert!(!REFUSED.contains(&said.status), "{route}: {}", said.status);
    assert!(
        !said.body.contains("victim"),
        "{route} told another's: {}",
        said.body
    );
    let own = served.customer("victim").await;
    let said = served.visit(route, &own, "").await;
    let there = said.status != StatusCode::NOT_FOUND;
    assert_eq!(
        there,
        !route.contains("{sha256}"),
        "{route}: {} {}",
        said.status,
        said.body
    );
    assert!(!REFUSED.contains(&said.status), "{route}: {}", said.status);
    if route.starts_with("post") {
        let visitor = Visitor {
            csrf: "00".to_owned(),
            ..served.customer("victim").await
        };
        let said = served.visit(route, &visitor, "").await;
        assert_eq!(
            said.status,
            StatusCode::FORBIDDEN,
            "{route} of another site"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_portal_shows_its_own_customer_only() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.hires().await;
    for (route, may) in PORTAL {
        strangers_at_the_portal(&served, route, *may).await;
        if *may != Everybody {
            customers_at_the_portal(&served, route, *may).await;
        }
    }
    served.running.stop().await;
    served.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_sign_in_gives_no_second_signature_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = At {
        console: ConsoleAt {
            proven: true,
            ..ConsoleAt::default()
        },
        ..At::default()
    };
    let served = Served::start_at(folder.path(), at).await;
    served.hires().await;
    for (how, signs) in [("invited", false), ("passkey", true)] {
        let whose = Whose::Person("approver".to_owned());
        let token = served.signed_in(whose, how).await;
        let visitor = Visitor::with("fairhold-staff", &token);
        let form = "act=approve&clause=t%2F1&reason=I+read+it";
        let said = served.visit("post /cases/{id}", &visitor, form).await;
        assert_eq!(
            said.status == StatusCode::SEE_OTHER,
            signs,
            "{how}: {}",
            said.body
        );
        let why = said.body.contains("proof of who you are");
        assert_eq!(why, !signs, "{how}: {}", said.body);
    }
    served.running.stop().await;
    served.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_noisy_customer_does_not_lock_out_another() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let from = |last: u8| {
        let mut http = HttpConnector::new();
        http.set_local_address(Some([127, 0, 0, last].into()));
        Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(http)
    };
    let place = format!("http://{}/fairhold/portal/sign-in", served.running.gateway);
    let tries = async |client: &Client<HttpConnector, Full<Bytes>>, key: &str| {
        let request = Request::post(&place)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(format!("key={key}"))))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status();
        answer.into_body().collect().await.unwrap();
        status.as_u16()
    };
    let [victim, other] = &served.keys;
    let (here, there) = (from(1), from(2));
    let mut noisy = Vec::new();
    for _ in 0..31 {
        noisy.push(tries(&here, "fh_live_noisy_guess").await);
    }
    assert_eq!(noisy.pop(), Some(429));
    assert!(noisy.iter().all(|status| *status == 403), "{noisy:?}");
    // Another one, behind the same address.
    assert_eq!(tries(&here, other).await, 303);
    for n in 0..300 {
        tries(&here, &format!("fh_live_{n}_guess")).await;
    }
    assert_eq!(tries(&here, other).await, 429);
    // And elsewhere, also as the one that was guessed at.
    for key in [other, victim] {
        assert_eq!(tries(&there, key).await, 303);
    }
    served.running.stop().await;
    served.house.close().await;
}
