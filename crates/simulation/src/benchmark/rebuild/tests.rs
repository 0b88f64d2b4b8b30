use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::*;

/// A repository of our own words at `dir/us/words`; its commit.
fn repository(dir: &Path, files: &[(&str, &[u8])]) -> String {
    let at = dir.join("us/words");
    std::fs::create_dir_all(&at).unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "user.name=us",
                "-c",
                "user.email=us@localhost",
                "-C",
            ])
            .arg(&at)
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    for (path, bytes) in files {
        std::fs::write(at.join(path), bytes).unwrap();
    }
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "words"]);
    git(&["rev-parse", "HEAD"])
}

fn manifest(commit: &str, path: &str, sha256: &str, more: &str) -> Manifest {
    Manifest::parse(&format!(
        r#"
version = 1
twins = [["words", "gone"]]
[repositories]
"us/words" = "{commit}"
[families]
kin = ["words", "gone"]
[[source]]
name = "words"
kind = "app"
licence = "ours"
origin = "us/words"
rows = 2
[[source.file]]
id = "a"
repository = "us/words"
path = "{path}"
sha256 = "{sha256}"
{more}
[[source.part]]
files = ["a"]
format = "jsonl"
campaign = "c"
realness = "prompt"
prompt = [{{ role = "user", text = "{{q}}" }}]
[[source]]
name = "gone"
kind = "app"
licence = "ours"
origin = "nowhere"
rows = 1
reason = "nobody kept it"
"#
    ))
    .unwrap()
}

const WORDS: &[u8] = b"{\"q\":\"one\"}\n{\"q\":\"two\"}\n";

fn run(manifest: &Manifest, dir: &Path) -> Vec<Rebuilt> {
    rebuild(
        manifest,
        &PoolDigests::default(),
        dir,
        &dir.join("out"),
        &mut |_| {},
    )
    .unwrap()
}

#[track_caller]
fn refused(rebuilt: &[Rebuilt], words: &[&str]) {
    let why = rebuilt[0].why_not.clone().unwrap_or_default();
    assert!(words.iter().all(|w| why.contains(w)), "{why}");
    assert!(!rebuilt[0].no_recipe);
    assert_eq!(rebuilt[0].rows, 0);
}

fn sha256(bytes: &[u8]) -> String {
    files::hex(&Sha256::digest(bytes))
}

#[test]
fn a_folder_laid_out_like_the_pool_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let commit = repository(dir.path(), &[("a.jsonl", WORDS)]);
    let rebuilt = run(
        &manifest(&commit, "a.jsonl", &sha256(WORDS), ""),
        dir.path(),
    );
    assert_eq!((rebuilt[0].rows, rebuilt[0].made), (2, 2));
    assert_eq!(rebuilt[0].why_not, None);
    assert!(rebuilt[1].no_recipe);
    let file = std::fs::File::open(dir.path().join("out/words.jsonl.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    let row = r#"{"source":"words","kind":"app","campaign":"c","prompt":[{"role":"user","content":"one"}],"response":null,"#;
    assert!(text.starts_with(row), "{text}");
    let families = std::fs::read_to_string(dir.path().join("out/FAMILIES.json")).unwrap();
    let families: serde_json::Value = serde_json::from_str(&families).unwrap();
    assert_eq!(
        families,
        serde_json::json!({ "families": { "kin": ["words"] }, "twins": [] })
    );
}

#[test]
fn a_wrong_digest_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let commit = repository(dir.path(), &[("a.jsonl", WORDS)]);
    let rebuilt = run(
        &manifest(&commit, "a.jsonl", &"0".repeat(64), ""),
        dir.path(),
    );
    refused(
        &rebuilt,
        &["us/words/a.jsonl", &sha256(WORDS), "another file"],
    );
}

#[test]
fn what_is_missing_is_told_with_the_command_to_type() {
    let dir = tempfile::tempdir().unwrap();
    let none = manifest(&"0".repeat(40), "a.jsonl", &sha256(WORDS), "");
    let at = dir.path().join("us/words");
    let clone = format!("git clone https://github.com/us/words {}", at.display());
    refused(&run(&none, dir.path()), &[&clone]);
    repository(dir.path(), &[("a.jsonl", WORDS)]);
    refused(
        &run(&none, dir.path()),
        &["us/words/a.jsonl", "fetch origin"],
    );
}

#[test]
fn a_folder_inside_another_repository_is_not_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let commit = repository(dir.path(), &[("a.jsonl", WORDS)]);
    let inner = dir.path().join("us/words/us/words");
    std::fs::create_dir_all(inner).unwrap();
    let found = manifest(&commit, "a.jsonl", &sha256(WORDS), "");
    refused(
        &run(&found, &dir.path().join("us/words")),
        &["us/words/a.jsonl"],
    );
}

