//! Cases: replayed from the store, decided by the room `cases`, recorded
//! before they act.

use cases::{Act, Case, Deed, Measure, Proposal, State, Step as CaseStep};
use console::{CaseView, NewCase, OfficeError, Step, StepView};
use engine::Standing;
use facts::{AccountId, CaseId, ClauseId, PersonId, Timestamp};
use store::{CaseStepRow, SystemClock};

use super::people::{malformed, refused};
use crate::keeper::{Keeper, KeeperError};

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the cases: {error}"))
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
    Case::replay(id, steps.map_err(broken)?).map_err(broken)
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

/// Opens a case.
pub(super) async fn propose(keeper: &Keeper, new: NewCase) -> Result<Case, OfficeError> {
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
    let measure = Measure::from_word(&new.action).ok_or_else(|| {
        OfficeError::Invalid(format!(
            "`{}` is no measure: use `notice` or `suspend`",
            new.action
        ))
    })?;
    let first = CaseStep {
        at: SystemClock.now(),
        by: PersonId::parse(&new.by).map_err(|e| malformed(&e))?,
        comment: String::new(),
        deed: Deed::Proposed(Proposal {
            accounts,
            clause: ClauseId::parse(&new.clause).map_err(|e| malformed(&e))?,
            measure,
            summary: new.summary,
            exculpatory: new.exculpatory,
        }),
    };
    let random: [u8; 8] = store::random().map_err(broken)?;
    let id = CaseId::parse(&format!("case-{}", hex::encode(random))).map_err(|e| malformed(&e))?;
    let case = Case::open(id, first).map_err(|e| OfficeError::Invalid(e.to_string()))?;
    record(keeper, &case, Vec::new()).await?;
    Ok(case)
}

/// Takes a step in a case.
pub(super) async fn step(keeper: &Keeper, id: &str, step: Step) -> Result<Case, OfficeError> {
    let mut case = one(keeper, id).await?;
    let act = match step.step {
        console::CaseStep::Approve => Act::Approve,
        console::CaseStep::Reject => Act::Reject,
        console::CaseStep::Appeal => Act::Appeal,
        console::CaseStep::Overturn => Act::Overturn,
        console::CaseStep::Uphold => Act::Uphold,
    };
    let by = PersonId::parse(&step.by).map_err(|e| malformed(&e))?;
    let forbidden = |e: cases::Refused| OfficeError::Conflict(e.to_string());
    // Steps follow each other even when the clock was set back.
    let last = case.steps().last().map_or(Timestamp(0), |s| s.at);
    let at = SystemClock.now().max(last);
    let taken = case.decide(act, by, step.comment, at).map_err(forbidden)?;
    case.take(taken).map_err(forbidden)?;
    let standings = standings(&case);
    record(keeper, &case, standings).await?;
    Ok(case)
}

/// What the last step leaves the accounts, where it changes anything.
fn standings(case: &Case) -> Vec<(AccountId, Standing)> {
    if !matches!(case.state(), State::InForce | State::Overturned) {
        return Vec::new();
    }
    let ground = || (case.id().clone(), case.proposal().clause.clone());
    let standing = match case.in_force() {
        None => Standing::Good,
        Some(Measure::Notice) => {
            let (case, clause) = ground();
            Standing::Noticed { case, clause }
        }
        Some(Measure::Suspend) => {
            let (case, clause) = ground();
            Standing::Suspended { case, clause }
        }
    };
    case.proposal()
        .accounts
        .iter()
        .map(|a| (a.clone(), standing.clone()))
        .collect()
}

async fn record(
    keeper: &Keeper,
    case: &Case,
    standings: Vec<(AccountId, Standing)>,
) -> Result<(), OfficeError> {
    let Some(last) = case.steps().last() else {
        return Ok(());
    };
    let row = CaseStepRow {
        case_id: case.id().to_string(),
        n: (case.steps().len() - 1) as u64,
        json: last.canonical(),
        digest: last.digest(),
    };
    let word = last.deed.word().to_owned();
    keeper
        .step(case.id().clone(), word, row, standings)
        .await
        .map_err(refused)
}

/// The case as people see it.
pub(super) fn view(case: &Case) -> CaseView {
    let proposal = case.proposal();
    let accounts: Vec<String> = proposal.accounts.iter().map(ToString::to_string).collect();
    CaseView {
        case: case.id().to_string(),
        account: accounts.first().cloned().unwrap_or_default(),
        accounts,
        state: case.state_word().to_owned(),
        clause: proposal.clause.to_string(),
        action: proposal.measure.word().to_owned(),
        statement: case.statement(),
        appeal_until: case.appeal_until().map(Timestamp::rfc3339),
        timeline: case
            .steps()
            .iter()
            .map(|step| StepView {
                at: step.at.rfc3339(),
                by: step.by.to_string(),
                step: step.deed.word().to_owned(),
                comment: step.comment.clone(),
            })
            .collect(),
    }
}
