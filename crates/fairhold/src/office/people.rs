//! Accounts and keys.

use console::{AccountView, KeyView, NewAccount, NewKey, OfficeError};
use engine::directory::{Account, KeyRow, Organisation, Project};
use engine::key::{Key, RANDOM_BYTES};
use engine::quota::Limits;
use engine::{Command, CommandError, Directory, Engine, Row};
use facts::{AccountId, IdError, KeyId, MicroUsd, OrganisationId, ProjectId};

use store::JournalError;
use store::SystemClock;
use terms::Purpose;

use crate::keeper::{Keeper, KeeperError};

/// The office's word for what the keeper could not do.
pub(super) fn refused(error: KeeperError) -> OfficeError {
    match error {
        KeeperError::Refused(CommandError::Unknown { .. }) => {
            OfficeError::NotFound(format!("failed to {error}"))
        }
        KeeperError::Refused(_) | KeeperError::Held(_) => {
            OfficeError::Conflict(format!("failed to {error}"))
        }
        KeeperError::Unknown(what) => OfficeError::NotFound(what),
        KeeperError::Journal(JournalError::Refused(why)) => OfficeError::Conflict(why),
        KeeperError::Store(_)
        | KeeperError::Journal(_)
        | KeeperError::Row(_)
        | KeeperError::Key(_) => OfficeError::Unavailable(format!("failed to {error}")),
    }
}

/// The office's word for an id that is none.
pub(super) fn malformed(error: &IdError) -> OfficeError {
    OfficeError::Invalid(error.to_string())
}

/// Opens the account, and its organisation and project where they are new.
pub(super) async fn open(keeper: &Keeper, new: NewAccount) -> Result<AccountView, OfficeError> {
    let limits = Limits {
        requests_per_minute: new.requests_per_minute,
        tokens_per_minute: new.tokens_per_minute,
        requests_per_day: new.requests_per_day,
        tokens_per_day: new.tokens_per_day,
        budget: new.budget_micro_usd.map(MicroUsd),
    };
    let account = AccountId::parse(&new.account).map_err(|e| malformed(&e))?;
    let project = ProjectId::parse(&new.project).map_err(|e| malformed(&e))?;
    let organisation = OrganisationId::parse(&new.organisation).map_err(|e| malformed(&e))?;
    let purposes = purposes(&new.purposes)?;
    let owner = Project {
        id: project.clone(),
        organisation,
        purposes,
        limits: Limits::UNLIMITED,
    };
    owned(keeper, owner).await?;
    let command = Command::OpenAccount {
        id: account.clone(),
        project,
        limits,
    };
    keeper.command(command).await.map_err(refused)?;
    keeper
        .ask(|engine| {
            let directory = engine.directory();
            directory
                .account(&account)
                .map(|row| account_view(directory, row))
        })
        .ok_or_else(|| OfficeError::Unavailable("the account was not kept".to_owned()))
}

/// Opens the project and its organisation where they are new.
async fn owned(keeper: &Keeper, new: Project) -> Result<(), OfficeError> {
    let (project, organisation) = (new.id.clone(), new.organisation.clone());
    let declares = !new.purposes.is_empty();
    let owner = |engine: &Engine| {
        let known = engine.directory().project(&project);
        known.map(|p| p.organisation.clone())
    };
    let mut mine = false;
    if keeper.ask(owner).is_none() {
        if keeper.ask(|engine| engine.directory().organisation(&organisation).is_none()) {
            let row = Organisation {
                name: organisation.to_string(),
                id: organisation.clone(),
                limits: Limits::UNLIMITED,
            };
            opened(keeper, Command::OpenOrganisation(row)).await?;
        }
        mine = opened(keeper, Command::OpenProject(new)).await?;
    }
    match keeper.ask(owner) {
        Some(owner) if owner != organisation => Err(OfficeError::Conflict(format!(
            "project `{project}` belongs to organisation `{owner}`: name that one, or another project"
        ))),
        Some(_) if declares && !mine => Err(OfficeError::Conflict(format!(
            "project `{project}` declared its purposes already; `fairhold account declare {project} PURPOSE...` declares them anew"
        ))),
        _ => Ok(()),
    }
}

