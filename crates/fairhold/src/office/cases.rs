//! Cases: replayed from the store, decided by the room `cases`, recorded
//! before they act.

mod files;
pub(crate) mod held;
mod judged;
mod list;
mod summary;
mod typed;
mod view;

use std::collections::BTreeSet;
use std::path::Path;

use cases::{Actor, Attachment, Case, Deed, Effect, Measure, Observation, Step as CaseStep};
use console::{NewCase, OfficeError, Step};
use engine::{Act, Held};
use evidence::Record;
use facts::{AccountId, CaseId, ClauseId, Timestamp};
use store::{CaseStepRow, FileRow, StepTaken, SystemClock};

use super::actors::{actor, not_twice, person, system};
use super::people::{malformed, refused};
use crate::keeper::{InUse, Keeper, KeeperError};
use crate::notices::message::{Told, notices};

pub(super) use files::open as open_file;
pub(super) use list::{cases as listed, claimed, unclaimed};
pub(crate) use summary::refresh;
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
    let rows = keeper.database().steps_of(id).await;
    let rows = rows.map_err(|e| refused(KeeperError::Store(e)))?;
    if rows.is_empty() {
        return Err(OfficeError::NotFound(format!(
            "there is no case `{id}`; `fairhold case list` shows all"
        )));
    }
    replayed(&rows)
}

/// The cases against an account.
pub(super) async fn of(keeper: &Keeper, account: &str) -> Result<Vec<Case>, OfficeError> {
    let account = AccountId::parse(account).map_err(|e| malformed(&e))?;
    let mut cases = Vec::new();
    for id in keeper.database().cases_of(&account).await.map_err(broken)? {
        cases.push(one(keeper, &id).await?);
    }
    Ok(cases)
}

/// A case with the steps it has just taken, and what goes with them.
struct Taken {
    case: Case,
    from: usize,
    /// The steps of which the accused is to be told.
    informs: BTreeSet<usize>,
    files: Vec<FileRow>,
    held: Option<String>,
}

impl Taken {
    fn of(case: Case, from: usize) -> Self {
        Self {
            case,
            from,
            informs: BTreeSet::new(),
            files: Vec::new(),
            held: None,
        }
    }

    /// The last step's effects.
    fn note(&mut self, effects: &[Effect]) {
        if effects.contains(&Effect::Inform) {
            self.informs
                .insert(self.case.steps().len().saturating_sub(1));
        }
    }
}

