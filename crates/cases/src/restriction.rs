//! A restriction: a measure that came into force, and when it acts.

use facts::{Span, Timestamp};

use crate::step::Measure;

/// How long an appeal stays open after a restriction began: six months (DSA Article 20(1)).
pub const APPEAL: Span = Span::days(183);
/// How long an emergency throttle acts; it ends by itself.
pub const EMERGENCY: Span = Span::hours(4);
/// How long a termination waits after notice (P2B Regulation, Article 4(2)).
pub const TERMINATION: Span = Span::days(30);
/// The least time between a notice and its due date.
pub const ANSWER: Span = Span::days(3);
/// How long measures go on after a case on which they rest was reversed, unless
/// somebody who took no part upholds them.
pub const REVIEW: Span = Span::days(7);

/// A measure that came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// What.
    pub measure: Measure,
    /// Since when.
    pub from: Timestamp,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
    /// Why this measure.
    pub reason: String,
    /// What spoke for the accused.
    pub exculpatory: String,
    /// Whether one person took it, for four hours.
    pub emergency: bool,
    /// When a person ended it, or another measure of its kind took its place.
    pub lifted: Option<Timestamp>,
    /// Whether an appeal against it was decided.
    pub heard: bool,
    /// Whether it was reversed.
    pub reversed: bool,
}

impl Restriction {
    /// When it stops acting, as far as is known.
    pub fn end(&self) -> Option<Timestamp> {
        match (self.until, self.lifted) {
            (Some(until), Some(lifted)) => Some(until.min(lifted)),
            (until, lifted) => until.or(lifted),
        }
    }

    /// Until when it may be appealed; none when that was decided.
    pub fn appeal_until(&self) -> Option<Timestamp> {
        (!self.heard && !self.reversed).then(|| self.from.plus(APPEAL))
    }

    /// Ends it, if it would go on.
    pub(crate) fn lift(&mut self, at: Timestamp) {
        if self.end().is_none_or(|end| at < end) {
            self.lifted = Some(at.max(self.from));
        }
    }
}

/// A measure as it acts at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// What.
    pub measure: Measure,
    /// Since when.
    pub from: Timestamp,
    /// When it ends by itself, if nothing else happens.
    pub until: Option<Timestamp>,
    /// Whether one person took it, for four hours.
    pub emergency: bool,
}

/// What a deadline is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    /// The accused is to answer the notice, or to be under the number.
    NoticeDue,
    /// A termination may be proposed from here on.
    TerminationPossible,
    /// A condition of an accepted undertaking is to be met.
    ConditionDue {
        /// Its place among the conditions, from 0.
        condition: u32,
    },
    /// A measure ends by itself.
    MeasureEnds,
    /// The emergency throttle ends by itself.
    EmergencyEnds,
    /// Measures end by themselves unless the review upholds them.
    ReviewDue,
    /// The last day to appeal a restriction.
    AppealCloses,
}

impl Deadline {
    /// The word used on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoticeDue => "notice_due",
            Self::TerminationPossible => "termination_possible",
            Self::ConditionDue { .. } => "condition_due",
            Self::MeasureEnds => "measure_ends",
            Self::EmergencyEnds => "emergency_ends",
            Self::ReviewDue => "review_due",
            Self::AppealCloses => "appeal_closes",
        }
    }
}

/// Something that happens by time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Deadline,
}
