//! Does a bundle hold? Checked offline, trusting nobody but whom the caller
//! names.
//!
//! Each part is proven, unproven or wrong. What is wrong fails the bundle;
//! what is absent, or rests on nothing that the caller trusts, is unproven and
//! never a pass.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::bundle::{
    CHAIN, CHECKPOINT, Files, KIND, PAYLOAD, POLICY, PREDICATE, STATEMENT, TIMESTAMP, VKEY,
    accused, pack, unpack,
};
use crate::checkpoint::{Note, Verifier};
use crate::policy::Policy;

mod coverage;
mod entries;
mod inputs;
mod parts;

pub use entries::Disclosed;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything asked for is proven.
    Ok,
    /// Something was altered, added or dropped, or is signed by another key.
    Failed,
    /// These bytes are no bundle.
    Malformed,
    /// Nothing is wrong, but something asked for is not proven.
    Unproven,
}

impl Verdict {
    /// The exit code of `fairhold verify`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Malformed => 2,
            Self::Unproven => 3,
        }
    }

    /// The word that is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Malformed => "malformed",
            Self::Unproven => "unproven",
        }
    }
}

/// The parts of a bundle that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Whose log it is.
    Key,
    /// What the bundle says and which files it holds.
    Statement,
    /// The steps of the case and the records it rests on: what its findings counted is among them.
    Entries,
    /// Others who saw the log's checkpoint.
    Witnesses,
    /// When the checkpoint existed, by a timestamp authority.
    Timestamp,
    /// The inputs of the rulings on the disclosed requests.
    Rulings,
    /// The inputs of the detector's score.
    Detector,
    /// The bodies behind the commitments.
    Bodies,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Key,
        Self::Statement,
        Self::Entries,
        Self::Witnesses,
        Self::Timestamp,
        Self::Rulings,
        Self::Detector,
        Self::Bodies,
    ];

    /// The word that is written and printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Statement => "statement",
            Self::Entries => "entries",
            Self::Witnesses => "witnesses",
            Self::Timestamp => "timestamp",
            Self::Rulings => "rulings",
            Self::Detector => "detector",
            Self::Bodies => "bodies",
        }
    }

    /// The part that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.word() == word)
    }
}

/// Whom the caller trusts, and what it asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// The log's verifier key from a source other than the bundle.
    pub key: Option<&'a str>,
    /// The caller's own trust policy, as bytes; it may name the log as well.
    pub policy: Option<&'a [u8]>,
    /// Certificates of timestamp authorities, PEM.
    pub authorities: Option<&'a [u8]>,
    /// Take the bundle's own key for the log's: shows that the bundle is
    /// whole, not whose it is.
    pub bundle_key: bool,
    /// Parts asked for beside those that always are; none asks for rulings and
    /// detector, which a case is made of.
    pub ask: Option<&'a [Part]>,
}

/// What was found out about one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part.
    pub part: Part,
    /// Whether it is proven.
    pub proven: bool,
    /// Whether it was asked for.
    pub asked: bool,
    /// In words.
    pub what: String,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What came of it.
    pub verdict: Verdict,
    /// The case, once the statement's signature holds.
    pub case: Option<String>,
    /// Entries proven to be in the log.
    pub entries: usize,
    /// Ledgers proven to be under the root's checkpoint.
    pub ledgers: usize,
    /// The key under which everything was checked.
    pub key: Option<String>,
    /// Whether that key was given by whoever checks; else it is the bundle's own claim.
    pub key_was_given: bool,
    /// Part by part.
    pub parts: Vec<Finding>,
    /// The first thing that does not hold.
    pub fault: Option<String>,
}

impl Report {
    fn fault(verdict: Verdict, fault: impl Into<String>) -> Self {
        Self {
            verdict,
            case: None,
            entries: 0,
            ledgers: 0,
            key: None,
            key_was_given: false,
            parts: Vec::new(),
            fault: Some(fault.into()),
        }
    }
}

/// What the statement says.
#[derive(Debug, Clone, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Debug, Clone, Deserialize)]
struct Subject {
    name: String,
    digest: std::collections::BTreeMap<String, String>,
}

/// What the log's operator says of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Predicate {
    /// The case's id.
    pub case: String,
    /// The statement of reasons, in words.
    pub statement: String,
    /// The case's steps as canonical JSON, in order.
    pub steps: Vec<String>,
}

/// A bundle that is whole, opened for reading.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What was found out.
    pub report: Report,
    /// What the operator says.
    pub predicate: Predicate,
    /// The disclosed entries, in the log's order.
    pub entries: Vec<Disclosed>,
    /// Every file.
    pub files: Files,
}

