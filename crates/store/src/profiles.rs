//! What the watch keeps: profiles of accounts, findings, and how far it read.
//!
//! Profiles change in one transaction with the cursor, so that a crash repeats
//! a batch whole or not at all; a finding is written before that, with the
//! record of the log that names its digest, and only where it is not yet there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use facts::{AccountId, Timestamp};

use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;
use crate::subject_keys::{self, SubjectKeyRow};

/// A profile to keep, replacing the account's earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// Whose.
    pub account: AccountId,
    /// Its stored form.
    pub state: Vec<u8>,
}

/// The latest look at an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookRow {
    /// Whose.
    pub account: AccountId,
    /// Exchanges it had reached.
    pub look: u32,
    /// The statistic, in millionths.
    pub statistic: i64,
}

/// A finding; once written it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// Its id.
    pub id: String,
    /// About whom.
    pub account: AccountId,
    /// When.
    pub at: Timestamp,
    /// The whole of it, as the caller's JSON.
    pub json: String,
}

/// What one batch of the watch changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchBatch {
    /// Profiles, each account at most once.
    pub profiles: Vec<ProfileRow>,
    /// Latest looks, each account at most once.
    pub looks: Vec<LookRow>,
    /// Where the log was read from: what [`Database::watched`] said before the profiles were read.
    pub from: u64,
    /// The first journal record that is not taken into account yet.
    pub next: u64,
}

/// A request that was let upstream: its record and its sealed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRequest {
    /// Sequence number of the intent.
    pub seq: u64,
    /// The intent's leaf.
    pub leaf: Vec<u8>,
    /// The sealed body.
    pub body: Vec<u8>,
    /// Its subject's key, wrapped.
    pub key: SubjectKeyRow,
}

/// Where an unlabelled fleet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetRank {
    /// Accounts that have had a look.
    pub accounts: u64,
    /// Those whose latest statistic is at least as high.
    pub at_least: u64,
}

/// A finding is written with the record that names its digest, and never again.
pub(crate) fn finding(row: &FindingRow) -> (&'static str, Vec<Cell>) {
    (
        "INSERT INTO findings (id, account, at, json) VALUES ($1, $2, $3, $4)",
        vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.account.as_str()),
            Cell::int(row.at.0),
            Cell::text(row.json.as_str()),
        ],
    )
}

impl Database {
    /// How many findings are about an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finding_count(&self, account: &AccountId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM findings WHERE account = $1";
        let rows = self.rows(sql, vec![Cell::text(account.as_str())]).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// The first journal record that no profile holds yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn watched(&self) -> Result<u64, StoreError> {
        let rows = self.rows("SELECT seq FROM watched", Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// Keeps a batch with its cursor: all of it or nothing, and nothing where the cursor is no
    /// longer where the batch was read from. A batch whose writer was given up may still be
    /// committed, and what it holds must not be counted again. Says whether it was kept.
    ///
    /// # Errors
    /// [`StoreError`]; read [`Database::watched`] again before going on.
    pub async fn keep_watch(&self, batch: WatchBatch) -> Result<bool, StoreError> {
        let mut guard = self.script();
        guard.one(
            "INSERT INTO watched (id, seq) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq WHERE watched.seq = ?",
            vec![Cell::count(batch.next), Cell::count(batch.from)],
        );
        let mut script = self.script();
        let profiles = batch.profiles.into_iter();
        let profiles = profiles.map(|p| vec![Cell::text(p.account.as_str()), Cell::Bytes(p.state)]);
        script.rows(
            "INSERT INTO profiles (account, state) VALUES {} ON CONFLICT (account) DO UPDATE SET state = excluded.state",
            profiles.collect(),
        );
        let looks = batch.looks.iter().map(|look| {
            vec![
                Cell::text(look.account.as_str()),
                Cell::int(i64::from(look.look)),
                Cell::int(look.statistic),
            ]
        });
        script.rows(
            "INSERT INTO latest_looks (account, look, statistic) VALUES {} ON CONFLICT (account) DO UPDATE SET look = excluded.look, statistic = excluded.statistic",
            looks.collect(),
        );
        self.in_transaction_if(guard, script).await
    }

    /// The latest look at one account, or at each that had one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_looks(&self, of: Option<&AccountId>) -> Result<Vec<LookRow>, StoreError> {
        let columns = "SELECT account, look, statistic FROM latest_looks";
        let rows = match of {
            None => self.rows(columns, Vec::new()).await?,
            Some(account) => {
                let sql = format!("{columns} WHERE account = $1");
                self.rows(&sql, vec![Cell::text(account.as_str())]).await?
            }
        };
        let look = |row: &Row| {
            Ok(LookRow {
                account: id(AccountId::parse, &row.text(0)?)?,
                look: u32::try_from(row.count(1)?).unwrap_or(u32::MAX),
                statistic: row.int(2)?,
            })
        };
        rows.iter().map(look).collect()
    }

