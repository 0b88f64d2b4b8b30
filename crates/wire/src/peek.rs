//! What must be known of a request before it is let upstream.
//!
//! One typed pass; everything else in the body is skipped, never rebuilt: the
//! exact bytes that were judged are forwarded. Two readers of one body must not
//! be able to see two requests, so duplicate keys are refused (first wins in
//! some parsers, last in others: a bypass of every policy on `model`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use facts::{Endpoint, ModelName};
use serde::Deserialize;
use serde::de::{self, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::count::Count;

/// The largest `max_tokens` that is taken seriously: ten times the longest
/// answer any model offers.
pub const OUTPUT_TOKENS_MAX: u64 = 10_000_000;

/// The largest `n`. `OpenAI` allows 128.
pub const CHOICES_MAX: u64 = 1_024;

/// The deepest nesting. The parsers behind us stop at 128; ours must stop first.
pub const DEPTH_MAX: usize = 100;

/// What the house reads of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The operation whose body it is.
    pub endpoint: Endpoint,
    /// The model asked for.
    pub model: ModelName,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether `stream_options` is there and not null.
    pub has_stream_options: bool,
    /// `stream_options.include_usage`, where given.
    pub include_usage: Option<bool>,
    /// The most tokens the answer may have, where given: the largest of
    /// `max_tokens`, `max_completion_tokens` and `max_output_tokens`.
    pub output_tokens_max: Option<u64>,
    /// Answers asked for: the larger of `n` and `best_of`, 1 when not given.
    pub n: u64,
    /// Length of the body.
    pub body_bytes: usize,
    /// The stored response this one continues; it must belong to its asker.
    pub previous_response_id: Option<String>,
    /// The stored conversation this one continues; it must belong to its asker.
    pub conversation_id: Option<String>,
    /// Whom the request says it is made for: `safety_identifier`, else `user`; of a message
    /// `metadata.user_id`. What is no text names nobody.
    pub subject: Option<String>,
}

impl Peek {
    /// Tokens of the prompt as reserved beforehand: a quarter of the body's
    /// bytes, rounded up.
    ///
    /// The JSON around the text makes it an overestimate for most languages;
    /// scripts of three bytes a letter may exceed it, which settling corrects.
    /// Exact tokenising costs 20 ns per byte and stays off the request's path.
    pub fn input_tokens_estimate(&self) -> u64 {
        u64::try_from(self.body_bytes.div_ceil(4)).unwrap_or(u64::MAX)
    }

    /// Upper estimate of the tokens the request may consume: the prompt and
    /// `n` answers of its own limit, or of `output_tokens_default` without one.
    pub fn tokens_max(&self, output_tokens_default: u64) -> u64 {
        let answer = match self.endpoint {
            Endpoint::Embeddings => 0,
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Messages => self.output_tokens_max.unwrap_or(output_tokens_default),
        };
        self.input_tokens_estimate()
            .saturating_add(answer.saturating_mul(self.n))
    }

    /// Whether usage must be asked of the upstream on the client's behalf, and
    /// the frame that carries it be hidden again (see
    /// [`include_usage`](mod@crate::include_usage)).
    pub fn wants_usage_injected(&self) -> bool {
        matches!(
            self.endpoint,
            Endpoint::ChatCompletions | Endpoint::Completions
        ) && self.stream
            && self.include_usage != Some(true)
    }
}

/// Why a body is not a request that can be judged. Always the client's mistake
/// (400).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeekError {
    /// The body is not UTF-8.
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// The body is not JSON.
    NotJson {
        /// What the parser met, and where.
        detail: String,
    },
    /// The body is JSON but not an object.
    NotAnObject,
    /// Something follows the object.
    TrailingData {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep {
        /// Offset of the bracket that is one too many.
        at: usize,
    },
    /// A key appears twice.
    DuplicateKey {
        /// Which; `stream_options.x` for a key inside.
        key: String,
    },
    /// There is no `model`.
    MissingModel,
    /// A field's value cannot be meant.
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong and where.
        detail: String,
    },
}

impl PeekError {
    /// The field at fault, for the error's `param`.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::DuplicateKey { key } => Some(key),
            Self::MissingModel => Some("model"),
            Self::Field { field, .. } => Some(field),
            Self::NotUtf8 { .. }
            | Self::NotJson { .. }
            | Self::NotAnObject
            | Self::TrailingData { .. }
            | Self::TooDeep { .. } => None,
        }
    }

    /// The error's machine-readable `code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "invalid_utf8",
            Self::NotJson { .. } | Self::NotAnObject | Self::TrailingData { .. } => "invalid_json",
            Self::TooDeep { .. } => "nesting_too_deep",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::MissingModel => "missing_required_parameter",
            Self::Field { .. } => "invalid_value",
        }
    }
}

