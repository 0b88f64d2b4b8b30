//! `fairhold case propose|approve|reject|appeal|overturn|uphold|list|show`.

use console::{CaseStep, CaseView, NewCase, Office, Step};

use crate::args;
use crate::args::Case;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Case, out: Out) -> Result<Exit, Failure> {
    let case = match what {
        Case::Propose {
            account,
            also,
            clause,
            summary,
            finding,
            by,
            action,
            exculpatory,
        } => {
            office
                .propose(NewCase {
                    account,
                    others: also,
                    clause,
                    summary: summary.unwrap_or_default(),
                    by,
                    action: action.unwrap_or_else(|| usual(finding.as_ref(), "notice", "suspend")),
                    exculpatory: exculpatory
                        .unwrap_or_else(|| usual(finding.as_ref(), "", "none found")),
                    finding,
                })
                .await?
        }
        Case::Approve(step) => take(office, CaseStep::Approve, step).await?,
        Case::Reject(step) => take(office, CaseStep::Reject, step).await?,
        Case::Appeal(step) => take(office, CaseStep::Appeal, step).await?,
        Case::Overturn(step) => take(office, CaseStep::Overturn, step).await?,
        Case::Uphold(step) => take(office, CaseStep::Uphold, step).await?,
        Case::Show { case } => office.case(&case).await?,
        Case::List => return list(&office.cases().await?, out),
    };
    out.data(&case)?;
    show(&case, out);
    out.next(&next(&case));
    Ok(Exit::Clean)
}

/// What is meant when nothing is said: with a finding, and without.
fn usual(finding: Option<&String>, with: &str, without: &str) -> String {
    let meant = if finding.is_some() { with } else { without };
    meant.to_owned()
}

async fn take<O: Office>(
    office: &O,
    step: CaseStep,
    given: args::Step,
) -> Result<CaseView, Failure> {
    let args::Step { case, by, comment } = given;
    Ok(office.step(&case, Step { step, by, comment }).await?)
}

fn list(cases: &[CaseView], out: Out) -> Result<Exit, Failure> {
    out.data(&cases)?;
    for case in cases {
        out.line(&format!(
            "{:<24} {:<12} {:<24} {}",
            case.case, case.state, case.account, case.clause
        ));
    }
    if cases.is_empty() {
        out.line("no cases");
    }
    Ok(Exit::Clean)
}

fn show(case: &CaseView, out: Out) {
    out.line(&format!(
        "case {} against {}: {}",
        case.case, case.account, case.state
    ));
    out.line(&format!(
        "measure: {}   clause: {}",
        case.action, case.clause
    ));
    for line in case.statement.lines() {
        out.line(&format!("  {line}"));
    }
    for step in &case.timeline {
        out.line(&format!(
            "  {} {} by {} {}",
            step.at, step.step, step.by, step.comment
        ));
    }
    if let Some(until) = &case.appeal_until {
        out.line(&format!("appeal open until {until}"));
    }
}

/// The command that the case waits for.
fn next(case: &CaseView) -> String {
    match case.state.as_str() {
        "proposed" => format!("fairhold case approve {} --by ANOTHER_PERSON", case.case),
        "appealed" => format!(
            "fairhold case overturn {} --by SOMEONE_NOT_INVOLVED",
            case.case
        ),
        _ => format!("fairhold export {}", case.case),
    }
}
