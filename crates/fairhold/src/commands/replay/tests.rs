use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use console::{CaseStep, NewCase, NewNotice, Office as _};
use detection::Detector;
use engine::Mode;
use evidence::checkpoint::LogKey;
use evidence::verify::{Part, Trust, Verdict};
use serde_json::Map;
use verifier::bundle::{Files, PAYLOAD, STATEMENT, pack, unpack};

use super::*;
use crate::house::Plan;
use crate::judge::{Bound, Documents};
use crate::watch::model;
use crate::watch::tests::{Bench, harvest, ordinary};

/// The bundle of a case that rests on a finding made after 20 of 25 exchanges under terms. Since
/// then the agreement and the detector have changed.
async fn exported() -> (Files, LogKey) {
    exported_among(false).await
}

/// The same; `others` were among them that the watch did not count: embeddings, and some of an end
/// user who was erased before it read them. Another was erased after it.
async fn exported_among(others: bool) -> (Files, LogKey) {
    let bound = Bound {
        documents: vec!["openai/services".to_owned()],
        ..Bound::default()
    };
    let mut bench = Bench::with(Plan {
        mode: Mode::Enforced,
        terms: Some(Arc::new(Documents::load(&bound).unwrap())),
        ..Plan::at_rest()
    })
    .await;
    bench.account("a", &[]).await;
    bench.account("bystander", &[]).await;
    for n in 0..25 {
        if others {
            bench.embeddings("a", "some text").await;
        }
        if others && n < 3 {
            bench.exchange_of("a", Some("ada"), &ordinary(n)).await;
        }
        let subject = (others && n == 4).then_some("bob");
        bench.exchange_of("a", subject, &harvest(n)).await;
        bench.exchange("bystander", &ordinary(n)).await;
    }
    if others {
        bench.erase("a", "ada").await;
    }
    bench.caught_up().await;
    if others {
        bench.erase("a", "bob").await;
    }
    let finding = bench.findings("a").await.remove(0);
    let new = NewCase {
        account: "a".to_owned(),
        clause: "terms/1".to_owned(),
        finding: Some(finding.id),
        by: "ann".to_owned(),
        then: Some(CaseStep::Notice(NewNotice {
            metric: "exchanges a day".to_owned(),
            under: "20".to_owned(),
            days: 14,
            declaration: true,
        })),
        ..NewCase::default()
    };
    let case = bench.office.propose(new).await.unwrap().case;
    let changed = json!({"documents": ["anthropic/commercial"]});
    bench.office.agree("a", changed).await.unwrap();
    let mut own = Detector::shipped().unwrap();
    own.manifest.population = "our own, made later".to_owned();
    let path = model::path(bench.house.folder.path());
    std::fs::write(path, own.to_text().unwrap()).unwrap();
    // The first one is told of, which is a record: the log goes on by it.
    bench.office.export(&case).await.unwrap();
    let bundle = bench.office.export(&case).await.unwrap();
    let again = bench.office.export(&case).await.unwrap();
    assert!(bundle == again, "the same log makes the same bundle");
    let origin = &bench.house.ledger.current().unwrap().checkpoint.origin;
    let key = bench.house.ledger.key().under(origin).unwrap();
    (unpack(&bundle).unwrap(), key)
}

/// The files under a statement that the key's holder signs anew.
fn signed(files: &Files, key: &LogKey) -> Vec<u8> {
    let mut files = files.clone();
    let envelope: Value = serde_json::from_slice(&files[STATEMENT]).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap());
    let mut statement: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    files.remove(STATEMENT);
    let subjects = files.iter().map(|(name, bytes)| {
        json!({"name": name, "digest": {"sha256": hex::encode(Sha256::digest(bytes))}})
    });
    statement["subject"] = subjects.collect();
    let payload = serde_json::to_vec(&statement).unwrap();
    let envelope = evidence::dsse::sign(key, PAYLOAD, &payload).unwrap();
    files.insert(STATEMENT.to_owned(), envelope);
    pack(&files).unwrap()
}

fn opened(files: &Files, key: &LogKey) -> Opened {
    opened_asking(files, key, None)
}

fn opened_asking(files: &Files, key: &LogKey, ask: Option<&[Part]>) -> Opened {
    let vkey = key.vkey();
    let trust = Trust {
        key: Some(&vkey),
        ask,
        ..Trust::default()
    };
    evidence::verify::open(&signed(files, key), &trust).unwrap()
}

