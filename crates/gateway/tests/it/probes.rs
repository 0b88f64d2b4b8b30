//! The ten probes at which other gateways failed, and the rules beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use facts::Ending;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::support::*;

const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}\n\n";

#[tokio::test]
async fn the_client_leaves_and_the_upstream_is_cancelled() {
    let cancelled = Arc::new(Notify::new());
    let told = Arc::clone(&cancelled);
    let server = upstream(move |mut stream, _| {
        let told = Arc::clone(&told);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            // Until the gateway hangs up; each write is one chunk.
            while stream.write_all(event("more").as_bytes()).await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            told.notify_one();
        }
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    until(&mut client, "more").await;
    drop(client);
    let ended = gateway.desk.ended(1).await;
    assert_eq!(ended[0].0.ending, Ending::ClientGone);
    assert!(
        ended[0].0.usage.estimated && ended[0].0.usage.output_tokens > 0,
        "what nobody said is counted and marked"
    );
    assert!(ended[0].0.delivered_bytes > 0);
    tokio::time::timeout(PATIENCE, cancelled.notified())
        .await
        .expect("the upstream must be cancelled");
    gateway.idle().await;
}

#[tokio::test]
async fn the_upstream_dies_and_no_end_is_claimed() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream.write_all(event("half").as_bytes()).await.unwrap();
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(
        answer.contains("half") && answer.contains("upstream_error"),
        "{answer}"
    );
    assert!(!answer.contains("[DONE]"), "{answer}");
    assert!(
        !answer.ends_with("0\r\n\r\n"),
        "the transfer must not end as if complete"
    );
    assert_eq!(
        gateway.desk.ended(1).await[0].0.ending,
        Ending::UpstreamError
    );
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream
            .write_all(event("then silence").as_bytes())
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = Gateway::before(server, "timeouts = { idle_ms = 100 }").await;
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(
        answer.contains("upstream_stall") && !answer.contains("[DONE]"),
        "{answer}"
    );
    assert_eq!(
        gateway.desk.ended(1).await[0].0.ending,
        Ending::UpstreamStall
    );
    gateway.idle().await;
}

#[tokio::test]
async fn an_upstream_that_never_begins_is_given_up() {
    let server = upstream(|mut stream, _| async move {
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let gateway = Gateway::before(server, "timeouts = { first_token_ms = 100 }").await;
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    assert_eq!(
        gateway.desk.ended(1).await[0].0.ending,
        Ending::UpstreamStall
    );
}

#[tokio::test]
async fn a_reader_that_never_reads_holds_back_the_upstream() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let server = upstream(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            let chunk = event(&"x".repeat(16 * 1024));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {
                count.fetch_add(chunk.len() as u64, SeqCst);
            }
        }
    })
    .await;
    let gateway = Gateway::before(server, "[limits]\nunread_seconds = 1").await;
    let client = connect(gateway.address, streamed().as_bytes()).await;
    let ended = gateway.desk.ended(1).await;
    assert_eq!(ended[0].0.ending, Ending::ClientGone);
    // What the kernels' buffers hold on both sides, and one frame of ours: never the stream.
    assert!(
        sent.load(SeqCst) < 32 << 20,
        "{} bytes were taken from the upstream",
        sent.load(SeqCst)
    );
    drop(client);
    gateway.idle().await;
}

