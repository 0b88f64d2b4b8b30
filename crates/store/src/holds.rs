//! Legal holds: what may not be forgotten, by whose order.

use evidence::seal::SubjectDigest;
use facts::{AccountId, Timestamp};

use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;

/// A hold on an account, or on one of its subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Its id.
    pub id: String,
    /// The account.
    pub account: AccountId,
    /// The subject; none: the whole account.
    pub subject: Option<SubjectDigest>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// By whom.
    pub placed_by: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
    /// When a person ended it, and who.
    pub released: Option<(Timestamp, String)>,
}

/// What happens to a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldChange {
    /// It is placed.
    Placed(HoldRow),
    /// A person ends it.
    Released {
        /// Its id.
        id: String,
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

impl HoldChange {
    /// Why nothing was written.
    pub(crate) fn refusal(&self) -> String {
        match self {
            Self::Placed(row) => format!("hold `{}` was not written", row.id),
            Self::Released { id, .. } => format!("no hold `{id}` that still binds"),
        }
    }
}

impl HoldRow {
    /// Whether it binds at `now`.
    pub fn binds(&self, now: Timestamp) -> bool {
        self.released.is_none() && self.until.is_none_or(|until| now < until)
    }

    /// Whether it stands in the way of forgetting this subject of the account, or all of it.
    pub fn concerns(&self, account: &AccountId, subject: Option<&SubjectDigest>) -> bool {
        let same = match (&self.subject, subject) {
            (None, _) | (_, None) => true,
            (Some(held), Some(asked)) => held == asked,
        };
        self.account == *account && same
    }
}

impl Database {
    /// Every hold that was ever placed, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holds(&self) -> Result<Vec<HoldRow>, StoreError> {
        let sql = "SELECT id, account, subject, placed_at, placed_by, reason, until, released_at, released_by FROM legal_holds ORDER BY placed_at, id";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter().map(hold).collect()
    }
}

fn hold(row: &Row) -> Result<HoldRow, StoreError> {
    let subject = row.bytes(2)?;
    let released = match (row.int_or_none(7)?, row.text_or_none(8)?) {
        (Some(at), Some(by)) => Some((Timestamp(at), by)),
        _ => None,
    };
    Ok(HoldRow {
        id: row.text(0)?,
        account: id(AccountId::parse, &row.text(1)?)?,
        subject: if subject.is_empty() {
            None
        } else {
            Some(SubjectDigest(row.digest(2)?))
        },
        placed_at: Timestamp(row.int(3)?),
        placed_by: row.text(4)?,
        reason: row.text(5)?,
        until: row.int_or_none(6)?.map(Timestamp),
        released,
    })
}

pub(crate) fn statement(change: &HoldChange) -> (&'static str, Vec<Cell>) {
    match change {
        HoldChange::Placed(row) => (
            "INSERT INTO legal_holds (id, account, subject, placed_at, placed_by, reason, until) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            vec![
                Cell::text(row.id.as_str()),
                Cell::text(row.account.as_str()),
                Cell::Bytes(row.subject.map_or_else(Vec::new, |s| s.0.to_vec())),
                Cell::int(row.placed_at.0),
                Cell::text(row.placed_by.as_str()),
                Cell::text(row.reason.as_str()),
                Cell::Int(row.until.map(|at| at.0)),
            ],
        ),
        HoldChange::Released { id, at, by } => (
            "UPDATE legal_holds SET released_at = $1, released_by = $2 WHERE id = $3 AND released_at IS NULL AND (until IS NULL OR until > $1)",
            vec![
                Cell::int(at.0),
                Cell::text(by.as_str()),
                Cell::text(id.as_str()),
            ],
        ),
    }
}
