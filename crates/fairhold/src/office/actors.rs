//! Who acts? Whoever was invited and signs in; else `people.toml` in the data folder says it: who may act, in which
//! role, and by which proof of identity. Without that file everyone who holds
//! the token of the running server (or the data folder itself) may act under a
//! name, and the name is the whole identity: for a house of one's own.

use std::path::Path;

use cases::{Actor, Case, Deed, Identity, Role};
use console::{CaseStep, Colleague, OfficeError};
use facts::PersonId;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::people::malformed;
use crate::keeper::Keeper;

/// The file's name.
pub(super) const FILE: &str = "people.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct People {
    #[serde(default)]
    person: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    role: String,
    /// A public key, or the issuer and subject of a sign-in.
    identity: String,
    /// SHA-256 of their own token of the admin API, hexadecimal.
    #[serde(default)]
    token_sha256: Option<String>,
}

/// Who takes this step.
pub(super) async fn actor(
    keeper: &Keeper,
    folder: &Path,
    (by, step): (&str, &CaseStep),
) -> Result<Actor, OfficeError> {
    match step {
        CaseStep::Declare | CaseStep::Undertake(_) | CaseStep::Appeal | CaseStep::Evidence => {
            customer(by)
        }
        _ => person(keeper, folder, by).await,
    }
}

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read who works here: {error}"))
}

/// Whether this name signs in: then nobody else acts in it.
pub(super) async fn signs_in(keeper: &Keeper, name: &str) -> Result<bool, OfficeError> {
    let person = keeper.database().person(name).await.map_err(broken)?;
    Ok(person.is_some_and(|person| person.ended_at.is_none()))
}

/// Somebody who works here: as they were invited, else as `people.toml` says. Once somebody
/// signs in, a name alone is nobody.
pub(super) async fn person(keeper: &Keeper, folder: &Path, by: &str) -> Result<Actor, OfficeError> {
    let database = keeper.database();
    match database.person(by).await.map_err(broken)? {
        Some(row) if row.ended_at.is_none() => {
            let role = Role::from_word(&row.role);
            return Ok(Actor {
                person: PersonId::parse(by).map_err(|e| malformed(&e))?,
                identity: Identity::of(&row.identity),
                role: role.ok_or_else(|| broken(format!("`{}` is no role", row.role)))?,
            });
        }
        Some(_) => {
            return Err(OfficeError::Conflict(format!(
                "`{by}` works here no longer; `fairhold people invite {by}` takes them back"
            )));
        }
        None => {}
    }
    if !folder.join(FILE).exists() && !database.people().await.map_err(broken)?.is_empty() {
        return Err(OfficeError::Conflict(format!(
            "people sign in here and nobody is called `{by}`; `fairhold people invite {by} --role reviewer` invites them"
        )));
    }
    staff(folder, by)
}

/// Refuses a decision of somebody who took part under another name. A case keeps the identities
/// of the day; that two names are one person may have come out since.
pub(super) async fn not_twice(
    keeper: &Keeper,
    case: &Case,
    (by, deed): (&Actor, &Deed),
) -> Result<(), OfficeError> {
    if !matches!(deed, Deed::Approved | Deed::Upheld | Deed::Overturned) {
        return Ok(());
    }
    let people = keeper.database().people().await.map_err(broken)?;
    let other = case.steps().iter().find_map(|step| {
        let name = step.by.person.as_str();
        let same = |row: &&store::PersonRow| {
            row.name == name && Identity::of(&row.identity) == by.identity
        };
        let named = people.iter().find(same)?;
        (name != by.person.as_str()).then(|| named.name.clone())
    });
    match other {
        None => Ok(()),
        Some(other) => Err(OfficeError::Conflict(format!(
            "`{}` and `{other}`, who took part, are one person: somebody with an identity of their own decides",
            by.person
        ))),
    }
}

fn customer(account: &str) -> Result<Actor, OfficeError> {
    Ok(Actor {
        person: PersonId::parse(account).map_err(|e| malformed(&e))?,
        identity: Identity::of(&format!("account:{account}")),
        role: Role::Customer,
    })
}

/// Whose personal token of the admin API this is: their entry says `token_sha256`.
pub(super) fn colleague(folder: &Path, secret: &str) -> Option<Colleague> {
    let text = std::fs::read_to_string(folder.join(FILE)).ok()?;
    let people: People = toml::from_str(&text).ok()?;
    let given = hex::encode(Sha256::digest(secret));
    // Everybody's is compared, whoever it is.
    let mut found = None;
    for person in &people.person {
        let kept = person.token_sha256.as_deref().unwrap_or_default();
        if bool::from(kept.as_bytes().ct_eq(given.as_bytes())) {
            found = Some(person);
        }
    }
    let person = found?;
    Some(Colleague {
        name: person.name.clone(),
        role: console::Role::from_word(&person.role)?,
    })
}

/// The house itself.
pub(super) fn system() -> Result<Actor, OfficeError> {
    Ok(Actor {
        person: PersonId::parse("fairhold").map_err(|e| malformed(&e))?,
        identity: Identity::of("system:fairhold"),
        role: Role::System,
    })
}

/// Somebody who works here.
pub(super) fn staff(folder: &Path, by: &str) -> Result<Actor, OfficeError> {
    let person = PersonId::parse(by).map_err(|e| malformed(&e))?;
    let path = folder.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Actor {
                person,
                identity: Identity::of(&format!("name:{}", by.to_lowercase())),
                role: Role::Approver,
            });
        }
        Err(error) => {
            let path = path.display();
            return Err(OfficeError::Unavailable(format!(
                "failed to read `{path}`: {error}"
            )));
        }
    };
    let wrong = |why: String| OfficeError::Unavailable(format!("failed to read `{FILE}`: {why}"));
    let people: People = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let Some(found) = people.person.iter().find(|known| known.name == by) else {
        return Err(OfficeError::Conflict(format!(
            "`{by}` is not among the people of `{FILE}`: add them there, with a role and an identity"
        )));
    };
    if found.identity.trim().is_empty() {
        return Err(wrong(format!("`{by}` has no identity")));
    }
    let role = Role::from_word(&found.role)
        .filter(|role| !matches!(role, Role::Customer | Role::System))
        .ok_or_else(|| {
            let role = &found.role;
            wrong(format!(
                "`{role}` is no role: use reviewer, approver, administrator or auditor"
            ))
        })?;
    Ok(Actor {
        person,
        identity: Identity::of(&found.identity),
        role,
    })
}

#[cfg(test)]
mod tests;
