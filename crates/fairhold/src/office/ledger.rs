//! The ledgers as people ask for them, and the bundle of a case under them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cases::Case;
use console::{
    CheckpointView, EpochView, LedgerFile, LedgerOf, LedgerView, LedgersView, OfficeError, Receipt,
    ReceiptView,
};
use evidence::bundle::{Entry, Input, Ledger as Disclosed, Timestamp, write};
use evidence::{Event, Record};
use facts::AccountId;
use store::{Database, HOUSE, JournalRow};

use super::evidence_parts;
use super::people::refused;
use crate::judge::Documents;
use crate::keeper::{Keeper, KeeperError};
use crate::ledger::{Ledger, LedgerError, Published, ReadError, Standing, Whose};
use crate::tsa::Tsa;

/// Records read at once while a case's steps are looked for.
const PAGE: u64 = 10_000;
/// Records of each accused account that go into a bundle: its first ones.
const RECORDS_OF_ACCOUNT: u32 = 4;
/// Accounts whose records go into a bundle.
const ACCOUNTS: usize = 100;
/// Ledgers read at once.
const LEDGERS: u32 = 1_000;

fn failed(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the ledger: {error}"))
}

fn unsigned(error: &LedgerError) -> OfficeError {
    OfficeError::Unavailable(error.to_string())
}

fn unread(error: ReadError) -> OfficeError {
    match error {
        ReadError::Absent => OfficeError::NotFound("the ledger has no such file".to_owned()),
        ReadError::NotYet => {
            OfficeError::Unavailable("nothing is sealed yet; try again in a second".to_owned())
        }
        ReadError::Refused(error) => unsigned(&error),
        ReadError::Broken(what) => failed(format!("{what}; `fairhold fsck` names what differs")),
    }
}

/// Seals and signs what is recorded now.
pub(super) async fn checkpoint(ledger: &Arc<Ledger>) -> Result<CheckpointView, OfficeError> {
    let published = ledger.seal().await.map_err(|e| unsigned(&e))?;
    Ok(view(ledger, &published))
}

fn view(ledger: &Arc<Ledger>, published: &Published) -> CheckpointView {
    CheckpointView {
        size: published.checkpoint.size,
        note: published.note.clone(),
        vkey: ledger.vkey_of(&published.checkpoint.origin),
    }
}

fn whose(of: &LedgerOf) -> Result<Whose, OfficeError> {
    Ok(match of {
        LedgerOf::Root => Whose::Root,
        LedgerOf::House => Whose::House,
        LedgerOf::Account(account) => {
            let id = AccountId::parse(account);
            Whose::Account(id.map_err(|e| OfficeError::Invalid(e.to_string()))?)
        }
    })
}

/// One file.
pub(super) async fn file(
    ledger: &Arc<Ledger>,
    of: &LedgerOf,
    epoch: Option<u64>,
    path: &str,
) -> Result<LedgerFile, OfficeError> {
    sealed_once(ledger).await?;
    let file = ledger.file(&whose(of)?, epoch, path).await;
    let file = file.map_err(unread)?;
    Ok(LedgerFile {
        bytes: file.bytes,
        immutable: file.immutable,
    })
}

/// A command without a server seals by asking; a server has its own round.
async fn sealed_once(ledger: &Arc<Ledger>) -> Result<(), OfficeError> {
    ledger.seal_first().await.map_err(|e| unsigned(&e))
}

/// A record's receipt.
pub(super) async fn receipt(
    ledger: &Arc<Ledger>,
    account: Option<&str>,
    seq: u64,
) -> Result<Receipt, OfficeError> {
    let account = account.map(AccountId::parse).transpose();
    let account = account.map_err(|e| OfficeError::Invalid(e.to_string()))?;
    sealed_once(ledger).await?;
    let receipt = match ledger.receipt(account.as_ref(), seq).await {
        Ok(receipt) => receipt,
        Err(ReadError::NotYet) => return Ok(Receipt::NotYet),
        Err(ReadError::Absent) => {
            let what = format!("there is no record {seq} that your key may read");
            return Err(OfficeError::NotFound(what));
        }
        Err(error) => return Err(unread(error)),
    };
    Ok(Receipt::Sealed(Box::new(ReceiptView {
        seq,
        record: String::from_utf8(receipt.leaf).map_err(failed)?,
        proof: receipt.record.to_string(),
        ledger_vkey: ledger.vkey_of(&receipt.ledger_origin),
        ledger: receipt.body,
        ledger_proof: receipt.ledger.to_string(),
        vkey: ledger.vkey_of(&receipt.root_origin),
    })))
}

/// Every epoch, and every ledger of the last.
pub(super) async fn all(
    ledger: &Arc<Ledger>,
    database: &Database,
) -> Result<LedgersView, OfficeError> {
    // A refusal is told in the answer.
    let refused = match sealed_once(ledger).await {
        Err(why) => Some(why.to_string()),
        Ok(()) => match ledger.standing() {
            Standing::Refused(refusal) => Some(refusal.to_string()),
            Standing::Unconfirmed(why) => Some(LedgerError::Unconfirmed(why).to_string()),
            Standing::Starting | Standing::Signed(_) => None,
        },
    };
    let epochs = database.epochs().await.map_err(failed)?;
    let mut ledgers = Vec::new();
    let mut policy = ledger.witnesses().policy(&ledger.key().vkey());
    if let Some(last) = epochs.last() {
        policy = ledger.witnesses().policy(&ledger.vkey_of(&last.origin));
        let mut after: Option<String> = None;
        loop {
            let page = database.ledgers(last.epoch, after.as_deref(), LEDGERS);
            let page = page.await.map_err(failed)?;
            let Some(row) = page.last() else { break };
            after = Some(row.ledger.clone());
            ledgers.extend(page.into_iter().map(|row| LedgerView {
                account: Some(row.ledger).filter(|ledger| ledger != HOUSE),
                origin: row.origin,
                size: row.size,
            }));
        }
    }
    let epoch = |row: store::EpochRow| EpochView {
        epoch: row.epoch,
        origin: row.origin,
        began: row.began_at.rfc3339(),
        reason: row.reason,
        size: row.size,
        sealed: row.sealed,
    };
    Ok(LedgersView {
        refused,
        policy,
        epochs: epochs.into_iter().map(epoch).collect(),
        ledgers,
    })
}

