//! The tree passes, and each rule bites when it is broken.

use std::path::{Path, PathBuf};

use super::{Fault, Leaning, Member, check, floors, scrub::scrub, sources};

#[test]
fn every_wall_of_the_tree_stands() {
    let report = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    assert!(
        report.crates >= 15,
        "only {} crates were read",
        report.crates
    );
    assert!(report.files >= 30, "only {} files were read", report.files);
    let faults: Vec<String> = report.faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[track_caller]
fn leaning(name: &str, other: &str, how: Leaning, expected: Option<&str>) {
    let member = Member {
        name: name.to_owned(),
        folder: PathBuf::new(),
        leans_on: vec![(other.to_owned(), how)],
    };
    said(&floors::faults(&[member]), expected);
}

#[track_caller]
fn source(text: &str, below_the_line: bool, expected: Option<&str>) {
    said(&sources::faults("a.rs", text, below_the_line), expected);
}

#[track_caller]
fn said(faults: &[Fault], expected: Option<&str>) {
    let said: Vec<String> = faults.iter().map(Fault::to_string).collect();
    match expected {
        None => assert!(said.is_empty(), "{said:?}"),
        Some(words) => assert!(said.len() == 1 && said[0].contains(words), "{said:?}"),
    }
}

#[test]
fn arrows_point_down_only() {
    leaning("gateway", "engine", Leaning::Normal, None);
    leaning("fairhold", "facts", Leaning::Normal, None);
    leaning("engine", "store", Leaning::Normal, Some("leans upward"));
    leaning("facts", "wire", Leaning::Build, Some("leans upward"));
    leaning("wire", "engine", Leaning::Tests, Some("leans upward"));
}

#[test]
fn neighbours_never_meet() {
    leaning(
        "wire",
        "terms",
        Leaning::Normal,
        Some("neighbours never meet"),
    );
    leaning(
        "gateway",
        "console",
        Leaning::Normal,
        Some("neighbours never meet"),
    );
    leaning(
        "cases",
        "evidence",
        Leaning::Tests,
        Some("neighbours never meet"),
    );
}

#[test]
fn nothing_impure_is_named_below_the_line() {
    leaning(
        "detection",
        "tokio",
        Leaning::Normal,
        Some("below the line"),
    );
    leaning(
        "evidence",
        "getrandom",
        Leaning::Normal,
        Some("below the line"),
    );
    leaning("engine", "sqlx", Leaning::Build, Some("below the line"));
    leaning("evidence", "tempfile", Leaning::Tests, None);
    leaning("store", "tokio", Leaning::Normal, None);
    leaning("terms", "serde", Leaning::Normal, None);
}

#[test]
fn sheds_are_not_shipped() {
    leaning("store", "testbed", Leaning::Tests, None);
    leaning("store", "testbed", Leaning::Normal, Some("ships the shed"));
    leaning("fairhold", "simulation", Leaning::Normal, None);
    leaning(
        "gateway",
        "simulation",
        Leaning::Normal,
        Some("ships the shed"),
    );
}

#[test]
fn every_crate_has_a_place() {
    leaning("helpers", "facts", Leaning::Normal, Some("has no place"));
}

#[test]
fn no_clock_file_socket_or_random_source_below_the_line() {
    for bad in [
        "let now = std::time::SystemTime::UNIX_EPOCH;",
        "use std::time::Instant;",
        "let t = Instant::now();",
        "use std::fs::File;",
        "let text = std::fs::read(path);",
        "use std::net::TcpStream;",
        "getrandom::fill(&mut b);",
        "tokio::spawn(f);",
        "let x = rand::random();",
    ] {
        source(bad, true, Some("below the line"));
        source(bad, false, None);
    }
    source(
        "// std::fs is not used here\nlet s = \"tokio\"; let brand_ = 1;",
        true,
        None,
    );
    source("let operand = grand::total();", true, None);
}

#[test]
fn channels_are_bounded_everywhere() {
    source(
        "let (a, b) = tokio::sync::mpsc::unbounded_channel();",
        false,
        Some("bound the channel"),
    );
    source("let (a, b) = tokio::sync::mpsc::channel(8);", false, None);
    source("// unbounded_channel", false, None);
}

#[test]
fn files_have_at_most_600_lines() {
    source(&"//\n".repeat(600), false, None);
    source(&"//\n".repeat(601), false, Some("601 lines"));
}

#[test]
fn functions_have_at_most_70_lines() {
    let function = |lines: usize| {
        format!(
            "impl A {{\n    pub async fn long(\n        a: [u8; 2],\n    ) -> u8 {{\n{}    }}\n}}\n",
            "        a();\n".repeat(lines - 4)
        )
    };
    source(&function(70), false, None);
    source(&function(71), false, Some("`long` has 71 lines"));
    let brace = format!(
        "fn a() {{\n let s = \"}}\"; let c = '}}'; // }}\n{}}}\n",
        "b();\n".repeat(68)
    );
    source(&brace, false, Some("`a` has 71 lines"));
    let in_trait = format!("trait T {{\n fn a(&self);\n{} }}\n", "fn b();\n".repeat(80));
    source(&in_trait, false, None);
}

#[test]
fn scrubbing_keeps_lines_and_blanks_literals() {
    let source =
        "a /* x\n /* y */ z */ b // c\n\"d\\\"\n\" e r#\"f\"\n\"# g '\\'' h 'i' j<'k> br\"l\"";
    let scrubbed = scrub(source);
    assert_eq!(scrubbed.lines().count(), source.lines().count());
    let words: Vec<&str> = scrubbed.split_whitespace().collect();
    assert_eq!(words, ["a", "b", "e", "g", "h", "j<'k>"]);
}
