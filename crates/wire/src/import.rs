//! Logs that others wrote, line by line, as exchanges.
//!
//! | dialect | a line |
//! |---|---|
//! | [`Dialect::Plain`] | `{account, time, messages, response, usage?, model?, id?}` |
//! | [`Dialect::BatchInput`] | `OpenAI` batch: `{custom_id, method, url, body}` |
//! | [`Dialect::BatchOutput`] | `OpenAI` batch: `{id, custom_id, response: {status_code, body}, error}` |
//! | [`Dialect::LiteLlm`] | `LiteLLM`'s `StandardLoggingPayload` |
//! | [`Dialect::Traffic`] | a labelled row `{source, kind, campaign, prompt, response, model, lang}` |
//!
//! A line without an id gets one from the SHA-256 of its text, so importing a
//! file twice changes nothing. Two identical lines are one exchange.

use std::fmt;

use facts::{AccountId, Endpoint, Exchange, ExchangeId, ModelName, Timestamp, Usage};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::conversation::{messages, of_answer, of_request, text_of};
use crate::usage;

mod time;

pub use time::{parse_rfc3339, timestamp_of_number};

/// How a log's lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One exchange per line in our own plain form.
    Plain,
    /// The requests of an `OpenAI` batch.
    BatchInput,
    /// The answers of an `OpenAI` batch.
    BatchOutput,
    /// `LiteLLM`'s `StandardLoggingPayload`.
    LiteLlm,
    /// Labelled research traffic.
    Traffic,
}

impl Dialect {
    /// The dialect of a line, by the keys it has; none when it fits none.
    pub fn detect(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let has = |keys: &[&str]| keys.iter().all(|k| line.get(k).is_some());
        if has(&["custom_id", "body"]) {
            Some(Self::BatchInput)
        } else if has(&["custom_id"]) && (has(&["response"]) || has(&["error"])) {
            Some(Self::BatchOutput)
        } else if has(&["source", "kind", "prompt"]) {
            Some(Self::Traffic)
        } else if has(&["startTime"]) && (has(&["call_type"]) || has(&["metadata"])) {
            Some(Self::LiteLlm)
        } else if any(&line, ACCOUNT).is_some() && any(&line, SAID).is_some() {
            Some(Self::Plain)
        } else {
            None
        }
    }
}

const ACCOUNT: &[&str] = &["account", "account_id"];
const TIME: &[&str] = &["time", "timestamp", "at", "created"];
const SAID: &[&str] = &["messages", "prompt"];

/// What one line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedLine {
    /// A whole exchange.
    Exchange(Exchange),
    /// A batch's request; its answer comes in another file.
    Request(BatchRequest),
    /// A batch's answer; its request is in another file.
    Answer(BatchAnswer),
    /// A labelled row, which names neither account nor time.
    Row(TrafficRow),
}

/// One request of an `OpenAI` batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRequest {
    /// Joins it to its answer.
    pub custom_id: String,
    /// The operation asked for.
    pub endpoint: Endpoint,
    /// The model asked for.
    pub model: Option<ModelName>,
    /// The conversation: (role, text).
    pub prompt: Vec<(String, String)>,
    /// Stable id of the exchange, from the line.
    pub id: ExchangeId,
}

/// One answer of an `OpenAI` batch. The operation is known by its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnswer {
    /// Joins it to its request.
    pub custom_id: String,
    /// When it was made, where the body says.
    pub at: Option<Timestamp>,
    /// The answer's text.
    pub response: Option<String>,
    /// Tokens, where given.
    pub usage: Option<Usage>,
}

impl BatchRequest {
    /// The exchange of this request and its answer. Batch files name no
    /// account, and only answers hold a time: both are the importer's to give.
    pub fn join(self, answer: Option<BatchAnswer>, account: AccountId, at: Timestamp) -> Exchange {
        let (answered, response, usage) = match answer {
            Some(a) => (a.at, a.response, a.usage),
            None => (None, None, None),
        };
        Exchange {
            id: self.id,
            account,
            at: answered.unwrap_or(at),
            model: self.model,
            prompt: self.prompt,
            response,
            usage,
        }
    }
}

