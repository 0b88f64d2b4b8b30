//! Customers, keys, limits, cases and spend, as rows.
//!
//! They are written only together with the record that says so.

use facts::{AccountId, KeyId, MicroUsd, OrganisationId, ProjectId, Timestamp};

use crate::bodies::Forget;
use crate::campaigns::{self, CampaignChange};
use crate::casework::{self, StepTaken};
use crate::database::{Cell, Database, Row, Session, StoreError};
use crate::holds::{self, HoldChange};
use crate::links::LinkRow;
use crate::profiles::{self, FindingRow};
use crate::sealed::{self, SealedRow};

/// A legal customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Its id.
    pub id: OrganisationId,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its id.
    pub id: ProjectId,
    /// Who owns it.
    pub organisation: OrganisationId,
    /// Its name for people.
    pub name: String,
    /// The purpose declared for it, if any.
    pub purpose: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Who owns it.
    pub project: ProjectId,
    /// Its name for people.
    pub name: String,
    /// Its standing, as the caller's JSON text.
    pub standing: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key; its secret is kept as a digest only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of the whole secret.
    pub secret_sha256: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What limits are set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitScope {
    /// One key.
    Key,
    /// One account.
    Account,
    /// One project.
    Project,
}

impl LimitScope {
    fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Account => "account",
            Self::Project => "project",
        }
    }
}

/// Limits of one scope, as the caller's JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsRow {
    /// What kind of thing they bind.
    pub scope: LimitScope,
    /// Its id.
    pub id: String,
    /// The limits.
    pub json: String,
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseStepRow {
    /// The case.
    pub case_id: String,
    /// Its number in the case, from 0.
    pub n: u64,
    /// The step, RFC 8785 canonical.
    pub json: String,
    /// SHA-256 of that text.
    pub digest: [u8; 32],
}

/// What one account spent with one key on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendRow {
    /// Who.
    pub account: AccountId,
    /// With which key.
    pub key: KeyId,
    /// Days since 1970-01-01.
    pub day: i64,
    /// Settled amount.
    pub amount: MicroUsd,
    /// Tokens.
    pub tokens: u64,
    /// Requests.
    pub requests: u64,
}

/// A change that is written with its record or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new organisation.
    Organisation(OrganisationRow),
    /// A new project.
    Project(ProjectRow),
    /// A new account.
    Account(AccountRow),
    /// A new key.
    Key(KeyRow),
    /// A key ends.
    RevokeKey {
        /// Which.
        key: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Limits are set or replaced.
    Limits(LimitsRow),
    /// An account's standing is replaced.
    Standing {
        /// Whose.
        account: AccountId,
        /// The new one, as the caller's JSON text.
        json: String,
    },
    /// An account's agreement is set or replaced.
    Agreement {
        /// Whose.
        account: AccountId,
        /// The new one, as the caller's JSON text.
        json: String,
    },
    /// A project's purposes are replaced.
    Purposes {
        /// Whose.
        project: ProjectId,
        /// The new ones, as the caller's JSON text.
        json: String,
    },
    /// An account gets a token that may link it to others; having it already changes nothing.
    Link {
        /// The token.
        row: LinkRow,
        /// When it became known.
        at: Timestamp,
    },
    /// A case takes a step; its number must be free.
    CaseStep(Box<StepTaken>),
    /// A bundle of evidence is told of; of one state of a case only once.
    Sealed(SealedRow),
    /// A finding is kept as the record states its digest; its id must be free.
    Finding(FindingRow),
    /// A known campaign is activated or ends.
    Campaign(CampaignChange),
    /// A legal hold is placed or ends.
    Hold(HoldChange),
    /// Something is forgotten; the record gets the counts.
    Forget(Forget),
    /// A piece of work is done that a crash could have cut short.
    Finished(String),
}

/// Everything the engine needs to know at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRows {
    /// All organisations, by id.
    pub organisations: Vec<OrganisationRow>,
    /// All projects, by id.
    pub projects: Vec<ProjectRow>,
    /// All accounts, by id.
    pub accounts: Vec<AccountRow>,
    /// All keys, by id.
    pub keys: Vec<KeyRow>,
    /// All limits, by scope and id.
    pub limits: Vec<LimitsRow>,
    /// All agreements, by account, as the caller's JSON text.
    pub agreements: Vec<(AccountId, String)>,
}

