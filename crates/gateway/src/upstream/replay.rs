//! Answers from recorded exchanges, so that everything runs without a network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use facts::{Endpoint, Usage};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use wire::errors::Problem;

use super::{Answer, Call, Chunks};
use crate::config::{ConfigError, UpstreamConfig};

mod shape;

/// One recorded exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The conversation that was sent: (role, text).
    pub conversation: Vec<(String, String)>,
    /// The text that was answered.
    pub answer: String,
}

/// Recorded answers by the digest of the conversation they answer. Of several
/// answers to one conversation the last is kept.
#[derive(Debug, Clone, Default)]
pub struct Recordings(Arc<HashMap<[u8; 32], String>>);

impl FromIterator<Recording> for Recordings {
    fn from_iter<T: IntoIterator<Item = Recording>>(iter: T) -> Self {
        let pairs = iter
            .into_iter()
            .map(|r| (digest(&r.conversation), r.answer));
        Self(Arc::new(pairs.collect()))
    }
}

impl Recordings {
    fn answer(&self, conversation: &[(String, String)]) -> Option<&str> {
        self.0.get(&digest(conversation)).map(String::as_str)
    }
}

fn digest(conversation: &[(String, String)]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in conversation.iter().flat_map(|(role, text)| [role, text]) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

#[derive(Debug)]
pub(crate) struct Replay {
    recordings: Recordings,
    pace: Duration,
}

#[derive(Deserialize)]
struct Line {
    messages: Vec<Message>,
    response: String,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

fn read(path: &std::path::Path) -> Result<Vec<Recording>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("recordings {} cannot be read: {e}", path.display()))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            let line: Line = serde_json::from_str(line)
                .map_err(|e| format!("recordings {}: line {}: {e}", path.display(), n + 1))?;
            let conversation = line
                .messages
                .into_iter()
                .map(|m| (m.role, m.content))
                .collect();
            Ok(Recording {
                conversation,
                answer: line.response,
            })
        })
        .collect()
}

impl Replay {
    pub(crate) fn new(config: &UpstreamConfig, given: &Recordings) -> Result<Self, ConfigError> {
        let mut all = (*given.0).clone();
        for path in &config.recordings {
            let found =
                read(path).map_err(|e| ConfigError(format!("upstream `{}`: {e}", config.name)))?;
            all.extend(
                found
                    .into_iter()
                    .map(|r| (digest(&r.conversation), r.answer)),
            );
        }
        let recordings = if config.recordings.is_empty() {
            given.clone()
        } else {
            Recordings(Arc::new(all))
        };
        Ok(Self {
            recordings,
            pace: Duration::from_millis(config.chunk_ms),
        })
    }

    pub(crate) fn answer(&self, call: &Call) -> Answer {
        let conversation = wire::conversation(call.endpoint, &call.body);
        let Some(text) = self.recordings.answer(&conversation) else {
            let problem = Problem::new(
                404,
                "no_recording",
                "no recorded exchange answers this conversation; add one to the `replay` upstream's recordings",
            );
            return plain(
                StatusCode::NOT_FOUND,
                wire::errors::body(call.endpoint, &problem).into(),
            );
        };
        let asked: usize = conversation.iter().map(|(_, text)| text.len()).sum();
        let usage = Usage {
            input_tokens: (asked as u64).div_ceil(4),
            output_tokens: (text.len() as u64).div_ceil(4),
            estimated: false,
        };
        let model = model_of(&call.body);
        if call.stream {
            let include_usage =
                wire::peek(call.endpoint, &call.body).is_ok_and(|p| p.include_usage == Some(true));
            stream(
                shape::events(call.endpoint, &model, text, usage, include_usage),
                self.pace,
            )
        } else {
            plain(
                StatusCode::OK,
                shape::body(call.endpoint, &model, text, usage),
            )
        }
    }
}

fn model_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Asked {
        model: String,
    }
    serde_json::from_slice::<Asked>(body).map_or_else(|_| "replay".to_owned(), |a| a.model)
}

/// A whole JSON answer.
pub(super) fn plain(status: StatusCode, body: Bytes) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Answer {
        status,
        headers,
        chunks: Chunks::Whole(Some(body)),
    }
}

/// A stream of events, one chunk each.
pub(super) fn stream(events: Vec<Bytes>, pace: Duration) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    let paced = Paced {
        events: events.into_iter(),
        pace,
        begun: false,
    };
    Answer {
        status: StatusCode::OK,
        headers,
        chunks: Chunks::Paced(paced),
    }
}

/// Events with a pause between them.
#[derive(Debug)]
pub(crate) struct Paced {
    events: std::vec::IntoIter<Bytes>,
    pace: Duration,
    begun: bool,
}

impl Paced {
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if self.begun && !self.pace.is_zero() {
            tokio::time::sleep(self.pace).await;
        }
        self.begun = true;
        self.events.next()
    }
}

/// The plain body in an operation's shape, for [`super::mock`] too.
pub(super) fn body(endpoint: Endpoint, model: &str, text: &str, usage: Usage) -> Bytes {
    shape::body(endpoint, model, text, usage)
}

/// The events in an operation's shape, for [`super::mock`] too.
pub(super) fn events(
    endpoint: Endpoint,
    model: &str,
    text: &str,
    usage: Usage,
    include_usage: bool,
) -> Vec<Bytes> {
    shape::events(endpoint, model, text, usage, include_usage)
}

#[cfg(test)]
mod tests;
