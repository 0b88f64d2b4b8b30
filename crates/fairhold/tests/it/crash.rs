//! The process dies at random moments under load. The client's own list of
//! exchanges whose end it saw is the oracle.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evidence::merkle::{Tree, leaf_hash, verify_inclusion};
use evidence::{Event, Record};
use facts::{Ending, ExchangeId};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const FAIRHOLD: &str = env!("CARGO_BIN_EXE_fairhold");
/// Deaths; `FAIRHOLD_CRASH_ROUNDS` asks for more than the tests usually take.
const ROUNDS: u64 = 30;
const CONNECTIONS: usize = 64;
const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n";

pub(crate) async fn ask(data: &Path, args: &[&str]) -> serde_json::Value {
    let out = Command::new(FAIRHOLD)
        .args(args)
        .arg("--json")
        .arg("--data")
        .arg(data)
        .output()
        .await
        .unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

pub(crate) async fn serve(data: &Path, config: &Path) -> (Child, String) {
    serve_with(data, config, &[]).await
}

pub(crate) async fn serve_with(data: &Path, config: &Path, more: &[&str]) -> (Child, String) {
    serve_in(&[], data, config, more).await
}

/// The same with these variables in its environment.
pub(crate) async fn serve_in(
    variables: &[(&str, &str)],
    data: &Path,
    config: &Path,
    more: &[&str],
) -> (Child, String) {
    let mut child = Command::new(FAIRHOLD)
        .envs(variables.iter().copied())
        .args(["serve", "--json"])
        .args(more)
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .next_line()
        .await
        .unwrap()
        .expect("serve must say where it listens");
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let gateway = told["gateway"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    (child, gateway)
}

/// One exchange: its id, when the client saw its end.
async fn exchange(gateway: &str, key: &str, stream: bool) -> Option<String> {
    let body = format!(
        "{{\"model\":\"mock-1\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}],\"stream\":{stream}}}"
    );
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(gateway).await.ok()?;
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut all = Vec::new();
    // A reset is an end without the end.
    let _ = socket.read_to_end(&mut all).await;
    let text = String::from_utf8(all).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        head.lines()
            .find_map(|l| l.strip_prefix(name))
            .map(str::trim)
    };
    let whole = if stream {
        body.contains("data: [DONE]\n\n")
    } else {
        body.len() == header("content-length:")?.parse::<usize>().ok()?
    };
    (head.starts_with("HTTP/1.1 200") && whole)
        .then(|| header("x-request-id:").map(str::to_owned))?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_saw_the_end_has_evidence_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    ask(&data, &["account", "create", "a"]).await;
    let key = ask(&data, &["key", "create", "a"]).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let rounds = std::env::var("FAIRHOLD_CRASH_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |n| n.parse().unwrap());
    for round in 0..rounds {
        let (mut server, gateway) = serve(&data, &config).await;
        let load: Vec<_> = (0..CONNECTIONS)
            .map(|n| {
                let (seen, gateway, key) = (Arc::clone(&seen), gateway.clone(), key.clone());
                tokio::spawn(async move {
                    for k in n.. {
                        if let Some(id) = exchange(&gateway, &key, k % 2 == 0).await {
                            seen.lock().unwrap().push(id);
                        } else if TcpStream::connect(&gateway).await.is_err() {
                            return;
                        }
                    }
                })
            })
            .collect();
        // Moments that differ from round to round, the same in every run.
        tokio::time::sleep(Duration::from_millis(60 + round * 97 % 240)).await;
        server.kill().await.unwrap();
        for task in load {
            task.await.unwrap();
        }
    }
    // Opening the house once more closes what the last death left open.
    ask(&data, &["account", "list"]).await;
    let seen = seen.lock().unwrap().clone();
    assert!(
        seen.len() > 300,
        "only {} exchanges were seen to end",
        seen.len()
    );
    let interrupted = prove(&data, &seen).await;
    println!(
        "{} exchanges seen to end in {rounds} rounds, all proven; {interrupted} interrupted",
        seen.len()
    );
    assert!(
        interrupted > 0,
        "no death came while an exchange was running"
    );
}

/// Every exchange in `seen` has a completion that is proven under the root;
/// no intent is open. Gives the number of interrupted exchanges.
async fn prove(data: &Path, seen: &[String]) -> usize {
    let url = format!("sqlite:{}", data.join("fairhold.db").display());
    let database = store::Database::open_to_read(&url).await.unwrap();
    assert_eq!(database.open_intents().await.unwrap(), []);
    let size = database.count().await.unwrap();
    let tree = Tree::from_hashes(database.leaves(0..size).await.unwrap());
    let root = tree.root(size).unwrap();
    for id in seen {
        let rows = database
            .records_of_exchange(&ExchangeId::parse(id).unwrap())
            .await
            .unwrap();
        let completed = rows.iter().find(|row| row.kind == "completion");
        let row =
            completed.unwrap_or_else(|| panic!("{id} was seen to end and is not in the store"));
        let (seq, record) = Record::parse(&row.leaf).unwrap();
        assert!(
            matches!(
                record.event,
                Event::Completion {
                    ending: Ending::Completed,
                    answer: Some(_),
                    ..
                }
            ),
            "{id}"
        );
        let proof = tree.inclusion_proof(seq, size).unwrap();
        verify_inclusion(&leaf_hash(&row.leaf), seq, size, &proof, &root).unwrap();
    }
    let all = database.records(0..size).await.unwrap();
    let interrupted = |row: &&store::JournalRow| {
        Record::parse(&row.leaf).is_ok_and(|(_, r)| {
            matches!(
                r.event,
                Event::Completion {
                    ending: Ending::Interrupted,
                    ..
                }
            )
        })
    };
    all.iter().filter(interrupted).count()
}
