//! Answers in each API's own shape, plain and streamed.

use bytes::Bytes;
use facts::{Endpoint, Usage};
use serde_json::{Value, json};

/// When every replayed answer says it was made: the answers are deterministic.
const CREATED: i64 = 1_700_000_000;

/// The plain body.
pub(super) fn body(endpoint: Endpoint, model: &str, text: &str, usage: Usage) -> Bytes {
    let value = match endpoint {
        Endpoint::ChatCompletions => json!({
            "id": "chatcmpl-replay", "object": "chat.completion", "created": CREATED, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                         "logprobs": null, "finish_reason": "stop"}],
            "usage": chat_usage(usage),
        }),
        Endpoint::Completions => json!({
            "id": "cmpl-replay", "object": "text_completion", "created": CREATED, "model": model,
            "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": "stop"}],
            "usage": chat_usage(usage),
        }),
        Endpoint::Embeddings => json!({
            "object": "list", "model": model,
            "data": [{"object": "embedding", "index": 0, "embedding": [0.0, 0.5, -0.5]}],
            "usage": {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens},
        }),
        Endpoint::Responses => response(model, text, usage, "completed"),
        Endpoint::Messages => json!({
            "id": "msg_replay", "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": message_usage(usage),
        }),
    };
    value.to_string().into()
}

fn chat_usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
    })
}

fn message_usage(usage: Usage) -> Value {
    json!({"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens})
}

fn response(model: &str, text: &str, usage: Usage, status: &str) -> Value {
    json!({
        "id": "resp_replay", "object": "response", "created_at": CREATED, "status": status, "model": model,
        "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
        "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "output": [{"id": "msg_replay", "type": "message", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": text, "annotations": []}]}],
        "usage": {"input_tokens": usage.input_tokens, "input_tokens_details": {"cached_tokens": 0},
                  "output_tokens": usage.output_tokens, "output_tokens_details": {"reasoning_tokens": 0},
                  "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens)},
    })
}

/// The object with one member set.
fn with(mut object: Value, name: &str, member: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
    object
}

fn data(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

fn named(value: &Value) -> Bytes {
    let name = value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    format!("event: {name}\ndata: {value}\n\n").into()
}

/// The text in at most 24 pieces that end at spaces.
fn pieces(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let each = words.len().div_ceil(24).max(1);
    words.chunks(each).map(<[&str]>::concat).collect()
}

/// The events of a stream, terminal frame included.
pub(super) fn events(
    endpoint: Endpoint,
    model: &str,
    text: &str,
    usage: Usage,
    include_usage: bool,
) -> Vec<Bytes> {
    match endpoint {
        Endpoint::Messages => message_events(model, text, usage),
        Endpoint::Responses => response_events(model, text, usage),
        Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
            chat_events(endpoint, model, text, include_usage.then_some(usage))
        }
    }
}

fn chat_events(endpoint: Endpoint, model: &str, text: &str, usage: Option<Usage>) -> Vec<Bytes> {
    let chat = endpoint == Endpoint::ChatCompletions;
    let (id, object) = if chat {
        ("chatcmpl-replay", "chat.completion.chunk")
    } else {
        ("cmpl-replay", "text_completion")
    };
    let chunk = |choices: Value| json!({"id": id, "object": object, "created": CREATED, "model": model, "choices": choices});
    let choice = |piece: &str, finish: Option<&str>| {
        let delta = if finish.is_some() {
            json!({})
        } else {
            json!({"content": piece})
        };
        let choice = if chat {
            json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish})
        } else {
            json!({"index": 0, "text": piece, "logprobs": null, "finish_reason": finish})
        };
        data(&chunk(json!([choice])))
    };
    let mut events: Vec<Bytes> = pieces(text)
        .iter()
        .map(|piece| choice(piece, None))
        .collect();
    events.push(choice("", Some("stop")));
    if let Some(usage) = usage {
        events.push(data(&with(chunk(json!([])), "usage", chat_usage(usage))));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn message_events(model: &str, text: &str, usage: Usage) -> Vec<Bytes> {
    let start = json!({"type": "message_start", "message": {
        "id": "msg_replay", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": usage.input_tokens, "output_tokens": 0},
    }});
    let open = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let mut events = vec![named(&start), named(&open)];
    for piece in pieces(text) {
        let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}});
        events.push(named(&delta));
    }
    events.push(named(&json!({"type": "content_block_stop", "index": 0})));
    events.push(named(&json!({
        "type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": usage.output_tokens},
    })));
    events.push(named(&json!({"type": "message_stop"})));
    events
}

fn response_events(model: &str, text: &str, usage: Usage) -> Vec<Bytes> {
    let begun = response(model, "", Usage::default(), "in_progress");
    let begun = with(with(begun, "output", json!([])), "usage", Value::Null);
    let mut events = vec![named(
        &json!({"type": "response.created", "sequence_number": 0, "response": begun}),
    )];
    for (n, piece) in pieces(text).iter().enumerate() {
        events.push(named(&json!({
            "type": "response.output_text.delta", "sequence_number": n + 1, "item_id": "msg_replay",
            "output_index": 0, "content_index": 0, "delta": piece, "logprobs": [],
        })));
    }
    let ended = response(model, text, usage, "completed");
    events.push(named(&json!({
        "type": "response.completed", "sequence_number": events.len(), "response": ended,
    })));
    events
}
