//! Signed checkpoints: C2SP tlog-checkpoint inside a C2SP signed-note, Ed25519.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::merkle::Hash;

const ED25519: u8 = 1;

/// The state of the log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// Why a key or a note does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteError(&'static str);

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoteError {}

fn key_hash(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(public)
        .finalize();
    let mut short = [0; 4];
    short
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    short
}

/// The key that signs the log. Its secret is never printed.
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
    /// [`NoteError`] when the name is empty or holds a space or a plus.
    pub fn from_seed(seed: &[u8; 32], name: &str) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError(
                "a key's name is visible text without spaces and plus signs",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// The verifier key as text: `<name>+<hash>+<key>`.
    pub fn vkey(&self) -> String {
        let public = self.key.verifying_key().to_bytes();
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(&public);
        let hash = hex::encode(key_hash(&self.name, &public));
        format!("{}+{hash}+{}", self.name, STANDARD.encode(bytes))
    }

    /// The signed checkpoint.
    pub fn checkpoint(&self, size: u64, root: &Hash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.name, STANDARD.encode(root));
        let mut signature = key_hash(&self.name, &self.key.verifying_key().to_bytes()).to_vec();
        signature.extend_from_slice(&self.sign(text.as_bytes()));
        format!(
            "{text}\n\u{2014} {} {}\n",
            self.name,
            STANDARD.encode(signature)
        )
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

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Name, key hash and signature of one line below a note.
fn signature_line(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, value) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(value).ok().filter(|_| is_name(name))?;
    let (short, signature) = bytes.split_first_chunk::<4>()?;
    (!signature.is_empty()).then(|| (name, *short, signature.to_vec()))
}

/// Checks what the log's key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads a verifier key, `<name>+<hash>+<key>`.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        const SHAPE: NoteError = NoteError("a verifier key is `<name>+<8 hex digits>+<base64>`");
        let mut parts = vkey.splitn(3, '+');
        let (name, hash, key) = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(hash), Some(key)) if is_name(name) => (name, hash, key),
            _ => return Err(SHAPE),
        };
        let bytes = STANDARD.decode(key).map_err(|_| SHAPE)?;
        let public: &[u8; 32] = match bytes.split_first() {
            Some((&ED25519, rest)) => rest.try_into().map_err(|_| SHAPE)?,
            _ => return Err(NoteError("the verifier key is of a kind that is not known")),
        };
        if hash != hex::encode(key_hash(name, public)) {
            return Err(NoteError("the verifier key's hash does not fit it"));
        }
        let key = VerifyingKey::from_bytes(public)
            .map_err(|_| NoteError("the verifier key is not a point of the curve"))?;
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The checkpoint in a note, once its signature holds.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        const SHAPE: NoteError = NoteError("the checkpoint is not a signed note");
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(SHAPE)?;
        let text = format!("{text}\n");
        let hash = key_hash(&self.name, &self.key.to_bytes());
        let lines = signatures.strip_suffix('\n').ok_or(SHAPE)?;
        let mut signed = false;
        for line in lines.split('\n') {
            let (name, short, signature) = signature_line(line).ok_or(SHAPE)?;
            if name != self.name || short != hash {
                continue; // a witness, or another key of the log
            }
            let signature = <[u8; 64]>::try_from(signature).map_err(|_| SHAPE)?;
            if signed || !self.holds(text.as_bytes(), &signature) {
                return Err(NoteError("the checkpoint's signature does not hold"));
            }
            signed = true;
        }
        if signed {
            self.read(&text)
        } else {
            Err(NoteError(
                "no signature of the checkpoint is of the expected key",
            ))
        }
    }

    fn read(&self, text: &str) -> Result<Checkpoint, NoteError> {
        const SHAPE: NoteError = NoteError("the signed text is not a checkpoint");
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(SHAPE);
        };
        let number: u64 = size.parse().map_err(|_| SHAPE)?;
        if number.to_string() != size || origin != self.name {
            return Err(SHAPE);
        }
        let root = STANDARD
            .decode(root)
            .ok()
            .and_then(|b| b.try_into().ok())
            .ok_or(SHAPE)?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: number,
            root,
        })
    }

    /// The key's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a bare signature holds (strictly: no malleable ones).
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }
}

#[cfg(test)]
mod tests;
