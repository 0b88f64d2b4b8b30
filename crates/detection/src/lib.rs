//! Who is harvesting, and how sure may we be?
//!
//! Volume says little: a harvest is spread over many small accounts. What
//! gives it away is that accounts which should be strangers run one *prompt
//! programme*: the same fixed parts around changing slots. This room
//! sketches prompts, takes each account apart into programmes, gathers
//! programmes across accounts and tests each gathering against honest
//! accounts, with a stated bound on accusing anyone innocent.
//!
//! It reads no clock, no file and no random source, and never decides on a
//! sanction: a [`Cluster`] is a finding with its reasons.
//!
//! # Source
//! Broder 1997 (shingles and containment); Irber et al. 2022 (`FracMinHash`);
//! Westfall and Young 1993, Tarone 1990 (discrete tests, many at once);
//! Clopper and Pearson 1934 (intervals).

#![forbid(unsafe_code)]

mod account;
pub mod bounds;
mod calibration;
pub mod campaign;
mod catalogue;
mod cues;
mod detect;
mod detector;
mod edges;
mod explain;
mod families;
mod gather;
mod intent;
mod partition;
mod profile;
mod programme;
mod reading;
mod report;
mod settings;
mod sketch;
mod standing;
mod suspect;
mod text;

pub use account::{Account, FRAMES, Frame, Sums, Unreadable, View, frames_of, level, levels};
pub use calibration::{Calibration, HonestProgramme, LOOKS, PEERS_MIN, Rank};
pub use catalogue::Catalogue;
pub use cues::{CUES, Counts, Cue};
pub use detect::{PROMPTS_EACH, detect, detect_profiles};
pub use detector::{Detector, DetectorError, Judgement, Manifest, SourceFacts};
pub use edges::{
    Activity, Edge, EdgeEvidence, Fleet, Kind as EdgeKind, Rules as EdgeRules, Traits, WINDOW_DAYS,
    holm,
};
pub use families::{Chance, Families, Given, Open};
pub use intent::{Head, Intent, PROGRAMME_MIN, Peers, Speaks};
pub use partition::Partition;
pub use profile::{KeyMismatch, PROMPTS_MAX, Profile, Profiles, SAMPLE_MAX};
pub use reading::{BINS, Reader, Reading};
pub use report::{Cluster, Report, Suspect};
pub use settings::{Background, Settings};
pub use sketch::{SCALE, SHINGLE, SketchKey, prompt_sketch, shingles};
pub use standing::{
    BackTested, Declaration, EdgePassed, IntentPassed, May, Mild, NotPassed, Notice,
    PartitionPassed, SketchMatch, Subject,
};
pub use text::normalised;
