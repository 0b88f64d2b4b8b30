//! What a case shows to whoever looks at it at some moment.

use facts::{AccountId, CaseId, ClauseId, Timestamp};

use super::{Case, Closed, Pending, Ruling, Undertaking};
use crate::restriction::{Deadline, InForce, REVIEW, Restriction, TERMINATION, Timer};
use crate::step::{Measure, Notice, Observation, Step};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Facts were written down; nobody was told.
    Observed,
    /// The accused was given notice.
    Noticed,
    /// The accused said what the account is for.
    Declared,
    /// The accused offered conditions.
    Undertaking,
    /// The account is slowed down.
    Throttled,
    /// The account's answers are marked.
    Marked,
    /// The account is refused.
    Suspended,
    /// The account is refused for good.
    Terminated,
    /// The accused contests.
    Appealed,
    /// A case that this one rests on was reversed.
    Reopened,
    /// What was contested stands.
    Upheld,
    /// What was contested fell.
    Overturned,
    /// Measures were lifted.
    Reinstated,
    /// Closed without a measure.
    Dismissed,
}

impl State {
    /// The word used in records and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Noticed => "noticed",
            Self::Declared => "declared",
            Self::Undertaking => "undertaking",
            Self::Throttled => "throttled",
            Self::Marked => "marked",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Appealed => "appealed",
            Self::Reopened => "reopened",
            Self::Upheld => "upheld",
            Self::Overturned => "overturned",
            Self::Reinstated => "reinstated",
            Self::Dismissed => "dismissed",
        }
    }
}

/// What a case says of its accounts, to whoever learns from cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was decided.
    Open,
    /// Two people put a measure in force, and it was not lifted.
    Confirmed,
    /// The case was closed without a measure, or its measures were lifted.
    Cleared,
}

/// What somebody is to do next with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaits {
    /// Someone who took no part is to hear the appeal.
    Appeal,
    /// Someone who took no part is to uphold what rested on a reversed case, or it lapses.
    Review,
    /// A second person is to agree to a proposal, or to return it.
    Approval,
    /// The accused offered conditions; somebody is to take them up or not.
    Undertaking,
    /// A condition is to be checked.
    Check,
    /// The accused answered; somebody is to read it.
    Answer,
    /// The accused is to answer.
    Reply,
    /// Nobody was told yet.
    Notice,
    /// Nobody is to do anything.
    Nothing,
}

impl Awaits {
    /// The word used in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Appeal => "appeal",
            Self::Review => "review",
            Self::Approval => "approval",
            Self::Undertaking => "undertaking",
            Self::Check => "check",
            Self::Answer => "answer",
            Self::Reply => "reply",
            Self::Notice => "notice",
            Self::Nothing => "nothing",
        }
    }
}

/// What is awaited, and by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// What.
    pub what: Awaits,
    /// By when, where there is such a day.
    pub due: Option<Timestamp>,
    /// Since when.
    pub since: Timestamp,
}

impl Case {
    /// What somebody is to do next. It depends on the steps alone: what is overdue stays due.
    pub fn awaited(&self) -> Awaited {
        let since = self.steps.last().map_or(Timestamp(0), |step| step.at);
        let of = |what, due| Awaited { what, due, since };
        if self.appeal.is_some() {
            return of(Awaits::Appeal, None);
        }
        if let Some((_, since)) = &self.review {
            return of(Awaits::Review, Some(since.plus(REVIEW)));
        }
        if let Some(pending) = &self.pending {
            let since = pending.at;
            return Awaited {
                since,
                ..of(Awaits::Approval, None)
            };
        }
        if self.closed.is_some() {
            return of(Awaits::Nothing, None);
        }
        let condition = self.conditions_open().into_iter().map(|(_, by)| by).min();
        if condition.is_some() {
            return of(Awaits::Check, condition);
        }
        let lasting = |r: &Restriction| r.lifted.is_none() && !r.emergency;
        let acts = self.restrictions.iter().any(lasting);
        let offered = self.undertaking.as_ref().is_some_and(|u| !u.accepted);
        match &self.notice {
            _ if offered && !acts => of(Awaits::Undertaking, None),
            _ if acts || self.ruling.is_some() => of(Awaits::Nothing, None),
            Some(_) if self.answered => of(Awaits::Answer, None),
            Some((_, notice)) => of(Awaits::Reply, Some(notice.due)),
            None => of(Awaits::Notice, None),
        }
    }

    /// Its id.
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    /// The accused, at least one.
    pub fn accounts(&self) -> &[AccountId] {
        &self.observation.accounts
    }

    /// The clause relied on.
    pub fn clause(&self) -> &ClauseId {
        &self.observation.clause
    }

    /// What it was opened with.
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// Its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The notice, if it was given, and when.
    pub fn notice(&self) -> Option<(Timestamp, &Notice)> {
        self.notice.as_ref().map(|(at, notice)| (*at, notice))
    }

    /// Whether the accused answered the notice.
    pub fn answered(&self) -> bool {
        self.answered
    }

    /// What the accused offered last.
    pub fn undertaking(&self) -> Option<&Undertaking> {
        self.undertaking.as_ref()
    }

    /// The proposal that awaits a second person.
    pub fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// Everything that was ever put in force, in order.
    pub fn restrictions(&self) -> &[Restriction] {
        &self.restrictions
    }

