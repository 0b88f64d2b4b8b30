//! What the registry of outputs reads of the journal, and which registry that is.

use std::fmt::Write as _;

use facts::Timestamp;

use crate::bodies::KeptBody;
use crate::database::{Cell, Database, StoreError};
use crate::subject_keys;

impl Database {
    /// The sealed answers of some endings, with their places, in order; those that were forgotten
    /// are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers(&self, endings: &[u64]) -> Result<Vec<(u64, KeptBody)>, StoreError> {
        const BATCH: usize = 500;
        let columns = subject_keys::COLUMNS;
        let mut all = Vec::with_capacity(endings.len());
        for chunk in endings.chunks(BATCH) {
            let mut list = String::new();
            for (n, seq) in chunk.iter().enumerate() {
                // Numbers, not text: nothing to escape.
                let _ = write!(list, "{}{seq}", if n == 0 { "" } else { "," });
            }
            let sql = format!(
                "SELECT b.seq, b.bytes, {columns} FROM bodies b JOIN subject_keys k ON k.id = b.key_id WHERE b.what = 'answer' AND k.destroyed_at = 0 AND b.seq IN ({list}) ORDER BY b.seq"
            );
            for row in self.rows(&sql, Vec::new()).await? {
                let kept = KeptBody {
                    what: "answer".to_owned(),
                    bytes: row.bytes(1)?,
                    key: subject_keys::key(&row, 2)?,
                };
                all.push((row.count(0)?, kept));
            }
        }
        Ok(all)
    }

    /// The registry that follows this store, by the name of its key; none: there never was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registry_key(&self) -> Result<Option<String>, StoreError> {
        let sql = "SELECT key_name FROM registry_followed";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.first().map(|row| row.text(0)).transpose()
    }

    /// Says which registry follows this store from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registry_is(&self, key_name: &str, now: Timestamp) -> Result<(), StoreError> {
        if self.registry_key().await?.as_deref() == Some(key_name) {
            return Ok(());
        }
        let mut script = self.script();
        script.one("DELETE FROM registry_followed", Vec::new());
        script.one(
            "INSERT INTO registry_followed (key_name, since) VALUES (?, ?)",
            vec![Cell::text(key_name), Cell::int(now.0)],
        );
        self.in_transaction(script).await.map(drop)
    }
}
