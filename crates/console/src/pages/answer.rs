//! What a customer sends: a form from a page, or JSON from a program.

use axum::body::Bytes;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cases::NewCondition;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    conditions: Vec<NewCondition>,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneCondition {
    promise: String,
    check: String,
    days: u32,
    #[serde(default)]
    text: String,
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn form<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_urlencoded::from_bytes(body).map_err(|e| format!("The form cannot be read: {e}."))
}

fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| format!("The JSON cannot be read: {e}."))
}

/// The text that was sent.
pub(super) fn words(headers: &HeaderMap, body: &Bytes) -> Result<String, String> {
    let words: Words = if is_json(headers) {
        json(body)?
    } else {
        form(body)?
    };
    Ok(words.text)
}

/// The conditions that were offered, and what was said with them.
pub(super) fn conditions(
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Vec<NewCondition>, String), String> {
    if is_json(headers) {
        let sent: Conditions = json(body)?;
        return Ok((sent.conditions, sent.text));
    }
    let one: OneCondition = form(body)?;
    let condition = NewCondition {
        promise: one.promise,
        check: one.check,
        days: one.days,
    };
    Ok((vec![condition], one.text))
}
