//! Two parties compare what neither shows the other: the audit with a registry that is served comes
//! to the findings of an audit that holds it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

fn fairhold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairhold"));
    command.env("FAIRHOLD_AUDIT_TOKEN", "a token").arg("--json");
    command
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn text(&mut self, words: usize) -> String {
        let words = (0..words).map(|_| match self.below(7) {
            0 => "the".to_owned(),
            1 => format!("Name{}", self.below(5_000)),
            _ => format!("word{}", self.below(5_000)),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn logs(random: &mut Random, folder: &Path) -> Vec<String> {
    let outputs: Vec<String> = (0..20).map(|_| random.text(120)).collect();
    let line = |n: usize, text: &str, model: &str| {
        format!(
            "{}\n",
            json!({
                "account": format!("account-{}", n % 3), "time": "2026-01-02T03:04:05Z",
                "model": model, "response": text,
                "messages": [{"role": "user", "content": format!("question {n}?")}],
            })
        )
    };
    let log: Vec<String> = (0..)
        .zip(&outputs)
        .map(|(n, text)| line(n, text, "m"))
        .collect();
    fs::write(folder.join("log.jsonl"), log.concat()).unwrap();
    let twins: Vec<String> = (0..20)
        .map(|n| line(n, &random.text(120), "other"))
        .collect();
    fs::write(folder.join("twins.jsonl"), twins.concat()).unwrap();
    outputs
}

fn corpus(random: &mut Random, outputs: &[String], to: &Path) {
    let mut rows = String::new();
    for n in 0..150 {
        let mut parts = vec![{
            let words = random.below(80);
            random.text(words)
        }];
        for _ in 0..random.below(3) {
            let words: Vec<&str> = outputs[random.below(outputs.len())].split(' ').collect();
            let from = random.below(words.len());
            let length = random.below(words.len());
            parts.push(
                words
                    .into_iter()
                    .skip(from)
                    .take(length)
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            let strange = random.below(40);
            parts.push(random.text(strange));
        }
        rows.push_str(&json!({"id": n.to_string(), "text": parts.join(" ")}).to_string());
        rows.push('\n');
    }
    fs::write(to, rows).unwrap();
}

struct Served {
    child: Child,
    told: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn serve(folder: &Path, more: &[&str]) -> Served {
    let mut child = fairhold()
        .args(["registry", "serve", "--listen", "127.0.0.1:0", "--registry"])
        .arg(folder.join("registry"))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let told = serde_json::from_str(&line).unwrap();
    Served { child, told }
}

fn audit(folder: &Path, out: &str, depth: &str, more: &[&str]) -> Output {
    let ran = fairhold()
        .arg("--data")
        .arg(folder.join("data"))
        .args(["audit", "corpus"])
        .arg(folder.join("corpus.jsonl"))
        .args(["--id-field", "id", "--depth", depth, "--out"])
        .arg(folder.join(out))
        .args(more)
        .output();
    ran.unwrap()
}

/// Hits without the numbers of outputs, which are each registry's own.
fn hits(folder: &Path, out: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(out).join("hits.jsonl")).unwrap();
    let lines = text.lines().map(|line| {
        let mut hit: Value = serde_json::from_str(line).unwrap();
        for one in hit["matches"].as_array_mut().unwrap() {
            one["output"].take();
            one["family_outputs"].take();
        }
        hit
    });
    lines.collect()
}

#[test]
fn an_audit_with_a_served_registry_finds_what_one_that_holds_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut random = Random(11);
    let outputs = logs(&mut random, at);
    corpus(&mut random, &outputs, &at.join("corpus.jsonl"));
    let built = fairhold()
        .args(["registry", "build", "--logs"])
        .arg(at.join("log.jsonl"))
        .arg("--twins")
        .arg(at.join("twins.jsonl"))
        .arg("--out")
        .arg(at.join("registry"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    let registry = at.join("registry").display().to_string();
    let served = serve(at, &["--names"]);
    let told = |key: &str| served.told[key].as_str().unwrap();
    let with = ["--with", told("url"), "--server-key", told("server_key")];
    for depth in ["copies", "paraphrases"] {
        let (here, there) = (format!("here-{depth}"), format!("there-{depth}"));
        let local = audit(at, &here, depth, &["--registry", &registry]);
        assert_eq!(local.status.code(), Some(1), "{local:?}");
        let asked = audit(at, &there, depth, &with);
        assert_eq!(asked.status.code(), Some(1), "{asked:?}");
        let found = hits(at, &here);
        assert!(found.len() > 10, "{}", found.len());
        assert_eq!(found, hits(at, &there));
        let summary = |out: &str| fs::read_to_string(at.join(out).join("summary.json")).unwrap();
        assert_eq!(summary(&here), summary(&there));
    }
    // The key of another server is not the one that was pinned.
    let other = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    let asked = audit(
        at,
        "none",
        "copies",
        &["--with", told("url"), "--server-key", other],
    );
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(
        said.contains("its key is") && said.contains("--server-key"),
        "{said}"
    );
    // A holder that withholds names tells aliases; a small budget is told before it is spent.
    drop(served);
    let served = serve(at, &[]);
    let url = served.told["url"].as_str().unwrap();
    let asked = audit(at, "aliases", "copies", &["--with", url]);
    assert_eq!(asked.status.code(), Some(1), "{asked:?}");
    let hits = fs::read_to_string(at.join("aliases/hits.jsonl")).unwrap();
    assert!(hits.contains("\"account\":\"account-") && !hits.contains("\"account-0\""));
    drop(served);
    let served = serve(at, &["--budget", "10"]);
    let url = served.told["url"].as_str().unwrap();
    let asked = audit(at, "poor", "copies", &["--with", url]);
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    assert!(String::from_utf8_lossy(&asked.stderr).contains("the holder allows 10 more"));
}
