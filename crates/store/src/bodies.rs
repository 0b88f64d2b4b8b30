//! What is forgotten, and that no copy of it stays in the files.
//!
//! Keys are destroyed and bodies deleted in the transaction that records it.
//! What is left to do then is to take the old bytes out of the files; a row of
//! `unfinished` remembers that until it is done.

mod outputs;
mod scrub;

use std::collections::BTreeSet;
use std::ops::Range;

use evidence::Event;
use evidence::seal::SubjectDigest;
use facts::{AccountId, ExchangeId, Timestamp};

use crate::database::{Cell, Database, Row, Session, StoreError};
use crate::directory::id;
use crate::subject_keys::{self, SubjectKeyRow};

pub use outputs::{FINGERPRINTS, OutputsOf, ToForget};
pub use scrub::Scrubbed;

/// Values in one list of a statement.
const LIST: usize = 500;

/// The row of `unfinished` that stands for old bytes that may still lie in the files.
pub(crate) const SCRUB: &str = "scrub";

/// A sealed body with the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBody {
    /// Which one, for example `request` or `answer`.
    pub what: String,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// Its subject's key, wrapped.
    pub key: SubjectKeyRow,
}

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// What an account, or one of its subjects, sent and got.
    Subject {
        /// The account.
        account: AccountId,
        /// The subject; none: all of the account, imported exchanges too.
        subject: Option<SubjectDigest>,
        /// Keys of theirs that are in use and may not be kept yet.
        in_use: Vec<u64>,
    },
    /// Bodies whose time is over, and keys that open nothing any more.
    Expired {
        /// Bodies, by the places of their records.
        bodies: Vec<u64>,
        /// Keys; those that still open a body stay.
        keys: Vec<u64>,
    },
}

/// What was forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) keys: u64,
    pub(crate) bodies: u64,
    pub(crate) imported: u64,
    /// Keys that nothing may be kept under any more.
    pub(crate) gone: BTreeSet<u64>,
}

impl Forgotten {
    /// The event as it is recorded: with what was counted.
    pub(crate) fn said(&self, event: Event) -> Event {
        match event {
            Event::Erased {
                subject,
                by,
                reason,
                ..
            } => Event::Erased {
                subject,
                keys: self.keys,
                bodies: self.bodies,
                imported: self.imported,
                by,
                reason,
            },
            Event::Expired { before, .. } => Event::Expired {
                before,
                keys: self.keys,
                bodies: self.bodies,
            },
            other => other,
        }
    }
}

/// A body whose time may be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldBody {
    /// The place of its record.
    pub seq: u64,
    /// Whose.
    pub account: Option<AccountId>,
    /// The number of its key.
    pub key: Option<u64>,
}

/// A body that was sealed before keys had subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnkeyedBody {
    /// The place of its record.
    pub seq: u64,
    /// Whose.
    pub account: AccountId,
    /// When its exchange began.
    pub at: Timestamp,
}

/// Carries it out within the open transaction.
pub(crate) async fn forget(
    session: &mut Session,
    what: &Forget,
    now: Timestamp,
) -> Result<Forgotten, sqlx::Error> {
    let mut done = Forgotten::default();
    match what {
        Forget::Subject {
            account,
            subject,
            in_use,
        } => {
            done.gone = in_use.iter().copied().collect();
            done.gone
                .extend(live(session, account, subject.as_ref()).await?);
            match subject {
                Some(subject) => {
                    let keys = chunks(&done.gone);
                    outputs::note_subject(session, (account, subject), &keys, now).await?;
                }
                None => outputs::note_account(session, account, now).await?,
            }
            for chunk in chunks(&done.gone) {
                let sql = format!("DELETE FROM bodies WHERE key_id IN ({chunk})");
                done.bodies += session.execute(&sql, Vec::new()).await?;
                done.keys += destroy(session, &chunk, "", now).await?;
            }
            if subject.is_none() {
                let sql = "DELETE FROM imported WHERE account = $1";
                let cells = vec![Cell::text(account.as_str())];
                done.imported = session.execute(sql, cells).await?;
            }
        }
        Forget::Expired { bodies, keys } => {
            for chunk in chunks(bodies) {
                outputs::remember(session, &chunk).await?;
                let sql = format!("DELETE FROM bodies WHERE seq IN ({chunk})");
                done.bodies += session.execute(&sql, Vec::new()).await?;
            }
            let unused =
                " AND NOT EXISTS (SELECT 1 FROM bodies WHERE bodies.key_id = subject_keys.id)";
            for chunk in chunks(keys) {
                done.keys += destroy(session, &chunk, unused, now).await?;
            }
        }
    }
    due(session, SCRUB, now).await?;
    Ok(done)
}

/// Notes that a piece of work waits.
async fn due(session: &mut Session, what: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO unfinished (what, since) VALUES ($1, $2) ON CONFLICT (what) DO NOTHING";
    let cells = vec![Cell::text(what), Cell::int(now.0)];
    session.execute(sql, cells).await.map(drop)
}

/// The row stays and gets shorter: `SQLite` then leaves it on its page, and zeros what it held.
async fn destroy(
    session: &mut Session,
    ids: &str,
    further: &str,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "UPDATE subject_keys SET wrapped = $1, kek = $1, destroyed_at = $2 WHERE id IN ({ids}) AND destroyed_at = 0{further}"
    );
    let cells = vec![Cell::Bytes(Vec::new()), Cell::int(now.0.max(1))];
    session.execute(&sql, cells).await
}

