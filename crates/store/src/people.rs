//! Who works here, and who is signed in? Rows of people, their passkeys, their
//! one-time invitations and their sign-ins. No secret is kept: a sign-in and an
//! invitation are known by the digest of their token.

use facts::Timestamp;

use crate::database::{Cell, Database, Row, StoreError};

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The name that colleagues know; the account's id.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// What is proven at sign-in.
    pub identity: String,
    /// Who invited them.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When they stopped working here, if they did.
    pub ended_at: Option<Timestamp>,
}

/// A passkey of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// The credential's id, base64url.
    pub id: String,
    /// Whose.
    pub person: String,
    /// The public key, as `COSE_Key`.
    pub public_key: Vec<u8>,
    /// The authenticator's last signature count.
    pub counter: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
}

/// Who somebody at the door is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A person who works here.
    Person(String),
    /// A customer's account.
    Account(String),
}

impl Whose {
    fn cells(&self) -> [Cell; 2] {
        match self {
            Self::Person(name) => [Cell::text(name.as_str()), Cell::Text(None)],
            Self::Account(account) => [Cell::Text(None), Cell::text(account.as_str())],
        }
    }
}

/// A one-time invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// SHA-256 of its token, hexadecimal.
    pub digest: String,
    /// For whom.
    pub whose: Whose,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// SHA-256 of its token, hexadecimal.
    pub digest: String,
    /// Who.
    pub whose: Whose,
    /// How: `invited`, `passkey`, `oidc` or `key`.
    pub how: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last.
    pub seen_at: Timestamp,
}

/// A rule that is watched before anybody lets it act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowRow {
    /// Its id.
    pub id: String,
    /// What kind of rule.
    pub what: String,
    /// Its value.
    pub value: String,
    /// Who began it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it began.
    pub began_at: Timestamp,
    /// Until when it is watched.
    pub until: Timestamp,
    /// When somebody ended it.
    pub ended_at: Option<Timestamp>,
}

fn whose(person: Option<String>, account: Option<String>) -> Result<Whose, StoreError> {
    match (person, account) {
        (Some(name), None) => Ok(Whose::Person(name)),
        (None, Some(account)) => Ok(Whose::Account(account)),
        _ => Err(StoreError::Corrupt(
            "a sign-in is neither a person's nor an account's".to_owned(),
        )),
    }
}

fn person(row: &Row) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        name: row.text(0)?,
        role: row.text(1)?,
        identity: row.text(2)?,
        invited_by: row.text(3)?,
        created_at: Timestamp(row.int(4)?),
        ended_at: row.int_or_none(5)?.map(Timestamp),
    })
}

fn passkey(row: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: row.text(0)?,
        person: row.text(1)?,
        public_key: row.bytes(2)?,
        counter: u32::try_from(row.count(3)?).unwrap_or(u32::MAX),
        created_at: Timestamp(row.int(4)?),
        used_at: row.int_or_none(5)?.map(Timestamp),
    })
}

fn sign_in(row: &Row) -> Result<SignInRow, StoreError> {
    Ok(SignInRow {
        digest: row.text(0)?,
        whose: whose(row.text_or_none(1)?, row.text_or_none(2)?)?,
        how: row.text(3)?,
        created_at: Timestamp(row.int(4)?),
        seen_at: Timestamp(row.int(5)?),
    })
}

const PERSON: &str = "SELECT name, role, identity, invited_by, created_at, ended_at FROM people";
const PASSKEY: &str = "SELECT id, person, public_key, counter, created_at, used_at FROM passkeys";
const SIGN_IN: &str = "SELECT digest, person, account, how, created_at, seen_at FROM sign_ins";

impl Database {
    pub(crate) async fn change(&self, sql: &str, cells: Vec<Cell>) -> Result<u64, StoreError> {
        let mut script = self.script();
        script.one(sql, cells);
        self.in_transaction(script).await
    }

