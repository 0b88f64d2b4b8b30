//! From a timestamp's certificate to an authority that is trusted.

use std::time::Duration;

use der::Encode as _;
use der::asn1::ObjectIdentifier;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::{TimestampError, signature};

const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
/// Extensions that are understood here: constraints, key usage, extended key usage.
const UNDERSTOOD: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
];
/// Certificates on the longest way that is followed.
const LONGEST: usize = 8;
/// Certificates that are read at most.
const MOST: usize = 64;

/// The certificates of PEM text; none of an empty one.
fn read(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    if pem.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let all = Certificate::load_pem_chain(pem)
        .map_err(|e| format!("the certificates given cannot be read: {e}"))?;
    if all.len() > MOST {
        return Err(format!("more than {MOST} certificates are given"));
    }
    Ok(all)
}

/// Checks the signer's certificate at the moment it signed.
pub(super) fn check(
    signer: &Certificate,
    authorities: &[u8],
    between: &[u8],
    at: Duration,
) -> Result<(), TimestampError> {
    let wrong = TimestampError::Chain;
    let authorities = read(authorities).map_err(wrong)?;
    let between = read(between).map_err(wrong)?;
    stamps(signer).map_err(wrong)?;
    fit(signer, at).map_err(wrong)?;
    let mut current = signer;
    for depth in 0..LONGEST {
        if let Some(anchor) = authorities.iter().find(|ca| issued(ca, current)) {
            return signs(anchor, depth)
                .and_then(|()| fit(anchor, at))
                .map_err(wrong);
        }
        let next = between
            .iter()
            .find(|ca| *ca != current && issued(ca, current))
            .ok_or(TimestampError::Untrusted)?;
        signs(next, depth).map_err(wrong)?;
        fit(next, at).map_err(wrong)?;
        current = next;
    }
    Err(wrong(format!(
        "it is more than {LONGEST} certificates long"
    )))
}

/// Valid at that moment, and nothing in it that must be understood is not (RFC 5280, section 4.2).
fn fit(certificate: &Certificate, at: Duration) -> Result<(), String> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    for extension in extensions {
        if extension.critical && !UNDERSTOOD.contains(&extension.extn_id) {
            return Err(format!(
                "`{}` holds the critical extension {}, which is not understood here",
                certificate.tbs_certificate.subject, extension.extn_id
            ));
        }
    }
    valid(certificate, at)
}

/// For timestamps, critically, and for nothing else (RFC 3161, section 2.3).
fn stamps(signer: &Certificate) -> Result<(), String> {
    let usage = signer.tbs_certificate.get::<ExtendedKeyUsage>();
    match usage.map_err(|e| e.to_string())? {
        Some((true, ExtendedKeyUsage(uses))) if uses == [TIME_STAMPING] => Ok(()),
        _ => Err("it is not for timestamps alone, critically".to_owned()),
    }
}

fn valid(certificate: &Certificate, at: Duration) -> Result<(), String> {
    let validity = &certificate.tbs_certificate.validity;
    if validity.not_before.to_unix_duration() <= at && at <= validity.not_after.to_unix_duration() {
        return Ok(());
    }
    Err(format!(
        "`{}` was not valid at the time stated",
        certificate.tbs_certificate.subject
    ))
}

/// Whether `ca` signed `certificate`.
fn issued(ca: &Certificate, certificate: &Certificate) -> bool {
    let own = &certificate.tbs_certificate;
    let (Ok(message), Some(bits)) = (own.to_der(), certificate.signature.as_bytes()) else {
        return false;
    };
    ca.tbs_certificate.subject == own.issuer
        && own.signature == certificate.signature_algorithm
        && signature::check(
            &ca.tbs_certificate.subject_public_key_info,
            &certificate.signature_algorithm,
            None,
            &message,
            bits,
        )
        .is_ok()
}

/// May this certificate sign others, with so many below it?
fn signs(ca: &Certificate, below: usize) -> Result<(), String> {
    let own = &ca.tbs_certificate;
    let wrong = |what: &str| format!("`{}` {what}", own.subject);
    let basic = own.get::<BasicConstraints>().map_err(|e| e.to_string())?;
    let basic = basic.map(|(_, basic)| basic);
    if !basic.as_ref().is_some_and(|basic| basic.ca) {
        return Err(wrong("is no authority's certificate"));
    }
    let length = basic.and_then(|basic| basic.path_len_constraint);
    if length.is_some_and(|length| usize::from(length) < below) {
        return Err(wrong("allows fewer certificates below it"));
    }
    let usage = own.get::<KeyUsage>().map_err(|e| e.to_string())?;
    if usage.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
        return Err(wrong("may not sign certificates"));
    }
    Ok(())
}
