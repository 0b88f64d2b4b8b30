//! What lists show of a case, kept with its last step.
//!
//! A measure may end by time alone, so a summary holds what the case shows
//! from each such moment on: whoever lists it only picks, and replays nothing.

use cases::{Case, Step as CaseStep};
use console::{CaseLine, DeadlineView, MeasureView, NewLimits, OfficeError, PendingView};
use facts::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{CaseStepRow, OpenedCase, SummaryRow};

use super::view::{action, limits, pending};
use super::{broken, replayed};
use crate::keeper::Keeper;

/// Raised whenever what is kept here changes: summaries of another version are made anew.
const VERSION: u64 = 1;
/// Accounts that a list names.
const NAMED: usize = 20;
/// Summaries that are made anew in one transaction.
const TOGETHER: usize = 500;

#[derive(Serialize, Deserialize)]
struct Kept {
    accounts: Vec<String>,
    n_accounts: u64,
    clause: String,
    opened: i64,
    changed: i64,
    due: Option<i64>,
    pending: Option<PendingView>,
    phases: Vec<Phase>,
    deadlines: Vec<(i64, String)>,
    unreadable: Option<String>,
}

/// What it shows from a moment on.
#[derive(Serialize, Deserialize)]
struct Phase {
    from: i64,
    state: String,
    action: String,
    in_force: Vec<Acting>,
}

#[derive(Serialize, Deserialize)]
struct Acting {
    measure: String,
    limits: NewLimits,
    from: i64,
    until: Option<i64>,
    emergency: bool,
}

fn phases(case: &Case, since: Timestamp) -> Vec<Phase> {
    let mut moments = vec![since];
    moments.extend(
        case.standing(since)
            .iter()
            .filter_map(|acting| acting.until),
    );
    moments.sort();
    moments.dedup();
    let shown = |at: Timestamp| {
        let standing = case.standing(at);
        Phase {
            from: at.0,
            state: case.state(at).word().to_owned(),
            action: action(case, &standing),
            in_force: standing
                .iter()
                .map(|acting| Acting {
                    measure: acting.measure.word().to_owned(),
                    limits: limits(&acting.measure),
                    from: acting.from.0,
                    until: acting.until.map(|until| until.0),
                    emergency: acting.emergency,
                })
                .collect(),
        }
    };
    moments.into_iter().map(shown).collect()
}

fn row(case: &str, kept: &Kept, steps: usize, closed: bool, awaits: &str) -> SummaryRow {
    SummaryRow {
        case_id: case.to_owned(),
        version: VERSION,
        steps: steps as u64,
        closed,
        awaits: awaits.to_owned(),
        due: Timestamp(kept.due.unwrap_or(kept.changed)),
        // Strings and whole numbers can always be written.
        json: serde_json::to_string(kept).unwrap_or_default(),
    }
}

/// The summary of a case after its last step.
pub(super) fn of(case: &Case) -> SummaryRow {
    let at = |step: Option<&CaseStep>| step.map_or(Timestamp(0), |step| step.at);
    let (opened, changed) = (at(case.steps().first()), at(case.steps().last()));
    let awaited = case.awaited();
    let deadlines = case.timers(changed);
    let kept = Kept {
        accounts: case
            .accounts()
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect(),
        n_accounts: case.accounts().len() as u64,
        clause: case.clause().to_string(),
        opened: opened.0,
        changed: awaited.since.0.max(changed.0),
        due: awaited.due.map(|due| due.0),
        pending: pending(case),
        phases: phases(case, changed),
        deadlines: deadlines
            .iter()
            .map(|timer| (timer.at.0, timer.what.word().to_owned()))
            .collect(),
        unreadable: None,
    };
    let word = awaited.what.word();
    row(
        case.id().as_str(),
        &kept,
        case.steps().len(),
        case.closed(),
        word,
    )
}

/// What the case is about.
pub(super) fn opened(case: &Case) -> OpenedCase {
    let rests_on = case.observation().rests_on.iter();
    OpenedCase {
        accounts: case.accounts().to_vec(),
        rests_on: rests_on.map(ToString::to_string).collect(),
    }
}

