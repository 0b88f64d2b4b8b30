//! The ledgers as people ask for them.

use std::sync::Arc;

use console::{
    CheckpointView, EpochView, LedgerFile, LedgerOf, LedgerView, LedgersView, OfficeError, Receipt,
    ReceiptView,
};
use facts::AccountId;
use store::{Database, HOUSE};

use super::people::refused;
use crate::keeper::Keeper;
use crate::ledger::{Ledger, LedgerError, Published, ReadError, Standing, Whose};

/// Ledgers read at once.
const LEDGERS: u32 = 1_000;

pub(super) fn failed(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the ledger: {error}"))
}

pub(super) fn unsigned(error: &LedgerError) -> OfficeError {
    OfficeError::Unavailable(error.to_string())
}

pub(super) fn unread(error: ReadError) -> OfficeError {
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
