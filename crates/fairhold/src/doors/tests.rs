//! Every operation of the `OpenAPI` document, called with every kind of key at
//! the real listeners: what is not in the table below does not pass.

use std::collections::BTreeSet;

use console::{
    NewAccount, NewCase, NewEndpoint, NewLimits, NewMeasure, Office as _, Role, Step, openapi,
};
use engine::{Ask, Mode};
use facts::{Endpoint, ExchangeId, ModelName};
use gateway::Desk as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use sha2::{Digest as _, Sha256};
use store::SystemClock;

use crate::commands::serve::{At, Running};
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::witness::caller;

mod pages;

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq)]
enum May {
    /// At the admin API, all who work here.
    Staff,
    /// Reviewers and approvers.
    Casework,
    /// Administrators.
    Administration,
    /// The operator alone.
    Operator,
    /// Any account's key, at the gateway: with another's ids there is nothing there.
    Tenant,
    /// Any account's key, which sees what is its own.
    Own,
    /// An account's key, at the model's routes.
    Model,
    /// Everybody.
    Public,
}

use May::{Administration, Casework, Model, Operator, Own, Public, Staff, Tenant};

const TABLE: &[(&str, May)] = &[
    ("post /admin/accounts", Administration),
    ("get /admin/accounts", Staff),
    ("get /admin/accounts/{id}", Staff),
    ("get /admin/accounts/{id}/findings", Staff),
    ("post /admin/accounts/{id}/links", Administration),
    ("get /admin/accounts/{id}/terms", Staff),
    ("put /admin/accounts/{id}/terms", Administration),
    ("post /admin/calibrate", Administration),
    ("get /admin/campaigns", Staff),
    ("post /admin/campaigns", Operator),
    ("post /admin/campaigns/make", Operator),
    ("post /admin/campaigns/test", Casework),
    ("post /admin/campaigns/{name}/expire", Operator),
    ("get /admin/cases", Staff),
    ("post /admin/cases", Casework),
    ("get /admin/cases/{id}", Staff),
    ("get /admin/cases/{id}/attachments/{sha256}", Staff),
    ("get /admin/cases/{id}/bundle", Staff),
    ("post /admin/cases/{id}/claim", Casework),
    ("delete /admin/cases/{id}/claim", Casework),
    ("post /admin/cases/{id}/held", Casework),
    ("post /admin/cases/{id}/steps", Staff),
    ("get /admin/checkpoint", Staff),
    ("get /admin/clusters", Staff),
    ("get /admin/clusters/{id}", Staff),
    ("post /admin/detect", Casework),
    ("get /admin/endpoints", Administration),
    ("post /admin/endpoints", Administration),
    ("delete /admin/endpoints/{id}", Administration),
    ("post /admin/endpoints/{id}/test", Administration),
    ("post /admin/erasures", Operator),
    ("post /admin/exchanges/{id}/bodies", Casework),
    ("get /admin/findings", Staff),
    ("get /admin/held", Staff),
    ("delete /admin/held/{id}", Casework),
    ("get /admin/holds", Staff),
    ("post /admin/holds", Operator),
    ("post /admin/holds/{id}/release", Operator),
    ("get /admin/house/{path}", Staff),
    ("get /admin/keys", Staff),
    ("post /admin/keys", Administration),
    ("post /admin/keys/{id}/revoke", Administration),
    ("get /admin/ledgers", Staff),
    ("post /admin/ledgers/rotate", Operator),
    ("get /admin/ledgers/{account}/{path}", Staff),
    ("get /admin/log/{path}", Staff),
    ("get /admin/notices", Staff),
    ("post /admin/notices/{id}/retry", Administration),
    ("get /admin/people", Staff),
    ("post /admin/people", Operator),
    ("post /admin/people/{name}/end", Operator),
    ("put /admin/projects/{id}/purposes", Administration),
    ("get /admin/receipts/{seq}", Staff),
    ("post /admin/retention", Operator),
    ("get /v1/organization/audit_logs", Own),
    ("get /v1/terms", Own),
    ("get /fairhold/v1/account", Own),
    ("get /fairhold/v1/cases", Own),
    ("get /fairhold/v1/cases/{id}", Tenant),
    ("get /fairhold/v1/cases/{id}/attachments/{sha256}", Tenant),
    ("get /fairhold/v1/cases/{id}/bundle", Tenant),
    ("post /fairhold/v1/cases/{id}/appeal", Tenant),
    ("post /fairhold/v1/cases/{id}/declare", Tenant),
    ("post /fairhold/v1/cases/{id}/evidence", Tenant),
    ("post /fairhold/v1/cases/{id}/undertake", Tenant),
    ("get /fairhold/v1/endpoints", Own),
    ("post /fairhold/v1/endpoints", Own),
    ("delete /fairhold/v1/endpoints/{id}", Tenant),
    ("post /fairhold/v1/endpoints/{id}/test", Tenant),
    ("get /fairhold/v1/ledgers/{account}/{path}", Tenant),
    ("get /fairhold/v1/log/{path}", Public),
    ("get /fairhold/v1/receipts/{seq}", Tenant),
    ("post /v1/chat/completions", Model),
    ("post /v1/completions", Model),
    ("post /v1/embeddings", Model),
    ("post /v1/messages", Model),
    ("post /v1/responses", Model),
    ("get /v1/models", Model),
    ("get /v1/models/{model}", Model),
    ("get /healthz", Public),
    ("get /metrics", Public),
    ("get /readyz", Public),
];