    /// Everybody who ever worked here, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        let sql = format!("{PERSON} ORDER BY name");
        self.rows(&sql, Vec::new())
            .await?
            .iter()
            .map(person)
            .collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, name: &str) -> Result<Option<PersonRow>, StoreError> {
        let sql = format!("{PERSON} WHERE name = $1");
        let rows = self.rows(&sql, vec![Cell::text(name)]).await?;
        rows.first().map(person).transpose()
    }

    /// Somebody starts to work here, or comes back in another role.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_person(&self, row: &PersonRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO people (name, role, identity, invited_by, created_at) VALUES (?, ?, ?, ?, ?) \
                   ON CONFLICT (name) DO UPDATE SET role = excluded.role, identity = excluded.identity, \
                   invited_by = excluded.invited_by, ended_at = NULL";
        let cells = vec![
            Cell::text(row.name.as_str()),
            Cell::text(row.role.as_str()),
            Cell::text(row.identity.as_str()),
            Cell::text(row.invited_by.as_str()),
            Cell::int(row.created_at.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// Two names turned out to be one person: this one, with every other name of its own, takes
    /// the other's identity.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn same_person(&self, name: &str, identity: &str) -> Result<(), StoreError> {
        let sql = "UPDATE people SET identity = ? WHERE identity = (SELECT identity FROM people WHERE name = ?)";
        let cells = vec![Cell::text(identity), Cell::text(name)];
        self.change(sql, cells).await.map(drop)
    }

    /// Somebody stops working here: their invitations and sign-ins end with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_person(&self, name: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut script = self.script();
        script.one(
            "DELETE FROM sign_ins WHERE person = ?",
            vec![Cell::text(name)],
        );
        script.one(
            "DELETE FROM invites WHERE person = ?",
            vec![Cell::text(name)],
        );
        script.one(
            "DELETE FROM issuer_awaited WHERE person = ?",
            vec![Cell::text(name)],
        );
        self.in_transaction(script).await?;
        let sql = "UPDATE people SET ended_at = ? WHERE name = ? AND ended_at IS NULL";
        let ended = self
            .change(sql, vec![Cell::int(at.0), Cell::text(name)])
            .await?;
        Ok(ended > 0)
    }

    /// Passkeys of somebody, or of everybody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkeys(&self, of: Option<&str>) -> Result<Vec<PasskeyRow>, StoreError> {
        let rows = match of {
            None => {
                self.rows(&format!("{PASSKEY} ORDER BY id"), Vec::new())
                    .await?
            }
            Some(name) => {
                let sql = format!("{PASSKEY} WHERE person = $1 ORDER BY created_at, id");
                self.rows(&sql, vec![Cell::text(name)]).await?
            }
        };
        rows.iter().map(passkey).collect()
    }

    /// The passkey of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkey(&self, id: &str) -> Result<Option<PasskeyRow>, StoreError> {
        let sql = format!("{PASSKEY} WHERE id = $1");
        let rows = self.rows(&sql, vec![Cell::text(id)]).await?;
        rows.first().map(passkey).transpose()
    }

    /// Keeps a new passkey; refused by the database where its id is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_passkey(&self, row: &PasskeyRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO passkeys (id, person, public_key, counter, created_at) VALUES (?, ?, ?, ?, ?)";
        let cells = vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.person.as_str()),
            Cell::Bytes(row.public_key.clone()),
            Cell::int(i64::from(row.counter)),
            Cell::int(row.created_at.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// A passkey was used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkey_used(
        &self,
        id: &str,
        counter: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE passkeys SET counter = ?, used_at = ? WHERE id = ?";
        let cells = vec![
            Cell::int(i64::from(counter)),
            Cell::int(at.0),
            Cell::text(id),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// Removes a passkey of somebody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_passkey(&self, id: &str, person: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM passkeys WHERE id = ? AND person = ?";
        let cells = vec![Cell::text(id), Cell::text(person)];
        Ok(self.change(sql, cells).await? > 0)
    }

    /// Keeps an invitation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_invite(&self, row: &InviteRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO invites (digest, person, account, expires_at) VALUES (?, ?, ?, ?)";
        let [person, account] = row.whose.cells();
        let cells = vec![
            Cell::text(row.digest.as_str()),
            person,
            account,
            Cell::int(row.expires_at.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// Whose invitation this is, unless it was used or is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(&self, digest: &str, now: Timestamp) -> Result<Option<Whose>, StoreError> {
        let sql = "SELECT person, account FROM invites WHERE digest = $1 AND expires_at > $2";
        let rows = self
            .rows(sql, vec![Cell::text(digest), Cell::int(now.0)])
            .await?;
        let read = |row: &Row| whose(row.text_or_none(0)?, row.text_or_none(1)?);
        rows.first().map(read).transpose()
    }

    /// Uses an invitation up; false where somebody was quicker.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_invite(&self, digest: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM invites WHERE digest = ?";
        Ok(self.change(sql, vec![Cell::text(digest)]).await? > 0)
    }

    /// Keeps a sign-in, and lets go of those whose time was over before `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_sign_in(&self, row: &SignInRow, since: Timestamp) -> Result<(), StoreError> {
        let [person, account] = row.whose.cells();
        let mut script = self.script();
        script.one(
            "DELETE FROM sign_ins WHERE created_at < ?",
            vec![Cell::int(since.0)],
        );
        script.one(
            "DELETE FROM invites WHERE expires_at < ?",
            vec![Cell::int(row.created_at.0)],
        );
        script.one(
            "INSERT INTO sign_ins (digest, person, account, how, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
            vec![
                Cell::text(row.digest.as_str()),
                person,
                account,
                Cell::text(row.how.as_str()),
                Cell::int(row.created_at.0),
                Cell::int(row.seen_at.0),
            ],
        );
        self.in_transaction(script).await.map(drop)
    }

    /// The sign-in with this digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_in(&self, digest: &str) -> Result<Option<SignInRow>, StoreError> {
        let sql = format!("{SIGN_IN} WHERE digest = $1");
        let rows = self.rows(&sql, vec![Cell::text(digest)]).await?;
        rows.first().map(sign_in).transpose()
    }

    /// Sign-ins of a person, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_ins_of(&self, person: &str) -> Result<Vec<SignInRow>, StoreError> {
        let sql = format!("{SIGN_IN} WHERE person = $1 ORDER BY created_at DESC");
        let rows = self.rows(&sql, vec![Cell::text(person)]).await?;
        rows.iter().map(sign_in).collect()
    }

    /// A sign-in was used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_in_seen(&self, digest: &str, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE sign_ins SET seen_at = ? WHERE digest = ?";
        let cells = vec![Cell::int(at.0), Cell::text(digest)];
        self.change(sql, cells).await.map(drop)
    }

    /// Ends a sign-in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_out(&self, digest: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM sign_ins WHERE digest = ?";
        self.change(sql, vec![Cell::text(digest)]).await.map(drop)
    }

    /// Ends every sign-in of a person but one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_out_others(&self, person: &str, but: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM sign_ins WHERE person = ? AND digest <> ?";
        let cells = vec![Cell::text(person), Cell::text(but)];
        self.change(sql, cells).await.map(drop)
    }

    /// Every shadow, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shadows(&self) -> Result<Vec<ShadowRow>, StoreError> {
        let sql = "SELECT id, what, value, by_person, reason, began_at, until, ended_at FROM shadows ORDER BY began_at DESC, id";
        let read = |row: &Row| {
            Ok(ShadowRow {
                id: row.text(0)?,
                what: row.text(1)?,
                value: row.text(2)?,
                by: row.text(3)?,
                reason: row.text(4)?,
                began_at: Timestamp(row.int(5)?),
                until: Timestamp(row.int(6)?),
                ended_at: row.int_or_none(7)?.map(Timestamp),
            })
        };
        self.rows(sql, Vec::new()).await?.iter().map(read).collect()
    }

    /// A rule begins to be watched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_shadow(&self, row: &ShadowRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO shadows (id, what, value, by_person, reason, began_at, until) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let cells = vec![
            Cell::text(row.id.as_str()),
            Cell::text(row.what.as_str()),
            Cell::text(row.value.as_str()),
            Cell::text(row.by.as_str()),
            Cell::text(row.reason.as_str()),
            Cell::int(row.began_at.0),
            Cell::int(row.until.0),
        ];
        self.change(sql, cells).await.map(drop)
    }

    /// A rule is watched no longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_shadow(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE shadows SET ended_at = ? WHERE id = ? AND ended_at IS NULL";
        let cells = vec![Cell::int(at.0), Cell::text(id)];
        Ok(self.change(sql, cells).await? > 0)
    }
}
