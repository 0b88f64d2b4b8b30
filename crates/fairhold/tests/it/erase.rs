//! What was erased is in no file any more: every file of the data folder is
//! read raw, for the erased texts at all offsets and for their keys.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use evidence::merkle::{Tree, leaf_hash, verify_inclusion};
use evidence::seal::keys::Owner;
use evidence::seal::{Body, Kek, Label, record_key};
use facts::{AccountId, ExchangeId};
use sha2::{Digest as _, Sha256};
use store::Database;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::crash::{ask, serve};

const FAIRHOLD: &str = env!("CARGO_BIN_EXE_fairhold");
const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n";

/// Length of the pieces that are looked for.
const SHINGLE: usize = 64;

/// Pieces that must not be found, told apart by their first eight bytes.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Which first two bytes occur: nearly all places of a file are told apart by it.
    pairs: HashSet<[u8; 2]>,
    heads: HashSet<[u8; 8]>,
    known: HashSet<Vec<u8>>,
    lengths: HashSet<usize>,
}

impl Pieces {
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.pairs.insert(*piece.first_chunk().unwrap());
        self.heads.insert(*piece.first_chunk().unwrap());
        self.lengths.insert(piece.len());
        self.known.insert(piece.to_vec());
    }

    /// Every piece of the text, from every offset.
    pub(crate) fn text(&mut self, text: &[u8]) {
        assert!(text.len() >= SHINGLE, "{} bytes", text.len());
        for piece in text.windows(SHINGLE) {
            self.add(piece);
        }
    }

    /// How many places of the folder's files hold one of them.
    pub(crate) fn places(&self, folder: &Path) -> usize {
        self.places_of(&files(folder))
    }

    /// The same of these files.
    pub(crate) fn places_of(&self, files: &[PathBuf]) -> usize {
        let read = files.iter().map(|file| match std::fs::read(file) {
            Ok(bytes) => bytes,
            // A running database lets files go; what is in no file is not found.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => panic!("{}: {e}", file.display()),
        });
        read.map(|bytes| self.places_in(&bytes)).sum()
    }

    fn places_in(&self, bytes: &[u8]) -> usize {
        let mut first = vec![false; 1 << 16];
        for pair in &self.pairs {
            first[usize::from(u16::from_be_bytes(*pair))] = true;
        }
        let starts = bytes.windows(8).enumerate();
        let likely = starts.filter(|(_, head)| {
            first[usize::from(head[0]) << 8 | usize::from(head[1])] && self.heads.contains(*head)
        });
        let whole = likely.filter(|(at, _)| {
            let ends = self.lengths.iter().map(|length| at + length);
            ends.filter(|end| *end <= bytes.len())
                .any(|end| self.known.contains(&bytes[*at..end]))
        });
        whole.count()
    }
}

/// The files under a folder; sockets are none.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            all.push(path);
        }
    }
    all
}

/// A text that nobody else writes.
pub(crate) fn secret(of: &str, n: usize) -> String {
    (0..12)
        .map(|k| hex::encode(Sha256::digest(format!("{of} {n} {k}"))))
        .collect()
}

/// One exchange; its id, and what was sent and delivered.
pub(crate) async fn exchange(
    gateway: &str,
    key: &str,
    subject: &str,
    text: &str,
) -> (String, Vec<u8>, Vec<u8>) {
    let body = format!(
        "{{\"model\":\"mock-1\",\"user\":\"{subject}\",\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}"
    );
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(gateway).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.unwrap();
    let answer = String::from_utf8(all).unwrap();
    let (head, delivered) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let id = head
        .lines()
        .find_map(|l| l.strip_prefix("x-request-id:"))
        .unwrap();
    (
        id.trim().to_owned(),
        body.into_bytes(),
        delivered.as_bytes().to_vec(),
    )
}

async fn code(data: &Path, args: &[&str]) -> Option<i32> {
    let out = Command::new(FAIRHOLD)
        .args(args)
        .arg("--data")
        .arg(data)
        .output()
        .await
        .unwrap();
    out.status.code()
}

async fn database(data: &Path) -> Database {
    let url = format!("sqlite:{}", data.join("fairhold.db").display());
    Database::open_to_read(&url).await.unwrap()
}

