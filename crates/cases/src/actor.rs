//! Who acts, and who may do what?
//!
//! A person is known by two things: the id under which colleagues know them,
//! and the digest of what they prove at sign-in (a public key, or an issuer
//! with its subject). Whoever has two accounts has one identity; whoever
//! shares one account has one id. Either is enough to be the same person.

use facts::PersonId;
use sha2::{Digest as _, Sha256};

/// Digest of what a person proves to be themself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; 32]);

impl Identity {
    /// The identity behind a public key, or behind an issuer and its subject.
    pub fn of(proof: &str) -> Self {
        Self(Sha256::digest(proof.trim()).into())
    }
}

/// In what capacity somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks into accounts, gives notice, proposes.
    Reviewer,
    /// A reviewer who may also agree to what another proposed, and hear appeals.
    Approver,
    /// Runs the house: may stop an emergency, decides nothing.
    Administrator,
    /// Reads everything, changes nothing.
    Auditor,
    /// The accused.
    Customer,
    /// The house itself, by rule and without judgement.
    System,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Reviewer,
        Self::Approver,
        Self::Administrator,
        Self::Auditor,
        Self::Customer,
        Self::System,
    ];

    /// The word used in records and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Customer => "customer",
            Self::System => "system",
        }
    }

    /// The role that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Somebody who takes a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The id colleagues know; the account's id for a customer.
    pub person: PersonId,
    /// What they prove to be.
    pub identity: Identity,
    /// In what capacity.
    pub role: Role,
}

impl Actor {
    /// Whether this is the same human, under whichever account.
    pub fn same_person(&self, other: &Self) -> bool {
        self.person == other.person || self.identity == other.identity
    }
}

/// What may be done with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Read it: its steps, statements and state.
    Read,
    /// Export its evidence.
    Export,
    /// Open a case by what was observed.
    Observe,
    /// Give notice.
    Notify,
    /// Say what the account is for.
    Declare,
    /// Offer conditions, on which no measure follows.
    Undertake,
    /// Take up what was offered, and check it.
    Supervise,
    /// Propose a measure, or hand a proposal back.
    Propose,
    /// Agree to what another proposed.
    Approve,
    /// Throttle for four hours, alone.
    Emergency,
    /// Contest, and add evidence to it.
    Appeal,
    /// Decide what was contested.
    Hear,
    /// End measures, or close the case without one.
    Relieve,
    /// Open anew what rested on a reversed case.
    Reopen,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::Export,
        Self::Observe,
        Self::Notify,
        Self::Declare,
        Self::Undertake,
        Self::Supervise,
        Self::Propose,
        Self::Approve,
        Self::Emergency,
        Self::Appeal,
        Self::Hear,
        Self::Relieve,
        Self::Reopen,
    ];
}

/// Who may do what: the one place that says it. Whose case it is, and when a
/// step fits, the case itself says. Reading and exporting depend on no state.
pub fn may(role: Role, right: Right) -> bool {
    match right {
        Right::Read | Right::Export => role != Role::System,
        Right::Observe => matches!(
            role,
            Role::Reviewer | Role::Approver | Role::Administrator | Role::System
        ),
        Right::Notify | Right::Supervise | Right::Propose | Right::Relieve => {
            matches!(role, Role::Reviewer | Role::Approver)
        }
        Right::Emergency => {
            matches!(role, Role::Reviewer | Role::Approver | Role::Administrator)
        }
        Right::Approve | Right::Hear => role == Role::Approver,
        Right::Declare | Right::Undertake | Right::Appeal => role == Role::Customer,
        Right::Reopen => role == Role::System,
    }
}
