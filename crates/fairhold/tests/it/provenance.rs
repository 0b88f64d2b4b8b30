//! Outputs in training corpora: the story of the demo, a killed audit, a corpus larger than
//! memory.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn fairhold() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fairhold"))
}

#[test]
fn harvested_outputs_are_found_named_and_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let ran = fairhold()
        .args(["--json", "demo", "--act", "provenance", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let number = |key: &str| told[key].as_f64().unwrap();
    assert!(number("lo") <= 0.05 && 0.05 <= number("hi"), "{told}");
    assert_eq!(told["accounts_named"], json!(["harvester"]));
    assert_eq!(told["honest_flagged"], 0);
    assert_eq!(told["gate_blocked_exactly"], true);
    assert_eq!(told["gate_allowed"], 40);
    assert_eq!(told["cleaned_exit"], 0);
    assert!(ran.status.success(), "{said}");
    let report = folder.path().join("provenance/report");
    for name in [
        "report.html",
        "hits.jsonl",
        "summary.json",
        "statement.dsse.json",
    ] {
        assert!(report.join(name).is_file(), "{name}");
    }
    // What is kept of outputs holds no word of them.
    let registry = folder.path().join("provenance/data/registry/a-harvester");
    for file in fs::read_dir(registry).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(8)
                .any(|w| w == b"sharpens" || w == b"harbour ")
        );
    }
}

/// Two hundred words that no other number has.
fn output(n: u64) -> String {
    let words: Vec<String> = (0..200).map(|k| format!("w{n}x{k}")).collect();
    words.join(" ")
}

/// A registry of a hundred outputs.
fn registry(folder: &Path) -> std::path::PathBuf {
    let log: Vec<String> = (0..100)
        .map(|n| {
            let line = json!({
                "account": "a", "time": "2026-01-02T03:04:05Z", "model": "m",
                "messages": [{"role": "user", "content": format!("q{n}?")}], "response": output(n),
            });
            format!("{line}\n")
        })
        .collect();
    fs::write(folder.join("log.jsonl"), log.concat()).unwrap();
    let at = folder.join("registry");
    let built = fairhold()
        .args(["registry", "build", "--logs"])
        .arg(folder.join("log.jsonl"))
        .arg("--out")
        .arg(&at)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    at
}