/// The name of the only file of a folder with this ending.
fn only(files: &Files, folder: &str, ending: &str) -> String {
    let names = files.keys().filter(|n| n.starts_with(folder));
    let mut names = names.filter(|n| n.ends_with(ending));
    let name = names.next().unwrap().clone();
    assert_eq!(names.next(), None, "{folder}");
    name
}

fn edited(files: &Files, name: &str, edit: impl FnOnce(&mut Value)) -> Files {
    let mut value: Value = serde_json::from_slice(&files[name]).unwrap();
    edit(&mut value);
    let mut files = files.clone();
    files.insert(name.to_owned(), serde_json::to_vec(&value).unwrap());
    files
}

#[tokio::test]
async fn what_was_recorded_comes_out_again_and_nothing_else_does() {
    let (files, key) = exported().await;
    let whole = opened(&files, &key);
    assert_eq!(whole.report.verdict, Verdict::Ok, "{:?}", whole.report);
    let made = replay(&whole);
    assert_eq!(
        (made.rulings, made.findings, exit(&made)),
        (20, 1, Exit::Clean),
        "{made:?}"
    );
    only_the_look(&files, &whole);

    let ruling = only(&files, "rulings/", ".json");
    let finding = only(&files, "findings/", ".json");
    let account = only(&files, "detector/accounts/", ".json");
    let kept: Value = serde_json::from_slice(&files[&finding]).unwrap();
    let by = kept["inputs"]["judged_by"].as_str().unwrap();
    let detector = format!("detector/{by}.json");
    let edits = [
        edited(&files, &ruling, |v| v["context"]["declared"] = json!(["x"])),
        edited(&files, &ruling, |v| v["decision"] = json!("deny")),
        edited(&files, &ruling, |v| v["clauses"] = json!(["c/1"])),
        edited(&files, &finding, |v| v["p"] = json!(0.5)),
        edited(&files, &finding, |v| v["inputs"]["p"] = json!("0.5")),
        edited(&files, &account, |v| {
            v["looks"][0]["statistic"] = json!("9.5");
        }),
        edited(&files, &account, |v| v["looks"][0]["sums"] = json!("")),
        edited(&files, &detector, |v| v["bias"] = json!(1.0)),
    ];
    for (n, changed) in edits.iter().enumerate() {
        let made = replay(&opened(changed, &key));
        assert_eq!(exit(&made), Exit::Finding, "edit {n}: {made:?}");
    }
    let policies = "policy/".to_owned();
    let told = "disclosure.json".to_owned();
    for stripped in [&ruling, &finding, &account, &detector, &policies, &told] {
        let mut less = files.clone();
        less.retain(|name, _| !name.starts_with(stripped.as_str()));
        let opened = opened(&less, &key);
        assert_eq!(opened.report.verdict, Verdict::Unproven, "{stripped}");
        let made = replay(&opened);
        assert_eq!(exit(&made), Exit::Undecided, "{stripped}: {made:?}");
    }
}

#[tokio::test]
async fn what_nobody_vouches_for_and_what_holds_nothing_is_no_pass() {
    let (files, key) = exported().await;
    let bytes = signed(&files, &key);
    // Whoever signed it: without a key that is trusted, nothing is proven.
    let unknown = evidence::verify::open(&bytes, &Trust::default()).unwrap();
    assert_eq!(exit(&replay(&unknown)), Exit::Undecided);

    let account = only(&files, "detector/accounts/", ".json");
    let empty = edited(&files, &account, |v| v["looks"] = json!([]));
    let mut unasked = files.clone();
    unasked.retain(|name, _| !name.starts_with("ledgers/") || !name.ends_with(".entries"));
    unasked.retain(|name, _| !name.ends_with(".consistency"));
    for (what, changed) in [("no looks", empty), ("no requests", unasked)] {
        let opened = opened(&changed, &key);
        assert_eq!(opened.report.verdict, Verdict::Unproven, "{what}");
        let made = replay(&opened);
        assert_eq!(exit(&made), Exit::Undecided, "{what}: {made:?}");
        assert!(made.rulings == 0 || what != "no requests");
    }
}

