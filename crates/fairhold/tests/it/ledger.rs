//! What a customer and an auditor get: a receipt for each exchange, ledgers as
//! files, a witness that remembers.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use testbed::socket::ask;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use verifier::note::Verifier;
use verifier::proof::TlogProof;

use crate::crash;

/// A receipt comes within two seconds; a machine that is busy with other tests gets more.
const SOON: Duration = Duration::from_secs(30);

async fn get(gateway: SocketAddr, path: &str, key: &str) -> (String, String) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    let answer = ask(gateway, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a header.
fn header(head: &str, name: &str) -> Option<u64> {
    let line = head.lines().find_map(|l| l.strip_prefix(name));
    line?.trim_start_matches(':').trim().parse().ok()
}

async fn exchange(gateway: SocketAddr, key: &str, stream: bool) -> u64 {
    let body = format!(r#"{{"model":"mock-1","stream":{stream},"messages":[]}}"#);
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(gateway, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    header(&answer, "x-evidence-seq").expect("each exchange names its record")
}

/// The receipt of a record, once it is sealed: until then it is asked for again.
async fn receipt(gateway: SocketAddr, seq: u64, key: &str) -> String {
    let path = format!("/fairhold/v1/receipts/{seq}");
    let wait = async {
        loop {
            let (head, body) = get(gateway, &path, key).await;
            if head.starts_with("HTTP/1.1 200") {
                return body;
            }
            assert!(head.starts_with("HTTP/1.1 404"), "{head} {body}");
            assert_eq!(header(&head, "retry-after"), Some(1), "{head}");
        }
    };
    tokio::time::timeout(SOON, wait)
        .await
        .expect("a receipt must come")
}

/// A witness of a log, its URL and key.
async fn witness(data: &Path, log: &str) -> (Child, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(["witness", "serve", "--listen", "127.0.0.1:0", "--json"])
        .args(["--log", log, "--data"])
        .arg(data)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (child, text("url"), text("vkey"))
}

/// The first key's record is proven under the root, and the second key learns nothing of it.
async fn proven(gateway: SocketAddr, seq: u64, keys: &[String], root: &Verifier) {
    let proof = TlogProof::parse(&receipt(gateway, seq, &keys[0]).await).unwrap();
    let path = format!("/fairhold/v1/receipts/{seq}?format=json");
    let whole: serde_json::Value =
        serde_json::from_str(&get(gateway, &path, &keys[0]).await.1).unwrap();
    let word = |name: &str| whole[name].as_str().unwrap();
    let ledger = Verifier::parse(word("ledger_vkey")).unwrap();
    assert_eq!(ledger.public(), root.public());
    proof.verify(word("record").as_bytes(), &ledger).unwrap();
    let above = TlogProof::parse(word("ledger_proof")).unwrap();
    above.verify(word("ledger").as_bytes(), root).unwrap();
    assert!(word("record").contains(&format!("\"seq\":{seq}")));
    let (head, _) = get(gateway, &path, &keys[1]).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(header(&head, "retry-after"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_is_proven_to_its_customer_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    let mut keys = Vec::new();
    for name in ["alpha", "beta"] {
        crash::ask(&data, &["account", "create", name]).await;
        let key = crash::ask(&data, &["key", "create", name]).await;
        keys.push(key["key"].as_str().unwrap().to_owned());
    }
    let policy = crash::ask(&data, &["ledger", "policy"]).await;
    let log = policy["policy"].as_str().unwrap();
    let log = log.split_whitespace().nth(1).unwrap().to_owned();
    let (_witness, url, vkey) = witness(&folder.path().join("witness"), &log).await;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[evidence]\nwitnesses = [{{ url = \"{url}\", vkey = \"{vkey}\" }}]\n\
         [[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n"
    );
    std::fs::write(&config, text).unwrap();
    let (server, gateway) = crash::serve(&data, &config).await;
    let gateway: SocketAddr = gateway.parse().unwrap();

    let plain = exchange(gateway, &keys[0], false).await;
    let streamed = exchange(gateway, &keys[0], true).await;
    assert!(streamed > plain);
    let root = Verifier::parse(&log).unwrap();
    for seq in [plain, streamed] {
        proven(gateway, seq, &keys, &root).await;
    }
    let (_, own) = get(gateway, "/fairhold/v1/ledgers/alpha/checkpoint", &keys[0]).await;
    let (head, _) = get(gateway, "/fairhold/v1/ledgers/alpha/checkpoint", &keys[1]).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (_, public) = get(gateway, "/fairhold/v1/log/checkpoint", "").await;
    assert!(
        !public.contains("alpha") && root.open(&public).is_ok(),
        "{public}"
    );
    assert!(public.contains("\u{2014} fairhold/witness "), "{public}");

    // As files, byte for byte; beside the running server.
    let out = folder.path().join("out");
    let told = crash::ask(&data, &["export", "ledger", out.to_str().unwrap(), "--all"]).await;
    assert!(told["ledgers"].as_u64().unwrap() >= 3, "{told}");
    let kept = std::fs::read_to_string(out.join("ledgers/alpha/checkpoint")).unwrap();
    assert_eq!(kept, own);
    let size = own.lines().nth(1).unwrap();
    for tile in ["tile/0/000", "tile/entries/000"] {
        let tile = format!("{tile}.p/{size}");
        let path = format!("/admin/ledgers/alpha/{tile}");
        let run = std::fs::read_to_string(data.join("run.json")).unwrap();
        let run: serde_json::Value = serde_json::from_str(&run).unwrap();
        let admin = run["admin"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap();
        let over_http = get(
            admin.parse().unwrap(),
            &path,
            run["token"].as_str().unwrap(),
        )
        .await;
        let file = std::fs::read(out.join("ledgers/alpha").join(&tile)).unwrap();
        assert_eq!(over_http.1, String::from_utf8_lossy(&file), "{tile}");
    }
    let report = crash::ask(&data, &["fsck"]).await;
    assert_eq!(report["report"]["faults"], 0, "{report}");
    let receipt = crash::ask(&data, &["receipt", &plain.to_string()]).await;
    assert_eq!(receipt["holds"], true, "{receipt}");
    drop(server);
}
