//! The disclosed records: each proven in its ledger, each ledger under the root.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Predicate, text};
use crate::bundle::{CHECKPOINT, Files, ledger_origin};
use crate::checkpoint::{Checkpoint, Note, Verifier};
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::proof::TlogProof;

/// A record that the bundle discloses and proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Disclosed {
    /// Its sequence number in the journal.
    pub seq: u64,
    /// Its place in its ledger.
    pub index: u64,
    /// The origin of its ledger.
    pub ledger: String,
    /// The record, canonical JSON.
    pub leaf: Map<String, Value>,
}

impl Disclosed {
    /// A text of the record, empty where it has none of that name.
    pub fn text(&self, name: &str) -> &str {
        self.leaf.get(name).and_then(Value::as_str).unwrap_or("")
    }
}

/// The name between a folder and an ending.
pub(super) fn stem<'a>(name: &'a str, folder: &str, ending: &str) -> Option<&'a str> {
    name.strip_prefix(folder)?.strip_suffix(ending)
}

/// Number of a file: digits, spelled in one way.
pub(super) fn number(stem: &str) -> Option<u64> {
    let number: u64 = stem.parse().ok()?;
    (number.to_string() == stem).then_some(number)
}

/// Every entry with the ledgers it lies in; every ledger under the root.
pub(super) fn check(
    files: &Files,
    log: &Verifier,
    root: &Checkpoint,
) -> Result<(Vec<Disclosed>, usize), String> {
    pairs(files)?;
    let ledgers = ledgers(files, log, root)?;
    let mut found = Vec::new();
    for (name, leaf) in files {
        if let Some(seq) = stem(name, "entries/", ".json") {
            let seq = number(seq).ok_or_else(|| format!("{name}: it is not named by a number"))?;
            let wrong = |what: String| format!("{name}: {what}");
            let entry = entry(files, seq, leaf, (log, root), &ledgers).map_err(wrong)?;
            found.push(entry);
        }
    }
    found.sort_by_key(|entry| entry.seq);
    Ok((found, ledgers.len()))
}

/// A proof of nothing, or nothing proven, is not left lying about.
fn pairs(files: &Files) -> Result<(), String> {
    for (folder, ending) in [("entries/", ".json"), ("ledgers/", ".body")] {
        for name in files.keys().filter(|name| name.starts_with(folder)) {
            let other = if let Some(stem) = stem(name, folder, ending) {
                format!("{folder}{stem}.tlog-proof")
            } else if let Some(stem) = stem(name, folder, ".tlog-proof") {
                format!("{folder}{stem}{ending}")
            } else {
                return Err(format!("{name}: nothing of this name belongs there"));
            };
            if !files.contains_key(&other) {
                return Err(format!("{name}: its `{other}` is missing"));
            }
        }
    }
    Ok(())
}

/// Ledgers by the text of their checkpoint: each an entry of the root log.
fn ledgers<'a>(
    files: &'a Files,
    log: &Verifier,
    root: &Checkpoint,
) -> Result<BTreeMap<&'a str, String>, String> {
    let note = text(files, CHECKPOINT)?;
    let prefix = format!("{}/", log.name());
    let mut found = BTreeMap::new();
    for (name, body) in files {
        let Some(place) = stem(name, "ledgers/", ".body") else {
            continue;
        };
        let place = number(place).ok_or_else(|| format!("{name}: it is not named by a number"))?;
        let proof_name = format!("ledgers/{place}.tlog-proof");
        let proof = TlogProof::parse(text(files, &proof_name)?)
            .map_err(|e| format!("{proof_name}: {e}"))?;
        if proof.checkpoint != note || proof.extra.is_some() || proof.index != place {
            return Err(format!(
                "{proof_name}: it is not a proof of place {place} under this checkpoint"
            ));
        }
        verify_inclusion(
            &leaf_hash(body),
            place,
            root.size,
            &proof.hashes,
            &root.root,
        )
        .map_err(|e| format!("{name}: {e}"))?;
        let body = text(files, name)?;
        let ledger = Checkpoint::parse(body).map_err(|e| format!("{name}: {e}"))?;
        if !ledger.origin.starts_with(&prefix) {
            return Err(format!("{name}: it is a ledger of another log"));
        }
        found.insert(body, ledger.origin);
    }
    Ok(found)
}

