use super::*;
use crate::commands::serve::{At, Running};
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::settings::ConsoleAt;
use console::{NewInvite, Office as _};
use hyper::StatusCode;

mod provider;

use provider::{CLIENT, Fault, Provider, SECRET};

const CONFIG: &str =
    "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"m\"]\n";

struct Served {
    provider: Provider,
    house: House,
    running: Running,
    office: LocalOffice,
}

/// What a browser keeps and sends.
#[derive(Default)]
struct Browser {
    cookies: std::collections::BTreeMap<String, String>,
}

struct Page {
    status: StatusCode,
    to: String,
    body: String,
}

impl Browser {
    async fn ask(&mut self, served: &Served, method: &str, path: &str) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", served.running.console))
            .header("cookie", cookies.join("; "))
            .body(Full::new(Bytes::new()))
            .unwrap();
        let answer = caller().request(request).await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly"), "{set}");
            let (name, rest) = set.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|v| v.to_str().unwrap().to_owned())
        };
        let to = header("location").or(header("refresh")).unwrap_or_default();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Page {
            status,
            to,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Leaves for the issuer by `path` and comes back as whoever sits there.
    async fn travel(&mut self, served: &Served, path: &str) -> Page {
        let away = self.ask(served, "GET", path).await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.body);
        let back = served.provider.authorise(&away.to);
        self.ask(served, "GET", &back).await
    }

    async fn inside(&mut self, served: &Served) -> bool {
        self.ask(served, "GET", "/queue").await.status == StatusCode::OK
    }
}

impl Served {
    async fn start(folder: &std::path::Path, required: bool) -> Self {
        let provider = Provider::start().await;
        let house = House::open(folder, Plan::at_rest()).await.unwrap();
        let office = LocalOffice::of(&house);
        let oidc = IssuerTerms {
            url: provider.url.clone(),
            called: "Example".to_owned(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SECRET.to_owned()),
            shown: Shown::Email,
            required,
        };
        let at = At {
            console: ConsoleAt {
                oidc: Some(oidc),
                ..ConsoleAt::default()
            },
            ..At::default()
        };
        let config = gateway::Config::parse(CONFIG).unwrap();
        let none = gateway::Recordings::default();
        let running = Running::start_at(&house, config, none, at).await.unwrap();
        Self {
            provider,
            house,
            running,
            office,
        }
    }

    async fn invite(&self, name: &str, change: impl FnOnce(&mut NewInvite)) -> String {
        let mut new = NewInvite {
            name: Some(name.to_owned()),
            role: Some("approver".to_owned()),
            by: "operator".to_owned(),
            ..NewInvite::default()
        };
        change(&mut new);
        self.office.invite(new).await.unwrap().path
    }

    async fn identity(&self, name: &str) -> String {
        let people = self.office.people().await.unwrap();
        let found = people.into_iter().find(|person| person.name == name);
        found.unwrap().identity
    }

    async fn stop(self) {
        self.running.stop().await;
        // The house closes when nobody holds it any more.
        drop(self.office);
        self.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_was_invited_comes_in_and_by_the_same_subject_ever_after() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    let mut stranger = Browser::default();
    let page = stranger.travel(&served, "/sign-in/oidc").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("was not invited"), "{}", page.body);
    assert!(!stranger.inside(&served).await);

    let path = served.invite("ann", |_| {}).await;
    let mut ann = Browser::default();
    let page = ann.ask(&served, "GET", &path).await;
    assert!(page.body.contains("at Example"), "{}", page.body);
    let page = ann.travel(&served, &format!("{path}/oidc")).await;
    assert_eq!(
        (page.status, page.to.as_str()),
        (StatusCode::OK, "0; url=/queue?told=welcome")
    );
    assert!(ann.inside(&served).await);
    let again = Browser::default().ask(&served, "GET", &path).await;
    assert_eq!(again.status, StatusCode::GONE);