pub(crate) enum ChangeError {
    Unknown(String),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

pub(crate) async fn write(session: &mut Session, change: &Change) -> Result<(), ChangeError> {
    let (sql, cells) = statement(change);
    if session.execute(sql, cells).await? == 0 {
        let what = match change {
            Change::RevokeKey { key, .. } => format!("no live key `{key}`"),
            Change::Standing { account, .. } => format!("no account `{account}`"),
            Change::Purposes { project, .. } => format!("no project `{project}`"),
            Change::Campaign(change) => change.refusal(),
            Change::Hold(change) => change.refusal(),
            Change::Finished(what) => format!("`{what}` was not under way"),
            Change::Sealed(row) => format!("the evidence of `{}` was told of", row.case_id),
            Change::Organisation(_)
            | Change::Project(_)
            | Change::Account(_)
            | Change::Key(_)
            | Change::Limits(_)
            | Change::Agreement { .. }
            | Change::Link { .. }
            | Change::Forget(_)
            | Change::Finding(_)
            | Change::CaseStep(_) => "nothing was written".to_owned(),
        };
        return Err(ChangeError::Unknown(what));
    }
    if let Change::Sealed(row) = change {
        sealed::tell(session, row).await?;
    }
    if let Change::CaseStep(taken) = change
        && !casework::beside(session, taken).await?
    {
        let what = "the held step was taken back".to_owned();
        return Err(ChangeError::Unknown(what));
    }
    Ok(())
}

fn statement(change: &Change) -> (&'static str, Vec<Cell>) {
    match change {
        Change::Organisation(row) => (
            "INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)",
            vec![
                Cell::text(row.id.as_str()),
                Cell::text(row.name.as_str()),
                Cell::int(row.created_at.0),
            ],
        ),
        Change::Project(row) => (
            "INSERT INTO projects (id, organisation, name, purpose, created_at) VALUES ($1, $2, $3, $4, $5)",
            vec![
                Cell::text(row.id.as_str()),
                Cell::text(row.organisation.as_str()),
                Cell::text(row.name.as_str()),
                Cell::Text(row.purpose.clone()),
                Cell::int(row.created_at.0),
            ],
        ),
        Change::Account(row) => (
            "INSERT INTO accounts (id, project, name, standing, created_at) VALUES ($1, $2, $3, $4, $5)",
            vec![
                Cell::text(row.id.as_str()),
                Cell::text(row.project.as_str()),
                Cell::text(row.name.as_str()),
                Cell::text(row.standing.as_str()),
                Cell::int(row.created_at.0),
            ],
        ),
        Change::Key(row) => issued(row),
        Change::RevokeKey { key, at } => (
            "UPDATE access_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
            vec![Cell::int(at.0), Cell::text(key.as_str())],
        ),
        Change::Limits(row) => (
            "INSERT INTO limits (scope, id, json) VALUES ($1, $2, $3) ON CONFLICT (scope, id) DO UPDATE SET json = excluded.json",
            vec![
                Cell::text(row.scope.word()),
                Cell::text(row.id.as_str()),
                Cell::text(row.json.as_str()),
            ],
        ),
        Change::Standing { account, json } => (
            "UPDATE accounts SET standing = $1 WHERE id = $2",
            vec![Cell::text(json.as_str()), Cell::text(account.as_str())],
        ),
        Change::Agreement { account, json } => agreement(account, json),
        Change::Purposes { project, json } => purposes(project, json),
        Change::Link { row, at } => link(row, *at),
        Change::Campaign(change) => campaigns::statement(change),
        Change::Hold(change) => holds::statement(change),
        // The journal carries it out itself, before it writes the counts.
        Change::Forget(_) => ("DELETE FROM unfinished WHERE what = ''", Vec::new()),
        Change::Finished(what) => (
            "DELETE FROM unfinished WHERE what = $1",
            vec![Cell::text(what.as_str())],
        ),
        Change::CaseStep(taken) => case_step(&taken.row),
        Change::Sealed(row) => sealed::insert(row),
        Change::Finding(row) => profiles::finding(row),
    }
}

fn issued(row: &KeyRow) -> (&'static str, Vec<Cell>) {
    (
        "INSERT INTO access_keys (id, account, secret_sha256, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5)",
        vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.account.as_str()),
            Cell::Bytes(row.secret_sha256.to_vec()),
            Cell::int(row.created_at.0),
            Cell::Int(row.revoked_at.map(|at| at.0)),
        ],
    )
}

