//! The evidence bundle of a case: one ZIP file, the same bytes for the same case.
//!
//! Everything in it hangs on two signatures of the log's key: that of the
//! checkpoint, under which every entry is proven, and that of the statement,
//! which names every other file by its SHA-256.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use verifier::proof::TlogProof;

use crate::checkpoint::LogKey;
use crate::merkle::Hash;

/// The file that names all others.
pub(crate) const STATEMENT: &str = "statement.dsse.json";
/// The signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The verifier key that the bundle claims.
pub(crate) const VKEY: &str = "log.vkey";
/// The type of the DSSE payload.
pub(crate) const PAYLOAD: &str = "application/vnd.in-toto+json";
const HOWTO: &str = include_str!("bundle/VERIFY.md");

/// A leaf with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub seq: u64,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// Its inclusion proof under the checkpoint.
    pub proof: Vec<Hash>,
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
    /// The log's key.
    pub key: &'a LogKey,
    /// The signed checkpoint that the proofs are for.
    pub checkpoint: &'a str,
    /// The leaves that the case rests on.
    pub entries: &'a [Entry],
    /// Further files: (name, bytes), for example `detector/report.json`.
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
/// [`BundleError`] when a file's name is taken, or the archive cannot hold it.
pub fn write(input: &Input<'_>) -> Result<Vec<u8>, BundleError> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    files.insert(CHECKPOINT.to_owned(), input.checkpoint.as_bytes().to_vec());
    files.insert(VKEY.to_owned(), input.key.vkey().into_bytes());
    files.insert("VERIFY.md".to_owned(), HOWTO.as_bytes().to_vec());
    for entry in input.entries {
        files.insert(format!("entries/{}.json", entry.seq), entry.leaf.clone());
        let proof = proof_text(entry, input.checkpoint);
        files.insert(
            format!("entries/{}.tlog-proof", entry.seq),
            proof.into_bytes(),
        );
    }
    for (name, bytes) in input.extra {
        if name == STATEMENT || files.insert(name.clone(), bytes.clone()).is_some() {
            return Err(BundleError(format!("two files are called `{name}`")));
        }
    }
    let subject: Vec<_> = files
        .iter()
        .map(|(name, bytes)| json!({"name": name, "digest": {"sha256": hex::encode(Sha256::digest(bytes))}}))
        .collect();
    let payload = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://fairhold.dev/case/v1",
        "predicate": {"case": input.case, "statement": input.statement, "steps": input.steps},
    });
    let payload =
        serde_json_canonicalizer::to_vec(&payload).map_err(|e| BundleError(e.to_string()))?;
    let envelope =
        crate::dsse::sign(input.key, PAYLOAD, &payload).map_err(|e| BundleError(e.to_string()))?;
    files.insert(STATEMENT.to_owned(), envelope);
    pack(&files).map_err(|e| BundleError(e.to_string()))
}

/// C2SP tlog-proof.
pub(crate) fn proof_text(entry: &Entry, checkpoint: &str) -> String {
    TlogProof {
        extra: None,
        index: entry.seq,
        hashes: entry.proof.clone(),
        checkpoint: checkpoint.to_owned(),
    }
    .to_string()
}

/// The archive: names in order, nothing compressed, one fixed date.
pub(crate) fn pack(files: &BTreeMap<String, Vec<u8>>) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The files of an archive that [`pack`] could have written; none otherwise.
pub(crate) fn unpack(bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut files = BTreeMap::new();
    // Stored files together cannot be larger than the archive that stores them:
    // a small archive that claims otherwise is not ours and fills no memory.
    let mut left = bytes.len() as u64;
    for n in 0..archive.len() {
        let file = archive.by_index(n).ok()?;
        if file.compression() != CompressionMethod::Stored {
            return None;
        }
        left = left.checked_sub(file.size())?;
        let mut content = Vec::new();
        let mut file = file.take(bytes.len() as u64);
        file.read_to_end(&mut content).ok()?;
        let file = file.into_inner();
        files.insert(file.name().to_owned(), content);
    }
    Some(files)
}
