//! Rules that the ten probes leave open.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use engine::Refusal;
use facts::{Ending, KeyId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::support::*;

const CHAT: &str = "/v1/chat/completions";
const PLAIN: &str = r#"{"model":"m","messages":[]}"#;

fn plain_answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn what_a_leaving_client_was_given_is_metered() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n";
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"one two three four five six\"}}\n\n";
    let server = upstream(move |mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        stream.write_all(delta.as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let asked = r#"{"model":"m","max_tokens":99,"stream":true,"messages":[]}"#;
    let mut client = connect(gateway.address, request("/v1/messages", asked).as_bytes()).await;
    until(&mut client, "six").await;
    drop(client);
    let (completion, _) = gateway.desk.ended(1).await.remove(0);
    assert_eq!(completion.ending, Ending::ClientGone);
    // The figure of the first event is not all that was given.
    assert_eq!(
        (
            completion.usage.input_tokens,
            completion.usage.output_tokens,
            completion.usage.estimated
        ),
        (25, 6, true)
    );
}

#[tokio::test]
async fn not_one_further_event_passes_once_a_key_is_barred() {
    let go = Arc::new(Notify::new());
    let next = Arc::clone(&go);
    let server = upstream(move |mut stream, _| {
        let next = Arc::clone(&next);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            stream.write_all(event("before").as_bytes()).await.unwrap();
            next.notified().await;
            let all = format!("{}data: [DONE]\n\n", event("after"));
            stream.write_all(all.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    until(&mut client, "before").await;
    gateway.desk.barred.store(true, SeqCst);
    go.notify_one();
    let answer = rest(client).await;
    assert!(answer.contains("policy_stop"), "{answer}");
    assert!(
        !answer.contains("after") && !answer.contains("[DONE]"),
        "{answer}"
    );
    *gateway.desk.refusal.lock().unwrap() = Some(Refusal::RevokedKey {
        key: KeyId::parse("k").unwrap(),
    });
    let answer = ask(gateway.address, request(CHAT, PLAIN).as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("key_revoked"),
        "{answer}"
    );
    assert_eq!(gateway.desk.admitted.load(SeqCst), 1);
}

/// The mark of a case is disclosed on plain answers, streams and failures
/// alike, and no upstream can forge one.
#[tokio::test]
async fn a_mark_is_disclosed_on_every_answer() {
    let forged = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-fairhold-marked: forged\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let server = upstream(move |mut stream, _| async move {
        stream.write_all(forged.as_bytes()).await.unwrap();
    })
    .await;
    let plain = Gateway::before(server, "").await;
    let mock = Gateway::mock().await;
    let gone = Gateway::before("127.0.0.1:1".parse().unwrap(), "").await;
    let asked = request(CHAT, PLAIN);
    let stream = streamed();
    for (gateway, asked) in [
        (&plain, &asked),
        (&mock, &asked),
        (&mock, &stream),
        (&gone, &asked),
    ] {
        let unmarked = ask(gateway.address, asked.as_bytes()).await;
        assert!(!unmarked.contains("x-fairhold-marked"), "{unmarked}");
        let case = facts::CaseId::parse("case-7").unwrap();
        *gateway.desk.marked.lock().unwrap() = Some(case);
        let marked = ask(gateway.address, asked.as_bytes()).await;
        assert!(marked.contains("x-fairhold-marked: case-7\r\n"), "{marked}");
        *gateway.desk.marked.lock().unwrap() = None;
    }
}

#[tokio::test]
async fn nothing_behind_a_doubly_framed_body_is_read() {
    let gateway = Gateway::mock().await;
    let smuggled = request(CHAT, PLAIN);
    let chunked = format!("{:x}\r\n{PLAIN}\r\n0\r\n\r\n", PLAIN.len());
    let te = "transfer-encoding: chunked";
    for framing in [
        format!("content-length: 5\r\n{te}"),
        format!("{te}\r\ncontent-length: 5"),
        te.to_owned(),
    ] {
        let before = gateway.desk.admitted.load(SeqCst);
        let sent = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n{framing}\r\n\r\n{chunked}{smuggled}"
        );
        // The chunks are the request, as the standard says; then the connection ends.
        let answer = ask(gateway.address, sent.as_bytes()).await;
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{framing}: {answer}"
        );
        assert_eq!(
            gateway.desk.admitted.load(SeqCst) - before,
            1,
            "{framing}: {answer}"
        );
    }
}

#[tokio::test]
async fn who_has_no_key_learns_nothing_and_uploads_nothing() {
    let gateway = Gateway::mock().await;
    for body in [r#"{"model":"unserved","messages":[]}"#, "{", "nonsense"] {
        let wrong = request(CHAT, body).replace("good", "wrong");
        let answer = ask(gateway.address, wrong.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{body}: {answer}");
        assert!(answer.contains("x-request-id: x"), "{answer}");
    }
    // The answer comes although not one byte of the body was sent.
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\ncontent-length: 1000000\r\n\r\n"
    );
    let mut client = connect(gateway.address, head.as_bytes()).await;
    let answer = until(&mut client, "invalid_api_key").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let unserved = request(CHAT, r#"{"model":"unserved","messages":[]}"#);
    let answer = ask(gateway.address, unserved.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("model_not_found"),
        "{answer}"
    );
}

#[tokio::test]
async fn whoever_is_answered_is_told_which_record_says_so() {
    let gateway = Gateway::mock().await;
    let streamed = r#"{"model":"m","stream":true,"messages":[]}"#;
    for body in [PLAIN, streamed] {
        let answer = ask(gateway.address, request(CHAT, body).as_bytes()).await;
        let head = answer.split_once("\r\n\r\n").unwrap().0;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("x-evidence-seq: 42"), "{head}");
    }
    let key = KeyId::parse("k").unwrap();
    *gateway.desk.refusal.lock().unwrap() = Some(Refusal::RevokedKey { key });
    let refused = ask(gateway.address, request(CHAT, PLAIN).as_bytes()).await;
    assert!(refused.contains("x-evidence-seq: 41"), "{refused}");
    // Who has no key is not recorded.
    let wrong = request(CHAT, PLAIN).replace("good", "wrong");
    let unknown = ask(gateway.address, wrong.as_bytes()).await;
    assert!(!unknown.contains("x-evidence-seq"), "{unknown}");
}

#[tokio::test]
async fn what_is_cut_at_the_end_of_the_drain_is_recorded() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream.write_all(event("begun").as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let mut gateway = Gateway::before(server, "[limits]\ndrain_seconds = 0").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    until(&mut client, "begun").await;
    gateway.drain().await;
    let ended = gateway.desk.completions();
    assert_eq!(ended.len(), 1, "recorded before the server is gone");
    assert_eq!(ended[0].0.ending, Ending::ClientGone);
    assert!(!rest(client).await.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_stored_response_is_continued_by_its_owner_only() {
    let server = upstream(|mut stream, asked| async move {
        let id = if asked.contains("first") { "resp_1" } else { "resp_2" };
        let body = format!(
            r#"{{"id":"{id}","object":"response","output":[],"usage":{{"input_tokens":1,"output_tokens":1}}}}"#
        );
        stream.write_all(plain_answer(&body).as_bytes()).await.unwrap();
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let continued = request(
        "/v1/responses",
        r#"{"model":"m","input":"x","previous_response_id":"resp_1"}"#,
    );
    let refused = |answer: &str| {
        answer.starts_with("HTTP/1.1 400") && answer.contains("previous_response_not_found")
    };
    let answer = ask(gateway.address, continued.as_bytes()).await;
    assert!(refused(&answer), "{answer}");
    let first = request("/v1/responses", r#"{"model":"m","input":"first"}"#);
    let answer = ask(gateway.address, first.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = ask(gateway.address, continued.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Another account with a live key of its own.
    let other = continued.replace("Bearer good", "Bearer other");
    let answer = ask(gateway.address, other.as_bytes()).await;
    assert!(refused(&answer), "{answer}");
    let kept = r#"{"model":"m","input":"x","conversation":"conv_1"}"#;
    let answer = ask(gateway.address, request("/v1/responses", kept).as_bytes()).await;
    assert!(refused(&answer), "{answer}");
    assert_eq!(gateway.desk.admitted.load(SeqCst), 2);
}

#[tokio::test]
async fn our_error_never_becomes_part_of_a_cut_event() {
    // Closed by a blank line; without one; cut inside a line.
    for (sent, passed) in [
        ("data: {\"choices\":[]}\n\n", true),
        ("data: {\"choices\":[]}\n", true),
        ("data: {\"choices\":[", false),
    ] {
        let server = upstream(move |mut stream, _| async move {
            stream.write_all(EVENTS).await.unwrap();
            let all = format!("{}{sent}", event("first"));
            stream.write_all(all.as_bytes()).await.unwrap();
        })
        .await;
        let gateway = Gateway::before(server, "").await;
        let asking = streamed().replace("HTTP/1.1", "HTTP/1.0");
        let answer = ask(gateway.address, asking.as_bytes()).await;
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let events: Vec<&str> = body.split("\n\n").filter(|e| !e.is_empty()).collect();
        assert_eq!(events.len(), 2 + usize::from(passed), "{sent:?}: {body}");
        for event in &events {
            let data = event.trim().strip_prefix("data: ").unwrap();
            let json: serde_json::Value = serde_json::from_str(data).unwrap();
            assert!(json.is_object());
        }
        assert!(events.last().unwrap().contains("upstream_error"), "{body}");
        let (completion, kept) = gateway.desk.ended(1).await.remove(0);
        assert_eq!(kept, body.as_bytes());
        assert_eq!(completion.delivered_bytes, body.len() as u64);
    }
}

#[tokio::test]
async fn whatever_is_admitted_is_completed_exactly_once() {
    let server = upstream(|mut stream, asked| async move {
        if !asked.contains("\"stream\":true") {
            let _ = stream.write_all(plain_answer("{}").as_bytes()).await;
            return;
        }
        let _ = stream.write_all(EVENTS).await;
        for n in 0..50 {
            if stream
                .write_all(event(&format!("<{n}>")).as_bytes())
                .await
                .is_err()
            {
                return;
            }
            tokio::task::yield_now().await;
        }
        let _ = stream.write_all(b"data: [DONE]\n\n").await;
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let finished = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..200_usize {
        let (address, finished) = (gateway.address, Arc::clone(&finished));
        clients.spawn(async move {
            let sent = if n % 3 == 0 {
                request(CHAT, PLAIN)
            } else {
                streamed()
            };
            let mut client = connect(address, sent.as_bytes()).await;
            // From leaving at once to staying to the end, after any number of bytes.
            let mut left = (n * 7919) % 4_000;
            let mut some = [0; 97];
            while left > 0 {
                match client.read(&mut some).await {
                    Ok(n @ 1..) => left = left.saturating_sub(n),
                    _ => break,
                }
            }
            if n % 5 == 0 && rest(client).await.contains("[DONE]") {
                finished.fetch_add(1, SeqCst);
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    gateway.idle().await;
    let admitted = gateway.desk.admitted.load(SeqCst);
    let ended = gateway.desk.completions();
    let ids: BTreeSet<_> = ended
        .iter()
        .map(|(c, _)| c.admitted.exchange.to_string())
        .collect();
    assert_eq!(ended.len() as u64, admitted, "each exactly once");
    assert_eq!(ids.len(), ended.len(), "none twice");
    let whole = ended.iter().filter(|(c, _)| c.ending == Ending::Completed);
    assert!(whole.count() >= finished.load(SeqCst));
    assert!(admitted > 100, "{admitted} were admitted");
}
