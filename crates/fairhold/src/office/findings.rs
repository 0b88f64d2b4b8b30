//! What the watch found, and how a case comes to rest on it.

use std::path::Path;

use console::{CaseStep, FindingView, FindingsView, NewCase, OfficeError, TestView};
use facts::AccountId;
use store::FindingRow;

use super::people::malformed;
use crate::keeper::Keeper;
use crate::watch::model;

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the findings: {error}"))
}

/// The findings about one account or about all.
pub(super) async fn all(
    keeper: &Keeper,
    folder: &Path,
    account: Option<&str>,
) -> Result<FindingsView, OfficeError> {
    let account = account.map(AccountId::parse).transpose();
    let account = account.map_err(|e| malformed(&e))?;
    if let Some(account) = &account
        && keeper.ask(|engine| engine.directory().account(account).is_none())
    {
        return Err(OfficeError::NotFound(format!(
            "there is no account `{account}`; `fairhold account list` shows all"
        )));
    }
    let detector = model::load(folder).map_err(|e| OfficeError::Unavailable(e.message))?;
    let rank = detector.calibration.anytime(1.0);
    let database = keeper.database();
    let read = async {
        let behind = database.count().await?;
        let behind = behind.saturating_sub(database.watched().await?);
        let rows = database.findings(account.as_ref()).await?;
        Ok::<_, store::StoreError>((behind, database.profile_count().await?, rows))
    };
    let (behind, watched, rows) = read.await.map_err(|e| failed(&e))?;
    Ok(FindingsView {
        watched,
        behind,
        test: TestView {
            reach: model::reach(&detector),
            population: detector.manifest.population,
            programmes: rank.programmes,
            sources: rank.sources,
            floor: rank.floor,
        },
        findings: rows.iter().map(view).collect::<Result<_, _>>()?,
    })
}

fn view(row: &FindingRow) -> Result<FindingView, OfficeError> {
    serde_json::from_str(&row.json).map_err(|e| failed(&format!("`{}`: {e}", row.id)))
}

/// A case that names a finding takes its facts from there; intent alone supports a notice, which
/// asks for a declaration, and nothing more.
pub(super) async fn relied_on(keeper: &Keeper, mut new: NewCase) -> Result<NewCase, OfficeError> {
    let Some(id) = &new.finding else {
        return Ok(new);
    };
    let account = AccountId::parse(&new.account).map_err(|e| malformed(&e))?;
    let rows = keeper.database().findings(Some(&account)).await;
    let rows = rows.map_err(|e| failed(&e))?;
    let Some(row) = rows.iter().find(|row| row.id == *id) else {
        return Err(OfficeError::NotFound(format!(
            "there is no finding `{id}` about `{account}`; `fairhold findings {account}` shows all"
        )));
    };
    let finding = view(row)?;
    if finding.kind != "finding" {
        return Err(OfficeError::Conflict(format!(
            "`{id}` is covered by an authorisation and supports no case"
        )));
    }
    let no_more = matches!(new.then, None | Some(CaseStep::Notice(_)));
    if !no_more || !new.others.is_empty() {
        return Err(OfficeError::Conflict(format!(
            "a finding of intent supports a notice to its own account, nothing more: name `{account}` alone, with `--action notice`"
        )));
    }
    if new.summary.trim().is_empty() {
        new.summary.clone_from(&finding.summary);
    }
    if new.exculpatory.trim().is_empty() {
        new.exculpatory = finding.exculpatory_words();
    }
    Ok(new)
}
