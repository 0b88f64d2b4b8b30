//! Is what is kept what was written?

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::database::{Cell, Database, StoreError};

/// Records that a start compares with their hashes: those that a crash could
/// have touched, in some 30 ms. All of them are the business of `fsck`.
pub(crate) const TAIL: u64 = 10_000;

/// Rows read at once.
const CHUNK: u64 = 10_000;

impl Database {
    /// Compares the records of `range` with their leaf hashes (RFC 6962,
    /// section 2.1), and their numbers with `range`: none may be missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first record that is not what was
    /// written; otherwise the database's own.
    pub async fn check_records(&self, range: Range<u64>) -> Result<(), StoreError> {
        let sql =
            "SELECT seq, leaf, leaf_hash FROM journal WHERE seq >= $1 AND seq < $2 ORDER BY seq";
        let mut next = range.start;
        while next < range.end {
            let until = range.end.min(next.saturating_add(CHUNK));
            let rows = self
                .rows(sql, vec![Cell::count(next), Cell::count(until)])
                .await?;
            for row in &rows {
                let seq = row.count(0)?;
                if seq != next {
                    return Err(damaged(next, "is missing"));
                }
                let hash: [u8; 32] = Sha256::new()
                    .chain_update([0])
                    .chain_update(row.bytes(1)?)
                    .finalize()
                    .into();
                if hash != row.digest(2)? {
                    return Err(damaged(seq, "is not what was written"));
                }
                next += 1;
            }
            if next < until {
                return Err(damaged(next, "is missing"));
            }
        }
        Ok(())
    }
}

fn damaged(seq: u64, how: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "record {seq} {how}: restore the store from a backup and run `fairhold fsck`"
    ))
}
