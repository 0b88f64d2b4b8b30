//! Who is who? Organisations own projects, projects own accounts, accounts
//! own keys. A row is replaced whole; nothing is ever deleted.

use std::collections::HashMap;
use std::sync::Arc;

use facts::{AccountId, KeyId, OrganisationId, ProjectId, Timestamp};

use terms::Agreement;

use crate::key::KeyDigest;
use crate::quota::Limits;
use crate::standing::Standing;

/// A legal customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What people call it.
    pub name: String,
    /// Limits over all of its projects.
    pub limits: Limits,
}

/// A project of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its owner.
    pub organisation: OrganisationId,
    /// Purposes declared; the first is meant when a request names none.
    pub purposes: Vec<String>,
    /// Limits over all of its accounts.
    pub limits: Limits,
}

/// The unit that is metered, judged and sanctioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its owner.
    pub project: ProjectId,
    /// What its cases left it.
    pub standing: Standing,
    /// What was agreed with it beside the terms that bind everybody.
    pub agreement: Arc<Agreement>,
    /// Limits over all of its keys.
    pub limits: Limits,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its public part.
    pub id: KeyId,
    /// Its owner.
    pub account: AccountId,
    /// SHA-256 of the whole key.
    pub digest: KeyDigest,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// Limits of this key.
    pub limits: Limits,
}

/// One row of the directory, whole: what the store keeps and gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// An organisation.
    Organisation(Organisation),
    /// A project.
    Project(Project),
    /// An account.
    Account(Account),
    /// A key.
    Key(KeyRow),
}

impl Row {
    /// The id of what it describes.
    pub fn id(&self) -> &str {
        match self {
            Self::Organisation(row) => row.id.as_str(),
            Self::Project(row) => row.id.as_str(),
            Self::Account(row) => row.id.as_str(),
            Self::Key(row) => row.id.as_str(),
        }
    }

    /// The table's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Organisation(_) => "organisation",
            Self::Project(_) => "project",
            Self::Account(_) => "account",
            Self::Key(_) => "key",
        }
    }
}

/// Every row, by id.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    organisations: HashMap<OrganisationId, Organisation>,
    projects: HashMap<ProjectId, Project>,
    accounts: HashMap<AccountId, Account>,
    keys: HashMap<KeyId, KeyRow>,
}

impl Directory {
    /// Keeps `row`, in place of the one with its id.
    pub(crate) fn put(&mut self, row: Row) {
        match row {
            Row::Organisation(row) => drop(self.organisations.insert(row.id.clone(), row)),
            Row::Project(row) => drop(self.projects.insert(row.id.clone(), row)),
            Row::Account(row) => drop(self.accounts.insert(row.id.clone(), row)),
            Row::Key(row) => drop(self.keys.insert(row.id.clone(), row)),
        }
    }

    /// The organisation, if known.
    pub fn organisation(&self, id: &OrganisationId) -> Option<&Organisation> {
        self.organisations.get(id)
    }

    /// The project, if known.
    pub fn project(&self, id: &ProjectId) -> Option<&Project> {
        self.projects.get(id)
    }

    /// The account, if known.
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// The key, if known.
    pub fn key(&self, id: &KeyId) -> Option<&KeyRow> {
        self.keys.get(id)
    }

    /// Every row, owners before what they own, by id within a table.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::with_capacity(
            self.organisations.len() + self.projects.len() + self.accounts.len() + self.keys.len(),
        );
        rows.extend(self.organisations.values().cloned().map(Row::Organisation));
        rows.extend(self.projects.values().cloned().map(Row::Project));
        rows.extend(self.accounts.values().cloned().map(Row::Account));
        rows.extend(self.keys.values().cloned().map(Row::Key));
        rows.sort_by(|a, b| (rank(a), a.id()).cmp(&(rank(b), b.id())));
        rows
    }
}

fn rank(row: &Row) -> u8 {
    match row {
        Row::Organisation(_) => 0,
        Row::Project(_) => 1,
        Row::Account(_) => 2,
        Row::Key(_) => 3,
    }
}
