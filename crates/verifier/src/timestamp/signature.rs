//! Signatures of X.509: RSA with PKCS #1 v1.5, ECDSA on P-256 and P-384.

use der::Encode as _;
use der::asn1::ObjectIdentifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;
use rsa::traits::PublicKeyParts as _;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::{SHA256, SHA384, SHA512, plain};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// The least RSA key that counts, in bits.
const RSA_BITS: usize = 2048;

/// Checks a signature under a key; `digest` is the one stated apart from the
/// algorithm, where there is one.
pub(super) fn check(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<&AlgorithmIdentifierOwned>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    if !plain(algorithm.parameters.as_ref()) {
        return Err("its algorithm has parameters".to_owned());
    }
    let spki = key.to_der().map_err(|e| e.to_string())?;
    let hash = match (algorithm.oid, digest) {
        (RSA, Some(digest)) => digest.oid,
        (RSA_SHA256 | ECDSA_SHA256, _) => SHA256,
        (RSA_SHA384 | ECDSA_SHA384, _) => SHA384,
        (RSA_SHA512 | ECDSA_SHA512, _) => SHA512,
        (other, _) => return Err(format!("its algorithm {other} is not known")),
    };
    if digest.is_some_and(|digest| digest.oid != hash) {
        return Err("its digest is not its algorithm's".to_owned());
    }
    let held = match algorithm.oid {
        ECDSA_SHA256 => ecdsa(&spki, &Sha256::digest(message), signature),
        ECDSA_SHA384 => ecdsa(&spki, &Sha384::digest(message), signature),
        ECDSA_SHA512 => ecdsa(&spki, &Sha512::digest(message), signature),
        _ => rsa(&spki, hash, message, signature)?,
    };
    match held {
        Some(true) => Ok(()),
        Some(false) => Err("it does not verify".to_owned()),
        None => Err("its key is not of its algorithm".to_owned()),
    }
}

fn rsa(
    spki: &[u8],
    hash: ObjectIdentifier,
    message: &[u8],
    signature: &[u8],
) -> Result<Option<bool>, String> {
    let Ok(key) = rsa::RsaPublicKey::from_public_key_der(spki) else {
        return Ok(None);
    };
    if key.size() * 8 < RSA_BITS {
        return Err(format!("its RSA key is shorter than {RSA_BITS} bits"));
    }
    let Ok(signature) = pkcs1v15::Signature::try_from(signature) else {
        return Ok(Some(false));
    };
    Ok(Some(match hash {
        SHA256 => pkcs1v15::VerifyingKey::<Sha256>::new(key)
            .verify(message, &signature)
            .is_ok(),
        SHA384 => pkcs1v15::VerifyingKey::<Sha384>::new(key)
            .verify(message, &signature)
            .is_ok(),
        SHA512 => pkcs1v15::VerifyingKey::<Sha512>::new(key)
            .verify(message, &signature)
            .is_ok(),
        _ => return Ok(None),
    }))
}

/// On the curve that the key is of; any digest goes with any curve.
fn ecdsa(spki: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(spki) {
        let signature = p256::ecdsa::Signature::from_der(signature);
        return Some(signature.is_ok_and(|s| key.verify_prehash(digest, &s).is_ok()));
    }
    let key = p384::ecdsa::VerifyingKey::from_public_key_der(spki).ok()?;
    let signature = p384::ecdsa::Signature::from_der(signature);
    Some(signature.is_ok_and(|s| key.verify_prehash(digest, &s).is_ok()))
}
