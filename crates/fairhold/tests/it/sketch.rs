//! A known campaign from a confirmed account to its end, with and without a running server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use evidence::{Event, Record};
use serde_json::Value;

use crate::crash;

fn slot(n: usize) -> String {
    let letter = |k: u32| char::from(b'a' + u8::try_from((n / 26_usize.pow(k)) % 26).unwrap());
    let word: String = (0..4).map(letter).collect();
    format!("{word}one {word}two {word}three {word}four {word}five {word}six")
}

fn line(account: &str, n: usize, text: &str) -> String {
    serde_json::json!({
        "account": account, "time": 1_790_000_000 + n,
        "messages": [{"role": "user", "content": text}], "response": "yes",
    })
    .to_string()
}

fn harvest(account: &str, n: usize) -> String {
    let frame = "Invent a fresh exercise for pupils about the theme below and write a model solution in full";
    line(account, n, &format!("{frame}: {}", slot(n)))
}

/// Logs of accounts with ten exchanges each that share no wording.
fn honest(prefix: &str, accounts: usize, from: usize) -> Vec<String> {
    (0..accounts * 10)
        .map(|n| line(&format!("{prefix}{}", n / 10), n, &slot(from + n)))
        .collect()
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, lines: &[String]) -> String {
        std::fs::write(self.path(name), lines.join("\n")).unwrap();
        self.text(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fairhold"))
            .args(args)
            .arg("--data")
            .arg(self.path("data"))
            .output()
            .unwrap()
    }

    /// Runs with `--json` and checks the exit code; the data and the talk.
    #[track_caller]
    fn json(&self, args: &[&str], code: i32) -> (Value, String) {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.run(&all);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {talk}");
        let data = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (data, talk)
    }

    /// A store with a confirmed account of 60 exchanges and 80 honest ones.
    fn stocked(&self) {
        let bad: Vec<String> = (0..60).map(|n| harvest("bad", n)).collect();
        let bad = self.write("bad.jsonl", &bad);
        let good = self.write("good.jsonl", &honest("h", 80, 10_000));
        self.json(&["import", &bad, &good], 0);
        self.json(&["account", "create", "bad"], 0);
    }

    fn confirm(&self) {
        let propose = [
            "case",
            "propose",
            "bad",
            "--clause",
            "c",
            "--summary",
            "s",
            "--by",
            "ann",
        ];
        let (case, _) = self.json(&propose, 0);
        let case = case["case"].as_str().unwrap().to_owned();
        self.json(&["case", "approve", &case, "--by", "bob"], 0);
    }
}

#[test]
fn a_campaign_goes_from_a_confirmed_account_to_its_end() {
    let bench = Bench::new();
    bench.stocked();
    let file = bench.text("quiz.sketch.json");
    let make = ["sketch", "make", "bad", "--name", "quiz", "--out", &file];
    let (_, talk) = bench.json(&make, 2);
    assert!(talk.contains("no case was decided against `bad`"), "{talk}");
    bench.confirm();
    let (sketch, talk) = bench.json(&make, 0);
    assert_eq!(sketch["campaign"]["prompts"], 60);
    assert!(talk.contains("next: fairhold sketch test"), "{talk}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        !text.contains("exercise") && !text.contains("bad"),
        "hashes only"
    );

    let (seen, _) = bench.json(&["sketch", "test", &file], 0);
    assert_eq!((&seen["accounts"], &seen["fired"]), (&80.into(), &0.into()));
    let activate = ["sketch", "activate", &file, "--by", "ann"];
    let (done, _) = bench.json(&activate, 0);
    assert_eq!(done["campaign"]["state"], "active");
    assert_eq!(done["campaign"]["back_test"]["accounts"], 80);
    let (_, talk) = bench.json(&activate, 2);
    assert!(talk.contains("active already"), "{talk}");
    let (list, _) = bench.json(&["sketch", "list"], 0);
    assert_eq!(
        (list[0]["name"].as_str(), list[0]["activated_by"].as_str()),
        (Some("quiz"), Some("ann"))
    );
    let (ended, _) = bench.json(&["sketch", "expire", "quiz", "--by", "bob"], 0);
    assert_eq!(
        (ended["state"].as_str(), ended["expired_by"].as_str()),
        (Some("expired"), Some("bob"))
    );
    bench.json(&["sketch", "expire", "quiz", "--by", "bob"], 2);
    assert_eq!(
        recorded(&bench.path("data")),
        ["campaign_activated", "campaign_expired"]
    );
    let people = bench.run(&["sketch", "list"]);
    assert!(String::from_utf8_lossy(&people.stdout).contains("fired on 0 of 80 cleared accounts"));
}

