//! Whose fingerprints have to leave the registry of outputs?
//!
//! The registry's files know exchanges, not subjects. Which exchanges were a
//! subject's is known from the keys that their answers were sealed under, also
//! of answers whose time is over. The list is made in the transaction that
//! erases, and stays until the files are written; a row of `unfinished` says so.

use std::collections::{BTreeMap, BTreeSet};

use evidence::seal::SubjectDigest;
use facts::{AccountId, ExchangeId, Timestamp};

use super::due;
use crate::database::{Cell, Database, Session, StoreError};
use crate::directory::id;

/// The row of `unfinished` that stands for fingerprints that may still be in the registry's files.
pub const FINGERPRINTS: &str = "fingerprints";

/// Outputs of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputsOf {
    /// Those of these exchanges.
    Exchanges(BTreeSet<ExchangeId>),
    /// All that were given until then.
    Until(Timestamp),
}

/// Outputs whose fingerprints have to leave the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToForget {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub outputs: OutputsOf,
}

/// Keeps under which keys answers were sealed whose bodies are let go of.
pub(super) async fn remember(session: &mut Session, bodies: &str) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO answers_let_go (seq, key_id) SELECT seq, key_id FROM bodies WHERE seq IN ({bodies}) AND what = 'answer' AND key_id IS NOT NULL ON CONFLICT (seq) DO NOTHING"
    );
    session.execute(&sql, Vec::new()).await.map(drop)
}

/// Notes the outputs of a subject: those kept under `keys`, as lists of a statement, and those
/// that were let go of.
pub(super) async fn note_subject(
    session: &mut Session,
    (account, subject): (&AccountId, &SubjectDigest),
    keys: &[String],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let noted = |from: &str| {
        format!(
            "INSERT INTO outputs_to_forget (account, exchange, until) SELECT j.account, j.exchange, j.at FROM {from} AND j.account IS NOT NULL AND j.exchange IS NOT NULL ON CONFLICT (account, exchange) DO NOTHING"
        )
    };
    for chunk in keys {
        let kept = format!(
            "bodies b JOIN journal j ON j.seq = b.seq WHERE b.what = 'answer' AND b.key_id IN ({chunk})"
        );
        session.execute(&noted(&kept), Vec::new()).await?;
    }
    let whose = || {
        vec![
            Cell::text(account.as_str()),
            Cell::Bytes(subject.0.to_vec()),
        ]
    };
    let let_go = "answers_let_go l JOIN subject_keys k ON k.id = l.key_id JOIN journal j ON j.seq = l.seq WHERE k.account = $1 AND k.subject = $2";
    session.execute(&noted(let_go), whose()).await?;
    let sql = "DELETE FROM answers_let_go WHERE key_id IN (SELECT id FROM subject_keys WHERE account = $1 AND subject = $2)";
    session.execute(sql, whose()).await?;
    due(session, FINGERPRINTS, now).await
}

/// Notes all outputs that an account has got so far.
pub(super) async fn note_account(
    session: &mut Session,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM answers_let_go WHERE key_id IN (SELECT id FROM subject_keys WHERE account = $1)";
    session
        .execute(sql, vec![Cell::text(account.as_str())])
        .await?;
    let sql = "INSERT INTO outputs_to_forget (account, exchange, until) VALUES ($1, '', $2) ON CONFLICT (account, exchange) DO UPDATE SET until = excluded.until";
    let cells = vec![Cell::text(account.as_str()), Cell::int(now.0)];
    session.execute(sql, cells).await?;
    due(session, FINGERPRINTS, now).await
}

impl Database {
    /// How many answers of an account, or of one of its subjects, were let go of when their time
    /// was over; their fingerprints may be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers_let_go(
        &self,
        account: &AccountId,
        subject: Option<&SubjectDigest>,
    ) -> Result<u64, StoreError> {
        let mut cells = vec![Cell::text(account.as_str())];
        let whose = subject.map_or("", |subject| {
            cells.push(Cell::Bytes(subject.0.to_vec()));
            " AND k.subject = $2"
        });
        let sql = format!(
            "SELECT COUNT(*) FROM answers_let_go l JOIN subject_keys k ON k.id = l.key_id WHERE k.account = $1{whose}"
        );
        let rows = self.rows(&sql, cells).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// Notes all outputs of an account of which nothing but fingerprints can be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_outputs_of(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut script = self.script();
        script.one(
            "INSERT INTO outputs_to_forget (account, exchange, until) VALUES (?, '', ?) ON CONFLICT (account, exchange) DO UPDATE SET until = excluded.until",
            vec![Cell::text(account.as_str()), Cell::int(now.0)],
        );
        script.one(
            "INSERT INTO unfinished (what, since) VALUES (?, ?) ON CONFLICT (what) DO NOTHING",
            vec![Cell::text(FINGERPRINTS), Cell::int(now.0)],
        );
        self.in_transaction(script).await.map(drop)
    }

    /// The outputs whose fingerprints have to leave the registry's files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outputs_to_forget(&self) -> Result<Vec<ToForget>, StoreError> {
        let sql = "SELECT account, exchange, until FROM outputs_to_forget";
        let mut all = Vec::new();
        let mut by: BTreeMap<AccountId, BTreeSet<ExchangeId>> = BTreeMap::new();
        for row in self.rows(sql, Vec::new()).await? {
            let account = id(AccountId::parse, &row.text(0)?)?;
            let exchange = row.text(1)?;
            if exchange.is_empty() {
                let outputs = OutputsOf::Until(Timestamp(row.int(2)?));
                all.push(ToForget { account, outputs });
            } else {
                let exchange = id(ExchangeId::parse, &exchange)?;
                by.entry(account).or_default().insert(exchange);
            }
        }
        let exchanges = by.into_iter().map(|(account, exchanges)| ToForget {
            account,
            outputs: OutputsOf::Exchanges(exchanges),
        });
        all.extend(exchanges);
        Ok(all)
    }

    /// The registry's files are written. Whoever says so let nothing be added to the list since it
    /// was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outputs_forgotten(&self) -> Result<(), StoreError> {
        let mut script = self.script();
        script.one("DELETE FROM outputs_to_forget", Vec::new());
        script.one(
            "DELETE FROM unfinished WHERE what = ?",
            vec![Cell::text(FINGERPRINTS)],
        );
        self.in_transaction(script).await.map(drop)
    }
}
