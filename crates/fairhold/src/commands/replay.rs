//! `fairhold replay BUNDLE`: makes rulings and scores again from what a bundle
//! carries; each must match to the digit.

mod scores;

use std::collections::BTreeMap;

use evidence::verify::{Disclosed, Opened, Verdict};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terms::{Answer, Put, Sources};

use super::verify;
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// What came of making things again.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    /// Rulings that came out as recorded.
    rulings: usize,
    /// Scores, at looks, that did.
    scores: usize,
    /// Findings whose score and chances did.
    findings: usize,
    /// Exchanges that are in no sum: their requests were gone when the sums were made.
    unread: u64,
    /// What did not.
    mismatches: Vec<String>,
    /// What could not be made again.
    absent: Vec<String>,
}

/// Why something did not come out as recorded.
enum Otherwise {
    /// It comes out otherwise.
    Differs(String),
    /// It cannot be made again.
    Absent(String),
}

fn differs<T>(what: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Differs(what.into()))
}

fn absent<T>(what: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Absent(what.into()))
}

/// Runs the command. Exit 0 all match, 1 one does not, 2 no bundle, 3 inputs are absent.
pub(crate) fn run(what: &Verify, out: Out) -> Result<Exit, Failure> {
    let opened = match verify::opened(what)? {
        Ok(opened) => opened,
        Err(report) => return verify::ended(&report, what, out),
    };
    let replayed = replay(&opened);
    out.data(&replayed)?;
    out.line(&format!(
        "{} rulings, {} scores and {} findings came out as recorded",
        replayed.rulings, replayed.scores, replayed.findings
    ));
    if replayed.unread > 0 {
        out.line(&format!(
            "  unread: {}, whose requests were gone when the sums were made",
            replayed.unread
        ));
    }
    for what in &replayed.mismatches {
        out.line(&format!("  differs: {what}"));
    }
    for what in &replayed.absent {
        out.line(&format!("  absent: {what}"));
    }
    Ok(exit(&replayed))
}

fn exit(replayed: &Replayed) -> Exit {
    if !replayed.mismatches.is_empty() {
        Exit::Finding
    } else if replayed.absent.is_empty() {
        Exit::Clean
    } else {
        Exit::Undecided
    }
}

fn replay(opened: &Opened) -> Replayed {
    let mut replayed = Replayed::default();
    rulings(opened, &mut replayed);
    scores::all(opened, &mut replayed);
    if opened.report.verdict != Verdict::Ok {
        // What nobody vouches for is no evidence, whatever comes out of it.
        let what = "the bundle is not proven: see `fairhold verify`".to_owned();
        replayed.absent.push(what);
    }
    replayed
}

fn json(opened: &Opened, name: &str) -> Result<Option<Value>, String> {
    let Some(bytes) = opened.files.get(name) else {
        return Ok(None);
    };
    let value = serde_json::from_slice(bytes).map_err(|e| format!("{name}: {e}"))?;
    Ok(Some(value))
}

fn words(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    let mut words: Vec<String> = all.filter_map(|w| w.as_str().map(str::to_owned)).collect();
    words.sort();
    words
}

/// The record of this number.
fn record(opened: &Opened, seq: u64) -> Option<&Disclosed> {
    let place = opened.entries.binary_search_by_key(&seq, |e| e.seq).ok()?;
    opened.entries.get(place)
}

/// Every ruling on a disclosed request. Each question is asked once; what is told of many
/// requests is told once, of the first.
fn rulings(opened: &Opened, replayed: &mut Replayed) {
    let mut answers: BTreeMap<u64, Result<Answer, Otherwise>> = BTreeMap::new();
    let mut odd: BTreeMap<(bool, String), (u64, usize)> = BTreeMap::new();
    for entry in opened.entries.iter().filter(|e| e.text("type") == "intent") {
        let asked = entry.leaf.get("asked").and_then(Value::as_u64);
        let answer = asked.map(|seq| {
            let made = answers.entry(seq).or_insert_with(|| answer(opened, seq));
            &*made
        });
        let other = asked
            .and_then(|seq| record(opened, seq))
            .is_some_and(|asked| {
                let same = |field: &str| asked.text(field) == entry.text(field);
                !same("account") || !same("model")
            });
        let made = if other {
            differs("the record of what was asked is of another request")
        } else {
            ruling(entry, answer)
        };
        let (wrong, what) = match made {
            Ok(()) => {
                replayed.rulings += 1;
                continue;
            }
            Err(Otherwise::Differs(what)) => (true, what),
            Err(Otherwise::Absent(what)) => (false, what),
        };
        odd.entry((wrong, what)).or_insert((entry.seq, 0)).1 += 1;
    }
    if replayed.rulings == 0 && odd.is_empty() {
        let what = "no request is disclosed: no ruling can be made again".to_owned();
        replayed.absent.push(what);
    }
    for ((wrong, what), (first, all)) in odd {
        let what = match all {
            1 => format!("the ruling on record {first}: {what}"),
            all => format!("the rulings on record {first} and {} more: {what}", all - 1),
        };
        if wrong {
            replayed.mismatches.push(what);
        } else {
            replayed.absent.push(what);
        }
    }
}