fn case_step(row: &CaseStepRow) -> (&'static str, Vec<Cell>) {
    (
        "INSERT INTO case_steps (case_id, n, json, digest) VALUES ($1, $2, $3, $4)",
        vec![
            Cell::text(row.case_id.as_str()),
            Cell::count(row.n),
            Cell::text(row.json.as_str()),
            Cell::Bytes(row.digest.to_vec()),
        ],
    )
}

fn agreement(account: &AccountId, json: &str) -> (&'static str, Vec<Cell>) {
    (
        "INSERT INTO agreements (account, json) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET json = excluded.json",
        vec![Cell::text(account.as_str()), Cell::text(json)],
    )
}

fn link(row: &LinkRow, at: Timestamp) -> (&'static str, Vec<Cell>) {
    (
        "INSERT INTO links (account, kind, token, linked_at) VALUES ($1, $2, $3, $4) ON CONFLICT (account, kind, token) DO UPDATE SET linked_at = links.linked_at",
        vec![
            Cell::text(row.account.as_str()),
            Cell::text(row.kind.word()),
            Cell::int(row.token.cast_signed()),
            Cell::int(at.0),
        ],
    )
}

fn purposes(project: &ProjectId, json: &str) -> (&'static str, Vec<Cell>) {
    (
        "UPDATE projects SET purpose = $1 WHERE id = $2",
        vec![Cell::text(json), Cell::text(project.as_str())],
    )
}

/// Parses a stored id.
pub(crate) fn id<T>(
    parse: impl Fn(&str) -> Result<T, facts::IdError>,
    text: &str,
) -> Result<T, StoreError> {
    parse(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

impl Database {
    /// The directory as it is. Read it before requests are let in: the tables
    /// are read one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn directory(&self) -> Result<DirectoryRows, StoreError> {
        let organisations = self
            .rows(
                "SELECT id, name, created_at FROM organisations ORDER BY id",
                Vec::new(),
            )
            .await?;
        let projects = self
            .rows(
                "SELECT id, organisation, name, purpose, created_at FROM projects ORDER BY id",
                Vec::new(),
            )
            .await?;
        let accounts = self
            .rows(
                "SELECT id, project, name, standing, created_at FROM accounts ORDER BY id",
                Vec::new(),
            )
            .await?;
        let keys = self.rows("SELECT id, account, secret_sha256, created_at, revoked_at FROM access_keys ORDER BY id", Vec::new()).await?;
        let limits = self
            .rows(
                "SELECT scope, id, json FROM limits ORDER BY scope, id",
                Vec::new(),
            )
            .await?;
        let agreements = self
            .rows(
                "SELECT account, json FROM agreements ORDER BY account",
                Vec::new(),
            )
            .await?;
        let agreed = |row: &Row| Ok((id(AccountId::parse, &row.text(0)?)?, row.text(1)?));
        Ok(DirectoryRows {
            organisations: organisations
                .iter()
                .map(organisation)
                .collect::<Result<_, _>>()?,
            projects: projects.iter().map(project).collect::<Result<_, _>>()?,
            accounts: accounts.iter().map(account).collect::<Result<_, _>>()?,
            keys: keys.iter().map(key).collect::<Result<_, _>>()?,
            limits: limits.iter().map(limit).collect::<Result<_, _>>()?,
            agreements: agreements
                .iter()
                .map(agreed)
                .collect::<Result<_, StoreError>>()?,
        })
    }

    /// Every step of every case, by case and number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn case_steps(&self) -> Result<Vec<CaseStepRow>, StoreError> {
        let rows = self
            .rows(
                "SELECT case_id, n, json, digest FROM case_steps ORDER BY case_id, n",
                Vec::new(),
            )
            .await?;
        rows.iter().map(case_step_row).collect()
    }

    /// The leaves of an account's intents since `from`, in order of the log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn intents_of(
        &self,
        account: &AccountId,
        from: Timestamp,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self
            .rows(
                "SELECT leaf FROM journal WHERE account = $1 AND kind = 'intent' AND at >= $2 ORDER BY seq",
                vec![Cell::text(account.as_str()), Cell::int(from.0)],
            )
            .await?;
        rows.iter().map(|row| row.bytes(0)).collect()
    }

    /// What one account spent, by key and UTC day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spend_of(&self, account: &AccountId) -> Result<Vec<SpendRow>, StoreError> {
        let sql = "SELECT account, key_id, day, micro_usd, tokens, requests FROM spend WHERE account = $1 ORDER BY key_id, day";
        let rows = self.rows(sql, vec![Cell::text(account.as_str())]).await?;
        rows.iter().map(spent).collect()
    }

    /// What was spent since the UTC day `from` (days since 1970-01-01; 0: ever).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spend(&self, from: i64) -> Result<Vec<SpendRow>, StoreError> {
        let rows = self.rows("SELECT account, key_id, day, micro_usd, tokens, requests FROM spend WHERE day >= $1 ORDER BY account, key_id, day", vec![Cell::int(from)]).await?;
        rows.iter().map(spent).collect()
    }
}

