//! Where does each case stand, and who works on it? Rows that lists are made
//! of, so that nobody replays every case to show a queue.

use std::collections::BTreeMap;

use facts::{AccountId, Timestamp};

use crate::database::{Cell, Database, Row, Session, StoreError};
use crate::directory::{CaseStepRow, id};
use crate::outbox::{self, OutboxRow};
use crate::subject_keys::{self, SubjectKeyRow};

/// What lists show of a case, as of its last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// The case.
    pub case_id: String,
    /// The version of whoever made it.
    pub version: u64,
    /// Steps that it is made of.
    pub steps: u64,
    /// Whether the case is closed.
    pub closed: bool,
    /// What somebody is to do next, in a word.
    pub awaits: String,
    /// By when; where there is no such day, since when.
    pub due: Timestamp,
    /// The rest, as the caller's JSON.
    pub json: String,
}

/// What a case is about, written with its first step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenedCase {
    /// The accused.
    pub accounts: Vec<AccountId>,
    /// Cases without which it would not stand.
    pub rests_on: Vec<String>,
}

/// A step of a case with all that is kept because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTaken {
    /// The step; its number must be free.
    pub row: CaseStepRow,
    /// What the case is about, at its first step.
    pub opened: Option<OpenedCase>,
    /// Where the case stands after its last step.
    pub summary: Option<SummaryRow>,
    /// Files that came with it.
    pub files: Vec<FileRow>,
    /// Who is to be told.
    pub outbox: Vec<OutboxRow>,
    /// The held step that it was until now.
    pub held: Option<String>,
}

impl StepTaken {
    /// A step with nothing beside it.
    pub fn alone(row: CaseStepRow) -> Self {
        Self {
            row,
            opened: None,
            summary: None,
            files: Vec::new(),
            outbox: Vec::new(),
            held: None,
        }
    }
}

/// A file that came with an answer, sealed by the caller; the store cannot read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The case.
    pub case_id: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Who sent it.
    pub account: AccountId,
    /// The commitment that opens with it.
    pub commitment: [u8; 32],
    /// The number of its key.
    pub key: u64,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

/// A step that may still be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// Its id.
    pub id: String,
    /// The case.
    pub case_id: String,
    /// Who decided on it.
    pub person: String,
    /// When.
    pub at: Timestamp,
    /// When it is taken.
    pub not_before: Timestamp,
    /// The step, as the caller's JSON.
    pub json: String,
    /// Why the case refused it when its time had come.
    pub refused: Option<String>,
}

/// Who works on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    /// The case.
    pub case_id: String,
    /// Who.
    pub person: String,
    /// Until when.
    pub until: Timestamp,
}

/// Which summaries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SummariesAsked {
    /// Those that await this.
    pub awaits: Option<String>,
    /// Those that are closed, or those that are not.
    pub closed: Option<bool>,
    /// Those that accuse this account.
    pub account: Option<AccountId>,
    /// Those that come after this place.
    pub after: Option<(Timestamp, String)>,
}

/// A gathering of accounts that detection found last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRow {
    /// Its name.
    pub id: String,
    /// When it was found.
    pub at: Timestamp,
    /// The whole of it, as the caller's JSON.
    pub json: String,
}

const SUMMARY: &str = "INSERT INTO case_summaries (case_id, version, steps, closed, awaits, due, json) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (case_id) DO UPDATE SET version = excluded.version, steps = excluded.steps, closed = excluded.closed, \
     awaits = excluded.awaits, due = excluded.due, json = excluded.json";

fn cells(row: &SummaryRow) -> Vec<Cell> {
    vec![
        Cell::text(row.case_id.as_str()),
        Cell::count(row.version),
        Cell::count(row.steps),
        Cell::int(i64::from(row.closed)),
        Cell::text(row.awaits.as_str()),
        Cell::int(row.due.0),
        Cell::text(row.json.as_str()),
    ]
}

const ACCUSED: &str = "INSERT INTO case_accounts (account, case_id) VALUES ($1, $2) ON CONFLICT (account, case_id) DO NOTHING";
const RESTS: &str = "INSERT INTO case_rests (on_case, case_id) VALUES ($1, $2) ON CONFLICT (on_case, case_id) DO NOTHING";

