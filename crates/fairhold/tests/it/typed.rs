//! What people type, what they are told, and the exit codes.

use std::process::{Command, Output};

fn fairhold(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(args)
        .output()
        .unwrap()
}

#[track_caller]
fn check(args: &[&str], code: i32, told: &str) -> Output {
    let output = fairhold(args);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    let data = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {data}{talk}");
    assert!(
        format!("{data}{talk}").contains(told),
        "{args:?}: {data}{talk}"
    );
    output
}

#[test]
fn help_starts_with_an_example_and_a_typo_is_an_error() {
    let help = check(&["--help"], 0, "Exit codes");
    assert!(help.stdout.starts_with(b"example: fairhold"));
    check(&["imprt"], 2, "import");
    check(&["--version"], 0, env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_import_is_idempotent_and_tells_bad_lines_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("a.jsonl");
    let line = |n: usize| {
        format!(
            r#"{{"account":"a{n}","time":{n},"messages":[{{"role":"user","content":"hi {n}"}}],"response":"yes"}}"#
        )
    };
    let lines: Vec<String> = (1..=2_500).map(line).collect();
    std::fs::write(&log, lines.join("\n")).unwrap();
    let (data, log) = (data.to_str().unwrap(), log.to_str().unwrap());
    let args = ["import", log, "--data", data, "--json"];
    let first: serde_json::Value =
        serde_json::from_slice(&check(&args, 0, "imported").stdout).unwrap();
    assert_eq!(
        (&first["imported"], &first["bad"]),
        (&2_500.into(), &0.into())
    );
    let again: serde_json::Value =
        serde_json::from_slice(&check(&args, 0, "imported").stdout).unwrap();
    assert_eq!(
        (&again["imported"], &again["already_there"]),
        (&0.into(), &2_500.into())
    );
    std::fs::write(log, format!("{}\nbroken\n{}\n", line(1), line(9_000))).unwrap();
    let output = check(&args, 1, "a.jsonl:2:");
    let third: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&third["imported"], &third["bad"]), (&1.into(), &1.into()));
    assert_eq!(third["bad_lines"][0]["line"], 2);
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    check(
        &["import", "nowhere.jsonl", "--data", data.to_str().unwrap()],
        2,
        "nowhere.jsonl",
    );
}
