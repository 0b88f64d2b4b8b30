//! Timestamps (RFC 3161): an authority's word that some bytes existed at a time.
//!
//! A token is read in one form only: status granted and nothing more, one
//! signer, only the signer's own certificate inside (the chain and above all
//! the authority's root lie beside it), no attribute outside the signature.
//! So every bit of a token is either signed or has one possible value.

use std::fmt;

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedData, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_tsp::{TimeStampResp, TstInfo};

mod chain;
mod signature;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// Why a timestamp does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampError {
    /// The bytes are no timestamp response.
    Form(String),
    /// The authority granted nothing.
    Refused,
    /// It is well-formed but not in the one form that is accepted.
    Shape(&'static str),
    /// It is of other bytes.
    Other,
    /// A signature or digest in it does not hold.
    Signature(String),
    /// A certificate on the way to the authority is not fit for it.
    Chain(String),
    /// It holds in itself, but its certificate leads to no authority that is
    /// trusted: name the authority's certificate.
    Untrusted,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "this is no timestamp response: {what}"),
            Self::Refused => f.write_str("the timestamp authority granted nothing"),
            Self::Shape(what) => write!(f, "the timestamp is not in the form accepted: {what}"),
            Self::Other => f.write_str("the timestamp is of other bytes"),
            Self::Signature(what) => write!(f, "the timestamp's signature does not hold: {what}"),
            Self::Chain(what) => write!(f, "the timestamp's certificate does not hold: {what}"),
            Self::Untrusted => f.write_str(
                "the timestamp's certificate leads to no authority that is trusted; name one with its certificate",
            ),
        }
    }
}

impl std::error::Error for TimestampError {}

/// A timestamp that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// When, RFC 3339 in UTC.
    pub time: String,
    /// The same in seconds since 1970.
    pub seconds: u64,
    /// The authority's name.
    pub authority: String,
    /// The authority's policy, an object identifier.
    pub policy: String,
    /// The nonce of the request, if it had one.
    pub nonce: Option<Vec<u8>>,
}

/// Checks that `response` is a timestamp over `data` by an authority whose
/// certificate leads to one of `authorities` (PEM); `between` (PEM) may help on
/// the way and is not trusted.
///
/// # Errors
/// [`TimestampError`] saying what does not hold.
pub fn verify(
    response: &[u8],
    data: &[u8],
    authorities: &[u8],
    between: &[u8],
) -> Result<Stamped, TimestampError> {
    let signed = token(response)?;
    let (info, content) = content(&signed)?;
    let imprint = &info.message_imprint;
    if imprint.hash_algorithm.oid != SHA256 || !plain(imprint.hash_algorithm.parameters.as_ref()) {
        return Err(TimestampError::Shape("its imprint is not SHA-256"));
    }
    if imprint.hashed_message.as_bytes() != Sha256::digest(data).as_slice() {
        return Err(TimestampError::Other);
    }
    let (by, certificate) = signer(&signed)?;
    attributes(by, &content, certificate)?;
    let attributes = by
        .signed_attrs
        .to_der()
        .map_err(|e| TimestampError::Form(e.to_string()))?;
    signature::check(
        &certificate.tbs_certificate.subject_public_key_info,
        &by.signature_algorithm,
        Some(&by.digest_alg),
        &attributes,
        by.signature.as_bytes(),
    )
    .map_err(TimestampError::Signature)?;
    let at = info.gen_time.to_unix_duration();
    chain::check(certificate, authorities, between, at)?;
    Ok(Stamped {
        time: info.gen_time.to_date_time().to_string(),
        seconds: at.as_secs(),
        authority: certificate.tbs_certificate.subject.to_string(),
        policy: info.policy.to_string(),
        nonce: info.nonce.map(|n| n.as_bytes().to_vec()),
    })
}

/// The signed data of a response that is in the one form.
fn token(response: &[u8]) -> Result<SignedData, TimestampError> {
    let form = |e: der::Error| TimestampError::Form(e.to_string());
    let read = TimeStampResp::from_der(response).map_err(form)?;
    let token = read
        .time_stamp_token
        .as_ref()
        .ok_or(TimestampError::Refused)?;
    if read.status.to_der().map_err(form)? != [0x30, 3, 2, 1, 0] {
        return Err(TimestampError::Shape("its status is more than granted"));
    }
    if token.content_type != SIGNED_DATA {
        return Err(TimestampError::Shape("it is not signed data"));
    }
    let signed: SignedData = token.content.decode_as().map_err(form)?;
    // Whatever the reader was lenient about is not written so.
    let again = ContentInfo {
        content_type: SIGNED_DATA,
        content: Any::encode_from(&signed).map_err(form)?,
    };
    let again = TimeStampResp {
        status: read.status.clone(),
        time_stamp_token: Some(again),
    };
    if again.to_der().map_err(form)? != response {
        return Err(TimestampError::Shape("it is not canonical DER"));
    }
    if signed.version != CmsVersion::V3 || signed.crls.is_some() {
        return Err(TimestampError::Shape(
            "it is not version 3 without revocations",
        ));
    }
    Ok(signed)
}

