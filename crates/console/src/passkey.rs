//! Did the holder of this passkey sign what we asked?
//!
//! The two ceremonies of `WebAuthn` (Level 3, sections 7.1 and 7.2) for `ES256` and
//! `EdDSA`, without attestation: who somebody is, an invitation says; the passkey
//! only has to be the same one each time. Pure: nothing here keeps a challenge,
//! reads a clock or draws a number.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use ed25519_dalek::Verifier as _;
use p256::ecdsa::{Signature as EcSignature, VerifyingKey as EcKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// For whom a passkey is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelyingParty<'a> {
    /// Scheme, host and port, as a browser writes an origin.
    pub(crate) origin: &'a str,
    /// The host.
    pub(crate) id: &'a str,
}

/// Why a ceremony failed; nothing was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PasskeyError {
    /// A part cannot be read.
    Malformed(&'static str),
    /// The browser did something else than it was asked.
    Ceremony,
    /// It answers another challenge.
    Challenge,
    /// It was made for another place.
    Place,
    /// Nobody was there.
    Absent,
    /// A kind of key that was not asked for.
    Algorithm,
    /// The signature does not hold.
    Signature,
}

impl fmt::Display for PasskeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "the passkey's {what} cannot be read"),
            Self::Ceremony => f.write_str("the browser did something else than it was asked"),
            Self::Challenge => {
                f.write_str("the passkey answered an old question; reload the page and try again")
            }
            Self::Place => f.write_str(
                "the passkey is for another address; open the console at its own address",
            ),
            Self::Absent => f.write_str("nobody touched or unlocked the passkey; try again"),
            Self::Algorithm => f.write_str("the passkey signs neither with ES256 nor with EdDSA"),
            Self::Signature => f.write_str("the passkey's signature does not hold"),
        }
    }
}

impl std::error::Error for PasskeyError {}

/// A new passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    /// The credential's id.
    pub(crate) id: Vec<u8>,
    /// The public key as `COSE_Key`.
    pub(crate) public_key: Vec<u8>,
    /// What the authenticator said of itself.
    pub(crate) said: Said,
}

/// What an authenticator says of one ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it checked who was there (a finger, a face, a number).
    pub(crate) verified: bool,
    /// How often it has signed; 0 where it does not count.
    pub(crate) counter: u32,
}

/// What was signed and by what signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assertion<'a> {
    /// `clientDataJSON`.
    pub(crate) client_data: &'a [u8],
    /// `authenticatorData`.
    pub(crate) authenticator_data: &'a [u8],
    /// `signature`.
    pub(crate) signature: &'a [u8],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const KEY_INCLUDED: u8 = 0x40;

fn answers(
    party: RelyingParty<'_>,
    kind: &str,
    challenge: &[u8],
    given: &[u8],
) -> Result<(), PasskeyError> {
    let data: ClientData =
        serde_json::from_slice(given).map_err(|_| PasskeyError::Malformed("client data"))?;
    if data.kind != kind || data.cross_origin {
        return Err(PasskeyError::Ceremony);
    }
    let answered = URL_SAFE_NO_PAD
        .decode(&data.challenge)
        .map_err(|_| PasskeyError::Malformed("challenge"))?;
    if !bool::from(answered.ct_eq(challenge)) {
        return Err(PasskeyError::Challenge);
    }
    if data.origin != party.origin {
        return Err(PasskeyError::Place);
    }
    Ok(())
}

/// Flags and counter, and what follows them.
fn head<'a>(party: RelyingParty<'_>, data: &'a [u8]) -> Result<(u8, Said, &'a [u8]), PasskeyError> {
    const WHAT: PasskeyError = PasskeyError::Malformed("authenticator data");
    let (place, rest) = data.split_at_checked(32).ok_or(WHAT)?;
    if place != Sha256::digest(party.id).as_slice() {
        return Err(PasskeyError::Place);
    }
    let (flags, rest) = rest.split_first().ok_or(WHAT)?;
    let (counter, rest) = rest.split_first_chunk::<4>().ok_or(WHAT)?;
    if flags & PRESENT == 0 {
        return Err(PasskeyError::Absent);
    }
    let said = Said {
        verified: flags & VERIFIED != 0,
        counter: u32::from_be_bytes(*counter),
    };
    Ok((*flags, said, rest))
}

