use super::*;
use proptest::prelude::*;

fn exchange(dialect: Dialect, line: &str) -> Exchange {
    match parse_line(dialect, line).unwrap() {
        ImportedLine::Exchange(e) => e,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_line_is_an_exchange() {
    let line = r#"{"account":"acct_1","time":"2026-01-01T00:00:00Z","messages":[{"role":"user","content":"q"}],"response":"a","usage":{"prompt_tokens":1,"completion_tokens":2},"model":"m"}"#;
    assert_eq!(Dialect::detect(line), Some(Dialect::Plain));
    let e = exchange(Dialect::Plain, line);
    assert_eq!(e.account.as_str(), "acct_1");
    assert_eq!(e.at, Timestamp(1_767_225_600_000));
    assert_eq!(e.prompt, [("user".to_owned(), "q".to_owned())]);
    assert_eq!(e.response.as_deref(), Some("a"));
    assert_eq!(
        e.usage.map(|u| (u.input_tokens, u.output_tokens)),
        Some((1, 2))
    );
    assert_eq!(
        e,
        exchange(Dialect::Plain, &format!("  {line}\r\n")),
        "the id is stable"
    );
    let other = exchange(Dialect::Plain, &line.replace("\"q\"", "\"r\""));
    assert_ne!(e.id, other.id);
    let named = exchange(
        Dialect::Plain,
        r#"{"account":7,"time":1767225600,"prompt":"q","id":"x-1","response":{"choices":[{"message":{"content":"a"}}]}}"#,
    );
    assert_eq!(
        (named.id.as_str(), named.at, named.account.as_str()),
        ("x-1", e.at, "7")
    );
    assert_eq!(named.response.as_deref(), Some("a"));
}

#[test]
fn batch_halves_join_by_their_custom_id() {
    let input = r#"{"custom_id":"r-1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"q"}]}}"#;
    let output = r#"{"id":"batch_req_1","custom_id":"r-1","response":{"status_code":200,"body":{"created":1767225600,"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}},"error":null}"#;
    assert_eq!(Dialect::detect(input), Some(Dialect::BatchInput));
    assert_eq!(Dialect::detect(output), Some(Dialect::BatchOutput));
    let Ok(ImportedLine::Request(request)) = parse_line(Dialect::BatchInput, input) else {
        panic!()
    };
    let Ok(ImportedLine::Answer(answer)) = parse_line(Dialect::BatchOutput, output) else {
        panic!()
    };
    assert_eq!(request.custom_id, answer.custom_id);
    let account = AccountId::parse("a").unwrap();
    let e = request
        .clone()
        .join(Some(answer), account.clone(), Timestamp(5));
    assert_eq!(
        (e.at, e.response.as_deref()),
        (Timestamp(1_767_225_600_000), Some("a"))
    );
    assert_eq!(e.usage.map(|u| u.output_tokens), Some(2));
    let alone = request.join(None, account, Timestamp(5));
    assert_eq!(
        (alone.at, alone.response, alone.id),
        (Timestamp(5), None, e.id)
    );
}

#[test]
fn a_litellm_payload_is_an_exchange() {
    let line = r#"{"id":"chatcmpl-1","call_type":"acompletion","status":"success","startTime":1767225600.5,"endTime":1767225601.0,"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"model":"gpt-4o","metadata":{"user_api_key_hash":"88dc28","user_api_key_alias":"a key"},"end_user":"","messages":[{"role":"user","content":"q"}],"response":{"choices":[{"message":{"content":"a"}}]}}"#;
    assert_eq!(Dialect::detect(line), Some(Dialect::LiteLlm));
    let e = exchange(Dialect::LiteLlm, line);
    assert_eq!(
        (e.id.as_str(), e.account.as_str(), e.at.0),
        ("chatcmpl-1", "88dc28", 1_767_225_600_500)
    );
    assert_eq!(
        e.usage.map(|u| (u.input_tokens, u.output_tokens)),
        Some((3, 4))
    );
    assert_eq!(e.response.as_deref(), Some("a"));
    let array = format!("[{line}, {line}]");
    assert_eq!(elements(&array).unwrap(), [line, line]);
    let nobody = line.replace("88dc28", "").replace("a key", "");
    assert!(
        parse_line(Dialect::LiteLlm, &nobody)
            .unwrap_err()
            .to_string()
            .contains("user_api_key_hash")
    );
}

#[test]
fn a_labelled_row_becomes_an_exchange_of_whoever_is_named() {
    let line = r#"{"source":"s","kind":"harvest","campaign":"c","prompt":[{"role":"system","content":"x"},{"role":"user","content":"q"}],"response":null,"model":null,"lang":"en"}"#;
    assert_eq!(Dialect::detect(line), Some(Dialect::Traffic));
    let Ok(ImportedLine::Row(row)) = parse_line(Dialect::Traffic, line) else {
        panic!()
    };
    assert_eq!(
        (row.kind.as_str(), row.campaign.as_deref()),
        ("harvest", Some("c"))
    );
    let e = row.into_exchange(AccountId::parse("a").unwrap(), Timestamp(1));
    assert_eq!((e.prompt.len(), e.response, e.model), (2, None, None));
}

#[track_caller]
fn refused(line: &str, says: &str) {
    let error = parse_line(Dialect::Plain, line).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_bad_line_says_what_is_wrong() {
    refused("{", "not JSON");
    refused("[]", "not a JSON object");
    refused(r#"{"time":1,"messages":[]}"#, "`account` is missing");
    refused(
        r#"{"account":"a b","time":1,"messages":[]}"#,
        "`account` cannot be used",
    );
    refused(r#"{"account":"a","messages":[]}"#, "`time` is missing");
    refused(r#"{"account":"a","time":"soon","messages":[]}"#, "RFC 3339");
    refused(r#"{"account":"a","time":-4,"messages":[]}"#, "RFC 3339");
    refused(r#"{"account":"a","time":1}"#, "`messages` is missing");
    assert_eq!(Dialect::detect("{}"), None);
    let url = r#"{"custom_id":"r","url":"/v1/files","body":{}}"#;
    assert!(
        parse_line(Dialect::BatchInput, url)
            .unwrap_err()
            .to_string()
            .contains("/v1/files")
    );
}

const ALL: [Dialect; 5] = [
    Dialect::Plain,
    Dialect::BatchInput,
    Dialect::BatchOutput,
    Dialect::LiteLlm,
    Dialect::Traffic,
];

proptest! {
    #[test]
    fn random_lines_never_panic(line in "\\PC{0,60}") {
        for dialect in ALL {
            let _ = parse_line(dialect, &line).map_err(|e| e.to_string());
        }
        let _ = (Dialect::detect(&line), elements(&line));
    }
}
