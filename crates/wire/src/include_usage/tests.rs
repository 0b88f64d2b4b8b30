use super::*;
use crate::sse::Parser;
use proptest::prelude::*;
use serde_json::{Value, json};

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(
        String::from_utf8(splice(body.as_bytes()).into_owned()).unwrap(),
        expected
    );
    assert_eq!(
        splice(expected.as_bytes()),
        expected.as_bytes(),
        "twice changes nothing more"
    );
}

#[test]
fn only_the_option_changes() {
    check(
        "{ \"model\": \"m\",\"x\" : 1e400}",
        "{\"stream_options\":{\"include_usage\":true}, \"model\": \"m\",\"x\" : 1e400}",
    );
    check(
        "{\"a\":{\"stream_options\":null}, \"stream_options\" : null }",
        "{\"a\":{\"stream_options\":null}, \"stream_options\" : {\"include_usage\":true} }",
    );
    check(
        "{\"stream_options\":{ },\"b\":2}",
        "{\"stream_options\":{\"include_usage\":true },\"b\":2}",
    );
    check(
        "{\"stream_options\": {\"x\":{}},\"b\":2}",
        "{\"stream_options\": {\"include_usage\":true,\"x\":{}},\"b\":2}",
    );
    for no in ["false", "null"] {
        check(
            &format!("{{\"stream_options\":{{\"x\":1,\"include_usage\" :  {no} }}}}"),
            "{\"stream_options\":{\"x\":1,\"include_usage\" :  true }}",
        );
    }
    check("{}", "{\"stream_options\":{\"include_usage\":true}}");
    check(
        "{\"stream\\u005foptions\":null}",
        "{\"stream\\u005foptions\":{\"include_usage\":true}}",
    );
}

#[test]
fn what_is_no_object_is_left_alone() {
    for body in [
        &b"[1]"[..],
        b"",
        b"\xff",
        b"{\"stream_options\":3}",
        b"{\"a\":",
    ] {
        assert!(matches!(splice(body), Cow::Borrowed(same) if same == body));
    }
}

#[test]
fn only_the_extra_frame_is_the_usage_frame() {
    for (data, hidden) in [
        ("{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", true),
        ("{\"choices\":[],\"usage\":null}", false),
        (
            "{\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}",
            false,
        ),
        ("{\"choices\":[]}", false),
        ("{\"usage\":{}}", false),
        ("[DONE]", false),
    ] {
        let mut parser = Parser::default();
        parser.push(format!("data: {data}\n\n").as_bytes());
        assert_eq!(
            is_usage_frame(&parser.next_event().unwrap().unwrap()),
            hidden,
            "{data}"
        );
    }
}

proptest! {
    #[test]
    fn the_spliced_body_is_the_original_plus_the_option(
        members in proptest::collection::btree_map("[a-z\"{}\\\\é]{0,4}", prop_oneof![
            any::<i64>().prop_map(Value::from), "[\\PC]{0,5}".prop_map(Value::from),
            Just(json!({"stream_options": {"include_usage": false}})), Just(json!([[], {}])),
        ], 0..5),
        options in prop_oneof![
            Just(None), Just(Some(Value::Null)), Just(Some(json!({}))),
            Just(Some(json!({"include_usage": false, "z": "{"}))),
            Just(Some(json!({"a": {"include_usage": 1}}))), Just(Some(json!({"include_usage": null}))),
        ],
        pretty in any::<bool>(),
    ) {
        let mut original: serde_json::Map<String, Value> = members.into_iter().collect();
        if let Some(options) = options {
            original.insert("stream_options".into(), options);
        }
        let text = if pretty { serde_json::to_string_pretty(&original) } else { serde_json::to_string(&original) }.unwrap();
        let got: Value = serde_json::from_slice(&splice(text.as_bytes())).unwrap();
        let entry = original.entry("stream_options").or_insert(Value::Null);
        if entry.is_null() {
            *entry = json!({});
        }
        entry["include_usage"] = true.into();
        prop_assert_eq!(got, Value::Object(original));
    }

    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = splice(&body);
    }
}
