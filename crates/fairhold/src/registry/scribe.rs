//! The writer of a registry as who follows the log has it: in this process or in one of its own, the
//! same answers to the same asks.
//!
//! A writer is lost when it failed, when its process ended, or when whoever waited for its answer
//! did not wait to the end: what it held is not written then. It is opened again, and says how
//! far its registry was written.

use std::path::{Path, PathBuf};

use super::apart::{Line, Starts};
use super::writer::{Ask, Done, Writer};
use super::{Folder, RegistryError};

enum Live {
    Here(Box<Writer>),
    Apart(Box<Line>),
}

/// Where a registry is and who writes it.
pub(crate) struct Scribe {
    registry: PathBuf,
    /// What its key is known by: another registry in its place is not written.
    key: String,
    /// How its process is started; none: it is in this one.
    apart: Option<Starts>,
    live: Option<Live>,
}

impl Scribe {
    /// A writer in this process, which is there.
    pub(crate) fn here(writer: Writer) -> Self {
        Self {
            registry: writer.folder().path().to_path_buf(),
            key: writer.folder().key_name(),
            apart: None,
            live: Some(Live::Here(Box::new(writer))),
        }
    }

    /// A writer in a process of its own, which is not started yet.
    pub(crate) fn apart(folder: &Folder, starts: Starts) -> Self {
        Self {
            registry: folder.path().to_path_buf(),
            key: folder.key_name(),
            apart: Some(starts),
            live: None,
        }
    }

    /// Whether there is no writer, so that it must be opened (again).
    pub(crate) fn is_lost(&self) -> bool {
        self.live.is_none()
    }

    /// Opens it (again); says which record of the log is the next.
    pub(crate) async fn open(&mut self) -> Result<u64, RegistryError> {
        // Who is there holds the right to write.
        self.live = None;
        if let Some(starts) = self.apart {
            let (line, next) = Line::open(starts, &self.registry, &self.key).await?;
            self.live = Some(Live::Apart(Box::new(line)));
            return Ok(next);
        }
        let writer = open(&self.registry, &self.key)?;
        let next = writer.folder().next()?;
        self.live = Some(Live::Here(Box::new(writer)));
        Ok(next)
    }

    /// Asks it, and waits for its answer. Whoever does not wait loses it.
    pub(crate) async fn ask(&mut self, ask: Ask) -> Result<Done, RegistryError> {
        let (live, done) = match self.live.take().ok_or(RegistryError::Lost)? {
            Live::Here(mut writer) => {
                let answered = tokio::task::spawn_blocking(move || {
                    let done = writer.answer(&ask);
                    (writer, done)
                });
                let (writer, done) = answered.await.map_err(|_| RegistryError::Lost)?;
                (Live::Here(writer), done?)
            }
            Live::Apart(mut line) => {
                let done = line.ask(&ask).await?;
                (Live::Apart(line), done)
            }
        };
        self.live = Some(live);
        Ok(done)
    }

    /// Its writer is gone.
    #[cfg(test)]
    pub(crate) fn lose(&mut self) {
        self.live = None;
    }

    /// Its writer, where that is in this process.
    pub(crate) fn writer(&self) -> Option<&Writer> {
        match &self.live {
            Some(Live::Here(writer)) => Some(writer),
            Some(Live::Apart(_)) | None => None,
        }
    }

    /// Waits until its process has ended, if it has one: nobody writes the registry then.
    pub(crate) async fn close(self) {
        if let Some(Live::Apart(line)) = self.live {
            line.close().await;
        }
    }
}

/// The writer of a registry that was here before.
pub(super) fn open(registry: &Path, key: &str) -> Result<Writer, RegistryError> {
    let folder = Folder::of_store(registry, Some(key))?;
    let folder = folder.ok_or_else(|| RegistryError::Gone(registry.to_path_buf()))?;
    Writer::open(folder, &[])
}
