//! What was said, as text: for detection and audits, off the request's path.
//!
//! Text parts only; tools, images and unknown parts are skipped. Where a key is
//! repeated inside the body the last one counts, as in Python and JavaScript.

use std::collections::BTreeMap;

use facts::Endpoint;
use serde_json::Value;

use crate::sse::{Event, Parser};

/// The conversation of a request: (role, text) in order. Empty when the body
/// cannot be read.
pub fn conversation(endpoint: Endpoint, body: &[u8]) -> Vec<(String, String)> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    of_request(endpoint, &body)
}

pub(crate) fn of_request(endpoint: Endpoint, body: &Value) -> Vec<(String, String)> {
    match endpoint {
        Endpoint::ChatCompletions => messages(body.get("messages")),
        Endpoint::Completions => texts("user", body.get("prompt")),
        Endpoint::Embeddings => texts("user", body.get("input")),
        Endpoint::Responses => {
            let mut turns = texts("system", body.get("instructions"));
            turns.extend(messages(body.get("input")));
            turns
        }
        Endpoint::Messages => {
            let mut turns = Vec::new();
            push("system", &text_of(body.get("system")), &mut turns);
            turns.extend(messages(body.get("messages")));
            turns
        }
    }
}

/// A list of messages, or one text said by the user.
pub(crate) fn messages(value: Option<&Value>) -> Vec<(String, String)> {
    let mut turns = Vec::new();
    match value {
        Some(Value::Array(items)) => {
            for item in items {
                if let Some(text) = item.as_str() {
                    push("user", text, &mut turns);
                } else if item.get("content").is_some() {
                    let role = item.get("role").and_then(Value::as_str).unwrap_or("user");
                    push(role, &text_of(item.get("content")), &mut turns);
                }
            }
        }
        Some(Value::String(text)) => push("user", text, &mut turns),
        Some(object @ Value::Object(_)) => return messages(object.get("messages")),
        _ => {}
    }
    turns
}

/// A text or a list of texts; lists of token numbers say nothing readable.
fn texts(role: &str, value: Option<&Value>) -> Vec<(String, String)> {
    let mut turns = Vec::new();
    match value {
        Some(Value::String(text)) => push(role, text, &mut turns),
        Some(Value::Array(items)) => {
            for text in items.iter().filter_map(Value::as_str) {
                push(role, text, &mut turns);
            }
        }
        _ => {}
    }
    turns
}

fn push(role: &str, text: &str, turns: &mut Vec<(String, String)>) {
    if !text.is_empty() {
        turns.push((role.to_owned(), text.to_owned()));
    }
}

/// The text of `content`: a string, or the text parts of a list, one a line.
pub(crate) fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| {
                part.as_str()
                    .or_else(|| part.get("text").and_then(Value::as_str))
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// The text of a plain answer; several choices are joined by line feeds. None
/// when there is no text.
pub fn answer_text(endpoint: Endpoint, body: &[u8]) -> Option<String> {
    of_answer(endpoint, &serde_json::from_slice(body).ok()?)
}

pub(crate) fn of_answer(endpoint: Endpoint, body: &Value) -> Option<String> {
    let list = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let texts: Vec<String> = match endpoint {
        Endpoint::ChatCompletions => list("choices")
            .map(|c| text_of(c.get("message").and_then(|m| m.get("content"))))
            .collect(),
        Endpoint::Completions => list("choices").map(|c| text_of(c.get("text"))).collect(),
        Endpoint::Embeddings => Vec::new(),
        Endpoint::Responses => list("output").map(|o| text_of(o.get("content"))).collect(),
        Endpoint::Messages => vec![text_of(body.get("content"))],
    };
    joined(texts)
}

fn joined(mut texts: Vec<String>) -> Option<String> {
    texts.retain(|t| !t.is_empty());
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Gathers the text of a streamed answer, event by event.
#[derive(Debug, Clone)]
pub struct StreamText {
    endpoint: Endpoint,
    /// By index of the choice, block or output; Responses also by part.
    texts: BTreeMap<(u64, u64), String>,
}

impl StreamText {
    /// Nothing yet, of a stream of `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            texts: BTreeMap::new(),
        }
    }

    /// Adds what the event says, if anything.
    pub fn observe(&mut self, event: &Event) {
        let Ok(data) = serde_json::from_slice::<Value>(event.data()) else {
            return;
        };
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => {
                let choices = data.get("choices").and_then(Value::as_array);
                for choice in choices.into_iter().flatten() {
                    let delta = choice.get("delta").and_then(|d| d.get("content"));
                    let text = text_of(delta.or_else(|| choice.get("text")));
                    self.add(number(choice, "index"), 0, &text);
                }
            }
            Endpoint::Embeddings => {}
            Endpoint::Responses => {
                if word(&data, "type") == "response.output_text.delta" {
                    let (output, part) = (
                        number(&data, "output_index"),
                        number(&data, "content_index"),
                    );
                    self.add(output, part, word(&data, "delta"));
                }
            }
            Endpoint::Messages => {
                let (delta, block) = (data.get("delta"), data.get("content_block"));
                let text = delta.or(block).map_or("", |d| word(d, "text"));
                self.add(number(&data, "index"), 0, text);
            }
        }
    }

    /// The text so far; none when there is none.
    pub fn text(self) -> Option<String> {
        joined(self.texts.into_values().collect())
    }

    fn add(&mut self, index: u64, part: u64, text: &str) {
        if !text.is_empty() {
            self.texts.entry((index, part)).or_default().push_str(text);
        }
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The text of a recorded stream, as far as it can be read.
pub fn answer_text_of_stream(endpoint: Endpoint, recording: &[u8]) -> Option<String> {
    let mut parser = Parser::new(recording.len().max(1));
    parser.push(recording);
    let mut text = StreamText::new(endpoint);
    for event in parser.finish().ok()? {
        text.observe(&event);
    }
    text.text()
}

#[cfg(test)]
mod tests;
