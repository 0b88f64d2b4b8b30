//! What a customer sends: a form from a page, with files or without, or JSON
//! from a program.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Multipart, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cases::NewCondition;
use crate::casework::NewAttachment;

/// An answer in words.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// What is said.
    pub(super) text: String,
    /// Files, at most five.
    #[serde(default)]
    pub(super) attachments: Vec<NewAttachment>,
}

/// Conditions that are offered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Conditions {
    /// The conditions.
    pub(super) conditions: Vec<NewCondition>,
    /// What is said with them.
    #[serde(default)]
    pub(super) text: String,
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

fn is(headers: &HeaderMap, kind: &[u8]) -> bool {
    let given = headers.get(header::CONTENT_TYPE);
    given.is_some_and(|given| given.as_bytes().starts_with(kind))
}

fn form<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_urlencoded::from_bytes(body).map_err(|e| format!("The form cannot be read: {e}."))
}

fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| format!("The JSON cannot be read: {e}."))
}

async fn whole(request: Request) -> Result<Bytes, String> {
    let body = Bytes::from_request(request, &()).await;
    body.map_err(|e| format!("The answer cannot be read: {}.", e.body_text()))
}

/// What was said, with the files that came with it.
pub(super) async fn words(request: Request) -> Result<Words, String> {
    if is(request.headers(), b"multipart/form-data") {
        return parts(request).await;
    }
    let programmed = is(request.headers(), b"application/json");
    let body = whole(request).await?;
    if programmed { json(&body) } else { form(&body) }
}

/// A browser's form with files: the field `text`, and any number of fields `files`.
async fn parts(request: Request) -> Result<Words, String> {
    let broken = |e: &dyn std::fmt::Display| format!("The form cannot be read: {e}.");
    let read = Multipart::from_request(request, &()).await;
    let mut form = read.map_err(|e| broken(&e.body_text()))?;
    let (mut text, mut attachments) = (None, Vec::new());
    while let Some(field) = form
        .next_field()
        .await
        .map_err(|e| broken(&e.body_text()))?
    {
        match field.name() {
            Some("text") => text = Some(field.text().await.map_err(|e| broken(&e.body_text()))?),
            Some("files") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let kind = field.content_type().unwrap_or_default().to_owned();
                let bytes = field.bytes().await.map_err(|e| broken(&e.body_text()))?;
                // A browser sends an empty part where no file was chosen.
                if !(name.is_empty() && bytes.is_empty()) {
                    let data = STANDARD.encode(&bytes);
                    attachments.push(NewAttachment { name, kind, data });
                }
            }
            other => {
                let name = other.unwrap_or_default();
                return Err(format!("The form has a field `{name}` that is not known."));
            }
        }
    }
    let text = text.ok_or("The form lacks the field `text`.")?;
    Ok(Words { text, attachments })
}

/// The conditions that were offered, and what was said with them.
pub(super) async fn conditions(request: Request) -> Result<Conditions, String> {
    let programmed = is(request.headers(), b"application/json");
    let body = whole(request).await?;
    if programmed {
        return json(&body);
    }
    let one: OneCondition = form(&body)?;
    let condition = NewCondition {
        promise: one.promise,
        check: one.check,
        days: one.days,
    };
    Ok(Conditions {
        conditions: vec![condition],
        text: one.text,
    })
}
