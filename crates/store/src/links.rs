//! What links accounts besides what they ask: tokens that were hashed before
//! they came here, and when each account was active.

use std::collections::HashMap;

use facts::{AccountId, Timestamp};

use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;

/// What kind of token links accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// A payment token.
    Payment,
    /// A verified identity.
    Identity,
    /// A network block.
    Network,
}

impl LinkKind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Payment, Self::Identity, Self::Network];

    /// The word used in rows and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Identity => "identity",
            Self::Network => "network",
        }
    }

    /// The kind that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A token of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkRow {
    /// Whose.
    pub account: AccountId,
    /// What kind.
    pub kind: LinkKind,
    /// Its keyed hash.
    pub token: u64,
}

/// When an account was active, served and imported together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRow {
    /// Who.
    pub account: AccountId,
    /// Its first exchange.
    pub first: Timestamp,
    /// Exchanges by hour since 1970; an hour may come twice, once served and once imported.
    pub hours: Vec<(i64, u32)>,
}

const HOUR_MS: i64 = 3_600_000;

/// Accounts after the first value, at most so many as the second says, of both tables in the
/// database's own order.
const PAGE: &str = "SELECT account FROM (SELECT DISTINCT account FROM journal WHERE account > $1 AND kind = 'intent' ORDER BY account LIMIT $2) AS served \
     UNION SELECT account FROM (SELECT DISTINCT account FROM imported WHERE account > $1 ORDER BY account LIMIT $2) AS read \
     ORDER BY account LIMIT $2";

const SERVED: &str = "journal WHERE kind = 'intent' AND account > $1 AND account <= $2";
const IMPORTED: &str = "imported WHERE account > $1 AND account <= $2";

impl Database {
    /// A page of tokens, by account, after the given account's, of at most so many accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn links(
        &self,
        after: Option<&AccountId>,
        accounts: u32,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT account, kind, token FROM links WHERE account IN (SELECT DISTINCT account FROM links WHERE account > $1 ORDER BY account LIMIT $2) ORDER BY account, kind, token";
        let cells = vec![start(after), Cell::int(i64::from(accounts))];
        self.rows(sql, cells).await?.iter().map(link).collect()
    }

    /// The tokens of one account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn links_of(&self, account: &AccountId) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT account, kind, token FROM links WHERE account = $1 ORDER BY kind, token";
        let cells = vec![Cell::text(account.as_str())];
        self.rows(sql, cells).await?.iter().map(link).collect()
    }

    /// The tokens of some accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn links_among(&self, accounts: &[AccountId]) -> Result<Vec<LinkRow>, StoreError> {
        const BATCH: usize = 400;
        let mut all = Vec::new();
        for chunk in accounts.chunks(BATCH) {
            let places: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT account, kind, token FROM links WHERE account IN ({}) ORDER BY kind, token, account",
                places.join(",")
            );
            let cells = chunk.iter().map(|a| Cell::text(a.as_str())).collect();
            for row in &self.rows(&sql, cells).await? {
                all.push(link(row)?);
            }
        }
        Ok(all)
    }

    /// The moment of the newest exchange, served or imported; none when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_exchange(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut newest = None;
        for sql in [
            "SELECT MAX(at) FROM journal WHERE kind = 'intent'",
            "SELECT MAX(at) FROM imported",
        ] {
            let rows = self.rows(sql, Vec::new()).await?;
            let at = rows.first().map(|row| row.int_or_none(0)).transpose()?;
            newest = newest.max(at.flatten());
        }
        Ok(newest.map(Timestamp))
    }

    /// When accounts were active: of at most `accounts` of them after the given one, their first
    /// exchange and, from `since` on, how many in each hour. Moments before 1970 are not told
    /// apart by hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn seen(
        &self,
        after: Option<&AccountId>,
        accounts: u32,
        since: Timestamp,
    ) -> Result<Vec<SeenRow>, StoreError> {
        let page = vec![start(after), Cell::int(i64::from(accounts))];
        let page = self.rows(PAGE, page).await?;
        let mut all = Vec::new();
        let mut places = HashMap::new();
        for row in &page {
            places.insert(row.text(0)?, all.len());
            all.push(SeenRow {
                account: id(AccountId::parse, &row.text(0)?)?,
                first: Timestamp(i64::MAX),
                hours: Vec::new(),
            });
        }
        let Some(last) = all.last().map(|seen| seen.account.clone()) else {
            return Ok(all);
        };
        let range = vec![start(after), Cell::text(last.as_str())];
        for table in [SERVED, IMPORTED] {
            let sql = format!("SELECT account, MIN(at) FROM {table} GROUP BY account");
            for row in self.rows(&sql, range.clone()).await? {
                if let Some(seen) = of(&mut all, &places, &row)? {
                    seen.first = seen.first.min(Timestamp(row.int(1)?));
                }
            }
            let sql = format!(
                "SELECT account, at / {HOUR_MS}, COUNT(*) FROM {table} AND at >= $3 GROUP BY 1, 2 ORDER BY 1, 2"
            );
            let mut cells = range.clone();
            cells.push(Cell::int(since.0));
            for row in self.rows(&sql, cells).await? {
                if let Some(seen) = of(&mut all, &places, &row)? {
                    let n = u32::try_from(row.int(2)?).unwrap_or(u32::MAX);
                    seen.hours.push((row.int(1)?, n));
                }
            }
        }
        Ok(all)
    }
}

/// The place after which a page starts; every id is longer than the empty text.
fn start(after: Option<&AccountId>) -> Cell {
    Cell::text(after.map_or("", AccountId::as_str))
}

/// Whom a row is about. A page is in the database's order, which need not be ours.
fn of<'a>(
    all: &'a mut [SeenRow],
    places: &HashMap<String, usize>,
    row: &Row,
) -> Result<Option<&'a mut SeenRow>, StoreError> {
    let place = places.get(&row.text(0)?).copied();
    Ok(place.and_then(|place| all.get_mut(place)))
}

fn link(row: &Row) -> Result<LinkRow, StoreError> {
    let word = row.text(1)?;
    Ok(LinkRow {
        account: id(AccountId::parse, &row.text(0)?)?,
        kind: LinkKind::from_word(&word)
            .ok_or_else(|| StoreError::Corrupt(format!("`{word}` is no kind of link")))?,
        token: row.int(2)?.cast_unsigned(),
    })
}
