use super::*;

#[track_caller]
fn said(endpoint: Endpoint, body: &str, expected: &[(&str, &str)]) {
    let got = conversation(endpoint, body.as_bytes());
    let got: Vec<_> = got.iter().map(|(r, t)| (r.as_str(), t.as_str())).collect();
    assert_eq!(got, expected);
}

#[test]
fn every_endpoint_has_its_conversation() {
    said(
        Endpoint::ChatCompletions,
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}},{"type":"text","text":"b"}]},{"role":"assistant","content":null,"tool_calls":[{}]}]}"#,
        &[("system", "s"), ("user", "a\nb")],
    );
    said(
        Endpoint::Completions,
        r#"{"prompt":["a","b"]}"#,
        &[("user", "a"), ("user", "b")],
    );
    said(Endpoint::Embeddings, r#"{"input":[1,2]}"#, &[]);
    said(
        Endpoint::Responses,
        r#"{"instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"q"}]},{"type":"function_call_output","output":"x"}]}"#,
        &[("system", "i"), ("user", "q")],
    );
    said(Endpoint::Responses, r#"{"input":"q"}"#, &[("user", "q")]);
    said(
        Endpoint::Messages,
        r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"q"}]}"#,
        &[("system", "s"), ("user", "q")],
    );
    said(Endpoint::Messages, "not json", &[]);
}

#[track_caller]
fn answered(endpoint: Endpoint, body: &str, expected: Option<&str>) {
    let got = if body.starts_with('{') {
        answer_text(endpoint, body.as_bytes())
    } else {
        answer_text_of_stream(endpoint, body.as_bytes())
    };
    assert_eq!(got.as_deref(), expected);
}

#[test]
fn plain_answers_have_text() {
    let two = r#"{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}}]}"#;
    answered(Endpoint::ChatCompletions, two, Some("a\nb"));
    answered(
        Endpoint::ChatCompletions,
        r#"{"choices":[{"message":{"content":null}}]}"#,
        None,
    );
    answered(
        Endpoint::Completions,
        r#"{"choices":[{"text":"a"}]}"#,
        Some("a"),
    );
    answered(Endpoint::Embeddings, r#"{"data":[]}"#, None);
    let output = r#"{"output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"a"}]}]}"#;
    answered(Endpoint::Responses, output, Some("a"));
    answered(
        Endpoint::Messages,
        r#"{"content":[{"type":"text","text":"a"},{"type":"tool_use"}]}"#,
        Some("a"),
    );
}

#[test]
fn streamed_answers_have_the_same_text() {
    answered(
        Endpoint::ChatCompletions,
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"B\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n\ndata: [DONE]\n\n",
        Some("ab\nB"),
    );
    answered(
        Endpoint::Completions,
        "data: {\"choices\":[{\"text\":\"x\"}]}\n\n",
        Some("x"),
    );
    answered(
        Endpoint::Messages,
        "event: content_block_start\ndata: {\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
        Some("hi"),
    );
    answered(
        Endpoint::Responses,
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"hi\"}\n\nevent: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"hi\"}\n\n",
        Some("hi"),
    );
}