/// What opens the bodies of these exchanges: wrapped keys, keys, record keys. The KEK itself is
/// in the folder on purpose.
async fn key_material(data: &Path, exchanges: &[String]) -> Pieces {
    let kek = std::fs::read(data.join("master.key")).unwrap();
    let kek = Kek::new(kek.try_into().unwrap());
    let mut pieces = Pieces::default();
    let wrapped = opening(&database(data).await, &kek, exchanges, &mut pieces).await;
    for wrapped in wrapped {
        pieces.add(&wrapped);
    }
    pieces
}

/// Adds the keys and record keys that open the bodies of these exchanges; gives the keys wrapped.
pub(crate) async fn opening(
    database: &Database,
    kek: &Kek,
    exchanges: &[String],
    pieces: &mut Pieces,
) -> HashSet<Vec<u8>> {
    let account = AccountId::parse("a").unwrap();
    let mut wrapped = HashSet::new();
    for id in exchanges {
        let exchange = ExchangeId::parse(id).unwrap();
        let bodies = database.bodies_of_exchange(&exchange).await.unwrap();
        assert_eq!(bodies.len(), 2);
        for kept in bodies {
            let owner = Owner {
                account: &kept.key.account,
                month: &kept.key.month,
                subject: &kept.key.subject,
            };
            let key = kek
                .unwrap(&owner, kept.key.format, &kept.key.wrapped)
                .unwrap();
            wrapped.insert(kept.key.wrapped);
            pieces.add(key.expose());
            for body in [Body::Request, Body::Answer] {
                let label = Label {
                    account: &account,
                    exchange: &exchange,
                    body,
                };
                pieces.add(&record_key(&key, &label));
            }
        }
    }
    wrapped
}

/// Every leaf below `size`, and the root over them.
async fn tree(data: &Path, size: u64) -> (Tree, Vec<Vec<u8>>) {
    let rows = database(data).await.records(0..size).await.unwrap();
    let leaves: Vec<_> = rows.into_iter().map(|row| row.leaf).collect();
    (
        Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf))),
        leaves,
    )
}

/// A hold stands in the way of the erasure until it is released.
async fn held_back(data: &Path, erase: &[&str], keys: &Pieces) {
    let hold = ask(
        data,
        &[
            "hold",
            "add",
            "--account",
            "a",
            "--by",
            "counsel",
            "--reason",
            "suit",
        ],
    )
    .await;
    assert_eq!(code(data, erase).await, Some(1), "a hold stands in the way");
    assert!(keys.places(data) > 0);
    let hold = hold["hold"].as_str().unwrap();
    ask(data, &["hold", "release", hold, "--by", "counsel"]).await;
}