impl May {
    fn staff(self, role: Role) -> bool {
        match self {
            Staff => true,
            Casework => matches!(role, Role::Reviewer | Role::Approver),
            Administration => role == Role::Administrator,
            Operator | Tenant | Own | Model | Public => false,
        }
    }

    fn admin(self) -> bool {
        matches!(self, Staff | Casework | Administration | Operator)
    }
}

const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"none\"\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\nmodels = [\"m\"]\n";

/// A house with tenants `victim` and `other`, and what belongs to the first.
struct Served {
    house: House,
    running: Running,
    keys: [String; 2],
    case: String,
    endpoint: String,
    seq: u64,
}

impl Served {
    async fn start(folder: &std::path::Path) -> Self {
        Self::start_at(folder, At::default()).await
    }

    async fn start_at(folder: &std::path::Path, at: At) -> Self {
        let plan = Plan {
            mode: Mode::Enforced,
            ..Plan::at_rest()
        };
        let house = House::open(folder, plan).await.unwrap();
        let mut people = String::new();
        for role in Role::ALL {
            let (word, digest) = (role.word(), Sha256::digest(format!("own-{}", role.word())));
            let digest = hex::encode(digest);
            let said = [
                ("name", word),
                ("role", word),
                ("identity", word),
                ("token_sha256", &digest),
            ];
            people.push_str("[[person]]\n");
            for (name, value) in said {
                people.extend([name, " = \"", value, "\"\n"]);
            }
        }
        std::fs::write(folder.join("people.toml"), people).unwrap();
        let office = LocalOffice::of(&house);
        let mut keys = Vec::new();
        for name in ["victim", "other"] {
            let new = NewAccount {
                account: name.to_owned(),
                project: name.to_owned(),
                organisation: name.to_owned(),
                ..NewAccount::default()
            };
            office.open_account(new).await.unwrap();
            keys.push(office.create_key(name).await.unwrap().key);
        }
        let config = gateway::Config::parse(CONFIG).unwrap();
        let none = gateway::Recordings::default();
        let running = Running::start_at(&house, config, none, at).await.unwrap();
        let ask = Ask {
            exchange: ExchangeId::parse("x1").unwrap(),
            at: SystemClock.now(),
            secret: keys.first().unwrap().clone(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").unwrap(),
            tokens_max: 1,
            purpose: None,
            subject: None,
            country: None,
            body_sha256: [0; 32],
        };
        let asked = house.keeper.admit(ask, Bytes::from_static(b"{}")).await;
        let (case, endpoint) = victims(&office).await;
        Self {
            seq: asked.unwrap().seq.unwrap(),
            house,
            running,
            keys: keys.try_into().unwrap(),
            case,
            endpoint,
        }
    }

    fn path(&self, path: &str) -> String {
        // What another role does to its own must not take away what tenants are refused.
        let id = if path.starts_with("/admin/endpoints") {
            "ep_none"
        } else if path.contains("/endpoints/") {
            &self.endpoint
        } else if path.contains("accounts/") || path.contains("projects/") {
            "victim"
        } else {
            &self.case
        };
        path.replace("{id}", id)
            .replace("{account}", "victim")
            .replace("{path}", "checkpoint")
            .replace("{seq}", &self.seq.to_string())
            .replace("{sha256}", &"0".repeat(64))
            .replace("{name}", "none")
            .replace("{model}", "m")
    }

    async fn call(&self, operation: &str, admin: bool, key: Option<&str>) -> (StatusCode, String) {
        let (method, path) = operation.split_once(' ').unwrap();
        let at = if admin {
            self.running.admin
        } else {
            self.running.gateway
        };
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(format!("http://{at}{}", self.path(path)))
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = if method == "get" { "" } else { "{}" };
        let request = request.body(Full::new(Bytes::from_static(body.as_bytes())));
        let answer = caller().request(request.unwrap()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

/// A suspended case and an endpoint of the victim.
async fn victims(office: &LocalOffice) -> (String, String) {
    let new = NewCase {
        account: "victim".to_owned(),
        clause: "t/1".to_owned(),
        summary: "facts".to_owned(),
        exculpatory: "none found".to_owned(),
        by: "reviewer".to_owned(),
        ..NewCase::default()
    };
    let case = office.propose(new).await.unwrap().case;
    let emergency = Step {
        step: console::CaseStep::Emergency(NewLimits {
            requests_per_minute: Some(100),
            tokens_per_minute: None,
        }),
        by: "reviewer".to_owned(),
        comment: "it cannot wait".to_owned(),
        attachments: Vec::new(),
    };
    office.step(&case, emergency).await.unwrap();
    let proposal = Step {
        step: console::CaseStep::Propose(NewMeasure {
            measure: "suspend".to_owned(),
            ..NewMeasure::default()
        }),
        by: "reviewer".to_owned(),
        comment: String::new(),
        attachments: Vec::new(),
    };
    office.step(&case, proposal).await.unwrap();
    let endpoint = NewEndpoint {
        account: Some("victim".to_owned()),
        kind: "webhook".to_owned(),
        target: "https://192.0.2.1.example/".to_owned(),
    };
    (case, office.add_endpoint(endpoint).await.unwrap().id)
}

/// Every operation of the document, as `method /path`.
fn operations() -> BTreeSet<String> {
    let document = openapi::<LocalOffice>();
    let paths = document.get("paths").unwrap().as_object().unwrap().clone();
    let of = |(path, methods): (String, serde_json::Value)| {
        let methods = methods.as_object().unwrap().clone();
        methods
            .into_iter()
            .map(move |(method, _)| format!("{method} {path}"))
    };
    paths.into_iter().flat_map(of).collect()
}

#[test]
fn no_operation_is_missing_from_the_table() {
    let known: BTreeSet<String> = TABLE.iter().map(|(o, _)| (*o).to_owned()).collect();
    assert_eq!(operations(), known);
    assert_eq!(known.len(), TABLE.len(), "one is there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_knows_who_may_call_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let [_, other] = &served.keys;
    let wrong = "fh_live_00000000000_wrong";
    for (operation, may) in TABLE {
        let admin = may.admin();
        for nobody in [None, Some(wrong), Some("")] {
            let (status, _) = served.call(operation, admin, nobody).await;
            let refused = status == StatusCode::UNAUTHORIZED;
            assert_eq!(
                refused,
                *may != Public,
                "{operation} with {nobody:?}: {status}"
            );
        }
        if admin {
            let (status, _) = served.call(operation, true, Some(other)).await;
            assert_eq!(
                status,
                StatusCode::UNAUTHORIZED,
                "{operation} with a customer's key"
            );
            for role in Role::ALL {
                let token = format!("own-{}", role.word());
                let (status, body) = served.call(operation, true, Some(&token)).await;
                let refused = status == StatusCode::FORBIDDEN;
                assert_eq!(
                    refused,
                    !may.staff(role),
                    "{operation} as {token}: {status} {body}"
                );
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{operation} as {token}");
            }
        } else {
            let (status, body) = served.call(operation, false, Some(other)).await;
            match may {
                Tenant => assert_eq!(status, StatusCode::NOT_FOUND, "{operation}: {body}"),
                _ => assert!(
                    status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN,
                    "{operation}: {status} {body}"
                ),
            }
            let told = body.contains("victim") || body.contains(&served.case);
            assert!(
                !told || *may == Public,
                "{operation} told another's: {body}"
            );
        }
    }
    served.running.stop().await;
    served.house.close().await;
}

#[test]
fn the_document_that_is_checked_in_is_current() {
    let made = serde_json::to_string_pretty(&openapi::<LocalOffice>()).unwrap() + "\n";
    let kept = include_str!("../../../../docs/openapi.json");
    assert!(
        made == kept,
        "docs/openapi.json is not what the code says: `fairhold openapi > docs/openapi.json`"
    );
}
