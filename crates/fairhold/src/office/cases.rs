//! Cases: replayed from the store, decided by the room `cases`, recorded
//! before they act.

mod judged;
mod typed;
mod view;

use std::path::Path;

use cases::{Actor, Case, Deed, Effect, Measure, Observation, Step as CaseStep};
use console::{NewCase, OfficeError, Step};
use engine::{Act, Held};
use evidence::Record;
use facts::{AccountId, CaseId, ClauseId, Timestamp};
use store::{CaseStepRow, SystemClock};

use super::actors::{actor, staff, system};
use super::people::{malformed, refused};
use crate::keeper::{Keeper, KeeperError};

pub(super) use view::view;

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the cases: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn forbidden(error: cases::Refused) -> OfficeError {
    OfficeError::Conflict(error.to_string())
}

/// Every case, in the order of ids.
pub(super) async fn all(keeper: &Keeper) -> Result<Vec<Case>, OfficeError> {
    let rows = keeper.database().case_steps().await;
    let rows = rows.map_err(|e| refused(KeeperError::Store(e)))?;
    rows.chunk_by(|a, b| a.case_id == b.case_id)
        .map(replayed)
        .collect()
}

fn replayed(rows: &[CaseStepRow]) -> Result<Case, OfficeError> {
    let id = rows
        .first()
        .map(|row| row.case_id.as_str())
        .unwrap_or_default();
    let id = CaseId::parse(id).map_err(broken)?;
    let steps: Result<Vec<CaseStep>, _> =
        rows.iter().map(|row| CaseStep::parse(&row.json)).collect();
    let named = |error: &dyn std::fmt::Display| broken(format!("case `{id}`: {error}"));
    let steps = steps.map_err(|e| named(&e))?;
    Case::replay(id.clone(), steps).map_err(|e| named(&e))
}

/// One case.
pub(super) async fn one(keeper: &Keeper, id: &str) -> Result<Case, OfficeError> {
    let found = all(keeper)
        .await?
        .into_iter()
        .find(|case| case.id().as_str() == id);
    found.ok_or_else(|| {
        OfficeError::NotFound(format!(
            "there is no case `{id}`; `fairhold case list` shows all"
        ))
    })
}

/// A case with the steps it has just taken.
struct Taken {
    case: Case,
    from: usize,
}

/// Opens a case, with the step that follows at once where one is named.
pub(super) async fn propose(
    keeper: &Keeper,
    folder: &Path,
    new: NewCase,
) -> Result<Case, OfficeError> {
    let by = staff(folder, &new.by)?;
    let random: [u8; 8] = store::random().map_err(broken)?;
    let id = CaseId::parse(&format!("case-{}", hex::encode(random))).map_err(|e| malformed(&e))?;
    let (then, finding) = (new.then.clone(), new.finding.clone());
    let at = SystemClock.now();
    let first = CaseStep {
        at,
        by: by.clone(),
        comment: String::new(),
        deed: Deed::Observed(observed(keeper, new).await?),
    };
    let mut case = Case::open(id, first).map_err(|e| OfficeError::Invalid(e.to_string()))?;
    if let Some(step) = then {
        let deed = typed::deed(&case, &step, at)?;
        take(&mut case, by, deed, (String::new(), at))?;
    }
    let rests_on = judged::rests_on(keeper, folder, &case, finding.as_deref()).await?;
    let taken = Taken { case, from: 0 };
    record(keeper, std::slice::from_ref(&taken), rests_on).await?;
    Ok(taken.case)
}

async fn observed(keeper: &Keeper, new: NewCase) -> Result<Observation, OfficeError> {
    let mut accounts = Vec::new();
    for name in std::iter::once(&new.account).chain(&new.others) {
        let account = AccountId::parse(name).map_err(|e| malformed(&e))?;
        if keeper.ask(|engine| engine.directory().account(&account).is_none()) {
            return Err(OfficeError::NotFound(format!(
                "there is no account `{account}`"
            )));
        }
        accounts.push(account);
    }
    let mut rests_on = Vec::new();
    for id in &new.rests_on {
        rests_on.push(one(keeper, id).await?.id().clone());
    }
    Ok(Observation {
        accounts,
        clause: ClauseId::parse(&new.clause).map_err(|e| malformed(&e))?,
        summary: new.summary,
        exculpatory: new.exculpatory,
        automated: !new.by_hand,
        rests_on,
    })
}

