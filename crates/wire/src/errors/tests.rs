use super::*;

fn suspended() -> Problem {
    Problem {
        clause: Some("terms/3.3(e)".into()),
        case_url: Some("https://x.example/cases/C-1".into()),
        appeal: Some("https://x.example/cases/C-1/appeal".into()),
        ..Problem::new(403, "account_suspended", "the account is suspended")
    }
}

#[track_caller]
fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn openai_errors_have_its_four_members_and_ours() {
    let plain = parsed(&body(Endpoint::Responses, &Problem::new(400, "c", "m")));
    let expected =
        json!({"error":{"message":"m","type":"invalid_request_error","param":null,"code":"c"}});
    assert_eq!(plain, expected);
    let error = &parsed(&body(Endpoint::ChatCompletions, &suspended()))["error"];
    assert_eq!(
        error["message"],
        "the account is suspended (case: https://x.example/cases/C-1)"
    );
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("permission_error"), &json!("account_suspended"))
    );
    assert_eq!(error["clause"], "terms/3.3(e)");
    assert_eq!(error["appeal"], "https://x.example/cases/C-1/appeal");
}

#[test]
fn anthropic_errors_have_its_shape() {
    let v = parsed(&body(Endpoint::Messages, &suspended()));
    assert_eq!(v["type"], "error");
    assert_eq!(v["error"]["type"], "permission_error");
    assert_eq!(v["error"]["case_url"], "https://x.example/cases/C-1");
}

#[test]
fn types_follow_the_status() {
    for (status, openai, anthropic) in [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (403, "permission_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (503, "server_error", "overloaded_error"),
        (504, "server_error", "timeout_error"),
    ] {
        assert_eq!(
            (openai_type(status, "x"), anthropic_type(status)),
            (openai, anthropic),
            "{status}"
        );
    }
    assert_eq!(openai_type(429, "insufficient_quota"), "insufficient_quota");
}

#[test]
fn an_error_event_is_read_as_an_error_and_never_as_the_end() {
    for endpoint in Endpoint::ALL {
        let mut parser = crate::Parser::default();
        parser.push(&event(endpoint, &suspended()));
        let read = parser.next_event().unwrap().unwrap();
        assert_eq!(read.mark(endpoint), crate::Mark::Error, "{endpoint:?}");
        assert_eq!(parser.pending_bytes(), 0);
    }
}

#[test]
fn a_refused_body_names_the_field() {
    let refused = crate::peek(Endpoint::ChatCompletions, b"{}").unwrap_err();
    let problem = Problem::from(&refused);
    assert_eq!(
        (problem.status, problem.param.as_deref()),
        (400, Some("model"))
    );
}