    /// The profiles of some accounts; those without one are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn profiles(&self, accounts: &[&AccountId]) -> Result<Vec<ProfileRow>, StoreError> {
        const BATCH: usize = 500;
        let mut all = Vec::with_capacity(accounts.len());
        for chunk in accounts.chunks(BATCH) {
            let places: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT account, state FROM profiles WHERE account IN ({})",
                places.join(",")
            );
            let cells = chunk.iter().map(|a| Cell::text(a.as_str())).collect();
            for row in self.rows(&sql, cells).await? {
                all.push(ProfileRow {
                    account: id(AccountId::parse, &row.text(0)?)?,
                    state: row.bytes(1)?,
                });
            }
        }
        Ok(all)
    }

    /// How many accounts have a profile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn profile_count(&self) -> Result<u64, StoreError> {
        let rows = self
            .rows("SELECT COUNT(*) FROM profiles", Vec::new())
            .await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// Where a statistic, in millionths, stands among the latest ones of all other accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fleet_rank(
        &self,
        account: &AccountId,
        statistic: i64,
    ) -> Result<FleetRank, StoreError> {
        let whom = || Cell::text(account.as_str());
        let all = "SELECT COUNT(*) FROM latest_looks WHERE account <> $1";
        let higher = "SELECT COUNT(*) FROM latest_looks WHERE statistic >= $1 AND account <> $2";
        let all = self.rows(all, vec![whom()]).await?;
        let cells = vec![Cell::int(statistic), whom()];
        let higher = self.rows(higher, cells).await?;
        Ok(FleetRank {
            accounts: all.first().map_or(Ok(0), |row| row.count(0))?,
            at_least: higher.first().map_or(Ok(0), |row| row.count(0))?,
        })
    }

    /// Findings, oldest first: of one account or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings(
        &self,
        account: Option<&AccountId>,
    ) -> Result<Vec<FindingRow>, StoreError> {
        let columns = "SELECT id, account, at, json FROM findings";
        let rows = match account {
            None => {
                let sql = format!("{columns} ORDER BY at, id");
                self.rows(&sql, Vec::new()).await?
            }
            Some(account) => {
                let sql = format!("{columns} WHERE account = $1 ORDER BY at, id");
                self.rows(&sql, vec![Cell::text(account.as_str())]).await?
            }
        };
        let finding = |row: &Row| {
            Ok(FindingRow {
                id: row.text(0)?,
                account: id(AccountId::parse, &row.text(1)?)?,
                at: Timestamp(row.int(2)?),
                json: row.text(3)?,
            })
        };
        rows.iter().map(finding).collect()
    }

    /// The leaves of the first `most` endings in a range of the journal, in order: of one account
    /// or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn endings(
        &self,
        range: Range<u64>,
        account: Option<&AccountId>,
        most: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut cells = vec![Cell::count(range.start), Cell::count(range.end)];
        let whose = account.map_or("", |account| {
            cells.push(Cell::text(account.as_str()));
            " AND account = $3"
        });
        let sql = format!(
            "SELECT leaf FROM journal WHERE seq >= $1 AND seq < $2{whose} AND kind = 'completion' ORDER BY seq LIMIT {most}"
        );
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(|row| row.bytes(0)).collect()
    }

    /// How many exchanges of an account ended in a range of the journal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ending_count(
        &self,
        range: Range<u64>,
        account: &AccountId,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM journal WHERE account = $1 AND seq >= $2 AND seq < $3 AND kind = 'completion'";
        let cells = vec![
            Cell::text(account.as_str()),
            Cell::count(range.start),
            Cell::count(range.end),
        ];
        let rows = self.rows(sql, cells).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// The leaves of these records, by their places.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leaves_at(&self, places: &[u64]) -> Result<BTreeMap<u64, Vec<u8>>, StoreError> {
        let mut all = BTreeMap::new();
        for list in lists(places) {
            let sql = format!("SELECT seq, leaf FROM journal WHERE seq IN ({list})");
            for row in self.rows(&sql, Vec::new()).await? {
                all.insert(row.count(0)?, row.bytes(1)?);
            }
        }
        Ok(all)
    }

    /// Those of these intents whose request was not forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn held_requests(&self, intents: &[u64]) -> Result<BTreeSet<u64>, StoreError> {
        let mut all = BTreeSet::new();
        for list in lists(intents) {
            let sql = format!("SELECT b.seq FROM {HELD} AND b.seq IN ({list})");
            for row in self.rows(&sql, Vec::new()).await? {
                all.insert(row.count(0)?);
            }
        }
        Ok(all)
    }

    /// Every account that exchanges were imported of, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn imported_accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT DISTINCT account FROM imported ORDER BY account";
        let rows = self.rows(sql, Vec::new()).await?;
        let account = |row: &Row| id(AccountId::parse, &row.text(0)?);
        rows.iter().map(account).collect()
    }

    /// The requests of some intents, in order; those whose body was forgotten are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn requests(&self, intents: &[u64]) -> Result<Vec<SealedRequest>, StoreError> {
        let columns = subject_keys::COLUMNS;
        let mut all = Vec::with_capacity(intents.len());
        for list in lists(intents) {
            let sql = format!(
                "SELECT j.seq, j.leaf, b.bytes, {columns} FROM {HELD} AND j.seq IN ({list}) ORDER BY j.seq"
            );
            for row in self.rows(&sql, Vec::new()).await? {
                all.push(SealedRequest {
                    seq: row.count(0)?,
                    leaf: row.bytes(1)?,
                    body: row.bytes(2)?,
                    key: subject_keys::key(&row, 3)?,
                });
            }
        }
        Ok(all)
    }
}

/// Requests that were not forgotten, with their records and keys.
const HELD: &str = "journal j JOIN bodies b ON b.seq = j.seq JOIN subject_keys k ON k.id = b.key_id WHERE b.what = 'request' AND k.destroyed_at = 0";

/// Places as statements list them, some at a time. Numbers, not text: nothing to escape.
fn lists(places: &[u64]) -> impl Iterator<Item = String> {
    places.chunks(500).map(|chunk| {
        let words: Vec<String> = chunk.iter().map(u64::to_string).collect();
        words.join(",")
    })
}
