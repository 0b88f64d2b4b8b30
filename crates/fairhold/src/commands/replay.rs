//! `fairhold replay BUNDLE`: makes rulings and scores again from what a bundle
//! carries; each must match to the digit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use detection::{Account, Detector, Peers};
use evidence::verify::{Disclosed, Opened};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use terms::{Put, Sources};

use super::verify;
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::office::evidence_parts::look;
use crate::out::Out;

/// What came of making things again.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    /// Rulings that came out as recorded.
    rulings: usize,
    /// Scores, at looks, that did.
    scores: usize,
    /// Findings whose score did.
    findings: usize,
    /// What did not.
    mismatches: Vec<String>,
    /// What could not be made again.
    absent: Vec<String>,
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
    for what in &replayed.mismatches {
        out.line(&format!("  differs: {what}"));
    }
    for what in &replayed.absent {
        out.line(&format!("  absent: {what}"));
    }
    Ok(if !replayed.mismatches.is_empty() {
        Exit::Finding
    } else if replayed.absent.is_empty() {
        Exit::Clean
    } else {
        Exit::Undecided
    })
}

fn replay(opened: &Opened) -> Replayed {
    let mut replayed = Replayed::default();
    for entry in opened.entries.iter().filter(|e| e.text("type") == "intent") {
        match ruling(opened, entry) {
            Ok(true) => replayed.rulings += 1,
            Ok(false) => replayed
                .absent
                .push(format!("inputs of the ruling on record {}", entry.seq)),
            Err(what) => replayed
                .mismatches
                .push(format!("the ruling on record {}: {what}", entry.seq)),
        }
    }
    scores(opened, &mut replayed);
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

/// Whether the ruling came out as the record says; false when its inputs are absent.
fn ruling(opened: &Opened, entry: &Disclosed) -> Result<bool, String> {
    let Some(stated) = json(opened, &format!("rulings/{}.json", entry.seq))? else {
        return Ok(false);
    };
    let (policy, recorded) = (entry.text("policy"), words(entry.leaf.get("clauses")));
    let decided = |policy_sha256: &str, decision: &str, clauses: Vec<String>| {
        if policy_sha256 != policy {
            return Err("other policies decided".to_owned());
        }
        // The record is of a request that was let upstream; in shadow mode also against the terms.
        if stated.get("decision").and_then(Value::as_str) != Some(decision) {
            return Err(format!("it is `{decision}` now"));
        }
        if clauses != recorded || words(stated.get("clauses")) != recorded {
            return Err("other clauses decide".to_owned());
        }
        Ok(true)
    };
    if policy == hex::encode(Sha256::digest(b"")) {
        return decided(policy, "allow", Vec::new());
    }
    let Some(sources) = sources(opened, policy)? else {
        return Ok(false);
    };
    let put: Put = serde_json::from_value(stated.clone()).map_err(|e| e.to_string())?;
    let answer = sources.answer(&put).map_err(|e| e.to_string())?;
    if put.principal.get("id").and_then(Value::as_str) != Some(entry.text("account")) {
        return Err("its question is about another account".to_owned());
    }
    let mut clauses = answer.clauses;
    clauses.sort();
    decided(&answer.policy_sha256, &answer.decision, clauses)
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

/// Every score at every look of every account, and the findings at theirs.
fn scores(opened: &Opened, replayed: &mut Replayed) {
    let Some(text) = opened.files.get("detector/detector.json") else {
        replayed
            .absent
            .push("the detector and its inputs".to_owned());
        return;
    };
    let digest = hex::encode(Sha256::digest(text));
    let Ok(Ok(detector)) = std::str::from_utf8(text).map(Detector::parse) else {
        let what = "the detector cannot be read".to_owned();
        replayed.mismatches.push(what);
        return;
    };
    let names = opened.files.keys();
    for name in names.filter(|n| n.starts_with("detector/accounts/")) {
        let scored = account(opened, name, &detector, &digest, replayed);
        if let Err(what) = scored {
            replayed.mismatches.push(format!("{name}: {what}"));
        }
    }
}

fn account(
    opened: &Opened,
    name: &str,
    detector: &Detector,
    digest: &str,
    replayed: &mut Replayed,
) -> Result<(), String> {
    let inputs = json(opened, name)?.ok_or("it is missing")?;
    let text = |name: &str| inputs.get(name).and_then(Value::as_str);
    if text("detector_sha256") != Some(digest) {
        return Err("it was scored by another detector".to_owned());
    }
    let declared = text("declared").map(|word| Peers::parse(word).ok_or("unknown peers"));
    let declared = declared.transpose()?;
    let looks = inputs.get("looks").and_then(Value::as_array);
    let looks = looks.ok_or("it has no looks")?;
    let mut least = None;
    for stated in looks {
        let bytes = stated.get("sums").and_then(Value::as_str).unwrap_or("");
        let bytes = STANDARD.decode(bytes).map_err(|e| e.to_string())?;
        let sums = Account::from_bytes(&bytes).map_err(|e| e.to_string())?;
        let again = look(detector, &sums, declared, &mut least);
        if again != *stated {
            return Err(format!("its score after {} exchanges differs", sums.seen()));
        }
        replayed.scores += 1;
    }
    let findings = inputs.get("findings").and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        finding_again(finding, looks, replayed)?;
    }
    Ok(())
}

/// A finding states its statistic as a number: it is compared as the digits of one.
fn finding_again(finding: &Value, looks: &[Value], replayed: &mut Replayed) -> Result<(), String> {
    let field = |of: &Value, name: &str| of.get(name).cloned().unwrap_or_default();
    let id = finding.get("id").and_then(Value::as_str).unwrap_or("?");
    let at = looks.iter().find(|look| {
        look.as_object()
            .is_some_and(|l: &Map<_, _>| l.get("look").is_some())
            && field(look, "seen") == field(finding, "look")
    });
    let Some(at) = at else {
        replayed.absent.push(format!("the inputs of {id}"));
        return Ok(());
    };
    let stated = finding.get("statistic").and_then(Value::as_f64);
    let again = at.get("statistic").and_then(Value::as_str);
    let again = again.and_then(|digits| digits.parse::<f64>().ok());
    match (stated, again) {
        (Some(stated), Some(again)) if stated.to_bits() == again.to_bits() => {
            replayed.findings += 1;
            Ok(())
        }
        _ => Err(format!("{id} states another score")),
    }
}
