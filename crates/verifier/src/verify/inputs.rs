//! The inputs of rulings and scores: there, and those that the log's records name.
//!
//! Deciding and scoring again is `fairhold replay`; here each input is tied to
//! the record or the case that it is of, so that none can be exchanged or left out.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::entries::{number, stem};
use super::parts::{Given, counted};
use super::{Disclosed, Files, Finding, Part};

/// What a digest of policies begins with.
const POLICIES: &[u8] = b"fairhold terms 1\n";

/// Requests that were let upstream, and those of them whose ruling can be made again.
pub(super) fn rulings(given: &Given<'_>, entries: &[Disclosed]) -> Finding {
    let mut untied = Vec::new();
    let intents = entries.iter().filter(|e| e.text("type") == "intent");
    let mut all = 0;
    for intent in intents {
        all += 1;
        if let Err(what) = tied(given.files, intent) {
            untied.push(format!("record {}: {what}", intent.seq));
        }
    }
    Finding {
        part: Part::Rulings,
        proven: all > 0 && untied.is_empty(),
        asked: given.asks(Part::Rulings),
        what: match (all, untied.first()) {
            (0, _) => "no request is disclosed: no ruling can be made again".to_owned(),
            (_, Some(first)) => format!("{} of {all} cannot be made again; {first}", untied.len()),
            (_, None) => format!(
                "the inputs of {} are those that the records name; `fairhold replay` makes them again",
                counted(all, "ruling", "rulings")
            ),
        },
    }
}

/// The question is about the record's account, and the policies are those of
/// the digest that the record states.
fn tied(files: &Files, intent: &Disclosed) -> Result<(), &'static str> {
    let bytes = files.get(&format!("rulings/{}.json", intent.seq));
    let bytes = bytes.ok_or("its inputs are absent")?;
    let ruling: Value = serde_json::from_slice(bytes).map_err(|_| "its inputs cannot be read")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let stated = intent.text("policy");
    if ruling.get("policy_sha256").and_then(text).as_deref() != Some(stated) {
        return Err("its inputs are of other policies than the record states");
    }
    if stated == hex::encode(Sha256::digest(b"")) {
        return Ok(()); // no terms bound the account
    }
    let account = ruling.get("principal").and_then(|p| p.get("id"));
    if account.and_then(Value::as_str) != Some(intent.text("account")) {
        return Err("its inputs are of another account than the record's");
    }
    match policies(files, stated) {
        None => Err("the texts of its policies are absent"),
        Some(digest) if digest == stated => Ok(()),
        Some(_) => Err("the texts of its policies are not those that the record states"),
    }
}

/// The digest of the texts in a policy set's folder, in their order.
fn policies(files: &Files, named: &str) -> Option<String> {
    let folder = format!("policy/{named}/");
    let schema = files.get(&format!("{folder}schema.cedarschema"))?;
    let mut sources: Vec<(u64, &[u8])> = Vec::new();
    for (name, text) in files {
        if let Some(source) = stem(name, &folder, ".cedar") {
            sources.push((source.split_once('/')?.0.parse().ok()?, text));
        }
    }
    sources.sort_by_key(|(n, _)| *n);
    let mut digest = Sha256::new();
    digest.update(POLICIES);
    digest.update(Sha256::digest(schema));
    for (_, text) in sources {
        digest.update(Sha256::digest(text));
    }
    Some(hex::encode(digest.finalize()))
}

/// The detector, and for every accused account the sums that it scored.
pub(super) fn detector(given: &Given<'_>, accused: &BTreeSet<String>) -> Finding {
    let (proven, what) = match scored(given.files) {
        Err(what) => (false, what),
        Ok(scored) => match accused.iter().find(|a| !scored.contains(*a)) {
            Some(_) if scored.is_empty() => (
                false,
                "its inputs are absent: no score can be made again".to_owned(),
            ),
            Some(account) => (false, format!("the inputs for `{account}` are absent")),
            None if accused.is_empty() => (false, "the case names no account".to_owned()),
            None => (
                true,
                format!(
                    "the detector and its inputs for {} are there; `fairhold replay` scores them again",
                    counted(accused.len(), "account", "accounts")
                ),
            ),
        },
    };
    Finding {
        part: Part::Detector,
        proven,
        asked: given.asks(Part::Detector),
        what,
    }
}

/// Accounts whose sums are there, as this very detector scored them.
fn scored(files: &Files) -> Result<BTreeSet<String>, String> {
    let Some(detector) = files.get("detector/detector.json") else {
        return Ok(BTreeSet::new());
    };
    let digest = hex::encode(Sha256::digest(detector));
    let mut accounts = BTreeSet::new();
    for (name, bytes) in files {
        let Some(place) = stem(name, "detector/accounts/", ".json") else {
            continue;
        };
        let inputs: Option<Value> = serde_json::from_slice(bytes).ok();
        let text = |field: &str| inputs.as_ref()?.get(field)?.as_str();
        if text("detector_sha256") != Some(digest.as_str()) || number(place).is_none() {
            return Err(format!("{name}: it is not of the detector in the bundle"));
        }
        accounts.extend(text("account").map(str::to_owned));
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests;
