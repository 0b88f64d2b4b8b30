//! Writing the evidence bundle of a case: one ZIP file, the same bytes for the
//! same case. `verifier::bundle` says what lies where, `verifier::verify`
//! checks it.
//!
//! Only the accused accounts' records are disclosed; what concerns others is
//! in it as hashes inside proofs and nothing else.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use verifier::bundle::{
    CHAIN, CHECKPOINT, Files, HOWTO, KIND, PAYLOAD, POLICY, PREDICATE, STATEMENT, TIMESTAMP, VKEY,
    accused, pack,
};
use verifier::proof::TlogProof;
use verifier::tile::entry_bundle;

use crate::checkpoint::LogKey;
use crate::merkle::Hash;

/// How a stranger checks the bundle without our software; a file of each.
pub const INSTRUCTIONS: &str = include_str!("bundle/VERIFY.md");

/// A record with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its sequence number in the journal.
    pub seq: u64,
    /// Its place in the log that proves it.
    pub index: u64,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// Its inclusion proof.
    pub proof: Vec<Hash>,
}

/// The first records of a ledger, none left out, proven together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Their leaves.
    pub leaves: Vec<Vec<u8>>,
    /// Proof (RFC 6962, section 2.1.2) that the ledger continues the tree of these alone.
    pub proof: Vec<Hash>,
}

/// A ledger with those of its records that are disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its signed checkpoint, whose text is an entry of the root log.
    pub checkpoint: String,
    /// The place of that entry.
    pub place: u64,
    /// Its inclusion proof under the root's checkpoint.
    pub proof: Vec<Hash>,
    /// Its first records.
    pub beginning: Option<Beginning>,
    /// Further records, proven one by one under the ledger's checkpoint.
    pub entries: Vec<Entry>,
}

/// A timestamp over the root's checkpoint, as [`crate::timestamp::accept`] made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// The response, DER.
    pub response: Vec<u8>,
    /// The certificates behind it, PEM.
    pub chain: Vec<u8>,
}

/// What a bundle is made of.
#[derive(Debug)]
pub struct Input<'a> {
    /// The case's id.
    pub case: &'a str,
    /// The statement of reasons, in words.
    pub statement: &'a str,
    /// The case's steps as canonical JSON, in order.
    pub steps: &'a [String],
    /// The log's key, under the root's name.
    pub key: &'a LogKey,
    /// The root's signed checkpoint, with its witnesses' signatures.
    pub checkpoint: &'a str,
    /// The ledgers that the case rests on.
    pub ledgers: &'a [Ledger],
    /// Records proven under the root itself; of a log that has no ledgers.
    pub entries: &'a [Entry],
    /// Whom the log asks as witnesses (C2SP tlog-policy).
    pub policy: Option<&'a str>,
    /// The checkpoint's timestamp.
    pub timestamp: Option<&'a Timestamp>,
    /// Further files, (name, bytes): `terms/`, `policy/`, `rulings/`,
    /// `findings/`, `detector/`, `bodies/`.
    pub extra: &'a [(String, Vec<u8>)],
}

/// Why a bundle cannot be written.
#[derive(Debug)]
pub struct BundleError(String);

impl std::fmt::Display for BundleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "write the bundle: {}", self.0)
    }
}

impl std::error::Error for BundleError {}