/// The look of the finding counted 20 exchanges; the first 20 of the account hold 8 of them.
#[tokio::test]
async fn what_the_look_counted_is_there_among_what_it_could_not_read() {
    let (files, key) = exported_among(true).await;
    let whole = opened(&files, &key);
    assert_eq!(whole.report.verdict, Verdict::Ok, "{:?}", whole.report);
    let what = |opened: &Opened, part: Part| {
        let mut parts = opened.report.parts.iter();
        parts.find(|p| p.part == part).unwrap().clone()
    };
    let records = what(&whole, Part::Entries).what;
    assert!(
        records.contains("that the case's finding counted"),
        "{records}"
    );
    // Three were gone before the finding, one went since.
    let scores = what(&whole, Part::Detector).what;
    assert!(scores.contains("without 4 exchanges"), "{scores}");
    let made = replay(&whole);
    assert_eq!(
        (made.rulings, made.findings, made.unread, exit(&made)),
        (43, 1, 4, Exit::Clean),
        "{made:?}"
    );
    let told: Value = serde_json::from_slice(&files["disclosure.json"]).unwrap();
    let told = &told["accounts"][0];
    for (name, value) in [
        ("exchanges_counted", 20),
        ("exchanges_disclosed", 43),
        ("exchanges_embeddings", 20),
        ("exchanges_unread", 4),
        ("exchanges_read", 19),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    let account = only(&files, "detector/accounts/", ".json");
    let sums: Value = serde_json::from_slice(&files[&account]).unwrap();
    assert_eq!((&sums["unread"], &sums["endings"]), (&json!(4), &json!(53)));

    // Without those records nothing shows what the look counted, whatever is asked for.
    let mut less = files.clone();
    less.retain(|name, _| !name.ends_with(".entries") && !name.ends_with(".consistency"));
    let less = opened_asking(&less, &key, Some(&[]));
    assert_eq!(less.report.verdict, Verdict::Unproven, "{:?}", less.report);
    let records = what(&less, Part::Entries);
    assert!(!records.proven && records.what.contains("of which 0 are disclosed"));
    assert_eq!(exit(&replay(&less)), Exit::Undecided);
    // So is what tells of other numbers than are there, or of none.
    let fewer = edited(&files, "disclosure.json", |v| {
        v["accounts"][0]["exchanges_disclosed"] = json!(42);
    });
    let nobody = edited(&files, "disclosure.json", |v| v["accounts"] = json!([]));
    let silent = edited(&files, &account, |v| v["unread"] = json!(null));
    for changed in [fewer, nobody, silent] {
        let opened = opened(&changed, &key);
        assert_eq!(
            opened.report.verdict,
            Verdict::Unproven,
            "{:?}",
            opened.report
        );
        assert_eq!(exit(&replay(&opened)), Exit::Undecided);
    }
}

/// The finding's look counted 20 exchanges: they are there, later ones and others' are not.
fn only_the_look(files: &Files, opened: &Opened) {
    let count = |kind: &str| {
        let of = opened.entries.iter().filter(|e| e.text("type") == kind);
        of.count()
    };
    assert_eq!((count("intent"), count("completion")), (20, 20));
    // The finding, and the case that cites it.
    assert_eq!(count("judged"), 2);
    let told: Value = serde_json::from_slice(&files["disclosure.json"]).unwrap();
    assert_eq!(told["exchanges_per_account_max"], 1_000);
    assert_eq!(told["accounts"][0]["exchanges_counted"], 20);
    assert_eq!(told["accounts"][0]["exchanges_disclosed"], 20);
    for bytes in files.values() {
        assert!(!bytes.windows(9).any(|w| w == b"bystander"));
    }
}

fn intent(policy: &str, clauses: &[&str]) -> Disclosed {
    let leaf = json!({"type": "intent", "policy": policy, "clauses": clauses});
    let leaf: Map<String, Value> = leaf.as_object().cloned().unwrap();
    Disclosed {
        seq: 7,
        index: 0,
        ledger: "o/a".to_owned(),
        leaf,
    }
}

#[test]
fn a_ruling_that_was_recorded_otherwise_differs_and_an_older_one_is_unproven() {
    let says = |policy: &str, clauses: &[&str]| {
        Ok(Answer {
            policy_sha256: policy.to_owned(),
            decision: "allow".to_owned(),
            clauses: clauses.iter().map(|c| (*c).to_owned()).collect(),
            errors: Vec::new(),
        })
    };
    let recorded = intent("p", &["c/1", "c/2"]);
    assert!(ruling(&recorded, Some(&says("p", &["c/2", "c/1"]))).is_ok());
    for answer in [says("p", &["c/1"]), says("q", &["c/1", "c/2"])] {
        let made = ruling(&recorded, Some(&answer));
        assert!(matches!(made, Err(Otherwise::Differs(_))));
    }
    assert!(matches!(ruling(&recorded, None), Err(Otherwise::Absent(_))));
    let nothing = hex::encode(Sha256::digest(b""));
    assert!(ruling(&intent(&nothing, &[]), None).is_ok());
    let counted = ruling(&intent(&nothing, &["house/expected-usage"]), None);
    assert!(matches!(counted, Err(Otherwise::Absent(_))));
}
