//! The ten probes at which other gateways failed, against `fairhold serve` itself: its own
//! process, its own store, keys made and revoked by its own commands. What was recorded is read
//! from the store beside the running server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use evidence::{Event, Record};
use facts::{Ending, ExchangeId};
use tempfile::TempDir;
use testbed::socket::{EVENTS, PATIENCE, ask, connect, event, rest, until, upstream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::sync::Notify;

use crate::crash;

const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}\n\n";
const DONE: &[u8] = b"data: [DONE]\n\n";

/// A running `serve` with one account and key; it ends with the value.
struct Served {
    folder: TempDir,
    process: Child,
    gateway: SocketAddr,
    key: String,
    key_id: String,
}

impl Served {
    /// Starts one whose model `m` is served by `upstream`.
    async fn before(upstream: SocketAddr, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("serve.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{more}\n[[upstream]]\nname = \"u\"\nkind = \"openai\"\n\
             base_url = \"http://{upstream}\"\nmodels = [\"m\"]\n"
        );
        std::fs::write(&config, text).unwrap();
        let data = folder.path().join("data");
        crash::ask(&data, &["account", "create", "a"]).await;
        let made = crash::ask(&data, &["key", "create", "a"]).await;
        let (process, gateway) = crash::serve(&data, &config).await;
        Self {
            folder,
            process,
            gateway: gateway.parse().unwrap(),
            key: made["key"].as_str().unwrap().to_owned(),
            key_id: made["id"].as_str().unwrap().to_owned(),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn post(&self, body: &str) -> Vec<u8> {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        )
        .into_bytes()
    }

    fn streamed(&self) -> Vec<u8> {
        self.post(r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#)
    }

    async fn ask(&self, request: &[u8]) -> String {
        ask(self.gateway, request).await
    }

    async fn stream(&self) -> TcpStream {
        connect(self.gateway, &self.streamed()).await
    }

    /// How the exchange of this answer ended, from the store.
    async fn ended(&self, answer: &str) -> Event {
        let id = answer
            .lines()
            .find_map(|l| l.strip_prefix("x-request-id: "))
            .expect("an answer names its exchange");
        let id = ExchangeId::parse(id.trim()).unwrap();
        let url = format!("sqlite:{}", self.data().join("fairhold.db").display());
        let database = store::Database::open_to_read(&url).await.unwrap();
        let wait = async {
            loop {
                let rows = database.records_of_exchange(&id).await.unwrap();
                if let Some(row) = rows.iter().find(|row| row.kind == "completion") {
                    return Record::parse(&row.leaf).unwrap().1.event;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("every exchange must end in the store")
    }

    async fn ending(&self, answer: &str) -> Ending {
        let Event::Completion { ending, .. } = self.ended(answer).await else {
            panic!("a completion");
        };
        ending
    }

    fn resident_mb(&self) -> u64 {
        crate::soak::resident_mb(self.process.id().unwrap())
    }
}

/// Writes events until the gateway hangs up, then says so.
async fn without_end(mut stream: TcpStream, told: Arc<Notify>) {
    stream.write_all(EVENTS).await.unwrap();
    while stream.write_all(event("more").as_bytes()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    told.notify_one();
}

#[tokio::test]
async fn probe_1_the_client_leaves() {
    let cancelled = Arc::new(Notify::new());
    let told = Arc::clone(&cancelled);
    let served = Served::before(
        upstream(move |stream, _| without_end(stream, Arc::clone(&told))).await,
        "",
    )
    .await;
    let mut client = served.stream().await;
    let answer = until(&mut client, "more").await;
    drop(client);
    let event = served.ended(&answer).await;
    let Event::Completion {
        ending,
        output_tokens,
        estimated,
        ..
    } = event
    else {
        panic!("a completion");
    };
    assert_eq!(ending, Ending::ClientGone);
    assert!(output_tokens > 0 && estimated, "metered all the same");
    tokio::time::timeout(PATIENCE, cancelled.notified())
        .await
        .expect("the upstream must be cancelled");
}

#[tokio::test]
async fn probe_2_the_upstream_dies() {
    let scripted = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream.write_all(event("half").as_bytes()).await.unwrap();
    })
    .await;
    let served = Served::before(scripted, "").await;
    let answer = served.ask(&served.streamed()).await;
    assert!(
        answer.contains("half") && answer.contains("upstream_error"),
        "{answer}"
    );
    assert!(!answer.contains("[DONE]") && !answer.ends_with("0\r\n\r\n"));
    assert_eq!(served.ending(&answer).await, Ending::UpstreamError);
}

#[tokio::test]
async fn probe_3_the_upstream_stalls() {
    let scripted = upstream(|mut stream, _| async move {
        stream.write_all(EVENTS).await.unwrap();
        stream.write_all(event("then").as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let served = Served::before(scripted, "timeouts = { idle_ms = 150 }").await;
    let answer = served.ask(&served.streamed()).await;
    assert!(
        answer.contains("upstream_stall") && !answer.contains("[DONE]"),
        "{answer}"
    );
    assert_eq!(served.ending(&answer).await, Ending::UpstreamStall);
}

#[tokio::test]
async fn probe_4_fifty_readers_never_read() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let scripted = upstream(move |mut stream, _| {
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
    let served = Served::before(scripted, "[limits]\nunread_seconds = 2").await;
    let before = served.resident_mb();
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = served.stream().await;
        // The head, for the exchange's id; then nothing more.
        let head = until(&mut client, "\r\n\r\n").await;
        clients.push((client, head));
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let grown = served.resident_mb().saturating_sub(before);
    let taken = sent.load(SeqCst) >> 20;
    println!("50 readers that never read: {grown} MB more, {taken} MB taken from the upstream");
    // 0.7 MB each: what was sent (it is kept until it is recorded) and what was read ahead. What
    // the upstream sent beyond that lies in the kernel, a few MB for each connection.
    assert!(grown < 64, "{grown} MB more for 50 streams");
    assert!(taken < 50 * 16, "{taken} MB taken");
    for (client, head) in clients {
        assert_eq!(served.ending(&head).await, Ending::ClientGone);
        drop(client);
    }
}

#[tokio::test]
async fn probe_5_twenty_thousand_chunks() {
    let scripted = upstream(|mut stream, asked| async move {
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
        stream.write_all(DONE).await.unwrap();
    })
    .await;
    let served = Served::before(scripted, "").await;
    let (gateway, long) = (served.gateway, served.streamed());
    let long = tokio::spawn(async move { ask(gateway, &long).await });
    for _ in 0..20 {
        let answer = served
            .ask(&served.post(r#"{"model":"m","messages":[]}"#))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let answer = long.await.unwrap();
    let said = answer.split('<').skip(1);
    let numbers: Vec<u32> = said
        .map(|part| part.split_once('>').unwrap().0.parse().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(0..20_000), "all, in order");
    assert!(answer.contains("data: [DONE]\n\n"));
    assert_eq!(served.ending(&answer).await, Ending::Completed);
}

#[tokio::test]
async fn probe_6_usage_that_nobody_asked_for() {
    let scripted = upstream(|mut stream, asked| async move {
        assert!(asked.contains(r#""include_usage":true"#), "{asked}");
        stream.write_all(EVENTS).await.unwrap();
        let all = format!("{}{USAGE}data: [DONE]\n\n", event("hello"));
        stream.write_all(all.as_bytes()).await.unwrap();
    })
    .await;
    let served = Served::before(scripted, "").await;
    let answer = served.ask(&served.streamed()).await;
    assert!(answer.contains("hello") && answer.contains("[DONE]"));
    assert!(!answer.contains("usage"), "{answer}");
    let event = served.ended(&answer).await;
    assert!(
        matches!(
            event,
            Event::Completion {
                input_tokens: 3,
                output_tokens: 5,
                estimated: false,
                ..
            }
        ),
        "{event:?}"
    );
}

#[tokio::test]
async fn probe_7_gaps_between_events() {
    let go = Arc::new(Notify::new());
    let next = Arc::clone(&go);
    let scripted = upstream(move |mut stream, _| {
        let next = Arc::clone(&next);
        async move {
            stream.write_all(EVENTS).await.unwrap();
            for n in 0..20 {
                let one = event(&format!("event {n}."));
                stream.write_all(one.as_bytes()).await.unwrap();
                // Only when the client has this one is the next written.
                next.notified().await;
            }
            stream.write_all(DONE).await.unwrap();
        }
    })
    .await;
    let served = Served::before(scripted, "").await;
    let mut client = served.stream().await;
    for n in 0..20 {
        until(&mut client, &format!("event {n}.")).await;
        go.notify_one();
    }
    assert!(rest(client).await.contains("[DONE]"));
}

/// An upstream that nothing should reach.
async fn untouched() -> (SocketAddr, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let scripted = upstream(move |_, _| {
        count.fetch_add(1, SeqCst);
        std::future::ready(())
    })
    .await;
    (scripted, asked)
}

async fn refused_before_the_upstream(bodies: &[&str]) {
    let (scripted, asked) = untouched().await;
    let served = Served::before(scripted, "").await;
    for body in bodies {
        let answer = served.ask(&served.post(body)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
        assert!(answer.contains("\"error\""), "{answer}");
    }
    assert_eq!(asked.load(SeqCst), 0);
}

#[tokio::test]
async fn probe_8_duplicate_keys() {
    refused_before_the_upstream(&[
        r#"{"model":"m","model":"other","messages":[]}"#,
        r#"{"model":"other","messages":[],"\u006dodel":"m"}"#,
        r#"{"model":"m","messages":[],"stream":false,"stream":true}"#,
    ])
    .await;
}

#[tokio::test]
async fn probe_9_nonsense_numbers() {
    refused_before_the_upstream(&[
        r#"{"model":"m","messages":[],"max_tokens":-5}"#,
        r#"{"model":"m","messages":[],"max_tokens":1e400}"#,
        r#"{"model":"m","messages":[],"n":99999999999}"#,
        r#"{"model":"m","messages":[],"max_tokens":NaN}"#,
    ])
    .await;
}

#[tokio::test]
async fn probe_10_revocation() {
    let told = Arc::new(Notify::new());
    let scripted = upstream(move |stream, _| without_end(stream, Arc::clone(&told))).await;
    let served = Served::before(scripted, "").await;
    let mut client = served.stream().await;
    let begun = until(&mut client, "more").await;
    crash::ask(&served.data(), &["key", "revoke", &served.key_id]).await;
    let refused = served.ask(&served.streamed()).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let left = rest(client).await;
    assert!(
        left.contains("policy_stop") && !left.contains("[DONE]"),
        "{left}"
    );
    assert_eq!(served.ending(&begun).await, Ending::PolicyStop);
}
