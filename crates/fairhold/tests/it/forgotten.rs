//! What else knows of what was erased: the registry of outputs, and `PostgreSQL`'s own files, with
//! the KEK in the environment.

use std::path::{Path, PathBuf};

use evidence::seal::Kek;
use serde_json::{Value, json};
use store::Database;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::crash::{ask, serve, serve_in};
use crate::erase::{Pieces, exchange, files, opening, secret};

const ERASE: [&str; 9] = [
    "erase",
    "--account",
    "a",
    "--subject",
    "ada",
    "--by",
    "dpo",
    "--reason",
    "asked",
];

/// What the model says to this text: two hundred words that it says to no other.
fn answer(text: &str) -> String {
    let word = text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let words: Vec<String> = (0..200).map(|k| format!("{word}x{k}")).collect();
    words.join(" ")
}

/// A configuration whose upstream answers with [`answer`].
pub(crate) async fn configured(folder: &Path) -> PathBuf {
    let address = testbed::socket::upstream(|mut stream, asked| async move {
        let (_, rest) = asked.split_once("\"content\":\"").unwrap();
        let (text, _) = rest.split_once('"').unwrap();
        let body = json!({
            "choices": [{"index": 0, "message": {"role": "assistant", "content": answer(text)}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    })
    .await;
    let config = folder.join("serve.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"u\"\nkind = \"openai\"\nbase_url = \"http://{address}\"\nmodels = [\"mock-1\"]\n"
    );
    std::fs::write(&config, text).unwrap();
    config
}

/// How many documents of a corpus of these outputs hold an output that the registry knows.
async fn found(data: &Path, outputs: &[String]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus.jsonl");
    let lines: Vec<String> = outputs
        .iter()
        .map(|text| json!({"text": text}).to_string())
        .collect();
    std::fs::write(&corpus, lines.join("\n")).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(["--json", "audit", "corpus"])
        .arg(&corpus)
        .arg("--registry")
        .arg(data.join("registry"))
        .arg("--out")
        .arg(folder.path().join("report"))
        .arg("--data")
        .arg(data)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let flagged = told["flagged"].as_u64().unwrap();
    assert_eq!(ran.status.code(), Some(i32::from(flagged > 0)), "{said}");
    flagged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_audit_finds_an_erased_subjects_outputs_and_each_finds_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = configured(folder.path()).await;
    ask(&data, &["account", "create", "a"]).await;
    let key = ask(&data, &["key", "create", "a"]).await;
    let key = key["key"].as_str().unwrap();
    let (mut ada, mut bob) = (Vec::new(), Vec::new());
    let talk = async |gateway: &str,
                      range: std::ops::Range<usize>,
                      of: (&mut Vec<String>, &mut Vec<String>)| {
        for n in range {
            for (subject, of) in [("ada", &mut *of.0), ("bob", &mut *of.1)] {
                let text = format!("{subject}{n}");
                exchange(gateway, key, subject, &text).await;
                of.push(answer(&text));
            }
        }
    };
    let (mut server, gateway) = serve(&data, &config).await;
    talk(&gateway, 0..5, (&mut ada, &mut bob)).await;
    server.kill().await.unwrap();
    ask(&data, &["registry", "build"]).await;
    assert_eq!((found(&data, &ada).await, found(&data, &bob).await), (5, 5));

    // What is said now is in memory, or not read yet.
    let (mut server, gateway) = serve(&data, &config).await;
    talk(&gateway, 5..8, (&mut ada, &mut bob)).await;
    let erased = ask(&data, &ERASE).await;
    let outputs = erased["outputs"].as_u64().unwrap();
    assert!((5..=8).contains(&outputs), "{erased}");
    assert!(
        erased["fingerprints"].as_u64().unwrap() > 5 * 100,
        "{erased}"
    );
    assert_eq!(erased["fingerprints_remain"], Value::Null);
    server.kill().await.unwrap();
    ask(&data, &["registry", "build"]).await;
    assert_eq!((found(&data, &ada).await, found(&data, &bob).await), (0, 8));
}

const OLD: &str = "6f1d3a52c8b94e07a15b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071";
const NEW: &str = "0b7e6d5c4b3a29180f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778";

/// Runs a command at rest, with the configuration and these variables; its exit and its answer.
async fn at_rest(
    data: &Path,
    config: &Path,
    variables: &[(&str, &str)],
    args: &[&str],
) -> (i32, Value) {
    let ran = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .envs(variables.iter().copied())
        .args(args)
        .arg("--json")
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(data)
        .output()
        .await
        .unwrap();
    let told = serde_json::from_slice(&ran.stdout).unwrap_or(Value::Null);
    (ran.status.code().unwrap(), told)
}

/// The files of a cluster: its write-ahead log, and all others.
fn files_of(cluster: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let all = files(cluster).into_iter();
    all.partition(|file| file.components().any(|part| part.as_os_str() == "pg_wal"))
}

/// A server on `PostgreSQL`, with its KEK in the environment, that is at rest again; what was said
/// in it.
struct Said {
    ada: Vec<String>,
    bob: Vec<String>,
    texts: Pieces,
}

async fn said(data: &Path, config: &Path) -> Said {
    let (mut server, gateway) = serve_in(&[("FAIRHOLD_KEK", OLD)], data, config, &[]).await;
    ask(data, &["account", "create", "a"]).await;
    let key = ask(data, &["key", "create", "a"]).await;
    let key = key["key"].as_str().unwrap();
    let mut said = Said {
        ada: Vec::new(),
        bob: Vec::new(),
        texts: Pieces::default(),
    };
    for n in 0..20 {
        for (subject, of) in [("ada", &mut said.ada), ("bob", &mut said.bob)] {
            let (id, sent, delivered) = exchange(&gateway, key, subject, &secret(subject, n)).await;
            of.push(id);
            if subject == "ada" {
                said.texts.text(&sent);
                said.texts.text(&delivered);
            }
        }
    }
    server.kill().await.unwrap();
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresqls_files_hold_no_key_and_no_text_of_what_was_erased() {
    let cluster = testbed::Postgres::tidy();
    let url = cluster.database();
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n[store]\nurl = \"{url}\"\n[retention]\nbodies_days = 7\n"
    );
    std::fs::write(&config, text).unwrap();
    let old = [("FAIRHOLD_KEK", OLD)];
    let Said { ada, bob, texts } = said(&data, &config).await;

    let kek = hex::decode(OLD).unwrap();
    let mut secrets = Pieces::default();
    for form in [kek.as_slice(), OLD.as_bytes()] {
        secrets.add(form);
    }
    let kek = Kek::new(kek.try_into().unwrap());
    let database = Database::open_to_read(&url).await.unwrap();
    let mut wrapped = Pieces::default();
    for key in opening(&database, &kek, &ada, &mut secrets).await {
        wrapped.add(&key);
    }
    drop(database);
    cluster.checkpoint();
    let (_, tables) = files_of(cluster.folder());
    assert!(wrapped.places_of(&tables) > 0, "before, it is found");

    let (code, erased) = at_rest(&data, &config, &old, &ERASE).await;
    assert_eq!(
        (code, &erased["keys"], &erased["bodies"]),
        (0, &json!(1), &json!(40))
    );
    assert!(
        erased["beyond"]
            .as_str()
            .unwrap()
            .contains("write-ahead log")
    );
    let (log, tables) = files_of(cluster.folder());
    assert_eq!(wrapped.places_of(&tables), 0, "in tables, at once");
    assert!(
        wrapped.places_of(&log) > 0,
        "the log is what `beyond` is about"
    );
    cluster.checkpoint();
    for place in [cluster.folder(), folder.path()] {
        assert_eq!(
            wrapped.places(place),
            0,
            "wrapped keys in {}",
            place.display()
        );
        assert_eq!(secrets.places(place), 0, "keys in {}", place.display());
        assert_eq!(texts.places(place), 0, "texts in {}", place.display());
    }
    kept_outside(&data, &config, (&ada[3], &bob[3])).await;
}

/// Reading, letting go and rotating with the KEK in the environment and the store of a
/// configuration.
async fn kept_outside(data: &Path, config: &Path, (erased, kept): (&str, &str)) {
    let old = [("FAIRHOLD_KEK", OLD)];
    let open = |id| ["open", id, "--by", "auditor", "--reason", "test"];
    assert_eq!(at_rest(data, config, &old, &open(kept)).await.0, 0);
    assert_eq!(at_rest(data, config, &old, &open(erased)).await.0, 2);
    let (code, told) = at_rest(data, config, &old, &["retention", "run"]).await;
    assert_eq!(
        (code, &told["days"], &told["bodies"]),
        (0, &json!(7), &json!(0))
    );
    let both = [("FAIRHOLD_KEK", OLD), ("FAIRHOLD_KEK_NEW", NEW)];
    let (code, told) = at_rest(data, config, &both, &["kek", "rotate"]).await;
    // Bob's and the house's own.
    assert_eq!((code, &told["rewrapped"]), (0, &json!(2)), "{told}");
    assert_eq!(told["kept_outside"], true);
    let new = [("FAIRHOLD_KEK", NEW)];
    assert_eq!(at_rest(data, config, &new, &open(kept)).await.0, 0);
    assert_eq!(at_rest(data, config, &old, &open(kept)).await.0, 2);
    assert!(!data.join("master.key").exists(), "the KEK stayed outside");
}
