//! A signed statement over the corpus that was read: in-toto, in a DSSE envelope.

use std::io;
use std::path::Path;

use evidence::checkpoint::LogKey;
use evidence::dsse;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::scan::Scanned;
use crate::failure::Failure;

/// The kind of payload, as in-toto names it.
const KIND: &str = "application/vnd.in-toto+json";
/// What the key is called.
const NAME: &str = "fairhold/audit";
/// Files that a statement names one by one.
const FILES_NAMED: usize = 1_000;

/// A signed statement.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The envelope.
    pub(crate) bytes: Vec<u8>,
    /// Its verifier key.
    pub(crate) vkey: String,
}

/// Signs a predicate about the corpus with the auditor's own key, kept in the data folder.
pub(crate) fn signed(
    data: &Path,
    scanned: &Scanned,
    (kind, predicate): (&str, Value),
) -> Result<Signed, Failure> {
    let key = key(data)?;
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject(scanned),
        "predicateType": kind,
        "predicate": predicate,
    });
    let payload = serde_json::to_vec(&statement)
        .map_err(|e| Failure::error(format!("failed to write the statement: {e}")))?;
    let bytes = dsse::sign(&key, KIND, &payload).map_err(|e| Failure::chain(&e))?;
    Ok(Signed {
        bytes,
        vkey: key.vkey(),
    })
}

/// The auditor's key, made once.
fn key(data: &Path) -> Result<LogKey, Failure> {
    let path = data.join("audit.seed");
    let fault = |e: io::Error| Failure::error(format!("failed to keep `{}`: {e}", path.display()));
    let seed: [u8; 32] = match std::fs::read(&path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| fault(io::Error::other("it does not hold 32 bytes")))?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let seed = store::random::<32>().map_err(fault)?;
            std::fs::create_dir_all(data).map_err(fault)?;
            store::write_atomically(&path, &seed, 0o600).map_err(fault)?;
            seed
        }
        Err(e) => return Err(fault(e)),
    };
    LogKey::from_seed(&seed, NAME).map_err(|e| Failure::error(e.to_string()))
}

/// One digest over all files, and each of the first files.
fn subject(scanned: &Scanned) -> Vec<Value> {
    let digests = &scanned.totals.digests;
    let mut all = vec![json!({"name": "corpus", "digest": {"sha256": corpus_digest(scanned)}})];
    all.extend(
        digests
            .iter()
            .take(FILES_NAMED)
            .map(|(name, sha256, _)| json!({"name": name, "digest": {"sha256": sha256}})),
    );
    all
}

/// SHA-256 over a line for each file, `SHA256  BYTES  NAME`, in the order in which they were read.
pub(crate) fn corpus_digest(scanned: &Scanned) -> String {
    let mut hash = Sha256::new();
    for (name, sha256, bytes) in &scanned.totals.digests {
        hash.update(format!("{sha256}  {bytes}  {name}\n"));
    }
    hex::encode(hash.finalize())
}
