//! Checking a bundle offline, trusting nobody but the log's key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use verifier::proof::TlogProof;

use crate::bundle::{CHECKPOINT, PAYLOAD, STATEMENT, VKEY, pack, unpack};
use crate::checkpoint::{Checkpoint, Verifier};
use crate::merkle::{Hash, leaf_hash, verify_inclusion};
use crate::{Event, Record};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything holds.
    Ok,
    /// Something was altered, added or dropped, or is signed by another key.
    Failed,
    /// These bytes are no bundle.
    Malformed,
}

impl Verdict {
    /// The exit code of `fairhold verify`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Malformed => 2,
        }
    }

    /// The word that is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Malformed => "malformed",
        }
    }
}

/// What was found out, file by file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What came of it.
    pub verdict: Verdict,
    /// The case, once the statement's signature holds.
    pub case: Option<String>,
    /// Entries proven to be in the log.
    pub entries: usize,
    /// The key under which everything was checked.
    pub key: Option<String>,
    /// Whether that key was given by whoever checks; else it is the bundle's own claim.
    pub key_was_given: bool,
    /// The first thing that does not hold.
    pub fault: Option<String>,
}

impl Report {
    fn fault(verdict: Verdict, fault: impl Into<String>) -> Self {
        Self {
            verdict,
            case: None,
            entries: 0,
            key: None,
            key_was_given: false,
            fault: Some(fault.into()),
        }
    }
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Predicate {
    case: String,
    steps: Vec<String>,
}

/// Checks a bundle. `trusted` is the log's verifier key from a source other
/// than the bundle; without it the bundle's own is used, and the report says so.
pub fn verify(bundle: &[u8], trusted: Option<&str>) -> Report {
    let ours = bundle
        .windows(STATEMENT.len())
        .any(|w| w == STATEMENT.as_bytes());
    let Some(files) = unpack(bundle) else {
        return if ours {
            Report::fault(Verdict::Failed, "the archive was damaged")
        } else {
            Report::fault(Verdict::Malformed, "this is not an evidence bundle")
        };
    };
    if !ours {
        return Report::fault(
            Verdict::Malformed,
            format!("the archive holds no {STATEMENT}"),
        );
    }
    match check(bundle, &files, trusted) {
        Ok(report) => report,
        Err(fault) => Report::fault(Verdict::Failed, fault),
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn check(bundle: &[u8], files: &Files, trusted: Option<&str>) -> Result<Report, String> {
    if pack(files).ok().as_deref() != Some(bundle) {
        return Err(
            "the archive is not as it was written: bytes outside its files were altered".to_owned(),
        );
    }
    let claimed = text(files, VKEY)?;
    if let Some(trusted) = trusted
        && trusted.trim() != claimed
    {
        return Err(format!(
            "the bundle is signed under {claimed}, not under the key given"
        ));
    }
    let verifier = Verifier::parse(claimed).map_err(|e| format!("{VKEY}: {e}"))?;
    let statement = statement(files, &verifier)?;
    subjects(files, &statement)?;
    let note = text(files, CHECKPOINT)?;
    let checkpoint = verifier
        .open(note)
        .map_err(|e| format!("{CHECKPOINT}: {e}"))?;
    let entries = entries(files, note, &checkpoint)?;
    steps(&statement.predicate, &entries)?;
    Ok(Report {
        verdict: Verdict::Ok,
        case: Some(statement.predicate.case),
        entries: entries.len(),
        key: Some(claimed.to_owned()),
        key_was_given: trusted.is_some(),
        fault: None,
    })
}

fn text<'a>(files: &'a Files, name: &str) -> Result<&'a str, String> {
    let bytes = files
        .get(name)
        .ok_or_else(|| format!("{name} is missing"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("{name} is not text"))
}

fn statement(files: &Files, verifier: &Verifier) -> Result<Statement, String> {
    let wrong = |what: &str| format!("{STATEMENT}: {what}");
    let envelope = files.get(STATEMENT).map(Vec::as_slice).unwrap_or_default();
    let payload =
        verifier::dsse::open(verifier, PAYLOAD, envelope).map_err(|e| wrong(&e.to_string()))?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|e| wrong(&e.to_string()))?;
    if statement.kind == "https://in-toto.io/Statement/v1" {
        Ok(statement)
    } else {
        Err(wrong("it is of a kind that is not known"))
    }
}

/// The statement names every other file, and no more.
fn subjects(files: &Files, statement: &Statement) -> Result<(), String> {
    let named: BTreeSet<&str> = statement.subject.iter().map(|s| s.name.as_str()).collect();
    let there: BTreeSet<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|name| *name != STATEMENT)
        .collect();
    if let Some(odd) = named.symmetric_difference(&there).next() {
        return Err(format!(
            "{odd}: the statement and the archive do not hold the same files"
        ));
    }
    for subject in &statement.subject {
        let bytes = files
            .get(&subject.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if subject.digest.get("sha256") != Some(&hex::encode(Sha256::digest(bytes))) {
            return Err(format!("{}: it was altered", subject.name));
        }
    }
    Ok(())
}

/// Every entry is a record of the log, proven at its place under the checkpoint.
fn entries(files: &Files, note: &str, checkpoint: &Checkpoint) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for (name, leaf) in files {
        let Some(seq) = name
            .strip_prefix("entries/")
            .and_then(|n| n.strip_suffix(".json"))
        else {
            continue;
        };
        let (place, record) = Record::parse(leaf).map_err(|e| format!("{name}: {e}"))?;
        let proof_name = format!("entries/{seq}.tlog-proof");
        let (index, proof) = proof(text(files, &proof_name)?, note)
            .ok_or_else(|| format!("{proof_name}: it is not a proof under this checkpoint"))?;
        if place != index || place.to_string() != seq {
            return Err(format!("{name}: its place is not that of its proof"));
        }
        verify_inclusion(
            &leaf_hash(leaf),
            index,
            checkpoint.size,
            &proof,
            &checkpoint.root,
        )
        .map_err(|e| format!("{name}: {e}"))?;
        records.push(record);
    }
    Ok(records)
}

fn proof(text: &str, note: &str) -> Option<(u64, Vec<Hash>)> {
    let proof = TlogProof::parse(text).ok()?;
    (proof.checkpoint == note && proof.extra.is_none()).then_some((proof.index, proof.hashes))
}

/// Every step of the case is in the log: its digest stands in one of the entries.
fn steps(predicate: &Predicate, entries: &[Record]) -> Result<(), String> {
    let logged: BTreeSet<[u8; 32]> = entries
        .iter()
        .filter_map(|record| match &record.event {
            Event::CaseStep { case, digest, .. } if case.as_str() == predicate.case => {
                Some(*digest)
            }
            _ => None,
        })
        .collect();
    for (n, step) in predicate.steps.iter().enumerate() {
        let digest: [u8; 32] = Sha256::digest(step).into();
        if !logged.contains(&digest) {
            return Err(format!(
                "step {n} of the case is not among the log's entries"
            ));
        }
    }
    if predicate.steps.is_empty() {
        Err("the case has no steps".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
