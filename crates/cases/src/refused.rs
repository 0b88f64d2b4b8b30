//! Why a step may not be taken, and what may be done instead.

use std::fmt;

use facts::{AccountId, CaseId, PersonId, Timestamp};

use crate::actor::Role;

/// Why a step may not be taken; nothing changed. Exhaustive on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The first step is no observation.
    Opening,
    /// A later step is one.
    Opened,
    /// A text is missing or too long.
    Text {
        /// Which, as in "state ...".
        what: &'static str,
    },
    /// A number, date or list is none that could be kept or meant.
    Value {
        /// What would be right.
        what: &'static str,
    },
    /// The step is earlier than the one before it.
    Backwards {
        /// When the last one was taken.
        last: Timestamp,
    },
    /// This role does not do that.
    Role {
        /// In what capacity somebody acted.
        role: Role,
        /// What they tried.
        step: &'static str,
    },
    /// A customer acted in somebody else's case.
    NotAccused {
        /// Who.
        account: PersonId,
    },
    /// An account is accused twice.
    Twice {
        /// Which.
        account: AccountId,
    },
    /// The case was dismissed or overturned.
    Closed,
    /// Notice was given already.
    NoticedAlready,
    /// The accused would have too little time to answer.
    DueTooSoon {
        /// The earliest due date.
        earliest: Timestamp,
    },
    /// Nothing was put to the accused yet.
    NothingToAnswer,
    /// An accepted undertaking still runs.
    UndertakingRuns {
        /// When its last condition falls due.
        until: Timestamp,
    },
    /// No undertaking is in this stage.
    NoUndertaking,
    /// There is no such condition, or it was checked already.
    NoCondition {
        /// Which was named, from 0.
        condition: u32,
    },
    /// A proposal awaits a second person already.
    ProposalPending,
    /// No proposal awaits anybody.
    NoProposal,
    /// The proposer, or another account of theirs, would decide alone.
    SamePerson {
        /// Who proposed.
        proposer: PersonId,
    },
    /// A suspension or termination without a notice (or, for a suspension, an emergency) before it.
    Unwarned,
    /// The notice is unanswered and its due date has not passed.
    Unanswered {
        /// The due date.
        due: Timestamp,
    },
    /// The thirty days after notice are not over.
    TooEarly {
        /// When they are.
        from: Timestamp,
    },
    /// The end of the proposed measure has passed.
    Over {
        /// When it was.
        until: Timestamp,
    },
    /// The account is terminated already.
    Terminated,
    /// The one emergency of the case was used.
    EmergencyUsed,
    /// An appeal awaits its decision.
    AppealPending,
    /// No restriction can be appealed: none was made, all were decided, or six months have passed.
    NothingToAppeal,
    /// No appeal and no review awaits a decision.
    NoAppeal,
    /// Who took part may not decide what was contested.
    TookPart {
        /// Who.
        who: PersonId,
    },
    /// There is nothing to lift.
    NothingInForce,
    /// A measure still acts.
    StillInForce,
    /// A case that this one rests on was reversed; somebody who took no part decides first.
    UnderReview {
        /// That case.
        because: CaseId,
    },
    /// The reversed case is none that this one rests on, or was dealt with already.
    NotResting {
        /// That case.
        because: CaseId,
    },
    /// A later step of a kept case is impossible.
    Replay {
        /// Its number, from 0.
        n: usize,
        /// Why.
        why: Box<Self>,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening => f.write_str("a case begins with what was observed"),
            Self::Opened => f.write_str("a case is opened once; open another for other facts"),
            Self::Text { what } => write!(f, "state {what}"),
            Self::Value { what } => write!(f, "give {what}"),
            Self::Backwards { last } => write!(
                f,
                "a step cannot be earlier than the one before it, of {}",
                last.rfc3339()
            ),
            Self::Replay { n, why } => write!(f, "step {n}: {why}"),
            Self::Role { .. }
            | Self::NotAccused { .. }
            | Self::Twice { .. }
            | Self::SamePerson { .. }
            | Self::TookPart { .. } => self.who(f),
            Self::DueTooSoon { .. }
            | Self::UndertakingRuns { .. }
            | Self::Unanswered { .. }
            | Self::TooEarly { .. }
            | Self::Over { .. } => self.when(f),
            _ => f.write_str(&self.where_it_stands()),
        }
    }
}

impl Refused {
    fn who(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role { role, step } => {
                let role = role.word();
                write!(f, "the role `{role}` does not include the step `{step}`")
            }
            Self::NotAccused { account } => {
                write!(f, "`{account}` is not accused in this case")
            }
            Self::Twice { account } => write!(f, "account `{account}` is named twice"),
            Self::SamePerson { proposer } => write!(
                f,
                "{proposer} proposed this: a second person, with an identity of their own, must agree"
            ),
            Self::TookPart { who } => write!(
                f,
                "{who} took part in this case: someone who did not decides what is contested"
            ),
            _ => Ok(()),
        }
    }

    fn when(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DueTooSoon { earliest } => write!(
                f,
                "the accused needs time to answer: set a due date of {} or later",
                earliest.rfc3339()
            ),
            Self::UndertakingRuns { until } => write!(
                f,
                "an accepted undertaking runs until {}: check its conditions; a broken one frees the way",
                until.rfc3339()
            ),
            Self::Unanswered { due } => write!(
                f,
                "the notice is unanswered and runs until {}: wait for an answer or for that day",
                due.rfc3339()
            ),
            Self::TooEarly { from } => write!(
                f,
                "a termination waits thirty days after notice: from {} on",
                from.rfc3339()
            ),
            Self::Over { until } => write!(
                f,
                "the measure would have ended on {}: set a later end",
                until.rfc3339()
            ),
            _ => Ok(()),
        }
    }

    fn where_it_stands(&self) -> String {
        match self {
            Self::Closed => "the case is closed: new facts need a case of their own".to_owned(),
            Self::NoticedAlready => "notice was given already, once for a case".to_owned(),
            Self::NothingToAnswer => "nothing was put to the accused yet".to_owned(),
            Self::NoUndertaking => "no undertaking is in that stage".to_owned(),
            Self::NoCondition { condition } => {
                format!("condition {condition} is none of the undertaking's, or was checked already")
            }
            Self::ProposalPending => {
                "a proposal awaits a second person: approve it or return it first".to_owned()
            }
            Self::NoProposal => "no proposal awaits a second person: propose first".to_owned(),
            Self::Unwarned => "this needs a notice before it (for a suspension, an emergency serves too): `notice` comes first".to_owned(),
            Self::Terminated => "the account is terminated: nothing is added to that".to_owned(),
            Self::EmergencyUsed => {
                "a case has one emergency: propose a measure to a second person".to_owned()
            }
            Self::AppealPending => {
                "an appeal awaits its decision: evidence may be added to it".to_owned()
            }
            Self::NothingToAppeal => "nothing can be appealed: no restriction was made, each was decided, or its six months are over".to_owned(),
            Self::NoAppeal => "nothing is contested: there is nothing to decide".to_owned(),
            Self::NothingInForce => "no measure is in force: there is nothing to lift".to_owned(),
            Self::StillInForce => "a measure is in force: reinstate first".to_owned(),
            Self::UnderReview { because } => format!(
                "case `{because}`, on which this one rests, was reversed: someone who took no part decides first (`uphold` or `overturn`)"
            ),
            Self::NotResting { because } => {
                format!("this case does not rest on case `{because}`, or that was dealt with")
            }
            _ => String::new(),
        }
    }
}

impl std::error::Error for Refused {}
