//! Known campaigns as people see them.

use serde::{Deserialize, Serialize};

/// A sketch to make: of accounts that a case was decided against, or one that was made elsewhere
/// and is only signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSketch {
    /// What people will call the campaign.
    pub name: String,
    /// Days until it ends by itself.
    pub days: u32,
    /// The confirmed accounts, read from the store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Its canonical payload where it was made of logs; then it is only checked and signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// A signed file with what it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SketchFile {
    /// The file's text.
    pub file: String,
    /// What it holds.
    pub campaign: CampaignView,
}

/// A file to try on the cleared accounts of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SketchAsked {
    /// The file's text.
    pub file: String,
    /// The verifier key of who signed it; this house's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A file to activate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// The file's text.
    pub file: String,
    /// The verifier key of who signed it; this house's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who activates it.
    pub by: String,
    /// A trial on cleared accounts outside of the store, added to that on the store's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<TrialCounts>,
}

/// Who ends a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Who.
    pub by: String,
}

/// A trial in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialCounts {
    /// Cleared accounts read.
    pub accounts: u64,
    /// Their exchanges.
    pub exchanges: u64,
    /// Accounts on which it fired.
    pub fired: u64,
}

/// How a campaign did on cleared accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TrialView {
    /// Cleared accounts read.
    pub accounts: u64,
    /// Their exchanges.
    pub exchanges: u64,
    /// Accounts on which it fired.
    pub fired: u64,
    /// Their share.
    pub rate: f64,
    /// Its exact 95 % interval.
    pub interval: (f64, f64),
    /// The first hundred of them.
    pub fired_on: Vec<String>,
    /// For each programme of the campaign: accounts on which it took part.
    pub by_programme: Vec<u64>,
    /// Whether it may be activated.
    pub allowed: bool,
    /// Why not, with the figures and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// What came of an activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ActivationView {
    /// The campaign; it acts unless its trial refused it.
    pub campaign: CampaignView,
    /// The trial.
    pub trial: TrialView,
}

/// A known campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CampaignView {
    /// Its name.
    pub name: String,
    /// Its name by its hashes, the same in every house.
    pub id: String,
    /// `made`, `active`, `expired` or `unreadable`.
    pub state: String,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// When it ends by itself, RFC 3339.
    pub expires_at: String,
    /// Confirmed accounts that it was made of.
    pub accounts: u64,
    /// Different prompts of theirs.
    pub prompts: u64,
    /// Its programmes.
    pub programmes: usize,
    /// Its different hashes.
    pub hashes: usize,
    /// Its trial, once it was activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_test: Option<TrialCounts>,
    /// When it was activated, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_by: Option<String>,
    /// When a person ended it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_by: Option<String>,
}