/// One labelled row of research traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficRow {
    /// Where it comes from.
    pub source: String,
    /// What it is: `harvest` and so on.
    pub kind: String,
    /// The campaign it belongs to.
    pub campaign: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// The model asked for.
    pub model: Option<ModelName>,
    /// The conversation: (role, text).
    pub prompt: Vec<(String, String)>,
    /// The answer's text.
    pub response: Option<String>,
    /// Stable id, from the line.
    pub id: ExchangeId,
}

impl TrafficRow {
    /// The row as an exchange of `account` at `at`.
    pub fn into_exchange(self, account: AccountId, at: Timestamp) -> Exchange {
        Exchange {
            id: self.id,
            account,
            at,
            model: self.model,
            prompt: self.prompt,
            response: self.response,
            usage: None,
        }
    }
}

/// Why a line cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// The line is not JSON.
    NotJson {
        /// What the parser met.
        detail: String,
    },
    /// The line is not a JSON object.
    NotAnObject,
    /// A field is missing.
    Missing {
        /// Which; alternatives are divided by commas.
        field: &'static str,
    },
    /// A field cannot be used.
    Field {
        /// Which.
        field: &'static str,
        /// Why.
        detail: String,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { detail } => write!(f, "the line is not JSON: {detail}"),
            Self::NotAnObject => {
                f.write_str("the line is not a JSON object; write one exchange a line")
            }
            Self::Missing { field } => {
                write!(f, "`{field}` is missing; add it or choose another dialect")
            }
            Self::Field { field, detail } => write!(f, "`{field}` cannot be used: {detail}"),
        }
    }
}

impl std::error::Error for LineError {}

/// Reads one line of a log.
///
/// # Errors
/// [`LineError`] says what is wrong with it; the line's number is the caller's.
pub fn parse_line(dialect: Dialect, line: &str) -> Result<ImportedLine, LineError> {
    let json: Value = serde_json::from_str(line).map_err(|e| LineError::NotJson {
        detail: e.to_string(),
    })?;
    if !json.is_object() {
        return Err(LineError::NotAnObject);
    }
    match dialect {
        Dialect::Plain => plain(&json, line).map(ImportedLine::Exchange),
        Dialect::LiteLlm => litellm(&json, line).map(ImportedLine::Exchange),
        Dialect::BatchInput => batch_request(&json, line).map(ImportedLine::Request),
        Dialect::BatchOutput => batch_answer(&json).map(ImportedLine::Answer),
        Dialect::Traffic => traffic(&json, line).map(ImportedLine::Row),
    }
}

/// The elements of a JSON array, each as its own text: `LiteLLM` sends arrays
/// of payloads.
///
/// # Errors
/// [`LineError::NotJson`] when `text` is not a JSON array.
pub fn elements(text: &str) -> Result<Vec<&str>, LineError> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| LineError::NotJson {
        detail: e.to_string(),
    })?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

fn plain(json: &Value, line: &str) -> Result<Exchange, LineError> {
    let said = any(json, SAID).ok_or(LineError::Missing { field: "messages" })?;
    Ok(Exchange {
        id: id_of(json, line),
        account: account(any(json, ACCOUNT).ok_or(LineError::Missing { field: "account" })?)?,
        at: moment(
            "time",
            any(json, TIME).ok_or(LineError::Missing { field: "time" })?,
        )?,
        model: model(json.get("model")),
        prompt: messages(Some(said)),
        response: response(json.get("response")),
        usage: json.get("usage").and_then(figures),
    })
}

/// # Source
/// `litellm/types/utils.py`, `StandardLoggingPayload`: times are seconds as
/// floats, the key's hash stands in `metadata`.
fn litellm(json: &Value, line: &str) -> Result<Exchange, LineError> {
    const WHO: &[&str] = &[
        "user_api_key_hash",
        "user_api_key_alias",
        "user_api_key_user_id",
        "user_api_key_team_id",
    ];
    let metadata = json.get("metadata").unwrap_or(&Value::Null);
    let names = WHO.iter().map(|key| metadata.get(key));
    let mut names = names.chain([json.get("end_user")]).flatten();
    let account = names
        .find_map(|name| AccountId::parse(name.as_str()?).ok())
        .ok_or(LineError::Missing {
            field: "metadata.user_api_key_hash, end_user",
        })?;
    let start = json.get("startTime").filter(|v| !v.is_null());
    let usage = figures(json);
    Ok(Exchange {
        id: id_of(json, line),
        account,
        at: moment(
            "startTime",
            start.ok_or(LineError::Missing { field: "startTime" })?,
        )?,
        model: model(json.get("model")),
        prompt: messages(json.get("messages")),
        response: response(json.get("response")),
        usage,
    })
}

