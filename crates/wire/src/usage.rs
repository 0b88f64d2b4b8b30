//! Tokens as the upstream counted them.
//!
//! A figure that is negative, fractional or beyond [`TOKENS_MAX`] is refused
//! rather than repaired: the caller then counts for itself and marks the
//! result as estimated.

use facts::{Endpoint, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::count::Count;
use crate::sse::Event;

/// The largest figure believed for one exchange: a hundred times the longest
/// context any model offers.
pub const TOKENS_MAX: u64 = 100_000_000;

type Tokens = Count<TOKENS_MAX>;

/// What a body or an event says about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Absent,
    /// Both figures.
    Usage(Usage),
    /// Something that cannot be true; raise an alarm, count yourself.
    Refused,
}

impl Reading {
    /// The usage, where it was read.
    pub fn usage(self) -> Option<Usage> {
        match self {
            Self::Usage(usage) => Some(usage),
            Self::Absent | Self::Refused => None,
        }
    }
}

/// The spellings of all dialects; each uses a few.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(expecting = "a usage object")]
#[expect(clippy::struct_field_names, reason = "the names are the wire's")]
struct Figures {
    prompt_tokens: Option<Tokens>,
    completion_tokens: Option<Tokens>,
    input_tokens: Option<Tokens>,
    output_tokens: Option<Tokens>,
    cache_creation_input_tokens: Option<Tokens>,
    cache_read_input_tokens: Option<Tokens>,
}

impl Figures {
    fn input(&self, endpoint: Endpoint) -> Option<u64> {
        if let Some(all) = self.prompt_tokens {
            return Some(all.0);
        }
        let own = self.input_tokens?.0;
        if endpoint != Endpoint::Messages {
            return Some(own);
        }
        // Anthropic counts cached tokens beside `input_tokens`, OpenAI within.
        let cached = [
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
        ];
        let cached = cached.into_iter().flatten().map(|c| c.0);
        Some(cached.fold(own, u64::saturating_add))
    }

    fn output(&self) -> Option<u64> {
        self.completion_tokens.or(self.output_tokens).map(|c| c.0)
    }
}

/// Where usage stands in a plain body or in one event.
#[derive(Debug, Deserialize)]
struct Holder {
    usage: Option<Figures>,
    /// Responses: the events carry the response.
    response: Option<Inner>,
    /// Anthropic: `message_start` carries the message.
    message: Option<Inner>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    usage: Option<Figures>,
}

impl Holder {
    fn figures(self) -> Option<Figures> {
        let inner = self.response.or(self.message);
        self.usage.or_else(|| inner.and_then(|i| i.usage))
    }
}

/// Reads the usage of a plain (not streamed) answer.
pub fn of_body(endpoint: Endpoint, body: &[u8]) -> Reading {
    let mut meter = Meter::new(endpoint);
    meter.read(body);
    meter.reading()
}

/// Reads figures that stand by themselves, as logs hold them.
pub(crate) fn of_figures(value: &serde_json::Value) -> Reading {
    let Ok(figures) = Figures::deserialize(value) else {
        return Reading::Refused;
    };
    match (figures.input(Endpoint::Messages), figures.output()) {
        (Some(input_tokens), output) => Reading::Usage(Usage {
            input_tokens,
            output_tokens: output.unwrap_or(0),
            estimated: false,
        }),
        (None, _) => Reading::Absent,
    }
}

/// Reads usage from the events of one stream.
///
/// The last figure of each kind counts: `OpenAI`'s come once, Anthropic's
/// output figure is cumulative.
#[derive(Debug, Clone)]
pub struct Meter {
    endpoint: Endpoint,
    input: Option<u64>,
    output: Option<u64>,
    refused: bool,
}

impl Meter {
    /// A meter for one stream of `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            input: None,
            output: None,
            refused: false,
        }
    }

    /// Reads one event. Events without the word `usage` cost one byte search.
    pub fn observe(&mut self, event: &Event) {
        self.read(event.data());
    }

    /// What the stream has said so far.
    pub fn reading(&self) -> Reading {
        if self.refused {
            return Reading::Refused;
        }
        let output = match self.endpoint {
            Endpoint::Embeddings => self.output.or(Some(0)),
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Messages => self.output,
        };
        match (self.input, output) {
            (Some(input_tokens), Some(output_tokens)) => Reading::Usage(Usage {
                input_tokens,
                output_tokens,
                estimated: false,
            }),
            _ => Reading::Absent,
        }
    }

    fn read(&mut self, data: &[u8]) {
        if memchr::memmem::find(data, b"\"usage\"").is_none() {
            return;
        }
        if let Ok(holder) = serde_json::from_slice::<Holder>(data) {
            if let Some(figures) = holder.figures() {
                self.input = figures.input(self.endpoint).or(self.input);
                self.output = figures.output().or(self.output);
            }
            return;
        }
        // Not JSON at all says nothing about usage; JSON whose usage does not
        // fit (1e400 included) says something that cannot be true.
        let json = serde_json::from_slice::<IgnoredAny>(data).is_ok();
        self.refused |= json && data.trim_ascii_start().starts_with(b"{");
    }
}

#[cfg(test)]
mod tests;
