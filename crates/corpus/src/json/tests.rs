use proptest::prelude::*;

use super::*;
use crate::document::Column;

#[track_caller]
fn agree(line: &[u8]) {
    let columns = Columns::text(Text::Usual)
        .with(Column::Account, Some("user"))
        .with(Column::Id, Some("text"));
    let told = |document: Result<Document<'_>, String>| {
        document.map(|d| {
            let all = Column::ALL.map(|c| d.column(c).map(str::to_owned));
            (d.text.into_owned(), all)
        })
    };
    let plain = told(slow(line, &columns, 0));
    assert_eq!(told(document(line, &columns, 0)), plain);
    if let Some(found) = std::str::from_utf8(line)
        .ok()
        .and_then(|line| quick(line, &columns, 0))
    {
        assert_eq!(told(Ok(found)), plain, "the quick reader alone");
    }
}

#[test]
fn both_readers_agree_on_lines_that_are_awkward() {
    for line in [
        r#"{"text":"a"}"#,
        r#" { "user" : "u" , "text" : "a\n\"b\"\u00e9\ud83d\ude00" } "#,
        r#"{"text":"a","text":"b"}"#,
        r#"{"text":"a","text":null}"#,
        r#"{"text":null}"#,
        r#"{"text":null,"output":"a"}"#,
        r#"{"text":"","output":"a"}"#,
        r#"{"text":" \n","output":"a"}"#,
        r#"{"text":7}"#,
        r#"{"text":["a",{"b":"c"}],"x":[1,2.5,-0,true,false,null,{}]}"#,
        r#"{"text":"\ud800"}"#,
        r#"{"text":"\ud800\u0041"}"#,
        r#"{"x":"\ud800","text":"a"}"#,
        r#"{"x":"\q","text":"a"}"#,
        r#"{"x":01,"text":"a"}"#,
        r#"{"x":1.,"text":"a"}"#,
        r#"{"x":1e999,"text":"a"}"#,
        r#"{"x":99999999999999999999999999,"text":"a"}"#,
        r#"{"x":-,"text":"a"}"#,
        r#"{"x":tru,"text":"a"}"#,
        r#"{"x":[1,],"text":"a"}"#,
        r#"{"x":{"a":1,},"text":"a"}"#,
        r#"{"text":"a",}"#,
        r#"{"text":"a"}{"#,
        r#"{"text":"a"} x"#,
        r#"{"text":"a""#,
        r#"{"text":"a"#,
        r#"{"text":"a\"#,
        r#"{"text":"\u12"}"#,
        r#"{"other":"a","list":["b"]}"#,
        r#"["text"]"#,
        r#""text""#,
        "{}",
        "",
        "{\"text\":\"a\tb\"}",
        "{\"x\":\"a\u{0}b\",\"text\":\"c\"}",
    ] {
        agree(line.as_bytes());
    }
    agree(b"{\"text\":\"\xff\"}");
    agree(b"{\"x\":\"\xc3\",\"text\":\"a\"}");
    let deep = format!(
        "{{\"x\":{}{},\"text\":\"a\"}}",
        "[".repeat(126),
        "]".repeat(126)
    );
    agree(deep.as_bytes());
    let deeper = format!(
        "{{\"x\":{}{},\"text\":\"a\"}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    agree(deeper.as_bytes());
}

#[test]
fn a_row_without_the_named_field_says_what_it_has() {
    let columns = Columns::text(Text::Named("body".to_owned()));
    let why = document(br#"{"text":"a","id":1}"#, &columns, 0).unwrap_err();
    assert!(
        why.contains("no field `body`") && why.contains("`id`, `text`"),
        "{why}"
    );
}

#[test]
fn a_row_without_text_is_taken_with_all_its_strings() {
    let line = br#"{"instruction":"x","output":["y","z"],"n":3}"#;
    assert_eq!(line_text(line, &Text::Usual).unwrap(), "x\ny\nz\n");
}

#[test]
fn an_empty_text_hides_no_other_field() {
    for text in ["null", r#""""#, r#"" \n""#, "[]", "{}"] {
        let line = format!(r#"{{"text":{text},"output":"stolen words"}}"#);
        let read = line_text(line.as_bytes(), &Text::Usual).unwrap();
        assert!(read.contains("stolen words"), "{line}: {read}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z \n\"\\\\]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("text|user|[a-c\"]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_readers_agree_on_every_json(
        map in prop::collection::btree_map("text|user|[a-c]{1,2}", value(), 0..5),
        pretty in any::<bool>(),
    ) {
        let value = Value::Object(map.into_iter().collect());
        let line = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        agree(&line.unwrap());
    }

    #[test]
    fn both_readers_agree_on_damaged_json(
        text in any::<String>(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut line = serde_json::to_vec(&serde_json::json!({"n": [1, {"k": text}], "text": text, "user": "u"})).unwrap();
        let at = at.index(line.len());
        if cut { line.truncate(at); } else { line[at] = byte; }
        agree(&line);
    }

    #[test]
    fn both_readers_agree_on_noise(line in "[{}\\[\\]\",:\\\\a-z0-9 .eu\\-]{0,60}") {
        agree(line.as_bytes());
        agree(format!("{{\"text\":\"{line}\"}}").as_bytes());
    }
}
