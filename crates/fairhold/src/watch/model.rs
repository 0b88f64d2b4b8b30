//! What accounts are tested with here: the deployment's own detector where
//! `fairhold calibrate` made one, else the one that is shipped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use detection::{Detector, LOOKS};
use sha2::{Digest as _, Sha256};

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

/// Detectors that judged somebody, each under its digest: a calibration may be replaced, what was
/// said with it must be made again with it.
const KEPT: &str = "detectors";

/// A detector's file and its SHA-256, which records of the log name.
///
/// # Errors
/// In words.
pub(crate) fn text(detector: &Detector) -> Result<(String, [u8; 32]), String> {
    let text = detector.to_text().map_err(|e| format!("failed to {e}"))?;
    let digest = Sha256::digest(&text).into();
    Ok((text, digest))
}

fn kept_path(folder: &Path, digest: &[u8; 32]) -> PathBuf {
    let name = format!("{}.json", hex::encode(digest));
    folder.join(KEPT).join(name)
}

/// Keeps a detector that judges somebody; gives the SHA-256 of its file.
///
/// # Errors
/// In words, when it cannot be written.
pub(crate) fn keep(folder: &Path, detector: &Detector) -> Result<[u8; 32], String> {
    let (text, digest) = text(detector)?;
    let path = kept_path(folder, &digest);
    if !path.exists() {
        let failed = |e: std::io::Error| format!("failed to keep `{}`: {e}", path.display());
        std::fs::create_dir_all(folder.join(KEPT)).map_err(failed)?;
        let part = path.with_extension("part");
        std::fs::write(&part, text).map_err(failed)?;
        std::fs::rename(&part, &path).map_err(failed)?;
    }
    Ok(digest)
}

/// The file of a detector that judged somebody; none when it is not there as it was.
pub(crate) fn kept(folder: &Path, digest: &[u8; 32]) -> Option<String> {
    let text = std::fs::read_to_string(kept_path(folder, digest)).ok()?;
    (Sha256::digest(&text)[..] == digest[..]).then_some(text)
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