/// Whether the ruling comes out as the record says.
fn ruling(entry: &Disclosed, answer: Option<&Result<Answer, Otherwise>>) -> Result<(), Otherwise> {
    let (policy, recorded) = (entry.text("policy"), words(entry.leaf.get("clauses")));
    if policy == hex::encode(Sha256::digest(b"")) {
        // No terms bound. What the house's own limits counted then is not recorded.
        return match recorded.first() {
            None => Ok(()),
            Some(clause) => absent(format!("the amounts behind `{clause}`")),
        };
    }
    let answer = match answer {
        None => return absent("the record does not say what was asked, as older ones do"),
        Some(Err(Otherwise::Differs(what))) => return differs(what),
        Some(Err(Otherwise::Absent(what))) => return absent(what),
        Some(Ok(answer)) => answer,
    };
    if answer.policy_sha256 != policy {
        return differs("other policies decide than the record states");
    }
    // The record is of a request that was let upstream; in shadow mode also against the terms.
    let mut clauses = answer.clauses.clone();
    clauses.sort();
    if clauses != recorded {
        return differs("other clauses decide than the record states");
    }
    Ok(())
}

/// What the policies say to the question that a record states.
fn answer(opened: &Opened, seq: u64) -> Result<Answer, Otherwise> {
    let asked = record(opened, seq).filter(|e| e.text("type") == "asked");
    let Some(asked) = asked else {
        return absent(format!("record {seq} of what was asked is not disclosed"));
    };
    let entity = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let put = Put {
        principal: entity("Account", asked.text("account")),
        action: entity("Action", "infer"),
        resource: entity("Model", asked.text("model")),
        context: asked.leaf.get("context").cloned().unwrap_or_default(),
    };
    let stated = json(opened, &format!("rulings/{seq}.json")).map_err(Otherwise::Differs)?;
    let Some(stated) = stated else {
        return absent(format!("rulings/{seq}.json"));
    };
    let inputs: Put = serde_json::from_value(stated.clone())
        .map_err(|e| Otherwise::Differs(format!("rulings/{seq}.json: {e}")))?;
    if inputs != put {
        return differs(format!(
            "rulings/{seq}.json is not what record {seq} says was asked"
        ));
    }
    let sources = sources(opened, asked.text("policy")).map_err(Otherwise::Differs)?;
    let Some(sources) = sources else {
        return absent(format!(
            "the texts of the policies {}",
            asked.text("policy")
        ));
    };
    let answer = sources
        .answer(&put)
        .map_err(|e| Otherwise::Differs(e.to_string()))?;
    if answer.policy_sha256 != asked.text("policy") {
        return differs("the texts of its policies are not those that the record states");
    }
    let decision = stated.get("decision").and_then(Value::as_str);
    if decision != Some(answer.decision.as_str())
        || words(stated.get("clauses")) != sorted(&answer.clauses)
    {
        return differs(format!("it is `{}` now", answer.decision));
    }
    Ok(answer)
}

fn sorted(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    words.sort();
    words
}

/// The texts of a policy set, in the order of their digest.
fn sources(opened: &Opened, policy: &str) -> Result<Option<Sources>, String> {
    let folder = format!("policy/{policy}/");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string());
    let Some(schema) = opened.files.get(&format!("{folder}schema.cedarschema")) else {
        return Ok(None);
    };
    let mut policies = Vec::new();
    for (name, bytes) in &opened.files {
        let name = name
            .strip_prefix(&folder)
            .and_then(|n| n.strip_suffix(".cedar"));
        if let Some((_, file)) = name.and_then(|name| name.split_once('/')) {
            policies.push((file.to_owned(), text(bytes)?));
        }
    }
    Ok(Some(Sources {
        schema: text(schema)?,
        policies,
    }))
}

#[cfg(test)]
mod tests;
