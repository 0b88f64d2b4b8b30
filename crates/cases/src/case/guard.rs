//! Which step may be taken now?

use std::collections::BTreeSet;

use facts::Timestamp;

use super::{
    ATTACHMENT_BYTES_MAX, ATTACHMENT_KINDS, ATTACHMENTS_MAX, COMMENT_MAX, CONDITIONS_MAX, Case,
    FACTS_MAX,
};
use crate::actor::{Actor, Role, may};
use crate::refused::Refused;
use crate::restriction::{ANSWER, TERMINATION};
use crate::step::{Condition, Deed, Limits, Measure, Notice, Observation, Proposal, Step};

/// The longest of the short texts, in characters.
const TEXT_MAX: usize = 500;
/// The longest name of a file, in characters.
const NAME_MAX: usize = 120;
/// The largest whole number that every JSON reader keeps exactly (2^53 - 1).
const LARGEST: i64 = (1 << 53) - 1;

fn text(text: &str, most: usize, what: &'static str) -> Result<(), Refused> {
    if text.trim().is_empty() || text.chars().count() > most {
        return Err(Refused::Text { what });
    }
    Ok(())
}

fn value(holds: bool, what: &'static str) -> Result<(), Refused> {
    if holds {
        Ok(())
    } else {
        Err(Refused::Value { what })
    }
}

fn date(at: Timestamp) -> Result<(), Refused> {
    let kept = (-LARGEST..=LARGEST).contains(&at.0);
    value(kept, "a date within 285,000 years of 1970")
}

/// Whether a first step opens a case that can be answered.
pub(super) fn opening(step: &Step, observation: &Observation) -> Result<(), Refused> {
    permitted(step)?;
    date(step.at)?;
    let mut seen = BTreeSet::new();
    for account in &observation.accounts {
        if !seen.insert(account) {
            return Err(Refused::Twice {
                account: account.clone(),
            });
        }
    }
    value(!seen.is_empty(), "at least one account")?;
    let facts = "the facts, in at most 5,000 characters";
    text(&observation.summary, FACTS_MAX, facts)?;
    let exculpatory =
        "what speaks for the accused or that nothing was found, in at most 5,000 characters";
    text(&observation.exculpatory, FACTS_MAX, exculpatory)
}

fn attached(step: &Step) -> Result<(), Refused> {
    let all = &step.attachments;
    let answers = step.by.role == Role::Customer;
    value(
        answers || all.is_empty(),
        "files with answers of the accused only",
    )?;
    value(all.len() <= ATTACHMENTS_MAX, "at most 5 files")?;
    for file in all {
        let named = !file.name.contains(['/', '\\']) && !file.name.contains(char::is_control);
        text(
            &file.name,
            NAME_MAX,
            "a file's name, in at most 120 characters",
        )?;
        value(named, "a file's name without a path")?;
        value(
            ATTACHMENT_KINDS.contains(&file.kind.as_str()),
            "a file of text, CSV, JSON, PDF, PNG or JPEG",
        )?;
        value(
            (1..=ATTACHMENT_BYTES_MAX).contains(&file.size),
            "a file of at most 5 MiB that is not empty",
        )?;
    }
    Ok(())
}

fn permitted(step: &Step) -> Result<(), Refused> {
    attached(step)?;
    if step.comment.chars().count() > COMMENT_MAX {
        let what = "it in at most 20,000 characters";
        return Err(Refused::Text { what });
    }
    if may(step.by.role, step.deed.right()) {
        return Ok(());
    }
    Err(Refused::Role {
        role: step.by.role,
        step: step.deed.word(),
    })
}

fn limits(limits: Limits) -> Result<(), Refused> {
    let numbers = [limits.requests_per_minute, limits.tokens_per_minute];
    let mut given = numbers.into_iter().flatten().peekable();
    let some = given.peek().is_some();
    let fit = given.all(|n| n > 0 && i64::try_from(n).is_ok_and(|n| n <= LARGEST));
    value(
        some && fit,
        "what a throttle leaves: requests or tokens per minute, at least 1",
    )
}

