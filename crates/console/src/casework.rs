//! Cases as lists show them, who works on which, and decisions that may still
//! be taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cases::{CaseStep, DeadlineView, MeasureView, PendingView};

/// Which cases a list shows. Every part is also a parameter of the list's URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasesAsked {
    /// Those that await this: `appeal`, `review`, `approval`, `undertaking`, `check`, `answer`,
    /// `reply`, `notice` or `nothing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    /// Those in this state, for example `suspended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Those against this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Those that are closed, or those that are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// At most so many: 50 where nothing is said, 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Those after this place: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One page of cases: what is due soonest comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CasesView {
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<String>,
    /// How many cases await what, over all pages and whatever was asked for.
    pub counts: BTreeMap<String, u64>,
}

/// One case in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaseLine {
    /// Its id.
    pub case: String,
    /// The accused account; the first where there are more.
    pub account: String,
    /// The accused accounts, the first twenty.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub n_accounts: u64,
    /// Where it stands now.
    pub state: String,
    /// The clause relied on.
    pub clause: String,
    /// The strictest that is in force; else what is proposed; else `notice` or `none`.
    pub action: String,
    /// What awaits a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingView>,
    /// What acts now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<MeasureView>,
    /// What happens by time alone, soonest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<DeadlineView>,
    /// What somebody is to do next.
    pub awaits: String,
    /// By when, where there is such a day (RFC 3339); it may be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// When it was opened.
    pub opened: String,
    /// When its last step was taken.
    pub changed: String,
    /// Steps so far.
    pub steps: u64,
    /// Who works on it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimView>,
    /// Why it cannot be read here, where it cannot: its steps are of another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Who works on a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClaimView {
    /// The case.
    pub case: String,
    /// Who.
    pub by: String,
    /// Until when, RFC 3339; claiming it again makes that later.
    pub until: String,
}

/// Somebody who claims a case, or takes something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByWhom {
    /// Who.
    pub by: String,
}

/// A decision that is not taken yet and may be taken back until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeldView {
    /// Its id.
    pub id: String,
    /// The case.
    pub case: String,
    /// The step.
    pub step: CaseStep,
    /// What is said with it.
    pub comment: String,
    /// Who decided.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
    /// When it is taken.
    pub not_before: String,
    /// Why the case refused it when its time had come; it is dropped by taking it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A file sent with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAttachment {
    /// What it is called, without a path.
    pub name: String,
    /// Its media type: `text/plain`, `text/csv`, `application/json`, `application/pdf`,
    /// `image/png` or `image/jpeg`.
    pub kind: String,
    /// Its bytes, base64; at most 5 MiB.
    pub data: String,
}

/// A file as the timeline names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AttachmentView {
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes, hexadecimal: under this it is read.
    pub sha256: String,
}

/// An opened file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFile {
    /// What the timeline says of it.
    pub view: AttachmentView,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
