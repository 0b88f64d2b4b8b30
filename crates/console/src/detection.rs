//! What detection tells people: rings, accounts by themselves, and with whom
//! they were compared.

use serde::{Deserialize, Serialize};

/// What detection found, most suspicious first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DetectionView {
    /// Accounts read.
    pub accounts: usize,
    /// Exchanges read.
    pub exchanges: u64,
    /// Programmes told apart over all accounts.
    #[serde(default)]
    pub programmes: usize,
    /// Accounts with too few exchanges to be judged by themselves.
    #[serde(default)]
    pub too_small: usize,
    /// Exchanges from which on an account is judged.
    #[serde(default)]
    pub exchanges_min: u32,
    /// Prompts of one account that were compared with other accounts' at most.
    #[serde(default)]
    pub sample_max: usize,
    /// The honest programmes that accounts were compared with.
    #[serde(default)]
    pub compared_with: Option<PopulationView>,
    /// What the figures do not say, in words.
    #[serde(default)]
    pub limits: Vec<String>,
    /// The rings.
    pub rings: Vec<RingView>,
    /// Gatherings that fail a test: no ground to act on anyone.
    #[serde(default)]
    pub observed: Vec<RingView>,
    /// Every account that was judged by itself, the least p first.
    #[serde(default)]
    pub suspects: Vec<SuspectView>,
}

/// All that may follow of a finding.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MayView {
    /// People see it.
    #[default]
    Watch,
    /// The account is asked what it does.
    AskForDeclaration,
    /// The accounts may be told, if a person proposes it and a second agrees.
    Notice,
}

impl MayView {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::AskForDeclaration => "ask for a declaration",
            Self::Notice => "notice",
        }
    }
}

/// How often honest programmes look like this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RankView {
    /// The chance that an honest one scores at least as high.
    pub p: f64,
    /// The least that p could have been.
    pub floor: f64,
    /// Honest programmes compared with.
    pub programmes: usize,
    /// Sources that they come from.
    pub sources: usize,
    /// Whose; absent where all were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<String>,
}

/// The honest programmes that accounts were compared with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PopulationView {
    /// Whether they are this house's own cleared accounts; else those that are shipped.
    pub own: bool,
    /// Where they come from, in words.
    pub said: String,
    /// How many; fewer have reached the later looks.
    pub programmes: usize,
    /// Sources that they come from.
    pub sources: usize,
    /// The least p that so many can show.
    pub floor: f64,
    /// The largest p at which intent passes.
    pub alpha: f64,
    /// How they score, at each look.
    #[serde(default)]
    pub looks: Vec<LookView>,
}

/// How honest programmes score once an account has so many exchanges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LookView {
    /// The look.
    pub exchanges: u32,
    /// Honest programmes that have reached it.
    pub compared: usize,
    /// The least p that so many can show.
    pub floor: f64,
    /// Where the first bin begins.
    pub from: f64,
    /// How wide each is.
    pub step: f64,
    /// Programmes in each; one of four accounts of a programme is a quarter of it.
    pub programmes: Vec<f64>,
}

/// Accounts that run one programme.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RingView {
    /// How surely the accounts belong together; larger is surer.
    pub score: f64,
    /// What the score is made of, as sentences.
    pub reasons: Vec<String>,
    /// Beginnings of prompts that the accounts share, already cut short.
    #[serde(default)]
    pub shared: Vec<String>,
    /// The accounts.
    pub members: Vec<MemberView>,
    /// The programme's stable name.
    #[serde(default)]
    pub programme: String,
    /// The chance that a report on unrelated accounts names any such gathering, at most.
    #[serde(default)]
    pub bound: f64,
    /// The strongest reason, short.
    #[serde(default)]
    pub because: String,
    /// What the programme asks for, among honest programmes.
    #[serde(default)]
    pub intent: Option<RankView>,
    /// What else links the accounts.
    #[serde(default)]
    pub edges: Vec<EdgeView>,
    /// All that may follow.
    #[serde(default)]
    pub may: MayView,
}

impl RingView {
    /// Exchanges of all its accounts.
    pub fn exchanges(&self) -> u64 {
        self.members.iter().map(|member| member.exchanges).sum()
    }
}

/// One account of a ring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MemberView {
    /// Which.
    pub account: String,
    /// How strongly it is tied to the others.
    pub score: f64,
    /// Its exchanges.
    pub exchanges: u64,
}

/// One kind of link between the accounts of a ring.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EdgeView {
    /// Which, for example `payment`.
    pub kind: String,
    /// False when what it rests on is not known.
    pub known: bool,
    /// Share of random sets of accounts that show as much; 1 when not known.
    pub p: f64,
    /// The same in words.
    pub said: String,
}

/// One account by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SuspectView {
    /// Which.
    pub account: String,
    /// Its exchanges.
    pub exchanges: u64,
    /// What its most suspicious programme scores; comparable only under one population.
    pub statistic: f64,
    /// The look at which it is compared: exchanges that it has reached.
    pub look: u32,
    /// How often honest accounts score as high.
    pub rank: RankView,
    /// How often honest accounts ever show so small a p, over all looks.
    pub anytime: f64,
    /// Whose peers it seems to be.
    pub peers: String,
    /// The strongest reason, short.
    pub because: String,
    /// All that may follow.
    pub may: MayView,
    /// Why, in words with figures.
    pub reasons: Vec<String>,
}