/// Checks a registration.
///
/// # Errors
/// [`PasskeyError`].
pub(crate) fn registered(
    party: RelyingParty<'_>,
    challenge: &[u8],
    client_data: &[u8],
    attestation: &[u8],
) -> Result<Registered, PasskeyError> {
    const WHAT: PasskeyError = PasskeyError::Malformed("attestation");
    answers(party, "webauthn.create", challenge, client_data)?;
    let object: Value = ciborium::from_reader(attestation).map_err(|_| WHAT)?;
    let fields = object.as_map().ok_or(WHAT)?;
    let data = fields
        .iter()
        .find(|(name, _)| name.as_text() == Some("authData"))
        .and_then(|(_, data)| data.as_bytes())
        .ok_or(WHAT)?;
    let (flags, said, rest) = head(party, data)?;
    if flags & KEY_INCLUDED == 0 {
        return Err(WHAT);
    }
    // The authenticator's model (16 bytes) is not asked for and not kept.
    let (_, rest) = rest.split_at_checked(16).ok_or(WHAT)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(WHAT)?;
    let (id, mut rest) = rest
        .split_at_checked(usize::from(u16::from_be_bytes(*length)))
        .ok_or(WHAT)?;
    if id.is_empty() || id.len() > 1023 {
        return Err(WHAT);
    }
    let whole = rest;
    let _: Value = ciborium::from_reader(&mut rest).map_err(|_| WHAT)?;
    let (public_key, _) = whole
        .split_at_checked(whole.len().saturating_sub(rest.len()))
        .ok_or(WHAT)?;
    Key::parse(public_key)?;
    Ok(Registered {
        id: id.to_vec(),
        public_key: public_key.to_vec(),
        said,
    })
}

/// Checks an authentication with a registered key.
///
/// # Errors
/// [`PasskeyError`].
pub(crate) fn asserted(
    party: RelyingParty<'_>,
    challenge: &[u8],
    public_key: &[u8],
    by: Assertion<'_>,
) -> Result<Said, PasskeyError> {
    answers(party, "webauthn.get", challenge, by.client_data)?;
    let (_, said, _) = head(party, by.authenticator_data)?;
    let mut signed = by.authenticator_data.to_vec();
    signed.extend_from_slice(&Sha256::digest(by.client_data));
    if Key::parse(public_key)?.holds(&signed, by.signature) {
        Ok(said)
    } else {
        Err(PasskeyError::Signature)
    }
}

enum Key {
    Es256(EcKey),
    EdDsa(ed25519_dalek::VerifyingKey),
}

impl Key {
    /// RFC 9053: key type 1, algorithm 3, curve -1, coordinates -2 and -3.
    fn parse(cose: &[u8]) -> Result<Self, PasskeyError> {
        const WHAT: PasskeyError = PasskeyError::Malformed("key");
        let value: Value = ciborium::from_reader(cose).map_err(|_| WHAT)?;
        let map = value.as_map().ok_or(WHAT)?;
        let of = |label: i64| {
            let labelled = |name: &Value| name.as_integer() == Some(label.into());
            map.iter().find(|(name, _)| labelled(name)).map(|(_, v)| v)
        };
        let number = |label| {
            let integer = of(label).and_then(Value::as_integer);
            integer.and_then(|n| i64::try_from(n).ok())
        };
        let coordinate = |label| -> Option<[u8; 32]> {
            let bytes = of(label).and_then(Value::as_bytes)?;
            bytes.as_slice().try_into().ok()
        };
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let (x, y) = coordinate(-2).zip(coordinate(-3)).ok_or(WHAT)?;
                let point =
                    p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
                let key = EcKey::from_encoded_point(&point).map_err(|_| WHAT)?;
                Ok(Self::Es256(key))
            }
            (Some(1), Some(-8), Some(6)) => {
                let x = coordinate(-2).ok_or(WHAT)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| WHAT)?;
                Ok(Self::EdDsa(key))
            }
            _ => Err(PasskeyError::Algorithm),
        }
    }

    fn holds(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(key) => EcSignature::from_der(signature)
                .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests;