fn spent(row: &Row) -> Result<SpendRow, StoreError> {
    Ok(SpendRow {
        account: id(AccountId::parse, &row.text(0)?)?,
        key: id(KeyId::parse, &row.text(1)?)?,
        day: row.int(2)?,
        amount: MicroUsd(row.count(3)?),
        tokens: row.count(4)?,
        requests: row.count(5)?,
    })
}

pub(crate) fn case_step_row(row: &Row) -> Result<CaseStepRow, StoreError> {
    Ok(CaseStepRow {
        case_id: row.text(0)?,
        n: row.count(1)?,
        json: row.text(2)?,
        digest: row.digest(3)?,
    })
}

fn organisation(row: &Row) -> Result<OrganisationRow, StoreError> {
    Ok(OrganisationRow {
        id: id(OrganisationId::parse, &row.text(0)?)?,
        name: row.text(1)?,
        created_at: Timestamp(row.int(2)?),
    })
}

fn project(row: &Row) -> Result<ProjectRow, StoreError> {
    Ok(ProjectRow {
        id: id(ProjectId::parse, &row.text(0)?)?,
        organisation: id(OrganisationId::parse, &row.text(1)?)?,
        name: row.text(2)?,
        purpose: row.text_or_none(3)?,
        created_at: Timestamp(row.int(4)?),
    })
}

fn account(row: &Row) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        id: id(AccountId::parse, &row.text(0)?)?,
        project: id(ProjectId::parse, &row.text(1)?)?,
        name: row.text(2)?,
        standing: row.text(3)?,
        created_at: Timestamp(row.int(4)?),
    })
}

fn key(row: &Row) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: id(KeyId::parse, &row.text(0)?)?,
        account: id(AccountId::parse, &row.text(1)?)?,
        secret_sha256: row.digest(2)?,
        created_at: Timestamp(row.int(3)?),
        revoked_at: row.int_or_none(4)?.map(Timestamp),
    })
}

fn limit(row: &Row) -> Result<LimitsRow, StoreError> {
    let word = row.text(0)?;
    let scope = [LimitScope::Key, LimitScope::Account, LimitScope::Project]
        .into_iter()
        .find(|scope| scope.word() == word)
        .ok_or_else(|| StoreError::Corrupt(format!("`{word}` is no scope of limits")))?;
    Ok(LimitsRow {
        scope,
        id: row.text(1)?,
        json: row.text(2)?,
    })
}