/// The statements that say what a case is about.
fn about(case: &str, of: &OpenedCase) -> Vec<(&'static str, Vec<Cell>)> {
    let pair = |other: &str| vec![Cell::text(other), Cell::text(case)];
    let accounts = of.accounts.iter().map(|a| (ACCUSED, pair(a.as_str())));
    let rests = of.rests_on.iter().map(|on| (RESTS, pair(on)));
    accounts.chain(rests).collect()
}

/// Writes what goes with a step, within its transaction; false where the held step is gone.
pub(crate) async fn beside(session: &mut Session, taken: &StepTaken) -> Result<bool, sqlx::Error> {
    let case = taken.row.case_id.as_str();
    if let Some(held) = &taken.held {
        let sql = "DELETE FROM held_steps WHERE id = $1 AND refused IS NULL";
        if session
            .execute(sql, vec![Cell::text(held.as_str())])
            .await?
            == 0
        {
            return Ok(false);
        }
    }
    for (sql, cells) in taken.opened.iter().flat_map(|of| about(case, of)) {
        session.execute(sql, cells).await?;
    }
    if let Some(summary) = &taken.summary {
        session.execute(SUMMARY, cells(summary)).await?;
    }
    for file in &taken.files {
        let sql = "INSERT INTO case_files (case_id, sha256, account, commitment, key_id, bytes) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (case_id, sha256) DO NOTHING";
        let cells = vec![
            Cell::text(file.case_id.as_str()),
            Cell::text(file.sha256.as_str()),
            Cell::text(file.account.as_str()),
            Cell::Bytes(file.commitment.to_vec()),
            Cell::count(file.key),
            Cell::Bytes(file.bytes.clone()),
        ];
        session.execute(sql, cells).await?;
    }
    for row in &taken.outbox {
        session.execute(outbox::INSERT, outbox::cells(row)).await?;
    }
    Ok(true)
}

impl Database {
    /// Carries out statements in one transaction; how many rows the first one touched.
    pub(crate) async fn carry_out(
        &self,
        statements: Vec<(&str, Vec<Cell>)>,
    ) -> Result<u64, StoreError> {
        let mut session = self.session().await?;
        let mut touched = None;
        let mut done = session.begin().await;
        for (sql, cells) in statements {
            if done.is_ok() {
                done = session.execute(sql, cells).await.map(|rows| {
                    touched.get_or_insert(rows);
                });
            }
        }
        if done.is_ok() {
            done = session.commit().await;
        }
        if done.is_err() {
            session.rollback().await;
        }
        done?;
        Ok(touched.unwrap_or_default())
    }

