use super::*;
use crate::sse::Parser;

#[track_caller]
fn body(endpoint: Endpoint, json: &str, expected: Option<(u64, u64)>) {
    let read = of_body(endpoint, json.as_bytes());
    let got = read.usage().map(|u| (u.input_tokens, u.output_tokens));
    assert_eq!(got, expected, "{read:?}");
}

#[test]
fn every_dialect_of_a_plain_body_is_read() {
    let chat = Endpoint::ChatCompletions;
    body(
        chat,
        r#"{"usage":{"prompt_tokens":3,"completion_tokens":4.0,"total_tokens":7}}"#,
        Some((3, 4)),
    );
    body(chat, r#"{"usage":null}"#, None);
    body(chat, r#"{"choices":[]}"#, None);
    body(
        Endpoint::Embeddings,
        r#"{"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        Some((8, 0)),
    );
    body(
        Endpoint::Responses,
        r#"{"usage":{"input_tokens":1,"output_tokens":2}}"#,
        Some((1, 2)),
    );
    body(
        Endpoint::Messages,
        r#"{"usage":{"input_tokens":1,"cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":2}}"#,
        Some((111, 2)),
    );
}

#[test]
fn figures_that_cannot_be_true_are_refused() {
    for n in ["-1", "1.5", "1e300", "1e400", "200000000", "\"7\""] {
        let json = format!(r#"{{"usage":{{"prompt_tokens":{n},"completion_tokens":1}}}}"#);
        let read = of_body(Endpoint::ChatCompletions, json.as_bytes());
        assert_eq!(read, Reading::Refused, "{n}");
    }
    let twice = br#"{"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":null}"#;
    assert_eq!(of_body(Endpoint::ChatCompletions, twice), Reading::Refused);
    assert_eq!(
        of_body(Endpoint::ChatCompletions, b"\"usage\" is not JSON"),
        Reading::Absent
    );
}

#[track_caller]
fn stream(endpoint: Endpoint, text: &str, expected: Reading) {
    let mut parser = Parser::default();
    parser.push(text.as_bytes());
    let mut meter = Meter::new(endpoint);
    for event in parser.finish().unwrap() {
        meter.observe(&event);
    }
    assert_eq!(meter.reading(), expected);
}

fn read(input_tokens: u64, output_tokens: u64) -> Reading {
    Reading::Usage(Usage {
        input_tokens,
        output_tokens,
        estimated: false,
    })
}

#[test]
fn every_dialect_of_a_stream_is_read() {
    stream(
        Endpoint::ChatCompletions,
        "data: {\"choices\":[{}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\ndata: [DONE]\n\n",
        read(5, 6),
    );
    stream(
        Endpoint::Messages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":20}}\n\n",
        read(9, 20),
    );
    stream(
        Endpoint::Responses,
        "event: response.created\ndata: {\"response\":{\"usage\":null}}\n\nevent: response.completed\ndata: {\"response\":{\"usage\":{\"input_tokens\":2,\"output_tokens\":3}}}\n\n",
        read(2, 3),
    );
    stream(
        Endpoint::ChatCompletions,
        "data: {\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":6}}\n\ndata: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\n",
        Reading::Refused,
    );
    stream(
        Endpoint::Completions,
        "data: {\"choices\":[]}\n\n",
        Reading::Absent,
    );
}

#[test]
fn cached_tokens_are_counted_once_in_every_dialect() {
    for (json, input) in [
        (
            r#"{"prompt_tokens":10,"cache_read_input_tokens":4,"completion_tokens":1}"#,
            10,
        ),
        (
            r#"{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}"#,
            14,
        ),
    ] {
        let value = serde_json::from_str(json).unwrap();
        assert_eq!(of_figures(&value), read(input, 1));
    }
}
