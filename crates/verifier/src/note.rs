//! Signed notes and the keys that sign them (C2SP signed-note).
//!
//! A [`Note`] keeps every signature, those of unknown keys too: whoever passes
//! a checkpoint on must not drop what others can check.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Signature lines that are read at most; the specification asks for 16.
const SIGNATURES: usize = 64;
/// Bytes of a note that are read at most.
const LARGEST: usize = 1 << 20;

/// Why a key or a note does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteError(pub(crate) &'static str);

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoteError {}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The note's text (type 0x01).
    Ed25519,
    /// A checkpoint with the time it was seen (type 0x04, C2SP tlog-cosignature).
    Cosignature,
}

impl KeyKind {
    /// The type's byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ed25519),
            4 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The four bytes by which a signature line names its key.
pub fn key_id(name: &str, kind: KeyKind, public: &[u8; 32]) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind.byte()])
        .chain_update(public)
        .finalize()
        .into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

/// A verifier key as text, `<name>+<key id>+<base64>`.
pub fn vkey(name: &str, kind: KeyKind, public: &[u8; 32]) -> String {
    let mut bytes = vec![kind.byte()];
    bytes.extend_from_slice(public);
    let id = hex::encode(key_id(name, kind, public));
    format!("{name}+{id}+{}", STANDARD.encode(bytes))
}

/// Whether a key may have this name: visible text without spaces and plus signs.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// One line below a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key: [u8; 4],
    /// What the key made of the text; its shape depends on the key's kind.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// [`NoteError`] when it is no signature line.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        const SHAPE: NoteError = NoteError("a signature line is `\u{2014} <name> <base64>`");
        let rest = line.strip_prefix("\u{2014} ").ok_or(SHAPE)?;
        let (name, value) = rest.split_once(' ').ok_or(SHAPE)?;
        let bytes = STANDARD.decode(value).map_err(|_| SHAPE)?;
        let (key, signature) = bytes.split_first_chunk::<4>().ok_or(SHAPE)?;
        if !is_name(name) || signature.is_empty() {
            return Err(SHAPE);
        }
        Ok(Self {
            name: name.to_owned(),
            key: *key,
            signature: signature.to_vec(),
        })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key.to_vec();
        bytes.extend_from_slice(&self.signature);
        writeln!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text and the signatures below it. Its `Display` is the note itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What was signed, with its last newline.
    pub text: String,
    /// Who signed it, in the order of the lines.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note; no signature is checked yet.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        const SHAPE: NoteError = NoteError("this is not a signed note");
        if note.len() > LARGEST {
            return Err(NoteError("the note is larger than 1 MiB"));
        }
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError("a note holds no control characters"));
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(SHAPE)?;
        let lines = lines.strip_suffix('\n').ok_or(SHAPE)?;
        let signatures: Vec<_> = lines
            .split('\n')
            .take(SIGNATURES + 1)
            .map(NoteSignature::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES {
            return Err(NoteError("the note has more than 64 signatures"));
        }
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| s.fmt(f))
    }
}

/// Checks what one key signed: a log's, or a witness's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads a verifier key, `<name>+<key id>+<base64>`.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        const SHAPE: NoteError = NoteError("a verifier key is `<name>+<8 hex digits>+<base64>`");
        let mut parts = vkey.splitn(3, '+');
        let (name, id, key) = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(id), Some(key)) if is_name(name) => (name, id, key),
            _ => return Err(SHAPE),
        };
        let bytes = STANDARD.decode(key).map_err(|_| SHAPE)?;
        let (byte, public) = bytes.split_first().ok_or(SHAPE)?;
        let kind = KeyKind::from_byte(*byte).ok_or(NoteError(
            "the verifier key is of a kind that is not known; Ed25519 (0x01) and its cosignatures (0x04) are",
        ))?;
        let public: &[u8; 32] = public.try_into().map_err(|_| SHAPE)?;
        if id != hex::encode(key_id(name, kind, public)) {
            return Err(NoteError("the verifier key's id does not fit it"));
        }
        let key = VerifyingKey::from_bytes(public)
            .map_err(|_| NoteError("the verifier key is not a point of the curve"))?;
        Ok(Self {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// The same key under another name: a log's ledgers are signed by one key,
    /// each under its own origin.
    ///
    /// # Errors
    /// [`NoteError`] when that is no key's name.
    pub fn under(&self, name: &str) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError(
                "a key's name is visible text without spaces and plus signs",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            ..self.clone()
        })
    }

    /// The key's name; of a log also its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bare public key.
    pub fn public(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The key as text.
    pub fn vkey(&self) -> String {
        vkey(&self.name, self.kind, &self.public())
    }

    /// Whether a bare signature holds (strictly: no malleable ones).
    pub fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }

    /// This key's signature below a note, if there is one. Two are refused: a
    /// second one would be a line that nobody checks.
    ///
    /// # Errors
    /// [`NoteError`] when there are several.
    pub fn line<'a>(&self, note: &'a Note) -> Result<Option<&'a NoteSignature>, NoteError> {
        let id = key_id(&self.name, self.kind, &self.public());
        let mut own = note
            .signatures
            .iter()
            .filter(|s| s.name == self.name && s.key == id);
        match (own.next(), own.next()) {
            (_, Some(_)) => Err(NoteError("the note is signed twice by one key")),
            (line, None) => Ok(line),
        }
    }
}