/// Checks a bundle.
pub fn verify(bundle: &[u8], trust: &Trust<'_>) -> Report {
    match open(bundle, trust) {
        Ok(opened) => opened.report,
        Err(report) => *report,
    }
}

/// Checks a bundle and gives what is in it, unless something is wrong.
///
/// # Errors
/// The report, when the bundle is malformed or failed.
pub fn open(bundle: &[u8], trust: &Trust<'_>) -> Result<Opened, Box<Report>> {
    let fault = |verdict, what: &str| Err(Box::new(Report::fault(verdict, what)));
    let ours = bundle
        .windows(STATEMENT.len())
        .any(|w| w == STATEMENT.as_bytes());
    let Some(files) = unpack(bundle) else {
        return if ours {
            fault(Verdict::Failed, "the archive was damaged")
        } else {
            fault(Verdict::Malformed, "this is not an evidence bundle")
        };
    };
    if !ours {
        return fault(
            Verdict::Malformed,
            &format!("the archive holds no {STATEMENT}"),
        );
    }
    check(bundle, files, trust).map_err(|what| Box::new(Report::fault(Verdict::Failed, what)))
}

fn check(bundle: &[u8], files: Files, trust: &Trust<'_>) -> Result<Opened, String> {
    if pack(&files).ok().as_deref() != Some(bundle) {
        return Err(
            "the archive is not as it was written: bytes outside its files were altered".to_owned(),
        );
    }
    let policy = trust.policy.map(Policy::parse).transpose();
    let policy = policy.map_err(|e| e.to_string())?;
    let log = claimed(&files, trust, policy.as_ref())?;
    let statement = statement(&files, &log)?;
    subjects(&files, &statement)?;
    let note = Note::parse(text(&files, CHECKPOINT)?).map_err(|e| format!("{CHECKPOINT}: {e}"))?;
    let root = log
        .open_note(&note)
        .map_err(|e| format!("{CHECKPOINT}: {e}"))?;
    let (entries, ledgers) = entries::check(&files, &log, &root)?;
    entries::steps(&statement.predicate, &entries)?;
    let given = parts::Given {
        trust,
        policy: policy.as_ref(),
        files: &files,
        note: &note,
    };
    let accused = accused(&statement.predicate.steps);
    let of_case = (statement.predicate.case.as_str(), entries.as_slice());
    let parts = parts::all(&given, of_case, ledgers, &accused)?;
    let proven = parts.iter().all(|part| part.proven || !part.asked);
    let report = Report {
        verdict: if proven {
            Verdict::Ok
        } else {
            Verdict::Unproven
        },
        case: Some(statement.predicate.case.clone()),
        entries: entries.len(),
        ledgers,
        key: Some(log.vkey()),
        key_was_given: given.key_was_given(),
        parts,
        fault: None,
    };
    Ok(Opened {
        report,
        predicate: statement.predicate,
        entries,
        files,
    })
}

fn text<'a>(files: &'a Files, name: &str) -> Result<&'a str, String> {
    let bytes = files
        .get(name)
        .ok_or_else(|| format!("{name} is missing"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("{name} is not text"))
}

/// The bundle's key, if it is the one that the caller trusts or the caller
/// trusts none.
fn claimed(files: &Files, trust: &Trust<'_>, policy: Option<&Policy>) -> Result<Verifier, String> {
    let claimed = text(files, VKEY)?;
    let log = Verifier::parse(claimed).map_err(|e| format!("{VKEY}: {e}"))?;
    if let Some(key) = trust.key
        && key.trim() != claimed
    {
        return Err(format!(
            "the bundle is signed under {claimed}, not under the key given"
        ));
    }
    let logs = policy.map(Policy::logs).unwrap_or_default();
    if !logs.is_empty() && !logs.iter().any(|known| known.key == log) {
        return Err(format!(
            "the bundle is signed under {claimed}, no log that the trust policy names"
        ));
    }
    Ok(log)
}

fn statement(files: &Files, log: &Verifier) -> Result<Statement, String> {
    let wrong = |what: &str| format!("{STATEMENT}: {what}");
    let envelope = files.get(STATEMENT).map(Vec::as_slice).unwrap_or_default();
    let payload = crate::dsse::open(log, PAYLOAD, envelope).map_err(|e| wrong(&e.to_string()))?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|e| wrong(&e.to_string()))?;
    if statement.kind == KIND && statement.predicate_type == PREDICATE {
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
