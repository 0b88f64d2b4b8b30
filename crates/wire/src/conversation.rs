//! What was said, as text: for detection and audits, off the request's path.
//!
//! Text parts only; tools, images and unknown parts are skipped. Where a key is
//! repeated inside the body the last one counts, as in Python and JavaScript.

use std::borrow::Cow;
use std::collections::BTreeMap;

use facts::Endpoint;

use crate::lean::{Json, Lean};
use crate::sse::{Event, Parser};

/// The conversation of a request: (role, text) in order. Empty when the body
/// cannot be read.
pub fn conversation(endpoint: Endpoint, body: &[u8]) -> Vec<(String, String)> {
    Lean::read(body).map_or_else(Vec::new, |body| of_request(endpoint, &body))
}

/// The texts of that conversation, one a line.
pub fn prompt_text(endpoint: Endpoint, body: &[u8]) -> String {
    let mut all = String::with_capacity(body.len());
    let Some(body) = Lean::read(body) else {
        return all;
    };
    let mut first = true;
    turns(endpoint, &body, &mut |_, text| {
        if !std::mem::take(&mut first) {
            all.push('\n');
        }
        all.push_str(&text);
    });
    all
}

pub(crate) fn of_request(endpoint: Endpoint, body: &impl Json) -> Vec<(String, String)> {
    let mut all = Vec::new();
    turns(endpoint, body, &mut |role, text| {
        all.push((role.to_owned(), text.into_owned()));
    });
    all
}

/// Takes a turn: its role and its text, which is never empty.
type Take<'t, 'v> = &'t mut dyn FnMut(&'v str, Cow<'v, str>);

fn turns<'v>(endpoint: Endpoint, body: &'v impl Json, take: Take<'_, 'v>) {
    match endpoint {
        Endpoint::ChatCompletions => said(body.get("messages"), take),
        Endpoint::Completions => texts("user", body.get("prompt"), take),
        Endpoint::Embeddings => texts("user", body.get("input"), take),
        Endpoint::Responses => {
            texts("system", body.get("instructions"), take);
            said(body.get("input"), take);
        }
        Endpoint::Messages => {
            push("system", text_of(body.get("system")), take);
            said(body.get("messages"), take);
        }
    }
}

/// A list of messages, or one text said by the user.
pub(crate) fn messages(value: Option<&impl Json>) -> Vec<(String, String)> {
    let mut turns = Vec::new();
    said(value, &mut |role, text| {
        turns.push((role.to_owned(), text.into_owned()));
    });
    turns
}

fn said<'v>(value: Option<&'v impl Json>, take: Take<'_, 'v>) {
    let Some(value) = value else { return };
    if let Some(items) = value.items() {
        for item in items {
            if let Some(text) = item.as_str() {
                push("user", Cow::Borrowed(text), take);
            } else if item.get("content").is_some() {
                let role = item.get("role").and_then(Json::as_str).unwrap_or("user");
                push(role, text_of(item.get("content")), take);
            }
        }
    } else if let Some(text) = value.as_str() {
        push("user", Cow::Borrowed(text), take);
    } else {
        said(value.get("messages"), take);
    }
}

/// A text or a list of texts; lists of token numbers say nothing readable.
fn texts<'v>(role: &'v str, value: Option<&'v impl Json>, take: Take<'_, 'v>) {
    let Some(value) = value else { return };
    if let Some(text) = value.as_str() {
        push(role, Cow::Borrowed(text), take);
    }
    for text in value.items().into_iter().flatten().filter_map(Json::as_str) {
        push(role, Cow::Borrowed(text), take);
    }
}

fn push<'v>(role: &'v str, text: Cow<'v, str>, take: Take<'_, 'v>) {
    if !text.is_empty() {
        take(role, text);
    }
}

/// The text of `content`: a string, or the text parts of a list, one a line.
pub(crate) fn text_of(content: Option<&impl Json>) -> Cow<'_, str> {
    let Some(content) = content else {
        return Cow::Borrowed("");
    };
    if let Some(text) = content.as_str() {
        return Cow::Borrowed(text);
    }
    let parts = content.items().unwrap_or_default().iter();
    let mut texts = parts.filter_map(|part| {
        part.as_str()
            .or_else(|| part.get("text").and_then(Json::as_str))
    });
    let first = texts.next().unwrap_or_default();
    let mut joined = Cow::Borrowed(first);
    for text in texts {
        let all = joined.to_mut();
        all.push('\n');
        all.push_str(text);
    }
    joined
}

/// The text of a plain answer; several choices are joined by line feeds. None
/// when there is no text.
pub fn answer_text(endpoint: Endpoint, body: &[u8]) -> Option<String> {
    of_answer(endpoint, &Lean::read(body)?)
}

pub(crate) fn of_answer(endpoint: Endpoint, body: &impl Json) -> Option<String> {
    let list = |key: &str| body.get(key).and_then(Json::items).into_iter().flatten();
    let texts: Vec<Cow<'_, str>> = match endpoint {
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

fn joined<T: AsRef<str> + std::borrow::Borrow<str>>(mut texts: Vec<T>) -> Option<String> {
    texts.retain(|t| !t.as_ref().is_empty());
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
        let Some(data) = Lean::read(event.data()) else {
            return;
        };
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => {
                let choices = data.get("choices").and_then(Json::items);
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

fn number(value: &impl Json, key: &str) -> u64 {
    value.get(key).and_then(Json::as_u64).unwrap_or(0)
}

fn word<'a>(value: &'a impl Json, key: &str) -> &'a str {
    value.get(key).and_then(Json::as_str).unwrap_or("")
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
