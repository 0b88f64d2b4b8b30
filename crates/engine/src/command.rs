//! What people ask of the engine: changes of the directory, steps of cases.
//!
//! `plan` changes nothing. It says what to record and what to keep, in that
//! order; the rows take effect when they are enacted, after the record.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use evidence::{Event, Record};
use facts::{AccountId, CaseId, KeyId, OrganisationId, ProjectId, Timestamp};

use terms::Agreement;

use crate::directory::{Account, Directory, KeyRow, Organisation, Project, Row};
use crate::effect::{Effect, Entry};
use crate::key::KeyDigest;
use crate::quota::Limits;
use crate::standing::{Held, Standing};

/// Something with limits and spend of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// A key.
    Key(KeyId),
    /// An account.
    Account(AccountId),
    /// A project.
    Project(ProjectId),
    /// An organisation.
    Organisation(OrganisationId),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A customer is taken on.
    OpenOrganisation(Organisation),
    /// A project is opened in a known organisation.
    OpenProject(Project),
    /// An account is opened in a known project, in good standing.
    OpenAccount {
        /// Its id.
        id: AccountId,
        /// Its owner.
        project: ProjectId,
        /// Its limits.
        limits: Limits,
    },
    /// A key is issued to a known account.
    IssueKey {
        /// Its public part.
        id: KeyId,
        /// Its owner.
        account: AccountId,
        /// SHA-256 of the whole key.
        digest: KeyDigest,
        /// Its limits.
        limits: Limits,
    },
    /// A key is revoked; revoking it again changes nothing.
    RevokeKey(KeyId),
    /// A scope's limits are replaced.
    SetLimits {
        /// Whose.
        scope: Scope,
        /// The new ones.
        limits: Limits,
    },
    /// A project declares its purposes anew.
    DeclarePurposes {
        /// The project.
        project: ProjectId,
        /// The purposes; the first is meant when a request names none.
        purposes: Vec<String>,
    },
    /// What was agreed with an account is replaced.
    SetAgreement {
        /// Whose.
        account: AccountId,
        /// The new one.
        agreement: Arc<Agreement>,
    },
    /// Cases took steps, which may change what their accounts may do.
    CaseSteps(Vec<CaseStep>),
}

/// A step that a case took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseStep {
    /// The case.
    pub case: CaseId,
    /// The events it is, for example `enforcement.approved` and `enforcement.suspended`.
    pub events: Vec<String>,
    /// SHA-256 of the step's canonical JSON.
    pub digest: [u8; 32],
    /// What the case holds against each of its accounts from now on.
    pub held: Vec<(AccountId, Vec<Held>)>,
}

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandError {
    /// What it refers to does not exist.
    Unknown {
        /// `account` and so on.
        what: &'static str,
        /// The id given.
        id: String,
    },
    /// What it would make exists.
    Exists {
        /// `account` and so on.
        what: &'static str,
        /// The id given.
        id: String,
    },
    /// A case may restrict an account on its own ground only.
    ForeignGround {
        /// The case that took the step.
        case: CaseId,
        /// The account it would have touched.
        account: AccountId,
    },
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { what, id } => write!(f, "find {what} `{id}`: there is none"),
            Self::Exists { what, id } => write!(f, "open {what} `{id}`: it exists already"),
            Self::ForeignGround { case, account } => write!(
                f,
                "carry out a step of case `{case}`: account `{account}` would be held on another case's ground"
            ),
        }
    }
}

impl std::error::Error for CommandError {}

