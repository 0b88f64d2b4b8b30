//! With whom are accounts compared? This house's own cleared accounts, where
//! they were made into a detector, else the honest programmes that are shipped.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use detection::Detector;

/// The detector's file in the data folder.
pub(crate) const FILE: &str = "detector.json";

/// A detector, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Population {
    /// What accounts are tested with.
    pub(crate) detector: Arc<Detector>,
    /// Whether it is this house's own.
    pub(crate) own: bool,
}

impl Population {
    /// The data folder's own, where it has one, else the shipped one.
    ///
    /// # Errors
    /// In words, when the folder's own cannot be read: to compare with others
    /// than those that were decided upon would be to answer another question.
    pub(crate) fn of(data: &Path) -> Result<Self, String> {
        let path = data.join(FILE);
        let failed = |why: &dyn std::fmt::Display| {
            format!(
                "failed to read `{}`: {why}; remove it to compare with the shipped population",
                path.display()
            )
        };
        let (detector, own) = match std::fs::read_to_string(&path) {
            Ok(text) => (Detector::parse(&text).map_err(|e| failed(&e))?, true),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let shipped = Detector::shipped();
                (shipped.map_err(|e| format!("failed to {e}"))?, false)
            }
            Err(e) => return Err(failed(&e)),
        };
        Ok(Self {
            detector: Arc::new(detector),
            own,
        })
    }
}

#[cfg(test)]
mod tests;
