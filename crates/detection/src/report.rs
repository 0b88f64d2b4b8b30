//! What is handed to a person who must decide.

use facts::AccountId;

use crate::calibration::Rank;
use crate::detector::Judgement;
use crate::edges::Edge;
use crate::partition::Partition;
use crate::standing::May;

/// Accounts that run one programme.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Who: in the order of ids.
    pub accounts: Vec<AccountId>,
    /// A stable name of the programme, derived from its fixed parts under the report's key.
    pub programme: String,
    /// For ranking: -log10 of the chance that unrelated accounts gather like this, at most 300.
    pub score: f64,
    /// The largest chance that any gathering like this one is named in a report on unrelated
    /// accounts: the same chance, corrected for every programme that was looked at.
    pub bound: f64,
    /// Exchanges of these accounts that were recognised as the programme's.
    pub prompts: usize,
    /// How the items lie over the accounts.
    pub partition: Partition,
    /// What the programme's pooled prompts ask for, among honest programmes.
    pub intent: Option<Rank>,
    /// What else links the accounts; all five kinds, known or not.
    pub edges: Vec<Edge>,
    /// All that may follow.
    pub may: May,
    /// Why, in words with figures.
    pub reasons: Vec<String>,
}

/// One account by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Which.
    pub account: AccountId,
    /// Its exchanges.
    pub exchanges: u64,
    /// What was found.
    pub judgement: Judgement,
    /// All that may follow: intent alone is no ground for more than a question.
    pub may: May,
    /// Why, in words with figures.
    pub reasons: Vec<String>,
}

/// All that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Accounts looked at.
    pub accounts: usize,
    /// Exchanges looked at.
    pub exchanges: u64,
    /// Programmes told apart over all accounts.
    pub programmes: usize,
    /// Gatherings that pass every test, the most improbable first.
    pub clusters: Vec<Cluster>,
    /// Gatherings of enough accounts that fail a test; the last reason says which. No ground to
    /// act on anyone.
    pub observed: Vec<Cluster>,
    /// Accounts that reached a look, the least p first.
    pub suspects: Vec<Suspect>,
}

impl Report {
    /// Every account that a cluster names, each once, in the order of ids.
    pub fn named(&self) -> Vec<&AccountId> {
        let mut all: Vec<&AccountId> = self.clusters.iter().flat_map(|c| &c.accounts).collect();
        all.sort();
        all.dedup();
        all
    }
}