#[tokio::test]
async fn twenty_thousand_chunks_arrive_in_order_and_others_are_served_meanwhile() {
    let server = upstream(|mut stream, asked| async move {
        if !asked.contains("\"stream\":true") {
            let body = r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            return stream.write_all(head.as_bytes()).await.unwrap();
        }
        stream.write_all(EVENTS).await.unwrap();
        for n in 0..20_000 {
            stream.write_all(event(&format!("<{n}>")).as_bytes()).await.unwrap();
        }
        stream.write_all(USAGE.as_bytes()).await.unwrap();
        stream.write_all(b"data: [DONE]\n\n").await.unwrap();
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let address = gateway.address;
    let long = tokio::spawn(async move { ask(address, streamed().as_bytes()).await });
    let short = request("/v1/chat/completions", r#"{"model":"m","messages":[]}"#);
    for _ in 0..20 {
        assert!(
            ask(address, short.as_bytes())
                .await
                .starts_with("HTTP/1.1 200")
        );
    }
    let answer = long.await.unwrap();
    let mut seen = 0;
    for part in answer.split('<').skip(1) {
        let n: u32 = part.split_once('>').unwrap().0.parse().unwrap();
        assert_eq!(n, seen);
        seen += 1;
    }
    assert_eq!(seen, 20_000);
    assert!(answer.contains("data: [DONE]\n\n"));
}

#[tokio::test]
async fn usage_is_asked_for_and_hidden_from_who_did_not_ask() {
    let server = upstream(|mut stream, asked| async move {
        assert!(asked.contains(r#""include_usage":true"#), "{asked}");
        stream.write_all(EVENTS).await.unwrap();
        let all = format!("{}{USAGE}data: [DONE]\n\n", event("hello"));
        stream.write_all(all.as_bytes()).await.unwrap();
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(
        answer.contains("hello") && answer.contains("[DONE]"),
        "{answer}"
    );
    assert!(!answer.contains("usage"), "{answer}");
    let usage = gateway.desk.ended(1).await[0].0.usage;
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.estimated),
        (3, 5, false)
    );

    let asking =
        r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
    let answer = ask(
        gateway.address,
        request("/v1/chat/completions", asking).as_bytes(),
    )
    .await;
    assert!(answer.contains("\"total_tokens\":8"), "{answer}");
}

#[tokio::test]
async fn usage_that_nobody_says_is_counted_and_marked() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        let all = format!("{}data: [DONE]\n\n", event("one two three four"));
        stream.write_all(all.as_bytes()).await.unwrap();
    })
    .await;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"u\"\nkind = \"openai\"\ninclude_usage = false\n\
         base_url = \"http://{server}\"\nmodels = [\"m\"]\n"
    );
    let gateway = Gateway::with(&config).await;
    ask(gateway.address, streamed().as_bytes()).await;
    let usage = gateway.desk.ended(1).await[0].0.usage;
    assert!(
        usage.estimated && usage.output_tokens == 4 && usage.input_tokens > 0,
        "{usage:?}"
    );
}

#[tokio::test]
async fn each_event_passes_before_the_next_is_made() {
    let go = Arc::new(Notify::new());
    let next = Arc::clone(&go);
    let server = upstream(move |mut stream, _| {
        let next = Arc::clone(&next);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            for n in 0..20 {
                stream
                    .write_all(event(&format!("event {n}.")).as_bytes())
                    .await
                    .unwrap();
                // Only when the client has this one is the next written: a gateway that gathers would hang.
                next.notified().await;
            }
            stream.write_all(b"data: [DONE]\n\n").await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    for n in 0..20 {
        until(&mut client, &format!("event {n}.")).await;
        go.notify_one();
    }
    assert!(rest(client).await.contains("[DONE]"));
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let gateway = Gateway::mock().await;
    for body in [
        r#"{"model":"m","model":"other","messages":[]}"#,
        r#"{"model":"other","messages":[],"\u006dodel":"m"}"#,
        r#"{"model":"m","messages":[],"max_tokens":-5}"#,
        r#"{"model":"m","messages":[],"max_tokens":1e400}"#,
        r#"{"model":"m","messages":[],"n":99999999999}"#,
        r#"{"model":"m","messages":[],"max_tokens":NaN}"#,
    ] {
        let answer = ask(
            gateway.address,
            request("/v1/chat/completions", body).as_bytes(),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
    }
    assert_eq!(gateway.desk.admitted.load(SeqCst), 0);
}

#[tokio::test]
async fn a_running_stream_stops_when_its_key_is_barred() {
    let server = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        while stream.write_all(event("more").as_bytes()).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    until(&mut client, "more").await;
    gateway.desk.barred.store(true, SeqCst);
    let answer = rest(client).await;
    assert!(
        answer.contains("policy_stop") && !answer.contains("[DONE]"),
        "{answer}"
    );
    assert_eq!(gateway.desk.ended(1).await[0].0.ending, Ending::PolicyStop);
}

#[tokio::test]
async fn no_end_is_released_without_its_record() {
    let gateway = Gateway::mock().await;
    gateway.desk.cannot_record.store(true, SeqCst);
    let answer = ask(gateway.address, streamed().as_bytes()).await;
    assert!(
        answer.contains("recording_unavailable") && !answer.contains("[DONE]"),
        "{answer}"
    );
    let plain = request("/v1/chat/completions", r#"{"model":"m","messages":[]}"#);
    let answer = ask(gateway.address, plain.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && !answer.contains("always the same"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_is_recorded_as_it_was_delivered() {
    use sha2::{Digest as _, Sha256};
    let gateway = Gateway::mock().await;
    let plain = request("/v1/chat/completions", r#"{"model":"m","messages":[]}"#);
    let answer = ask(gateway.address, plain.as_bytes()).await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let (completion, kept) = gateway.desk.ended(1).await.remove(0);
    assert_eq!(kept, body.as_bytes());
    assert_eq!(
        completion.answer_sha256,
        <[u8; 32]>::from(Sha256::digest(body))
    );
    assert_eq!(completion.delivered_bytes, body.len() as u64);
    assert!(
        answer.contains("x-ratelimit-remaining-requests: 8"),
        "{answer}"
    );
    assert!(
        answer.contains("x-request-id: x0000000000000007-"),
        "{answer}"
    );
}

#[tokio::test]
async fn draining_lets_running_streams_end() {
    let go = Arc::new(Notify::new());
    let next = Arc::clone(&go);
    let server = upstream(move |mut stream, _| {
        let next = Arc::clone(&next);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            stream.write_all(event("begun").as_bytes()).await.unwrap();
            next.notified().await;
            stream.write_all(b"data: [DONE]\n\n").await.unwrap();
        }
    })
    .await;
    let mut gateway = Gateway::before(server, "").await;
    let mut client = connect(gateway.address, streamed().as_bytes()).await;
    until(&mut client, "begun").await;
    let ((), answer) = tokio::join!(gateway.drain(), async {
        go.notify_one();
        rest(client).await
    });
    assert!(answer.contains("[DONE]"), "{answer}");
    assert_eq!(gateway.desk.completions()[0].0.ending, Ending::Completed);
    assert!(
        tokio::net::TcpStream::connect(gateway.address)
            .await
            .is_err(),
        "the door is closed"
    );
}

#[tokio::test]
async fn thousands_of_short_connections_leave_nothing_behind() {
    let gateway = Gateway::mock().await;
    let plain = request("/v1/chat/completions", r#"{"model":"m","messages":[]}"#);
    for round in 0..30 {
        let calls = (0..50).map(|n| {
            let (address, plain) = (gateway.address, plain.clone());
            tokio::spawn(async move {
                if (round + n) % 5 == 0 {
                    drop(connect(address, plain.as_bytes()).await);
                } else {
                    assert!(
                        ask(address, plain.as_bytes())
                            .await
                            .starts_with("HTTP/1.1 200")
                    );
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
    }
    gateway.idle().await;
    let admitted = gateway.desk.admitted.load(SeqCst);
    assert_eq!(
        gateway
            .desk
            .ended(usize::try_from(admitted).unwrap())
            .await
            .len() as u64,
        admitted
    );
}
