//! Is this a campaign that we know?
//!
//! The prompts of an account that was found to harvest, by people and after
//! it was heard, repeat fixed wording that honest accounts do not use. A
//! [`Campaign`] keeps the hashes of that wording, programme by programme, and
//! no text. A [`Matcher`] holds many campaigns and says of each prompt whether
//! it belongs to one; a [`Tally`] says when an account sent enough of them.
//! Before a campaign acts it is tried on accounts that are cleared
//! ([`Trial`]), and one that fires on them is refused.
//!
//! The hashes are made under a key that everybody knows, because houses share
//! these files. So whoever guesses a wording can ask whether a file holds it;
//! a file tells nobody a wording that he does not guess.
//!
//! # Source
//! Measured on recorded traffic, never on the sources of the same lineage:
//! `simulation::known_campaigns`. Every shingle counts here, not one in three
//! as in profiles: a frame of a dozen words must be enough.

mod back_test;
mod form;
mod make;
mod matcher;

use std::collections::BTreeSet;
use std::fmt;

use facts::Timestamp;

use crate::sketch::{SketchKey, shingles};
use crate::text;

pub use back_test::{BackTest, Demand, Fired, Overreach, Trial};
pub use make::{MakeError, NewCampaign, carried_widely, make};
pub use matcher::{Hit, Matcher, PromptMatch, Tally};

/// Programmes in one campaign.
pub const PROGRAMMES_MAX: usize = 32;
/// Hashes of one programme.
pub const HASHES_MAX: usize = 256;
/// Prompts that a rule may look back on: what a tally remembers of a campaign.
pub const WITHIN_MAX: u32 = 200;

/// The key that all houses share.
pub fn public_key() -> SketchKey {
    SketchKey::new(*b"fairhold campaig")
}

/// Every shingle of a conversation under the public key, ascending, each once: what a
/// [`Matcher`] reads.
pub fn campaign_hashes(prompt: &[(String, String)]) -> Vec<u64> {
    let key = public_key();
    let mut out: Vec<u64> = text::pieces(prompt)
        .iter()
        .flat_map(|piece| shingles(key, piece))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The name of a campaign by its hashes: the same in every house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CampaignId(pub u64);

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// When a prompt and when an account match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Hashes of one programme that a prompt must carry.
    pub hashes_min: u32,
    /// The same as a share of the programme's hashes, in percent.
    pub hashes_percent: u32,
    /// Matching prompts that an account must have sent...
    pub prompts_min: u32,
    /// ...among so many prompts in a row.
    pub prompts_within: u32,
}

impl Rule {
    /// Nine words in a row and a fifth of the frame; three prompts among twenty, so that an
    /// account of five exchanges can match and cover traffic of 80 % does not hide one. Chosen on
    /// the development pool among nine that all had no false match.
    pub const STANDARD: Self = Self {
        hashes_min: 5,
        hashes_percent: 20,
        prompts_min: 3,
        prompts_within: 20,
    };

    fn holds(self) -> bool {
        let hashes = u32::try_from(HASHES_MAX).unwrap_or(u32::MAX);
        (3..=hashes).contains(&self.hashes_min)
            && self.hashes_percent <= 100
            && (2..=self.prompts_within).contains(&self.prompts_min)
            && self.prompts_within <= WITHIN_MAX
    }

    /// Whether a prompt that carries `shared` of a programme's `of` hashes belongs to it.
    pub fn matches(self, shared: usize, of: usize) -> bool {
        let least = usize::try_from(self.hashes_min).unwrap_or(usize::MAX);
        let percent = usize::try_from(self.hashes_percent).unwrap_or(100);
        shared >= least && shared * 100 >= percent * of
    }
}

/// The fixed wording of one prompt programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProgramme {
    /// Prompts of the confirmed accounts that run it.
    pub prompts: u64,
    /// Its hashes, ascending.
    pub hashes: Vec<u64>,
}

/// Of what a campaign was made, in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeFrom {
    /// Confirmed accounts.
    pub accounts: u64,
    /// Their exchanges.
    pub exchanges: u64,
    /// Different prompts among them.
    pub prompts: u64,
}

/// What a campaign is made of, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignParts {
    /// What people call it: 1 to 64 letters, digits and `-_.`.
    pub name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Of what.
    pub made_from: MadeFrom,
    /// When it matches.
    pub rule: Rule,
    /// Its programmes.
    pub programmes: Vec<KnownProgramme>,
    /// How it did on cleared accounts, once it was activated.
    pub back_test: Option<BackTest>,
}

/// Why something is no campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CampaignError {
    /// The bytes are not the one form that is written.
    Form(String),
    /// The name cannot be typed.
    Name(String),
    /// It ends before it begins.
    Times,
    /// The rule would match by chance, or never.
    Rule,
    /// None, or more than [`PROGRAMMES_MAX`].
    Programmes(usize),
    /// A programme's hashes, from 1: too few to match, too many, unsorted or twice.
    Hashes(usize),
    /// The back-test counts more accounts fired on than read.
    BackTest,
}

