//! Who does the issuer say is there? `OpenID` Connect: the authorization code
//! flow with PKCE. A sign-in that was begun in one browser ends in that one
//! only, and what the issuer says is believed after its signature and every
//! claim were checked.
//!
//! Nothing here opens a connection: whoever makes an [`Issuer`] says how it is
//! reached.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use facts::{Span, Timestamp};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreTokenResponse,
};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError,
    TokenResponse as _,
};
use store::SystemClock;

use super::{same, token, token_digest};

/// How long somebody may take at the issuer.
const PATIENCE: Span = Span::seconds(600);
/// Sign-ins that are under way at once.
const UNDER_WAY_MAX: usize = 1_000;
/// How long what the issuer says of itself is believed.
const KNOWN: Span = Span::hours(1);
/// Its keys are asked for anew, where a signature is by none of them, this often at most.
const RENEWED: Span = Span::seconds(60);

/// Why the issuer was not reached, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached(pub String);

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreached {}

/// An answer that is on its way.
pub type Fetched = Pin<Box<dyn Future<Output = Result<HttpResponse, Unreached>> + Send>>;
/// How the issuer is reached; no redirect is followed.
pub type Fetch = Arc<dyn Fn(HttpRequest) -> Fetched + Send + Sync>;

/// The same, as the library asks for it.
struct Reach(Fetch);

impl<'c> AsyncHttpClient<'c> for Reach {
    type Error = Unreached;
    type Future = Fetched;

    fn call(&'c self, request: HttpRequest) -> Fetched {
        (self.0)(request)
    }
}

/// By which of the issuer's claims people recognise somebody. Nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The address, whether verified or not.
    Email,
    /// The short name.
    PreferredUsername,
    /// The full name.
    Name,
    /// The subject itself.
    Sub,
}

/// An issuer as it is configured.
#[derive(Clone)]
pub struct IssuerTerms {
    /// Its URL, as its discovery document has it.
    pub url: String,
    /// What people call it.
    pub called: String,
    /// Who we are there.
    pub client_id: String,
    /// What proves that, unless the client is a public one.
    pub client_secret: Option<String>,
    /// By what people recognise somebody.
    pub shown: Shown,
    /// Whether an invitation is used at the issuer only, so that every name here is somebody there.
    pub required: bool,
}

impl fmt::Debug for IssuerTerms {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerTerms")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IssuerError {
    /// It cannot be asked.
    Unreached(String),
    /// Nothing of the kind was begun in this browser, or too long ago.
    Foreign,
    /// The issuer, or whoever sat before it, did not want to; its word for that.
    Declined(String),
    /// What it says does not hold.
    Untrue(String),
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreached(_) => {
                write!(
                    f,
                    "the issuer cannot be asked now; try again, or sign in by a passkey"
                )
            }
            Self::Foreign => write!(
                f,
                "this browser did not begin that sign-in, or began it more than ten minutes ago; begin again"
            ),
            Self::Declined(word) => write!(f, "the issuer did not sign you in: {word}"),
            Self::Untrue(_) => write!(
                f,
                "what the issuer says does not hold: nobody was signed in; tell an administrator, the server's log has the reason"
            ),
        }
    }
}

impl std::error::Error for IssuerError {}

/// What a sign-in at the issuer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To come in.
    SignIn,
    /// To use a one-time invitation: its digest.
    Invited(String),
    /// To say that somebody who is signed in already is this one too.
    Link {
        /// Who.
        name: String,
        /// The digest of their sign-in.
        digest: String,
    },
}

/// Somebody, as the issuer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// `ISSUER#SUB`.
    pub(crate) subject: String,
    /// The subject alone.
    pub(crate) sub: String,
    /// Their address in lower case, where the issuer verified it.
    pub(crate) email: Option<String>,
    /// By what people recognise them.
    pub(crate) shown: String,
}

/// A sign-in that is under way.
struct Begun {
    browser: String,
    nonce: String,
    verifier: String,
    errand: Errand,
    until: Timestamp,
}