    /// The reversed case because of which this one awaits a decision.
    pub fn review(&self) -> Option<&CaseId> {
        self.review.as_ref().map(|(because, _)| because)
    }

    /// Whether an appeal awaits its decision.
    pub fn appeal_pending(&self) -> bool {
        self.appeal.is_some()
    }

    /// Whether nothing can be added but what concerns an appeal.
    pub fn closed(&self) -> bool {
        self.closed.is_some()
    }

    /// What acts on the accounts at `now`, in the order in which it came.
    pub fn standing(&self, now: Timestamp) -> Vec<InForce> {
        let acting = self.restrictions.iter().map(|r| InForce {
            measure: r.measure,
            from: r.from,
            until: self.ends(r),
            emergency: r.emergency,
        });
        acting
            .filter(|f| f.from <= now && f.until.is_none_or(|until| now < until))
            .collect()
    }

    /// When a restriction stops acting if nothing else happens.
    fn ends(&self, restriction: &Restriction) -> Option<Timestamp> {
        let lapse = self.review.as_ref().map(|(_, since)| since.plus(REVIEW));
        restriction.end().into_iter().chain(lapse).min()
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        if self.appeal.is_some() {
            return State::Appealed;
        }
        match (self.closed, self.ruling) {
            (Some(Closed::Dismissed), _) => return State::Dismissed,
            (Some(Closed::Overturned), Some(Ruling::Reinstated)) => return State::Reinstated,
            (Some(Closed::Overturned), _) => return State::Overturned,
            (None, _) => {}
        }
        if self.review.is_some() {
            return State::Reopened;
        }
        let standing = self.standing(now);
        let acting = standing.iter().map(|f| match f.measure {
            Measure::Throttle(_) => State::Throttled,
            Measure::Mark => State::Marked,
            Measure::Suspend => State::Suspended,
            Measure::Terminate => State::Terminated,
        });
        match (self.ruling, acting.max()) {
            (Some(Ruling::Upheld), _) => State::Upheld,
            (Some(Ruling::Reinstated), None) => State::Reinstated,
            (_, Some(state)) => state,
            (_, None) if self.undertaking.is_some() => State::Undertaking,
            (_, None) if self.answered => State::Declared,
            (_, None) if self.notice.is_some() => State::Noticed,
            (_, None) => State::Observed,
        }
    }

    /// What it says of its accounts.
    pub fn outcome(&self) -> Outcome {
        let lifted = matches!(self.ruling, Some(Ruling::Overturned | Ruling::Reinstated));
        if self.closed.is_some() || lifted {
            Outcome::Cleared
        } else if self.restrictions.iter().any(|r| !r.emergency) {
            Outcome::Confirmed
        } else {
            Outcome::Open
        }
    }

    /// Until when an appeal may be opened, whatever else the case's state is;
    /// none where nothing can be appealed (any more).
    pub fn appeal_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self
            .restrictions
            .iter()
            .filter_map(Restriction::appeal_until);
        ends.filter(|end| now <= *end).max()
    }

    /// Until when an accepted undertaking keeps measures away at `now`; none
    /// when there is none, it is broken or overdue, or all of it is met.
    pub fn protected(&self, now: Timestamp) -> Option<Timestamp> {
        let undertaking = self.undertaking.as_ref().filter(|u| u.accepted)?;
        let each = undertaking.conditions.iter().zip(&undertaking.met);
        let broken = each.clone().any(|(condition, met)| match met {
            Some(met) => !met,
            None => condition.by < now,
        });
        let open = each.filter(|(_, met)| met.is_none());
        open.map(|(condition, _)| condition.by)
            .max()
            .filter(|_| !broken)
    }

    /// Everything that will happen by time alone from `now` on, soonest first.
    pub fn timers(&self, now: Timestamp) -> Vec<Timer> {
        let mut timers = Vec::new();
        let mut add = |at: Timestamp, what| timers.push(Timer { at, what });
        if self.closed.is_none() {
            if let Some((at, notice)) = &self.notice {
                add(notice.due, Deadline::NoticeDue);
                add(at.plus(TERMINATION), Deadline::TerminationPossible);
            }
            for (condition, by) in self.conditions_open() {
                add(by, Deadline::ConditionDue { condition });
            }
        }
        if let Some((_, since)) = &self.review {
            add(since.plus(REVIEW), Deadline::ReviewDue);
        }
        for acting in self.standing(now) {
            if let Some(until) = acting.until {
                let what = if acting.emergency {
                    Deadline::EmergencyEnds
                } else {
                    Deadline::MeasureEnds
                };
                add(until, what);
            }
        }
        for end in self
            .restrictions
            .iter()
            .filter_map(Restriction::appeal_until)
        {
            add(end, Deadline::AppealCloses);
        }
        timers.retain(|timer| now <= timer.at);
        timers.sort();
        timers
    }

    fn conditions_open(&self) -> Vec<(u32, Timestamp)> {
        let Some(undertaking) = self.undertaking.as_ref().filter(|u| u.accepted) else {
            return Vec::new();
        };
        let each = (0..).zip(undertaking.conditions.iter().zip(&undertaking.met));
        each.filter(|(_, (_, met))| met.is_none())
            .map(|(n, (condition, _))| (n, condition.by))
            .collect()
    }
}