async fn live(
    session: &mut Session,
    account: &AccountId,
    subject: Option<&SubjectDigest>,
) -> Result<Vec<u64>, sqlx::Error> {
    let mut cells = vec![Cell::text(account.as_str())];
    let whose = subject.map_or("", |subject| {
        cells.push(Cell::Bytes(subject.0.to_vec()));
        " AND subject = $2"
    });
    let sql = format!("SELECT id FROM subject_keys WHERE account = $1{whose} AND destroyed_at = 0");
    let rows = session.rows(&sql, cells).await?;
    Ok(rows.iter().filter_map(|row| row.count(0).ok()).collect())
}

/// Numbers as lists of a statement: nothing in them to escape.
fn chunks<'a>(all: impl IntoIterator<Item = &'a u64>) -> Vec<String> {
    let all: Vec<String> = all.into_iter().map(ToString::to_string).collect();
    all.chunks(LIST).map(|chunk| chunk.join(",")).collect()
}

impl Database {
    /// The sealed bodies of an exchange that can still be opened, in order of their records.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bodies_of_exchange(
        &self,
        exchange: &ExchangeId,
    ) -> Result<Vec<KeptBody>, StoreError> {
        let columns = subject_keys::COLUMNS;
        let sql = format!(
            "SELECT b.what, b.bytes, {columns} FROM journal j JOIN bodies b ON b.seq = j.seq JOIN subject_keys k ON k.id = b.key_id WHERE j.exchange = $1 AND k.destroyed_at = 0 ORDER BY b.seq, b.what"
        );
        let rows = self.rows(&sql, vec![Cell::text(exchange.as_str())]).await?;
        let body = |row: &Row| {
            Ok(KeptBody {
                what: row.text(0)?,
                bytes: row.bytes(1)?,
                key: subject_keys::key(row, 2)?,
            })
        };
        rows.iter().map(body).collect()
    }

    /// How many bodies these keys open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bodies_under(&self, keys: &[u64]) -> Result<u64, StoreError> {
        let mut all = 0;
        for chunk in chunks(keys) {
            let sql = format!("SELECT COUNT(*) FROM bodies WHERE key_id IN ({chunk})");
            let rows = self.rows(&sql, Vec::new()).await?;
            all += rows.first().map_or(Ok(0), |row| row.count(0))?;
        }
        Ok(all)
    }

    /// Bodies without a kept key, oldest first, at most `limit` records.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unkeyed_bodies(&self, limit: u32) -> Result<Vec<UnkeyedBody>, StoreError> {
        let sql = "SELECT DISTINCT b.seq, j.account, i.at FROM bodies b JOIN journal j ON j.seq = b.seq JOIN journal i ON i.exchange = j.exchange AND i.kind = 'intent' WHERE b.key_id IS NULL AND j.account IS NOT NULL ORDER BY b.seq LIMIT $1";
        let rows = self.rows(sql, vec![Cell::int(i64::from(limit))]).await?;
        let body = |row: &Row| {
            Ok(UnkeyedBody {
                seq: row.count(0)?,
                account: id(AccountId::parse, &row.text(1)?)?,
                at: Timestamp(row.int(2)?),
            })
        };
        rows.iter().map(body).collect()
    }

    /// The place of the first record that is not older than `at`: found in as many steps as its
    /// number has bits, as records lie in the order of time but for a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn place_at(&self, at: Timestamp) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, self.count().await?);
        while low < high {
            let middle = low + (high - low) / 2;
            let sql = "SELECT at FROM journal WHERE seq = $1";
            let rows = self.rows(sql, vec![Cell::count(middle)]).await?;
            match rows.first() {
                Some(row) if row.int(0)? < at.0 => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Records with bodies in a range, in order, at most `limit` bodies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn old_bodies(
        &self,
        range: Range<u64>,
        limit: u32,
    ) -> Result<Vec<OldBody>, StoreError> {
        let sql = "SELECT b.seq, j.account, b.key_id FROM bodies b JOIN journal j ON j.seq = b.seq WHERE b.seq >= $1 AND b.seq < $2 ORDER BY b.seq LIMIT $3";
        let cells = vec![
            Cell::count(range.start),
            Cell::count(range.end),
            Cell::int(i64::from(limit)),
        ];
        let rows = self.rows(sql, cells).await?;
        let body = |row: &Row| {
            let account = row.text_or_none(1)?;
            Ok(OldBody {
                seq: row.count(0)?,
                account: account.map(|t| id(AccountId::parse, &t)).transpose()?,
                key: row.int_or_none(2)?.and_then(|n| u64::try_from(n).ok()),
            })
        };
        rows.iter().map(body).collect()
    }

    /// Live keys of months before `month` that open no body, by number from `after` on
    /// (exclusive), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn idle_keys(
        &self,
        month: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<SubjectKeyRow>, StoreError> {
        let columns = subject_keys::COLUMNS;
        // The house's own key has no month.
        let sql = format!(
            "SELECT {columns} FROM subject_keys k WHERE k.id > $1 AND k.month <> '' AND k.month < $2 AND k.destroyed_at = 0 AND NOT EXISTS (SELECT 1 FROM bodies b WHERE b.key_id = k.id) ORDER BY k.id LIMIT $3"
        );
        let cells = vec![
            Cell::count(after),
            Cell::text(month),
            Cell::int(i64::from(limit)),
        ];
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(|row| subject_keys::key(row, 0)).collect()
    }
}
