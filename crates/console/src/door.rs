//! Who is at the door of the pages, and may they come in?
//!
//! Sign-ins are kept by the server, known by the digest of a random token that
//! only the browser's cookie holds. There is no password anywhere: people come
//! in by a one-time invitation, by a passkey, or by their issuer; customers by a
//! one-time invitation or by showing their key once in a form.

mod issuer;
mod limiter;
mod linked;
mod origin;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::ConnectInfo;
use axum::response::Response;
use cases::Role;
use facts::{Span, Timestamp};
use http::{Extensions, HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use store::{Database, InviteRow, SignInRow, StoreError, SystemClock, Whose};
use subtle::ConstantTimeEq as _;

pub use issuer::{Fetch, Fetched, Issuer, IssuerTerms, Shown, Unreached};
pub use linked::awaited_at_issuer;
pub use origin::{Origin, OriginError};

pub(crate) use issuer::{Answered, Errand, IssuerError, Known};
use limiter::Limiter;
pub(crate) use limiter::Source;
pub(crate) use linked::{Entry, Linked};

/// How long a sign-in lives without being used.
const IDLE: Span = Span::hours(1);
/// How long a sign-in lives at most.
const LONGEST: Span = Span::hours(12);
/// Being used is written down this often at most.
const SEEN: Span = Span::seconds(60);
/// How long a passkey may take to answer.
const CHALLENGE: Span = Span::seconds(300);
/// Questions to passkeys that are open at once.
const CHALLENGES_MAX: usize = 1_000;

/// Which door: each has its own cookie, because cookies do not tell ports apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// People who work here.
    Staff,
    /// Customers.
    Customer,
}

impl Side {
    fn cookie(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Staff, true) => "__Host-fairhold-staff",
            (Self::Staff, false) => "fairhold-staff",
            (Self::Customer, true) => "__Host-fairhold-customer",
            (Self::Customer, false) => "fairhold-customer",
        }
    }
}

/// Somebody who is signed in and works here.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    /// Their name.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// How they signed in.
    pub(crate) how: String,
    /// What every form of theirs carries.
    pub(crate) csrf: String,
    /// The digest of their sign-in.
    pub(crate) digest: String,
}

/// A customer who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// The account.
    pub(crate) account: String,
    /// What every form of theirs carries.
    pub(crate) csrf: String,
    /// The digest of their sign-in.
    pub(crate) digest: String,
}

/// The door of one listener.
#[derive(Debug)]
pub struct Door {
    database: Database,
    origin: Origin,
    issuer: Option<Issuer>,
    proven: bool,
    proxies: Vec<IpAddr>,
    tries: Mutex<Limiter>,
    challenges: Mutex<HashMap<[u8; 32], Timestamp>>,
}

/// SHA-256 of a token, hexadecimal: all that is kept of it.
pub(crate) fn token_digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// A token that nobody can guess.
///
/// # Errors
/// When the operating system gives no random bytes.
pub(crate) fn token() -> std::io::Result<String> {
    Ok(hex::encode(store::random::<32>()?))
}

/// Makes a one-time sign-in; its token goes to whoever it is for.
///
/// # Errors
/// [`StoreError`], also when there is no randomness.
pub async fn invite(
    database: &Database,
    whose: Whose,
    expires_at: Timestamp,
) -> Result<String, StoreError> {
    let token = token().map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let digest = token_digest(&token);
    let row = InviteRow {
        digest,
        whose,
        expires_at,
    };
    database.keep_invite(&row).await?;
    Ok(token)
}

fn csrf(token: &str) -> String {
    let digest = Sha256::new().chain_update(b"csrf\0").chain_update(token);
    hex::encode(digest.finalize())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Whether two secrets are the same; takes the same time for every wrong one of its length.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// The cookie of a sign-in at the issuer: it has to come back with somebody who was elsewhere.
fn away(secure: bool) -> &'static str {
    if secure {
        "__Host-fairhold-away"
    } else {
        "fairhold-away"
    }
}

impl Door {
    /// A door that opens at `origin`.
    pub fn new(database: Database, origin: Origin) -> Self {
        Self {
            database,
            origin,
            issuer: None,
            proven: false,
            proxies: Vec::new(),
            tries: Mutex::new(Limiter::default()),
            challenges: Mutex::new(HashMap::new()),
        }
    }

    /// The same, where people may sign in at their issuer too.
    #[must_use]
    pub fn at_issuer(self, issuer: Option<Issuer>) -> Self {
        Self { issuer, ..self }
    }

    /// The same, where a second signature is given only by whoever proved who they are: by a
    /// passkey, or at the issuer. A one-time sign-in proves only that somebody had its address.
    #[must_use]
    pub fn approving_proven(self, proven: bool) -> Self {
        Self { proven, ..self }
    }

    pub(crate) fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// Whether somebody who is signed in may give the second signature.
    pub(crate) fn may_sign(&self, staff: &Staff) -> bool {
        !self.proven || matches!(staff.how.as_str(), "passkey" | "oidc")
    }

    /// Where it is reached.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The same, behind proxies at these addresses: whom they name last in `x-forwarded-for` is
    /// whose tries are counted.
    #[must_use]
    pub fn behind(self, proxies: Vec<IpAddr>) -> Self {
        Self { proxies, ..self }
    }

