//! Who are people at an issuer? Its subjects, each linked to one person for
//! good, and those who were invited and have not signed in there yet.

use facts::Timestamp;

use crate::database::{Cell, Database, Row, StoreError};

/// Somebody at an issuer, linked to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRow {
    /// `ISSUER#SUB`.
    pub subject: String,
    /// Whose.
    pub person: String,
    /// What people recognise it by.
    pub shown: String,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
}

fn subject(row: &Row) -> Result<SubjectRow, StoreError> {
    Ok(SubjectRow {
        subject: row.text(0)?,
        person: row.text(1)?,
        shown: row.text(2)?,
        linked_at: Timestamp(row.int(3)?),
        used_at: row.int_or_none(4)?.map(Timestamp),
    })
}

const SUBJECT: &str = "SELECT subject, person, shown, linked_at, used_at FROM issuer_subjects";

impl Database {
    /// Whose this subject is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subject(&self, name: &str) -> Result<Option<SubjectRow>, StoreError> {
        let sql = format!("{SUBJECT} WHERE subject = $1");
        let rows = self.rows(&sql, vec![Cell::text(name)]).await?;
        rows.first().map(subject).transpose()
    }

    /// Subjects of a person, the first one first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subjects_of(&self, person: &str) -> Result<Vec<SubjectRow>, StoreError> {
        let sql = format!("{SUBJECT} WHERE person = $1 ORDER BY linked_at, subject");
        let rows = self.rows(&sql, vec![Cell::text(person)]).await?;
        rows.iter().map(subject).collect()
    }

    /// Links a subject; refused by the database where it is linked already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_subject(&self, row: &SubjectRow) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO issuer_subjects (subject, person, shown, linked_at) VALUES (?, ?, ?, ?)";
        let cells = vec![
            Cell::text(row.subject.as_str()),
            Cell::text(row.person.as_str()),
            Cell::text(row.shown.as_str()),
            Cell::int(row.linked_at.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// A subject signed in, and is called so by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subject_used(
        &self,
        subject: &str,
        shown: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE issuer_subjects SET shown = ?, used_at = ? WHERE subject = ?";
        let cells = vec![Cell::text(shown), Cell::int(at.0), Cell::text(subject)];
        self.change(sql, cells).await.map(drop)
    }

    /// Awaits somebody at the issuer: a subject, or a verified address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn await_subject(
        &self,
        hint: &str,
        person: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO issuer_awaited (hint, person, expires_at) VALUES (?, ?, ?) \
                   ON CONFLICT (hint) DO UPDATE SET person = excluded.person, expires_at = excluded.expires_at";
        let cells = vec![
            Cell::text(hint),
            Cell::text(person),
            Cell::int(expires_at.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// Who was invited under this hint, unless that is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn awaited(&self, hint: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let sql = "SELECT person FROM issuer_awaited WHERE hint = $1 AND expires_at > $2";
        let cells = vec![Cell::text(hint), Cell::int(now.0)];
        let rows = self.rows(sql, cells).await?;
        rows.first().map(|row| row.text(0)).transpose()
    }

    /// Uses the hint up; false where somebody was quicker.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_awaited(&self, hint: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM issuer_awaited WHERE hint = ?";
        Ok(self.change(sql, vec![Cell::text(hint)]).await? > 0)
    }
}
