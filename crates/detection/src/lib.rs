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

pub mod bounds;
pub mod campaign;
mod catalogue;
mod detect;
mod explain;
mod gather;
mod partition;
mod profile;
mod programme;
mod report;
mod settings;
mod sketch;
mod text;

pub use catalogue::Catalogue;
pub use detect::{detect, detect_profiles};
pub use partition::Partition;
pub use profile::{KeyMismatch, Profile, Profiles, SAMPLE_MAX};
pub use report::{Cluster, Report};
pub use settings::{Background, Settings};
pub use sketch::{SCALE, SHINGLE, SketchKey, prompt_sketch, shingles};
pub use text::normalised;
