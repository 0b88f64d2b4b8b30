//! Steps: the only thing of a case that is kept. Everything else is replayed.

mod written;

use facts::{AccountId, CaseId, ClauseId, Timestamp};
use sha2::{Digest as _, Sha256};

pub use written::StepError;

use crate::actor::{Actor, Right};

/// What a case is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The accused, at least one, each once.
    pub accounts: Vec<AccountId>,
    /// The clause relied on.
    pub clause: ClauseId,
    /// The facts, in words that the customer reads: at most 5,000 characters.
    pub summary: String,
    /// What speaks for the accused, or that nothing was found.
    pub exculpatory: String,
    /// Whether automated means detected it.
    pub automated: bool,
    /// Cases without which this one would not stand.
    pub rests_on: Vec<CaseId>,
}

/// What the accused is told, and asked, before anything is restricted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What is counted, in words.
    pub metric: String,
    /// The number to get under, in decimal digits.
    pub under: String,
    /// When an answer or a change is due.
    pub due: Timestamp,
    /// Whether a declaration of purpose is asked for.
    pub declaration: bool,
}

/// One thing that the accused undertakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What will be so.
    pub promise: String,
    /// How it is checked.
    pub check: String,
    /// From when on it is to be met.
    pub by: Timestamp,
}

/// What a throttled account may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests allowed per minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens allowed per minute.
    pub tokens_per_minute: Option<u64>,
}

/// A restriction, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Slower.
    Throttle(Limits),
    /// Served, with a disclosed mark on every answer.
    Mark,
    /// Refused until the case ends otherwise.
    Suspend,
    /// Refused for good.
    Terminate,
}

impl Measure {
    /// The word used in records and on pages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Throttle(_) => "throttle",
            Self::Mark => "mark",
            Self::Suspend => "suspend",
            Self::Terminate => "terminate",
        }
    }

    /// The event of its coming into force.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Throttle(_) => "enforcement.throttled",
            Self::Mark => "enforcement.marked",
            Self::Suspend => "enforcement.suspended",
            Self::Terminate => "enforcement.terminated",
        }
    }
}

/// A measure that awaits a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is to happen.
    pub measure: Measure,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
    /// Why this measure and no milder one.
    pub reason: String,
    /// What speaks for the accused by now, or that nothing was found.
    pub exculpatory: String,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The case was opened; nothing happens to anybody.
    Observed(Observation),
    /// The accused was given notice.
    Noticed(Notice),
    /// The accused said what the account is for (in the comment).
    Declared,
    /// The accused offered conditions.
    Undertaken(Vec<Condition>),
    /// The conditions were taken up.
    Accepted,
    /// A condition was checked.
    Checked {
        /// Its place among the conditions, from 0.
        condition: u32,
        /// Whether it was met.
        met: bool,
    },
    /// A measure was proposed.
    Proposed(Proposal),
    /// A second person agreed: it is in force.
    Approved,
    /// The proposal was handed back without a ruling (why: in the comment).
    Returned,
    /// One person throttled for four hours (why: in the comment).
    Emergency(Limits),
    /// The accused contests (in the comment).
    Appealed,
    /// The accused adds to it (in the comment).
    EvidenceAdded,
    /// What was contested stands (why: in the comment).
    Upheld,
    /// What was contested falls: every measure is lifted.
    Overturned,
    /// Measures were lifted without an appeal, or a reversal was carried through.
    Reinstated,
    /// The case was closed without a measure.
    Dismissed,
    /// A case that this one rests on was reversed.
    Reopened(CaseId),
}

impl Deed {
    /// The word used in steps and on timelines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Observed(_) => "observed",
            Self::Noticed(_) => "noticed",
            Self::Declared => "declared",
            Self::Undertaken(_) => "undertaken",
            Self::Accepted => "accepted",
            Self::Checked { .. } => "checked",
            Self::Proposed(_) => "proposed",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Emergency(_) => "emergency",
            Self::Appealed => "appealed",
            Self::EvidenceAdded => "evidence_added",
            Self::Upheld => "upheld",
            Self::Overturned => "overturned",
            Self::Reinstated => "reinstated",
            Self::Dismissed => "dismissed",
            Self::Reopened(_) => "reopened",
        }
    }

    /// The event of the audit log that it is. An approval is followed by
    /// [`Measure::event`] of what it put in force.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Observed(_) => "policy.violation.detected",
            Self::Noticed(_) => "enforcement.warned",
            Self::Declared => "case.declared",
            Self::Undertaken(_) => "case.undertaking_offered",
            Self::Accepted => "case.undertaking_accepted",
            Self::Checked { .. } => "case.condition_checked",
            Self::Proposed(_) => "enforcement.proposed",
            Self::Approved => "enforcement.approved",
            Self::Returned => "enforcement.returned",
            Self::Emergency(_) => "enforcement.throttled",
            Self::Appealed => "appeal.opened",
            Self::EvidenceAdded => "appeal.evidence_added",
            Self::Upheld => "appeal.upheld",
            Self::Overturned => "appeal.overturned",
            Self::Reinstated => "enforcement.reinstated",
            Self::Dismissed => "case.dismissed",
            Self::Reopened(_) => "case.reopened",
        }
    }

    /// The right that it takes.
    pub fn right(&self) -> Right {
        match self {
            Self::Observed(_) => Right::Observe,
            Self::Noticed(_) => Right::Notify,
            Self::Declared => Right::Declare,
            Self::Undertaken(_) => Right::Undertake,
            Self::Accepted | Self::Checked { .. } => Right::Supervise,
            Self::Proposed(_) | Self::Returned => Right::Propose,
            Self::Approved => Right::Approve,
            Self::Emergency(_) => Right::Emergency,
            Self::Appealed | Self::EvidenceAdded => Right::Appeal,
            Self::Upheld | Self::Overturned => Right::Hear,
            Self::Reinstated | Self::Dismissed => Right::Relieve,
            Self::Reopened(_) => Right::Reopen,
        }
    }
}

/// A file that the accused sent with an answer. Its bytes are sealed like a body; the step says
/// which they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the accused calls it.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What was said with it.
    pub comment: String,
    /// What it did.
    pub deed: Deed,
    /// What the accused sent with it.
    pub attachments: Vec<Attachment>,
}

impl Step {
    /// SHA-256 of the canonical JSON.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.canonical()).into()
    }
}