/// What the log says of campaigns, in order.
fn recorded(data: &Path) -> Vec<String> {
    let url = format!("sqlite:{}", data.join("fairhold.db").display());
    let read = async {
        let database = store::Database::open_to_read(&url).await.unwrap();
        database.records(0..10_000).await.unwrap()
    };
    let rows = tokio::runtime::Runtime::new().unwrap().block_on(read);
    let events = rows
        .iter()
        .map(|row| Record::parse(&row.leaf).unwrap().1.event);
    events
        .filter_map(|event| match event {
            Event::Directory { change, .. } if change.starts_with("campaign") => Some(change),
            _ => None,
        })
        .collect()
}

#[test]
fn a_campaign_that_fires_or_that_too_few_were_asked_about_does_not_act() {
    let bench = Bench::new();
    bench.stocked();
    let bad = bench.text("bad.jsonl");
    let file = bench.text("a.json");
    bench.json(
        &[
            "sketch", "make", "--logs", &bad, "--name", "a", "--out", &file,
        ],
        0,
    );
    // The account itself is in the store, and no case was decided against it.
    let (seen, talk) = bench.json(&["sketch", "test", &file], 1);
    assert_eq!(seen["fired_on"], serde_json::json!(["bad"]));
    assert!(
        talk.contains("1 of 81 cleared accounts") && talk.contains("open a case"),
        "{talk}"
    );
    let (done, _) = bench.json(&["sketch", "activate", &file, "--by", "ann"], 1);
    assert_eq!(done["campaign"]["state"], "refused");
    let (list, _) = bench.json(&["sketch", "list"], 0);
    assert_eq!(list, serde_json::json!([]));

    let few = bench.write("few.jsonl", &honest("f", 20, 50_000));
    let (seen, talk) = bench.json(&["sketch", "test", &file, "--logs", &few], 3);
    assert_eq!((&seen["accounts"], &seen["fired"]), (&20.into(), &0.into()));
    assert!(talk.contains("72 are enough"), "{talk}");

    let text = std::fs::read_to_string(&file).unwrap();
    let other = bench.write("b.json", &[text.replacen("eyJ", "eyK", 1)]);
    let (_, talk) = bench.json(&["sketch", "test", &other], 2);
    assert!(talk.contains("signature"), "{talk}");
    bench.json(&["sketch", "test", "nowhere.json"], 2);
}

#[test]
fn cleared_logs_count_beside_the_store() {
    let bench = Bench::new();
    let bad: Vec<String> = (0..60).map(|n| harvest("bad", n)).collect();
    let bad = bench.write("bad.jsonl", &bad);
    let file = bench.text("a.json");
    bench.json(
        &[
            "sketch", "make", "--logs", &bad, "--name", "a", "--out", &file,
        ],
        0,
    );
    bench.json(&["sketch", "activate", &file, "--by", "ann"], 3);
    let many = bench.write("many.jsonl", &honest("f", 90, 50_000));
    let (done, _) = bench.json(
        &["sketch", "activate", &file, "--by", "ann", "--logs", &many],
        0,
    );
    assert_eq!(done["campaign"]["back_test"]["accounts"], 90);
}

/// The same words reach a running server, and a file travels to another house under its key.
#[tokio::test]
async fn a_running_server_answers_alike_and_files_travel_with_their_key() {
    let bench = Bench::new();
    bench.stocked();
    bench.confirm();
    let config = bench.path("serve.toml");
    let text =
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"m\"\nkind = \"mock\"\nmodels = [\"m\"]\n";
    std::fs::write(&config, text).unwrap();
    let (_process, _) = crash::serve(&bench.path("data"), &config).await;
    let data = bench.path("data");
    let file = bench.text("quiz.json");
    crash::ask(
        &data,
        &["sketch", "make", "bad", "--name", "quiz", "--out", &file],
    )
    .await;
    let seen = crash::ask(&data, &["sketch", "test", &file]).await;
    assert_eq!(
        (&seen["accounts"], &seen["allowed"]),
        (&80.into(), &true.into())
    );
    let done = crash::ask(&data, &["sketch", "activate", &file, "--by", "ann"]).await;
    assert_eq!(done["campaign"]["state"], "active");
    let list = crash::ask(&data, &["sketch", "list"]).await;
    assert_eq!(list[0]["state"], "active");
    let case = crash::ask(&data, &["case", "list"]).await;
    let case = case[0]["case"].as_str().unwrap().to_owned();
    let bundle = bench.text("x.zip");
    let exported = crash::ask(&data, &["export", &case, "--out", &bundle]).await;
    let key = exported["key"].as_str().unwrap().to_owned();
    let ended = crash::ask(&data, &["sketch", "expire", "quiz", "--by", "bob"]).await;
    assert_eq!(ended["state"], "expired");

    let other = Bench::new();
    let good = other.write("good.jsonl", &honest("g", 80, 90_000));
    other.json(&["import", &good], 0);
    let (_, talk) = other.json(&["sketch", "test", &file], 2);
    assert!(talk.contains("`--key`"), "{talk}");
    let activate = ["sketch", "activate", &file, "--by", "eve", "--key", &key];
    let (done, _) = other.json(&activate, 0);
    assert_eq!(
        done["campaign"]["id"], list[0]["id"],
        "the same hashes, the same id"
    );
}
