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

fn files(ruling: &Value) -> Files {
    let folder = format!("policy/{}", digest());
    let file = |name: String, text: &str| (name, text.as_bytes().to_vec());
    Files::from([
        file(format!("{folder}/schema.cedarschema"), "schema"),
        file(format!("{folder}/00/b.cedar"), "first"),
        file(format!("{folder}/01/a.cedar"), "second"),
        file("rulings/7.json".to_owned(), &ruling.to_string()),
    ])
}

fn intent(policy: &str) -> Disclosed {
    let leaf = json!({"account": "a", "policy": policy, "seq": 7, "type": "intent"});
    Disclosed {
        seq: 7,
        index: 0,
        ledger: "o/a".to_owned(),
        leaf: leaf.as_object().cloned().unwrap(),
    }
}

#[test]
fn a_ruling_is_tied_to_its_record_by_account_and_policies() {
    let (policy, empty) = (digest(), hex::encode(Sha256::digest(b"")));
    let ruling = |policy: &str, account: &str| json!({"policy_sha256": policy, "principal": {"id": account}});
    let good = files(&ruling(&policy, "a"));
    assert_eq!(tied(&good, &intent(&policy)), Ok(()));
    // The same inputs for a record that states other policies, or none.
    assert!(tied(&good, &intent(&empty)).is_err());
    assert!(tied(&files(&ruling(&policy, "b")), &intent(&policy)).is_err());
    assert!(tied(&files(&json!({})), &intent(&policy)).is_err());
    assert_eq!(tied(&files(&ruling(&empty, "a")), &intent(&empty)), Ok(()));
    for name in good.keys() {
        let (mut less, mut other) = (good.clone(), good.clone());
        less.remove(name);
        other.insert(name.clone(), b"{}".to_vec());
        for changed in [less, other] {
            assert!(tied(&changed, &intent(&policy)).is_err(), "{name}");
        }
    }
    // A sign before the number is another name.
    assert_eq!(
        (number("+7"), number("07"), number("7")),
        (None, None, Some(7))
    );
}

#[test]
fn scores_are_of_the_detector_that_is_there() {
    let detector = b"a detector".to_vec();
    let inputs = |digest: &str| {
        json!({"account": "a", "detector_sha256": digest})
            .to_string()
            .into_bytes()
    };
    let own = hex::encode(Sha256::digest(&detector));
    let mut files = Files::from([
        ("detector/detector.json".to_owned(), detector),
        ("detector/accounts/0.json".to_owned(), inputs(&own)),
    ]);
    assert_eq!(scored(&files), Ok(BTreeSet::from(["a".to_owned()])));
    files.insert("detector/accounts/1.json".to_owned(), inputs("another"));
    assert!(scored(&files).is_err());
    files.remove("detector/detector.json");
    assert_eq!(scored(&files), Ok(BTreeSet::new()));
}
