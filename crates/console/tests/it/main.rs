//! The doors of the console: who gets in, what they see, what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod terms;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use console::{
    AccountView, Activation, ActivationView, BodyView, CalibrationView, CampaignView, CaseStep,
    CaseView, CheckpointView, DetectionView, DocumentView, ErasureView, FindingsView, HoldView,
    KeyView, LedgerFile, LedgerOf, LedgersView, LinksView, MeasureView, NewAccount, NewCase,
    NewErasure, NewHold, NewKey, NewLimits, NewLinks, NewSketch, Office, OfficeError, Reading,
    Receipt, ReceiptView, RetentionAsked, RetentionView, SketchAsked, SketchFile, StatementView,
    Step, TermsView, TextView, TrialView, case_page,
};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// An office with one suspended account and a case; remembers what was asked.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<String>>,
}

fn the_case() -> CaseView {
    CaseView {
        case: "C-1".to_owned(),
        account: "acct_bad".to_owned(),
        accounts: vec!["acct_bad".to_owned()],
        state: "suspended".to_owned(),
        clause: "terms/2".to_owned(),
        action: "suspend".to_owned(),
        statement: "<script>alert(1)</script>".to_owned(),
        appeal_until: Some("2026-07-01T00:00:00.000Z".to_owned()),
        ..CaseView::default()
    }
}

