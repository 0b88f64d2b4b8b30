//! Steps that people send from a case's page: each names the clause that it
//! rests on and gives a reason, and is held for a while so that it can be undone.

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::frame::{Pages, Posted, on};
use super::{words, work};
use crate::caseroom::Caseroom;
use crate::cases::{CaseStep, NewLimits, NewMeasure, NewNotice, Step};
use crate::casework::CasesAsked;
use crate::door::Staff;
use crate::office::OfficeError;

/// A decision as a form sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decision {
    act: String,
    clause: String,
    reason: String,
    exculpatory: String,
    measure: String,
    days: String,
    requests_per_minute: String,
    tokens_per_minute: String,
    metric: String,
    under: String,
    declaration: String,
    condition: String,
    met: String,
    next: String,
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<Option<T>, OfficeError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse();
    parsed
        .map(Some)
        .map_err(|_| OfficeError::Invalid(format!("`{text}` is no whole number of {what}")))
}

impl Decision {
    fn limits(&self) -> Result<NewLimits, OfficeError> {
        Ok(NewLimits {
            requests_per_minute: number(&self.requests_per_minute, "requests")?,
            tokens_per_minute: number(&self.tokens_per_minute, "tokens")?,
        })
    }

    fn step(&self) -> Result<CaseStep, OfficeError> {
        Ok(match self.act.as_str() {
            "notice" => CaseStep::Notice(NewNotice {
                metric: self.metric.clone(),
                under: self.under.trim().to_owned(),
                days: number(&self.days, "days")?.unwrap_or(14),
                declaration: !self.declaration.is_empty(),
            }),
            "propose" => CaseStep::Propose(NewMeasure {
                measure: self.measure.clone(),
                limits: self.limits()?,
                days: number(&self.days, "days")?,
                reason: self.reason.clone(),
                exculpatory: self.exculpatory.clone(),
            }),
            "accept" => CaseStep::Accept,
            "check" => CaseStep::Check {
                condition: number(&self.condition, "a condition")?.unwrap_or(1),
                met: self.met == "yes",
            },
            "approve" => CaseStep::Approve,
            "return" => CaseStep::Return,
            "emergency" => CaseStep::Emergency(self.limits()?),
            "uphold" => CaseStep::Uphold,
            "overturn" => CaseStep::Overturn,
            "reinstate" => CaseStep::Reinstate,
            "dismiss" => CaseStep::Dismiss,
            other => {
                return Err(OfficeError::Invalid(format!("`{other}` is no step")));
            }
        })
    }

    /// The clause is read again by whoever decides: they name it, and it is the case's.
    fn grounded(&self, clause: &str) -> Result<(), OfficeError> {
        if self.clause != clause {
            return Err(OfficeError::Invalid(format!(
                "name the clause that the decision rests on: this case's is `{clause}`"
            )));
        }
        if self.reason.trim().is_empty() {
            return Err(OfficeError::Invalid(
                "give a reason: it stays on the timeline".to_owned(),
            ));
        }
        Ok(())
    }
}

async fn decided<O: Caseroom>(
    pages: &Pages<O>,
    staff: &Staff,
    id: &str,
    decision: &Decision,
) -> Result<&'static str, OfficeError> {
    let office = &*pages.office;
    let case = office.case(id).await?;
    decision.grounded(&case.clause)?;
    let asked = CasesAsked {
        account: Some(case.account.clone()),
        limit: Some(500),
        ..CasesAsked::default()
    };
    let lines = office.cases(asked).await?.cases;
    let claim = lines.into_iter().find(|line| line.case == id);
    if let Some(claim) = claim.and_then(|line| line.claim)
        && claim.by != staff.name
    {
        let (by, until) = (claim.by, words::when(&claim.until));
        return Err(OfficeError::Conflict(format!(
            "{by} works on this case until {until} UTC: ask them to release it"
        )));
    }
    let step = decision.step()?;
    let second = matches!(
        step,
        CaseStep::Approve | CaseStep::Uphold | CaseStep::Overturn
    );
    if second && !pages.door.may_sign(staff) {
        return Err(OfficeError::Conflict(
            "a second signature asks for proof of who you are: you came in by a one-time sign-in; register a passkey in the settings and sign in by it, or sign in at the issuer".to_owned(),
        ));
    }
    let step = Step {
        step,
        by: staff.name.clone(),
        comment: decision.reason.clone(),
        attachments: Vec::new(),
    };
    // An emergency waits for nobody; it ends by itself.
    let told = if matches!(step.step, CaseStep::Emergency(_)) {
        office.step(id, step).await?;
        "done"
    } else {
        office.hold_step(id, step).await?;
        "held"
    };
    // Whoever has decided is done with it: the next one may take it.
    if let Err(error) = office.unclaim(id, &staff.name).await {
        tracing::debug!(%error, "there was no claim to release");
    }
    Ok(told)
}

/// Takes a decision; `next` goes on to the case that is due after it.
pub(super) async fn decide<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(staff, decision): Posted<Staff, Decision>,
) -> Response {
    match decided(&pages, &staff, &id, &decision).await {
        Ok(told) if decision.next.is_empty() => {
            on(&format!("/cases/{}?told={told}", words::id(&id)))
        }
        Ok(told) => match next(&pages, &id).await {
            Some(next) => on(&format!("/cases/{}?told={told}", words::id(&next))),
            None => on(&format!("/queue?told={told}")),
        },
        Err(why) => work::again(&pages, &staff, &id, (&headers, &why)).await,
    }
}

/// The case that is due soonest beside this one and awaits one of us.
async fn next<O: Caseroom>(pages: &Pages<O>, id: &str) -> Option<String> {
    let asked = CasesAsked {
        closed: Some(false),
        ..CasesAsked::default()
    };
    let cases = pages.office.cases(asked).await.ok()?.cases;
    let ours = |awaits: &str| !matches!(awaits, "reply" | "nothing");
    cases
        .into_iter()
        .find(|line| line.case != id && line.claim.is_none() && ours(&line.awaits))
        .map(|line| line.case)
}
