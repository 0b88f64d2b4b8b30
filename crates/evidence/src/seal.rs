//! Bodies at rest: AES-256-GCM under one key per record, with a salted
//! commitment, because GCM does not commit to its key.
//!
//! Keys: KEK -> account and month (derived) -> subject (random, kept wrapped;
//! [`keys`]) -> record (derived), each derivation by HKDF-SHA256. Whoever
//! destroys a subject's key forgets its bodies; the log still verifies.
//! `docs/sealed-bodies.md` gives every byte. Bodies of version 1, whose record
//! keys were derived from the account-month key itself, still open.

pub mod keys;

use std::fmt;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use facts::{AccountId, ExchangeId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Commitment;
pub use keys::{Format, Kek, KekId, Owner, SubjectDigest, SubjectKey};

const SALT: usize = 32;
const NONCE: usize = 12;

/// Fresh random bytes that [`seal`] needs: a salt of 32 and a nonce of 12.
pub type Fresh = [u8; SALT + NONCE];

/// Which body of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// What the client sent.
    Request,
    /// What was delivered.
    Answer,
}

impl Body {
    /// The word used in stores and bundles.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

/// Whose body it is; bound into the ciphertext.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The exchange.
    pub exchange: &'a ExchangeId,
    /// Which of its bodies.
    pub body: Body,
}

/// A sealed body with the commitment that goes into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Version, nonce, ciphertext with tag.
    pub bytes: Vec<u8>,
    /// Commitment to the plaintext.
    pub commitment: Commitment,
}

/// An opened body: what a stranger needs to check the commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The body's exact bytes.
    pub plaintext: Vec<u8>,
    /// The salt of its commitment.
    pub salt: [u8; SALT],
}

/// Why a body cannot be opened. Deliberately says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sealed body does not open: wrong key, wrong label or altered bytes")
    }
}

impl std::error::Error for OpenError {}

/// HMAC-SHA256 of the plaintext under the salt.
pub fn commit(salt: &[u8; SALT], plaintext: &[u8]) -> Commitment {
    let key = <Hmac<Sha256> as Mac>::new_from_slice(salt);
    Commitment(key.map_or([0; 32], |mac| {
        mac.chain_update(plaintext).finalize().into_bytes().into()
    }))
}

/// HKDF-SHA256 without salt.
fn derive(key: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    let expanded = Hkdf::<Sha256>::new(None, key).expand_multi_info(info, &mut out);
    debug_assert!(expanded.is_ok(), "32 bytes are always available");
    out
}

/// The key that one body is sealed under.
pub fn record_key(key: &SubjectKey, label: &Label<'_>) -> [u8; 32] {
    let exchange = label.exchange.as_str().as_bytes();
    let body = label.body.word().as_bytes();
    let purpose: &[u8] = match key.format() {
        Format::AccountMonth => b"fairhold record\0",
        Format::Subject => b"fairhold record v2\0",
    };
    derive(key.expose(), &[purpose, exchange, b"\0", body])
}

fn bound(label: &Label<'_>) -> Vec<u8> {
    [
        label.account.as_str(),
        label.exchange.as_str(),
        label.body.word(),
    ]
    .join("\0")
    .into_bytes()
}

/// Seals a body. `fresh` must come from a secure random source, anew each time.
///
/// # Errors
/// [`OpenError`] never in practice: only beyond 64 GiB.
pub fn seal(
    key: &SubjectKey,
    label: &Label<'_>,
    fresh: &Fresh,
    plaintext: &[u8],
) -> Result<Sealed, OpenError> {
    let (salt, nonce) = fresh.split_first_chunk::<SALT>().ok_or(OpenError)?;
    let cipher = Aes256Gcm::new(&record_key(key, label).into());
    let mut message = Vec::with_capacity(SALT + plaintext.len());
    message.extend_from_slice(salt);
    message.extend_from_slice(plaintext);
    let payload = Payload {
        msg: &message,
        aad: &bound(label),
    };
    let ciphertext = cipher
        .encrypt(Nonce::from_slice(nonce), payload)
        .map_err(|_| OpenError)?;
    let mut bytes = Vec::with_capacity(1 + NONCE + ciphertext.len());
    bytes.push(key.format().version());
    bytes.extend_from_slice(nonce);
    bytes.extend_from_slice(&ciphertext);
    Ok(Sealed {
        bytes,
        commitment: commit(salt, plaintext),
    })
}

/// Opens a sealed body and checks it against the commitment in the log.
///
/// # Errors
/// [`OpenError`] when anything differs.
pub fn open(
    key: &SubjectKey,
    label: &Label<'_>,
    sealed: &[u8],
    commitment: &Commitment,
) -> Result<Opened, OpenError> {
    let (version, rest) = sealed.split_first().ok_or(OpenError)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(OpenError)?;
    if *version != key.format().version() {
        return Err(OpenError);
    }
    let cipher = Aes256Gcm::new(&record_key(key, label).into());
    let payload = Payload {
        msg: ciphertext,
        aad: &bound(label),
    };
    let message = cipher
        .decrypt(Nonce::from_slice(nonce), payload)
        .map_err(|_| OpenError)?;
    let (salt, plaintext) = message.split_first_chunk::<SALT>().ok_or(OpenError)?;
    if commit(salt, plaintext) != *commitment {
        return Err(OpenError);
    }
    Ok(Opened {
        plaintext: plaintext.to_vec(),
        salt: *salt,
    })
}

#[cfg(test)]
mod tests;