/// Says whether it was opened here: another request may have been quicker, which is no failure.
async fn opened(keeper: &Keeper, command: Command) -> Result<bool, OfficeError> {
    match keeper.command(command).await {
        Ok(()) => Ok(true),
        Err(KeeperError::Refused(CommandError::Exists { .. })) => Ok(false),
        Err(error) => Err(refused(error)),
    }
}

/// The words of purposes, checked.
fn purposes(texts: &[String]) -> Result<Vec<String>, OfficeError> {
    let words = texts
        .iter()
        .map(|text| Purpose::parse(text).map(|purpose| purpose.word().to_owned()));
    let words: Result<_, _> = words.collect();
    words.map_err(|e| OfficeError::Invalid(e.to_string()))
}

/// A project declares its purposes anew, from the next request on.
pub(super) async fn declare(
    keeper: &Keeper,
    project: &str,
    texts: &[String],
) -> Result<Vec<String>, OfficeError> {
    let words = purposes(texts)?;
    let command = Command::DeclarePurposes {
        project: ProjectId::parse(project).map_err(|e| malformed(&e))?,
        purposes: words.clone(),
    };
    keeper.command(command).await.map_err(refused)?;
    Ok(words)
}

fn account_view(directory: &Directory, row: &Account) -> AccountView {
    let owner = directory
        .project(&row.project)
        .map(|p| p.organisation.to_string());
    AccountView {
        account: row.id.to_string(),
        project: row.project.to_string(),
        organisation: owner.unwrap_or_default(),
        standing: row.standing.word(SystemClock.now()).to_owned(),
    }
}

/// Every account, by id.
pub(super) fn accounts(keeper: &Keeper) -> Vec<AccountView> {
    keeper.ask(|engine| {
        let directory = engine.directory();
        let rows = directory.rows();
        let accounts = rows.iter().filter_map(|row| match row {
            Row::Account(row) => Some(account_view(directory, row)),
            Row::Organisation(_) | Row::Project(_) | Row::Key(_) => None,
        });
        accounts.collect()
    })
}

/// Makes a key; only its digest is kept.
pub(super) async fn create_key(keeper: &Keeper, account: &str) -> Result<NewKey, OfficeError> {
    let account = AccountId::parse(account).map_err(|e| malformed(&e))?;
    let random = store::random::<RANDOM_BYTES>()
        .map_err(|e| OfficeError::Unavailable(format!("failed to draw a key: {e}")))?;
    let key = Key::mint(&random);
    let command = Command::IssueKey {
        id: key.id().clone(),
        account: account.clone(),
        digest: key.digest(),
        limits: Limits::UNLIMITED,
    };
    keeper.command(command).await.map_err(refused)?;
    Ok(NewKey {
        key: key.expose().to_owned(),
        id: key.id().to_string(),
        account: account.to_string(),
    })
}

/// Revokes a key, from the next request on.
pub(super) async fn revoke_key(keeper: &Keeper, id: &str) -> Result<KeyView, OfficeError> {
    let id = KeyId::parse(id).map_err(|e| malformed(&e))?;
    keeper
        .command(Command::RevokeKey(id.clone()))
        .await
        .map_err(refused)?;
    keeper
        .ask(|engine| engine.directory().key(&id).map(key_view))
        .ok_or_else(|| OfficeError::NotFound(format!("there is no key `{id}`")))
}

fn key_view(row: &KeyRow) -> KeyView {
    KeyView {
        id: row.id.to_string(),
        account: row.account.to_string(),
        revoked: row.revoked.is_some(),
    }
}

/// Every key, by id.
pub(super) fn keys(keeper: &Keeper) -> Vec<KeyView> {
    keeper.ask(|engine| {
        let rows = engine.directory().rows();
        let keys = rows.iter().filter_map(|row| match row {
            Row::Key(row) => Some(key_view(row)),
            Row::Organisation(_) | Row::Project(_) | Row::Account(_) => None,
        });
        keys.collect()
    })
}

#[cfg(test)]
mod tests;
