//! Which bundles of evidence were told of? Of one state of a case it is told
//! once, in the transaction of the record that says so.

use facts::Timestamp;

use crate::database::{Cell, Database, Session, StoreError};
use crate::outbox::{self, OutboxRow};

/// A bundle of evidence that is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The case.
    pub case_id: String,
    /// How many steps it had: of one state it is told once.
    pub steps: u64,
    /// SHA-256 of the bundle, hexadecimal.
    pub sha256: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who is to be told.
    pub outbox: Vec<OutboxRow>,
}

pub(crate) fn insert(row: &SealedRow) -> (&'static str, Vec<Cell>) {
    let cells = vec![
        Cell::text(row.case_id.as_str()),
        Cell::count(row.steps),
        Cell::text(row.sha256.as_str()),
        Cell::int(row.at.0),
    ];
    let sql = "INSERT INTO sealed_evidence (case_id, steps, sha256, at) VALUES ($1, $2, $3, $4) ON CONFLICT (case_id, steps) DO NOTHING";
    (sql, cells)
}

pub(crate) async fn tell(session: &mut Session, row: &SealedRow) -> Result<(), sqlx::Error> {
    for notice in &row.outbox {
        session
            .execute(outbox::INSERT, outbox::cells(notice))
            .await?;
    }
    Ok(())
}

impl Database {
    /// Whether the evidence of a case was told of as it stands after so many steps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn evidence_told(&self, case: &str, steps: u64) -> Result<bool, StoreError> {
        let sql = "SELECT steps FROM sealed_evidence WHERE case_id = $1 AND steps = $2";
        let cells = vec![Cell::text(case), Cell::count(steps)];
        Ok(!self.rows(sql, cells).await?.is_empty())
    }
}