impl Case {
    pub(super) fn allows(&self, step: &Step) -> Result<(), Refused> {
        let last = self.steps.last().map_or(step.at, |last| last.at);
        if step.at < last {
            return Err(Refused::Backwards { last });
        }
        date(step.at)?;
        permitted(step)?;
        if step.by.role == Role::Customer {
            self.accused(&step.by)?;
        }
        match &step.deed {
            Deed::Observed(_) => Err(Refused::Opened),
            Deed::Noticed(notice) => self.may_notice(notice, step.at),
            Deed::Declared => {
                self.may_answer()?;
                text(&step.comment, COMMENT_MAX, "what the account is for")
            }
            Deed::Undertaken(conditions) => self.may_undertake(conditions, step.at),
            Deed::Accepted => self.may_accept(),
            Deed::Checked { condition, .. } => self.may_check(*condition),
            Deed::Proposed(proposal) => self.may_propose(proposal, step.at),
            Deed::Approved => self.may_approve(&step.by, step.at),
            Deed::Returned => {
                self.pending.as_ref().ok_or(Refused::NoProposal)?;
                text(&step.comment, COMMENT_MAX, "why the proposal is returned")
            }
            Deed::Emergency(own) => self.may_stop(*own, &step.comment),
            Deed::Appealed => self.may_appeal(&step.comment, step.at),
            Deed::EvidenceAdded => {
                self.contested()?;
                text(&step.comment, COMMENT_MAX, "the evidence")
            }
            Deed::Upheld => {
                self.may_hear(&step.by)?;
                text(&step.comment, COMMENT_MAX, "why it is upheld")
            }
            Deed::Overturned => self.may_hear(&step.by),
            Deed::Reinstated => self.may_reinstate(step.at),
            Deed::Dismissed => self.may_dismiss(step.at),
            Deed::Reopened(because) => {
                self.is_open()?;
                if self.observation.rests_on.contains(because) && !self.reopened.contains(because) {
                    return Ok(());
                }
                Err(Refused::NotResting {
                    because: because.clone(),
                })
            }
        }
    }

    fn accused(&self, by: &Actor) -> Result<(), Refused> {
        let own = |account: &facts::AccountId| account.as_str() == by.person.as_str();
        if self.observation.accounts.iter().any(own) {
            return Ok(());
        }
        Err(Refused::NotAccused {
            account: by.person.clone(),
        })
    }

    fn is_open(&self) -> Result<(), Refused> {
        match self.closed {
            None => Ok(()),
            Some(_) => Err(Refused::Closed),
        }
    }

    /// Open, and not awaiting a decision because its ground was reversed.
    fn is_workable(&self) -> Result<(), Refused> {
        self.is_open()?;
        match &self.review {
            None => Ok(()),
            Some((because, _)) => Err(Refused::UnderReview {
                because: because.clone(),
            }),
        }
    }

    fn may_notice(&self, notice: &Notice, at: Timestamp) -> Result<(), Refused> {
        self.is_open()?;
        if self.notice.is_some() {
            return Err(Refused::NoticedAlready);
        }
        text(
            &notice.metric,
            TEXT_MAX,
            "what is counted, in at most 500 characters",
        )?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = match notice.under.split_once('.') {
            None => digits(&notice.under),
            Some((whole, part)) => digits(whole) && digits(part),
        };
        value(
            number && notice.under.len() <= 32,
            "the number to get under in decimal digits",
        )?;
        date(notice.due)?;
        let earliest = at.plus(ANSWER);
        if notice.due < earliest {
            return Err(Refused::DueTooSoon { earliest });
        }
        Ok(())
    }

    fn may_answer(&self) -> Result<(), Refused> {
        self.is_open()?;
        if self.notice.is_none() && self.restrictions.is_empty() {
            return Err(Refused::NothingToAnswer);
        }
        Ok(())
    }

    fn may_undertake(&self, conditions: &[Condition], at: Timestamp) -> Result<(), Refused> {
        self.may_answer()?;
        if let Some(until) = self.protected(at) {
            return Err(Refused::UndertakingRuns { until });
        }
        value(
            (1..=CONDITIONS_MAX).contains(&conditions.len()),
            "one to twenty conditions",
        )?;
        for condition in conditions {
            text(
                &condition.promise,
                TEXT_MAX,
                "what will be so, in at most 500 characters",
            )?;
            text(
                &condition.check,
                TEXT_MAX,
                "how it is checked, in at most 500 characters",
            )?;
            date(condition.by)?;
            value(at < condition.by, "a day to come for each condition")?;
        }
        Ok(())
    }

    fn may_accept(&self) -> Result<(), Refused> {
        self.is_open()?;
        match &self.undertaking {
            Some(offered) if !offered.accepted => Ok(()),
            _ => Err(Refused::NoUndertaking),
        }
    }

    fn may_check(&self, condition: u32) -> Result<(), Refused> {
        self.is_open()?;
        let Some(undertaking) = self.undertaking.as_ref().filter(|u| u.accepted) else {
            return Err(Refused::NoUndertaking);
        };
        let place = usize::try_from(condition).unwrap_or(usize::MAX);
        match undertaking.met.get(place) {
            Some(None) => Ok(()),
            _ => Err(Refused::NoCondition { condition }),
        }
    }

