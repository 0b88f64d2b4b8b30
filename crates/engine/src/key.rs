//! What does an API key look like, and is this one spelled right?
//!
//! `fh_live_<id>_<secret><checksum>`: the id is public and names the key, the
//! secret is 256 bits, the checksum is the CRC-32 of everything before it in
//! six base62 digits, so that a typo is answered before anything is looked up
//! (and scanners for leaked secrets can tell a key from noise). Nothing here
//! draws randomness: the bytes are an argument.

use std::fmt;

use facts::KeyId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every key begins with.
pub const PREFIX: &str = "fh_live_";
/// Random bytes that [`Key::mint`] takes: 8 for the id, 32 for the secret.
pub const RANDOM_BYTES: usize = 40;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^11 > 2^64.
const ID_LEN: usize = 11;
/// 62^22 > 2^128, twice.
const SECRET_LEN: usize = 44;
/// 62^6 > 2^32.
const CHECKSUM_LEN: usize = 6;

/// A whole key, shown to its owner once.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    text: String,
}

/// SHA-256 of a whole key: what is kept at rest.
#[derive(Clone, Copy)]
pub struct KeyDigest(pub [u8; 32]);

/// Why a string is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not `fh_live_<id>_<secret><checksum>`.
    Shape,
    /// The checksum does not fit the rest: mistyped or cut.
    Checksum,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "not a key of the form `fh_live_<id>_<secret>`",
            Self::Checksum => "the key's checksum does not fit: it was mistyped or cut",
        })
    }
}

impl std::error::Error for KeyError {}

impl Key {
    /// Makes a key from random bytes.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "eleven base62 digits always are an id; a test mints at the extremes"
    )]
    pub fn mint(random: &[u8; RANDOM_BYTES]) -> Self {
        let (id_bytes, secret) = random.split_at(8);
        let (high, low) = secret.split_at(16);
        let mut id_text = String::with_capacity(ID_LEN);
        base62(big_endian(id_bytes), ID_LEN, &mut id_text);
        let mut text = format!("{PREFIX}{id_text}_");
        base62(big_endian(high), SECRET_LEN / 2, &mut text);
        base62(big_endian(low), SECRET_LEN / 2, &mut text);
        let crc = crc32fast::hash(text.as_bytes());
        base62(u128::from(crc), CHECKSUM_LEN, &mut text);
        let id = KeyId::parse(&id_text).expect("base62 digits");
        Self { id, text }
    }

    /// Checks the shape and the checksum of a key as a client sent it.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be a key; nothing was looked up.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(PREFIX).ok_or(KeyError::Shape)?;
        let (id, tail) = rest.split_once('_').ok_or(KeyError::Shape)?;
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric());
        if id.len() != ID_LEN
            || tail.len() != SECRET_LEN + CHECKSUM_LEN
            || !digits(id)
            || !digits(tail)
        {
            return Err(KeyError::Shape);
        }
        let (body, checksum) = text
            .split_at_checked(text.len() - CHECKSUM_LEN)
            .ok_or(KeyError::Shape)?;
        let mut expected = String::with_capacity(CHECKSUM_LEN);
        base62(
            u128::from(crc32fast::hash(body.as_bytes())),
            CHECKSUM_LEN,
            &mut expected,
        );
        if checksum != expected {
            return Err(KeyError::Checksum);
        }
        let id = KeyId::parse(id).map_err(|_| KeyError::Shape)?;
        Ok(Self {
            id,
            text: text.to_owned(),
        })
    }

    /// The public part.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The whole key. Show it once; never log it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What to keep.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.text.as_bytes()).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({PREFIX}{}_...)", self.id)
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

impl PartialEq for KeyDigest {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

fn big_endian(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b))
}

/// Appends `n` in exactly `width` base62 digits, most significant first.
fn base62(mut n: u128, width: usize, out: &mut String) {
    let mut digits = [b'0'; SECRET_LEN];
    for slot in digits.iter_mut().take(width).rev() {
        let digit = usize::try_from(n % 62).unwrap_or(0);
        *slot = DIGITS.get(digit).copied().unwrap_or(b'0');
        n /= 62;
    }
    out.extend(digits.iter().take(width).map(|b| char::from(*b)));
}

#[cfg(test)]
mod tests;
