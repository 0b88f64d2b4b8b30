//! The case as people see it.

use cases::{Case, Deed, InForce, Language, Limits, Measure};
use console::{
    AttachmentView, CaseView, ConditionView, DeadlineView, MeasureView, NewLimits, NoticeView,
    PendingView, StatementView, StepView, TextView,
};
use facts::Timestamp;
use store::SystemClock;

/// The name under which statements are made.
const PLATFORM: &str = "Fairhold";

/// The case now.
pub(crate) fn view(case: &Case) -> CaseView {
    at(case, SystemClock.now())
}

pub(super) fn limits(of: &Measure) -> NewLimits {
    match of {
        Measure::Throttle(left) => NewLimits {
            requests_per_minute: left.requests_per_minute,
            tokens_per_minute: left.tokens_per_minute,
        },
        Measure::Mark | Measure::Suspend | Measure::Terminate => NewLimits::default(),
    }
}

fn at(case: &Case, now: Timestamp) -> CaseView {
    let accounts: Vec<String> = case.accounts().iter().map(ToString::to_string).collect();
    let in_force = case.standing(now);
    CaseView {
        case: case.id().to_string(),
        account: accounts.first().cloned().unwrap_or_default(),
        accounts,
        state: case.state(now).word().to_owned(),
        clause: case.clause().to_string(),
        action: action(case, &in_force),
        statement: case.statement(),
        appeal_until: case.appeal_until(now).map(Timestamp::rfc3339),
        notice: notice(case),
        undertaking: undertaking(case),
        pending: pending(case),
        in_force: in_force.iter().map(measure).collect(),
        deadlines: case
            .timers(now)
            .iter()
            .map(|timer| DeadlineView {
                at: timer.at.rfc3339(),
                what: timer.what.word().to_owned(),
            })
            .collect(),
        rests_on: case
            .observation()
            .rests_on
            .iter()
            .map(ToString::to_string)
            .collect(),
        statements: statements(case),
        timeline: case.steps().iter().map(line).collect(),
    }
}

pub(super) fn action(case: &Case, in_force: &[InForce]) -> String {
    let strictness = |m: &Measure| match m {
        Measure::Throttle(_) => 0,
        Measure::Mark => 1,
        Measure::Suspend => 2,
        Measure::Terminate => 3,
    };
    let strictest = in_force.iter().map(|f| f.measure).max_by_key(strictness);
    let proposed = case.pending().map(|p| p.proposal.measure);
    let none = if case.notice().is_some() {
        "notice"
    } else {
        "none"
    };
    let measure = strictest.or(proposed);
    measure.map_or(none, |m| m.word()).to_owned()
}

pub(super) fn measure(acting: &InForce) -> MeasureView {
    MeasureView {
        measure: acting.measure.word().to_owned(),
        limits: limits(&acting.measure),
        from: acting.from.rfc3339(),
        until: acting.until.map(Timestamp::rfc3339),
        emergency: acting.emergency,
    }
}

fn texts(of: impl Fn(Language) -> Option<String>) -> Vec<TextView> {
    let each = Language::ALL.into_iter().filter_map(|language| {
        Some(TextView {
            language: language.code().to_owned(),
            text: of(language)?,
        })
    });
    each.collect()
}

pub(super) fn pending(case: &Case) -> Option<PendingView> {
    let pending = case.pending()?;
    Some(PendingView {
        measure: pending.proposal.measure.word().to_owned(),
        by: pending.by.person.to_string(),
        reason: pending.proposal.reason.clone(),
    })
}

fn notice(case: &Case) -> Option<NoticeView> {
    let (_, notice) = case.notice()?;
    Some(NoticeView {
        metric: notice.metric.clone(),
        under: notice.under.clone(),
        due: notice.due.rfc3339(),
        answered: case.answered(),
        text: texts(|language| case.notice_in(language)),
    })
}

fn undertaking(case: &Case) -> Vec<ConditionView> {
    let Some(undertaking) = case.undertaking() else {
        return Vec::new();
    };
    let each = undertaking.conditions.iter().zip(&undertaking.met);
    each.map(|(condition, met)| ConditionView {
        promise: condition.promise.clone(),
        check: condition.check.clone(),
        by: condition.by.rfc3339(),
        accepted: undertaking.accepted,
        met: *met,
    })
    .collect()
}

fn statements(case: &Case) -> Vec<StatementView> {
    let each = case.restrictions().iter().enumerate();
    each.filter_map(|(place, restriction)| {
        let dsa = case.statement_json(place, PLATFORM)?;
        Some(StatementView {
            measure: restriction.measure.word().to_owned(),
            text: texts(|language| case.statement_of(place, language)),
            dsa: serde_json::to_value(dsa).ok()?,
        })
    })
    .collect()
}

fn left(limits: Limits) -> String {
    let said = |what: &str, n: Option<u64>| n.map(|n| format!("{n} {what} per minute"));
    let parts = [
        said("requests", limits.requests_per_minute),
        said("tokens", limits.tokens_per_minute),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

/// What a step says beside its word.
fn detail(deed: &Deed) -> String {
    match deed {
        Deed::Noticed(notice) => format!(
            "get under {} ({}) by {}",
            notice.under,
            notice.metric,
            notice.due.rfc3339()
        ),
        Deed::Undertaken(conditions) => {
            let each = conditions.iter().map(|c| c.promise.as_str());
            each.collect::<Vec<_>>().join("; ")
        }
        Deed::Checked { condition, met } => format!(
            "condition {} {}",
            condition.saturating_add(1),
            if *met { "met" } else { "broken" }
        ),
        Deed::Proposed(proposal) => match proposal.measure {
            Measure::Throttle(limits) => format!("throttle to {}", left(limits)),
            Measure::Mark | Measure::Suspend | Measure::Terminate => {
                proposal.measure.word().to_owned()
            }
        },
        Deed::Emergency(limits) => format!("throttle to {}, for four hours", left(*limits)),
        Deed::Reopened(because) => format!("because of {because}"),
        Deed::Observed(_)
        | Deed::Declared
        | Deed::Accepted
        | Deed::Approved
        | Deed::Returned
        | Deed::Appealed
        | Deed::EvidenceAdded
        | Deed::Upheld
        | Deed::Overturned
        | Deed::Reinstated
        | Deed::Dismissed => String::new(),
    }
}

fn line(step: &cases::Step) -> StepView {
    StepView {
        at: step.at.rfc3339(),
        by: step.by.person.to_string(),
        role: step.by.role.word().to_owned(),
        step: step.deed.word().to_owned(),
        detail: detail(&step.deed),
        comment: step.comment.clone(),
        attachments: step.attachments.iter().map(file).collect(),
    }
}

/// A file as the timeline names it.
pub(super) fn file(of: &cases::Attachment) -> AttachmentView {
    AttachmentView {
        name: of.name.clone(),
        kind: of.kind.clone(),
        size: of.size,
        sha256: hex::encode(of.digest),
    }
}