/// A record, proven at its place: in its account's ledger, or in the root log
/// itself where that has no ledgers.
fn entry(
    files: &Files,
    seq: u64,
    leaf: &[u8],
    (log, root): (&Verifier, &Checkpoint),
    ledgers: &BTreeMap<&str, String>,
) -> Result<Disclosed, String> {
    let record = record(seq, leaf)?;
    let proof = TlogProof::parse(text(files, &format!("entries/{seq}.tlog-proof"))?)
        .map_err(|e| e.to_string())?;
    if proof.extra.is_some() {
        return Err("its proof carries data that nobody vouches for".to_owned());
    }
    let (checkpoint, ledger) = if proof.checkpoint == text(files, CHECKPOINT)? {
        if proof.index != seq {
            return Err("its place is not that of its proof".to_owned());
        }
        (root.clone(), root.origin.clone())
    } else {
        let note = Note::parse(&proof.checkpoint).map_err(|e| e.to_string())?;
        let origin = ledgers
            .get(note.text.as_str())
            .ok_or("its ledger's checkpoint is not under the root's")?;
        let account = record.get("account").and_then(Value::as_str);
        if *origin != ledger_origin(log.name(), account) {
            return Err(format!("it is not a record of `{origin}`"));
        }
        let key = log.under(origin).map_err(|e| e.to_string())?;
        let checkpoint = key.open_note(&note).map_err(|e| e.to_string())?;
        if note.signatures.len() != 1 {
            return Err("its ledger's checkpoint is signed by others than the log".to_owned());
        }
        (checkpoint, origin.clone())
    };
    verify_inclusion(
        &leaf_hash(leaf),
        proof.index,
        checkpoint.size,
        &proof.hashes,
        &checkpoint.root,
    )
    .map_err(|e| e.to_string())?;
    Ok(Disclosed {
        seq,
        index: proof.index,
        ledger,
        leaf: record,
    })
}

/// A leaf in the one form it is written in, at its own number.
fn record(seq: u64, leaf: &[u8]) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_slice(leaf).map_err(|e| format!("no record: {e}"))?;
    if serde_json_canonicalizer::to_vec(&value).ok().as_deref() != Some(leaf) {
        return Err("the record is not in canonical form".to_owned());
    }
    let Value::Object(record) = value else {
        return Err("the record is no object".to_owned());
    };
    if record.get("seq").and_then(Value::as_u64) != Some(seq)
        || record.get("type").and_then(Value::as_str).is_none()
    {
        return Err(format!("the record is not that of number {seq}"));
    }
    Ok(record)
}

/// The steps of the case are those of the log: all of them, once each, in order.
/// Entries come in the order of the journal. A step that says two things (approved,
/// and with it suspended) is two records that follow each other, of one digest.
pub(super) fn steps(predicate: &Predicate, entries: &[Disclosed]) -> Result<(), String> {
    let mut logged: Vec<&str> = entries
        .iter()
        .filter(|e| e.text("type") == "case_step" && e.text("case") == predicate.case)
        .map(|e| e.text("digest"))
        .collect();
    logged.dedup();
    for (n, step) in predicate.steps.iter().enumerate() {
        if logged.get(n) != Some(&hex::encode(Sha256::digest(step)).as_str()) {
            return Err(format!(
                "step {n} of the case is not, in its turn, among the log's entries"
            ));
        }
    }
    if predicate.steps.is_empty() {
        return Err("the case has no steps".to_owned());
    }
    if logged.len() > predicate.steps.len() {
        return Err(format!(
            "the log holds {} steps of the case, the statement only {}",
            logged.len(),
            predicate.steps.len()
        ));
    }
    Ok(())
}
