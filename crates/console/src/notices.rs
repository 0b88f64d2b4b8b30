//! Who is told, and whether they were: endpoints and the outbox as they are
//! sent.

use serde::{Deserialize, Serialize};

/// A place where notices are to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Whose notices; none: the house's own, which hears of every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `webhook` or `email`.
    pub kind: String,
    /// An `https://` URL, or an address.
    pub target: String,
}

/// A place where notices go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EndpointView {
    /// Its id.
    pub id: String,
    /// Whose notices; none: the house's own.
    pub account: Option<String>,
    /// `webhook` or `email`.
    pub kind: String,
    /// A URL or an address.
    pub target: String,
    /// Since when, RFC 3339.
    pub created: String,
    /// For a webhook: the key that checks every signature `v1a` of this house (`whpk_...`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// For a webhook: the secret that checks signatures `v1` to this endpoint (`whsec_...`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Which notices are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticesAsked {
    /// `queued`, `delivered` or `dead`; all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of this case only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// At most so many: 100 where nothing is said, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A notice to one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NoticeLine {
    /// The event's id: `webhook-id`, the same at every try.
    pub id: String,
    /// Where it goes.
    pub endpoint: String,
    /// Whose endpoint; none: the house's own.
    pub account: Option<String>,
    /// The case; none for a trial.
    pub case: Option<String>,
    /// The event, for example `enforcement.suspended`.
    pub event: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// `queued`, `delivered` or `dead`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it leaves next, where it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<String>,
}

/// How many notices are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RetriedView {
    /// How many.
    pub notices: u64,
}