fn audit(folder: &Path, corpus: &Path, out: &Path) -> Command {
    let mut command = fairhold();
    command
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--json", "audit", "corpus"])
        .arg(corpus)
        .arg("--registry")
        .arg(folder.join("registry"))
        .arg("--out")
        .arg(out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_killed_audit_goes_on_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    for n in 0..300_u64 {
        let mut lines = Vec::new();
        for row in 0..40 {
            let text = if row == n % 40 {
                output(n % 100)
            } else {
                output(1_000 + n * 40 + row)
            };
            writeln!(lines, "{}", json!({"text": text})).unwrap();
        }
        fs::write(corpus.join(format!("{n:03}.jsonl")), lines).unwrap();
    }
    let whole = folder.path().join("whole");
    let ran = audit(folder.path(), &corpus, &whole).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let mut killed = 0;
    for marks in [2, 5] {
        let out = folder.path().join(format!("killed-{marks}"));
        let mut child = audit(folder.path(), &corpus, &out).spawn().unwrap();
        loop {
            let manifest = fs::read(out.join("manifest.jsonl")).unwrap_or_default();
            let lines = manifest.split(|b| *b == b'\n').count() - 1;
            if lines > marks || child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::yield_now();
        }
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        killed += u32::from(std::os::unix::process::ExitStatusExt::signal(&ended) == Some(9));
        let ran = audit(folder.path(), &corpus, &out).output().unwrap();
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        for name in ["scan.jsonl", "hits.jsonl", "summary.json"] {
            let same = fs::read(out.join(name)).unwrap() == fs::read(whole.join(name)).unwrap();
            assert!(same, "{name} after {marks} marks");
        }
    }
    assert!(killed > 0, "every run ended before it could be killed");
    let hits = fs::read_to_string(whole.join("hits.jsonl")).unwrap();
    assert_eq!(hits.lines().count(), 300);
}

#[test]
fn a_corpus_larger_than_memory_streams() {
    const MEGABYTES: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let mut child = audit(folder.path(), Path::new("-"), &folder.path().join("out"))
        .args(["--depth", "copies", "--guarantee", "39"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    let mut block = Vec::new();
    for n in 0..2_000 {
        writeln!(block, "{}", json!({"text": output(5_000 + n)})).unwrap();
    }
    let mut written = 0;
    while written < MEGABYTES << 20 {
        input.write_all(&block).unwrap();
        written += block.len();
    }
    writeln!(input, "{}", json!({"text": output(7)})).unwrap();
    input.flush().unwrap();
    // It still waits for the end: what it ever held is known.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: usize = peak
        .and_then(|kb| kb.trim().strip_suffix(" kB"))
        .unwrap()
        .parse()
        .unwrap();
    drop(input);
    let ran = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(told["flagged"], 1);
    assert!(peak < 150 << 10, "{peak} kB for a corpus of {MEGABYTES} MB");
}

/// A line of a log.
fn logged(account: &str, question: u64, answer: &str) -> String {
    let line = json!({
        "account": account, "time": "2026-01-02T03:04:05Z", "model": "m",
        "messages": [{"role": "user", "content": format!("q{question}?")}], "response": answer,
    });
    format!("{line}\n")
}

fn gated(command: &str, folder: &Path, corpus: &Path, more: &[&std::ffi::OsStr]) -> (i32, Value) {
    let ran = fairhold()
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--json", command])
        .arg(corpus)
        .arg("--registry")
        .arg(folder.join("registry"))
        .args([
            "--use",
            "train",
            "--target",
            "competing",
            "--terms",
            "m=openai/services",
        ])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let told = serde_json::from_slice(&ran.stdout);
    let told = told.map_err(|e| format!("{e}: {said}")).unwrap();
    (ran.status.code().unwrap(), told)
}

#[test]
fn who_brings_the_control_twins_does_not_open_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let corpus = folder.path().join("corpus.jsonl");
    fs::write(&corpus, format!("{}\n", json!({"text": output(7)}))).unwrap();
    let (code, told) = gated("gate", folder.path(), &corpus, &[]);
    assert_eq!((code, &told["blocked"]), (1, &json!(1)), "{told}");
    // "Independent" answers that are the very outputs.
    let twins = folder.path().join("twins.jsonl");
    let same: String = (0..100).map(|n| logged("x", n, &output(n))).collect();
    fs::write(&twins, same).unwrap();
    let (code, told) = gated(
        "gate",
        folder.path(),
        &corpus,
        &["--twins".as_ref(), twins.as_os_str()],
    );
    assert_eq!(
        (code, &told["undecided"], &told["no_output"]),
        (3, &json!(1), &json!(0)),
        "{told}"
    );
}

#[test]
fn a_cleaned_set_keeps_its_folders_and_is_refused_by_paragraph() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let corpus = folder.path().join("corpus");
    for (part, text) in [("a", output(7)), ("b", output(5_000))] {
        fs::create_dir_all(corpus.join(part)).unwrap();
        let line = format!("{}\n", json!({"text": text}));
        fs::write(corpus.join(part).join("set.jsonl"), line).unwrap();
    }
    let clean = folder.path().join("clean");
    let write: [&std::ffi::OsStr; 2] = ["--write".as_ref(), clean.as_os_str()];
    let (code, told) = gated("gate", folder.path(), &corpus, &write);
    assert_eq!((code, &told["blocked"]), (1, &json!(1)), "{told}");
    assert_eq!(fs::read(clean.join("a/set.jsonl")).unwrap(), b"");
    let kept = fs::read(clean.join("b/set.jsonl")).unwrap();
    assert_eq!(kept, fs::read(corpus.join("b/set.jsonl")).unwrap());
    let ran = fairhold()
        .args(["gate", "--paragraphs", "--write"])
        .arg(folder.path().join("other"))
        .arg(&corpus)
        .arg("--registry")
        .arg(folder.path().join("registry"))
        .args(["--use", "train", "--terms", "m=openai/services"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("--paragraphs") && !folder.path().join("other").exists());
}

#[test]
fn a_registry_of_logs_is_handed_over_with_its_key_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let from = registry(folder.path());
    let to = folder.path().join("copy");
    let handover = |same: bool| {
        let mut command = fairhold();
        command.arg("--data").arg(folder.path().join("data"));
        command.args(["registry", "handover"]).arg(&from);
        command.arg("--out").arg(&to);
        if same {
            command.arg("--same-key");
        }
        command.output().unwrap()
    };
    assert_eq!(handover(false).status.code(), Some(2));
    assert!(!to.exists());
    assert!(handover(true).status.success());
    let key = |at: &Path| fs::read(at.join("key")).unwrap();
    assert_eq!(key(&from), key(&to));
}

#[test]
fn a_part_of_the_stores_registry_is_handed_over_under_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let lines: String = (0..4)
        .map(|n| logged(if n == 0 { "b" } else { "a" }, n, &output(n)))
        .collect();
    fs::write(&log, lines).unwrap();
    let data = folder.path().join("data");
    let to = folder.path().join("copy");
    let ran = |more: &[&std::ffi::OsStr]| {
        let ran = fairhold().arg("--data").arg(&data).args(more).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{more:?} {ran:?}");
    };
    ran(&["import".as_ref(), log.as_os_str()]);
    ran(&["registry".as_ref(), "build".as_ref()]);
    let from = data.join("registry");
    let end = [
        "--out".as_ref(),
        to.as_os_str(),
        "--account".as_ref(),
        "a".as_ref(),
    ];
    let mut all: Vec<&std::ffi::OsStr> = vec!["registry".as_ref(), "handover".as_ref()];
    all.push(from.as_os_str());
    all.extend(end);
    ran(&all);
    assert_ne!(
        fs::read(from.join("key")).unwrap(),
        fs::read(to.join("key")).unwrap()
    );
    assert!(to.join("a-a").is_dir() && !to.join("a-b").exists());
}