impl fmt::Display for PeekError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { at } => {
                write!(f, "the body is not UTF-8 at byte {at}; encode it as UTF-8")
            }
            Self::NotJson { detail } => write!(f, "the body is not valid JSON: {detail}"),
            Self::NotAnObject => {
                f.write_str("the body must be a JSON object, for example {\"model\": ...}")
            }
            Self::TrailingData { line, column } => write!(
                f,
                "something follows the JSON object at line {line} column {column}; send one object only"
            ),
            Self::TooDeep { at } => write!(
                f,
                "the body is nested deeper than {DEPTH_MAX} levels at byte {at}; flatten it"
            ),
            Self::DuplicateKey { key } => write!(
                f,
                "`{}` is given twice; parsers differ in which one counts, so give it once",
                key.chars().take(80).collect::<String>()
            ),
            Self::MissingModel => f.write_str("`model` is missing; name the model to ask"),
            Self::Field { field, detail } => write!(f, "`{field}` is not usable: {detail}"),
        }
    }
}

impl std::error::Error for PeekError {}

/// Reads what the house needs of a request to `endpoint`.
///
/// # Errors
/// [`PeekError`] says what to fix and where.
pub fn peek(endpoint: Endpoint, body: &[u8]) -> Result<Peek, PeekError> {
    let text = checked_text(body)?;
    let fields = read_fields(text)?;
    let model = fields.model.as_deref().ok_or(PeekError::MissingModel)?;
    let model = ModelName::parse(model).map_err(|e| PeekError::Field {
        field: "model",
        detail: e.to_string(),
    })?;
    let limits = [
        fields.max_tokens,
        fields.max_completion_tokens,
        fields.max_output_tokens,
    ];
    let subject = fields.subject(endpoint);
    Ok(Peek {
        endpoint,
        model,
        stream: fields.stream.unwrap_or(false),
        has_stream_options: fields.stream_options.is_some(),
        include_usage: fields.stream_options.and_then(|o| o.include_usage),
        output_tokens_max: limits.into_iter().flatten().map(|c| c.0).max(),
        n: [fields.n, fields.best_of]
            .into_iter()
            .flatten()
            .map(|c| c.0)
            .fold(1, u64::max),
        body_bytes: body.len(),
        previous_response_id: fields.previous_response_id.map(Cow::into_owned),
        subject,
        conversation_id: fields.conversation,
    })
}

/// The body as text of bounded depth. Skipped values are not checked for
/// UTF-8 by the JSON parser, and it skips without a depth limit: both here.
fn checked_text(body: &[u8]) -> Result<&str, PeekError> {
    let text = std::str::from_utf8(body).map_err(|e| PeekError::NotUtf8 {
        at: e.valid_up_to(),
    })?;
    match too_deep(body) {
        Some(at) => Err(PeekError::TooDeep { at }),
        None => Ok(text),
    }
}

/// Offset of the first bracket beyond [`DEPTH_MAX`]. Strings are jumped over,
/// so prompts cost what a byte search costs.
fn too_deep(body: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(byte) = body.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Some(at - 1);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = after_string(body, at),
            _ => {}
        }
    }
    None
}

fn after_string(body: &[u8], mut at: usize) -> usize {
    while let Some(rest) = body.get(at..) {
        match memchr::memchr2(b'"', b'\\', rest) {
            None => break,
            Some(found) if rest.get(found) == Some(&b'"') => return at + found + 1,
            Some(found) => at += found + 2,
        }
    }
    body.len()
}

#[derive(Default)]
struct Fields<'a> {
    model: Option<Cow<'a, str>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<Count<OUTPUT_TOKENS_MAX>>,
    max_completion_tokens: Option<Count<OUTPUT_TOKENS_MAX>>,
    max_output_tokens: Option<Count<OUTPUT_TOKENS_MAX>>,
    n: Option<Count<CHOICES_MAX>>,
    best_of: Option<Count<CHOICES_MAX>>,
    previous_response_id: Option<Cow<'a, str>>,
    conversation: Option<String>,
    safety_identifier: Option<&'a RawValue>,
    user: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
}

impl Fields<'_> {
    /// Read apart from the rest: the upstream judges these fields, we only look at them.
    fn subject(&self, endpoint: Endpoint) -> Option<String> {
        #[derive(Deserialize)]
        struct Metadata {
            user_id: Option<String>,
        }
        let text = |raw: Option<&RawValue>| serde_json::from_str::<String>(raw?.get()).ok();
        let named = match endpoint {
            Endpoint::Messages => {
                let metadata = serde_json::from_str::<Metadata>(self.metadata?.get());
                metadata.ok()?.user_id
            }
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Embeddings => text(self.safety_identifier).or_else(|| text(self.user)),
        };
        named.filter(|name| !name.is_empty())
    }
}

