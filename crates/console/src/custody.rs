//! What people ask about bodies: to erase, hold, let go and read them.

use serde::{Deserialize, Serialize};

/// A subject, or a whole account, to erase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// The account.
    pub account: String,
    /// The subject as requests name it; without it the whole account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who orders it.
    pub by: String,
    /// Why. Its digest is recorded, not its text.
    pub reason: String,
}

/// What an erasure did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ErasureView {
    /// The account.
    pub account: String,
    /// The keyed digest that stands for the subject in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<String>,
    /// The place of its record; none when nothing was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Months whose keys were destroyed.
    pub months: Vec<String>,
    /// Keys destroyed.
    pub keys: u64,
    /// Sealed bodies deleted.
    pub bodies: u64,
    /// Imported exchanges deleted.
    pub imported: u64,
    /// Bodies of the account that name no subject; they stay when one subject is erased.
    pub unattributed: u64,
    /// Outputs that left the registry.
    #[serde(default)]
    pub outputs: u64,
    /// Their fingerprints.
    #[serde(default)]
    pub fingerprints: u64,
    /// Why fingerprints are still in the registry; the next erasure or start tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprints_remain: Option<String>,
    /// Bytes of files that were searched for the destroyed keys.
    pub searched_bytes: u64,
    /// Whether the database's file was written anew.
    pub rewritten: bool,
    /// The holds that stand in the way; nothing was erased where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HoldView>,
    /// What the engine keeps that is out of our reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<String>,
}

/// A legal hold to place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// The account.
    pub account: String,
    /// The subject as requests name it; without it the whole account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who orders it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The day from which it no longer binds, `2027-01-31`; without it until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HoldView {
    /// Its id.
    pub hold: String,
    /// The account.
    pub account: String,
    /// The keyed digest that stands for the subject; none: the whole account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<String>,
    /// `binding`, `released` or `over`.
    pub state: String,
    /// When it was placed, RFC 3339.
    pub placed_at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
}

/// Who does something to a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Who ends it.
    pub by: String,
}

/// How long bodies are kept.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RetentionAsked {
    /// Whole days; those of the configuration when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// What was let go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RetentionView {
    /// Whole days that bodies are kept.
    pub days: u32,
    /// Keys destroyed.
    pub keys: u64,
    /// Sealed bodies deleted.
    pub bodies: u64,
    /// Older bodies that a legal hold or an open case keeps.
    pub kept: u64,
}

/// Who reads the bodies of an exchange, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Who reads.
    pub by: String,
    /// Why. Its digest is recorded, not its text.
    pub reason: String,
}

/// An opened body: what a stranger needs to check its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BodyView {
    /// `request` or `answer`.
    pub what: String,
    /// Its exact bytes, in base64.
    pub plaintext: String,
    /// The salt, in hexadecimal.
    pub salt: String,
    /// HMAC-SHA256 of the bytes under the salt, as the log has it.
    pub commitment: String,
}
