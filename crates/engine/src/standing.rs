//! What may an account do, as its cases left it?
//!
//! Every case holds its own measures; they add up, and each ends by itself at
//! the end it was given: nobody has to act for that, and nothing has to run.

use facts::{CaseId, ClauseId, Timestamp};

use crate::quota::Limits;

/// What is done to an account, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// It was given notice; nothing is restricted.
    Notice,
    /// It is slowed down to this.
    Throttle {
        /// Requests left to it per minute.
        requests_per_minute: Option<u64>,
        /// Tokens left to it per minute.
        tokens_per_minute: Option<u64>,
    },
    /// Its answers carry a disclosed mark.
    Mark,
    /// It is refused; it may still read its case and appeal.
    Suspend,
    /// It is refused for good; it may still read its case and appeal.
    Terminate,
}

impl Act {
    /// The word for an account to which this is done.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Notice => "noticed",
            Self::Throttle { .. } => "throttled",
            Self::Mark => "marked",
            Self::Suspend => "suspended",
            Self::Terminate => "terminated",
        }
    }
}

/// One measure of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The case.
    pub case: CaseId,
    /// The clause relied on.
    pub clause: ClauseId,
    /// What is done.
    pub act: Act,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
}

impl Held {
    fn acts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Everything that cases hold against an account; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing(Vec<Held>);

impl Standing {
    /// The standing that these measures make.
    pub fn of(held: Vec<Held>) -> Self {
        Self(held)
    }

    /// Every measure, ended ones included.
    pub fn held(&self) -> &[Held] {
        &self.0
    }

    /// The standing once `case` holds these measures and no others.
    #[must_use]
    pub fn with(&self, case: &CaseId, held: Vec<Held>) -> Self {
        let others = self.0.iter().filter(|one| one.case != *case).cloned();
        Self(others.chain(held).collect())
    }

    /// The strictest measure at `now`.
    pub fn strictest(&self, now: Timestamp) -> Option<&Held> {
        let acting = self.0.iter().filter(|held| held.acts(now));
        acting.max_by_key(|held| held.act)
    }

    /// The word used in records and on pages.
    pub fn word(&self, now: Timestamp) -> &'static str {
        self.strictest(now).map_or("good", |held| held.act.word())
    }

    /// The ground of a refusal at `now`: of a suspended or terminated account.
    pub fn barred(&self, now: Timestamp) -> Option<(&CaseId, &ClauseId)> {
        let held = self.strictest(now)?;
        match held.act {
            Act::Suspend | Act::Terminate => Some((&held.case, &held.clause)),
            Act::Notice | Act::Throttle { .. } | Act::Mark => None,
        }
    }

    /// The case whose mark answers carry at `now`.
    pub fn marked(&self, now: Timestamp) -> Option<&CaseId> {
        let acting = self.0.iter().filter(|held| held.acts(now));
        acting
            .filter(|held| held.act == Act::Mark)
            .map(|held| &held.case)
            .next()
    }

    /// Whether a throttle acts or has acted: the limits depend on the time.
    pub(crate) fn throttles(&self) -> bool {
        let throttle = |held: &Held| matches!(held.act, Act::Throttle { .. });
        self.0.iter().any(throttle)
    }

    /// `own` limits, tightened by every throttle at `now`.
    pub(crate) fn tighten(&self, own: Limits, now: Timestamp) -> Limits {
        let least = |own: Option<u64>, left: Option<u64>| own.into_iter().chain(left).min();
        let acting = self.0.iter().filter(|held| held.acts(now));
        acting.fold(own, |limits, held| match held.act {
            Act::Throttle {
                requests_per_minute,
                tokens_per_minute,
            } => Limits {
                requests_per_minute: least(limits.requests_per_minute, requests_per_minute),
                tokens_per_minute: least(limits.tokens_per_minute, tokens_per_minute),
                ..limits
            },
            Act::Notice | Act::Mark | Act::Suspend | Act::Terminate => limits,
        })
    }
}
