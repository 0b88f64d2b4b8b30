//! The watch of a running gateway: what is served is judged within seconds.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testbed::socket::ask;
use tokio::process::Command;

use crate::crash;

/// Seconds, and some: a finding must come before.
const SOON: Duration = Duration::from_secs(15);

const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[detection]\nalpha = 0.05\n[[upstream]]\nname = \"mock\"\n\
                      kind = \"mock\"\nmodels = [\"mock-1\"]\n";

const SUBJECTS: [&str; 5] = ["tides", "tax forms", "bridges", "beekeeping", "chess"];

fn harvest(n: usize) -> String {
    format!(
        "Generate {} diverse and challenging instructions that a user could give to a large language model assistant. \
         Each instruction must be realistic, self-contained and different from all others in wording and difficulty. \
         Do not repeat a verb. Make sure that the set of tasks is varied: open questions, dialogues, rewriting. \
         After each instruction, write the input and the ideal response of the assistant. Topic: {}. Return only the \
         list and nothing else.",
        10 + n % 7,
        SUBJECTS[n % SUBJECTS.len()]
    )
}

fn ordinary(n: usize) -> String {
    let subject = SUBJECTS[n % SUBJECTS.len()];
    format!(
        "Hello, I have read {n} pages about {subject} and I am lost. What should I do first, please?"
    )
}

async fn exchange(gateway: SocketAddr, key: &str, text: &str) {
    let body =
        serde_json::json!({"model": "mock-1", "messages": [{"role": "user", "content": text}]});
    let body = body.to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(gateway, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// `findings --json`, with its exit code.
async fn findings(data: &Path, account: &str) -> (i32, Value) {
    let out = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(["findings", account, "--json", "--data"])
        .arg(data)
        .output()
        .await
        .unwrap();
    let told = serde_json::from_slice(&out.stdout).unwrap_or_default();
    (out.status.code().unwrap(), told)
}

/// What the watch says once it has read everything.
async fn read_by_watch(data: &Path, account: &str) -> (i32, Value) {
    let wait = async {
        loop {
            let (code, told) = findings(data, account).await;
            if told["behind"] == 0 {
                return (code, told);
            }
        }
    };
    tokio::time::timeout(SOON, wait)
        .await
        .expect("the watch must keep up")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_harvest_is_found_within_seconds_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    let agreement = folder.path().join("agreement.toml");
    let licence = "[[authorisation]]\nclause = \"openai-services-2026-01-01/3.3(e)\"\n\
                   purpose = \"train-competing-model\"\nfrom = \"2026-01-01\"\n";
    std::fs::write(&agreement, licence).unwrap();
    let mut keys = Vec::new();
    for name in ["harvester", "licensed", "reader"] {
        crash::ask(&data, &["account", "create", name]).await;
        let key = crash::ask(&data, &["key", "create", name]).await;
        keys.push(key["key"].as_str().unwrap().to_owned());
    }
    let path = agreement.to_str().unwrap();
    crash::ask(&data, &["account", "agree", "licensed", path]).await;
    let (server, gateway) = crash::serve(&data, &config).await;
    let gateway: SocketAddr = gateway.parse().unwrap();
    for n in 0..20 {
        exchange(gateway, &keys[0], &harvest(n)).await;
        exchange(gateway, &keys[1], &harvest(n)).await;
        exchange(gateway, &keys[2], &ordinary(n)).await;
    }
    let (code, told) = read_by_watch(&data, "harvester").await;
    assert_eq!(
        (code, &told["findings"][0]["kind"]),
        (1, &"finding".into()),
        "{told}"
    );
    assert_eq!(told["findings"][0]["look"], 20);
    assert_eq!(told["watched"], 3);
    let (code, told) = read_by_watch(&data, "licensed").await;
    assert_eq!(
        (code, &told["findings"][0]["kind"]),
        (0, &"noted".into()),
        "{told}"
    );
    let (code, told) = read_by_watch(&data, "reader").await;
    assert_eq!(
        (code, told["findings"].as_array().unwrap().len()),
        (0, 0),
        "{told}"
    );

    // A finding feeds a case, with its facts.
    let (_, told) = findings(&data, "harvester").await;
    let id = told["findings"][0]["id"].as_str().unwrap();
    let propose = [
        "case",
        "propose",
        "harvester",
        "--finding",
        id,
        "--clause",
        "terms/1",
        "--by",
        "ann",
    ];
    let case = crash::ask(&data, &propose).await;
    assert_eq!(case["action"], "notice");
    drop(server);
}
