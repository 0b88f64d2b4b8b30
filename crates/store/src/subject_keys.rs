//! The keys of subjects, wrapped: the store can open none of them.

use evidence::seal::{Format, KekId, SubjectDigest};

use crate::database::{Cell, Database, Row, StoreError};

/// A kept key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKeyRow {
    /// Its number.
    pub id: u64,
    /// Whose account; empty for the house's own key.
    pub account: String,
    /// The UTC month, `2026-11`; empty for the house's own key.
    pub month: String,
    /// What it is.
    pub format: Format,
    /// Whom it belongs to.
    pub subject: SubjectDigest,
    /// Under which KEK it is wrapped.
    pub kek: KekId,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
}

/// The columns of a key under the alias `k`, in the order in which [`key`] reads them.
pub(crate) const COLUMNS: &str = "k.id, k.account, k.month, k.format, k.subject, k.kek, k.wrapped";

/// Adds keys; one that is there already stays as it is.
pub(crate) const INSERT: &str = "INSERT INTO subject_keys (id, account, month, format, subject, kek, wrapped, destroyed_at) VALUES {} ON CONFLICT (id) DO NOTHING";

/// Reads the columns from place `i` on.
pub(crate) fn key(row: &Row, i: usize) -> Result<SubjectKeyRow, StoreError> {
    let format = u8::try_from(row.int(i + 3)?).ok();
    Ok(SubjectKeyRow {
        id: row.count(i)?,
        account: row.text(i + 1)?,
        month: row.text(i + 2)?,
        format: format.and_then(Format::from_version).ok_or_else(|| {
            StoreError::Corrupt("a key's format is unknown; a newer program made it".to_owned())
        })?,
        subject: SubjectDigest(row.digest(i + 4)?),
        kek: KekId(row.digest(i + 5)?),
        wrapped: row.bytes(i + 6)?,
    })
}

pub(crate) fn cells(row: &SubjectKeyRow) -> Vec<Cell> {
    vec![
        Cell::count(row.id),
        Cell::text(row.account.as_str()),
        Cell::text(row.month.as_str()),
        Cell::int(i64::from(row.format.version())),
        Cell::Bytes(row.subject.0.to_vec()),
        Cell::Bytes(row.kek.0.to_vec()),
        Cell::Bytes(row.wrapped.clone()),
        Cell::int(0),
    ]
}

impl Database {
    /// The number that no key has had yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_key(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(MAX(id), 0) FROM subject_keys";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.first().map_or(Ok(1), |row| Ok(row.count(0)? + 1))
    }

    /// The live key of a subject in a month, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subject_key(
        &self,
        account: &str,
        month: &str,
        subject: &SubjectDigest,
        format: Format,
    ) -> Result<Option<SubjectKeyRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM subject_keys k WHERE k.account = $1 AND k.subject = $2 AND k.month = $3 AND k.format = $4 AND k.destroyed_at = 0"
        );
        let cells = vec![
            Cell::text(account),
            Cell::Bytes(subject.0.to_vec()),
            Cell::text(month),
            Cell::int(i64::from(format.version())),
        ];
        let rows = self.rows(&sql, cells).await?;
        rows.first().map(|row| key(row, 0)).transpose()
    }

    /// Live keys of an account, or of one of its subjects, by number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_of(
        &self,
        account: &str,
        subject: Option<&SubjectDigest>,
    ) -> Result<Vec<SubjectKeyRow>, StoreError> {
        let mut cells = vec![Cell::text(account)];
        let whose = subject.map_or("", |subject| {
            cells.push(Cell::Bytes(subject.0.to_vec()));
            " AND k.subject = $2"
        });
        let sql = format!(
            "SELECT {COLUMNS} FROM subject_keys k WHERE k.account = $1{whose} AND k.destroyed_at = 0 ORDER BY k.id"
        );
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(|row| key(row, 0)).collect()
    }

    /// Live keys that `kek` does not wrap, by number from `after` on (exclusive), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_not_under(
        &self,
        kek: &KekId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<SubjectKeyRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM subject_keys k WHERE k.id > $1 AND k.kek <> $2 AND k.destroyed_at = 0 ORDER BY k.id LIMIT $3"
        );
        let cells = vec![
            Cell::count(after),
            Cell::Bytes(kek.0.to_vec()),
            Cell::int(i64::from(limit)),
        ];
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(|row| key(row, 0)).collect()
    }

    /// How many live keys there are, and how many of them `kek` wraps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_under(&self, kek: &KekId) -> Result<(u64, u64), StoreError> {
        let all = "SELECT COUNT(*) FROM subject_keys WHERE destroyed_at = 0";
        let under = "SELECT COUNT(*) FROM subject_keys WHERE destroyed_at = 0 AND kek = $1";
        let all = self.rows(all, Vec::new()).await?;
        let under = self.rows(under, vec![Cell::Bytes(kek.0.to_vec())]).await?;
        let count = |rows: &[Row]| rows.first().map_or(Ok(0), |row| row.count(0));
        Ok((count(&all)?, count(&under)?))
    }

    /// Keeps keys outside the journal: the house's own, and those taken into custody. Bodies at
    /// the places named get the keys named. All of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_keys(
        &self,
        keys: &[SubjectKeyRow],
        bodies: &[(u64, u64)],
    ) -> Result<(), StoreError> {
        let mut script = self.script();
        script.rows(INSERT, keys.iter().map(cells).collect());
        for (seq, key) in bodies {
            script.one(
                "UPDATE bodies SET key_id = ? WHERE seq = ? AND key_id IS NULL",
                vec![Cell::count(*key), Cell::count(*seq)],
            );
        }
        self.in_transaction(script).await.map(drop)
    }

    /// Replaces the wrapping of keys, each if it is live: all of them or none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rewrap(&self, keys: &[SubjectKeyRow]) -> Result<(), StoreError> {
        let mut script = self.script();
        for row in keys {
            script.one(
                "UPDATE subject_keys SET kek = ?, wrapped = ? WHERE id = ? AND destroyed_at = 0",
                vec![
                    Cell::Bytes(row.kek.0.to_vec()),
                    Cell::Bytes(row.wrapped.clone()),
                    Cell::count(row.id),
                ],
            );
        }
        self.in_transaction(script).await.map(drop)
    }
}