fn take(
    case: &mut Case,
    by: Actor,
    deed: Deed,
    (comment, at): (String, Timestamp),
) -> Result<Vec<Effect>, OfficeError> {
    // Steps follow each other even when the clock was set back.
    let last = case.steps().last().map_or(Timestamp(0), |s| s.at);
    let step = CaseStep {
        at: at.max(last),
        by,
        comment,
        deed,
    };
    case.take(step).map_err(forbidden)
}

/// Takes a step in a case; a reversal opens anew what rested on it.
pub(super) async fn step(
    keeper: &Keeper,
    folder: &Path,
    id: &str,
    step: Step,
) -> Result<Case, OfficeError> {
    let mut cases = all(keeper).await?;
    let place = cases.iter().position(|case| case.id().as_str() == id);
    let Some(mut case) = place.map(|place| cases.swap_remove(place)) else {
        return one(keeper, id).await;
    };
    let by = actor(folder, &step.by, &step.step)?;
    let now = SystemClock.now();
    let from = case.steps().len();
    let deed = typed::deed(&case, &step.step, now)?;
    let effects = take(&mut case, by, deed, (step.comment, now))?;
    let mut taken = vec![Taken { case, from }];
    for effect in effects {
        match effect {
            Effect::Reopen(because) => taken.extend(reopened(&mut cases, &because, now)?),
            // Statements are there to be read once the step is; `record` carries out the rest.
            Effect::Inform | Effect::Enforce => {}
        }
    }
    record(keeper, &taken, Vec::new()).await?;
    Ok(taken.swap_remove(0).case)
}

/// What rested on the reversed case, each with the step that opens it anew.
fn reopened(
    cases: &mut Vec<Case>,
    because: &CaseId,
    now: Timestamp,
) -> Result<Vec<Taken>, OfficeError> {
    let rests = |case: &Case| !case.closed() && case.observation().rests_on.contains(because);
    let mut taken = Vec::new();
    for mut case in cases.extract_if(.., |case| rests(case)) {
        let from = case.steps().len();
        let deed = Deed::Reopened(because.clone());
        let said = format!("case {because} was reversed");
        // Refused when an earlier reversal of the same case was dealt with.
        if take(&mut case, system()?, deed, (said, now)).is_ok() {
            taken.push(Taken { case, from });
        }
    }
    Ok(taken)
}

/// What the case holds against each of its accounts from its last step on.
fn held(case: &Case) -> Vec<(AccountId, Vec<Held>)> {
    let now = case.steps().last().map_or(Timestamp(0), |s| s.at);
    let of = |act, until| Held {
        case: case.id().clone(),
        clause: case.clause().clone(),
        act,
        until,
    };
    let mut all = Vec::new();
    if case.notice().is_some() && !case.closed() {
        all.push(of(Act::Notice, None));
    }
    for acting in case.standing(now) {
        let act = match acting.measure {
            Measure::Throttle(left) => Act::Throttle {
                requests_per_minute: left.requests_per_minute,
                tokens_per_minute: left.tokens_per_minute,
            },
            Measure::Mark => Act::Mark,
            Measure::Suspend => Act::Suspend,
            Measure::Terminate => Act::Terminate,
        };
        all.push(of(act, acting.until));
    }
    let accounts = case.accounts().iter().cloned();
    accounts.map(|account| (account, all.clone())).collect()
}

/// The events of the audit log that a step is; an approval is also the event
/// of the measure that it put in force.
fn events(case: &Case, step: &CaseStep) -> Vec<String> {
    let mut events = vec![step.deed.event().to_owned()];
    if step.deed == Deed::Approved {
        let made = case.restrictions().iter().rev().find(|r| r.from == step.at);
        events.extend(made.map(|r| r.measure.event().to_owned()));
    }
    events
}

async fn record(keeper: &Keeper, all: &[Taken], rests_on: Vec<Record>) -> Result<(), OfficeError> {
    let mut steps = Vec::new();
    for Taken { case, from } in all {
        let last = case.steps().len().saturating_sub(1);
        for (n, step) in case.steps().iter().enumerate().skip(*from) {
            let row = CaseStepRow {
                case_id: case.id().to_string(),
                n: n as u64,
                json: step.canonical(),
                digest: step.digest(),
            };
            let command = engine::CaseStep {
                case: case.id().clone(),
                events: events(case, step),
                digest: row.digest,
                held: if n == last { held(case) } else { Vec::new() },
            };
            steps.push((command, row));
        }
    }
    keeper.steps(steps, rests_on).await.map_err(refused)
}

#[cfg(test)]
mod tests;
