//! Signed files: a payload in a DSSE envelope under one key.
//!
//! # Source
//! Dead Simple Signing Envelope, v1 (secure-systems-lab/dsse). The envelope
//! has one signature and one spelling, RFC 8785 canonical JSON: only the
//! payload is signed, so anything else around it could be changed unnoticed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::note::Verifier;

/// The file, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    keyid: String,
    sig: String,
}

/// DSSE's pre-authentication encoding: what is signed.
pub fn pae(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// Why a signed file does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedError {
    /// It is no envelope, or not spelled as one is written.
    Form(String),
    /// Its payload is of another kind.
    Kind(String),
    /// Another key signed it, or it was changed afterwards.
    Signature {
        /// The name of the key that should have signed.
        key: String,
    },
}

impl fmt::Display for SignedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(why) => write!(f, "read the signed file: {why}"),
            Self::Kind(kind) => {
                write!(f, "read the signed file: it holds `{kind}`, something else")
            }
            Self::Signature { key } => write!(
                f,
                "check the signature: the file was changed, or another key than this `{key}` signed it; give the signer's verifier key with `--key`"
            ),
        }
    }
}

impl std::error::Error for SignedError {}

/// The envelope of a payload that `signer` signed with `signature`.
///
/// # Errors
/// [`SignedError::Form`] never in practice: an envelope always has a JSON form.
pub fn envelope(
    signer: &str,
    kind: &str,
    payload: &[u8],
    signature: &[u8; 64],
) -> Result<Vec<u8>, SignedError> {
    let envelope = Envelope {
        payload: STANDARD.encode(payload),
        payload_type: kind.to_owned(),
        signatures: vec![EnvelopeSignature {
            keyid: signer.to_owned(),
            sig: STANDARD.encode(signature),
        }],
    };
    serde_json_canonicalizer::to_vec(&envelope).map_err(|e| SignedError::Form(e.to_string()))
}

/// The payload of a signed file, once its signature holds.
///
/// # Errors
/// [`SignedError`] saying what does not hold.
pub fn open(key: &Verifier, kind: &str, bytes: &[u8]) -> Result<Vec<u8>, SignedError> {
    let wrong = |why: &str| SignedError::Form(why.to_owned());
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|e| SignedError::Form(e.to_string()))?;
    if envelope.payload_type != kind {
        let shown = envelope.payload_type.chars().take(100).collect();
        return Err(SignedError::Kind(shown));
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(wrong("it has no single signature"));
    };
    let payload = STANDARD.decode(&envelope.payload);
    let payload = payload.map_err(|_| wrong("its payload is not base64"))?;
    let bare = STANDARD.decode(&signature.sig).ok();
    let bare: [u8; 64] = bare
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| wrong("its signature is not Ed25519"))?;
    if signature.keyid != key.name() || !key.holds(&pae(kind, &payload), &bare) {
        return Err(SignedError::Signature {
            key: key.name().to_owned(),
        });
    }
    let form = serde_json_canonicalizer::to_vec(&envelope);
    if form.ok().as_deref() != Some(bytes) {
        return Err(wrong("its envelope is not as it was written"));
    }
    Ok(payload)
}