#[test]
fn hostile_files_are_told_by_file_and_line() {
    let gunzip = "gunzip = true";
    let cases: [(&[u8], &str, &str); 4] = [
        (
            b"{\"q\":\"one\"}\n{\"q\":\xff}\n",
            "",
            "us/words/a.jsonl: line 2: it is no UTF-8",
        ),
        (b"{\"q\":\"one\"}\n[[[[", "", "us/words/a.jsonl: line 2: "),
        (
            b"{\"q\":\"one\"}\n{\"r\":1}\n",
            "",
            "line 2, item : there is no field `q`",
        ),
        (
            b"no gzip",
            gunzip,
            "us/words/a.jsonl: line 1: it is no gzip",
        ),
    ];
    for (bytes, more, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        let commit = repository(dir.path(), &[("a.jsonl", bytes)]);
        let rebuilt = run(
            &manifest(&commit, "a.jsonl", &sha256(bytes), more),
            dir.path(),
        );
        refused(&rebuilt, &[words]);
    }
}

#[test]
fn a_manifest_that_reaches_outside_is_refused() {
    for (from, to) in [
        ("name = \"words\"", "name = \"../words\""),
        ("\"us/words\" = ", "\"us/../words\" = "),
        ("\"0000", "\"--no"),
        ("version = 1", "version = 2"),
        ("rows = 2", "rows = 2\nreason = \"x\""),
        ("rows = 2", "rows = -2"),
    ] {
        let text = POOL_LIKE.replacen(from, to, 1);
        assert_ne!(text, POOL_LIKE, "{from}");
        assert!(Manifest::parse(&text).is_err(), "{to}");
    }
    Manifest::parse(POOL_LIKE).unwrap();
}

const POOL_LIKE: &str = r#"
version = 1
[repositories]
"us/words" = "0000000000000000000000000000000000000000"
[[source]]
name = "words"
kind = "app"
licence = "ours"
origin = "us/words"
rows = 2
[[source.part]]
files = []
format = "text"
campaign = "c"
realness = "prompt"
"#;

/// The pool that the figures were measured on.
fn pool() -> PathBuf {
    let data = std::env::var_os("FAIRHOLD_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    data.join("traffic")
}

#[test]
fn the_manifest_names_every_source_of_the_pool() {
    let index = std::fs::read_to_string(pool().join("INDEX.json"))
        .expect("the pool's INDEX.json; set FAIRHOLD_DATA");
    let index: Vec<serde_json::Value> = serde_json::from_str(&index).unwrap();
    let manifest = Manifest::parse(POOL_MANIFEST).unwrap();
    let indexed: Vec<_> = index
        .iter()
        .map(|s| {
            let field = |name: &str| s[name].as_str().unwrap();
            (
                field("source"),
                field("kind"),
                field("license"),
                s["rows"].as_u64().unwrap(),
            )
        })
        .collect();
    let named: Vec<_> = manifest
        .sources()
        .iter()
        .map(|s| {
            (
                s.name.as_str(),
                s.kind.as_str(),
                s.licence.as_str(),
                s.rows as u64,
            )
        })
        .collect();
    assert_eq!(named, indexed);
    PoolDigests::parse(&manifest, POOL_ROWS).unwrap();
}

#[test]
fn the_row_digests_are_those_of_the_pool() {
    let manifest = Manifest::parse(POOL_MANIFEST).unwrap();
    let mut bytes = POOL_ROWS.chunks(7);
    for source in manifest.sources() {
        let path = pool().join(format!("{}.jsonl.zst", source.name));
        let file = std::fs::File::open(path).expect("the pool; set FAIRHOLD_DATA");
        let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let prompt = row["prompt"].as_array().unwrap().iter().map(|m| {
                (
                    m["role"].as_str().unwrap(),
                    m["content"].as_str().unwrap_or_default(),
                )
            });
            let digest = row_digest(prompt, row["response"].as_str());
            assert_eq!(Some(digest.as_slice()), bytes.next(), "{}", source.name);
        }
    }
}