struct Learned {
    metadata: CoreProviderMetadata,
    at: Timestamp,
    renewed: Option<Timestamp>,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An issuer of sign-ins.
pub struct Issuer {
    terms: IssuerTerms,
    url: IssuerUrl,
    reach: Reach,
    learned: tokio::sync::Mutex<Option<Learned>>,
    begun: Mutex<HashMap<String, Begun>>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

fn untrue(why: &dyn std::error::Error) -> IssuerError {
    let mut words = why.to_string();
    let mut cause = why.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    IssuerError::Untrue(words)
}

fn no_random(error: &std::io::Error) -> IssuerError {
    IssuerError::Unreached(format!("there is no randomness: {error}"))
}

/// Algorithms by which we believe a signature: never `none`, and never one whose key we share.
fn believed(algorithm: &CoreJwsSigningAlgorithm) -> bool {
    use CoreJwsSigningAlgorithm as A;
    match algorithm {
        A::EcdsaP256Sha256
        | A::EcdsaP384Sha384
        | A::EcdsaP521Sha512
        | A::EdDsa
        | A::RsaSsaPkcs1V15Sha256
        | A::RsaSsaPkcs1V15Sha384
        | A::RsaSsaPkcs1V15Sha512
        | A::RsaSsaPssSha256
        | A::RsaSsaPssSha384
        | A::RsaSsaPssSha512 => true,
        // `None`, every HMAC, and what the library may learn.
        _ => false,
    }
}

/// Whether an error may be a key that the issuer has only now.
fn of_new_key(error: &ClaimsVerificationError) -> bool {
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)
    )
}

impl Issuer {
    /// An issuer that is reached by `fetch`. Nothing is asked yet.
    ///
    /// # Errors
    /// In words that say what to change.
    pub fn new(terms: IssuerTerms, fetch: Fetch) -> Result<Self, String> {
        let url = IssuerUrl::new(terms.url.clone());
        let url = url.map_err(|e| format!("`issuer` is no URL: {e}"))?;
        Ok(Self {
            terms,
            url,
            reach: Reach(fetch),
            learned: tokio::sync::Mutex::default(),
            begun: Mutex::default(),
        })
    }

    /// What people call it.
    pub(crate) fn called(&self) -> &str {
        &self.terms.called
    }

    /// Whether invitations are used there only.
    pub(crate) fn required(&self) -> bool {
        self.terms.required
    }

    /// What the issuer says of itself; asked for again when that is old, or to see its new keys.
    async fn learned(&self, renew: bool) -> Result<CoreProviderMetadata, IssuerError> {
        let mut kept = self.learned.lock().await;
        let now = SystemClock.now();
        let renewed = kept.as_ref().and_then(|known| known.renewed);
        let again = renew && renewed.is_none_or(|at| at.plus(RENEWED) <= now);
        if let Some(known) = &*kept
            && now < known.at.plus(KNOWN)
            && !again
        {
            return Ok(known.metadata.clone());
        }
        let found = CoreProviderMetadata::discover_async(self.url.clone(), &self.reach).await;
        let metadata = found.map_err(|e| match untrue(&e) {
            IssuerError::Untrue(why) => IssuerError::Unreached(why),
            other => other,
        })?;
        *kept = Some(Learned {
            metadata: metadata.clone(),
            at: now,
            renewed: if again { Some(now) } else { renewed },
        });
        Ok(metadata)
    }

