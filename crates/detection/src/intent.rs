//! How much do an account's programmes look like a harvest's?
//!
//! A linear head over the average levels of cues. What each cue may say is
//! fixed beforehand: a cue of making data can only speak for a harvest, a
//! cue of asking for oneself only against it, grading never for it (honest
//! evaluation grades too), and what merely tells long prompts from short
//! ones says nothing. Only *how much* each says is learned. On campaigns
//! that were never seen this beats every freer model that was tried
//! (docs/decisions/0008).
//!
//! The account's statistic is the greatest over its programmes: pooling an
//! account is blind to a harvest that hides in a tenth of it.

use crate::account::{Account, Frame, Sums};
use crate::bounds::real;
use crate::cues::{CUES, Cue};

/// Programmes of fewer prompts are not looked at.
pub const PROGRAMME_MIN: u32 = 4;

/// Nor are those that hold less than one in so many of the account's prompts: with more frames
/// to look at, the greatest of them would grow with the account.
pub(crate) const PROGRAMMES_MAX: u32 = 20;

/// So many average honest prompts are added to each programme before it is scored: a programme
/// of few prompts must be the clearer.
const HONEST: f64 = 4.0;

/// No cue counts for more than so many standard deviations.
const CLIP: f64 = 3.0;

/// What a cue may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Only for a harvest.
    For,
    /// Only against one.
    Against,
    /// Nothing.
    Neither,
}

impl Cue {
    /// What it may say.
    pub fn speaks(self) -> Speaks {
        match self {
            Self::Generate
            | Self::DataNoun
            | Self::Quantity
            | Self::Diversity
            | Self::Model
            | Self::Prompt
            | Self::Rewrite
            | Self::Simulate
            | Self::Party
            | Self::Constraint
            | Self::Quality
            | Self::Training
            | Self::MakesData
            | Self::RewritesPrompt
            | Self::CountsData
            | Self::VariesData
            | Self::PosesAsParty
            | Self::OpenEnd
            | Self::NothingElse => Speaks::For,
            Self::FirstPerson
            | Self::QuestionWord
            | Self::LabelOnly
            | Self::Option
            | Self::Context
            | Self::Application
            | Self::Database
            | Self::Code
            | Self::Mathematics
            | Self::Service
            | Self::QuestionMarks
            | Self::Creative
            | Self::Polite
            | Self::Rubric
            | Self::Compare
            | Self::GradesAnswer => Speaks::Against,
            Self::Write
            | Self::Field
            | Self::Reasoning
            | Self::Format
            | Self::SecondPerson
            | Self::Education
            | Self::Medicine
            | Self::Example
            | Self::Given
            | Self::Topic
            | Self::Audience
            | Self::Tool
            | Self::Lines
            | Self::LabelLines
            | Self::NumberedLines
            | Self::BulletLines
            | Self::Dividers
            | Self::Slots
            | Self::Punctuated
            | Self::Quotes
            | Self::Numbers
            | Self::Capitals
            | Self::Length
            | Self::Richness => Speaks::Neither,
        }
    }
}

impl Cue {
    /// Whether this weight has the sign that the cue may have.
    pub fn may_weigh(self, weight: f64) -> bool {
        match self.speaks() {
            Speaks::For => weight >= 0.0,
            Speaks::Against => weight <= 0.0,
            Speaks::Neither => weight == 0.0,
        }
    }
}

/// What each cue is measured against and how much it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Mean level over honest programmes.
    pub mean: [f64; CUES],
    /// Spread of mean levels over programmes; greater than 0.
    pub spread: [f64; CUES],
    /// What it says; its sign is that of [`Cue::speaks`].
    pub weight: [f64; CUES],
    /// What an average honest programme scores.
    pub bias: f64,
}

/// What the most suspicious programme of an account scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intent {
    /// The statistic; no unit, comparable only under one head.
    pub statistic: f64,
    /// Which frame, or the account as a whole.
    pub frame: Option<Frame>,
    /// Prompts of that programme.
    pub exchanges: u32,
}

impl Head {
    /// Mean, spread and weight of a cue.
    pub fn of(&self, cue: Cue) -> (f64, f64, f64) {
        let at = |of: &[f64; CUES]| of.get(cue.place()).copied().unwrap_or_default();
        (at(&self.mean), at(&self.spread), at(&self.weight))
    }

