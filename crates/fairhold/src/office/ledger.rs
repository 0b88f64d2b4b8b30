//! The ledger's signed word, and the bundle of a case under it.

use cases::Case;
use console::{CheckpointView, OfficeError};
use evidence::bundle::{Entry, Input, write};
use evidence::checkpoint::LogKey;
use evidence::{Event, Record};
use store::{Checkpoint, JournalRow};

use super::people::refused;
use crate::keeper::{Keeper, KeeperError};

/// Records read at once while a case's steps are looked for.
const PAGE: u64 = 10_000;
/// Records of each accused account that go into a bundle: its first ones.
const RECORDS_OF_ACCOUNT: u32 = 4;
/// Accounts whose records go into a bundle.
const ACCOUNTS: usize = 100;

fn failed(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the ledger: {error}"))
}

/// Signs the log as it is now, unless that was done already.
pub(super) async fn checkpoint(
    keeper: &Keeper,
    key: &LogKey,
) -> Result<CheckpointView, OfficeError> {
    let (size, root) = keeper.root().await.map_err(refused)?;
    let database = keeper.database();
    let latest = database.latest_checkpoint().await.map_err(failed)?;
    let view = |size, note| CheckpointView {
        size,
        note,
        vkey: key.vkey(),
    };
    match &latest {
        Some(last) if last.size > size => {
            return Err(failed(format!(
                "it signed {} records before and holds {size} now: it was restored from an old copy, nothing is signed",
                last.size
            )));
        }
        Some(last) if last.size == size => {
            return if last.root == root {
                Ok(view(size, last.note.clone()))
            } else {
                Err(failed(
                    "its records differ from those it signed; nothing is signed",
                ))
            };
        }
        _ => {}
    }
    let note = key.checkpoint(size, &root);
    let next = Checkpoint {
        size,
        root,
        note: note.clone(),
    };
    // Whoever was faster signed the same log; this note is as true as theirs.
    database
        .advance_checkpoint(latest.map(|c| c.size), &next)
        .await
        .map_err(failed)?;
    Ok(view(size, note))
}

/// The evidence bundle of a case.
pub(super) async fn export(
    keeper: &Keeper,
    key: &LogKey,
    case: &Case,
) -> Result<Vec<u8>, OfficeError> {
    let checkpoint = checkpoint(keeper, key).await?;
    let mut rows = steps_of(keeper, case, checkpoint.size).await?;
    for account in case.proposal().accounts.iter().take(ACCOUNTS) {
        let of_account = keeper
            .database()
            .records_of_account(account, None, RECORDS_OF_ACCOUNT);
        rows.extend(of_account.await.map_err(failed)?);
    }
    rows.retain(|row| row.seq < checkpoint.size);
    rows.sort_by_key(|row| row.seq);
    rows.dedup_by_key(|row| row.seq);
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let proof = keeper
            .proof(row.seq, checkpoint.size)
            .await
            .ok_or_else(|| failed("a proof is missing"))?;
        entries.push(Entry {
            seq: row.seq,
            index: row.seq,
            leaf: row.leaf,
            proof,
        });
    }
    let steps: Vec<String> = case.steps().iter().map(cases::Step::canonical).collect();
    write(&Input {
        case: case.id().as_str(),
        statement: &case.statement(),
        steps: &steps,
        key,
        checkpoint: &checkpoint.note,
        ledgers: &[],
        entries: &entries,
        policy: None,
        timestamp: None,
        extra: &[],
    })
    .map_err(failed)
}

/// The records of the case's steps. The log is read through: cases are few,
/// and so are exports.
async fn steps_of(keeper: &Keeper, case: &Case, size: u64) -> Result<Vec<JournalRow>, OfficeError> {
    let mut found = Vec::new();
    for from in (0..size).step_by(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
        let page = keeper
            .database()
            .records(from..(from + PAGE).min(size))
            .await;
        let page = page.map_err(|e| refused(KeeperError::Store(e)))?;
        let ours = |row: &JournalRow| {
            row.kind == "case_step"
                && Record::parse(&row.leaf)
                    .is_ok_and(|(_, r)| matches!(&r.event, Event::CaseStep { case: id, .. } if id == case.id()))
        };
        found.extend(page.into_iter().filter(ours));
    }
    Ok(found)
}
