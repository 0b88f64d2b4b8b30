//! Answers of fixed cost: for benchmarks and for trying clients.
//!
//! Everything is answered with the same text; a request that demands a tool
//! gets a call of its first tool. Streams have 24 content events.

use std::sync::LazyLock;

use bytes::Bytes;
use facts::{Endpoint, Usage};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::replay::{body, events, plain, stream};
use super::{Answer, Call};

const TEXT: &str = "This answer is always the same so that whoever measures a gateway knows that the \
upstream costs nothing and changes nothing at all here.";
const USAGE: Usage = Usage {
    input_tokens: 12,
    output_tokens: 24,
    estimated: false,
};
const MODEL: &str = "mock-1";

static BODIES: LazyLock<[Bytes; 5]> =
    LazyLock::new(|| Endpoint::ALL.map(|endpoint| body(endpoint, MODEL, TEXT, USAGE)));
static STREAMS: LazyLock<[[Vec<Bytes>; 2]; 5]> = LazyLock::new(|| {
    Endpoint::ALL
        .map(|endpoint| [false, true].map(|usage| events(endpoint, MODEL, TEXT, USAGE, usage)))
});

/// The built-in upstream `mock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mock;

#[derive(Deserialize)]
struct Demanded {
    tool_choice: Option<serde_json::Value>,
    tools: Option<Vec<Tool>>,
}

#[derive(Deserialize)]
struct Tool {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
}

#[derive(Deserialize)]
struct Inputs {
    input: serde_json::Value,
}

impl Mock {
    pub(crate) fn answer(call: &Call) -> Answer {
        let place = Endpoint::ALL
            .iter()
            .position(|e| *e == call.endpoint)
            .unwrap_or(0);
        if call.stream {
            let usage = memchr::memmem::find(&call.body, b"\"include_usage\":true").is_some()
                || memchr::memmem::find(&call.body, b"\"include_usage\": true").is_some();
            let both = STREAMS.get(place);
            let chosen = both.and_then(|both| both.get(usize::from(usage)));
            return stream(
                chosen.cloned().unwrap_or_default(),
                std::time::Duration::ZERO,
            );
        }
        let special = match call.endpoint {
            Endpoint::ChatCompletions => tool_call(&call.body),
            Endpoint::Embeddings => embeddings(&call.body),
            Endpoint::Completions | Endpoint::Responses | Endpoint::Messages => None,
        };
        let fixed = || BODIES.get(place).cloned().unwrap_or_default();
        plain(StatusCode::OK, special.unwrap_or_else(fixed))
    }
}

/// The call of the first tool, when the request demands one.
fn tool_call(asked: &[u8]) -> Option<Bytes> {
    memchr::memmem::find(asked, b"\"tool_choice\"")?;
    let demanded: Demanded = serde_json::from_slice(asked).ok()?;
    if matches!(demanded.tool_choice?.as_str(), Some("auto" | "none")) {
        return None;
    }
    let name = demanded.tools?.into_iter().find_map(|t| t.function)?.name;
    let call = json!([{"id": "call_mock", "type": "function", "function": {"name": name, "arguments": "{}"}}]);
    let value = json!({
        "id": "chatcmpl-replay", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": call},
                     "logprobs": null, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": USAGE.input_tokens, "completion_tokens": USAGE.output_tokens,
                  "total_tokens": USAGE.input_tokens + USAGE.output_tokens},
    });
    Some(value.to_string().into())
}

/// One vector for each input.
fn embeddings(asked: &[u8]) -> Option<Bytes> {
    let inputs = serde_json::from_slice::<Inputs>(asked).ok()?.input;
    // A list of numbers is one input of tokens.
    let count = inputs.as_array().map_or(1, |list| {
        if list.iter().all(serde_json::Value::is_number) {
            1
        } else {
            list.len()
        }
    });
    let data: Vec<_> = (0..count)
        .map(|n| json!({"object": "embedding", "index": n, "embedding": [0.25, -0.5, 0.125, 1.0]}))
        .collect();
    let value = json!({
        "object": "list", "model": "mock-embedding", "data": data,
        "usage": {"prompt_tokens": 12, "total_tokens": 12},
    });
    Some(value.to_string().into())
}

#[cfg(test)]
mod tests;