/// The effects of `command`, in order; nothing is changed.
pub(crate) fn plan(
    directory: &Directory,
    command: Command,
    at: Timestamp,
) -> Result<Vec<Effect>, CommandError> {
    match command {
        Command::OpenOrganisation(row) => {
            absent(
                directory.organisation(&row.id),
                "organisation",
                row.id.as_str(),
            )?;
            Ok(change("organisation_opened", Row::Organisation(row), at))
        }
        Command::OpenProject(row) => {
            absent(directory.project(&row.id), "project", row.id.as_str())?;
            let owner = &row.organisation;
            known(
                directory.organisation(owner),
                "organisation",
                owner.as_str(),
            )?;
            Ok(change("project_opened", Row::Project(row), at))
        }
        Command::OpenAccount {
            id,
            project,
            limits,
        } => {
            absent(directory.account(&id), "account", id.as_str())?;
            known(directory.project(&project), "project", project.as_str())?;
            let row = Account {
                id,
                project,
                standing: Standing::default(),
                agreement: Arc::default(),
                limits,
            };
            Ok(change("account_opened", Row::Account(row), at))
        }
        Command::IssueKey {
            id,
            account,
            digest,
            limits,
        } => {
            absent(directory.key(&id), "key", id.as_str())?;
            known(directory.account(&account), "account", account.as_str())?;
            let row = KeyRow {
                id,
                account,
                digest,
                revoked: None,
                limits,
            };
            Ok(change("key_issued", Row::Key(row), at))
        }
        Command::RevokeKey(id) => {
            let mut row = known(directory.key(&id), "key", id.as_str())?.clone();
            if row.revoked.is_some() {
                return Ok(Vec::new());
            }
            row.revoked = Some(at);
            Ok(change("key_revoked", Row::Key(row), at))
        }
        Command::SetLimits { scope, limits } => {
            let row = limited(directory, &scope, limits)?;
            Ok(change("limits_set", row, at))
        }
        Command::DeclarePurposes { project, purposes } => {
            let mut row = known(directory.project(&project), "project", project.as_str())?.clone();
            row.purposes = purposes;
            Ok(change("purposes_declared", Row::Project(row), at))
        }
        Command::SetAgreement { account, agreement } => {
            let row = known(directory.account(&account), "account", account.as_str())?;
            let row = Account {
                agreement,
                ..row.clone()
            };
            Ok(change("agreement_set", Row::Account(row), at))
        }
        Command::CaseSteps(steps) => stepped(directory, steps, at),
    }
}

/// The records of the steps, then the rows they leave: one for each account,
/// also where two of the cases concern it.
fn stepped(
    directory: &Directory,
    steps: Vec<CaseStep>,
    at: Timestamp,
) -> Result<Vec<Effect>, CommandError> {
    let mut effects = Vec::new();
    let mut rows: BTreeMap<AccountId, Account> = BTreeMap::new();
    for step in steps {
        for event in step.events {
            effects.push(Effect::Record(Entry::Event(Record {
                at,
                account: None,
                event: Event::CaseStep {
                    case: step.case.clone(),
                    step: event,
                    digest: step.digest,
                },
            })));
        }
        for (account, held) in step.held {
            if held.iter().any(|one| one.case != step.case) {
                let case = step.case;
                return Err(CommandError::ForeignGround { case, account });
            }
            let row = match rows.remove(&account) {
                Some(row) => row,
                None => known(directory.account(&account), "account", account.as_str())?.clone(),
            };
            let standing = row.standing.with(&step.case, held);
            rows.insert(account, Account { standing, ..row });
        }
    }
    let changed = rows.into_values().filter(|row| {
        let before = directory.account(&row.id);
        before.is_none_or(|before| before.standing != row.standing)
    });
    effects.extend(changed.map(|row| Effect::Put(Row::Account(row))));
    Ok(effects)
}

fn limited(directory: &Directory, scope: &Scope, limits: Limits) -> Result<Row, CommandError> {
    Ok(match scope {
        Scope::Key(id) => Row::Key(KeyRow {
            limits,
            ..known(directory.key(id), "key", id.as_str())?.clone()
        }),
        Scope::Account(id) => Row::Account(Account {
            limits,
            ..known(directory.account(id), "account", id.as_str())?.clone()
        }),
        Scope::Project(id) => Row::Project(Project {
            limits,
            ..known(directory.project(id), "project", id.as_str())?.clone()
        }),
        Scope::Organisation(id) => Row::Organisation(Organisation {
            limits,
            ..known(directory.organisation(id), "organisation", id.as_str())?.clone()
        }),
    })
}

fn change(word: &str, row: Row, at: Timestamp) -> Vec<Effect> {
    let account = match &row {
        Row::Account(row) => Some(row.id.clone()),
        Row::Key(row) => Some(row.account.clone()),
        Row::Organisation(_) | Row::Project(_) => None,
    };
    let record = Record {
        at,
        account,
        event: Event::Directory {
            change: word.to_owned(),
            subject: format!("{}:{}", row.kind(), row.id()),
        },
    };
    vec![Effect::Record(Entry::Event(record)), Effect::Put(row)]
}

fn known<'a, T>(found: Option<&'a T>, what: &'static str, id: &str) -> Result<&'a T, CommandError> {
    found.ok_or_else(|| CommandError::Unknown {
        what,
        id: id.to_owned(),
    })
}

fn absent<T>(found: Option<&T>, what: &'static str, id: &str) -> Result<(), CommandError> {
    match found {
        Some(_) => Err(CommandError::Exists {
            what,
            id: id.to_owned(),
        }),
        None => Ok(()),
    }
}