/// Writes a bundle.
///
/// # Errors
/// [`BundleError`] when a file's name is taken, a record is of an account that
/// is not accused, or the archive cannot hold it.
pub fn write(input: &Input<'_>) -> Result<Vec<u8>, BundleError> {
    let mut files = Files::new();
    let mut add = |name: String, bytes: Vec<u8>| {
        if name == STATEMENT || files.insert(name.clone(), bytes).is_some() {
            return Err(BundleError(format!("two files are called `{name}`")));
        }
        Ok(())
    };
    add(CHECKPOINT.to_owned(), input.checkpoint.into())?;
    add(VKEY.to_owned(), input.key.vkey().into_bytes())?;
    add(HOWTO.to_owned(), INSTRUCTIONS.into())?;
    for ledger in input.ledgers {
        let body = body(&ledger.checkpoint);
        add(format!("ledgers/{}.body", ledger.place), body)?;
        let proof = proof_text(ledger.place, &ledger.proof, input.checkpoint);
        add(format!("ledgers/{}.tlog-proof", ledger.place), proof)?;
    }
    let accused = accused(input.steps);
    for ledger in input.ledgers {
        let Some(beginning) = &ledger.beginning else {
            continue;
        };
        for leaf in &beginning.leaves {
            of_accused(leaf, &accused)?;
        }
        let leaves = beginning.leaves.iter().map(Vec::as_slice);
        let bytes = entry_bundle(leaves)
            .ok_or_else(|| BundleError("a record is longer than 65,535 bytes".to_owned()))?;
        add(format!("ledgers/{}.entries", ledger.place), bytes)?;
        let proof = hash_lines(&beginning.proof);
        add(format!("ledgers/{}.consistency", ledger.place), proof)?;
    }
    let proven = input.ledgers.iter().flat_map(|ledger| {
        let under = ledger.checkpoint.as_str();
        ledger.entries.iter().map(move |entry| (entry, under))
    });
    let bare = input.entries.iter().map(|entry| (entry, input.checkpoint));
    for (entry, checkpoint) in proven.chain(bare) {
        of_accused(&entry.leaf, &accused)?;
        add(format!("entries/{}.json", entry.seq), entry.leaf.clone())?;
        let proof = proof_text(entry.index, &entry.proof, checkpoint);
        add(format!("entries/{}.tlog-proof", entry.seq), proof)?;
    }
    if let Some(policy) = input.policy {
        add(POLICY.to_owned(), policy.into())?;
    }
    if let Some(timestamp) = input.timestamp {
        add(TIMESTAMP.to_owned(), timestamp.response.clone())?;
        add(CHAIN.to_owned(), timestamp.chain.clone())?;
    }
    for (name, bytes) in input.extra {
        add(name.clone(), bytes.clone())?;
    }
    let envelope = statement(input, &files)?;
    files.insert(STATEMENT.to_owned(), envelope);
    pack(&files).map_err(|e| BundleError(e.to_string()))
}

/// The signed statement, which names every file.
fn statement(input: &Input<'_>, files: &Files) -> Result<Vec<u8>, BundleError> {
    let payload = json!({
        "_type": KIND,
        "subject": subjects(files),
        "predicateType": PREDICATE,
        "predicate": {"case": input.case, "statement": input.statement, "steps": input.steps},
    });
    enveloped(input.key, &payload)
}

/// Every file by its digest.
fn subjects(files: &Files) -> Value {
    let each = files.iter().map(|(name, bytes)| {
        json!({"name": name, "digest": {"sha256": hex::encode(Sha256::digest(bytes))}})
    });
    each.collect()
}

fn enveloped(key: &LogKey, statement: &Value) -> Result<Vec<u8>, BundleError> {
    let payload =
        serde_json_canonicalizer::to_vec(statement).map_err(|e| BundleError(e.to_string()))?;
    crate::dsse::sign(key, PAYLOAD, &payload).map_err(|e| BundleError(e.to_string()))
}

/// What a note signs.
fn body(note: &str) -> Vec<u8> {
    let text = note.rsplit_once("\n\n").map_or(note, |(text, _)| text);
    format!("{text}\n").into_bytes()
}

/// C2SP tlog-proof.
fn proof_text(index: u64, hashes: &[Hash], checkpoint: &str) -> Vec<u8> {
    TlogProof {
        extra: None,
        index,
        hashes: hashes.to_vec(),
        checkpoint: checkpoint.to_owned(),
    }
    .to_string()
    .into_bytes()
}

/// Hashes as C2SP tlog-proof writes them: base64, one a line.
fn hash_lines(hashes: &[Hash]) -> Vec<u8> {
    let lines = hashes.iter().map(|hash| STANDARD.encode(hash) + "\n");
    lines.collect::<String>().into_bytes()
}

fn of_accused(leaf: &[u8], accused: &BTreeSet<String>) -> Result<(), BundleError> {
    let leaf: Option<Value> = serde_json::from_slice(leaf).ok();
    let field = |name: &str| leaf.as_ref().and_then(|leaf| leaf.get(name));
    match field("account").and_then(Value::as_str) {
        Some(account) if !accused.contains(account) => Err(BundleError(format!(
            "record {} is of `{account}`, which the case does not accuse",
            field("seq").and_then(Value::as_u64).unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}
