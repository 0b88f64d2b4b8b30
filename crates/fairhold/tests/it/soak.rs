//! A hundred thousand short requests with churn: connections come and go, some
//! leave before they are answered. Afterwards nothing is left of them.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::crash::{ask, serve};

const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n";
const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 32;
/// Requests of one connection before it makes way for the next.
const STAY: usize = 25;

fn request(key: &str) -> Vec<u8> {
    let body = r#"{"model":"mock-1","messages":[{"role":"user","content":"hello"}]}"#;
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one answer with a `content-length`; its status.
async fn answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    buffer.clear();
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end]).ok()?;
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))?;
            if buffer.len() >= end + 4 + length.trim().parse::<usize>().ok()? {
                return Some(head.lines().next()?.to_owned());
            }
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// One worker's share; every tenth connection leaves without its last answer.
async fn churn(gateway: String, key: String, share: usize) {
    let (request, mut buffer) = (request(&key), Vec::with_capacity(16 * 1024));
    for connection in 0..share / STAY {
        let mut socket = TcpStream::connect(&gateway).await.unwrap();
        socket.set_nodelay(true).unwrap();
        for n in 0..STAY {
            socket.write_all(&request).await.unwrap();
            if connection % 10 == 9 && n + 1 == STAY {
                break;
            }
            let status = answer(&mut socket, &mut buffer).await;
            assert_eq!(status.as_deref(), Some("HTTP/1.1 200 OK"));
        }
    }
}

async fn load(gateway: &str, key: &str, requests: usize) {
    let workers = (0..CONNECTIONS).map(|_| {
        tokio::spawn(churn(
            gateway.to_owned(),
            key.to_owned(),
            requests / CONNECTIONS,
        ))
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
}

/// Tasks that the gateway says it runs; that of the asking connection is one.
async fn tasks(gateway: &str) -> i64 {
    let mut socket = TcpStream::connect(gateway).await.unwrap();
    socket
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).await.unwrap();
    page.lines()
        .find_map(|l| l.strip_prefix("fairhold_tasks "))
        .unwrap()
        .parse()
        .unwrap()
}

/// The least number of tasks within ten seconds: the connection that asked before may take a
/// moment to go.
async fn settled(gateway: &str) -> i64 {
    let mut least = tasks(gateway).await;
    for _ in 0..400 {
        if least <= 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        least = least.min(tasks(gateway).await);
    }
    least
}

pub(crate) fn resident_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .next()
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

async fn open(data: &Path) -> String {
    ask(data, &["account", "create", "a"]).await;
    ask(data, &["key", "create", "a"]).await["key"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_short_requests_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    let key = open(&data).await;
    let (mut server, gateway) = serve(&data, &config).await;
    load(&gateway, &key, REQUESTS / 10).await;
    assert_eq!(settled(&gateway).await, 1, "tasks after the first tenth");
    let before = resident_mb(server.id().unwrap());
    load(&gateway, &key, REQUESTS * 9 / 10).await;
    assert_eq!(settled(&gateway).await, 1, "tasks after all");
    let after = resident_mb(server.id().unwrap());
    println!("{REQUESTS} requests: {before} MB after a tenth, {after} MB after all");
    // What remains is what the last two minutes' exchanges are remembered by.
    assert!(after <= before + 48, "{before} MB grew to {after} MB");
    server.kill().await.unwrap();
}