#[derive(Default, Clone, Copy)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// What the visitor found wrong, kept beside serde's own error.
enum Fault {
    Duplicate(String),
    Field(&'static str),
}

fn read_fields(text: &str) -> Result<Fields<'_>, PeekError> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => PeekError::NotAnObject,
            Err(e) => PeekError::NotJson {
                detail: e.to_string(),
            },
        });
    }
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = (&mut json)
        .deserialize_map(BodyVisitor { fault: &mut fault })
        .map_err(|e| named(fault, &e))?;
    json.end().map_err(|e| PeekError::TrailingData {
        line: e.line(),
        column: e.column(),
    })?;
    Ok(fields)
}

fn named(fault: Option<Fault>, error: &serde_json::Error) -> PeekError {
    match fault {
        Some(Fault::Duplicate(key)) => PeekError::DuplicateKey { key },
        // A body cut inside the field is not the field's fault.
        Some(Fault::Field(field)) if !error.is_eof() => PeekError::Field {
            field,
            detail: error.to_string(),
        },
        _ => PeekError::NotJson {
            detail: error.to_string(),
        },
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct BodyVisitor<'f> {
    fault: &'f mut Option<Fault>,
}

impl<'de> Visitor<'de> for BodyVisitor<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        let mut seen = BTreeSet::new();
        while let Some(Text(key)) = map.next_key()? {
            let fault = &mut *self.fault;
            match key.as_ref() {
                "model" => {
                    fields.model =
                        value::<_, Option<Text<'de>>>(&mut map, "model", fault)?.map(|t| t.0);
                }
                "stream" => fields.stream = value(&mut map, "stream", fault)?,
                "stream_options" => fields.stream_options = stream_options(&mut map, fault)?,
                "max_tokens" => fields.max_tokens = value(&mut map, "max_tokens", fault)?,
                "max_completion_tokens" => {
                    fields.max_completion_tokens = value(&mut map, "max_completion_tokens", fault)?;
                }
                "max_output_tokens" => {
                    fields.max_output_tokens = value(&mut map, "max_output_tokens", fault)?;
                }
                "n" => fields.n = value(&mut map, "n", fault)?,
                "best_of" => fields.best_of = value(&mut map, "best_of", fault)?,
                "previous_response_id" => {
                    fields.previous_response_id =
                        value::<_, Option<Text<'de>>>(&mut map, "previous_response_id", fault)?
                            .map(|t| t.0);
                }
                "conversation" => {
                    fields.conversation =
                        value::<_, Option<Stored>>(&mut map, "conversation", fault)?
                            .map(Stored::id);
                }
                "safety_identifier" => fields.safety_identifier = Some(map.next_value()?),
                "user" => fields.user = Some(map.next_value()?),
                "metadata" => fields.metadata = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if let Some(key) = first_seen(&mut seen, key) {
                *self.fault = Some(Fault::Duplicate(key));
                return Err(de::Error::custom("duplicate key"));
            }
        }
        Ok(fields)
    }
}

/// Notes the key; gives it back when it was there already.
fn first_seen<'a>(seen: &mut BTreeSet<Cow<'a, str>>, key: Cow<'a, str>) -> Option<String> {
    if seen.contains(&key) {
        return Some(key.into_owned());
    }
    seen.insert(key);
    None
}

fn value<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    field: &'static str,
    fault: &mut Option<Fault>,
) -> Result<T, A::Error> {
    map.next_value()
        .inspect_err(|_| *fault = Some(Fault::Field(field)))
}

fn stream_options<'de, A: MapAccess<'de>>(
    map: &mut A,
    fault: &mut Option<Fault>,
) -> Result<Option<StreamOptions>, A::Error> {
    let mut duplicate = None;
    let seed = OptionsSeed {
        duplicate: &mut duplicate,
    };
    let options = map.next_value_seed(seed);
    options.inspect_err(|_| {
        *fault = Some(duplicate.map_or(Fault::Field("stream_options"), |key| {
            Fault::Duplicate(format!("stream_options.{key}"))
        }));
    })
}

/// The `conversation` of a Responses request: an id or an object with one.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a conversation id or {\"id\": ...}")]
enum Stored {
    Id(String),
    Object { id: String },
}

impl Stored {
    fn id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

struct OptionsSeed<'f> {
    duplicate: &'f mut Option<String>,
}

impl<'de> de::DeserializeSeed<'de> for OptionsSeed<'_> {
    type Value = Option<StreamOptions>;

    fn deserialize<D: de::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for OptionsSeed<'_> {
    type Value = Option<StreamOptions>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"include_usage\": true}")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut options = StreamOptions::default();
        let mut seen = BTreeSet::new();
        while let Some(Text(key)) = map.next_key()? {
            if key == "include_usage" {
                options.include_usage = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if let Some(key) = first_seen(&mut seen, key) {
                *self.duplicate = Some(key);
                return Err(de::Error::custom("duplicate key"));
            }
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests;