/// The first records are as they were, and proven under the root that they had.
async fn still_proven(data: &Path, before: &Tree, leaves: &[Vec<u8>]) {
    let size = leaves.len() as u64;
    let root = before.root(size).unwrap();
    let (_, after) = tree(data, size).await;
    assert_eq!(after, leaves);
    for (seq, leaf) in after.iter().enumerate() {
        let seq = seq as u64;
        let proof = before.inclusion_proof(seq, size).unwrap();
        verify_inclusion(&leaf_hash(leaf), seq, size, &proof, &root).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_in_no_file_and_the_log_still_proves_that_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    std::fs::write(&config, CONFIG).unwrap();
    ask(&data, &["account", "create", "a"]).await;
    let key = ask(&data, &["key", "create", "a"]).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut server, gateway) = serve(&data, &config).await;
    let (mut ada, mut bob, mut texts) = (Vec::new(), Vec::new(), Pieces::default());
    for n in 0..40 {
        for (subject, of) in [("ada", &mut ada), ("bob", &mut bob)] {
            let (id, sent, delivered) =
                exchange(&gateway, &key, subject, &secret(subject, n)).await;
            of.push(id);
            if subject == "ada" {
                texts.text(&sent);
                texts.text(&delivered);
            }
        }
    }
    let keys = key_material(&data, &ada).await;
    assert!(keys.places(&data) > 0, "before, the wrapped key is found");
    let held = folder.path().join("held");
    std::fs::create_dir(&held).unwrap();
    std::fs::write(
        held.join("part"),
        format!("?{}", secret("ada", 7).get(3..90).unwrap()),
    )
    .unwrap();
    assert!(
        texts.places(&held) > 0,
        "a part of a text is found at any offset"
    );

    let size = database(&data).await.count().await.unwrap();
    let (before, leaves) = tree(&data, size).await;
    let erase = [
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
    held_back(&data, &erase, &keys).await;

    let erased = ask(&data, &erase).await;
    assert_eq!(
        (&erased["keys"], &erased["bodies"]),
        (&1.into(), &80.into()),
        "{erased}"
    );
    for moment in ["while it serves", "after it stopped"] {
        assert_eq!(keys.places(&data), 0, "keys, {moment}");
        assert_eq!(texts.places(&data), 0, "texts, {moment}");
        for (id, opens) in [(&ada[3], 2), (&bob[3], 0)] {
            let open = ["open", id, "--by", "auditor", "--reason", "test"];
            assert_eq!(code(&data, &open).await, Some(opens), "{id}, {moment}");
        }
        server.kill().await.unwrap();
    }
    still_proven(&data, &before, &leaves).await;
    nor_in_what_is_made_of_it(&data, &folder.path().join("out"), &texts, &keys).await;
}

/// Ledgers as files and a bundle, written of the store afterwards, hold nothing of it either; and
/// they hold something.
async fn nor_in_what_is_made_of_it(data: &Path, out: &Path, texts: &Pieces, keys: &Pieces) {
    let ledgers = out.join("ledgers");
    let export = ["export", "ledger", ledgers.to_str().unwrap(), "--all"];
    let told = ask(data, &export).await;
    assert!(told["entries"].as_u64().unwrap() > 160, "{told}");
    let propose = ["case", "propose", "a", "--clause", "t/1", "--by", "ann"];
    let case = ask(data, &[&propose[..], &["--summary", "facts"]].concat()).await;
    let bundle = out.join("case.evidence.zip");
    let id = case["case"].as_str().unwrap();
    let told = ask(data, &["export", id, "--out", bundle.to_str().unwrap()]).await;
    assert!(told["bytes"].as_u64().unwrap() > 50_000, "{told}");
    for folder in [data, out] {
        assert_eq!(texts.places(folder), 0, "texts in {}", folder.display());
        assert_eq!(keys.places(folder), 0, "keys in {}", folder.display());
    }
}

/// The registry's files of outputs.
fn segments(data: &Path) -> usize {
    let all = files(&data.join("registry"));
    all.iter()
        .filter(|file| file.extension().is_some_and(|e| e == "seg"))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_imports_go_with_their_account() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut gone, mut kept) = (Pieces::default(), Pieces::default());
    let mut lines = String::new();
    for n in 0..300 {
        for account in ["a", "b"] {
            let text = secret(account, n);
            let answer = secret(&format!("answer to {account}"), n);
            let words: Vec<&str> = answer
                .as_bytes()
                .chunks(6)
                .map(|w| std::str::from_utf8(w).unwrap())
                .collect();
            let answer = words.join(" ");
            let line = serde_json::json!({
                "account": account, "time": 1_790_000_000 + n,
                "messages": [{"role": "user", "content": text}], "response": answer,
            });
            writeln!(lines, "{line}").unwrap();
            let pieces = if account == "a" { &mut gone } else { &mut kept };
            pieces.text(text.as_bytes());
            pieces.text(answer.as_bytes());
        }
    }
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, lines).unwrap();
    ask(&data, &["import", log.to_str().unwrap()]).await;
    assert!(gone.places(&data) > 0 && kept.places(&data) > 0);
    ask(&data, &["registry", "build"]).await;
    assert_eq!(segments(&data), 2, "fingerprints of both accounts");
    let erased = ask(
        &data,
        &["erase", "--account", "a", "--by", "dpo", "--reason", "left"],
    )
    .await;
    assert_eq!(erased["imported"], 300, "{erased}");
    assert_eq!(gone.places(&data), 0);
    assert!(kept.places(&data) > 0, "others stay");
    assert_eq!(erased["outputs"], 300, "{erased}");
    assert_eq!(segments(&data), 1, "fingerprints of the other account");
}