    /// Sets them.
    pub fn set(&mut self, cue: Cue, mean: f64, spread: f64, weight: f64) {
        let place = cue.place();
        for (of, value) in [
            (&mut self.mean, mean),
            (&mut self.spread, spread),
            (&mut self.weight, weight),
        ] {
            if let Some(to) = of.get_mut(place) {
                *to = value;
            }
        }
    }

    /// Standard deviations of each cue from the honest mean, clipped, after shrinking.
    pub fn deviations(&self, sums: &Sums) -> [f64; CUES] {
        let n = f64::from(sums.exchanges);
        let mut out = [0.0; CUES];
        let each = sums.levels.iter().zip(&self.mean).zip(&self.spread);
        for (to, ((sum, mean), spread)) in out.iter_mut().zip(each) {
            let shrunk = (f64::from(*sum) / 256.0 + HONEST * mean) / (n + HONEST);
            *to = ((shrunk - mean) / spread).clamp(-CLIP, CLIP);
        }
        out
    }

    /// What a programme scores.
    pub fn score(&self, sums: &Sums) -> f64 {
        let parts = self.deviations(sums);
        let parts = parts.iter().zip(&self.weight);
        self.bias + parts.map(|(z, weight)| z * weight).sum::<f64>()
    }

    /// The most suspicious programme of an account.
    pub fn intent(&self, account: &Account) -> Intent {
        let whole = account.whole();
        let mut most = Intent {
            statistic: self.score(whole),
            frame: None,
            exchanges: whole.exchanges,
        };
        let least = PROGRAMME_MIN.max(whole.exchanges / PROGRAMMES_MAX);
        for (frame, sums) in account.frames() {
            if sums.exchanges < least {
                continue;
            }
            let statistic = self.score(sums);
            if statistic > most.statistic {
                most = Intent {
                    statistic,
                    frame: Some(frame),
                    exchanges: sums.exchanges,
                };
            }
        }
        most
    }

    /// What carried a programme's score, the greatest part first: the cue, what it adds, and its
    /// deviation from honest programmes in standard deviations.
    pub fn carried(&self, sums: &Sums) -> Vec<(Cue, f64, f64)> {
        let deviations = self.deviations(sums);
        let each = deviations.iter().zip(&self.weight).zip(Cue::ALL);
        let mut parts: Vec<(Cue, f64, f64)> = each
            .map(|((z, weight), cue)| (cue, z * weight, *z))
            .filter(|(_, adds, _)| *adds > 0.0)
            .collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        parts
    }
}

/// What an account is used for, as far as its prompts show: honest accounts are compared with
/// their peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peers {
    /// People who ask for themselves.
    Chat,
    /// Examinations and benchmarks.
    Evaluation,
    /// Programs.
    Code,
    /// Labels, fields and queries out of texts.
    Extraction,
    /// Answers and summaries out of given texts.
    Retrieval,
    /// Customers of a shop, a bank, a hotel.
    Service,
}

impl Peers {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Evaluation,
        Self::Code,
        Self::Extraction,
        Self::Retrieval,
        Self::Service,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Evaluation => "evaluation",
            Self::Code => "code",
            Self::Extraction => "extraction",
            Self::Retrieval => "retrieval",
            Self::Service => "service",
        }
    }

    /// The group of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peers| peers.word() == word)
    }

    fn signs(self) -> &'static [Cue] {
        match self {
            Self::Chat => &[Cue::FirstPerson, Cue::Polite, Cue::QuestionWord],
            Self::Evaluation => &[Cue::Option, Cue::Mathematics, Cue::Reasoning, Cue::Rubric],
            Self::Code => &[Cue::Code, Cue::Punctuated],
            Self::Extraction => &[Cue::Application, Cue::LabelOnly, Cue::Database],
            Self::Retrieval => &[Cue::Context, Cue::Length],
            Self::Service => &[Cue::Service, Cue::Party],
        }
    }
}

impl Head {
    /// The peers of an account that declares no purpose.
    pub fn peers(&self, sums: &Sums) -> Peers {
        let z = self.deviations(sums);
        let strength = |peers: &Peers| {
            let signs = peers.signs();
            let sum: f64 = signs.iter().filter_map(|cue| z.get(cue.place())).sum();
            sum / real(signs.len())
        };
        Peers::ALL
            .into_iter()
            .max_by(|a, b| strength(a).total_cmp(&strength(b)).then_with(|| b.cmp(a)))
            .unwrap_or(Peers::Chat)
    }
}

#[cfg(test)]
pub(crate) mod tests;