/// Begins a new epoch, recorded with its reason first.
pub(super) async fn rotate(
    keeper: &Keeper,
    ledger: &Arc<Ledger>,
    reason: &str,
) -> Result<CheckpointView, OfficeError> {
    if reason.trim().is_empty() || reason.len() > 2_000 {
        let what = "say why in 1 to 2,000 characters: everybody will read it";
        return Err(OfficeError::Invalid(what.to_owned()));
    }
    keeper
        .note("ledger_rotated", reason)
        .await
        .map_err(refused)?;
    let published = ledger.rotate(reason).await.map_err(|e| unsigned(&e))?;
    Ok(view(ledger, &published))
}

/// What an export needs.
pub(super) struct Desk<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) tsa: Option<&'a Tsa>,
    pub(super) terms: Option<&'a Documents>,
    pub(super) folder: &'a Path,
}

impl Desk<'_> {
    /// The inputs of the rulings on these records, and of the accused accounts' scores.
    async fn parts(
        &self,
        case: &Case,
        rows: &[JournalRow],
    ) -> Result<Vec<(String, Vec<u8>)>, OfficeError> {
        let leaves: Vec<Vec<u8>> = rows.iter().map(|row| row.leaf.clone()).collect();
        let accused = case.accounts();
        let accused = accused.get(..ACCOUNTS).unwrap_or(accused);
        let mut parts = evidence_parts::rulings(self.keeper, self.terms, &leaves)?;
        parts.extend(evidence_parts::detector(self.keeper, self.folder, accused).await?);
        Ok(parts.into_iter().collect())
    }
}

/// The evidence bundle of a case.
pub(super) async fn export(desk: &Desk<'_>, case: &Case) -> Result<Vec<u8>, OfficeError> {
    let (keeper, ledger, tsa) = (desk.keeper, desk.ledger, desk.tsa);
    let published = ledger.seal().await.map_err(|e| unsigned(&e))?;
    let database = keeper.database();
    let mut rows = steps_of(database, case, published.sealed).await?;
    for account in case.accounts().iter().take(ACCOUNTS) {
        let of_account = database.records_of_account(account, None, RECORDS_OF_ACCOUNT);
        rows.extend(of_account.await.map_err(failed)?);
    }
    rows.retain(|row| row.seq < published.sealed);
    rows.sort_by_key(|row| row.seq);
    rows.dedup_by_key(|row| row.seq);
    let extra = desk.parts(case, &rows).await?;
    let mut ledgers: BTreeMap<u64, Disclosed> = BTreeMap::new();
    for row in rows {
        let receipt = ledger.receipt_under(&published, row).await;
        let receipt = receipt.map_err(unread)?;
        let (place, proof) = (receipt.ledger.index, receipt.ledger.hashes);
        let checkpoint = receipt.record.checkpoint;
        let of = ledgers.entry(place).or_insert_with(|| Disclosed {
            checkpoint,
            place,
            proof,
            entries: Vec::new(),
        });
        of.entries.push(Entry {
            seq: receipt.seq,
            index: receipt.record.index,
            leaf: receipt.leaf,
            proof: receipt.record.hashes,
        });
    }
    let ledgers: Vec<Disclosed> = ledgers.into_values().collect();
    let steps: Vec<String> = case.steps().iter().map(cases::Step::canonical).collect();
    let origin = &published.checkpoint.origin;
    let key = ledger.key().under(origin).map_err(failed)?;
    write(&Input {
        case: case.id().as_str(),
        statement: &case.statement(),
        steps: &steps,
        key: &key,
        checkpoint: &published.note,
        ledgers: &ledgers,
        entries: &[],
        policy: Some(&ledger.witnesses().policy(&key.vkey())),
        timestamp: timestamp(tsa, &published.note).await.as_ref(),
        extra: &extra,
    })
    .map_err(failed)
}

/// A timestamp over a checkpoint. A bundle without one is a bundle: it only proves less.
async fn timestamp(tsa: Option<&Tsa>, note: &str) -> Option<Timestamp> {
    match tsa?.stamp(note.as_bytes()).await {
        Ok(timestamp) => Some(timestamp),
        Err(why) => {
            tracing::error!("the bundle goes without a timestamp: {why}");
            None
        }
    }
}

/// The records of the case's steps. The log is read through: cases are few,
/// and so are exports.
async fn steps_of(
    database: &Database,
    case: &Case,
    size: u64,
) -> Result<Vec<JournalRow>, OfficeError> {
    let mut found = Vec::new();
    for from in (0..size).step_by(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
        let page = database.records(from..(from + PAGE).min(size)).await;
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
