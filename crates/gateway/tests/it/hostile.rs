//! Input that no honest client sends: a clear error each, nothing reaches an upstream.

use std::sync::atomic::Ordering::SeqCst;

use engine::{LimitState, Refusal};
use facts::{AccountId, CaseId, ClauseId};
use tokio::io::AsyncWriteExt as _;

use crate::support::*;

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn malformed_bodies_get_a_clear_400() {
    let gateway = Gateway::mock().await;
    for body in [
        "",
        "{",
        "[]",
        r#"{"messages":[]}"#,
        r#"{"model":"m"} x"#,
        r#"{"model":7,"messages":[]}"#,
    ] {
        let answer = ask(gateway.address, request(CHAT, body).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
        assert!(
            answer.contains("\"invalid_request_error\""),
            "{body}: {answer}"
        );
    }
    let deep = format!(
        r#"{{"model":"m","x":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(
        ask(gateway.address, request(CHAT, &deep).as_bytes())
            .await
            .starts_with("HTTP/1.1 400")
    );
    let mut bad = request(CHAT, "           ").into_bytes();
    let n = bad.len();
    bad[n - 11..].copy_from_slice(b"{\"m\":\"\xff\xfe\"} ");
    assert!(ask(gateway.address, &bad).await.starts_with("HTTP/1.1 400"));
    assert_eq!(gateway.desk.admitted.load(SeqCst), 0);
}

#[tokio::test]
async fn bodies_beyond_the_bound_are_refused_announced_or_not() {
    let gateway = Gateway::mock().await;
    let announced = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-length: 62914560\r\n\r\n"
    );
    let mut client = connect(gateway.address, announced.as_bytes()).await;
    assert!(
        until(&mut client, "request_too_large")
            .await
            .starts_with("HTTP/1.1 413")
    );

    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut client = connect(gateway.address, head.as_bytes()).await;
    let chunk = [
        format!("{:x}\r\n", 1 << 20).into_bytes(),
        vec![b' '; 1 << 20],
        b"\r\n".to_vec(),
    ]
    .concat();
    for _ in 0..60 {
        if client.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let answer = rest(client).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );
    let large = format!(
        r#"{{"model":"m","messages":[],"x":"{}"}}"#,
        "a".repeat(40 << 20)
    );
    assert!(
        ask(gateway.address, request(CHAT, &large).as_bytes())
            .await
            .starts_with("HTTP/1.1 200")
    );
    gateway.idle().await;
}

#[tokio::test]
async fn framing_said_in_two_ways_smuggles_nothing() {
    let gateway = Gateway::mock().await;
    let smuggled = "POST /v1/completions HTTP/1.1\r\nhost: y\r\n\r\n";
    for framing in [
        "content-length: 4\r\ncontent-length: 40",
        "content-length: 6\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked\r\ncontent-length: 5",
        "content-length: +5",
        "content-length: 5\r\n folded: yes",
    ] {
        let sent = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n{framing}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let mut client = connect(gateway.address, sent.as_bytes()).await;
        client.shutdown().await.unwrap();
        let answer = rest(client).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{framing}: {answer}");
    }
    assert_eq!(gateway.desk.admitted.load(SeqCst), 0);
}

#[tokio::test]
async fn heads_are_bounded() {
    let gateway = Gateway::mock().await;
    let long = format!(
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n",
        "a".repeat(200_000)
    );
    let answer = ask(gateway.address, long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = (0..500)
        .map(|n| format!("x-{n}: 1\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let answer = ask(
        gateway.address,
        format!("GET /v1/models HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn thousands_of_wrong_keys_are_refused_and_the_right_one_served() {
    let gateway = Gateway::mock().await;
    let calls = (0..8).map(|n| {
        let address = gateway.address;
        tokio::spawn(async move {
            for k in 0..250 {
                let wrong = request(CHAT, r#"{"model":"m","messages":[]}"#)
                    .replace("good", &format!("bad-{n}-{k}"));
                let answer = ask(address, wrong.as_bytes()).await;
                assert!(
                    answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_api_key"),
                    "{answer}"
                );
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let right = request(CHAT, r#"{"model":"m","messages":[]}"#);
    assert!(
        ask(gateway.address, right.as_bytes())
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert_eq!(gateway.desk.admitted.load(SeqCst), 1);
}

#[tokio::test]
async fn two_credentials_are_none() {
    let gateway = Gateway::mock().await;
    let body = r#"{"model":"m","messages":[]}"#;
    for twice in [
        "Bearer good\r\nx-api-key: good",
        "Bearer good\r\nauthorization: Bearer other",
        "Basic good",
    ] {
        let sent = request(CHAT, body).replace("Bearer good", twice);
        assert!(
            ask(gateway.address, sent.as_bytes())
                .await
                .starts_with("HTTP/1.1 401")
        );
    }
}

#[tokio::test]
async fn a_truncated_stream_or_request_loses_nothing() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream
            .write_all(b"data: {\"choices\":[{\"delta\":{\"content\":\"cut he")
            .await
            .unwrap();
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(
        answer.contains("upstream_error") && !answer.contains("[DONE]"),
        "{answer}"
    );
    assert_eq!(gateway.desk.ended(1).await.len(), 1);
    let cut = request(CHAT, r#"{"model":"m","messages":[]}"#);
    let mut client = connect(gateway.address, &cut.as_bytes()[..cut.len() - 5]).await;
    client.shutdown().await.unwrap();
    rest(client).await;
    gateway.idle().await;
    assert_eq!(gateway.desk.admitted.load(SeqCst), 1);
}

#[tokio::test]
async fn every_route_refuses_an_exhausted_key() {
    let gateway = Gateway::mock().await;
    let refusals = [
        (
            Refusal::Budget {
                account: AccountId::parse("a").unwrap(),
                budget_micro_usd: 5,
            },
            "HTTP/1.1 429",
            "insufficient_quota",
        ),
        (
            Refusal::RateLimited {
                account: AccountId::parse("a").unwrap(),
                limit: "requests_per_minute",
                state: LimitState {
                    requests_limit: 1,
                    ..LimitState::default()
                },
                retry_after_ms: 1_500,
            },
            "HTTP/1.1 429",
            "retry-after: 2",
        ),
        (
            Refusal::Suspended {
                account: AccountId::parse("a").unwrap(),
                case: CaseId::parse("c1").unwrap(),
                clause: ClauseId::parse("terms/3.e").unwrap(),
            },
            "HTTP/1.1 403",
            "/fairhold/v1/cases/c1",
        ),
    ];
    for (refusal, status, says) in refusals {
        *gateway.desk.refusal.lock().unwrap() = Some(refusal);
        for endpoint in facts::Endpoint::ALL {
            let field = match endpoint {
                facts::Endpoint::Completions => "\"prompt\":\"x\"",
                facts::Endpoint::Embeddings | facts::Endpoint::Responses => "\"input\":\"x\"",
                _ => "\"messages\":[],\"max_tokens\":5",
            };
            let sent = request(endpoint.path(), &format!("{{\"model\":\"m\",{field}}}"));
            let answer = ask(gateway.address, sent.as_bytes()).await;
            assert!(
                answer.starts_with(status) && answer.contains(says),
                "{endpoint:?}: {answer}"
            );
        }
    }
    for path in [
        "/",
        "/v1",
        "/v1/files",
        "/v1/batches",
        "/admin",
        "/v1/chat/completions/x",
        "/fairhold/x",
    ] {
        let answer = ask(gateway.address, request(path, "{}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    assert_eq!(gateway.desk.admitted.load(SeqCst), 0);
}
