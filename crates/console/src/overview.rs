//! An account at a glance, and gatherings of accounts as detection left them.

use serde::{Deserialize, Serialize};

use crate::cases::MeasureView;
use crate::casework::CaseLine;
use crate::detection::RingView;

/// An account at a glance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OverviewView {
    /// Its id.
    pub account: String,
    /// The project that owns it.
    pub project: String,
    /// The organisation that owns the project.
    pub organisation: String,
    /// `good`, `noticed`, `throttled`, `marked`, `suspended` or `terminated`.
    pub standing: String,
    /// Purposes that its project declared.
    pub purposes: Vec<String>,
    /// Requests ever.
    pub requests: u64,
    /// Tokens ever.
    pub tokens: u64,
    /// Spend ever, in millionths of a US dollar.
    pub micro_usd: u64,
    /// Usage by UTC day, the last ninety that saw any, oldest first.
    pub days: Vec<DayView>,
    /// Its usage against each of its own limits.
    pub limits: Vec<LimitView>,
    /// What acts on it now, by which case.
    pub in_force: Vec<HeldMeasure>,
    /// Its last exchanges and refusals, newest first, at most twenty.
    pub recent: Vec<ExchangeLine>,
    /// Cases against it.
    pub cases: Vec<CaseLine>,
    /// How many findings of the watch are about it.
    pub findings: u64,
}

/// A day of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DayView {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Requests.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub micro_usd: u64,
}

/// Usage against a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LimitView {
    /// What is limited: `requests_per_day`, `tokens_per_day`, `budget_micro_usd`,
    /// `requests_per_minute` or `tokens_per_minute`.
    pub what: String,
    /// What is allowed.
    pub limit: u64,
    /// What was used of it; none for those that refill by the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// A measure that acts on an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeldMeasure {
    /// The case.
    pub case: String,
    /// The clause.
    pub clause: String,
    /// What.
    #[serde(flatten)]
    pub measure: MeasureView,
}

/// One record of an account's traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExchangeLine {
    /// The record's number: its receipt is under it.
    pub seq: u64,
    /// The exchange.
    pub exchange: String,
    /// When, RFC 3339.
    pub at: String,
    /// `intent`, `completion` or `refusal`.
    pub kind: String,
    /// The model asked for, the ending, or the refusal's code.
    pub said: String,
}

/// A gathering in a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClusterLine {
    /// Its id.
    pub id: String,
    /// When it was found, RFC 3339.
    pub at: String,
    /// Accounts.
    pub accounts: u64,
    /// How surely they belong together.
    pub score: f64,
    /// The chance that a report on unrelated accounts names any such, at most.
    pub bound: f64,
    /// The strongest reason, short.
    pub because: String,
}

/// A gathering of accounts that run one programme, as detection found it last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClusterView {
    /// Its id.
    pub id: String,
    /// When it was found, RFC 3339.
    pub at: String,
    /// What was found.
    pub ring: RingView,
    /// Where each of its accounts stands now, in the order of its members.
    pub standings: Vec<String>,
}
