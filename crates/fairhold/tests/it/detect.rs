//! `fairhold detect` on folders of `LiteLLM` logs, from outside.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use simulation::{Fleet, FleetShape};

/// Twenty-five honest accounts and a ring of twelve, over several files and folders, with an
/// account too small to be judged whose name is markup.
fn logs(folder: &Path) {
    let shape = FleetShape {
        honest: 25,
        ring: 12,
        each: 24,
    };
    let fleet = Fleet::generate(5, shape).unwrap();
    let mut lines: Vec<String> = fleet
        .facts()
        .iter()
        .map(|exchange| {
            let said = exchange.prompt.iter();
            let messages: Vec<Value> = said
                .map(|(role, content)| json!({"role": role, "content": content}))
                .collect();
            payload(exchange.id.as_str(), exchange.account.as_str(), &messages)
        })
        .collect();
    let hello = [json!({"role": "user", "content": "hello"})];
    lines.push(payload("small", "<b>small&", &hello));
    std::fs::create_dir_all(folder.join("2026/01")).unwrap();
    let (first, rest) = lines.split_at(300);
    let (second, third) = rest.split_at(300);
    std::fs::write(folder.join("a.jsonl"), first.join("\n")).unwrap();
    let packed = zstd::encode_all(second.join("\n").as_bytes(), 1).unwrap();
    std::fs::write(folder.join("2026/b.jsonl.zst"), packed).unwrap();
    let array = format!("[\n{}\n]\n", third.join(",\n"));
    std::fs::write(folder.join("2026/01/c.json"), array).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a log").unwrap();
}

fn payload(id: &str, account: &str, messages: &[Value]) -> String {
    json!({
        "id": id, "call_type": "acompletion", "startTime": 1_767_225_600.5,
        "model": "gpt-4o-mini", "messages": messages,
        "response": {"choices": [{"message": {"role": "assistant", "content": "yes"}}]},
        "metadata": {"user_api_key_hash": account},
    })
    .to_string()
}

fn detect(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(["detect", "logs", "--data", "data"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_folder_of_logs_gives_a_ranked_table_that_opens() {
    let folder = tempfile::tempdir().unwrap();
    logs(&folder.path().join("logs"));
    let output = detect(folder.path(), &[]);
    let (data, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{data}{talk}");
    assert!(data.starts_with("889 exchanges of 38 accounts\n"), "{data}");
    let line = data.lines().find(|l| l.starts_with("   1  ")).unwrap();
    assert!(
        line.contains("ring of 12: reader-000, ...") && line.contains(" 288 "),
        "{line}"
    );
    assert!(data.contains("1 accounts were too small") && data.contains("No p can be below"));
    assert!(talk.contains("3 files to read") && talk.contains("notes.txt: not a .jsonl"));
    assert!(
        talk.contains("next: fairhold detect logs --why 1"),
        "{talk}"
    );
    // Nobody sees a bar in a file.
    assert!(!talk.contains('\r') && !talk.contains('\u{1b}') && !talk.contains("reading"));
    assert!(
        !folder.path().join("data").exists(),
        "reading makes no store"
    );
    let opened = detect(folder.path(), &["--why", "reader-00"]);
    assert_eq!(opened.status.code(), Some(2));
    let opened = text(&detect(folder.path(), &["--why", "1"]).stdout);
    assert!(opened.starts_with("ring of 12 accounts") && opened.contains("All that may follow"));
}

#[test]
fn the_page_and_the_json_hold_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    logs(&folder.path().join("logs"));
    let output = detect(folder.path(), &["--json", "--html", "page.html"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["rings"][0]["members"].as_array().unwrap().len(), 12);
    assert_eq!(found["suspects"].as_array().unwrap().len(), 37);
    assert_eq!(
        (&found["too_small"], &found["exchanges"]),
        (&1.into(), &889.into())
    );
    assert!(found["rings"][0]["bound"].as_f64().unwrap() < 0.01);
    assert!(found["compared_with"]["floor"].as_f64().unwrap() > 0.0);
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("ring of 12") && page.contains("<svg") && !page.contains("<script"));
}

#[test]
fn the_data_folder_s_own_population_is_used_and_told() {
    let folder = tempfile::tempdir().unwrap();
    logs(&folder.path().join("logs"));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let own = detection::Detector::shipped().unwrap().to_text().unwrap();
    std::fs::write(folder.path().join("data/detector.json"), own).unwrap();
    let data = text(&detect(folder.path(), &[]).stdout);
    assert!(data.contains("(cleared by this house: "), "{data}");
    std::fs::write(folder.path().join("data/detector.json"), "{}").unwrap();
    let output = detect(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("detector.json"));
}

#[test]
fn logs_that_nobody_can_read_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    std::fs::write(folder.path().join("logs/a.jsonl"), "{}\nbroken\n").unwrap();
    let output = detect(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let talk = text(&output.stderr);
    assert!(
        talk.contains("a.jsonl:2:") && talk.contains("no line could be read"),
        "{talk}"
    );
}