#[test]
fn what_was_not_read_is_not_certified() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    let own = format!("{}\n", json!({"text": output(5_000)}));
    fs::write(corpus.join("own.jsonl"), own).unwrap();
    let certificate = folder.path().join("certificate.json");
    let certify = || {
        let more = ["--out".as_ref(), certificate.as_os_str()];
        gated("certify", folder.path(), &corpus, &more)
    };
    fs::write(corpus.join("stolen.csv"), output(7)).unwrap();
    let (code, told) = certify();
    assert_eq!((code, &told["certified"]), (2, &json!(false)), "{told}");
    assert_eq!(told["gate"]["skipped"], 1, "{told}");
    assert!(!certificate.exists());
    fs::remove_file(corpus.join("stolen.csv")).unwrap();
    fs::write(corpus.join("own.jsonl"), "").unwrap();
    let (code, told) = certify();
    assert_eq!((code, &told["certified"]), (2, &json!(false)), "{told}");
    let own = format!("{}\n", json!({"text": output(5_000)}));
    fs::write(corpus.join("own.jsonl"), own).unwrap();
    let (code, told) = certify();
    assert_eq!((code, &told["certified"]), (0, &json!(true)), "{told}");
    assert!(certificate.exists());
}

#[test]
fn an_audit_of_other_outputs_does_not_go_on_from_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus.jsonl");
    fs::write(&corpus, format!("{}\n", json!({"text": output(7)}))).unwrap();
    let log = folder.path().join("log.jsonl");
    let audit = || {
        fairhold()
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(["audit", "corpus"])
            .arg(&corpus)
            .arg("--answers")
            .arg(&log)
            .arg("--out")
            .arg(folder.path().join("report"))
            .output()
            .unwrap()
    };
    fs::write(&log, logged("a", 1, &output(7))).unwrap();
    assert_eq!(audit().status.code(), Some(1));
    // As many outputs, as many fingerprints, other words.
    fs::write(&log, logged("a", 1, &output(8))).unwrap();
    let other = audit();
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(2), "{said}");
    assert!(said.contains("name a new manifest"), "{said}");
}

#[test]
fn a_second_pipe_is_read_and_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let piped = |out: &str, text: &str| {
        let mut child = audit(folder.path(), Path::new("-"), &folder.path().join(out))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // A refusal closes the pipe early.
        let _ = writeln!(input, "{}", json!({"text": text}));
        drop(input);
        child.wait_with_output().unwrap()
    };
    assert_eq!(piped("one", &output(5_000)).status.code(), Some(0));
    let again = piped("one", &output(7));
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(piped("two", &output(7)).status.code(), Some(1));
}

/// A phrase that people write as well raises the threshold, and the rate is that of the people's texts.
#[test]
fn the_auditors_own_human_texts_set_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    registry(folder.path());
    let phrase: Vec<String> = output(7).split(' ').take(60).map(str::to_owned).collect();
    let phrase = phrase.join(" ");
    let human: Vec<String> = (0..400)
        .map(|n| {
            let own = output(2_000 + n);
            let said = if n % 20 < 2 { &phrase } else { "" };
            format!("{}\n", json!({"text": format!("{own} {said}")}))
        })
        .collect();
    let people = folder.path().join("people.jsonl");
    fs::write(&people, human.concat()).unwrap();
    let corpus = folder.path().join("corpus.jsonl");
    let rows = [
        format!("{} {phrase}", output(5_000)),
        output(9),
        output(5_001),
    ];
    let rows: Vec<String> = rows
        .iter()
        .map(|t| json!({"text": t}).to_string())
        .collect();
    fs::write(&corpus, rows.join("\n")).unwrap();
    let asked = |out: &str, more: bool| -> Value {
        let out = folder.path().join(out);
        let mut command = audit(folder.path(), &corpus, &out);
        if more {
            command.arg("--human").arg(&people);
        }
        let ran = command.output().unwrap();
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        serde_json::from_slice(&ran.stdout).unwrap()
    };
    let shipped = asked("shipped", false);
    let own = asked("own", true);
    assert_eq!(
        (&shipped["flagged"], &own["flagged"]),
        (&json!(2), &json!(1))
    );
    let rates = own["rates"].as_str().unwrap();
    assert!(
        rates.starts_with("rates of the auditor's own 400 human texts (`--human`): 0 of the 200"),
        "{rates}"
    );
    let page = fs::read_to_string(folder.path().join("own/report.html")).unwrap();
    assert!(page.contains("own 400 human texts"), "{rates}");
    let signed = fs::read(folder.path().join("own/statement.dsse.json")).unwrap();
    let envelope: Value = serde_json::from_slice(&signed).unwrap();
    assert!(envelope["payload"].is_string(), "{envelope}");
    // Too few say nothing.
    fs::write(&people, human[..50].concat()).unwrap();
    let out = folder.path().join("few");
    let ran = audit(folder.path(), &corpus, &out)
        .arg("--human")
        .arg(&people)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("200 or more"), "{said}");
}
