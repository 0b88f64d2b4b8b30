//! Signed checkpoints: C2SP tlog-checkpoint inside a C2SP signed-note, Ed25519;
//! and the cosignatures of a witness.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
pub use verifier::checkpoint::{
    Checkpoint, Note, NoteError, NoteSignature, Verifier, cosigned_message,
};
use verifier::note::{KeyKind, is_name, key_id, vkey};

use crate::merkle::Hash;

/// Why a key cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNameError(String);

impl fmt::Display for KeyNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no key's name: it is visible text without spaces and plus signs",
            self.0
        )
    }
}

impl std::error::Error for KeyNameError {}

fn named(name: &str) -> Result<String, KeyNameError> {
    is_name(name)
        .then(|| name.to_owned())
        .ok_or_else(|| KeyNameError(name.to_owned()))
}

/// The key that signs a log. Its secret is never printed.
#[derive(Clone)]
pub struct LogKey {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl LogKey {
    /// The key of a seed of 32 random bytes. The name is also the log's origin:
    /// no spaces, no plus.
    ///
    /// # Errors
    /// [`KeyNameError`] when the name is empty or holds a space or a plus.
    pub fn from_seed(seed: &[u8; 32], name: &str) -> Result<Self, KeyNameError> {
        Ok(Self {
            name: named(name)?,
            key: SigningKey::from_bytes(seed),
        })
    }

    /// The same key under the name of another of its ledgers.
    ///
    /// # Errors
    /// [`KeyNameError`] when that is no key's name.
    pub fn under(&self, name: &str) -> Result<Self, KeyNameError> {
        Ok(Self {
            name: named(name)?,
            key: self.key.clone(),
        })
    }

    fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The verifier key as text: `<name>+<hash>+<key>`.
    pub fn vkey(&self) -> String {
        vkey(&self.name, KeyKind::Ed25519, &self.public())
    }

    /// The signed checkpoint.
    pub fn checkpoint(&self, size: u64, root: &Hash) -> String {
        let text = Checkpoint {
            origin: self.name.clone(),
            size,
            root: *root,
        }
        .body();
        let line = NoteSignature {
            name: self.name.clone(),
            key: key_id(&self.name, KeyKind::Ed25519, &self.public()),
            signature: self.sign(text.as_bytes()).to_vec(),
        };
        Note {
            text,
            signatures: vec![line],
        }
        .to_string()
    }

    /// A bare signature.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The key of a witness. Its secret is never printed.
#[derive(Clone)]
pub struct WitnessKey(LogKey);

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessKey")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl WitnessKey {
    /// The key of a seed of 32 random bytes. It must sign nothing else: a
    /// cosignature does not state the witness's name.
    ///
    /// # Errors
    /// [`KeyNameError`] when the name is empty or holds a space or a plus.
    pub fn from_seed(seed: &[u8; 32], name: &str) -> Result<Self, KeyNameError> {
        LogKey::from_seed(seed, name).map(Self)
    }

    /// The verifier key as text, of type 0x04.
    pub fn vkey(&self) -> String {
        vkey(&self.0.name, KeyKind::Cosignature, &self.0.public())
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The line that says: at `time` (seconds since 1970) this was the largest
    /// consistent tree that the witness had seen of the checkpoint's log.
    /// `body` is the checkpoint's text.
    pub fn cosign(&self, time: u64, body: &str) -> NoteSignature {
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.0.sign(&cosigned_message(time, body)));
        NoteSignature {
            name: self.0.name.clone(),
            key: key_id(&self.0.name, KeyKind::Cosignature, &self.0.public()),
            signature,
        }
    }
}

#[cfg(test)]
mod tests;
