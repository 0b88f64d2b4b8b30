//! Steps: the only thing of a case that is kept. Everything else is replayed.

use std::fmt;

use facts::{AccountId, ClauseId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is to happen to the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// They are told; nothing is restricted.
    Notice,
    /// They are refused until the case ends otherwise.
    Suspend,
}

impl Measure {
    /// The word used in records and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Suspend => "suspend",
        }
    }

    /// The measure that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Notice, Self::Suspend]
            .into_iter()
            .find(|m| m.word() == word)
    }
}

/// What is proposed, and on what ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The accused, at least one, each once.
    pub accounts: Vec<AccountId>,
    /// The clause relied on.
    pub clause: ClauseId,
    /// What is to happen.
    pub measure: Measure,
    /// The facts, in words that the customer reads: at most 5,000 characters.
    pub summary: String,
    /// What speaks for the accused, or that nothing was found.
    pub exculpatory: String,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The case was opened.
    Proposed(Proposal),
    /// A second person agreed: the measure is in force.
    Approved,
    /// A second person declined: the case is closed.
    Rejected,
    /// The accused contests.
    Appealed,
    /// The appeal was decided against the accused.
    Upheld,
    /// The appeal was decided for the accused: the measure is lifted.
    Overturned,
}

impl Deed {
    /// The word used in records and on timelines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proposed(_) => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Appealed => "appealed",
            Self::Upheld => "upheld",
            Self::Overturned => "overturned",
        }
    }
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: PersonId,
    /// What was said with it.
    pub comment: String,
    /// What it did.
    pub deed: Deed,
}

/// Why text is not a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError(pub(crate) String);

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a step of a case: {}", self.0)
    }
}

impl std::error::Error for StepError {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    at: i64,
    by: String,
    comment: String,
    step: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    proposal: Option<WrittenProposal>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProposal {
    accounts: Vec<String>,
    clause: String,
    measure: Measure,
    summary: String,
    exculpatory: String,
}

impl Step {
    /// The step as RFC 8785 canonical JSON.
    pub fn canonical(&self) -> String {
        let proposal = match &self.deed {
            Deed::Proposed(p) => Some(WrittenProposal {
                accounts: p.accounts.iter().map(ToString::to_string).collect(),
                clause: p.clause.to_string(),
                measure: p.measure,
                summary: p.summary.clone(),
                exculpatory: p.exculpatory.clone(),
            }),
            _ => None,
        };
        let written = Written {
            at: self.at.0,
            by: self.by.to_string(),
            comment: self.comment.clone(),
            step: self.deed.word().to_owned(),
            proposal,
        };
        // Strings and small numbers always have a canonical form.
        serde_json_canonicalizer::to_string(&written).unwrap_or_default()
    }

    /// SHA-256 of the canonical JSON.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.canonical()).into()
    }

    /// Reads what [`Step::canonical`] wrote; anything else is refused.
    ///
    /// # Errors
    /// [`StepError`] saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, StepError> {
        let written: Written = serde_json::from_str(text).map_err(|e| StepError(e.to_string()))?;
        let step = Self {
            at: Timestamp(written.at),
            by: PersonId::parse(&written.by).map_err(|e| StepError(e.to_string()))?,
            comment: written.comment,
            deed: deed(&written.step, written.proposal)?,
        };
        if step.canonical() == text {
            Ok(step)
        } else {
            Err(StepError("it is not in canonical form".to_owned()))
        }
    }
}

fn deed(word: &str, proposal: Option<WrittenProposal>) -> Result<Deed, StepError> {
    match (word, proposal) {
        ("proposed", Some(p)) => {
            let accounts: Result<_, _> = p.accounts.iter().map(|a| AccountId::parse(a)).collect();
            Ok(Deed::Proposed(Proposal {
                accounts: accounts.map_err(|e| StepError(e.to_string()))?,
                clause: ClauseId::parse(&p.clause).map_err(|e| StepError(e.to_string()))?,
                measure: p.measure,
                summary: p.summary,
                exculpatory: p.exculpatory,
            }))
        }
        ("approved", None) => Ok(Deed::Approved),
        ("rejected", None) => Ok(Deed::Rejected),
        ("appealed", None) => Ok(Deed::Appealed),
        ("upheld", None) => Ok(Deed::Upheld),
        ("overturned", None) => Ok(Deed::Overturned),
        _ => Err(StepError(format!(
            "`{word}` is no step, or its proposal is missing or too much"
        ))),
    }
}