    /// Summaries in the order of their due dates, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summaries(
        &self,
        asked: &SummariesAsked,
        limit: u32,
    ) -> Result<Vec<SummaryRow>, StoreError> {
        let (mut all, mut given) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(awaits) = &asked.awaits {
            given.push(Cell::text(awaits.as_str()));
            all.push(format!("awaits = ${}", given.len()));
        }
        if let Some(closed) = asked.closed {
            given.push(Cell::int(i64::from(closed)));
            all.push(format!("closed = ${}", given.len()));
        }
        if let Some(account) = &asked.account {
            given.push(Cell::text(account.as_str()));
            all.push(format!(
                "case_id IN (SELECT case_id FROM case_accounts WHERE account = ${})",
                given.len()
            ));
        }
        if let Some((due, case)) = &asked.after {
            given.push(Cell::int(due.0));
            let a = given.len();
            given.push(Cell::text(case.as_str()));
            let b = given.len();
            all.push(format!("(due > ${a} OR (due = ${a} AND case_id > ${b}))"));
        }
        let all = all.join(" AND ");
        let sql = format!(
            "SELECT case_id, version, steps, closed, awaits, due, json FROM case_summaries WHERE {all} ORDER BY due, case_id LIMIT {limit}"
        );
        let rows = self.rows(&sql, given).await?;
        rows.iter().map(summary).collect()
    }

    /// How many cases await what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn awaiting(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT awaits, COUNT(*) FROM case_summaries GROUP BY awaits ORDER BY awaits";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.count(1)?)))
            .collect()
    }

    /// Cases whose summary is missing, of another version or of fewer steps than they have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stale_summaries(&self, version: u64) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT s.case_id FROM (SELECT case_id, COUNT(*) AS n FROM case_steps GROUP BY case_id) s \
                   LEFT JOIN case_summaries m ON m.case_id = s.case_id AND m.version = $1 AND m.steps = s.n \
                   WHERE m.case_id IS NULL ORDER BY s.case_id";
        let rows = self.rows(sql, vec![Cell::count(version)]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Writes summaries that were made anew.
    ///
    /// # Errors
    /// [`StoreError`]; none was written.
    pub async fn keep_summaries(
        &self,
        rows: &[(SummaryRow, OpenedCase)],
    ) -> Result<(), StoreError> {
        let mut statements = Vec::new();
        for (row, of) in rows {
            statements.push((SUMMARY, cells(row)));
            statements.extend(about(&row.case_id, of));
        }
        self.carry_out(statements).await?;
        Ok(())
    }

    /// The steps of one case, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn steps_of(&self, case: &str) -> Result<Vec<CaseStepRow>, StoreError> {
        let sql = "SELECT case_id, n, json, digest FROM case_steps WHERE case_id = $1 ORDER BY n";
        let rows = self.rows(sql, vec![Cell::text(case)]).await?;
        rows.iter().map(crate::directory::case_step_row).collect()
    }

    /// The cases that accuse an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases_of(&self, account: &AccountId) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT case_id FROM case_accounts WHERE account = $1 ORDER BY case_id";
        let rows = self.rows(sql, vec![Cell::text(account.as_str())]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// The cases that would not stand without this one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resting_on(&self, case: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT case_id FROM case_rests WHERE on_case = $1 ORDER BY case_id";
        let rows = self.rows(sql, vec![Cell::text(case)]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// A file of a case with the key that opens it; none where there is no such file, or its key
    /// was destroyed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn case_file(
        &self,
        case: &str,
        sha256: &str,
    ) -> Result<Option<(FileRow, SubjectKeyRow)>, StoreError> {
        let columns = subject_keys::COLUMNS;
        let sql = format!(
            "SELECT f.case_id, f.sha256, f.account, f.commitment, f.key_id, f.bytes, {columns} \
             FROM case_files f JOIN subject_keys k ON k.id = f.key_id \
             WHERE f.case_id = $1 AND f.sha256 = $2 AND k.destroyed_at = 0"
        );
        let rows = self
            .rows(&sql, vec![Cell::text(case), Cell::text(sha256)])
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let file = FileRow {
            case_id: row.text(0)?,
            sha256: row.text(1)?,
            account: id(AccountId::parse, &row.text(2)?)?,
            commitment: row.digest(3)?,
            key: row.count(4)?,
            bytes: row.bytes(5)?,
        };
        Ok(Some((file, subject_keys::key(row, 6)?)))
    }

    /// Claims that hold at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claims(&self, now: Timestamp) -> Result<Vec<ClaimRow>, StoreError> {
        let sql = "SELECT case_id, person, until FROM case_claims WHERE until > $1";
        let rows = self.rows(sql, vec![Cell::int(now.0)]).await?;
        let claim = |row: &Row| {
            Ok(ClaimRow {
                case_id: row.text(0)?,
                person: row.text(1)?,
                until: Timestamp(row.int(2)?),
            })
        };
        rows.iter().map(claim).collect()
    }

    /// Claims a case unless somebody else has it at `now`; whether it is theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(&self, claim: &ClaimRow, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "INSERT INTO case_claims (case_id, person, until) VALUES ($1, $2, $3) \
                   ON CONFLICT (case_id) DO UPDATE SET person = excluded.person, until = excluded.until \
                   WHERE case_claims.person = excluded.person OR case_claims.until <= $4";
        let cells = vec![
            Cell::text(claim.case_id.as_str()),
            Cell::text(claim.person.as_str()),
            Cell::int(claim.until.0),
            Cell::int(now.0),
        ];
        Ok(self.carry_out(vec![(sql, cells)]).await? > 0)
    }

    /// Ends a claim of this person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unclaim(&self, case: &str, person: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM case_claims WHERE case_id = $1 AND person = $2";
        let cells = vec![Cell::text(case), Cell::text(person)];
        Ok(self.carry_out(vec![(sql, cells)]).await? > 0)
    }

    /// Keeps a step that may be taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_step(&self, row: &HeldRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO held_steps (id, case_id, person, at, not_before, json) VALUES ($1, $2, $3, $4, $5, $6)";
        let cells = vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.case_id.as_str()),
            Cell::text(row.person.as_str()),
            Cell::int(row.at.0),
            Cell::int(row.not_before.0),
            Cell::text(row.json.as_str()),
        ];
        self.carry_out(vec![(sql, cells)]).await?;
        Ok(())
    }

    /// Every held step, soonest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn held_steps(&self) -> Result<Vec<HeldRow>, StoreError> {
        let sql = "SELECT id, case_id, person, at, not_before, json, refused FROM held_steps ORDER BY not_before, id";
        let rows = self.rows(sql, Vec::new()).await?;
        let held = |row: &Row| {
            Ok(HeldRow {
                id: row.text(0)?,
                case_id: row.text(1)?,
                person: row.text(2)?,
                at: Timestamp(row.int(3)?),
                not_before: Timestamp(row.int(4)?),
                json: row.text(5)?,
                refused: row.text_or_none(6)?,
            })
        };
        rows.iter().map(held).collect()
    }

    /// Takes a held step back; false when it was taken already, or never held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_held(&self, id: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM held_steps WHERE id = $1";
        Ok(self.carry_out(vec![(sql, vec![Cell::text(id)])]).await? > 0)
    }

    /// Notes why the case refused a held step: it stays until somebody has read that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refuse_held(&self, id: &str, why: &str) -> Result<(), StoreError> {
        let sql = "UPDATE held_steps SET refused = $2 WHERE id = $1";
        let cells = vec![Cell::text(id), Cell::text(why)];
        self.carry_out(vec![(sql, cells)]).await?;
        Ok(())
    }

    /// Keeps what detection found, in place of what it found before.
    ///
    /// # Errors
    /// [`StoreError`]; what was kept before stays.
    pub async fn keep_clusters(&self, rows: &[ClusterRow]) -> Result<(), StoreError> {
        let sql = "INSERT INTO clusters (id, at, json) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
        let mut statements = vec![("DELETE FROM clusters", Vec::new())];
        for row in rows {
            let cells = vec![
                Cell::text(row.id.as_str()),
                Cell::int(row.at.0),
                Cell::text(row.json.as_str()),
            ];
            statements.push((sql, cells));
        }
        self.carry_out(statements).await?;
        Ok(())
    }

    /// What detection found last: all of it, or one gathering.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clusters(&self, id: Option<&str>) -> Result<Vec<ClusterRow>, StoreError> {
        let rows = match id {
            None => {
                let sql = "SELECT id, at, json FROM clusters ORDER BY id";
                self.rows(sql, Vec::new()).await?
            }
            Some(id) => {
                let sql = "SELECT id, at, json FROM clusters WHERE id = $1";
                self.rows(sql, vec![Cell::text(id)]).await?
            }
        };
        let cluster = |row: &Row| {
            Ok(ClusterRow {
                id: row.text(0)?,
                at: Timestamp(row.int(1)?),
                json: row.text(2)?,
            })
        };
        rows.iter().map(cluster).collect()
    }
}

fn summary(row: &Row) -> Result<SummaryRow, StoreError> {
    Ok(SummaryRow {
        case_id: row.text(0)?,
        version: row.count(1)?,
        steps: row.count(2)?,
        closed: row.int(3)? != 0,
        awaits: row.text(4)?,
        due: Timestamp(row.int(5)?),
        json: row.text(6)?,
    })
}
