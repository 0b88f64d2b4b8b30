use super::*;
use proptest::prelude::*;

const CHAT: Endpoint = Endpoint::ChatCompletions;

#[track_caller]
fn refused(body: &str, code: &str, says: &str) {
    let error = peek(CHAT, body.as_bytes()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(says), "`{error}` lacks `{says}`");
}

#[test]
fn the_fields_that_matter_are_read() {
    let body = br#"{"messages":[{"role":"user","content":"hi"}],"model":"gpt-4o","stream":true,
        "stream_options":{"x":[1],"include_usage":false},"max_tokens":32768.0,"n":2,"unknown":{"model":"no"}}"#;
    let p = peek(CHAT, body).unwrap();
    assert_eq!(p.model.as_str(), "gpt-4o");
    assert!(p.stream && p.has_stream_options && p.wants_usage_injected());
    assert_eq!(p.include_usage, Some(false));
    assert_eq!((p.output_tokens_max, p.n), (Some(32_768), 2));
    let input = u64::try_from(body.len().div_ceil(4)).unwrap();
    assert_eq!(p.tokens_max(7), input + 65_536);
}

#[test]
fn nothing_but_the_model_is_required() {
    let p = peek(
        CHAT,
        br#" {"mod\u0065l":"m","stream":null,"n":null,"stream_options":null} "#,
    )
    .unwrap();
    assert_eq!((p.model.as_str(), p.stream, p.n), ("m", false, 1));
    assert!(!p.has_stream_options && !p.wants_usage_injected());
    assert_eq!(p.tokens_max(100), p.input_tokens_estimate() + 100);
}