    fn may_propose(&self, proposal: &Proposal, at: Timestamp) -> Result<(), Refused> {
        self.is_workable()?;
        if self.pending.is_some() {
            return Err(Refused::ProposalPending);
        }
        text(
            &proposal.reason,
            FACTS_MAX,
            "why this measure, in at most 5,000 characters",
        )?;
        let exculpatory = "what speaks for the accused by now or that nothing was found, in at most 5,000 characters";
        text(&proposal.exculpatory, FACTS_MAX, exculpatory)?;
        if let Measure::Throttle(own) = proposal.measure {
            limits(own)?;
        }
        if let Some(until) = proposal.until {
            date(until)?;
            value(
                proposal.measure != Measure::Terminate,
                "no end to a termination",
            )?;
        }
        self.is_due(proposal, at)
    }

    fn may_approve(&self, by: &Actor, at: Timestamp) -> Result<(), Refused> {
        self.is_workable()?;
        let pending = self.pending.as_ref().ok_or(Refused::NoProposal)?;
        if by.same_person(&pending.by) {
            return Err(Refused::SamePerson {
                proposer: pending.by.person.clone(),
            });
        }
        self.is_due(&pending.proposal, at)
    }

    /// Whether the accused had what comes before such a measure.
    fn is_due(&self, proposal: &Proposal, at: Timestamp) -> Result<(), Refused> {
        if let Some(until) = proposal.until.filter(|until| *until <= at) {
            return Err(Refused::Over { until });
        }
        if let Some(until) = self.protected(at) {
            return Err(Refused::UndertakingRuns { until });
        }
        let terminated = |f: &crate::InForce| f.measure == Measure::Terminate;
        if self.standing(at).iter().any(terminated) {
            return Err(Refused::Terminated);
        }
        match proposal.measure {
            Measure::Throttle(_) | Measure::Mark => Ok(()),
            Measure::Suspend if self.had_emergency() => Ok(()),
            Measure::Suspend => self.was_warned(at).map(drop),
            Measure::Terminate => {
                let from = self.was_warned(at)?.plus(TERMINATION);
                if at < from {
                    return Err(Refused::TooEarly { from });
                }
                Ok(())
            }
        }
    }

    fn had_emergency(&self) -> bool {
        self.restrictions.iter().any(|r| r.emergency)
    }

    /// When notice was given, if it was answered or its due date has passed.
    fn was_warned(&self, at: Timestamp) -> Result<Timestamp, Refused> {
        let Some((given, notice)) = &self.notice else {
            return Err(Refused::Unwarned);
        };
        if self.answered || notice.due < at {
            Ok(*given)
        } else {
            Err(Refused::Unanswered { due: notice.due })
        }
    }

    fn may_stop(&self, own: Limits, reason: &str) -> Result<(), Refused> {
        self.is_workable()?;
        if self.had_emergency() {
            return Err(Refused::EmergencyUsed);
        }
        limits(own)?;
        text(
            reason,
            FACTS_MAX,
            "why it cannot wait, in at most 5,000 characters",
        )
    }

    /// Depends on restrictions and time only: no state of the case closes it.
    fn may_appeal(&self, words: &str, at: Timestamp) -> Result<(), Refused> {
        if self.appeal.is_some() {
            return Err(Refused::AppealPending);
        }
        if self.appeal_until(at).is_none() {
            return Err(Refused::NothingToAppeal);
        }
        text(words, COMMENT_MAX, "what is wrong with it")
    }

    fn contested(&self) -> Result<(), Refused> {
        if self.appeal.is_some() || self.review.is_some() {
            Ok(())
        } else {
            Err(Refused::NoAppeal)
        }
    }

    fn may_hear(&self, by: &Actor) -> Result<(), Refused> {
        self.contested()?;
        if self.involved().any(|other| by.same_person(other)) {
            return Err(Refused::TookPart {
                who: by.person.clone(),
            });
        }
        Ok(())
    }

    fn may_reinstate(&self, at: Timestamp) -> Result<(), Refused> {
        let to_carry_through = self.closed == Some(super::Closed::Overturned)
            && self.ruling == Some(super::Ruling::Overturned);
        if to_carry_through || !self.standing(at).is_empty() {
            Ok(())
        } else {
            Err(Refused::NothingInForce)
        }
    }

    fn may_dismiss(&self, at: Timestamp) -> Result<(), Refused> {
        self.is_open()?;
        if self.appeal.is_some() {
            return Err(Refused::AppealPending);
        }
        if self.standing(at).is_empty() {
            Ok(())
        } else {
            Err(Refused::StillInForce)
        }
    }
}
