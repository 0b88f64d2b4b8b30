use facts::Endpoint;
use proptest::prelude::*;

use super::*;
use crate::conversation::{answer_text, conversation, of_answer, of_request, prompt_text};

/// JSON as bodies have it and as they should not: keys that matter, often repeated, at any depth.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        Just("1e999".to_owned()),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\ud83d\ude00 \u00e9\n""#.to_owned()),
        Just(r#""\ud800""#.to_owned()),
    ];
    let key = prop::sample::select(vec![
        "messages",
        "content",
        "text",
        "role",
        "prompt",
        "input",
        "instructions",
        "system",
        "choices",
        "message",
        "output",
        "index",
        "delta",
        "t\\u0065xt",
        "x",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let member = (key.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\": {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn check(body: &[u8]) {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    assert_eq!(Lean::read(body).is_some(), value.is_some());
    for endpoint in Endpoint::ALL {
        let asked = value
            .as_ref()
            .map_or_else(Vec::new, |v| of_request(endpoint, v));
        let texts: Vec<&str> = asked.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(conversation(endpoint, body), asked);
        assert_eq!(prompt_text(endpoint, body), texts.join("\n"));
        let answered = value.as_ref().and_then(|v| of_answer(endpoint, v));
        assert_eq!(answer_text(endpoint, body), answered);
    }
}

proptest! {
    #[test]
    fn it_says_what_a_value_says(body in json(), cut in 0_usize..400, byte in any::<u8>()) {
        check(body.as_bytes());
        let mut damaged = body.into_bytes();
        if let Some(place) = damaged.get_mut(cut) {
            *place = byte;
        }
        check(&damaged);
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_as_there() {
    for depth in [100, 127, 128, 129, 5_000] {
        check(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
    }
}
