//! What the journal holds.

use std::ops::Range;

use facts::{AccountId, ExchangeId, Timestamp};

use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its sequence number, dense from 0.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// `intent`, `asked`, `refusal`, `completion`, `judged`, `case_step`, `directory`, `erased`, `expired` or `body_read`.
    pub kind: String,
    /// Whose, if someone's.
    pub account: Option<AccountId>,
    /// Of which exchange, if of one.
    pub exchange: Option<ExchangeId>,
    /// The leaf's exact bytes.
    pub leaf: Vec<u8>,
    /// RFC 6962 leaf hash.
    pub leaf_hash: [u8; 32],
}

/// An intent without an ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    /// Its sequence number.
    pub seq: u64,
    /// The exchange.
    pub exchange: ExchangeId,
    /// Whose.
    pub account: Option<AccountId>,
}

const COLUMNS: &str = "SELECT seq, at, kind, account, exchange, leaf, leaf_hash FROM journal";

/// The condition of the index `journal_audit`, word for word.
const AUDITED: &str = "kind IN ('body_read', 'case_step', 'directory', 'erased', 'expired')";

impl Database {
    /// How many records there are; the next sequence number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self) -> Result<u64, StoreError> {
        let rows = self
            .rows("SELECT MAX(seq) FROM journal", Vec::new())
            .await?;
        let last = match rows.first() {
            Some(row) => row.int_or_none(0)?,
            None => None,
        };
        let next = last.map_or(0, |n| n.saturating_add(1));
        u64::try_from(next)
            .map_err(|_| StoreError::Corrupt("a sequence number is negative".to_owned()))
    }

    /// The records of `range`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records(&self, range: Range<u64>) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE seq >= $1 AND seq < $2 ORDER BY seq");
        let cells = vec![Cell::count(range.start), Cell::count(range.end)];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// All records of an exchange, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_of_exchange(
        &self,
        exchange: &ExchangeId,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE exchange = $1 ORDER BY seq");
        let cells = vec![Cell::text(exchange.as_str())];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// Records of an account from `after` on (exclusive; none: from the first),
    /// at most `limit`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_of_account(
        &self,
        account: &AccountId,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE account = $1 AND seq >= $2 ORDER BY seq LIMIT $3");
        let cells = vec![
            Cell::text(account.as_str()),
            Cell::count(after.map_or(0, |n| n.saturating_add(1))),
            Cell::int(i64::from(limit)),
        ];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// All records of a kind before `end`, of one account or of all, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_of_kind(
        &self,
        kind: &str,
        account: Option<&AccountId>,
        end: u64,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let mut cells = vec![Cell::text(kind), Cell::count(end)];
        let whose = account.map_or("", |account| {
            cells.push(Cell::text(account.as_str()));
            " AND account = $3"
        });
        let sql = format!("{COLUMNS} WHERE kind = $1 AND seq < $2{whose} ORDER BY seq");
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// The last records of an account, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_records_of(
        &self,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE account = $1 ORDER BY seq DESC LIMIT {limit}");
        let cells = vec![Cell::text(account.as_str())];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// What the audit log lists, newest first: before this record, or the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audited_before(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE {AUDITED} AND seq < $1 ORDER BY seq DESC LIMIT {limit}");
        let cells = vec![Cell::count(before.unwrap_or(u64::MAX))];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// The same after this record, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audited_after(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE {AUDITED} AND seq > $1 ORDER BY seq LIMIT {limit}");
        let cells = vec![Cell::count(after)];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// The accounts that the journal has records of, in order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recorded_accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT DISTINCT account FROM journal WHERE account IS NOT NULL ORDER BY account";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| id(AccountId::parse, &row.text(0)?))
            .collect()
    }

    /// Records without an account from `after` on (exclusive; none: from the
    /// first), at most `limit`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_of_nobody(
        &self,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE account IS NULL AND seq >= $1 ORDER BY seq LIMIT $2");
        let cells = vec![
            Cell::count(after.map_or(0, |n| n.saturating_add(1))),
            Cell::int(i64::from(limit)),
        ];
        self.rows(&sql, cells).await?.iter().map(record).collect()
    }

    /// RFC 6962 leaf hashes of `range`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leaves(&self, range: Range<u64>) -> Result<Vec<[u8; 32]>, StoreError> {
        let sql = "SELECT leaf_hash FROM journal WHERE seq >= $1 AND seq < $2 ORDER BY seq";
        let cells = vec![Cell::count(range.start), Cell::count(range.end)];
        let rows = self.rows(sql, cells).await?;
        rows.iter().map(|row| row.digest(0)).collect()
    }

    /// Every intent without an ending, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        let sql = "SELECT seq, exchange, account FROM open_intents ORDER BY seq";
        let rows = self.rows(sql, Vec::new()).await?;
        let open = |row: &Row| {
            Ok(OpenIntent {
                seq: row.count(0)?,
                exchange: id(ExchangeId::parse, &row.text(1)?)?,
                account: account(row, 2)?,
            })
        };
        rows.iter().map(open).collect()
    }
}

fn account(row: &Row, column: usize) -> Result<Option<AccountId>, StoreError> {
    let text = row.text_or_none(column)?;
    text.map(|t| id(AccountId::parse, &t)).transpose()
}

fn record(row: &Row) -> Result<JournalRow, StoreError> {
    let exchange = row.text_or_none(4)?;
    Ok(JournalRow {
        seq: row.count(0)?,
        at: Timestamp(row.int(1)?),
        kind: row.text(2)?,
        account: account(row, 3)?,
        exchange: exchange.map(|t| id(ExchangeId::parse, &t)).transpose()?,
        leaf: row.bytes(5)?,
        leaf_hash: row.digest(6)?,
    })
}
