//! Who may do what at the admin API: the operator's token opens all of it, a
//! colleague's own token what their role allows, and in their own name only.

use serde::{Deserialize, Serialize};

/// In what capacity somebody works here.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks into accounts, gives notice, proposes.
    Reviewer,
    /// A reviewer who may also agree to what another proposed, and hear appeals.
    Approver,
    /// Runs the house, decides nothing.
    Administrator,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [
        Self::Reviewer,
        Self::Approver,
        Self::Administrator,
        Self::Auditor,
    ];

    /// The word used in `people.toml` and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }

    /// The role that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    /// The name under which they act.
    pub name: String,
    /// In what capacity.
    pub role: Role,
}

/// Who may call an operation of the admin API, beside the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Everybody who works here.
    Staff,
    /// Whoever works on cases: reviewers and approvers.
    Casework,
    /// Whoever runs the house.
    Administration,
    /// Nobody else.
    Operator,
}

impl Open {
    /// Whether somebody in this role may call it.
    pub fn to(self, role: Role) -> bool {
        match self {
            Self::Staff => true,
            Self::Casework => matches!(role, Role::Reviewer | Role::Approver),
            Self::Administration => role == Role::Administrator,
            Self::Operator => false,
        }
    }

    /// In words, for whoever was refused.
    pub fn words(self) -> &'static str {
        match self {
            Self::Staff => "anybody who works here",
            Self::Casework => "reviewers and approvers",
            Self::Administration => "administrators",
            Self::Operator => "the operator",
        }
    }
}
