use serde_json::json;

use super::*;

fn disclosed(seq: u64, index: u64, mut leaf: Value) -> Disclosed {
    leaf["seq"] = seq.into();
    Disclosed {
        seq,
        index,
        ledger: "o/a".to_owned(),
        leaf: leaf.as_object().cloned().unwrap(),
    }
}

/// The ledger of `a`: its opening, then exchanges, `e` for embeddings and `t` for text; exchange n
/// is records 10 n + 1 and 10 n + 2 of the journal.
fn ledger(exchanges: &str) -> Vec<Disclosed> {
    let opening = json!({"account": "a", "type": "directory"});
    let mut all = vec![disclosed(0, 0, opening)];
    for (n, kind) in (1..).zip(exchanges.chars()) {
        let endpoint = match kind {
            'e' => "/v1/embeddings",
            _ => "/v1/chat/completions",
        };
        let exchange = format!("x{n}");
        let intent =
            json!({"account": "a", "endpoint": endpoint, "exchange": exchange, "type": "intent"});
        let ending = json!({"account": "a", "exchange": exchange, "intent": 10 * n + 1, "type": "completion"});
        let next = all.len() as u64;
        all.push(disclosed(10 * n + 1, next, intent));
        all.push(disclosed(10 * n + 2, next + 1, ending));
    }
    all
}

/// The case `c` that accuses `a` rests on this finding.
fn case(mut entries: Vec<Disclosed>, finding: &Value) -> (Files, Vec<Disclosed>) {
    let text = finding.to_string();
    let digest = hex::encode(Sha256::digest(&text));
    let judged = json!({"case": "c", "digest": digest, "finding": "f", "type": "judged"});
    entries.push(disclosed(1_000_000, 0, judged));
    let files = Files::from([("findings/f.json".to_owned(), text.into_bytes())]);
    (files, entries)
}

fn accused() -> BTreeSet<String> {
    BTreeSet::from(["a".to_owned()])
}

fn covered(entries: Vec<Disclosed>, finding: &Value) -> Result<usize, String> {
    let (files, entries) = case(entries, finding);
    cited(&files, ("c", &entries), &accused())
}

fn of_intent(look: usize, last: Option<u64>) -> Value {
    let mut finding = json!({"account": "a", "inputs": {"sums": "AA=="}, "look": look});
    if let Some(last) = last {
        finding["inputs"]["last_ending"] = last.into();
    }
    finding
}

#[track_caller]
fn refused(entries: Vec<Disclosed>, finding: &Value, why: &str) {
    let told = covered(entries, finding).unwrap_err();
    assert!(told.contains(why), "{told}");
}

#[test]
fn a_look_is_there_from_the_first_exchange_to_the_last_that_it_counted() {
    // Two of embeddings among three of text: the third of text is exchange 5.
    let all = ledger("etett");
    assert_eq!(covered(all.clone(), &of_intent(3, Some(52))), Ok(1));
    assert_eq!(covered(all.clone(), &of_intent(2, Some(42))), Ok(1));
    // A finding of an earlier version says only how many.
    assert_eq!(covered(all.clone(), &of_intent(3, None)), Ok(1));
    refused(all.clone(), &of_intent(4, None), "of which 3 are disclosed");
    // As many exchanges, but not those: embeddings do not count.
    refused(all[..7].to_vec(), &of_intent(3, Some(52)), "of which 1 ");
    refused(all[..7].to_vec(), &of_intent(3, None), "of which 1 ");
    refused(all[..10].to_vec(), &of_intent(3, Some(52)), "of which 2 ");
    // One that was gone when the watch came is among them: the last one must be there nevertheless.
    refused(all[..10].to_vec(), &of_intent(2, Some(52)), "record 52");
    assert_eq!(covered(all.clone(), &of_intent(2, Some(52))), Ok(1));
    // Up to the last one no more than these count.
    refused(all.clone(), &of_intent(3, Some(42)), "of which 2 ");
    // Record 51 ends nothing.
    refused(all.clone(), &of_intent(2, Some(51)), "record 51");
    // A hole: what lies behind it is not from the first on.
    let mut hole = all.clone();
    hole.remove(0);
    refused(hole, &of_intent(3, Some(52)), "of which 0 ");
    let mut hole = all.clone();
    hole.remove(3);
    refused(hole, &of_intent(3, Some(52)), "of which 0 ");
    // An ending without the request that it ends shows not what was asked.
    let mut other = all;
    other[3].leaf["account"] = json!("b");
    refused(other, &of_intent(3, Some(52)), "of which 0 ");
}

