//! Asking a timestamp authority (RFC 3161), and keeping what it says in the one
//! form that `verifier::timestamp` accepts.

use std::fmt;

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{CertificateSet, SignedData, SignerIdentifier, SignerInfos};
use der::asn1::{Int, ObjectIdentifier, OctetString, SetOfVec};
use der::pem::LineEnding;
use der::{Any, Decode, Encode, EncodePem as _};
use sha2::{Digest as _, Sha256};
pub use verifier::timestamp::{Stamped, TimestampError, verify};
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion};

use crate::bundle::Timestamp;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Why there is no timestamp.
#[derive(Debug)]
pub enum StampError {
    /// The request or the answer has no such form.
    Form(der::Error),
    /// The authority refused; its own words, if it gave any.
    Refused(String),
    /// What it says does not hold.
    Wrong(TimestampError),
    /// It answered another request.
    Nonce,
}

impl fmt::Display for StampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "read the timestamp authority's answer: {error}"),
            Self::Refused(words) => write!(f, "the timestamp authority refused{words}"),
            Self::Wrong(error) => error.fmt(f),
            Self::Nonce => f.write_str("the timestamp authority answered another request"),
        }
    }
}

impl std::error::Error for StampError {}

impl From<der::Error> for StampError {
    fn from(error: der::Error) -> Self {
        Self::Form(error)
    }
}

/// The request for a timestamp over `data` (`application/timestamp-query`).
/// `nonce` is fresh randomness; the authority repeats it.
///
/// # Errors
/// [`StampError::Form`] never in practice.
pub fn request(data: &[u8], nonce: u64) -> Result<Vec<u8>, StampError> {
    let query = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: SHA256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(Sha256::digest(data).as_slice())?,
        },
        req_policy: None,
        nonce: Some(positive(nonce)?),
        cert_req: true,
        extensions: None,
    };
    Ok(query.to_der()?)
}

/// A positive integer in its shortest form.
fn positive(value: u64) -> Result<Int, der::Error> {
    let bytes = value.to_be_bytes();
    let from = bytes.iter().position(|b| *b != 0).unwrap_or(7);
    let mut shortest = bytes.get(from..).unwrap_or_default().to_vec();
    if shortest.first().is_some_and(|b| b & 0x80 != 0) {
        shortest.insert(0, 0);
    }
    Int::new(&shortest)
}

/// Takes an authority's answer to [`request`]: checks it, and keeps the token
/// with the signer's certificate alone. All other certificates go beside it:
/// a set of several is in no order that every reader accepts.
///
/// `authorities` is PEM of the authority's root and what else it does not send.
///
/// # Errors
/// [`StampError`] saying what is wrong; nothing is kept then.
pub fn accept(
    answer: &[u8],
    data: &[u8],
    nonce: u64,
    authorities: &[u8],
) -> Result<(Timestamp, Stamped), StampError> {
    let read = TimeStampResp::from_der(answer)?;
    let Some(token) = read.time_stamp_token else {
        let words = read.status.status_string.unwrap_or_default();
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        return Err(StampError::Refused(if words.is_empty() {
            String::new()
        } else {
            format!(": {}", words.join("; "))
        }));
    };
    let mut signed: SignedData = token.content.decode_as()?;
    let mut chain = authorities.to_vec();
    if chain.last().is_some_and(|b| *b != b'\n') {
        chain.push(b'\n');
    }
    let sid = signed
        .signer_infos
        .0
        .get(0)
        .map(|signer| signer.sid.clone());
    let mut own = SetOfVec::new();
    for certificate in certificates(&signed) {
        if sid.as_ref().is_some_and(|sid| is_of(&certificate, sid)) {
            own.insert(CertificateChoices::Certificate(certificate))?;
        } else {
            chain.extend_from_slice(certificate.to_pem(LineEnding::LF)?.as_bytes());
        }
    }
    signed.certificates = Some(CertificateSet(own));
    signed.crls = None;
    let mut signers = SetOfVec::new();
    for each in signed.signer_infos.0.iter() {
        let mut one = each.clone();
        one.unsigned_attrs = None;
        signers.insert(one)?;
    }
    signed.signer_infos = SignerInfos(signers);
    let response = granted(&ContentInfo {
        content_type: token.content_type,
        content: Any::encode_from(&signed)?,
    })?;
    let stamped = verify(&response, data, authorities, &chain).map_err(StampError::Wrong)?;
    if stamped.nonce.as_deref() != Some(positive(nonce)?.as_bytes()) {
        return Err(StampError::Nonce);
    }
    Ok((Timestamp { response, chain }, stamped))
}

/// A response that grants and says nothing more: `SEQUENCE { SEQUENCE { 0 }, token }`.
fn granted(token: &ContentInfo) -> Result<Vec<u8>, der::Error> {
    let status = Any::from_der(&[0x30, 3, 2, 1, 0])?;
    let token = Any::encode_from(token)?;
    vec![status, token].to_der()
}

fn certificates(signed: &SignedData) -> Vec<Certificate> {
    let inside = signed.certificates.iter().flat_map(|set| set.0.iter());
    let inside = inside.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
        CertificateChoices::Other(_) => None,
    });
    inside.collect()
}

fn is_of(certificate: &Certificate, sid: &SignerIdentifier) -> bool {
    let own = &certificate.tbs_certificate;
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == own.issuer && id.serial_number == own.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => own
            .get::<x509_cert::ext::pkix::SubjectKeyIdentifier>()
            .is_ok_and(|found| found.is_some_and(|(_, key)| key == *id)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