    /// Who sends this, as far as counting tries goes.
    pub(crate) fn from(&self, extensions: &Extensions, headers: &HeaderMap) -> Source {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|peer| peer.0.ip().to_canonical());
        let named = || {
            let last = headers.get_all("x-forwarded-for").iter().next_back()?;
            last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
        };
        let behind = peer.is_some_and(|peer| self.proxies.contains(&peer));
        Source::address(if behind { named().or(peer) } else { peer })
    }

    /// Whether somebody may try once more, as nobody in particular.
    pub(crate) fn may_try(&self, from: &Source) -> bool {
        self.may_try_as(from, "")
    }

    /// Whether somebody may try once more as this one.
    pub(crate) fn may_try_as(&self, from: &Source, name: &str) -> bool {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.may_try(from, name, SystemClock.now())
    }

    /// A question for a passkey, to be answered once.
    pub(crate) fn challenge(&self) -> std::io::Result<[u8; 32]> {
        let challenge = store::random::<32>()?;
        let now = SystemClock.now();
        let mut open = self
            .challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, until| now < *until);
        if open.len() >= CHALLENGES_MAX {
            open.clear();
        }
        open.insert(challenge, now.plus(CHALLENGE));
        Ok(challenge)
    }

    /// Takes a question back; false where it was never asked, answered or is too old.
    pub(crate) fn asked(&self, challenge: &[u8; 32]) -> bool {
        let mut open = self
            .challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let until = open.remove(challenge);
        until.is_some_and(|until| SystemClock.now() < until)
    }

    /// Signs somebody in: the cookie to set.
    pub(crate) async fn sign_in(
        &self,
        side: Side,
        whose: Whose,
        how: &str,
    ) -> Result<HeaderValue, StoreError> {
        let broken = |e: &dyn std::fmt::Display| StoreError::Corrupt(e.to_string());
        let token = token().map_err(|e| broken(&e))?;
        let now = SystemClock.now();
        let row = SignInRow {
            digest: token_digest(&token),
            whose,
            how: how.to_owned(),
            created_at: now,
            seen_at: now,
        };
        let oldest = Timestamp(now.0.saturating_sub(LONGEST.0));
        self.database.keep_sign_in(&row, oldest).await?;
        let secure = self.origin.secure();
        let text = format!(
            "{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200{}",
            side.cookie(secure),
            if secure { "; Secure" } else { "" }
        );
        HeaderValue::from_str(&text).map_err(|e| broken(&e))
    }

    /// The cookie that binds a sign-in at the issuer to the browser that began it; without a token
    /// it is taken back.
    pub(crate) fn away(&self, token: Option<&str>) -> Option<HeaderValue> {
        let secure = self.origin.secure();
        let (token, age) = token.map_or(("", 0), |token| (token, 600));
        let text = format!(
            "{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{}",
            away(secure),
            if secure { "; Secure" } else { "" }
        );
        HeaderValue::from_str(&text).ok()
    }

    /// What binds this browser to a sign-in at the issuer.
    pub(crate) fn came_back<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        cookie(headers, away(self.origin.secure()))
    }

    /// Takes the cookie back.
    pub(crate) async fn sign_out(
        &self,
        side: Side,
        digest: &str,
        mut response: Response,
    ) -> Result<Response, StoreError> {
        self.database.sign_out(digest).await?;
        let name = side.cookie(self.origin.secure());
        let gone = format!("{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
        if let Ok(gone) = HeaderValue::from_str(&gone) {
            response.headers_mut().insert(header::SET_COOKIE, gone);
        }
        Ok(response)
    }

    async fn signed_in(
        &self,
        side: Side,
        headers: &HeaderMap,
    ) -> Result<Option<(SignInRow, String)>, StoreError> {
        let Some(token) = cookie(headers, side.cookie(self.origin.secure())) else {
            return Ok(None);
        };
        let Some(row) = self.database.sign_in(&token_digest(token)).await? else {
            return Ok(None);
        };
        let now = SystemClock.now();
        if row.created_at.plus(LONGEST) <= now || row.seen_at.plus(IDLE) <= now {
            self.database.sign_out(&row.digest).await?;
            return Ok(None);
        }
        // What a page asks for by itself (htmx says so) keeps nobody signed in.
        if row.seen_at.plus(SEEN) <= now && !headers.contains_key("hx-request") {
            self.database.sign_in_seen(&row.digest, now).await?;
        }
        Ok(Some((row, csrf(token))))
    }

    /// Who of the people that work here sends this.
    pub(crate) async fn staff(&self, headers: &HeaderMap) -> Result<Option<Staff>, StoreError> {
        let Some((row, csrf)) = self.signed_in(Side::Staff, headers).await? else {
            return Ok(None);
        };
        let Whose::Person(name) = row.whose else {
            return Ok(None);
        };
        let person = self.database.person(&name).await?;
        let Some(person) = person.filter(|person| person.ended_at.is_none()) else {
            return Ok(None);
        };
        Ok(Role::from_word(&person.role).map(|role| Staff {
            name: person.name,
            role,
            how: row.how,
            csrf,
            digest: row.digest,
        }))
    }

    /// Which customer sends this.
    pub(crate) async fn customer(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<Customer>, StoreError> {
        let Some((row, csrf)) = self.signed_in(Side::Customer, headers).await? else {
            return Ok(None);
        };
        let digest = row.digest;
        Ok(match row.whose {
            Whose::Account(account) => Some(Customer {
                account,
                csrf,
                digest,
            }),
            Whose::Person(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