    fn client(&self, metadata: CoreProviderMetadata, back: &str) -> Result<Client, IssuerError> {
        let back = RedirectUrl::new(back.to_owned()).map_err(|e| untrue(&e))?;
        let secret = self.terms.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.terms.client_id.clone());
        Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(back))
    }

    /// Begins a sign-in that comes back to `back`: where to go, and what the browser keeps.
    pub(crate) async fn begin(
        &self,
        back: &str,
        errand: Errand,
    ) -> Result<(String, String), IssuerError> {
        let client = self.client(self.learned(false).await?, back)?;
        let draw = || token().map_err(|e| no_random(&e));
        let (state, nonce, verifier, browser) = (draw()?, draw()?, draw()?, draw()?);
        let secret = PkceCodeVerifier::new(verifier.clone());
        let (sent, once) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (to, ..) = client
            .authorize_url(flow, move || sent, move || once)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&secret))
            .url();
        let now = SystemClock.now();
        let begun = Begun {
            browser: token_digest(&browser),
            nonce,
            verifier,
            errand,
            until: now.plus(PATIENCE),
        };
        let mut open = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, begun| now < begun.until);
        if open.len() >= UNDER_WAY_MAX {
            // The oldest gives way: whoever begins many does not shut the door to everybody.
            let oldest = open.iter().min_by_key(|(_, begun)| begun.until);
            if let Some(state) = oldest.map(|(state, _)| state.clone()) {
                open.remove(&state);
            }
        }
        open.insert(state, begun);
        Ok((to.to_string(), browser))
    }

    /// Takes back what was begun under this state in this browser.
    fn taken(&self, state: &str, browser: Option<&str>) -> Result<Begun, IssuerError> {
        let browser = browser.map(token_digest).ok_or(IssuerError::Foreign)?;
        let mut open = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // Another browser's stays: it may still end there.
        let own = open
            .get(state)
            .is_some_and(|begun| same(&begun.browser, &browser));
        let begun = own.then(|| open.remove(state)).flatten();
        begun
            .filter(|begun| SystemClock.now() < begun.until)
            .ok_or(IssuerError::Foreign)
    }

    /// Ends a sign-in: who the issuer says it is, and what it was for.
    pub(crate) async fn finish(
        &self,
        back: &str,
        answer: Answered,
        browser: Option<&str>,
    ) -> Result<(Known, Errand), IssuerError> {
        let begun = self.taken(&answer.state, browser)?;
        // RFC 9207: an answer of another issuer is none of this one.
        if answer.iss.is_some_and(|iss| iss != self.url.as_str()) {
            return Err(IssuerError::Untrue(
                "the answer names another issuer".into(),
            ));
        }
        if let Some(error) = answer.error {
            let plain = error.chars().filter(char::is_ascii_graphic).take(60);
            return Err(IssuerError::Declined(plain.collect()));
        }
        let code = answer.code.ok_or_else(|| {
            IssuerError::Untrue("the answer holds neither a code nor an error".to_owned())
        })?;
        let client = self.client(self.learned(false).await?, back)?;
        let asked = client.exchange_code(AuthorizationCode::new(code));
        let asked = asked.map_err(|e| untrue(&e))?;
        let answered = asked
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request_async(&self.reach)
            .await
            .map_err(|e| untrue(&e))?;
        let nonce = Nonce::new(begun.nonce);
        let known = match self.known(&client, &answered, &nonce) {
            Err(error) if of_new_key(&error) => {
                let client = self.client(self.learned(true).await?, back)?;
                self.known(&client, &answered, &nonce)
            }
            other => other,
        };
        Ok((known.map_err(|e| untrue(&e))?, begun.errand))
    }

    /// What the ID token says, after its signature, issuer, audience, authorized party, time and
    /// nonce were checked.
    fn known(
        &self,
        client: &Client,
        answered: &CoreTokenResponse,
        nonce: &Nonce,
    ) -> Result<Known, ClaimsVerificationError> {
        let other = |why: &str| ClaimsVerificationError::Other(why.to_owned());
        let token = answered
            .id_token()
            .ok_or_else(|| other("there is no ID token"))?;
        let algorithm = token.signing_alg();
        let algorithm =
            algorithm.map_err(|_| other("the ID token is not signed by any known algorithm"))?;
        if !believed(algorithm) {
            return Err(other("the ID token's algorithm proves nothing"));
        }
        let claims = token.claims(&client.id_token_verifier(), nonce)?;
        // The library leaves this one to us; it refuses further audiences itself.
        let party = claims.authorized_party();
        if party.is_some_and(|party| party.as_str() != self.terms.client_id) {
            return Err(other("the ID token is for another party"));
        }
        let sub = claims.subject().to_string();
        if sub.is_empty() || sub.len() > 255 || sub.chars().any(char::is_control) {
            return Err(other("`sub` is empty, too long, or no plain text"));
        }
        let email = claims.email().map(|email| email.to_string());
        let shown = match self.terms.shown {
            Shown::Email => email.clone(),
            Shown::PreferredUsername => claims.preferred_username().map(|name| name.to_string()),
            Shown::Name => {
                let names = claims.name().and_then(|names| names.get(None));
                names.map(|name| name.to_string())
            }
            Shown::Sub => None,
        };
        let verified = claims.email_verified() == Some(true);
        let shown: String = shown.unwrap_or_else(|| sub.clone());
        Ok(Known {
            subject: format!("{}#{sub}", self.url.as_str()),
            email: email.filter(|_| verified).map(|email| email.to_lowercase()),
            shown: shown
                .chars()
                .filter(|c| !c.is_control())
                .take(120)
                .collect(),
            sub,
        })
    }
}

/// What comes back in the address, once the issuer is done.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Answered {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}