impl fmt::Display for CampaignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(why) => write!(f, "read the campaign: {why}"),
            Self::Name(name) => write!(
                f,
                "name the campaign: `{name}` must be 1 to 64 letters, digits, `-`, `_` or `.`"
            ),
            Self::Times => write!(
                f,
                "date the campaign: it must expire after it was made, and both within the years 1970 to 9999"
            ),
            Self::Rule => write!(
                f,
                "read the campaign's rule: it needs 3 hashes or more of each prompt, and 2 prompts or more among at most {WITHIN_MAX}"
            ),
            Self::Programmes(n) => write!(
                f,
                "read the campaign: it holds {n} programmes, from 1 to {PROGRAMMES_MAX} are allowed"
            ),
            Self::Hashes(n) => write!(
                f,
                "read programme {n}: it needs as many hashes as its rule asks for and at most {HASHES_MAX}, ascending, each once"
            ),
            Self::BackTest => write!(
                f,
                "read the back-test: it fired on more accounts than it read"
            ),
        }
    }
}

impl std::error::Error for CampaignError {}

/// The last moment that has four digits of year.
const LAST: Timestamp = Timestamp(253_402_300_799_999);

/// A campaign that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    parts: CampaignParts,
}

impl Campaign {
    /// Checks the parts.
    ///
    /// # Errors
    /// [`CampaignError`] naming what does not hold.
    pub fn new(parts: CampaignParts) -> Result<Self, CampaignError> {
        let named = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=64).contains(&parts.name.len()) || !parts.name.chars().all(named) {
            let shown = parts.name.chars().take(80).collect();
            return Err(CampaignError::Name(shown));
        }
        let years = Timestamp(0)..=LAST;
        if parts.expires_at <= parts.made_at
            || !years.contains(&parts.made_at)
            || !years.contains(&parts.expires_at)
        {
            return Err(CampaignError::Times);
        }
        if !parts.rule.holds() {
            return Err(CampaignError::Rule);
        }
        if !(1..=PROGRAMMES_MAX).contains(&parts.programmes.len()) {
            return Err(CampaignError::Programmes(parts.programmes.len()));
        }
        let least = usize::try_from(parts.rule.hashes_min).unwrap_or(usize::MAX);
        for (n, programme) in parts.programmes.iter().enumerate() {
            let sorted = programme.hashes.is_sorted_by(|a, b| a < b);
            if !sorted || !(least..=HASHES_MAX).contains(&programme.hashes.len()) {
                return Err(CampaignError::Hashes(n + 1));
            }
        }
        if parts.back_test.is_some_and(|t| t.fired > t.accounts) {
            return Err(CampaignError::BackTest);
        }
        Ok(Self { parts })
    }

    /// What it is made of.
    pub fn parts(&self) -> &CampaignParts {
        &self.parts
    }

    /// The same campaign with the result of its back-test.
    ///
    /// # Errors
    /// [`CampaignError::BackTest`] when the result cannot be.
    pub fn tested(&self, result: BackTest) -> Result<Self, CampaignError> {
        let mut parts = self.parts.clone();
        parts.back_test = Some(result);
        Self::new(parts)
    }

    /// Its name by its hashes.
    pub fn id(&self) -> CampaignId {
        let mut bytes = Vec::new();
        for programme in &self.parts.programmes {
            bytes.extend_from_slice(&(programme.hashes.len() as u64).to_le_bytes());
            for hash in &programme.hashes {
                bytes.extend_from_slice(&hash.to_le_bytes());
            }
        }
        CampaignId(public_key().hash(&bytes))
    }

    /// Different hashes over all programmes.
    pub fn hashes(&self) -> usize {
        let programmes = self.parts.programmes.iter();
        let all: BTreeSet<u64> = programmes.flat_map(|p| p.hashes.iter().copied()).collect();
        all.len()
    }

    /// Why an account matches, with the figures.
    pub fn explain(&self, hit: &Hit) -> String {
        let parts = &self.parts;
        let tried = match parts.back_test {
            Some(test) => format!(
                "Before it was activated it fired on {} of {} cleared accounts (95 % interval {:.2} % to {:.2} %)",
                test.fired,
                test.accounts,
                test.interval().0 * 100.0,
                test.interval().1 * 100.0
            ),
            None => "It was not tried on cleared accounts".to_owned(),
        };
        let shares: Vec<String> = hit
            .programmes
            .iter()
            .filter_map(|n| Some((n, parts.programmes.get(*n)?)))
            .map(|(n, p)| format!("programme {} ({} hashes)", n + 1, p.hashes.len()))
            .collect();
        format!(
            "{} of the account's last {} prompts carry the fixed wording of campaign `{}`, {}: at \
             least {} hashes and {} % of a programme, in {} prompts of {}. The campaign was made \
             of {} prompts of {} confirmed accounts on {}. {tried}.",
            hit.matched,
            hit.within,
            parts.name,
            shares.join(", "),
            parts.rule.hashes_min,
            parts.rule.hashes_percent,
            parts.rule.prompts_min,
            parts.rule.prompts_within,
            parts.made_from.prompts,
            parts.made_from.accounts,
            parts.made_at.rfc3339()
        )
    }
}

#[cfg(test)]
mod tests;