    // Whatever the issuer calls them by now, the subject is the same.
    served.provider.sits("u-ann", "other@corp.example", false);
    let mut later = Browser::default();
    later.travel(&served, "/sign-in/oidc").await;
    let page = later.ask(&served, "GET", "/settings").await;
    assert!(page.body.contains("other@corp.example"), "{}", page.body);
    served.office.end_person("ann", "operator").await.unwrap();
    assert!(!later.inside(&served).await);
    let page = later.travel(&served, "/sign-in/oidc").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("no longer"), "{}", page.body);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_of_the_issuer_that_does_not_hold_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    let identity = format!("{}#u-ann", served.provider.url);
    served
        .invite("ann", |new| new.identity = Some(identity))
        .await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    for fault in Fault::ALL {
        served.provider.breaks(Some(fault));
        let mut browser = Browser::default();
        let page = browser.travel(&served, "/sign-in/oidc").await;
        assert_eq!(
            page.status,
            StatusCode::FORBIDDEN,
            "{fault:?}: {}",
            page.body
        );
        assert!(!browser.inside(&served).await, "{fault:?}");
    }
    // The same person with nothing broken: it was the faults.
    served.provider.breaks(None);
    let mut browser = Browser::default();
    browser.travel(&served, "/sign-in/oidc").await;
    assert!(browser.inside(&served).await);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_in_the_browser_that_began_it_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    served
        .invite("ann", |new| new.oidc = Some("u-ann".to_owned()))
        .await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    let mut begun = Browser::default();
    let away = begun.ask(&served, "GET", "/sign-in/oidc").await;
    let back = served.provider.authorise(&away.to);
    // Without a cookie, and with that of a sign-in of one's own.
    let mut other = Browser::default();
    for _ in 0..2 {
        let page = other.ask(&served, "GET", &back).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.body.contains("did not begin"), "{}", page.body);
        assert!(!other.inside(&served).await);
        other.ask(&served, "GET", "/sign-in/oidc").await;
    }
    let kept = begun.cookies.clone();
    assert_eq!(
        begun.ask(&served, "GET", &back).await.status,
        StatusCode::OK
    );
    assert!(begun.inside(&served).await);
    let mut replayed = Browser { cookies: kept };
    let page = replayed.ask(&served, "GET", &back).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);

    // An answer of another issuer, and one of somebody who does not want to.
    for (more, said) in [
        ("&iss=https://evil.example", "does not hold"),
        ("&error=access_denied", "access_denied"),
    ] {
        let mut browser = Browser::default();
        let away = browser.ask(&served, "GET", "/sign-in/oidc").await;
        let back = served.provider.authorise(&away.to) + more;
        let page = browser.ask(&served, "GET", &back).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{more}");
        assert!(page.body.contains(said), "{more}: {}", page.body);
        assert!(!browser.inside(&served).await);
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_at_the_issuer_is_one_person_here_under_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    let (one, two) = (
        served.invite("ann", |_| {}).await,
        served.invite("ann-2", |_| {}).await,
    );
    assert_ne!(served.identity("ann").await, served.identity("ann-2").await);
    let mut browser = Browser::default();
    browser.travel(&served, &format!("{one}/oidc")).await;
    let mut second = Browser::default();
    second.travel(&served, &format!("{two}/oidc")).await;
    assert!(second.inside(&served).await);
    assert_eq!(served.identity("ann").await, served.identity("ann-2").await);

    // A third name came in otherwise, and says who it is there.
    let three = served.invite("ann-3", |_| {}).await;
    let mut third = Browser::default();
    third.ask(&served, "POST", &three).await;
    assert!(third.inside(&served).await);
    let page = third.travel(&served, "/settings/oidc").await;
    assert_eq!(page.to, "0; url=/settings?told=issuer", "{}", page.body);
    assert_eq!(served.identity("ann").await, served.identity("ann-3").await);
    // And a fourth is invited as that subject.
    let subject = format!("{}#u-ann", served.provider.url);
    served
        .invite("ann-4", |new| new.identity = Some(subject))
        .await;
    assert_eq!(served.identity("ann").await, served.identity("ann-4").await);

    // Somebody whose passkey or invitation came first links a subject, and comes in by it.
    let path = served.invite("bob", |_| {}).await;
    let before = served.identity("bob").await;
    let mut bob = Browser::default();
    bob.ask(&served, "POST", &path).await;
    served.provider.sits("u-bob", "bob@corp.example", true);
    bob.travel(&served, "/settings/oidc").await;
    let mut later = Browser::default();
    later.travel(&served, "/sign-in/oidc").await;
    let page = later.ask(&served, "GET", "/settings").await;
    assert!(page.body.contains("<span>bob "), "{}", page.body);
    assert_eq!(served.identity("bob").await, before);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_believed_once_and_only_where_it_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), true).await;
    let path = served
        .invite("ann", |new| new.oidc = Some("Ann@Corp.example".to_owned()))
        .await;
    assert_eq!(path, "/sign-in");
    let mut browser = Browser::default();
    for (sub, email, verified) in [
        ("u-evil", "ann@corp.example", false),
        ("ann@corp.example", "evil@corp.example", true),
    ] {
        served.provider.sits(sub, email, verified);
        browser.travel(&served, "/sign-in/oidc").await;
        assert!(!browser.inside(&served).await, "{sub}");
    }
    served.provider.sits("u-ann", "ANN@corp.example", true);
    browser.travel(&served, "/sign-in/oidc").await;
    assert!(browser.inside(&served).await);
    // The address goes to somebody else.
    served.provider.sits("u-new", "ann@corp.example", true);
    let mut other = Browser::default();
    other.travel(&served, "/sign-in/oidc").await;
    assert!(!other.inside(&served).await);

    // Where the issuer is required, an invitation alone is not enough.
    let path = served.invite("cat", |_| {}).await;
    let page = other.ask(&served, "POST", &path).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("used at Example here"), "{}", page.body);
    other.travel(&served, &format!("{path}/oidc")).await;
    assert!(other.inside(&served).await);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_looked_for_but_not_for_every_forgery() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    served
        .invite("ann", |new| new.oidc = Some("u-ann".to_owned()))
        .await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    for (in_, asked) in [(true, 1), (true, 2), (false, 2)] {
        let mut browser = Browser::default();
        browser.travel(&served, "/sign-in/oidc").await;
        assert_eq!(browser.inside(&served).await, in_);
        assert_eq!(served.provider.asked_for_keys(), asked);
        served.provider.turns_keys();
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_issuer_names_leads_nowhere_inside() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), false).await;
    served.provider.sits("u-ann", "ann@corp.example", true);
    served
        .invite("ann", |new| new.oidc = Some("u-ann".to_owned()))
        .await;
    for inside in [
        "http://127.0.0.2:9/token",
        "https://10.0.0.1/token",
        "https://[::1]/token",
    ] {
        let fetch = fetch(&served.provider.url);
        let request = Request::post(inside).body(Vec::new()).unwrap();
        let why = fetch(request).await.unwrap_err().to_string();
        assert!(why.contains("lead elsewhere"), "{inside}: {why}");
    }
    served.stop().await;
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let table: OidcTable = toml::from_str(text).unwrap();
    let said = table.read().unwrap_err();
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_is_configured_is_checked() {
    let id = "client_id = \"f\"\n";
    refused(
        &format!("issuer = \"http://login.example\"\n{id}"),
        "https://",
    );
    refused(&format!("issuer = \"login\"\n{id}"), "https://");
    refused(
        &format!("issuer = \"https://a\"\nclient_secret_file = \"/none\"\n{id}"),
        "/none",
    );
    refused(
        &format!("issuer = \"https://a\"\nclient_secret_env = \"FAIRHOLD_NOT_SET\"\n{id}"),
        "FAIRHOLD_NOT_SET",
    );
    refused(
        &format!(
            "issuer = \"https://a\"\nclient_secret_env = \"A\"\nclient_secret_file = \"b\"\n{id}"
        ),
        "not both",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let text = format!("issuer = \"https://login.example\"\nclient_secret_file = {file:?}\n{id}");
    let terms = toml::from_str::<OidcTable>(&text).unwrap().read().unwrap();
    assert_eq!(terms.client_secret.as_deref(), Some("s3cret"));
    assert_eq!(
        (terms.called.as_str(), terms.required),
        ("login.example", false)
    );
    assert!(!format!("{terms:?}").contains("s3cret"));
    assert!(toml::from_str::<OidcTable>(&format!("{text}client_secret = \"x\"\n")).is_err());
}
