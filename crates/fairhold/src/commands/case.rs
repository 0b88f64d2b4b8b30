//! `fairhold case ...`: observe, notice, propose, decide, answer, contest, read.

use console::{
    CaseLine, CaseStep, CaseView, CasesAsked, NewCase, NewCondition, NewLimits, NewMeasure,
    NewNotice, Office, Step,
};

use crate::args::case::{self as args, Case};
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// What a throttle leaves when nothing is said: enough for a person, not for a harvest.
const REQUESTS_LEFT: u64 = 10;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Case, out: Out) -> Result<Exit, Failure> {
    let case = match what {
        Case::Show { case } => office.case(&case).await?,
        Case::List => return list(&all(office).await?, out),
        Case::Observe(given) => {
            let new = new_case(given.account, given.clause, given.facts, given.by);
            office.propose(new).await?
        }
        Case::Propose(given) => propose(office, given).await?,
        other => {
            let (case, step) = step(other)?;
            office.step(&case, step).await?
        }
    };
    out.data(&case)?;
    show(&case, out);
    out.next(&next(&case));
    Ok(Exit::Clean)
}

fn new_case(account: String, clause: String, facts: args::Facts, by: String) -> NewCase {
    let usual = if facts.finding.is_some() {
        ""
    } else {
        "none found"
    };
    NewCase {
        account,
        others: facts.also,
        clause,
        summary: facts.summary.unwrap_or_default(),
        finding: facts.finding,
        by,
        exculpatory: facts.exculpatory.unwrap_or_else(|| usual.to_owned()),
        rests_on: facts.rests_on,
        by_hand: facts.by_hand,
        then: None,
    }
}

fn notice(number: args::Number) -> CaseStep {
    CaseStep::Notice(NewNotice {
        metric: number.metric,
        under: number.under,
        days: number.due,
        declaration: !number.no_declaration,
    })
}

fn limits(left: args::Left) -> NewLimits {
    let usual = left.tokens_per_minute.is_none().then_some(REQUESTS_LEFT);
    NewLimits {
        requests_per_minute: left.requests_per_minute.or(usual),
        tokens_per_minute: left.tokens_per_minute,
    }
}

async fn propose<O: Office>(office: &O, given: args::Propose) -> Result<CaseView, Failure> {
    let usual = if given.facts.finding.is_some() {
        "notice"
    } else {
        "throttle"
    };
    let action = given.action.unwrap_or_else(|| usual.to_owned());
    let then = if action == "notice" {
        notice(given.number)
    } else {
        CaseStep::Propose(NewMeasure {
            measure: action,
            limits: limits(given.left),
            days: given.days,
            reason: given.reason,
            exculpatory: given.facts.exculpatory.clone().unwrap_or_default(),
        })
    };
    let Some(clause) = given.clause else {
        let comment = given.facts.summary.unwrap_or_default();
        let step = plain(then, given.by, comment);
        return Ok(office.step(&given.target, step).await?);
    };
    let new = NewCase {
        then: Some(then),
        ..new_case(given.target, clause, given.facts, given.by)
    };
    Ok(office.propose(new).await?)
}

fn plain(step: CaseStep, by: String, comment: String) -> Step {
    Step {
        step,
        by,
        comment,
        attachments: Vec::new(),
    }
}

