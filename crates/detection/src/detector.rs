//! A head with its calibration, as a file; and what it says of an account.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::{Account, Frame, Sums};
use crate::calibration::{Calibration, HonestProgramme, LOOKS, Rank};
use crate::cues::{CUES, Cue};
use crate::intent::{Head, Intent, Peers};

/// The file that is shipped: trained and calibrated on the sources its manifest names.
const SHIPPED: &str = include_str!("../model/detector.json");

/// The form of the file.
const FORMAT: &str = "fairhold.detector/1";

/// What accounts are tested with.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    /// What programmes are scored by.
    pub head: Head,
    /// Honest programmes that they are compared with.
    pub calibration: Calibration,
    /// What it was made of.
    pub manifest: Manifest,
}

/// What a detector was made of: names, counts and digests, no text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The seed of its draws.
    pub seed: u64,
    /// Where the honest programmes come from, in words.
    pub population: String,
    /// The sources.
    pub sources: Vec<SourceFacts>,
}

/// One source of a detector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFacts {
    /// Its name.
    pub source: String,
    /// Whether it is a harvest.
    pub harvest: bool,
    /// Its exchanges, each once.
    pub exchanges: usize,
    /// SHA-256 of the file it was read from.
    pub sha256: String,
}

/// A detector's file cannot be read.
#[derive(Debug)]
pub struct DetectorError(String);

impl fmt::Display for DetectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "read the detector: {}; make it anew with `fairhold calibrate`",
            self.0
        )
    }
}

impl std::error::Error for DetectorError {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    manifest: Manifest,
    bias: f64,
    cues: BTreeMap<String, CueFacts>,
    programmes: Vec<ProgrammeFacts>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CueFacts {
    mean: f64,
    spread: f64,
    weight: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgrammeFacts {
    source: String,
    peers: String,
    /// Statistic at each look; null where the programme is too small for it.
    accounts: Vec<[Option<f64>; LOOKS.len()]>,
}

impl Detector {
    /// The one that is shipped.
    ///
    /// # Errors
    /// [`DetectorError`] never in a released build: a test reads it.
    pub fn shipped() -> Result<Self, DetectorError> {
        Self::parse(SHIPPED)
    }

    /// Reads a detector's file.
    ///
    /// # Errors
    /// [`DetectorError`] saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, DetectorError> {
        let file: File = serde_json::from_str(text).map_err(|e| DetectorError(e.to_string()))?;
        let failed = |why: &str| Err(DetectorError(why.to_owned()));
        if file.format != FORMAT {
            return failed(&format!("its format is `{}`, not `{FORMAT}`", file.format));
        }
        let mut head = Head {
            mean: [0.0; CUES],
            spread: [1.0; CUES],
            weight: [0.0; CUES],
            bias: file.bias,
        };
        if file.cues.len() != CUES {
            return failed("it was made for other cues");
        }
        for cue in Cue::ALL {
            let Some(facts) = file.cues.get(cue.name()) else {
                return failed(&format!("it says nothing of the cue `{}`", cue.name()));
            };
            let sound = [facts.mean, facts.spread, facts.weight]
                .iter()
                .all(|x| x.is_finite());
            if !sound || facts.spread <= 0.0 || !cue.may_weigh(facts.weight) {
                return failed(&format!("the cue `{}` cannot weigh that", cue.name()));
            }
            head.set(cue, facts.mean, facts.spread, facts.weight);
        }
        let programmes: Result<Vec<HonestProgramme>, DetectorError> =
            file.programmes.into_iter().map(programme).collect();
        Ok(Self {
            head,
            calibration: Calibration::new(programmes?),
            manifest: file.manifest,
        })
    }

    /// The detector's file.
    ///
    /// # Errors
    /// [`DetectorError`] when a number is not finite.
    pub fn to_text(&self) -> Result<String, DetectorError> {
        let rounded = |x: f64| (x * 1e6).round() / 1e6;
        let cues = Cue::ALL.map(|cue| {
            let (mean, spread, weight) = self.head.of(cue);
            let facts = CueFacts {
                mean: rounded(mean),
                spread: rounded(spread),
                weight: rounded(weight),
            };
            (cue.name().to_owned(), facts)
        });
        let programmes = self
            .calibration
            .programmes()
            .iter()
            .map(|p| ProgrammeFacts {
                source: p.source.clone(),
                peers: p.peers.word().to_owned(),
                accounts: p
                    .accounts
                    .iter()
                    .map(|looks| looks.map(|s| s.is_finite().then(|| rounded(s))))
                    .collect(),
            });
        let file = File {
            format: FORMAT.to_owned(),
            manifest: self.manifest.clone(),
            bias: rounded(self.head.bias),
            cues: cues.into(),
            programmes: programmes.collect(),
        };
        serde_json::to_string(&file).map_err(|e| DetectorError(e.to_string()))
    }

    /// What can be said of an account now; nothing before its first look.
    ///
    /// `least` is the least p of its earlier looks, if it had any; `declared` the peers of the
    /// purpose that it declares.
    pub fn judge(
        &self,
        account: &Account,
        declared: Option<Peers>,
        least: Option<f64>,
    ) -> Option<Judgement> {
        let look = Calibration::look(account.seen())?;
        let intent = self.head.intent(account);
        let rank = self.calibration.rank(intent.statistic, look, declared);
        let least = least.unwrap_or(1.0).min(rank.p);
        Some(Judgement {
            intent,
            look: LOOKS.get(look).copied().unwrap_or_default(),
            rank,
            least,
            anytime: self.calibration.anytime(least),
            inferred: self.head.peers(account.whole()),
        })
    }

    /// The sums of the programme that an intent names.
    pub fn sums<'a>(&self, account: &'a Account, frame: Option<Frame>) -> &'a Sums {
        let named = frame.and_then(|frame| account.frames().find(|(f, _)| *f == frame));
        named.map_or(account.whole(), |(_, sums)| sums)
    }
}

fn programme(facts: ProgrammeFacts) -> Result<HonestProgramme, DetectorError> {
    let peers = Peers::parse(&facts.peers)
        .ok_or_else(|| DetectorError(format!("there are no peers `{}`", facts.peers)))?;
    Ok(HonestProgramme {
        source: facts.source,
        peers,
        accounts: facts
            .accounts
            .into_iter()
            .map(|looks| looks.map(|s| s.unwrap_or(f64::NAN)))
            .collect(),
    })
}

/// What one look at an account says. Intent alone: no more than a reason to watch or to ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// The statistic and the programme that carries it.
    pub intent: Intent,
    /// The look: exchanges that the account had reached.
    pub look: u32,
    /// How often honest accounts score as high at this look.
    pub rank: Rank,
    /// The least p of this and all earlier looks.
    pub least: f64,
    /// How often honest accounts ever show a p as small as [`Judgement::least`], over all looks.
    pub anytime: Rank,
    /// Whose peers it seems to be.
    pub inferred: Peers,
}

#[cfg(test)]
mod tests;
