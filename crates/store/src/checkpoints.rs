//! What the log has signed.

use crate::database::{Cell, Database, StoreError};

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Records under it.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: [u8; 32],
    /// The signed note.
    pub note: String,
}

impl Database {
    /// The largest one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1";
        let rows = self.rows(sql, Vec::new()).await?;
        let row = rows.first().map(|row| {
            Ok(Checkpoint {
                size: row.count(0)?,
                root: row.digest(1)?,
                note: row.text(2)?,
            })
        });
        row.transpose()
    }

    /// Keeps `next` if the latest one still has the size `expected` (none: there
    /// is none) and `next` is larger; says whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advance_checkpoint(
        &self,
        expected: Option<u64>,
        next: &Checkpoint,
    ) -> Result<bool, StoreError> {
        // One statement decides and writes; -1 stands for "there is none".
        let mut script = self.script();
        let expected = expected.map_or(Cell::int(-1), Cell::count);
        script.one(
            "INSERT INTO checkpoints (size, root, note) SELECT CAST(? AS BIGINT), ?, ? WHERE (SELECT COALESCE(MAX(size), -1) FROM checkpoints) = CAST(? AS BIGINT) AND CAST(? AS BIGINT) > CAST(? AS BIGINT)",
            vec![
                Cell::count(next.size),
                Cell::Bytes(next.root.to_vec()),
                Cell::text(next.note.as_str()),
                expected.clone(),
                Cell::count(next.size),
                expected,
            ],
        );
        Ok(self.in_transaction(script).await? == 1)
    }
}
