//! The disclosed records: each proven in its ledger, each ledger under the root.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Predicate, text};
use crate::bundle::{CHECKPOINT, Files, ledger_origin};
use crate::checkpoint::{Checkpoint, Note, Verifier};
use crate::merkle::{Hash, leaf_hash, tree_root, verify_consistency, verify_inclusion};
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
    for (name, bundle) in files {
        if let Some(place) = stem(name, "ledgers/", ".entries") {
            let wrong = |what: String| format!("{name}: {what}");
            let body = text(files, &format!("ledgers/{place}.body"))?;
            let proof = text(files, &format!("ledgers/{place}.consistency"))?;
            let all = beginning(bundle, body, proof, log.name()).map_err(wrong)?;
            found.extend(all);
        }
    }
    found.sort_by_key(|entry| entry.seq);
    let mut pairs = found.iter().zip(found.iter().skip(1));
    if let Some((twice, _)) = pairs.find(|(one, next)| one.seq == next.seq) {
        return Err(format!("record {} is disclosed twice", twice.seq));
    }
    Ok((found, ledgers.len()))
}

/// The first records of a ledger, all of them: the ledger, whose checkpoint is an entry of the root
/// log, continues the tree of these alone.
fn beginning(bundle: &[u8], body: &str, proof: &str, log: &str) -> Result<Vec<Disclosed>, String> {
    let leaves = bundled(bundle).ok_or("its lengths do not add up")?;
    let ledger = Checkpoint::parse(body).map_err(|e| e.to_string())?;
    let proof = hashes(proof).ok_or("its proof is not hashes in base64, one a line")?;
    let own: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let (first, own) = (own.len() as u64, tree_root(&own));
    verify_consistency(first, &own, ledger.size, &ledger.root, &proof)
        .map_err(|e| e.to_string())?;
    let mut found: Vec<Disclosed> = Vec::with_capacity(leaves.len());
    for (index, leaf) in leaves.into_iter().enumerate() {
        let (seq, leaf) = record(leaf)?;
        let account = leaf.get("account").and_then(Value::as_str);
        let first = found.first().map(|first| first.leaf.get("account"));
        // All are of the first one's account: its ledger's name is derived once.
        let fits = match first {
            Some(first) => first.and_then(Value::as_str) == account,
            None => ledger.origin == ledger_origin(log, account),
        };
        if !fits {
            return Err(format!(
                "record {seq} is not a record of `{}`",
                ledger.origin
            ));
        }
        if found.last().is_some_and(|last| last.seq >= seq) {
            return Err(format!("record {seq} is not in the journal's order"));
        }
        found.push(Disclosed {
            seq,
            index: index as u64,
            ledger: ledger.origin.clone(),
            leaf,
        });
    }
    Ok(found)
}

/// The entries of a bundle: each after its length in two bytes, high byte first.
fn bundled(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (entry, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        found.push(entry);
        rest = tail;
    }
    rest.is_empty().then_some(found)
}

/// Hashes, one a line, each spelled in the one way.
fn hashes(text: &str) -> Option<Vec<Hash>> {
    let lines = text.split_terminator('\n').map(|line| {
        let hash: Hash = STANDARD.decode(line).ok()?.try_into().ok()?;
        Some(hash)
    });
    let found: Vec<Hash> = lines.collect::<Option<_>>()?;
    let again: String = found.iter().map(|h| STANDARD.encode(h) + "\n").collect();
    (again == text).then_some(found)
}

/// A proof of nothing, or nothing proven, is not left lying about.
fn pairs(files: &Files) -> Result<(), String> {
    for (folder, ending) in [("entries/", ".json"), ("ledgers/", ".body")] {
        for name in files.keys().filter(|name| name.starts_with(folder)) {
            let first = folder == "ledgers/";
            let other = if let Some(stem) = stem(name, folder, ".entries").filter(|_| first) {
                format!("{folder}{stem}.consistency")
            } else if let Some(stem) = stem(name, folder, ".consistency").filter(|_| first) {
                format!("{folder}{stem}.entries")
            } else if let Some(stem) = stem(name, folder, ending) {
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
        if found.values().any(|origin| *origin == ledger.origin) {
            return Err(format!("{name}: `{}` is there twice", ledger.origin));
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
    let (stated, record) = record(leaf)?;
    if stated != seq {
        return Err(format!("the record is not that of number {seq}"));
    }
    let proof = TlogProof::parse(text(files, &format!("entries/{seq}.tlog-proof"))?)
        .map_err(|e| e.to_string())?;
    if proof.extra.is_some() {
        return Err("its proof carries data that nobody vouches for".to_owned());
    }
    let (checkpoint, ledger) = if proof.checkpoint == text(files, CHECKPOINT)? {
        if proof.index != seq {
            return Err("its place is not that of its proof".to_owned());
        }
        if !ledgers.is_empty() {
            return Err("it lies in the root log, where ledgers are".to_owned());
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

/// A leaf in the one form it is written in, with its own number.
fn record(leaf: &[u8]) -> Result<(u64, Map<String, Value>), String> {
    let value: Value = serde_json::from_slice(leaf).map_err(|e| format!("no record: {e}"))?;
    if serde_json_canonicalizer::to_vec(&value).ok().as_deref() != Some(leaf) {
        return Err("the record is not in canonical form".to_owned());
    }
    let Value::Object(record) = value else {
        return Err("the record is no object".to_owned());
    };
    let seq = record.get("seq").and_then(Value::as_u64);
    let kind = record.get("type").and_then(Value::as_str);
    match (seq, kind) {
        (Some(seq), Some(_)) => Ok((seq, record)),
        _ => Err("the record has no number or no type".to_owned()),
    }
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
