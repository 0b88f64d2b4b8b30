//! The high-water mark: what was signed last, in a file beside the database.
//!
//! A database that is restored from an old copy does not know what was signed
//! since. This file does, as long as it is not restored with it; and where it
//! is, a witness knows.

use std::path::{Path, PathBuf};

use evidence::checkpoint::Checkpoint;
use evidence::merkle::Hash;
use store::write_atomically;

const FILE: &str = "log.mark";
const HEAD: &str = "fairhold log.mark 1";

/// What was signed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The root log's epoch.
    pub(crate) epoch: u64,
    /// Its name in that epoch, its size and root.
    pub(crate) checkpoint: Checkpoint,
}

impl Mark {
    /// What it says of an epoch.
    pub(crate) fn of(epoch: u64, origin: &str, size: u64, root: Hash) -> Self {
        Self {
            epoch,
            checkpoint: Checkpoint {
                origin: origin.to_owned(),
                size,
                root,
            },
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{HEAD}\nepoch {}\n{}", self.epoch, self.checkpoint.body())
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HEAD)?.strip_prefix("\nepoch ")?;
        let (epoch, body) = rest.split_once('\n')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            checkpoint: Checkpoint::parse(body).ok()?,
        })
    }
}

/// The file of a data folder.
#[derive(Debug, Clone)]
pub(crate) struct MarkFile(PathBuf);

impl MarkFile {
    /// In this folder.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// What it says; none when it is not there.
    ///
    /// # Errors
    /// In words, when it cannot be read: it must not be taken for absent.
    pub(crate) fn read(&self) -> Result<Option<Mark>, String> {
        let place = self.0.display();
        match std::fs::read_to_string(&self.0) {
            Ok(text) => Mark::parse(&text).map(Some).ok_or_else(|| {
                format!("`{place}` is damaged: restore it from the newest backup, or delete it if every witness was asked")
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("`{place}` cannot be read: {e}")),
        }
    }

    /// Replaces it as a whole; durable when this returns.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn write(&self, mark: &Mark) -> Result<(), String> {
        let text = mark.text();
        let path = self.0.clone();
        let written =
            tokio::task::spawn_blocking(move || write_atomically(&path, text.as_bytes(), 0o600));
        let place = self.0.display();
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(format!("`{place}` cannot be written: {e}")),
            Err(e) => Err(format!("`{place}` was not written: {e}")),
        }
    }
}