impl Fake {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

impl Office for Fake {
    async fn open_account(&self, new: NewAccount) -> Result<AccountView, OfficeError> {
        self.note(format!("open {}", new.account));
        Err(OfficeError::Conflict(format!(
            "account `{}` is open already",
            new.account
        )))
    }
    async fn accounts(&self) -> Result<Vec<AccountView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn create_key(&self, account: &str) -> Result<NewKey, OfficeError> {
        self.note(format!("key {account}"));
        Ok(NewKey {
            key: "fh_live_a_b".to_owned(),
            id: "a".to_owned(),
            account: account.to_owned(),
        })
    }
    async fn revoke_key(&self, id: &str) -> Result<KeyView, OfficeError> {
        Err(OfficeError::NotFound(format!("no key `{id}`")))
    }
    async fn keys(&self) -> Result<Vec<KeyView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn propose(&self, _: NewCase) -> Result<CaseView, OfficeError> {
        Ok(the_case())
    }
    async fn step(&self, case: &str, step: Step) -> Result<CaseView, OfficeError> {
        self.note(format!(
            "{:?} {case} by {}: {}",
            step.step, step.by, step.comment
        ));
        Ok(the_case())
    }
    async fn cases(&self) -> Result<Vec<CaseView>, OfficeError> {
        Ok(vec![the_case()])
    }
    async fn case(&self, case: &str) -> Result<CaseView, OfficeError> {
        if case == "C-1" {
            Ok(the_case())
        } else {
            Err(OfficeError::NotFound("none".to_owned()))
        }
    }
    async fn export(&self, _: &str) -> Result<Vec<u8>, OfficeError> {
        Ok(b"PK".to_vec())
    }
    async fn detect(&self) -> Result<DetectionView, OfficeError> {
        Ok(DetectionView::default())
    }
    async fn findings(&self, account: Option<&str>) -> Result<FindingsView, OfficeError> {
        self.note(format!("findings {}", account.unwrap_or("of all")));
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn calibrate(&self) -> Result<CalibrationView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn checkpoint(&self) -> Result<CheckpointView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn ledger_file(
        &self,
        of: &LedgerOf,
        epoch: Option<u64>,
        path: &str,
    ) -> Result<LedgerFile, OfficeError> {
        self.note(format!("{of} {epoch:?} {path}"));
        match path {
            "checkpoint" | "tile/0/000" => Ok(LedgerFile {
                bytes: path.as_bytes().to_vec(),
                immutable: path != "checkpoint",
            }),
            "tile/0/001" => Err(OfficeError::Unavailable("it refuses to sign".to_owned())),
            _ => Err(OfficeError::NotFound("no such file".to_owned())),
        }
    }
    async fn receipt(&self, account: Option<&str>, seq: u64) -> Result<Receipt, OfficeError> {
        self.note(format!("receipt {seq} of {}", account.unwrap_or("anybody")));
        match seq {
            1 => Ok(Receipt::Sealed(Box::new(ReceiptView {
                seq,
                record: "{}".to_owned(),
                proof: "c2sp.org/tlog-proof@v1\n".to_owned(),
                ledger_vkey: "l".to_owned(),
                ledger: "b".to_owned(),
                ledger_proof: "p".to_owned(),
                vkey: "v".to_owned(),
            }))),
            2 => Ok(Receipt::NotYet),
            _ => Err(OfficeError::NotFound("no such record".to_owned())),
        }
    }
    async fn ledgers(&self) -> Result<LedgersView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn rotate(&self, reason: &str) -> Result<CheckpointView, OfficeError> {
        self.note(format!("rotate {reason}"));
        Err(OfficeError::Conflict("not now".to_owned()))
    }
    async fn terms(&self, account: &str) -> Result<TermsView, OfficeError> {
        Ok(TermsView {
            account: account.to_owned(),
            at: "2026-06-01T00:00:00.000Z".to_owned(),
            standing: "good".to_owned(),
            purposes: vec!["rag".to_owned()],
            agreement: serde_json::json!({}),
            documents: vec![DocumentView {
                title: "<b>Terms</b>".to_owned(),
                ..DocumentView::default()
            }],
        })
    }
    async fn agree(&self, account: &str, agreement: Value) -> Result<TermsView, OfficeError> {
        self.note(format!("agree {account} {agreement}"));
        self.terms(account).await
    }
    async fn link(&self, account: &str, new: NewLinks) -> Result<LinksView, OfficeError> {
        self.note(format!("link {account} {}", new.network.join(" ")));
        Ok(LinksView {
            account: account.to_owned(),
            payment: new.payment.len(),
            identity: new.identity.len(),
            network: new.network.len(),
        })
    }
    async fn declare(
        &self,
        project: &str,
        purposes: Vec<String>,
    ) -> Result<Vec<String>, OfficeError> {
        self.note(format!("declare {project} {}", purposes.join(" ")));
        Ok(purposes)
    }
    async fn make_sketch(&self, new: NewSketch) -> Result<SketchFile, OfficeError> {
        self.note(format!("make {} of {}", new.name, new.accounts.join(" ")));
        Err(OfficeError::Conflict("no case".to_owned()))
    }
    async fn try_sketch(&self, asked: SketchAsked) -> Result<TrialView, OfficeError> {
        Err(OfficeError::Invalid(asked.file))
    }
    async fn activate_sketch(&self, new: Activation) -> Result<ActivationView, OfficeError> {
        self.note(format!("activate {} by {}", new.file, new.by));
        Err(OfficeError::Conflict("active already".to_owned()))
    }
    async fn campaigns(&self) -> Result<Vec<CampaignView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn expire_campaign(&self, name: &str, by: &str) -> Result<CampaignView, OfficeError> {
        self.note(format!("expire {name} by {by}"));
        Err(OfficeError::NotFound(format!("no campaign `{name}`")))
    }
    async fn erase(&self, new: NewErasure) -> Result<ErasureView, OfficeError> {
        self.note(format!("erase {} by {}", new.account, new.by));
        Ok(ErasureView::default())
    }
    async fn place_hold(&self, new: NewHold) -> Result<HoldView, OfficeError> {
        self.note(format!("hold {} by {}", new.account, new.by));
        Err(OfficeError::Invalid("no day".to_owned()))
    }
    async fn release_hold(&self, id: &str, by: &str) -> Result<HoldView, OfficeError> {
        self.note(format!("release {id} by {by}"));
        Err(OfficeError::NotFound("no hold".to_owned()))
    }
    async fn holds(&self) -> Result<Vec<HoldView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn let_go(&self, asked: RetentionAsked) -> Result<RetentionView, OfficeError> {
        self.note(format!("let go {:?}", asked.days));
        Ok(RetentionView::default())
    }
    async fn read_bodies(
        &self,
        exchange: &str,
        reading: Reading,
    ) -> Result<Vec<BodyView>, OfficeError> {
        self.note(format!("read {exchange} by {}", reading.by));
        Ok(Vec::new())
    }
    fn whose(&self, secret: &str) -> Option<String> {
        match secret {
            "key-of-bad" => Some("acct_bad".to_owned()),
            "key-of-other" => Some("acct_other".to_owned()),
            _ => None,
        }
    }
}

fn house() -> (Arc<Fake>, Router) {
    let office = Arc::new(Fake::default());
    let router =
        console::admin(Arc::clone(&office), "token").merge(console::customer(Arc::clone(&office)));
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
