//! Findings, as they are kept and sent: field names are stable, later fields
//! are added.

use serde::{Deserialize, Serialize};

/// What the watch has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FindingsView {
    /// Accounts that it knows.
    pub watched: u64,
    /// Records of the log that it has not read yet.
    pub behind: u64,
    /// What accounts are tested with now.
    pub test: TestView,
    /// The findings, oldest first.
    pub findings: Vec<FindingView>,
}

/// What accounts are tested with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TestView {
    /// Whom accounts are compared with, in words.
    pub population: String,
    /// Honest programmes among them.
    pub programmes: usize,
    /// Sources that the programmes come from.
    pub sources: usize,
    /// 1 / (programmes + 1).
    pub floor: f64,
    /// The least chance that it can tell over all looks: with a level below it, it abstains.
    pub reach: f64,
}

/// One look at one account that says something. Intent alone: a reason to ask, never to restrict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FindingView {
    /// Its id.
    pub id: String,
    /// About whom.
    pub account: String,
    /// When the exchange came that completed the look, RFC 3339.
    pub at: String,
    /// `finding`, or `noted` where an authorisation covers what was seen.
    pub kind: String,
    /// What may follow from it: `ask for a declaration`, or `observe`.
    pub may: String,
    /// Exchanges that the account had reached.
    pub look: u32,
    /// The statistic; no unit.
    pub statistic: f64,
    /// How often honest accounts score as high at this look.
    pub p: f64,
    /// How often honest accounts ever show a p as small, over all looks.
    pub anytime_p: f64,
    /// The level that was set.
    pub alpha: f64,
    /// Honest programmes compared with.
    pub programmes: usize,
    /// Sources that they come from.
    pub sources: usize,
    /// 1 / (programmes + 1).
    pub floor: f64,
    /// The least that the anytime p could have been.
    pub reach: f64,
    /// Whom it was compared with, in words.
    pub population: String,
    /// The peers that its p is among; `all` where they were too few or no purpose was declared.
    pub peers: String,
    /// Exchanges of the programme that carries the statistic.
    pub programme_exchanges: u32,
    /// What carried it, the greatest part first.
    pub carried_by: Vec<CueView>,
    /// Ids of exchanges of that programme, the latest at most 50.
    pub relied_on: Vec<String>,
    /// What might speak for the account, looked for and told also where nothing was found.
    pub exculpatory: Vec<FactView>,
    /// All of it in words that the account could be shown.
    pub summary: String,
}

impl FindingView {
    /// What was looked for in the account's favour, in words.
    pub fn exculpatory_words(&self) -> String {
        let words: Vec<&str> = self.exculpatory.iter().map(|f| f.words.as_str()).collect();
        words.join(" ")
    }
}

/// One cue of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CueView {
    /// Its name.
    pub cue: String,
    /// In words.
    pub words: String,
    /// Standard deviations above honest programmes.
    pub deviation: f64,
    /// What it adds to the statistic.
    pub adds: f64,
}

/// One thing that was looked for in the account's favour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FactView {
    /// What.
    pub looked_for: String,
    /// Whether it was found.
    pub found: bool,
    /// In words.
    pub words: String,
}
