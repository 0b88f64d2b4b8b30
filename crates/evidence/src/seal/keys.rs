//! The keys above a body's: what is kept of them, and how they open.
//!
//! Nothing here draws random bytes: whoever makes a key brings them.

use std::fmt;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use facts::{AccountId, Timestamp};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroize as _;

use super::{NONCE, OpenError, derive};

/// Length of a wrapped key: nonce, 32 bytes, tag.
pub const WRAPPED: usize = NONCE + 32 + 16;

/// The key that wraps all others. Its value is never printed, and wiped from memory when let go.
#[derive(Clone)]
pub struct Kek([u8; 32]);

/// Names a KEK without saying anything about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KekId(pub [u8; 32]);

impl fmt::Display for KekId {
    /// The first eight hexadecimal digits: enough to tell one's own keys apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, _) = self.0.split_at(4);
        first.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A keyed digest that stands for whom a request names; without the house's key it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectDigest(pub [u8; 32]);

/// What a kept key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Version 1: the account-month key, from which record keys came directly.
    AccountMonth,
    /// Version 2: a random key of one subject.
    Subject,
}

impl Format {
    /// The first byte of bodies sealed under such a key, and the number in stores.
    pub fn version(self) -> u8 {
        match self {
            Self::AccountMonth => 1,
            Self::Subject => 2,
        }
    }

    /// The format of this number.
    pub fn from_version(version: u8) -> Option<Self> {
        match version {
            1 => Some(Self::AccountMonth),
            2 => Some(Self::Subject),
            _ => None,
        }
    }
}

/// Under which a body's own key is derived. Wiped from memory when let go.
#[derive(Clone)]
pub struct SubjectKey {
    key: [u8; 32],
    format: Format,
}

/// Whose key it is; bound into its wrapping.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The account; empty for the house's own keys.
    pub account: &'a str,
    /// The UTC month, `2026-11`; empty for the house's own keys.
    pub month: &'a str,
    /// The subject.
    pub subject: &'a SubjectDigest,
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(..)")
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

impl Drop for Kek {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Drop for SubjectKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The UTC month of a moment, `2026-11`: it selects the account-month key.
pub fn month(at: Timestamp) -> String {
    at.rfc3339().chars().take(7).collect()
}

impl Kek {
    /// A KEK of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its name.
    pub fn id(&self) -> KekId {
        KekId(derive(&self.0, &[b"fairhold kek id"]))
    }

    /// The account-month key of version 1, of which its record keys come.
    pub fn version_one(&self, account: &AccountId, month: &str) -> SubjectKey {
        let info: [&[u8]; 4] = [
            b"fairhold account-month\0",
            account.as_str().as_bytes(),
            b"\0",
            month.as_bytes(),
        ];
        SubjectKey {
            key: derive(&self.0, &info),
            format: Format::AccountMonth,
        }
    }

    fn account_month(&self, owner: &Owner<'_>) -> [u8; 32] {
        let info: [&[u8]; 4] = [
            b"fairhold account-month v2\0",
            owner.account.as_bytes(),
            b"\0",
            owner.month.as_bytes(),
        ];
        derive(&self.0, &info)
    }

    fn bound(&self, owner: &Owner<'_>, format: Format) -> Vec<u8> {
        let mut bound = b"fairhold wrapped key\0".to_vec();
        bound.extend_from_slice(owner.account.as_bytes());
        bound.push(0);
        bound.extend_from_slice(owner.month.as_bytes());
        bound.push(0);
        bound.push(format.version());
        bound.extend_from_slice(&owner.subject.0);
        bound.extend_from_slice(&self.id().0);
        bound
    }

    /// Wraps a key for keeping. `nonce` must be fresh and random.
    ///
    /// # Errors
    /// [`OpenError`] never in practice.
    pub fn wrap(
        &self,
        owner: &Owner<'_>,
        key: &SubjectKey,
        nonce: &[u8; NONCE],
    ) -> Result<Vec<u8>, OpenError> {
        let mut under = self.account_month(owner);
        let cipher = Aes256Gcm::new(&under.into());
        under.zeroize();
        let payload = Payload {
            msg: &key.key,
            aad: &self.bound(owner, key.format),
        };
        let sealed = cipher
            .encrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_| OpenError)?;
        let mut wrapped = Vec::with_capacity(WRAPPED);
        wrapped.extend_from_slice(nonce);
        wrapped.extend_from_slice(&sealed);
        Ok(wrapped)
    }

    /// Opens a wrapped key.
    ///
    /// # Errors
    /// [`OpenError`] when anything differs: KEK, owner, format or bytes.
    pub fn unwrap(
        &self,
        owner: &Owner<'_>,
        format: Format,
        wrapped: &[u8],
    ) -> Result<SubjectKey, OpenError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or(OpenError)?;
        let mut under = self.account_month(owner);
        let cipher = Aes256Gcm::new(&under.into());
        under.zeroize();
        let payload = Payload {
            msg: sealed,
            aad: &self.bound(owner, format),
        };
        let mut opened = cipher
            .decrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_| OpenError)?;
        let key = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| OpenError);
        opened.zeroize();
        Ok(SubjectKey { key: key?, format })
    }
}

impl SubjectKey {
    /// A subject's key of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self {
            key: bytes,
            format: Format::Subject,
        }
    }

    /// What it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The key's bytes: for deriving from, and for tests that look for them where they must not be.
    pub fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    /// The digest of a subject of an account, where this is the house's key for them:
    /// HMAC-SHA256 under a key derived for the account.
    pub fn digest(&self, account: &AccountId, subject: &str) -> SubjectDigest {
        let info: [&[u8]; 2] = [b"fairhold subject digest\0", account.as_str().as_bytes()];
        let under = derive(&self.key, &info);
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(&under);
        SubjectDigest(mac.map_or([0; 32], |mac| {
            mac.chain_update(subject).finalize().into_bytes().into()
        }))
    }
}
