//! Scores once more: of every account at its looks, of every finding at its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use detection::{Account, Detector, Peers};
use evidence::verify::{Disclosed, Opened};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Otherwise, Replayed, absent, differs, json};
use crate::office::evidence_parts::look;
use crate::watch::finding::digits;

/// Every score and every finding.
pub(super) fn all(opened: &Opened, replayed: &mut Replayed) {
    let names = opened.files.keys();
    let accounts: Vec<&String> = names
        .filter(|name| name.starts_with("detector/accounts/"))
        .collect();
    let mut accused = verifier::bundle::accused(&opened.predicate.steps);
    for name in accounts {
        let scored = account(opened, name);
        if let Ok(Some(inputs)) = json(opened, name) {
            accused.remove(text(&inputs, "account").unwrap_or_default());
            let unread = inputs.get("unread").and_then(Value::as_u64);
            replayed.unread = replayed.unread.saturating_add(unread.unwrap_or_default());
        }
        note(name, scored, replayed, |replayed, scores| {
            replayed.scores += scores;
        });
    }
    replayed
        .absent
        .extend(accused.iter().map(|a| format!("the sums of `{a}`")));
    let judged = opened.entries.iter();
    let records: Vec<&Disclosed> = judged
        .filter(|e| e.text("type") == "judged" && !e.text("finding").is_empty())
        .collect();
    for name in opened.files.keys().filter(|n| n.starts_with("findings/")) {
        if !records.iter().any(|e| file_of(e) == *name) {
            let what =
                format!("{name}: no record names it, as of findings made by earlier versions");
            replayed.absent.push(what);
        }
    }
    // The case that cites a finding names it once more.
    let mut done: Vec<String> = Vec::new();
    for record in records {
        let name = file_of(record);
        let made = finding(opened, record, &name);
        if made.is_ok() && done.contains(&name) {
            continue;
        }
        done.push(name.clone());
        note(&name, made, replayed, |replayed, ()| replayed.findings += 1);
    }
}

fn file_of(record: &Disclosed) -> String {
    format!("findings/{}.json", record.text("finding"))
}

fn note<T>(
    name: &str,
    made: Result<T, Otherwise>,
    replayed: &mut Replayed,
    count: impl FnOnce(&mut Replayed, T),
) {
    match made {
        Ok(made) => count(replayed, made),
        Err(Otherwise::Differs(what)) => replayed.mismatches.push(format!("{name}: {what}")),
        Err(Otherwise::Absent(what)) => replayed.absent.push(format!("{name}: {what}")),
    }
}

/// The detector of this digest.
fn detector(opened: &Opened, digest: &str) -> Result<Detector, Otherwise> {
    let Some(text) = opened.files.get(&format!("detector/{digest}.json")) else {
        return absent(format!("the detector {digest} is not there"));
    };
    if hex::encode(Sha256::digest(text)) != digest {
        return differs(format!("the detector in the bundle is not {digest}"));
    }
    let text = std::str::from_utf8(text).map_err(|e| Otherwise::Differs(e.to_string()))?;
    Detector::parse(text).map_err(|e| Otherwise::Differs(e.to_string()))
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}

fn sums(of: &Value) -> Result<Account, Otherwise> {
    let wrong = |e: String| Otherwise::Differs(format!("its sums: {e}"));
    let bytes = STANDARD.decode(text(of, "sums").unwrap_or_default());
    let bytes = bytes.map_err(|e| wrong(e.to_string()))?;
    Account::from_bytes(&bytes).map_err(|e| wrong(e.to_string()))
}

fn declared(of: &Value) -> Result<Option<Peers>, Otherwise> {
    match text(of, "declared") {
        None => Ok(None),
        Some(word) => match Peers::parse(word) {
            Some(peers) => Ok(Some(peers)),
            None => differs(format!("there are no peers `{word}`")),
        },
    }
}