#[test]
fn a_look_of_more_than_a_bundle_discloses_is_there_up_to_the_bound() {
    let all = ledger(&"t".repeat(EXCHANGES_MAX));
    let finding = of_intent(1_500, Some(99_992));
    assert_eq!(covered(all.clone(), &finding), Ok(1));
    refused(all[..all.len() - 2].to_vec(), &finding, "999");
}

#[test]
fn a_finding_that_names_its_exchanges_has_each_of_them() {
    let of =
        |named: Value| json!({"account": "a", "inputs": {"judged_by": ""}, "relied_on": named});
    // By themselves, from anywhere in the ledger.
    let all = ledger("tett")[5..].to_vec();
    assert_eq!(covered(all.clone(), &of(json!(["x3", "x4"]))), Ok(1));
    refused(all.clone(), &of(json!(["x3", "x1"])), "`x1`");
    refused(all.clone(), &of(json!([])), "names no exchange");
    refused(all.clone(), &of(json!([7])), "``");
    refused(all.clone(), &json!({"account": "a"}), "names no exchange");
    for (left_out, name) in [(0, "`x3`"), (1, "`x3`"), (2, "`x4`")] {
        let mut less = all.clone();
        less.remove(left_out);
        refused(less, &of(json!(["x3", "x4"])), name);
    }
    let mut other = all;
    other[2].leaf["account"] = json!("b");
    refused(other, &of(json!(["x4"])), "`x4`");
}

#[test]
fn a_finding_is_there_as_the_log_names_it_and_about_the_accused() {
    let (good, entries) = case(ledger("tt"), &of_intent(2, Some(22)));
    let ask = |files: &Files| cited(files, ("c", &entries), &accused());
    assert_eq!(ask(&good), Ok(1));
    assert!(ask(&Files::new()).is_err());
    for text in ["{}", "", r#"{"account":"a"}"#] {
        let changed = Files::from([("findings/f.json".to_owned(), text.into())]);
        assert!(ask(&changed).is_err(), "{text}");
    }
    // Of another case, nothing is asked of it.
    assert_eq!(cited(&good, ("d", &entries), &accused()), Ok(0));
    let other = BTreeSet::from(["b".to_owned()]);
    assert!(cited(&good, ("c", &entries), &other).is_err());
    for (field, odd) in [("look", json!(0)), ("look", json!("2"))] {
        let mut finding = of_intent(2, Some(22));
        finding[field] = odd;
        refused(ledger("tt"), &finding, "states no look");
    }
    let mut finding = of_intent(2, None);
    finding["inputs"]["last_ending"] = json!("22");
    refused(ledger("tt"), &finding, "is no record");
}

#[test]
fn as_much_is_there_as_is_told_and_as_was_counted() {
    let of = |counted: usize, disclosed: usize| json!({"accounts": [{"account": "a", "exchanges_counted": counted, "exchanges_disclosed": disclosed}]});
    let told = |told: &Value, entries: &[Disclosed]| {
        let files = Files::from([(DISCLOSURE.to_owned(), told.to_string().into_bytes())]);
        super::told(&files, entries, &accused())
    };
    let three = ledger("tet");
    assert_eq!(told(&of(3, 3), &three), Ok(()));
    assert_eq!(told(&of(2, 3), &three), Ok(()));
    for (wrong, why) in [
        (of(3, 2), "3 exchanges are disclosed, 2 by"),
        (of(4, 3), "counted 4 exchanges"),
        (json!({"accounts": []}), "does not tell of `a`"),
        (
            json!({"accounts": [{"account": "a"}]}),
            "states no exchanges_counted",
        ),
        (json!([]), "does not tell"),
    ] {
        let what = told(&wrong, &three).unwrap_err();
        assert!(what.contains(why), "{what}");
    }
    // What is left out of what was told.
    assert!(told(&of(3, 3), &three[..5]).is_err());
    assert!(told(&of(3, 3), &[]).is_err());
    assert!(super::told(&Files::new(), &three, &accused()).is_err());
    // The bound of exchanges, and that of records.
    let many = ledger(&"t".repeat(EXCHANGES_MAX));
    assert_eq!(told(&of(5_000, EXCHANGES_MAX), &many), Ok(()));
    let refusals = (0..RECORDS_MAX as u64)
        .map(|n| disclosed(n, n, json!({"account": "a", "type": "refusal"})));
    let refusals: Vec<Disclosed> = refusals.collect();
    assert_eq!(told(&of(9, 0), &refusals), Ok(()));
    assert!(told(&of(9, 0), &refusals[1..]).is_err());
}
