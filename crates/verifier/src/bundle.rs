//! The evidence bundle as an archive: one ZIP file, the same bytes for the
//! same files.
//!
//! Everything in it hangs on signatures of the log's key: that of the root's
//! checkpoint, under which the ledgers are proven; those of the ledgers'
//! checkpoints, under which the entries are; and that of the statement, which
//! names every other file by its SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The file that names all others.
pub const STATEMENT: &str = "statement.dsse.json";
/// The root's signed checkpoint, with its witnesses' signatures.
pub const CHECKPOINT: &str = "checkpoint";
/// The verifier key that the bundle claims.
pub const VKEY: &str = "log.vkey";
/// Whom the log asks as witnesses, by its own account.
pub const POLICY: &str = "trust.policy";
/// The timestamp over the root's checkpoint.
pub const TIMESTAMP: &str = "checkpoint.tsr";
/// The certificates behind the timestamp.
pub const CHAIN: &str = "tsa/chain.pem";
/// How to check the bundle without our software.
pub const HOWTO: &str = "VERIFY.md";
/// How much of each accused account is disclosed, and how much there was.
pub const DISCLOSURE: &str = "disclosure.json";
/// Exchanges of one account that a bundle discloses at most, where its case counted more.
pub const EXCHANGES_MAX: usize = 1_000;
/// An account's first records are disclosed up to this many at least, if so many are needed to
/// reach the exchanges that the case counted.
pub const RECORDS_MAX: usize = 4 * EXCHANGES_MAX;
/// The type of the DSSE payload.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";
/// The type of the in-toto statement.
pub const KIND: &str = "https://in-toto.io/Statement/v1";
/// The type of what it says.
pub const PREDICATE: &str = "https://fairhold.dev/case/v1";

/// The files of a bundle, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The archive: names in order, nothing compressed, one fixed date.
///
/// # Errors
/// When the archive cannot hold them.
pub fn pack(files: &Files) -> zip::result::ZipResult<Vec<u8>> {
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
pub fn unpack(bytes: &[u8]) -> Option<Files> {
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

/// The ledger of an account in a log; none: that of records that concern no account. Every ledger
/// is signed by the log's key under its own origin: the root log's, which differs from epoch to
/// epoch, and the first 16 bytes of a SHA-256 of the account. So the public root log spells no
/// customer's name (who guesses one can check the guess), and everybody can tell that an account
/// has one ledger and which.
pub fn ledger_origin(root: &str, account: Option<&str>) -> String {
    let digest = match account {
        Some(account) => Sha256::new()
            .chain_update(b"fairhold account\0")
            .chain_update(account),
        None => Sha256::new().chain_update(b"fairhold house\0"),
    };
    let digest = hex::encode(digest.finalize());
    format!("{root}/{}", digest.get(..32).unwrap_or(&digest))
}

/// The log's name without its epoch.
pub fn log_name(log: &str) -> &str {
    match log.rsplit_once('@') {
        Some((name, epoch))
            if !name.is_empty()
                && !epoch.is_empty()
                && epoch.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => log,
    }
}

/// The accounts that the case's steps name.
pub fn accused(steps: &[String]) -> BTreeSet<String> {
    let steps = steps.iter().map(String::as_str).map(serde_json::from_str);
    let accounts = steps.flatten().filter_map(|step: Value| {
        // An observation opens a case; in the first form of steps a proposal did.
        let named = step
            .pointer("/step/observed/accounts")
            .or_else(|| step.pointer("/proposal/accounts"));
        named?.as_array().cloned()
    });
    accounts
        .flatten()
        .filter_map(|account| account.as_str().map(str::to_owned))
        .collect()
}
