//! The registry's writer is a process of its own: whatever happens to it or to its server, each
//! output is registered once.

use std::path::Path;
use std::time::Duration;

use provenance::Segment;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::crash::{ask, serve_in};
use crate::erase::{exchange, files};
use crate::forgotten::configured;

/// The longest that a process may take to begin or to end.
const LONGEST: Duration = Duration::from_secs(60);

/// The writers that a server has started.
fn writers(server: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbered = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbered
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
            let mut fields = after.split(' ');
            let alive = fields.next().is_some_and(|state| state != "Z");
            alive && fields.next() == Some(&server.to_string())
        })
        .collect()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(LONGEST, wait).await;
    waited.unwrap_or_else(|_| panic!("{what}"));
}

/// Whether a writer works: its lock is open, and signals are heard no more.
fn has_registry(writer: u32) -> bool {
    let open = std::fs::read_dir(format!("/proc/{writer}/fd"));
    open.is_ok_and(|open| {
        let mut files = open.flatten().filter_map(|fd| fd.path().read_link().ok());
        files.any(|file| file.ends_with("registry/lock"))
    })
}

async fn signalled(signal: &str, pid: u32) {
    let sent = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(sent.await.unwrap().success());
}

/// A server with its writer.
async fn served(data: &Path, config: &Path) -> (Child, String, u32) {
    let secret = [("KEY_OF_AN_UPSTREAM", "sk-live")];
    let (server, gateway) = serve_in(&secret, data, config, &[]).await;
    let pid = server.id().unwrap();
    until("no writer begins", || writers(pid).len() == 1).await;
    let writer = writers(pid)[0];
    until("it never has the registry", || has_registry(writer)).await;
    let environment = std::fs::read_to_string(format!("/proc/{writer}/environ")).unwrap();
    assert!(!environment.contains("sk-live"), "{environment}");
    (server, gateway, writer)
}

/// The exchanges in the registry's files.
fn in_files(data: &Path) -> Vec<String> {
    let all = files(&data.join("registry"));
    let segments = all
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "seg"));
    let segments = segments.map(|f| Segment::from_bytes(&std::fs::read(f).unwrap()).unwrap());
    let ids = |s: Segment| {
        s.outputs()
            .iter()
            .map(|o| o.id.to_string())
            .collect::<Vec<_>>()
    };
    segments.flat_map(ids).collect()
}

async fn registered(data: &Path) -> u64 {
    let told = ask(data, &["registry", "list"]).await;
    let lines = told["segments"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["outputs"].as_u64().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_dies_and_a_server_dies_and_each_output_is_registered_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = configured(folder.path()).await;
    ask(&data, &["account", "create", "a"]).await;
    let key: Value = ask(&data, &["key", "create", "a"]).await;
    let key = key["key"].as_str().unwrap();
    let mut said = 0;
    let mut talk = async |gateway: &str| {
        for _ in 0..6 {
            said += 1;
            exchange(gateway, key, "ada", &format!("n{said}")).await;
        }
    };

    // The writer dies: the server goes on, and has another one soon.
    let (mut server, gateway, writer) = served(&data, &config).await;
    talk(&gateway).await;
    signalled("-KILL", writer).await;
    talk(&gateway).await;
    let pid = server.id().unwrap();
    until("no other writer begins", || {
        writers(pid).iter().any(|other| *other != writer)
    })
    .await;
    // All processes are told to end: the server says what is still to be written, then both end.
    let writer = writers(pid)[0];
    until("it never has the registry", || has_registry(writer)).await;
    talk(&gateway).await;
    signalled("-TERM", writer).await;
    signalled("-INT", writer).await;
    talk(&gateway).await;
    assert_eq!(writers(pid), [writer], "it is deaf to signals");
    signalled("-TERM", pid).await;
    assert!(server.wait().await.unwrap().success());
    assert!(!Path::new(&format!("/proc/{writer}")).exists());

    // The server dies: its writer ends by itself, and the next one has the registry.
    let (mut server, gateway, writer) = served(&data, &config).await;
    talk(&gateway).await;
    server.kill().await.unwrap();
    until("the writer outlives its server", || {
        let stat = std::fs::read_to_string(format!("/proc/{writer}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
    let (mut server, gateway, _) = served(&data, &config).await;
    talk(&gateway).await;
    server.kill().await.unwrap();
    // Files are not joined yet: what were in two of them would be there twice.
    let mut ids = in_files(&data);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert!(
        all >= 6 && ids.len() == all,
        "{all} in files, {} of them once",
        ids.len()
    );
    ask(&data, &["registry", "build"]).await;
    assert_eq!(registered(&data).await, 36);
}

#[tokio::test]
async fn it_is_not_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(["registry", "writer", "--key", "k"])
        .arg(folder.path())
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("`fairhold serve` starts this"), "{said}");
}

#[tokio::test]
async fn what_goes_wrong_by_itself_is_told_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    ask(&data, &["account", "create", "a"]).await;
    std::fs::write(data.join("registry"), "no folder").unwrap();
    let list = async |asked: &str| {
        let ran = Command::new(env!("CARGO_BIN_EXE_fairhold"))
            .args(["account", "list", "--json", "--data"])
            .arg(&data)
            .env("RUST_LOG", asked)
            .output();
        let ran = ran.await.unwrap();
        serde_json::from_slice::<Value>(&ran.stdout).unwrap();
        String::from_utf8(ran.stderr).unwrap()
    };
    let said = list("warn").await;
    assert!(
        said.contains("ERROR") && said.contains("registry"),
        "{said}"
    );
    assert_eq!(list("off").await, "");
}
