//! Decisions that may still be taken back: kept beside the case, recorded in it
//! when their time has come, and until then nobody was told and nothing acts.

use std::path::Path;

use console::{CaseStep, HeldView, OfficeError, Step};
use facts::{Span, Timestamp};
use store::{HeldRow, SystemClock};

use super::{allows, broken, step};
use crate::keeper::Keeper;

fn view(row: &HeldRow) -> Result<HeldView, OfficeError> {
    let step: Step = serde_json::from_str(&row.json).map_err(broken)?;
    Ok(HeldView {
        id: row.id.clone(),
        case: row.case_id.clone(),
        step: step.step,
        comment: step.comment,
        by: row.person.clone(),
        at: row.at.rfc3339(),
        not_before: row.not_before.rfc3339(),
        refused: row.refused.clone(),
    })
}

/// Decides on a step that is taken after `undo`.
pub(crate) async fn hold(
    keeper: &Keeper,
    folder: &Path,
    case: &str,
    (new, undo): (Step, Span),
) -> Result<HeldView, OfficeError> {
    if matches!(new.step, CaseStep::Emergency(_)) {
        return Err(OfficeError::Invalid(
            "an emergency cannot wait: take it as a step".to_owned(),
        ));
    }
    let own = [CaseStep::Declare, CaseStep::Appeal, CaseStep::Evidence];
    if own.contains(&new.step) || matches!(new.step, CaseStep::Undertake(_)) {
        return Err(OfficeError::Invalid(
            "what the accused says is said at once".to_owned(),
        ));
    }
    allows(keeper, folder, case, &new).await?;
    let others = keeper.database().held_steps().await.map_err(broken)?;
    let waits = |row: &&HeldRow| row.case_id == case && row.refused.is_none();
    if let Some(other) = others.iter().find(waits) {
        return Err(OfficeError::Conflict(format!(
            "a decision of `{}` on case `{case}` is still held",
            other.person
        )));
    }
    let now = SystemClock.now();
    let random: [u8; 8] = store::random().map_err(broken)?;
    let row = HeldRow {
        id: format!("held-{}", hex::encode(random)),
        case_id: case.to_owned(),
        person: new.by.clone(),
        at: now,
        not_before: now.plus(undo),
        json: serde_json::to_string(&new).map_err(broken)?,
        refused: None,
    };
    keeper.database().hold_step(&row).await.map_err(broken)?;
    view(&row)
}

/// Every held step.
pub(crate) async fn all(keeper: &Keeper) -> Result<Vec<HeldView>, OfficeError> {
    let rows = keeper.database().held_steps().await.map_err(broken)?;
    rows.iter().map(view).collect()
}

/// Takes one back, as whoever decided on it.
pub(crate) async fn back(keeper: &Keeper, id: &str, by: &str) -> Result<HeldView, OfficeError> {
    let rows = keeper.database().held_steps().await.map_err(broken)?;
    let taken = || OfficeError::NotFound(format!("no step `{id}` is held: it was taken already"));
    let row = rows.iter().find(|row| row.id == id).ok_or_else(taken)?;
    if row.person != by {
        return Err(OfficeError::Conflict(format!(
            "`{}` decided that: only they can take it back",
            row.person
        )));
    }
    if !keeper.database().drop_held(id).await.map_err(broken)? {
        return Err(taken());
    }
    view(row)
}

/// Takes what is due at `now`; a step that the case refuses meanwhile is kept with the reason.
pub(crate) async fn due(
    keeper: &Keeper,
    folder: &Path,
    now: Timestamp,
) -> Result<u64, OfficeError> {
    let rows = keeper.database().held_steps().await.map_err(broken)?;
    let ripe = rows
        .iter()
        .filter(|row| row.refused.is_none() && row.not_before <= now);
    let mut taken = 0;
    for row in ripe {
        let new: Step = serde_json::from_str(&row.json).map_err(broken)?;
        match step(keeper, folder, &row.case_id, (new, Some(row.id.clone()))).await {
            Ok(_) => taken += 1,
            // It is tried again.
            Err(OfficeError::Unavailable(why)) => return Err(OfficeError::Unavailable(why)),
            Err(error) => {
                tracing::warn!(case = row.case_id, %error, "a held step was refused");
                let why = error.to_string();
                let kept = keeper.database().refuse_held(&row.id, &why).await;
                kept.map_err(broken)?;
            }
        }
    }
    Ok(taken)
}