/// How many scores of an account came out as stated, by a detector that the log names for the case.
fn account(opened: &Opened, name: &str) -> Result<usize, Otherwise> {
    let inputs = json(opened, name).map_err(Otherwise::Differs)?;
    let inputs = inputs.unwrap_or_default();
    let digest = text(&inputs, "detector_sha256").unwrap_or_default();
    let detector = detector(opened, digest)?;
    let declared = declared(&inputs)?;
    let Some(looks) = inputs.get("looks").and_then(Value::as_array) else {
        return differs("it has no looks");
    };
    if looks.is_empty() {
        return absent("it has no sums at any look");
    }
    let mut least = None;
    for stated in looks {
        let sums = sums(stated)?;
        if look(&detector, &sums, declared, &mut least) != *stated {
            let what = format!("its score after {} exchanges is another", sums.seen());
            return differs(what);
        }
    }
    let mut judged = opened.entries.iter();
    let named = judged.any(|e| {
        e.text("type") == "judged"
            && e.text("case") == opened.predicate.case
            && e.text("detector") == digest
    });
    if named {
        Ok(looks.len())
    } else {
        absent("no record of the log names its detector, as of older cases")
    }
}

/// A finding as the log names it, scored again by the detector that the log names.
fn finding(opened: &Opened, record: &Disclosed, name: &str) -> Result<(), Otherwise> {
    let Some(bytes) = opened.files.get(name) else {
        return absent("it is not there");
    };
    if hex::encode(Sha256::digest(bytes)) != record.text("digest") {
        return differs(format!("it is not as record {} names it", record.seq));
    }
    let kept: Value =
        serde_json::from_slice(bytes).map_err(|e| Otherwise::Differs(e.to_string()))?;
    let Some(inputs) = kept.get("inputs").filter(|i| i.get("sums").is_some()) else {
        return absent("it is of a known campaign: what it counted is in no sum");
    };
    if text(inputs, "judged_by") != Some(record.text("detector")) {
        return differs(format!("record {} names another detector", record.seq));
    }
    let detector = detector(opened, record.text("detector"))?;
    let (sums, declared) = (sums(inputs)?, declared(inputs)?);
    let least = earlier(inputs, &detector, declared)?;
    let Some(judged) = detector.judge(&sums, declared, least) else {
        return differs("its account has reached no look");
    };
    let look = kept.get("look").and_then(Value::as_u64);
    if look != Some(u64::from(judged.look)) || sums.seen() != judged.look {
        return differs("its sums are of another look");
    }
    for (field, again) in [
        ("statistic", judged.intent.statistic),
        ("p", judged.rank.p),
        ("anytime_p", judged.anytime.p),
    ] {
        let again = digits(again);
        let told = kept.get(field).map(Value::to_string);
        if text(inputs, field) != Some(again.as_str()) || !is(told.as_deref(), &again) {
            return differs(format!("its {field} is {again} now"));
        }
    }
    Ok(())
}

/// Whether a number that is told in words is this one: readers of JSON may miss the last digit.
fn is(told: Option<&str>, again: &str) -> bool {
    let numbers = told
        .and_then(|told| told.parse::<f64>().ok())
        .zip(again.parse::<f64>().ok());
    numbers.is_some_and(|(told, again)| (told - again).abs() <= again.abs() * 1e-12)
}

/// The least p of earlier looks, of their statistics as the finding states them.
fn earlier(
    inputs: &Value,
    detector: &Detector,
    declared: Option<Peers>,
) -> Result<Option<f64>, Otherwise> {
    let looks = inputs.get("earlier").and_then(Value::as_array);
    let mut least: Option<f64> = None;
    for look in looks.into_iter().flatten() {
        let statistic = text(look, "statistic").and_then(|digits| digits.parse::<f64>().ok());
        let place = look.get("place").and_then(Value::as_u64);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let (Some(statistic), Some(place)) = (statistic, place) else {
            return differs("an earlier look cannot be read");
        };
        let p = detector.calibration.rank(statistic, place, declared).p;
        least = Some(least.map_or(p, |least| least.min(p)));
    }
    Ok(least)
}
