//! Signed files: a payload in a DSSE envelope under the log's key.

pub use verifier::dsse::{SignedError, open};
use verifier::dsse::{envelope, pae};

use crate::checkpoint::LogKey;

/// The signed file of a payload; the same bytes for the same payload and key.
///
/// # Errors
/// [`SignedError::Form`] never in practice: an envelope always has a JSON form.
pub fn sign(key: &LogKey, kind: &str, payload: &[u8]) -> Result<Vec<u8>, SignedError> {
    envelope(key.name(), kind, payload, &key.sign(&pae(kind, payload)))
}

#[cfg(test)]
mod tests;
