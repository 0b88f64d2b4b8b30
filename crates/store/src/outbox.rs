//! Who is still to be told? Notices that are to leave, and where they go.
//!
//! A notice is written with the step that it tells of, so that none is lost;
//! it is marked delivered after the receiver said so, so that a crash in
//! between sends it again, under the same id.

use facts::Timestamp;

use crate::database::{Cell, Database, Row, StoreError};

/// Where notices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    /// Its id.
    pub id: String,
    /// Whose; empty: the house's own.
    pub account: String,
    /// `webhook` or `email`.
    pub kind: String,
    /// A URL or an address.
    pub target: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was removed, if it was.
    pub removed_at: Option<Timestamp>,
}

/// Whether a notice left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sending {
    /// It is to leave.
    Queued,
    /// The receiver took it.
    Delivered,
    /// Nobody took it for so long that it is tried no more.
    Dead,
}

impl Sending {
    /// The word that is kept.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Queued, Self::Delivered, Self::Dead];
        all.into_iter().find(|state| state.word() == word)
    }
}

/// A notice to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The event's id: the same for every endpoint and every try.
    pub id: String,
    /// Where it goes.
    pub endpoint: String,
    /// Whose endpoint that is; empty: the house's own.
    pub account: String,
    /// The case; empty for a trial.
    pub case_id: String,
    /// The event, for example `enforcement.suspended`.
    pub event: String,
    /// When it happened.
    pub at: Timestamp,
    /// It leaves no earlier.
    pub not_before: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// Whether it left.
    pub state: Sending,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// What is sent: exact bytes, signed anew at each try.
    pub payload: String,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The receiver took it.
    Delivered(Timestamp),
    /// It is tried again.
    Later {
        /// No earlier than this.
        at: Timestamp,
        /// Why.
        error: String,
    },
    /// It is tried no more.
    Dead {
        /// Why.
        error: String,
    },
}

pub(crate) const INSERT: &str = "INSERT INTO outbox (id, endpoint, account, case_id, event, at, not_before, attempts, state, error, delivered_at, payload) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id, endpoint) DO NOTHING";

const COLUMNS: &str = "id, endpoint, account, case_id, event, at, not_before, attempts, state, error, delivered_at, payload";

pub(crate) fn cells(row: &OutboxRow) -> Vec<Cell> {
    vec![
        Cell::text(row.id.as_str()),
        Cell::text(row.endpoint.as_str()),
        Cell::text(row.account.as_str()),
        Cell::text(row.case_id.as_str()),
        Cell::text(row.event.as_str()),
        Cell::int(row.at.0),
        Cell::int(row.not_before.0),
        Cell::int(i64::from(row.attempts)),
        Cell::text(row.state.word()),
        Cell::Text(row.error.clone()),
        Cell::Int(row.delivered_at.map(|at| at.0)),
        Cell::text(row.payload.as_str()),
    ]
}

fn notice(row: &Row) -> Result<OutboxRow, StoreError> {
    let state = row.text(8)?;
    Ok(OutboxRow {
        id: row.text(0)?,
        endpoint: row.text(1)?,
        account: row.text(2)?,
        case_id: row.text(3)?,
        event: row.text(4)?,
        at: Timestamp(row.int(5)?),
        not_before: Timestamp(row.int(6)?),
        attempts: u32::try_from(row.count(7)?).unwrap_or(u32::MAX),
        state: Sending::from_word(&state)
            .ok_or_else(|| StoreError::Corrupt(format!("`{state}` is no state of a notice")))?,
        error: row.text_or_none(9)?,
        delivered_at: row.int_or_none(10)?.map(Timestamp),
        payload: row.text(11)?,
    })
}

fn endpoint(row: &Row) -> Result<EndpointRow, StoreError> {
    Ok(EndpointRow {
        id: row.text(0)?,
        account: row.text(1)?,
        kind: row.text(2)?,
        target: row.text(3)?,
        created_at: Timestamp(row.int(4)?),
        removed_at: row.int_or_none(5)?.map(Timestamp),
    })
}

