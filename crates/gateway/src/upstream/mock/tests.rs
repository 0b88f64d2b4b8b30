use super::*;

async fn ask(endpoint: Endpoint, body: &'static str, stream: bool) -> String {
    let call = Call {
        endpoint,
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
        stream,
    };
    let mut answer = Mock::answer(&call);
    let mut all = Vec::new();
    while let Some(chunk) = answer.chunks.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn tools_and_inputs_are_answered_in_kind() {
    let tools = r#"{"model":"m","messages":[],"tool_choice":"required","tools":[{"type":"function","function":{"name":"weather"}}]}"#;
    assert!(
        ask(Endpoint::ChatCompletions, tools, false)
            .await
            .contains(r#""name":"weather""#)
    );
    let many = ask(
        Endpoint::Embeddings,
        r#"{"model":"m","input":["a","b","c"]}"#,
        false,
    )
    .await;
    assert_eq!(many.matches("\"index\"").count(), 3);
    let tokens = ask(
        Endpoint::Embeddings,
        r#"{"model":"m","input":[1,2,3]}"#,
        false,
    )
    .await;
    assert_eq!(tokens.matches("\"index\"").count(), 1);
}

#[tokio::test]
async fn streams_have_24_events_and_usage_when_asked() {
    let silent = ask(Endpoint::ChatCompletions, r#"{"stream":true}"#, true).await;
    assert_eq!(silent.matches("\"content\"").count(), 24);
    assert!(!silent.contains("usage") && silent.ends_with("data: [DONE]\n\n"));
    let asked = r#"{"stream":true,"stream_options":{"include_usage":true}}"#;
    assert!(
        ask(Endpoint::ChatCompletions, asked, true)
            .await
            .contains("\"total_tokens\":36")
    );
}