/// Opens a case, with the step that follows at once where one is named.
pub(super) async fn propose(
    keeper: &Keeper,
    folder: &Path,
    new: NewCase,
) -> Result<Case, OfficeError> {
    let by = person(keeper, folder, &new.by).await?;
    let random: [u8; 8] = store::random().map_err(broken)?;
    let id = CaseId::parse(&format!("case-{}", hex::encode(random))).map_err(|e| malformed(&e))?;
    let (then, finding) = (new.then.clone(), new.finding.clone());
    let at = SystemClock.now();
    let first = CaseStep {
        at,
        by: by.clone(),
        comment: String::new(),
        deed: Deed::Observed(observed(keeper, new).await?),
        attachments: Vec::new(),
    };
    let case = Case::open(id, first).map_err(|e| OfficeError::Invalid(e.to_string()))?;
    let mut taken = Taken::of(case, 0);
    if let Some(step) = then {
        let deed = typed::deed(&taken.case, &step, at)?;
        let said = Said::of(String::new(), at);
        let effects = take(&mut taken.case, by, deed, said)?;
        taken.note(&effects);
    }
    let rests_on = judged::rests_on(keeper, folder, &taken.case, finding.as_deref()).await?;
    let beside = Beside {
        rests_on,
        key: None,
    };
    record(keeper, std::slice::from_ref(&taken), beside).await?;
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

/// What is said with a step.
struct Said {
    comment: String,
    attachments: Vec<Attachment>,
    at: Timestamp,
}

impl Said {
    fn of(comment: String, at: Timestamp) -> Self {
        Self {
            comment,
            attachments: Vec::new(),
            at,
        }
    }
}

fn take(case: &mut Case, by: Actor, deed: Deed, said: Said) -> Result<Vec<Effect>, OfficeError> {
    // Steps follow each other even when the clock was set back.
    let last = case.steps().last().map_or(Timestamp(0), |s| s.at);
    let step = CaseStep {
        at: said.at.max(last),
        by,
        comment: said.comment,
        deed,
        attachments: said.attachments,
    };
    case.take(step).map_err(forbidden)
}

/// Whether the case would allow this step now; nothing is done.
pub(super) async fn allows(
    keeper: &Keeper,
    folder: &Path,
    id: &str,
    step: &Step,
) -> Result<(), OfficeError> {
    let mut case = one(keeper, id).await?;
    let by = actor(keeper, folder, (&step.by, &step.step)).await?;
    let now = SystemClock.now();
    let deed = typed::deed(&case, &step.step, now)?;
    not_twice(keeper, &case, (&by, &deed)).await?;
    take(&mut case, by, deed, Said::of(step.comment.clone(), now)).map(drop)
}

/// Takes a step in a case; a reversal opens anew what rested on it. `held` names the held step
/// that this is, which is then held no more.
pub(super) async fn step(
    keeper: &Keeper,
    folder: &Path,
    id: &str,
    (step, held): (Step, Option<String>),
) -> Result<Case, OfficeError> {
    let case = one(keeper, id).await?;
    let by = actor(keeper, folder, (&step.by, &step.step)).await?;
    let now = SystemClock.now();
    let from = case.steps().len();
    let deed = typed::deed(&case, &step.step, now)?;
    not_twice(keeper, &case, (&by, &deed)).await?;
    let files = files::read(step.attachments)?;
    let said = Said {
        comment: step.comment,
        attachments: files.iter().map(|file| file.named.clone()).collect(),
        at: now,
    };
    let mut taken = Taken::of(case, from);
    let effects = take(&mut taken.case, by, deed, said)?;
    taken.note(&effects);
    taken.held = held;
    let key = if files.is_empty() {
        None
    } else {
        let account = AccountId::parse(&step.by).map_err(|e| malformed(&e))?;
        let key = keeper.key_of_files(&account).await.map_err(refused)?;
        taken.files = files::seal(&key, taken.case.id(), &account, &files)?;
        Some(key)
    };
    let mut all = vec![taken];
    for effect in effects {
        match effect {
            Effect::Reopen(because) => all.extend(reopened(keeper, &because, now).await?),
            // `record` carries out the rest.
            Effect::Inform | Effect::Enforce => {}
        }
    }
    let beside = Beside {
        rests_on: Vec::new(),
        key: key.as_deref(),
    };
    record(keeper, &all, beside).await?;
    Ok(all.swap_remove(0).case)
}

/// What rested on the reversed case, each with the step that opens it anew.
async fn reopened(
    keeper: &Keeper,
    because: &CaseId,
    now: Timestamp,
) -> Result<Vec<Taken>, OfficeError> {
    let mut all = Vec::new();
    let resting = keeper.database().resting_on(because.as_str()).await;
    for id in resting.map_err(broken)? {
        let case = match one(keeper, &id).await {
            Ok(case) => case,
            // It must not stand in the way of whoever won.
            Err(error) => {
                tracing::error!(%error, "a case that rested on a reversed one was not reopened");
                continue;
            }
        };
        if case.closed() {
            continue;
        }
        let mut taken = Taken {
            from: case.steps().len(),
            ..Taken::of(case, 0)
        };
        let deed = Deed::Reopened(because.clone());
        let said = Said::of(format!("case {because} was reversed"), now);
        // Refused when an earlier reversal of the same case was dealt with.
        if let Ok(effects) = take(&mut taken.case, system()?, deed, said) {
            taken.note(&effects);
            all.push(taken);
        }
    }
    Ok(all)
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

/// What is recorded with steps.
struct Beside<'a> {
    rests_on: Vec<Record>,
    key: Option<&'a InUse>,
}

async fn record(keeper: &Keeper, all: &[Taken], beside: Beside<'_>) -> Result<(), OfficeError> {
    let endpoints = keeper.database().endpoints().await.map_err(broken)?;
    let mut steps = Vec::new();
    for taken in all {
        let case = &taken.case;
        let last = case.steps().len().saturating_sub(1);
        for (n, step) in case.steps().iter().enumerate().skip(taken.from) {
            let row = CaseStepRow {
                case_id: case.id().to_string(),
                n: n as u64,
                json: step.canonical(),
                digest: step.digest(),
            };
            let events = events(case, step);
            let told = Told {
                case,
                n,
                step,
                events: &events,
                informs: taken.informs.contains(&n),
            };
            let kept = StepTaken {
                opened: (n == 0).then(|| summary::opened(case)),
                summary: (n == last).then(|| summary::of(case)),
                files: if n == last {
                    taken.files.clone()
                } else {
                    Vec::new()
                },
                outbox: notices(&told, &endpoints),
                held: taken.held.clone().filter(|_| n == last),
                row,
            };
            let command = engine::CaseStep {
                case: case.id().clone(),
                digest: kept.row.digest,
                held: if n == last { held(case) } else { Vec::new() },
                events,
            };
            steps.push((command, kept));
        }
    }
    let recorded = keeper.steps_with(steps, beside.rests_on, beside.key).await;
    recorded.map_err(refused)
}

#[cfg(test)]
mod tests;
