//! Which files are read when folders are named?

use std::fs::FileType;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::out::Out;

/// Endings of files that are read when their folder is named.
const ENDINGS: [&str; 3] = ["jsonl", "json", "zst"];
/// Skipped files that are told one by one.
const SKIPPED_TOLD: usize = 20;
/// Folders in folders; a deeper one is no log's.
const DEPTH_MAX: usize = 32;

/// Files to read, in order, and those that were passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// To be read.
    pub(crate) files: Vec<PathBuf>,
    /// Their bytes on the disk.
    pub(crate) bytes: u64,
    /// Passed over, with the reason.
    pub(crate) skipped: Vec<(PathBuf, &'static str)>,
    /// Whether a folder was named.
    folders: bool,
}

impl Listing {
    /// Every file of `paths` as it is, and every log in the folders among them, by name, however
    /// deep. Links in folders are not followed: they may lead in a circle.
    pub(crate) fn of(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut listing = Self::default();
        for path in paths {
            let found = std::fs::metadata(path).map_err(|e| failed(path, &e))?;
            if found.is_dir() {
                listing.folders = true;
                listing.folder(path, 0)?;
            } else {
                listing.files.push(path.clone());
                listing.bytes = listing.bytes.saturating_add(found.len());
            }
        }
        // Nothing asked for is nothing to miss.
        if listing.files.is_empty() && !paths.is_empty() {
            let named: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            listing.nothing(&named.join("`, `"))?;
        }
        Ok(listing)
    }

    fn nothing(&self, named: &str) -> Result<(), Failure> {
        Err(Failure::error(format!(
            "`{named}` holds no log ({} other files): logs end in .jsonl, .json or .zst; name a \
             file itself to read it whatever its ending",
            self.skipped.len()
        )))
    }

    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), Failure> {
        let entries = std::fs::read_dir(path).map_err(|e| failed(path, &e))?;
        let mut found: Vec<(PathBuf, FileType, u64)> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| failed(path, &e))?;
            let kind = entry.file_type().map_err(|e| failed(path, &e))?;
            let bytes = entry.metadata().map_or(0, |m| m.len());
            found.push((entry.path(), kind, bytes));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, kind, bytes) in found {
            if kind.is_dir() && depth < DEPTH_MAX {
                self.folder(&path, depth + 1)?;
            } else if let Some(why) = passed_over(&path, kind) {
                self.skipped.push((path, why));
            } else {
                self.bytes = self.bytes.saturating_add(bytes);
                self.files.push(path);
            }
        }
        Ok(())
    }

    /// Tells what a named folder gave, and what was passed over in it.
    pub(crate) fn tell(&self, out: Out) {
        if !self.folders {
            return;
        }
        out.say(&format!("{} files to read", self.files.len()));
        for (path, why) in self.skipped.iter().take(SKIPPED_TOLD) {
            out.say(&format!("skipped {}: {why}", path.display()));
        }
        let untold = self.skipped.len().saturating_sub(SKIPPED_TOLD);
        if untold > 0 {
            out.say(&format!("... and {untold} more"));
        }
    }
}

fn passed_over(path: &Path, kind: FileType) -> Option<&'static str> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    if kind.is_symlink() {
        Some("a link; name the file itself to read it")
    } else if kind.is_dir() {
        Some("too many folders in folders; name it itself to read it")
    } else if ENDINGS.contains(&ending) {
        None
    } else if matches!(ending, "gz" | "bz2" | "xz" | "zip" | "tar") {
        Some("unpack it first, or compress it with zstd")
    } else {
        Some("not a .jsonl, .json or .zst file")
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(format!("failed to read `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests;
