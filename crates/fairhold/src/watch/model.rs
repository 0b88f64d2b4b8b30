//! What accounts are tested with here: the deployment's own detector where
//! `fairhold calibrate` made one, else the one that is shipped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use detection::{Detector, LOOKS};

use crate::failure::Failure;
use crate::population::{self, Population};

/// Where a deployment keeps its own.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join(population::FILE)
}

/// The least p that a detector can tell at each look, in the order of [`LOOKS`].
pub(crate) fn reach_at_looks(detector: &Detector) -> [f64; LOOKS.len()] {
    std::array::from_fn(|look| detector.calibration.rank(f64::INFINITY, look, None).p)
}

/// The least chance that it can tell over all looks.
pub(crate) fn reach(detector: &Detector) -> f64 {
    let least = reach_at_looks(detector).into_iter().fold(1.0, f64::min);
    detector.calibration.anytime(least).p
}

/// When the deployment's own detector was written, if it has one.
pub(crate) fn written(folder: &Path) -> Option<SystemTime> {
    std::fs::metadata(path(folder)).ok()?.modified().ok()
}

/// The detector of a data folder.
pub(crate) fn load(folder: &Path) -> Result<Detector, Failure> {
    let found = Population::of(folder).map_err(Failure::error)?;
    Ok(Arc::unwrap_or_clone(found.detector))
}
