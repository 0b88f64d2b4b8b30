//! An issuer of our own, on loopback: it says what a test wants it to say.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, StatusCode};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::SystemClock;

pub(super) const CLIENT: &str = "fairhold";
pub(super) const SECRET: &str = "the client's secret";

/// What is wrong with the ID token, or the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nonce,
    Audience,
    AnotherAudience,
    Party,
    Issuer,
    Expired,
    Signature,
    None,
    Hmac,
    Absent,
    Verifier,
}

impl Fault {
    pub(super) const ALL: [Self; 11] = [
        Self::Nonce,
        Self::Audience,
        Self::AnotherAudience,
        Self::Party,
        Self::Issuer,
        Self::Expired,
        Self::Signature,
        Self::None,
        Self::Hmac,
        Self::Absent,
        Self::Verifier,
    ];
}

struct Code {
    nonce: String,
    challenge: String,
    back: String,
}

struct Inner {
    url: Mutex<String>,
    key: Mutex<(usize, SigningKey)>,
    codes: Mutex<HashMap<String, Code>>,
    fault: Mutex<Option<Fault>>,
    who: Mutex<(String, String, bool)>,
    asked: AtomicUsize,
}

pub(super) struct Provider {
    pub(super) url: String,
    inner: Arc<Inner>,
}

fn key() -> SigningKey {
    // One in 2^32 draws is no key.
    SigningKey::from_slice(&store::random::<32>().unwrap()).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn query(url: &str) -> HashMap<String, String> {
    let query = url.split_once('?').unwrap().1;
    serde_urlencoded::from_str(query).unwrap()
}

impl Provider {
    pub(super) async fn start() -> Self {
        let inner = Arc::new(Inner {
            url: Mutex::default(),
            key: Mutex::new((1, key())),
            codes: Mutex::default(),
            fault: Mutex::default(),
            who: Mutex::default(),
            asked: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        inner.url.lock().unwrap().clone_from(&url);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner }
    }

    /// Who sits before the issuer from now on.
    pub(super) fn sits(&self, sub: &str, email: &str, verified: bool) {
        *self.inner.who.lock().unwrap() = (sub.to_owned(), email.to_owned(), verified);
    }

    pub(super) fn breaks(&self, fault: Option<Fault>) {
        *self.inner.fault.lock().unwrap() = fault;
    }

    pub(super) fn turns_keys(&self) {
        let mut kept = self.inner.key.lock().unwrap();
        *kept = (kept.0 + 1, key());
    }

    pub(super) fn asked_for_keys(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// What the issuer's page would do: checks what it was asked and sends the browser back.
    pub(super) fn authorise(&self, url: &str) -> String {
        assert!(
            url.starts_with(&format!("{}/authorize?", self.url)),
            "{url}"
        );
        let asked = query(url);
        let of = |name: &str| {
            asked
                .get(name)
                .unwrap_or_else(|| panic!("{name}: {url}"))
                .clone()
        };
        assert_eq!(
            (of("response_type"), of("client_id")),
            ("code".into(), CLIENT.into())
        );
        assert_eq!(of("code_challenge_method"), "S256");
        assert!(of("scope").split(' ').any(|scope| scope == "openid"));
        let back = of("redirect_uri");
        let code = hex::encode(store::random::<16>().unwrap());
        let kept = Code {
            nonce: of("nonce"),
            challenge: of("code_challenge"),
            back: back.clone(),
        };
        self.inner.codes.lock().unwrap().insert(code.clone(), kept);
        let path = back.splitn(4, '/').nth(3).unwrap().to_owned();
        format!("/{path}?code={code}&state={}", of("state"))
    }
}

async fn discovery(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let url = inner.url.lock().unwrap().clone();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // An issuer that allows everything does not make us believe everything.
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
}

async fn keys(State(inner): State<Arc<Inner>>) -> Json<Value> {
    inner.asked.fetch_add(1, Ordering::SeqCst);
    let kept = inner.key.lock().unwrap();
    let point = kept.1.verifying_key().to_encoded_point(false);
    let at = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Json(json!({"keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": format!("k{}", kept.0),
        "x": at(point.x().unwrap()), "y": at(point.y().unwrap()),
    }]}))
}

async fn token(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let secret = serde_urlencoded::to_string([("", SECRET)]).unwrap();
    let basic = STANDARD.encode(format!("{CLIENT}:{}", secret.trim_start_matches('=')));
    let given = headers.get("authorization").unwrap().to_str().unwrap();
    assert_eq!(given, format!("Basic {basic}"));
    assert_eq!(of("grant_type"), "authorization_code");
    let code = inner.codes.lock().unwrap().remove(&of("code"));
    let code = code.ok_or(StatusCode::BAD_REQUEST)?;
    assert_eq!(code.back, of("redirect_uri"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
    let fault = *inner.fault.lock().unwrap();
    if challenge != code.challenge || fault == Some(Fault::Verifier) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut told = json!({"access_token": "unused", "token_type": "Bearer", "expires_in": 60});
    if fault != Some(Fault::Absent) {
        told["id_token"] = json!(signed(&inner, &code, fault));
    }
    Ok(Json(told))
}

fn signed(inner: &Inner, code: &Code, fault: Option<Fault>) -> String {
    let now = SystemClock.now().0.div_euclid(1_000);
    let (sub, email, verified) = inner.who.lock().unwrap().clone();
    let mut claims = json!({
        "iss": *inner.url.lock().unwrap(), "aud": CLIENT, "sub": sub, "nonce": code.nonce,
        "iat": now, "exp": now + 300, "email": email, "email_verified": verified,
    });
    let mut say = |name: &str, value: Value| claims[name] = value;
    match fault {
        Some(Fault::Nonce) => say("nonce", json!("another")),
        Some(Fault::Audience) => say("aud", json!("another")),
        Some(Fault::AnotherAudience) => say("aud", json!([CLIENT, "another"])),
        Some(Fault::Party) => say("azp", json!("another")),
        Some(Fault::Issuer) => say("iss", json!("https://evil.example")),
        Some(Fault::Expired) => say("exp", json!(now - 1)),
        _ => {}
    }
    let kept = inner.key.lock().unwrap();
    let algorithm = match fault {
        Some(Fault::None) => "none",
        Some(Fault::Hmac) => "HS256",
        _ => "ES256",
    };
    let head = json!({"alg": algorithm, "kid": format!("k{}", kept.0)});
    let text = format!("{}.{}", part(&head), part(&claims));
    let signature = match fault {
        Some(Fault::None) => String::new(),
        Some(Fault::Hmac) => {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        }
        Some(Fault::Signature) => {
            let signature: Signature = key().sign(text.as_bytes());
            URL_SAFE_NO_PAD.encode(signature.to_bytes())
        }
        _ => {
            let signature: Signature = kept.1.sign(text.as_bytes());
            URL_SAFE_NO_PAD.encode(signature.to_bytes())
        }
    };
    format!("{text}.{signature}")
}