#[test]
fn responses_and_messages_are_read_too() {
    let p = peek(
        Endpoint::Responses,
        br#"{"model":"m","input":"x","max_output_tokens":9,"previous_response_id":"resp_1","conversation":{"id":"conv_1"}}"#,
    )
    .unwrap();
    assert_eq!(p.previous_response_id.as_deref(), Some("resp_1"));
    assert_eq!(p.conversation_id.as_deref(), Some("conv_1"));
    assert_eq!(p.output_tokens_max, Some(9));
    let p = peek(
        Endpoint::Messages,
        br#"{"model":"m","max_tokens":5,"messages":[],"stream":true}"#,
    )
    .unwrap();
    assert!(p.stream && !p.wants_usage_injected());
    let p = peek(Endpoint::Embeddings, br#"{"model":"m","input":"x"}"#).unwrap();
    assert_eq!(p.tokens_max(1_000), p.input_tokens_estimate());
}

#[test]
fn duplicate_keys_are_refused_wherever_two_readers_could_differ() {
    refused(
        r#"{"model":"a","model":"b"}"#,
        "duplicate_key",
        "`model` is given twice",
    );
    refused(
        r#"{"model":"a","mod\u0065l":"b"}"#,
        "duplicate_key",
        "`model`",
    );
    refused(r#"{"model":"a","x":1,"x":1}"#, "duplicate_key", "`x`");
    refused(
        r#"{"model":"a","stream":true,"stream":null}"#,
        "duplicate_key",
        "`stream`",
    );
    let inside = r#"{"model":"a","stream_options":{"include_usage":true,"include_usage":false}}"#;
    refused(inside, "duplicate_key", "`stream_options.include_usage`");
}

#[test]
fn nonsense_numbers_are_refused_with_the_field_and_the_place() {
    for n in [
        "-1",
        "-0.5",
        "1.5",
        "1e400",
        "-1e400",
        "99999999999",
        "1e300",
        "\"5\"",
        "[1]",
        "18446744073709551616",
    ] {
        for field in [
            "max_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "n",
            "best_of",
        ] {
            refused(
                &format!(r#"{{"model":"m","{field}":{n}}}"#),
                "invalid_value",
                &format!("`{field}`"),
            );
        }
    }
    refused(
        r#"{"model":"m","max_tokens":-5}"#,
        "invalid_value",
        "line 1 column",
    );
    refused(
        r#"{"model":"m","max_tokens":NaN}"#,
        "invalid_value",
        "`max_tokens`",
    );
    refused(
        r#"{"model":"m","stream":"yes"}"#,
        "invalid_value",
        "`stream`",
    );
    refused(
        r#"{"model":"m","stream_options":[]}"#,
        "invalid_value",
        "`stream_options`",
    );
    refused(
        r#"{"model":"m","stream_options":{"include_usage":1}}"#,
        "invalid_value",
        "`stream_options`",
    );
}

#[test]
fn a_body_that_is_no_request_is_refused() {
    refused("", "invalid_json", "EOF");
    refused("[1]", "invalid_json", "must be a JSON object");
    refused("nonsense", "invalid_json", "not valid JSON");
    refused(r#"{"model":"m"}x"#, "invalid_json", "line 1 column 14");
    refused(r#"{"model":"m"} {}"#, "invalid_json", "follows");
    refused(r#"{"model":"m","max_tokens":1"#, "invalid_json", "EOF");
    refused(r#"{"model":"m","x":NaN}"#, "invalid_json", "line 1");
    refused("{}", "missing_required_parameter", "`model`");
    refused(r#"{"model":null}"#, "missing_required_parameter", "`model`");
    refused(r#"{"model":5}"#, "invalid_value", "`model`");
    refused(r#"{"model":"a b"}"#, "invalid_value", "`model`");
    assert_eq!(
        peek(CHAT, b"{\"model\":\"m\",\"x\":\"\xff\"}").unwrap_err(),
        PeekError::NotUtf8 { at: 18 }
    );
}

#[test]
fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
    let nested = |n: usize| format!(r#"{{"model":"m","x":{}{}}}"#, "[".repeat(n), "]".repeat(n));
    assert!(peek(CHAT, nested(DEPTH_MAX - 1).as_bytes()).is_ok());
    refused(&nested(DEPTH_MAX), "nesting_too_deep", "flatten");
    refused(
        &format!(r#"{{"model":"m","x":{}"#, "[".repeat(1 << 20)),
        "nesting_too_deep",
        "byte 116",
    );
    let quoted = format!(r#"{{"model":"m","x":"\"{}\\"}}"#, "[{".repeat(5_000));
    assert!(peek(CHAT, quoted.as_bytes()).is_ok());
}

fn any_endpoint() -> impl Strategy<Value = Endpoint> {
    prop::sample::select(Endpoint::ALL.to_vec())
}

proptest! {
    #[test]
    fn random_bytes_never_panic(endpoint in any_endpoint(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = peek(endpoint, &body).map_err(|e| e.to_string());
    }

    #[test]
    fn a_mutated_request_never_panics_and_is_json_when_taken(
        endpoint in any_endpoint(),
        at in any::<prop::sample::Index>(),
        with in proptest::collection::vec(any::<u8>(), 0..4),
        drop in 0_usize..4,
    ) {
        let mut body = br#"{"model":"m","messages":[{"role":"user","content":"a\n\u00e9"}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":12,"n":1}"#.to_vec();
        let at = at.index(body.len());
        let end = (at + drop).min(body.len());
        body.splice(at..end, with);
        if let Ok(p) = peek(endpoint, &body) {
            let v: serde_json::Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(v["model"].as_str(), Some(p.model.as_str()));
            prop_assert_eq!(v["stream"].as_bool().unwrap_or(false), p.stream);
        }
    }

    #[test]
    fn the_depth_scan_agrees_with_a_count_over_the_parsed_value(v in values()) {
        let text = serde_json::to_string(&v).unwrap();
        let deep = depth(&v) > DEPTH_MAX;
        prop_assert_eq!(too_deep(text.as_bytes()).is_some(), deep);
        let wrapped = format!("{}{text}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        prop_assert_eq!(too_deep(wrapped.as_bytes()).is_some(), depth(&v) > 0);
    }
}

fn depth(v: &serde_json::Value) -> usize {
    match v {
        serde_json::Value::Array(a) => 1 + a.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(o) => 1 + o.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(serde_json::Value::from),
        "[\\[\\]{}\"\\\\a]{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a{\"]{0,3}", inner, 0..4)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

#[test]
fn whom_a_request_is_made_for_is_read_and_never_a_reason_to_refuse_it() {
    use Endpoint::{ChatCompletions, Completions, Embeddings, Messages, Responses};
    let named = |endpoint, rest: &str| {
        let body = format!(r#"{{"model":"m",{rest}}}"#);
        peek(endpoint, body.as_bytes()).unwrap().subject
    };
    for endpoint in [ChatCompletions, Completions, Responses, Embeddings] {
        let both = r#""user":"old","safety_identifier":"s\u0031""#;
        assert_eq!(named(endpoint, both).as_deref(), Some("s1"));
        assert_eq!(named(endpoint, r#""user":"u""#).as_deref(), Some("u"));
        assert_eq!(named(endpoint, r#""metadata":{"user_id":"x"}"#), None);
        for other in ["null", "7", "[]", "\"\"", "{\"a\":1}"] {
            assert_eq!(
                named(endpoint, &format!("\"user\":{other}")),
                None,
                "{other}"
            );
        }
        let falls_back = r#""safety_identifier":null,"user":"u""#;
        assert_eq!(named(endpoint, falls_back).as_deref(), Some("u"));
    }
    let metadata = r#""metadata":{"x":1,"user_id":"u-1"}"#;
    assert_eq!(named(Messages, metadata).as_deref(), Some("u-1"));
    for other in ["null", "{}", "[]", "{\"user_id\":7}", "\"user_id\""] {
        assert_eq!(
            named(Messages, &format!("\"metadata\":{other},\"user\":\"u\"")),
            None
        );
    }
    refused(
        r#"{"model":"m","user":"a","user":"b"}"#,
        "duplicate_key",
        "`user`",
    );
}
