//! The doors of the console: who gets in, what they see, what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod multipart;
#[cfg(test)]
mod terms;

mod office;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use console::{CaseStep, CaseView, MeasureView, NewLimits, StatementView, TextView, case_page};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use office::{Fake, the_case};

fn house() -> (Arc<Fake>, Router) {
    let office = Arc::new(Fake::default());
    // Two listeners in life: both have the audit log, each for its own callers.
    let customers = console::customer(Arc::clone(&office));
    let router = console::admin(Arc::clone(&office), "token").fallback_service(customers);
    (office, router)
}

async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    auth: &str,
    body: &str,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    if !auth.is_empty() {
        request = request.header(header::AUTHORIZATION, auth);
    }
    if path.ends_with("/appeal") {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn every_admin_route_is_closed_without_the_token() {
    let (office, router) = house();
    for (method, path) in [
        ("POST", "/admin/accounts"),
        ("GET", "/admin/accounts"),
        ("POST", "/admin/keys"),
        ("GET", "/admin/keys"),
        ("POST", "/admin/keys/a/revoke"),
        ("GET", "/admin/accounts/a/terms"),
        ("PUT", "/admin/accounts/a/terms"),
        ("PUT", "/admin/projects/p/purposes"),
        ("POST", "/admin/cases"),
        ("GET", "/admin/cases"),
        ("GET", "/admin/cases/C-1"),
        ("POST", "/admin/cases/C-1/steps"),
        ("GET", "/admin/cases/C-1/bundle"),
        ("GET", "/admin/people"),
        ("POST", "/admin/people"),
        ("POST", "/admin/people/ann/end"),
        ("POST", "/admin/detect"),
        ("POST", "/admin/erasures"),
        ("POST", "/admin/holds"),
        ("GET", "/admin/holds"),
        ("POST", "/admin/holds/h/release"),
        ("POST", "/admin/retention"),
        ("POST", "/admin/exchanges/x/bodies"),
        ("GET", "/admin/checkpoint"),
        ("GET", "/admin/ledgers"),
        ("POST", "/admin/ledgers/rotate"),
        ("GET", "/admin/log/checkpoint"),
        ("GET", "/admin/house/checkpoint"),
        ("GET", "/admin/ledgers/acct_bad/checkpoint"),
        ("GET", "/admin/receipts/1"),
    ] {
        for auth in ["", "Bearer wrong", "Bearer key-of-bad", "Basic !!", "token"] {
            let (status, body) = ask(&router, method, path, auth, "{}").await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {auth:?}");
            assert!(body.contains("invalid_admin_token"), "{body}");
        }
    }
    assert!(office.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_token_opens_and_each_refusal_has_its_status() {
    let (office, router) = house();
    let (status, body) = ask(
        &router,
        "POST",
        "/admin/keys",
        "Bearer token",
        r#"{"account":"a"}"#,
    )
    .await;
    assert_eq!(
        (status, body.contains("fh_live_a_b")),
        (StatusCode::CREATED, true)
    );
    let account = r#"{"account":"a","project":"p","organisation":"o"}"#;
    let (status, _) = ask(&router, "POST", "/admin/accounts", "Bearer token", account).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let misspelt = r#"{"account":"a","project":"p","organisation":"o","budgit":1}"#;
    let (status, body) = ask(&router, "POST", "/admin/accounts", "Bearer token", misspelt).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("budgit"), "{body}");
    let (status, _) = ask(&router, "POST", "/admin/keys/x/revoke", "Bearer token", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = ask(&router, "GET", "/admin/checkpoint", "Bearer token", "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let signer = r#"{"step":"approve","by":"signer","comment":"agreed"}"#;
    let path = "/admin/cases/C-1/steps";
    let (status, body) = ask(&router, "POST", path, "Bearer token", signer).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(body.contains("signs in at the console"), "{body}");
    let approve = r#"{"step":"approve","by":"bob","comment":"agreed"}"#;
    let (status, _) = ask(
        &router,
        "POST",
        "/admin/cases/C-1/steps",
        "Bearer token",
        approve,
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let asked = office.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [
            "key a",
            "open a",
            &format!("{:?} C-1 by bob: agreed", CaseStep::Approve)
        ]
    );
}

#[tokio::test]
async fn a_suspended_customer_reads_its_own_case_and_no_other() {
    let (_, router) = house();
    let (status, body) = ask(
        &router,
        "GET",
        "/fairhold/v1/cases/C-1",
        "Bearer key-of-bad",
        "",
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        body.contains("Statement of reasons") && body.contains("terms/2"),
        "{body}"
    );
    assert!(
        !body.contains("<script"),
        "text from outside is escaped: {body}"
    );
    let basic = "Basic aWdub3JlZDprZXktb2YtYmFk"; // ignored:key-of-bad
    assert_eq!(
        ask(&router, "GET", "/fairhold/v1/cases/C-1", basic, "")
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(
        ask(&router, "GET", "/fairhold/v1/cases", basic, "").await.0,
        StatusCode::OK
    );
    for (path, auth, expected) in [
        (
            "/fairhold/v1/cases/C-1",
            "Bearer key-of-other",
            StatusCode::NOT_FOUND,
        ),
        (
            "/fairhold/v1/cases/C-9",
            "Bearer key-of-bad",
            StatusCode::NOT_FOUND,
        ),
        (
            "/fairhold/v1/cases/C-1",
            "Bearer nobody",
            StatusCode::UNAUTHORIZED,
        ),
        ("/fairhold/v1/cases/C-1", "", StatusCode::UNAUTHORIZED),
        ("/fairhold/v1/cases", "", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(
            ask(&router, "GET", path, auth, "").await.0,
            expected,
            "{path} {auth}"
        );
    }
    let (_, body) = ask(
        &router,
        "GET",
        "/fairhold/v1/cases",
        "Bearer key-of-other",
        "",
    )
    .await;
    assert!(!body.contains("C-1"), "{body}");
}

#[tokio::test]
async fn only_the_accused_may_appeal_and_in_its_own_name() {
    let (office, router) = house();
    let text = "text=we+stopped";
    let (status, _) = ask(
        &router,
        "POST",
        "/fairhold/v1/cases/C-1/appeal",
        "Bearer key-of-other",
        text,
    )
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(office.asked.lock().unwrap().is_empty());
    let (status, _) = ask(
        &router,
        "POST",
        "/fairhold/v1/cases/C-1/appeal",
        "Bearer key-of-bad",
        text,
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        office.asked.lock().unwrap().clone(),
        ["Appeal C-1 by acct_bad: we stopped"]
    );
}

#[tokio::test]
async fn the_accused_answers_by_form_and_by_json_in_its_own_name() {
    let (office, router) = house();
    let post = async |path: &str, kind: &str, auth: &str, body: &str| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/fairhold/v1/cases/C-1/{path}"))
            .header(header::AUTHORIZATION, auth)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.to_owned()))
            .unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    };
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let own = "Bearer key-of-bad";
    let conditions = r#"{"conditions":[{"promise":"p","check":"c","days":3}],"text":"so"}"#;
    for (path, kind, body) in [
        ("declare", form, "text=we+test"),
        ("declare", json, r#"{"text":"we test"}"#),
        ("undertake", form, "promise=p&check=c&days=3&text=so"),
        ("undertake", json, conditions),
        ("evidence", json, r#"{"text":"a log"}"#),
        ("appeal", json, r#"{"text":"no"}"#),
    ] {
        assert_eq!(
            post(path, kind, own, body).await,
            StatusCode::OK,
            "{path} {kind}"
        );
        let other = post(path, kind, "Bearer key-of-other", body).await;
        assert_eq!(other, StatusCode::NOT_FOUND, "{path}");
        let wrong = post(path, kind, own, "{\"txt\":1").await;
        assert_eq!(wrong, StatusCode::BAD_REQUEST, "{path}");
    }
    let asked = office.asked.lock().unwrap().clone();
    let undertaken =
        "Undertake([NewCondition { promise: \"p\", check: \"c\", days: 3 }]) C-1 by acct_bad: so";
    assert_eq!(
        asked,
        [
            "Declare C-1 by acct_bad: we test",
            "Declare C-1 by acct_bad: we test",
            undertaken,
            undertaken,
            "Evidence C-1 by acct_bad: a log",
            "Appeal C-1 by acct_bad: no"
        ]
    );
}

#[test]
fn a_page_says_what_acts_until_when_and_in_the_readers_language() {
    let text = |language: &str, text: &str| TextView {
        language: language.to_owned(),
        text: text.to_owned(),
    };
    let case = CaseView {
        state: "throttled".to_owned(),
        in_force: vec![MeasureView {
            measure: "throttle".to_owned(),
            limits: NewLimits::default(),
            from: "2026-01-01".to_owned(),
            until: Some("2026-01-02".to_owned()),
            emergency: true,
        }],
        statements: vec![StatementView {
            measure: "throttle".to_owned(),
            text: vec![text("en", "reasons <b>"), text("zh", "理由")],
            dsa: Value::Null,
        }],
        ..the_case()
    };
    let page = case_page(&case, "en");
    for part in [
        "Your account is slowed down",
        "throttle since 2026-01-01 until 2026-01-02 (an emergency",
        "reasons &lt;b&gt;",
        "C-1/declare",
        "C-1/undertake",
        "C-1/appeal",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(case_page(&case, "zh").contains("<pre>理由"));
    assert!(case_page(&case, "fr").contains("reasons"));
    let waits = CaseView {
        state: "appealed".to_owned(),
        ..the_case()
    };
    assert!(case_page(&waits, "en").contains("C-1/evidence"));
    let closed = CaseView {
        state: "dismissed".to_owned(),
        appeal_until: None,
        ..the_case()
    };
    let page = case_page(&closed, "en");
    assert!(!page.contains("C-1/declare") && page.contains("No restriction can be appealed"));
}
