//! The caseroom: what people who are signed in ask beyond what programs ask.
//!
//! Every answer is a screen's data, and is sent as JSON by the same URL.

use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::detection::LookView;
use crate::findings::{CueView, FactView};
use crate::office::{Office, OfficeError};

/// The score of an account against the population, and how sure that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalView {
    /// Whose score.
    pub account: String,
    /// Exchanges that were compared.
    pub exchanges: u32,
    /// The statistic.
    pub statistic: f64,
    /// How often honest programmes score as high.
    pub p: f64,
    /// The exact 95 % interval of that share.
    pub interval: (f64, f64),
    /// How often honest accounts ever show so small a p, over all looks.
    pub anytime_p: f64,
    /// Honest programmes compared with.
    pub programmes: usize,
    /// Sources that they come from.
    pub sources: usize,
    /// The least p that so many can show.
    pub floor: f64,
    /// Whom it is compared with, in words.
    pub population: String,
    /// How they score.
    pub look: LookView,
    /// What carried it.
    pub carried_by: Vec<CueView>,
    /// What was looked for in the account's favour.
    pub exculpatory: Vec<FactView>,
}

/// What a case was opened with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefView {
    /// The facts.
    pub facts: String,
    /// What speaks for the accused.
    pub exculpatory: String,
    /// Whether automated means found it.
    pub automated: bool,
    /// Cases that would not stand without this one.
    pub carries: Vec<String>,
}

/// One thing that accounts have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HubView {
    /// Its kind: `programme`, `payment`, `identity`, `network`.
    pub kind: String,
    /// What it is, as far as it may be told: tokens are kept hashed.
    pub name: String,
    /// Why it links them.
    pub said: String,
    /// Whose.
    pub accounts: Vec<String>,
}

/// A rule to try on what is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleAsked {
    /// `level` or `document`.
    pub what: String,
    /// The level, or the document's name.
    pub value: String,
}

/// Accounts that a rule hits, among those of one standing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HitsView {
    /// `confirmed`, `cleared` or `unknown`.
    pub who: String,
    /// How many there are.
    pub accounts: usize,
    /// How many it hits.
    pub hit: usize,
    /// The exact 95 % interval of their share.
    pub interval: (f64, f64),
    /// The first twenty of them.
    pub names: Vec<String>,
}

/// What a rule would have done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BackTestView {
    /// The rule.
    pub rule: RuleAsked,
    /// In words.
    pub said: String,
    /// By standing.
    pub hits: Vec<HitsView>,
    /// Accounts that it was tried on.
    pub accounts: usize,
    /// What it did not look at.
    pub limits: String,
}

/// A rule that is watched before anybody lets it act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShadowView {
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: RuleAsked,
    /// Who began it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub from: String,
    /// Until when, RFC 3339.
    pub until: String,
    /// `watching`, `over` or `ended`.
    pub state: String,
    /// What it would have done by now.
    pub hits: Vec<HitsView>,
}

/// Everything on the page of rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RulesView {
    /// The level that acts now.
    pub level: f64,
    /// The least level that can be told.
    pub reach: f64,
    /// The documents that bind now.
    pub binding: Vec<String>,
    /// Every document of the catalogue.
    pub documents: Vec<String>,
    /// What a rule would have done, where one was asked for.
    pub tried: Option<BackTestView>,
    /// Rules that are watched.
    pub shadows: Vec<ShadowView>,
}

/// A rule to watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewShadow {
    /// The rule.
    pub rule: RuleAsked,
    /// For how many days.
    pub days: u32,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A number of measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureCount {
    /// Which, `notice` included.
    pub measure: String,
    /// How many.
    pub count: u64,
    /// How many of them act now.
    pub acting: u64,
    /// How many rest on automated detection.
    pub automated: u64,
    /// How many were reversed.
    pub reversed: u64,
}

/// Everything on the page of statistics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatisticsView {
    /// Cases.
    pub cases: u64,
    /// Accounts that were ever accused.
    pub accounts: u64,
    /// By type.
    pub measures: Vec<MeasureCount>,
    /// Cases that automated means found.
    pub automated: u64,
    /// Measures that were decided by nobody: always none here.
    pub decided_by_nobody: u64,
    /// Appeals that were opened.
    pub appeals: u64,
    /// Appeals that were decided.
    pub decided: u64,
    /// Of these, those that were overturned.
    pub overturned: u64,
    /// The exact 95 % interval of the share that is overturned.
    pub overturn_interval: (f64, f64),
    /// Median hours from a restriction to its appeal.
    pub hours_to_appeal: Option<f64>,
    /// Median hours from an appeal to its decision.
    pub hours_to_decision: Option<f64>,
    /// Proposals that were handed back.
    pub returned: u64,
    /// Emergencies that one person took.
    pub emergencies: u64,
}

/// Somebody who works here, as colleagues see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PersonView {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
    /// A digest of their identity, short: two names with one digest are one person.
    pub identity: String,
    /// Passkeys that they registered.
    pub passkeys: u64,
    /// Who invited them.
    pub invited_by: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// When they stopped working here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// Somebody to invite: a colleague, or whoever speaks for a customer's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// A colleague's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their role; the one they have where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What they prove to be, where that is known: `ISSUER#SUBJECT` of a sign-in elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Who they are at the issuer, their subject or the address that it verified: then they sign in
    /// there, and need no one-time sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<String>,
    /// A customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Who invites.
    pub by: String,
}

/// A one-time sign-in, the only time that it is shown; or where to sign in at the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InviteView {
    /// For whom.
    pub whom: String,
    /// Where it is used: a path of the console, or of the portal.
    pub path: String,
    /// Until when, RFC 3339.
    pub until: String,
}

/// Carries out what people at the pages ask.
///
/// # Errors
/// Each act answers [`OfficeError`]; a refused act changes nothing.
pub trait Caseroom: Office {
    /// What a case was opened with.
    fn brief(&self, case: &str) -> impl Future<Output = Result<BriefView, OfficeError>> + Send;

    /// The score of an account; none before it was looked at.
    fn signal(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<Option<SignalView>, OfficeError>> + Send;

    /// What these accounts have in common.
    fn hubs(
        &self,
        accounts: &[String],
    ) -> impl Future<Output = Result<Vec<HubView>, OfficeError>> + Send;

    /// The rules, and what one would have done.
    fn rules(
        &self,
        tried: Option<RuleAsked>,
    ) -> impl Future<Output = Result<RulesView, OfficeError>> + Send;

    /// Begins to watch a rule.
    fn shadow(&self, new: NewShadow) -> impl Future<Output = Result<(), OfficeError>> + Send;

    /// Stops to watch a rule.
    fn end_shadow(
        &self,
        id: &str,
        by: &str,
    ) -> impl Future<Output = Result<(), OfficeError>> + Send;

    /// What was done, in numbers.
    fn statistics(&self) -> impl Future<Output = Result<StatisticsView, OfficeError>> + Send;

    /// Notes in the log that somebody did something that is kept nowhere else.
    fn note(
        &self,
        change: &str,
        subject: &str,
    ) -> impl Future<Output = Result<(), OfficeError>> + Send;
}