/// The summary of a case whose steps cannot be read here: it is listed with the reason.
fn unreadable(case: &str, rows: &[CaseStepRow], why: &OfficeError) -> (SummaryRow, OpenedCase) {
    let first = rows
        .first()
        .map(|row| row.json.as_str())
        .unwrap_or_default();
    let first: Value = serde_json::from_str(first).unwrap_or_default();
    let named = first
        .pointer("/step/observed/accounts")
        .or(first.pointer("/accounts"));
    let named = named.and_then(Value::as_array).map(Vec::as_slice);
    let accounts: Vec<AccountId> = named
        .unwrap_or_default()
        .iter()
        .filter_map(|account| AccountId::parse(account.as_str()?).ok())
        .collect();
    let at = first.get("at").and_then(Value::as_i64).unwrap_or_default();
    let kept = Kept {
        accounts: accounts
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect(),
        n_accounts: accounts.len() as u64,
        clause: String::new(),
        opened: at,
        changed: at,
        due: None,
        pending: None,
        phases: Vec::new(),
        deadlines: Vec::new(),
        unreadable: Some(why.to_string()),
    };
    let opened = OpenedCase {
        accounts,
        rests_on: Vec::new(),
    };
    (row(case, &kept, rows.len(), false, "nothing"), opened)
}

/// Makes anew what is missing or of another version; how many there were.
///
/// # Errors
/// [`OfficeError::Unavailable`] when the store fails.
pub(crate) async fn refresh(keeper: &Keeper) -> Result<usize, OfficeError> {
    let database = keeper.database();
    let stale = database.stale_summaries(VERSION).await.map_err(broken)?;
    for some in stale.chunks(TOGETHER) {
        let mut made = Vec::with_capacity(some.len());
        for id in some {
            let rows = database.steps_of(id).await.map_err(broken)?;
            made.push(match replayed(&rows) {
                Ok(case) => (of(&case), opened(&case)),
                Err(why) => unreadable(id, &rows, &why),
            });
        }
        database.keep_summaries(&made).await.map_err(broken)?;
    }
    Ok(stale.len())
}

/// The case in a list at `now`.
///
/// # Errors
/// [`OfficeError::Unavailable`] when the row is not what [`of`] wrote.
pub(super) fn line(row: &SummaryRow, now: Timestamp) -> Result<CaseLine, OfficeError> {
    let kept: Kept = serde_json::from_str(&row.json).map_err(broken)?;
    let mut phases = kept.phases.into_iter();
    let first = phases.next();
    let shown = phases
        .take_while(|phase| phase.from <= now.0)
        .last()
        .or(first);
    let (state, action, in_force) = match shown {
        Some(phase) => (phase.state, phase.action, phase.in_force),
        None => ("unreadable".to_owned(), "none".to_owned(), Vec::new()),
    };
    let deadlines = kept.deadlines.into_iter().filter(|(at, _)| now.0 <= *at);
    Ok(CaseLine {
        case: row.case_id.clone(),
        account: kept.accounts.first().cloned().unwrap_or_default(),
        accounts: kept.accounts,
        n_accounts: kept.n_accounts,
        state,
        clause: kept.clause,
        action,
        pending: kept.pending,
        in_force: in_force.into_iter().map(acting).collect(),
        deadlines: deadlines
            .map(|(at, what)| DeadlineView {
                at: Timestamp(at).rfc3339(),
                what,
            })
            .collect(),
        awaits: row.awaits.clone(),
        due: kept.due.map(|due| Timestamp(due).rfc3339()),
        opened: Timestamp(kept.opened).rfc3339(),
        changed: Timestamp(kept.changed).rfc3339(),
        steps: row.steps,
        claim: None,
        unreadable: kept.unreadable,
    })
}

fn acting(kept: Acting) -> MeasureView {
    MeasureView {
        measure: kept.measure,
        limits: kept.limits,
        from: Timestamp(kept.from).rfc3339(),
        until: kept.until.map(|until| Timestamp(until).rfc3339()),
        emergency: kept.emergency,
    }
}
