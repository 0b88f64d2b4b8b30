//! By what is a match judged, and where was that measured?
//!
//! The shipped judge is a file of numbers that `cargo judge DIR` makes of the calibration split
//! of a folder of texts: audits, gates, certificates and the benchmark all judge by it.

use serde::{Deserialize, Serialize};

use crate::calibration::{Calibration, Tail};
use crate::corpus::{Measured, Rate};
use crate::normaliser::NORMALISER_VERSION;
use crate::verdict::{Fusion, Judge};

/// The version of the file.
const VERSION: u32 = 2;

/// A judge, how well it was measured to tell, and on what.
#[derive(Debug, Clone)]
pub struct Calibrated {
    /// The judge.
    pub judge: Judge,
    /// How well it tells, on texts that its thresholds were not set by.
    pub measured: Measured,
    /// Independent answers to the prompt of an output without control twins: how many look derived.
    pub same_prompt_alone: Rate,
    /// What it was measured on, in words.
    pub measured_on: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    normaliser: u16,
    measured_on: String,
    texts: f64,
    per_doubling: f64,
    weights: [f64; 3],
    unrelated_max: f64,
    independent_max: f64,
    unrelated: Values,
    independent: Values,
    alone: Values,
    same_prompt_alone: Counted,
    sensitivity: Counted,
    specificity: Counted,
}

#[derive(Serialize, Deserialize)]
struct Values {
    of: usize,
    largest: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Counted {
    hits: u64,
    of: u64,
}

/// Why a file is no judge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JudgeError {
    /// It is not of the form.
    Malformed {
        /// Why.
        why: String,
    },
    /// It is of another version of the form or of the normaliser.
    Version,
}

impl std::fmt::Display for JudgeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed { why } => write!(f, "read the judge: {why}"),
            Self::Version => f.write_str(
                "read the judge: it was made for another version; make it again with `cargo judge`",
            ),
        }
    }
}

impl std::error::Error for JudgeError {}

impl Calibrated {
    /// The shipped one.
    ///
    /// # Errors
    /// [`JudgeError`] when the file it was built with is not one; a test holds that it is.
    pub fn shipped() -> Result<Self, JudgeError> {
        Self::parse(include_str!("../model/judge.json"))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`JudgeError`] tells what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, JudgeError> {
        let malformed = |why: String| JudgeError::Malformed { why };
        let file: File = serde_json::from_str(json).map_err(|e| malformed(e.to_string()))?;
        if (file.version, file.normaliser) != (VERSION, NORMALISER_VERSION) {
            return Err(JudgeError::Version);
        }
        let shares = [file.unrelated_max, file.independent_max];
        if file.unrelated.largest.is_empty() || shares.iter().any(|s| *s <= 0.0 || *s >= 1.0) {
            return Err(malformed(
                "it needs measured values, and shares between 0 and 1".to_owned(),
            ));
        }
        let tail = |of: Values| Tail::from_parts(of.of, of.largest);
        let rate = |of: Counted| Rate {
            hits: of.hits.min(of.of),
            of: of.of,
        };
        Ok(Self {
            judge: Judge {
                fusion: Fusion {
                    weights: file.weights,
                },
                calibration: Calibration {
                    unrelated: tail(file.unrelated),
                    independent: tail(file.independent),
                    alone: tail(file.alone),
                },
                unrelated_max: file.unrelated_max,
                independent_max: file.independent_max,
                texts: file.texts,
                per_doubling: file.per_doubling,
            },
            measured: Measured {
                sensitivity: rate(file.sensitivity),
                specificity: rate(file.specificity),
            },
            same_prompt_alone: rate(file.same_prompt_alone),
            measured_on: file.measured_on,
        })
    }

    /// The file of it; the same numbers give the same bytes.
    ///
    /// # Errors
    /// [`JudgeError::Malformed`] when a number has no JSON form.
    pub fn to_json(&self) -> Result<String, JudgeError> {
        let values = |of: &Tail| Values {
            of: of.of(),
            largest: of
                .largest()
                .iter()
                .map(|v| (v * 1e3).round() / 1e3)
                .collect(),
        };
        let counted = |of: Rate| Counted {
            hits: of.hits,
            of: of.of,
        };
        let file = File {
            version: VERSION,
            normaliser: NORMALISER_VERSION,
            measured_on: self.measured_on.clone(),
            texts: self.judge.texts,
            per_doubling: self.judge.per_doubling,
            weights: self.judge.fusion.weights,
            unrelated_max: self.judge.unrelated_max,
            independent_max: self.judge.independent_max,
            unrelated: values(&self.judge.calibration.unrelated),
            independent: values(&self.judge.calibration.independent),
            alone: values(&self.judge.calibration.alone),
            same_prompt_alone: counted(self.same_prompt_alone),
            sensitivity: counted(self.measured.sensitivity),
            specificity: counted(self.measured.specificity),
        };
        let json = serde_json::to_string(&file)
            .map_err(|e| JudgeError::Malformed { why: e.to_string() })?;
        Ok(json + "\n")
    }

    /// Where the rates come from by which shares are corrected, in a sentence.
    pub fn rates(&self) -> String {
        let percent = |part: u64, of: u64| {
            let rate = Rate { hits: part, of };
            format!("{:.2} %", rate.value() * 100.0)
        };
        let Measured {
            sensitivity,
            specificity,
        } = self.measured;
        format!(
            "rates measured, not on this corpus, on {}: {} of {} derived documents missed, {} of {} human documents flagged; where an output has no control twins, \
             {} of {} independent answers to its prompt look derived from it",
            self.measured_on,
            percent(sensitivity.of - sensitivity.hits, sensitivity.of),
            sensitivity.of,
            percent(specificity.of - specificity.hits, specificity.of),
            specificity.of,
            percent(self.same_prompt_alone.hits, self.same_prompt_alone.of),
            self.same_prompt_alone.of
        )
    }
}

#[cfg(test)]
mod tests;
