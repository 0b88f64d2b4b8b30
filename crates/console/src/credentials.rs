//! Who is at the door: a bearer token, or a password as browsers send it.

use base64::Engine as _;
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

/// The secret sent as `Authorization: Bearer ...`, or as the password of
/// `Authorization: Basic ...` so that a browser can ask for it.
pub(crate) fn secret(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(rest.trim())
        .ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    pair.split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// Whether the headers carry `token`; takes the same time for every wrong one
/// of its length.
pub(crate) fn carries(headers: &HeaderMap, token: &str) -> bool {
    secret(headers).is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into())
}
