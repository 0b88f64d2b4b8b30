//! Files that the accused sent with an answer: sealed like bodies, opened for
//! whoever may read the case.

use std::sync::Arc;

use evidence::seal::{Body, Label, open, seal};
use evidence::{Commitment, Event, Record};
use facts::{AccountId, CaseId, ExchangeId};
use store::{Change, Entry, FileRow, JournalError, SealedRow};

use super::keys::InUse;
use super::{Keeper, KeeperError};

/// The label of a file: its case and digest stand where a body's exchange does.
fn exchange(case: &CaseId, sha256: &str) -> Result<ExchangeId, KeeperError> {
    ExchangeId::parse(&format!("{case}/{sha256}")).map_err(|e| KeeperError::Key(e.to_string()))
}

impl Keeper {
    /// Records that a bundle of evidence was written, with those who are told of it; false where it
    /// was told of that state of the case before.
    ///
    /// # Errors
    /// [`KeeperError::Journal`]; nobody is told.
    pub(crate) async fn evidence_sealed(&self, row: SealedRow) -> Result<bool, KeeperError> {
        let mut entry = Entry::of(Record {
            at: row.at,
            account: None,
            event: Event::Directory {
                change: "evidence_sealed".to_owned(),
                subject: format!("evidence:{}:{}", row.case_id, row.sha256),
            },
        });
        entry.change = Some(Change::Sealed(row));
        match self.journal.append(entry).await {
            Ok(_) => Ok(true),
            // Somebody else was quicker.
            Err(JournalError::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The key under which an account's files are sealed now.
    pub(crate) async fn key_of_files(
        &self,
        account: &AccountId,
    ) -> Result<Arc<InUse>, KeeperError> {
        let now = self.clock.now();
        self.keys.of(&self.database, account, None, now).await
    }

    /// Seals one file.
    pub(crate) fn seal_file(
        key: &InUse,
        case: &CaseId,
        account: &AccountId,
        (sha256, bytes): (String, &[u8]),
    ) -> Result<FileRow, KeeperError> {
        let failed = |e: &dyn std::fmt::Display| KeeperError::Key(e.to_string());
        let exchange = exchange(case, &sha256)?;
        let label = Label {
            account,
            exchange: &exchange,
            body: Body::Request,
        };
        let fresh = store::random().map_err(|e| failed(&e))?;
        let sealed = seal(key.key(), &label, &fresh, bytes).map_err(|e| failed(&e))?;
        if key.gone() {
            return Err(failed(&"the account was erased in this moment"));
        }
        Ok(FileRow {
            case_id: case.to_string(),
            sha256,
            account: account.clone(),
            commitment: sealed.commitment.0,
            key: key.id(),
            bytes: sealed.bytes,
        })
    }

    /// Opens one file of a case.
    ///
    /// # Errors
    /// [`KeeperError::Unknown`] where there is none, or its key was destroyed.
    pub(crate) async fn open_file(
        &self,
        case: &CaseId,
        sha256: &str,
    ) -> Result<Vec<u8>, KeeperError> {
        let Some((file, key)) = self.database.case_file(case.as_str(), sha256).await? else {
            return Err(KeeperError::Unknown(format!(
                "there is no file `{sha256}` in case `{case}`, or it was erased"
            )));
        };
        let key = self.keys.open_key(&key);
        let key = key.ok_or_else(|| KeeperError::Key("the file's key does not open".to_owned()))?;
        let exchange = exchange(case, sha256)?;
        let label = Label {
            account: &file.account,
            exchange: &exchange,
            body: Body::Request,
        };
        let opened = open(&key, &label, &file.bytes, &Commitment(file.commitment));
        let opened = opened.map_err(|e| KeeperError::Key(e.to_string()))?;
        Ok(opened.plaintext)
    }
}
