//! Files that cannot be read: named, passed over, and exit code 2 at the end, never "clean".

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn fairhold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairhold"));
    command.arg("--json");
    command
}

fn text(name: &str) -> String {
    let words: Vec<String> = (0..120).map(|k| format!("{name}{k}")).collect();
    words.join(" ")
}

fn line(text: &str) -> String {
    format!("{}\n", json!({"id": "1", "text": text}))
}

fn registry(folder: &Path) {
    let log = json!({
        "account": "a", "time": "2026-01-02T03:04:05Z", "model": "m", "response": text("output"),
        "messages": [{"role": "user", "content": "q?"}],
    });
    fs::write(folder.join("log.jsonl"), format!("{log}\n")).unwrap();
    let built = fairhold()
        .args(["registry", "build", "--logs"])
        .arg(folder.join("log.jsonl"))
        .arg("--out")
        .arg(folder.join("registry"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
}

fn asked(command: &[&str], folder: &Path, corpus: &Path, more: &[&str]) -> Output {
    let mut asked = fairhold();
    asked.args(command).arg(corpus).arg("--registry");
    asked.arg(folder.join("registry")).args(more);
    asked.output().unwrap()
}

fn audit(folder: &Path, corpus: &Path) -> Output {
    asked(&["audit", "corpus"], folder, corpus, &[])
}

fn gate(folder: &Path, corpus: &Path) -> Output {
    let uses = [
        "--use",
        "train",
        "--target",
        "competing",
        "--terms",
        "m=google/gemini-api",
    ];
    asked(&["gate"], folder, corpus, &uses)
}

/// What is damaged, and a word that is said of it.
fn damaged() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let rows: String = (0..2_000)
        .map(|n| line(&text(&format!("human{n}x"))))
        .collect();
    let packed = zstd::encode_all(rows.as_bytes(), 3).unwrap();
    let cut = packed[..packed.len() / 2].to_vec();
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xff);
    let torn = format!("{}{{\"id\": \"2\", \"text\": \"cut o", line(&text("human")));
    let mut all = vec![
        ("torn.jsonl", torn.into_bytes(), "torn.jsonl:2"),
        ("cut.jsonl.zst", cut, "cut.jsonl.zst"),
        ("flipped.jsonl.zst", flipped, "flipped.jsonl.zst"),
        ("none.jsonl.gz", b"not gzip".to_vec(), "none.jsonl.gz"),
        ("none.tar", vec![7; 3_000], "none.tar"),
    ];
    if cfg!(feature = "parquet") {
        all.push(("none.parquet", b"PAR1 and no more".to_vec(), "none.parquet"));
        all.push(("none.arrow", b"ARROW1 and no more".to_vec(), "none.arrow"));
    }
    all
}

#[test]
fn damaged_files_are_named_and_never_clean() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    registry(at);
    let clean = at.join("clean");
    fs::create_dir(&clean).unwrap();
    fs::write(clean.join("a.jsonl"), line(&text("human"))).unwrap();
    assert_eq!(audit(at, &clean).status.code(), Some(0));
    assert_eq!(gate(at, &clean).status.code(), Some(0));
    fs::write(clean.join("b.jsonl"), line(&text("output"))).unwrap();
    assert_eq!(audit(at, &clean).status.code(), Some(1));
    assert_eq!(gate(at, &clean).status.code(), Some(1));
    fs::remove_file(clean.join("b.jsonl")).unwrap();
    for (name, bytes, said) in damaged() {
        fs::write(clean.join(name), bytes).unwrap();
        for with_finding in [false, true] {
            // What stands behind the damaged file is read on.
            let finding = clean.join("z.jsonl");
            if with_finding {
                fs::write(&finding, line(&text("output"))).unwrap();
            }
            let audited = audit(at, &clean);
            let told: Value = serde_json::from_slice(&audited.stdout).unwrap();
            assert_eq!(audited.status.code(), Some(2), "{name}: {told}");
            assert!(told["bad"].as_u64() >= Some(1), "{name}: {told}");
            assert!(told["faults"].to_string().contains(said), "{name}: {told}");
            assert_eq!(told["flagged"], u64::from(with_finding), "{name}: {told}");
            let gated = gate(at, &clean);
            let told: Value = serde_json::from_slice(&gated.stdout).unwrap();
            assert_eq!(gated.status.code(), Some(2), "{name}: {told}");
            assert!(told["faults"].to_string().contains(said), "{name}: {told}");
            assert_eq!(told["blocked"], u64::from(with_finding), "{name}: {told}");
            if with_finding {
                fs::remove_file(finding).unwrap();
            }
        }
        fs::remove_file(clean.join(name)).unwrap();
    }
}