/// What is signed, and its bytes.
fn content(signed: &SignedData) -> Result<(TstInfo, OctetString), TimestampError> {
    let form = |e: der::Error| TimestampError::Form(e.to_string());
    let inner = &signed.encap_content_info;
    let content = inner
        .econtent
        .as_ref()
        .filter(|_| inner.econtent_type == TST_INFO)
        .ok_or(TimestampError::Shape("it holds no timestamp"))?;
    let bytes: OctetString = content.decode_as().map_err(form)?;
    let info = TstInfo::from_der(bytes.as_bytes()).map_err(form)?;
    Ok((info, bytes))
}

/// The one signer and its certificate, the only one inside.
fn signer(signed: &SignedData) -> Result<(&SignerInfo, &Certificate), TimestampError> {
    let [by] = signed.signer_infos.0.as_slice() else {
        return Err(TimestampError::Shape("it has not one signer"));
    };
    let [digest] = signed.digest_algorithms.as_slice() else {
        return Err(TimestampError::Shape("it names not one digest"));
    };
    let same = digest.oid == by.digest_alg.oid && plain(digest.parameters.as_ref());
    if !same || !plain(by.digest_alg.parameters.as_ref()) || by.unsigned_attrs.is_some() {
        return Err(TimestampError::Shape("it says more than is signed"));
    }
    let inside = signed.certificates.as_ref().map(|set| set.0.as_slice());
    let Some([cms::cert::CertificateChoices::Certificate(certificate)]) = inside else {
        return Err(TimestampError::Shape(
            "it does not hold exactly the signer's certificate; the chain belongs beside it",
        ));
    };
    let own = &certificate.tbs_certificate;
    let named = match &by.sid {
        cms::signed_data::SignerIdentifier::IssuerAndSerialNumber(id) => {
            by.version == CmsVersion::V1
                && id.issuer == own.issuer
                && id.serial_number == own.serial_number
        }
        cms::signed_data::SignerIdentifier::SubjectKeyIdentifier(id) => {
            by.version == CmsVersion::V3
                && own
                    .get::<x509_cert::ext::pkix::SubjectKeyIdentifier>()
                    .is_ok_and(|found| found.is_some_and(|(_, key)| key == *id))
        }
    };
    if named {
        Ok((by, certificate))
    } else {
        Err(TimestampError::Shape("its certificate is not its signer's"))
    }
}

/// The signed attributes name the content, its digest and the certificate.
fn attributes(
    signer: &SignerInfo,
    content: &OctetString,
    certificate: &Certificate,
) -> Result<(), TimestampError> {
    let wrong = |what: &str| TimestampError::Signature(what.to_owned());
    let attribute = |oid| -> Option<&Any> {
        let all = signer.signed_attrs.as_ref()?;
        let mut found = all.iter().filter(|a: &&Attribute| a.oid == oid);
        match (found.next()?.values.as_slice(), found.next()) {
            ([one], None) => Some(one),
            _ => None,
        }
    };
    let kind: Option<ObjectIdentifier> = attribute(CONTENT_TYPE).and_then(|v| v.decode_as().ok());
    if kind != Some(TST_INFO) {
        return Err(wrong("it does not name what it signs"));
    }
    let stated: Option<OctetString> = attribute(MESSAGE_DIGEST).and_then(|v| v.decode_as().ok());
    let digest = digest(signer.digest_alg.oid, content.as_bytes())
        .ok_or_else(|| wrong("its digest is neither SHA-256, SHA-384 nor SHA-512"))?;
    if stated.as_ref().map(OctetString::as_bytes) != Some(&digest) {
        return Err(wrong("its digest is of another content"));
    }
    let named = attribute(SIGNING_CERTIFICATE_V2)
        .ok_or_else(|| wrong("it does not name its certificate by SHA-2 (RFC 5816)"))?;
    let named = named_certificate(named).ok_or_else(|| wrong("it names no certificate"))?;
    let own = certificate
        .to_der()
        .map_err(|e| TimestampError::Form(e.to_string()))?;
    if self::digest(named.0, &own).as_ref() == Some(&named.1) {
        Ok(())
    } else {
        Err(wrong("it names another certificate"))
    }
}

/// Algorithm and digest of the first certificate of a `SigningCertificateV2`.
fn named_certificate(value: &Any) -> Option<(ObjectIdentifier, Vec<u8>)> {
    let outer: Vec<Any> = value.decode_as().ok()?; // certs, policies
    let certs: Vec<Any> = outer.first()?.decode_as().ok()?;
    let first: Vec<Any> = certs.first()?.decode_as().ok()?; // [algorithm], hash, [issuer]
    match first.as_slice() {
        [hash, ..] if hash.decode_as::<OctetString>().is_ok() => {
            let hash: OctetString = hash.decode_as().ok()?;
            Some((SHA256, hash.as_bytes().to_vec())) // the algorithm's default
        }
        [algorithm, hash, ..] => {
            let algorithm: Vec<Any> = algorithm.decode_as().ok()?;
            let hash: OctetString = hash.decode_as().ok()?;
            Some((
                algorithm.first()?.decode_as().ok()?,
                hash.as_bytes().to_vec(),
            ))
        }
        _ => None,
    }
}

fn digest(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SHA256 => Some(Sha256::digest(bytes).to_vec()),
        SHA384 => Some(Sha384::digest(bytes).to_vec()),
        SHA512 => Some(Sha512::digest(bytes).to_vec()),
        _ => None,
    }
}

/// Parameters that say nothing: absent, or NULL.
fn plain(parameters: Option<&Any>) -> bool {
    parameters.is_none_or(|any| any.to_der().is_ok_and(|der| der == [5, 0]))
}
