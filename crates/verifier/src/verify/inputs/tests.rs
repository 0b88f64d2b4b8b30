use serde_json::json;

use super::*;

/// Two policies' digest by the rule of `docs/bundle.md`, written out.
fn digest() -> String {
    let mut all = POLICIES.to_vec();
    for text in ["schema", "first", "second"] {
        all.extend(Sha256::digest(text));
    }
    hex::encode(Sha256::digest(all))
}

fn ruling(policy: &str, account: &str, declared: &str) -> Value {
    json!({
        "policy_sha256": policy,
        "principal": {"id": account},
        "resource": {"id": "m"},
        "context": {"declared": [declared]},
    })
}

fn files(ruling: &Value) -> Files {
    let folder = format!("policy/{}", digest());
    let file = |name: String, text: &str| (name, text.as_bytes().to_vec());
    Files::from([
        file(format!("{folder}/schema.cedarschema"), "schema"),
        file(format!("{folder}/00/b.cedar"), "first"),
        file(format!("{folder}/01/a.cedar"), "second"),
        file("rulings/5.json".to_owned(), &ruling.to_string()),
        file(format!("terms/{}.json", digest()), "{}"),
    ])
}

fn disclosed(seq: u64, leaf: &Value) -> Disclosed {
    Disclosed {
        seq,
        index: 0,
        ledger: "o/a".to_owned(),
        leaf: leaf.as_object().cloned().unwrap(),
    }
}

fn intent(policy: &str, asked: Option<u64>) -> Disclosed {
    let mut leaf =
        json!({"account": "a", "model": "m", "policy": policy, "seq": 7, "type": "intent"});
    if let Some(asked) = asked {
        leaf["asked"] = asked.into();
    }
    disclosed(7, &leaf)
}

fn asked(account: &str, policy: &str) -> Disclosed {
    let leaf = json!({"account": account, "context": {"declared": ["x"]}, "model": "m",
        "policy": policy, "seq": 5, "type": "asked"});
    disclosed(5, &leaf)
}

fn holds(files: &Files, entries: &[Disclosed]) -> Result<(), &'static str> {
    let intent = entries.last().unwrap();
    tied(intent, entries, |asked| question(files, asked))
}

#[test]
fn a_ruling_is_tied_to_the_record_of_what_was_asked() {
    let (policy, empty) = (digest(), hex::encode(Sha256::digest(b"")));
    let good = files(&ruling(&policy, "a", "x"));
    let entries = [asked("a", &policy), intent(&policy, Some(5))];
    assert_eq!(holds(&good, &entries), Ok(()));
    for wrong in [
        ruling(&policy, "b", "x"),
        ruling(&policy, "a", "y"),
        ruling(&empty, "a", "x"),
        json!({}),
    ] {
        assert!(holds(&files(&wrong), &entries).is_err(), "{wrong}");
    }
    for entries in [
        vec![asked("a", &policy), intent(&policy, None)],
        vec![asked("a", &policy), intent(&policy, Some(6))],
        vec![asked("b", &policy), intent(&policy, Some(5))],
        vec![asked("a", &empty), intent(&policy, Some(5))],
        vec![intent(&policy, Some(5))],
        vec![intent(&policy, Some(7))],
    ] {
        assert!(holds(&good, &entries).is_err(), "{entries:?}");
    }
    assert_eq!(holds(&Files::new(), &[intent(&empty, None)]), Ok(()));
    for name in good.keys() {
        let (mut less, mut other) = (good.clone(), good.clone());
        less.remove(name);
        assert!(holds(&less, &entries).is_err(), "without {name}");
        // What the documents' file says is the statement's to vouch for: no record has its digest.
        if !name.starts_with("terms/") {
            other.insert(name.clone(), b"{}".to_vec());
            assert!(holds(&other, &entries).is_err(), "another {name}");
        }
    }
    // A sign before the number is another name.
    assert_eq!(
        (number("+7"), number("07"), number("7")),
        (None, None, Some(7))
    );
}

#[test]
fn scores_are_of_a_detector_that_the_log_names_for_the_case() {
    let own = hex::encode(Sha256::digest(b"a detector"));
    let inputs = |digest: &str| {
        json!({"account": "a", "detector_sha256": digest, "looks": [{"sums": "AA=="}], "unread": 2})
            .to_string()
            .into_bytes()
    };
    let judged = |case: &str, detector: &str| {
        disclosed(
            3,
            &json!({"case": case, "detector": detector, "type": "judged"}),
        )
    };
    let mut files = Files::from([
        (format!("detector/{own}.json"), b"a detector".to_vec()),
        ("detector/accounts/0.json".to_owned(), inputs(&own)),
    ]);
    let named = judged("c", &own);
    let all = BTreeSet::from(["a".to_owned()]);
    let whole = scored(&files, "c", &[&named]).unwrap();
    assert_eq!((whole.accounts, whole.unread), (all, 2));
    // How many exchanges it leaves out must be said.
    for silent in [json!(null), json!("2"), json!(-1)] {
        let mut silent = json!({"account": "a", "detector_sha256": own, "unread": silent});
        silent["looks"] = json!([{"sums": "AA=="}]);
        let bytes = silent.to_string().into_bytes();
        let mut files = files.clone();
        files.insert("detector/accounts/0.json".to_owned(), bytes);
        let told = scored(&files, "c", &[&named]).unwrap_err();
        assert!(told.contains("leaves out"), "{told}");
    }
    // Of another case, by another detector, or of a log that names none.
    let (other_case, other) = (judged("d", &own), judged("c", &"0".repeat(64)));
    for records in [&[&other_case][..], &[&other], &[]] {
        assert!(scored(&files, "c", records).is_err(), "{records:?}");
    }
    // Nothing could be scored.
    for looks in [json!(null), json!([]), json!([{"sums": ""}]), json!([{}])] {
        let empty = json!({"account": "b", "detector_sha256": own, "looks": looks, "unread": 0});
        let mut files = files.clone();
        let bytes = empty.to_string().into_bytes();
        files.insert("detector/accounts/1.json".to_owned(), bytes);
        assert!(scored(&files, "c", &[&named]).is_err(), "{empty}");
    }
    files.insert("detector/accounts/1.json".to_owned(), inputs("another"));
    assert!(scored(&files, "c", &[&named]).is_err());
    files.remove("detector/accounts/1.json");
    files.insert(format!("detector/{own}.json"), b"altered".to_vec());
    assert!(scored(&files, "c", &[&named]).is_err());
    assert_eq!(scored(&Files::new(), "c", &[&named]), Ok(Scored::default()));
}

#[test]
fn findings_are_those_that_the_log_names() {
    let record = |text: &str| {
        let leaf = json!({"finding": "f", "digest": hex::encode(Sha256::digest(text)),
            "detector": "d", "type": "judged"});
        disclosed(3, &leaf)
    };
    let files = Files::from([("findings/f.json".to_owned(), b"{}".to_vec())]);
    let (named, otherwise) = (record("{}"), record("[]"));
    assert_eq!(findings(&files, &[&named, &named]), Ok(1));
    assert_eq!(findings(&Files::new(), &[]), Ok(0));
    for (files, records) in [
        (&files, &[&otherwise][..]),
        (&files, &[&named, &otherwise]),
        (&files, &[]),
        (&Files::new(), &[&named]),
    ] {
        assert!(findings(files, records).is_err(), "{records:?}");
    }
}