/// The step that was typed, and in which case.
fn step(what: Case) -> Result<(String, Step), Failure> {
    let of = |step, given: args::Step| {
        let args::Step { case, by, comment } = given;
        (case, plain(step, by, comment))
    };
    Ok(match what {
        Case::Notice(given) => {
            let (by, comment) = (given.by, given.comment);
            let step = notice(given.number);
            (given.case, plain(step, by, comment))
        }
        Case::Undertake(given) => undertake(given)?,
        Case::Check(given) => {
            let step = CaseStep::Check {
                condition: given.condition,
                met: given.met,
            };
            let (by, comment) = (given.by, given.comment);
            (given.case, plain(step, by, comment))
        }
        Case::Emergency(given) => {
            let step = CaseStep::Emergency(limits(given.left));
            let (by, comment) = (given.by, given.comment);
            (given.case, plain(step, by, comment))
        }
        Case::Declare(given) => of(CaseStep::Declare, given),
        Case::Accept(given) => of(CaseStep::Accept, given),
        Case::Approve(given) => of(CaseStep::Approve, given),
        Case::Return(given) => of(CaseStep::Return, given),
        Case::Appeal(given) => of(CaseStep::Appeal, given),
        Case::Evidence(given) => of(CaseStep::Evidence, given),
        Case::Uphold(given) => of(CaseStep::Uphold, given),
        Case::Overturn(given) => of(CaseStep::Overturn, given),
        Case::Reinstate(given) => of(CaseStep::Reinstate, given),
        Case::Dismiss(given) => of(CaseStep::Dismiss, given),
        Case::Observe(_) | Case::Propose(_) | Case::List | Case::Show { .. } => {
            return Err(Failure::error("failed to take a step: this is none"));
        }
    })
}

fn undertake(given: args::Undertake) -> Result<(String, Step), Failure> {
    let n = given.promise.len();
    if given.check.len() != n || given.days.len() != n {
        return Err(Failure::error(
            "failed to read the conditions: give `--promise`, `--check` and `--days` once for each",
        ));
    }
    let each = given.promise.into_iter().zip(given.check).zip(given.days);
    let conditions = each.map(|((promise, check), days)| NewCondition {
        promise,
        check,
        days,
    });
    let offered = CaseStep::Undertake(conditions.collect());
    let step = plain(offered, given.by, given.comment);
    Ok((given.case, step))
}

/// Every case, page by page.
async fn all<O: Office>(office: &O) -> Result<Vec<CaseLine>, Failure> {
    let mut asked = CasesAsked {
        limit: Some(500),
        ..CasesAsked::default()
    };
    let mut cases = Vec::new();
    loop {
        let page = office.cases(asked.clone()).await?;
        cases.extend(page.cases);
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return Ok(cases),
        }
    }
}

fn list(cases: &[CaseLine], out: Out) -> Result<Exit, Failure> {
    out.data(&cases)?;
    for case in cases {
        let pending = case.pending.as_ref();
        let pending = pending.map_or(String::new(), |p| format!("  awaits: {}", p.measure));
        out.line(&format!(
            "{:<24} {:<12} {:<24} {}{pending}",
            case.case, case.state, case.account, case.clause
        ));
        if let Some(why) = &case.unreadable {
            out.line(&format!("  {why}"));
        }
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
    for line in case.statement.lines() {
        out.line(&format!("  {line}"));
    }
    for measure in &case.in_force {
        let until = measure
            .until
            .as_deref()
            .unwrap_or("the case ends otherwise");
        out.line(&format!("in force: {} until {until}", measure.measure));
    }
    if let Some(pending) = &case.pending {
        out.line(&format!(
            "awaits a second person: {}, proposed by {}",
            pending.measure, pending.by
        ));
    }
    for step in &case.timeline {
        out.line(&format!(
            "  {} {} by {} {} {}",
            step.at, step.step, step.by, step.detail, step.comment
        ));
    }
    for deadline in &case.deadlines {
        let what = deadline.what.replace('_', " ");
        out.line(&format!("  {} {what}", deadline.at));
    }
}

/// The command that the case waits for.
fn next(case: &CaseView) -> String {
    let id = &case.case;
    if case.pending.is_some() {
        return format!("fairhold case approve {id} --by ANOTHER_PERSON");
    }
    match case.state.as_str() {
        "observed" => format!("fairhold case notice {id} --by YOU"),
        "undertaking" => format!("fairhold case accept {id} --by YOU"),
        "appealed" | "reopened" => {
            format!("fairhold case overturn {id} --by SOMEONE_NOT_INVOLVED")
        }
        _ => format!("fairhold export {id}"),
    }
}