impl Database {
    /// Adds a place where notices go.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_endpoint(&self, row: &EndpointRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO endpoints (id, account, kind, target, created_at) VALUES ($1, $2, $3, $4, $5)";
        let cells = vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.account.as_str()),
            Cell::text(row.kind.as_str()),
            Cell::text(row.target.as_str()),
            Cell::int(row.created_at.0),
        ];
        self.carry_out(vec![(sql, cells)]).await?;
        Ok(())
    }

    /// Removes it: what waits for it is tried no more. False where there is none.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn remove_endpoint(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let removed = "UPDATE endpoints SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL";
        let dead = "UPDATE outbox SET state = 'dead', error = 'the endpoint was removed' WHERE endpoint = $1 AND state = 'queued'";
        let statements = vec![
            (removed, vec![Cell::text(id), Cell::int(at.0)]),
            (dead, vec![Cell::text(id)]),
        ];
        Ok(self.carry_out(statements).await? > 0)
    }

    /// Every endpoint that was not removed, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        let sql = "SELECT id, account, kind, target, created_at, removed_at FROM endpoints WHERE removed_at IS NULL ORDER BY created_at, id";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter().map(endpoint).collect()
    }

    /// Where notices of one account go; of the house with an empty name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn endpoints_of(&self, account: &str) -> Result<Vec<EndpointRow>, StoreError> {
        let sql = "SELECT id, account, kind, target, created_at, removed_at FROM endpoints WHERE account = $1 AND removed_at IS NULL ORDER BY created_at, id";
        let rows = self.rows(sql, vec![Cell::text(account)]).await?;
        rows.iter().map(endpoint).collect()
    }

    /// Writes a notice that tells of no step: a trial.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue_notice(&self, row: &OutboxRow) -> Result<(), StoreError> {
        self.carry_out(vec![(INSERT, cells(row))]).await?;
        Ok(())
    }

    /// What may leave at `now`, soonest first, with where it goes; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_notices(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(OutboxRow, EndpointRow)>, StoreError> {
        let columns = COLUMNS.replace(", ", ", o.").replacen("id", "o.id", 1);
        let sql = format!(
            "SELECT {columns}, e.id, e.account, e.kind, e.target, e.created_at, e.removed_at \
             FROM outbox o JOIN endpoints e ON e.id = o.endpoint \
             WHERE o.state = 'queued' AND o.not_before <= $1 ORDER BY o.not_before, o.id LIMIT {limit}"
        );
        let rows = self.rows(&sql, vec![Cell::int(now.0)]).await?;
        let pair = |row: &Row| {
            let to = EndpointRow {
                id: row.text(12)?,
                account: row.text(13)?,
                kind: row.text(14)?,
                target: row.text(15)?,
                created_at: Timestamp(row.int(16)?),
                removed_at: row.int_or_none(17)?.map(Timestamp),
            };
            Ok((notice(row)?, to))
        };
        rows.iter().map(pair).collect()
    }

    /// Notices, the latest first: of one state or of all, of one case or of all; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notices(
        &self,
        state: Option<Sending>,
        case: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let (mut all, mut given) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(state) = state {
            given.push(Cell::text(state.word()));
            all.push(format!("state = ${}", given.len()));
        }
        if let Some(case) = case {
            given.push(Cell::text(case));
            all.push(format!("case_id = ${}", given.len()));
        }
        let all = all.join(" AND ");
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox WHERE {all} ORDER BY at DESC, id, endpoint LIMIT {limit}"
        );
        let rows = self.rows(&sql, given).await?;
        rows.iter().map(notice).collect()
    }

    /// Keeps what came of a try.
    ///
    /// # Errors
    /// [`StoreError`]; then it is tried again.
    pub async fn tried(&self, row: &OutboxRow, what: &Tried) -> Result<(), StoreError> {
        let (state, not_before, error, delivered) = match what {
            Tried::Delivered(at) => (Sending::Delivered, row.not_before, None, Some(at.0)),
            Tried::Later { at, error } => (Sending::Queued, *at, Some(error.clone()), None),
            Tried::Dead { error } => (Sending::Dead, row.not_before, Some(error.clone()), None),
        };
        let sql = "UPDATE outbox SET state = $1, not_before = $2, attempts = $3, error = $4, delivered_at = $5 \
                   WHERE id = $6 AND endpoint = $7 AND state = 'queued'";
        let cells = vec![
            Cell::text(state.word()),
            Cell::int(not_before.0),
            Cell::int(i64::from(row.attempts.saturating_add(1))),
            Cell::Text(error),
            Cell::Int(delivered),
            Cell::text(row.id.as_str()),
            Cell::text(row.endpoint.as_str()),
        ];
        self.carry_out(vec![(sql, cells)]).await?;
        Ok(())
    }

    /// Puts what is dead, or waits, back at the head of the queue; how many there were. Only to
    /// endpoints that were not removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retry_notice(&self, id: &str, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET state = 'queued', attempts = 0, not_before = $2 \
                   WHERE id = $1 AND state <> 'delivered' AND endpoint IN (SELECT id FROM endpoints WHERE removed_at IS NULL)";
        let cells = vec![Cell::text(id), Cell::int(now.0)];
        self.carry_out(vec![(sql, cells)]).await
    }
}
