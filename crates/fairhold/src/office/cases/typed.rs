//! What people typed, as deeds of a case: days become dates, words measures.

use cases::{Case, Condition, Deed, Limits, Measure, Notice, Proposal};
use console::{CaseStep, NewLimits, NewMeasure, OfficeError};
use facts::{Span, Timestamp};

fn in_days(now: Timestamp, days: u32) -> Timestamp {
    now.plus(Span::days(i64::from(days)))
}

fn limits(left: NewLimits) -> Limits {
    Limits {
        requests_per_minute: left.requests_per_minute,
        tokens_per_minute: left.tokens_per_minute,
    }
}

/// What is said, or what was said before.
fn or(said: &str, before: &str) -> String {
    if said.trim().is_empty() {
        before.to_owned()
    } else {
        said.to_owned()
    }
}

fn proposal(case: &Case, new: &NewMeasure, now: Timestamp) -> Result<Proposal, OfficeError> {
    let measure = match new.measure.as_str() {
        "throttle" => Measure::Throttle(limits(new.limits)),
        "mark" => Measure::Mark,
        "suspend" => Measure::Suspend,
        "terminate" => Measure::Terminate,
        other => {
            return Err(OfficeError::Invalid(format!(
                "`{other}` is no measure: use throttle, mark, suspend or terminate"
            )));
        }
    };
    Ok(Proposal {
        measure,
        until: new.days.map(|days| in_days(now, days)),
        reason: or(&new.reason, &case.observation().summary),
        exculpatory: or(&new.exculpatory, &case.observation().exculpatory),
    })
}

/// The deed.
pub(super) fn deed(case: &Case, step: &CaseStep, now: Timestamp) -> Result<Deed, OfficeError> {
    Ok(match step {
        CaseStep::Notice(new) => Deed::Noticed(Notice {
            metric: new.metric.clone(),
            under: new.under.clone(),
            due: in_days(now, new.days),
            declaration: new.declaration,
        }),
        CaseStep::Declare => Deed::Declared,
        CaseStep::Undertake(conditions) => {
            let conditions = conditions.iter().map(|c| Condition {
                promise: c.promise.clone(),
                check: c.check.clone(),
                by: in_days(now, c.days),
            });
            Deed::Undertaken(conditions.collect())
        }
        CaseStep::Accept => Deed::Accepted,
        CaseStep::Check { condition, met } => Deed::Checked {
            condition: condition
                .checked_sub(1)
                .ok_or_else(|| OfficeError::Invalid("conditions are numbered from 1".to_owned()))?,
            met: *met,
        },
        CaseStep::Propose(new) => Deed::Proposed(proposal(case, new, now)?),
        CaseStep::Approve => Deed::Approved,
        CaseStep::Return => Deed::Returned,
        CaseStep::Emergency(left) => Deed::Emergency(limits(*left)),
        CaseStep::Appeal => Deed::Appealed,
        CaseStep::Evidence => Deed::EvidenceAdded,
        CaseStep::Uphold => Deed::Upheld,
        CaseStep::Overturn => Deed::Overturned,
        CaseStep::Reinstate => Deed::Reinstated,
        CaseStep::Dismiss => Deed::Dismissed,
    })
}
