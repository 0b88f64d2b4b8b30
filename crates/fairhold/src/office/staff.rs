//! Who works here: invitations, identities, and who left.

use cases::{Identity, Role};
use console::{InviteView, NewInvite, OfficeError, PersonView};
use facts::{AccountId, PersonId, Span};
use store::{PersonRow, SystemClock, Whose};

use super::people::{malformed, refused};
use crate::keeper::Keeper;

/// How long an invitation may wait to be used.
const INVITED: Span = Span::days(7);

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to {error}"))
}

fn view(row: &PersonRow, passkeys: u64) -> PersonView {
    let digest = hex::encode(Identity::of(&row.identity).0);
    PersonView {
        name: row.name.clone(),
        role: row.role.clone(),
        identity: digest.chars().take(12).collect(),
        passkeys,
        invited_by: row.invited_by.clone(),
        since: row.created_at.rfc3339(),
        ended: row.ended_at.map(facts::Timestamp::rfc3339),
    }
}

/// Everybody who ever worked here.
pub(super) async fn all(keeper: &Keeper) -> Result<Vec<PersonView>, OfficeError> {
    let database = keeper.database();
    let keys = database.passkeys(None).await.map_err(broken)?;
    let people = database.people().await.map_err(broken)?;
    let of = |row: &PersonRow| keys.iter().filter(|key| key.person == row.name).count();
    let each = people.iter();
    Ok(each
        .map(|row| view(row, u64::try_from(of(row)).unwrap_or(0)))
        .collect())
}

/// Invites somebody who works here, or whoever speaks for a customer.
pub(super) async fn invite(keeper: &Keeper, new: NewInvite) -> Result<InviteView, OfficeError> {
    match (&new.name, &new.account) {
        (Some(name), None) => person(keeper, name, &new).await,
        (None, Some(account)) => customer(keeper, account, &new.by).await,
        _ => Err(OfficeError::Invalid(
            "name a person who works here, or an account".to_owned(),
        )),
    }
}

async fn customer(keeper: &Keeper, account: &str, by: &str) -> Result<InviteView, OfficeError> {
    let id = AccountId::parse(account).map_err(|e| malformed(&e))?;
    if keeper.ask(|engine| engine.directory().account(&id).is_none()) {
        return Err(OfficeError::NotFound(format!("there is no account `{id}`")));
    }
    let subject = format!("{id} by {by}");
    keeper
        .note("account_invited", &subject)
        .await
        .map_err(refused)?;
    made(
        keeper,
        Whose::Account(id.to_string()),
        "/fairhold/portal/sign-in",
    )
    .await
}

async fn person(keeper: &Keeper, name: &str, new: &NewInvite) -> Result<InviteView, OfficeError> {
    let name = PersonId::parse(name).map_err(|e| malformed(&e))?;
    if new
        .oidc
        .as_deref()
        .is_some_and(|hint| hint.trim().is_empty())
    {
        return Err(OfficeError::Invalid(
            "give the address or the subject that they have at the issuer".to_owned(),
        ));
    }
    let database = keeper.database();
    let known = database.person(name.as_str()).await.map_err(broken)?;
    let word = new
        .role
        .clone()
        .or(known.as_ref().map(|row| row.role.clone()));
    let role = word
        .as_deref()
        .and_then(Role::from_word)
        .filter(|role| !matches!(role, Role::Customer | Role::System));
    let Some(role) = role else {
        let given = word.unwrap_or_default();
        return Err(OfficeError::Invalid(format!(
            "`{given}` is no role: use reviewer, approver, administrator or auditor"
        )));
    };
    // Whoever was here is the same person again; a new one is known by this invitation, until
    // a passkey shows that they have another name here.
    let identity = match (&new.identity, &known) {
        (Some(given), _) if given.trim().is_empty() => {
            return Err(OfficeError::Invalid("the identity is empty".to_owned()));
        }
        (Some(given), _) => {
            // Whoever is this subject already is the same person under another name.
            let owner = database.subject(given.trim()).await.map_err(broken)?;
            let owner = match owner {
                Some(row) => database.person(&row.person).await.map_err(broken)?,
                None => None,
            };
            owner.map_or_else(|| given.trim().to_owned(), |row| row.identity)
        }
        (None, Some(row)) => row.identity.clone(),
        (None, None) => {
            let random: [u8; 32] = store::random().map_err(broken)?;
            format!("invited:{}", hex::encode(random))
        }
    };
    let row = PersonRow {
        name: name.to_string(),
        role: role.word().to_owned(),
        identity,
        invited_by: new.by.clone(),
        created_at: SystemClock.now(),
        ended_at: None,
    };
    database.keep_person(&row).await.map_err(broken)?;
    let subject = format!("{name} as {} by {}", role.word(), new.by);
    keeper
        .note("person_invited", &subject)
        .await
        .map_err(refused)?;
    match new.oidc.as_deref().map(str::trim) {
        Some(hint) => awaited(keeper, name.as_str(), hint).await,
        None => made(keeper, Whose::Person(name.to_string()), "/sign-in").await,
    }
}

/// Somebody who signs in at the issuer: there is no secret to hand over.
async fn awaited(keeper: &Keeper, name: &str, hint: &str) -> Result<InviteView, OfficeError> {
    let until = SystemClock.now().plus(INVITED);
    let hint = console::awaited_at_issuer(hint);
    let kept = keeper.database().await_subject(&hint, name, until).await;
    kept.map_err(broken)?;
    Ok(InviteView {
        whom: name.to_owned(),
        path: "/sign-in".to_owned(),
        until: until.rfc3339(),
    })
}

async fn made(keeper: &Keeper, whose: Whose, place: &str) -> Result<InviteView, OfficeError> {
    let until = SystemClock.now().plus(INVITED);
    let (Whose::Person(whom) | Whose::Account(whom)) = whose.clone();
    let token = console::invite(keeper.database(), whose, until).await;
    Ok(InviteView {
        whom,
        path: format!("{place}/{}", token.map_err(broken)?),
        until: until.rfc3339(),
    })
}

/// Somebody works here no longer.
pub(super) async fn end(keeper: &Keeper, name: &str, by: &str) -> Result<PersonView, OfficeError> {
    let database = keeper.database();
    let ended = database.end_person(name, SystemClock.now()).await;
    if !ended.map_err(broken)? {
        return Err(OfficeError::NotFound(format!(
            "nobody called `{name}` works here"
        )));
    }
    let subject = format!("{name} by {by}");
    keeper
        .note("person_ended", &subject)
        .await
        .map_err(refused)?;
    let row = database.person(name).await.map_err(broken)?;
    row.map(|row| view(&row, 0))
        .ok_or_else(|| OfficeError::NotFound(format!("nobody called `{name}` worked here")))
}

#[cfg(test)]
mod tests;