fn batch_request(json: &Value, line: &str) -> Result<BatchRequest, LineError> {
    let url = json.get("url").and_then(Value::as_str).unwrap_or_default();
    let endpoint = Endpoint::from_path(url).ok_or_else(|| LineError::Field {
        field: "url",
        detail: format!("`{url}` is not an operation that is read"),
    })?;
    let body = json
        .get("body")
        .ok_or(LineError::Missing { field: "body" })?;
    Ok(BatchRequest {
        custom_id: custom_id(json)?,
        endpoint,
        model: model(body.get("model")),
        prompt: of_request(endpoint, body),
        id: hashed_id(line),
    })
}

fn batch_answer(json: &Value) -> Result<BatchAnswer, LineError> {
    let body = json
        .get("response")
        .and_then(|r| r.get("body"))
        .unwrap_or(&Value::Null);
    let created = body.get("created").or_else(|| body.get("created_at"));
    Ok(BatchAnswer {
        custom_id: custom_id(json)?,
        at: created.and_then(|at| moment("created", at).ok()),
        response: response(Some(body)),
        usage: body.get("usage").and_then(figures),
    })
}

fn traffic(json: &Value, line: &str) -> Result<TrafficRow, LineError> {
    let word = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(TrafficRow {
        source: word("source").ok_or(LineError::Missing { field: "source" })?,
        kind: word("kind").ok_or(LineError::Missing { field: "kind" })?,
        campaign: word("campaign"),
        lang: word("lang"),
        model: model(json.get("model")),
        prompt: messages(json.get("prompt")),
        response: response(json.get("response")),
        id: hashed_id(line),
    })
}

fn any<'a>(json: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter()
        .find_map(|k| json.get(k).filter(|v| !v.is_null()))
}

fn custom_id(json: &Value) -> Result<String, LineError> {
    let id = json.get("custom_id").and_then(Value::as_str);
    id.map(str::to_owned)
        .ok_or(LineError::Missing { field: "custom_id" })
}

fn account(value: &Value) -> Result<AccountId, LineError> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    AccountId::parse(&text).map_err(|e| LineError::Field {
        field: "account",
        detail: e.to_string(),
    })
}

/// A model's name where there is a usable one: a log is not refused for it.
fn model(value: Option<&Value>) -> Option<ModelName> {
    ModelName::parse(value?.as_str()?).ok()
}

fn moment(field: &'static str, value: &Value) -> Result<Timestamp, LineError> {
    let read = match value {
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) => timestamp_of_number(number),
            Err(_) => parse_rfc3339(text),
        },
        Value::Number(number) => number.as_f64().and_then(timestamp_of_number),
        _ => None,
    };
    read.ok_or_else(|| LineError::Field {
        field,
        detail: format!("{value} is neither RFC 3339 nor Unix seconds or milliseconds"),
    })
}

/// An answer as logs hold it: a text, a message, or a whole API answer.
fn response(value: Option<&Value>) -> Option<String> {
    let value = value?;
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    Endpoint::ALL
        .into_iter()
        .find_map(|endpoint| of_answer(endpoint, value))
        .or_else(|| Some(text_of(Some(value)).into_owned()).filter(|t| !t.is_empty()))
}

fn figures(value: &Value) -> Option<Usage> {
    usage::of_figures(value).usage()
}

fn id_of(json: &Value, line: &str) -> ExchangeId {
    let given = json.get("id").and_then(Value::as_str);
    given
        .and_then(|id| ExchangeId::parse(id).ok())
        .unwrap_or_else(|| hashed_id(line))
}

/// `imp_` and the SHA-256 of the line without the white space around it.
fn hashed_id(line: &str) -> ExchangeId {
    let digest = hex::encode(Sha256::digest(line.trim_ascii().as_bytes()));
    #[expect(clippy::expect_used, reason = "68 letters and digits are an id")]
    ExchangeId::parse(&format!("imp_{digest}")).expect("well formed")
}

#[cfg(test)]
mod tests;
