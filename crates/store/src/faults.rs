//! Which fault is built in on purpose? None: only builds with the feature
//! `faults` can choose one, to show that the harnesses of `crates/faults`
//! notice it. Everywhere else each question here is answered at compile time.

use std::path::Path;

/// A fault that a build can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing is ever synced.
    NeverSync,
    /// An append is answered when it is written; the sync follows.
    AckBeforeSync,
    /// An append is answered when it is queued; the write follows.
    AckBeforeWrite,
    /// A start does not compare records with their hashes.
    RecoveryIgnoresChecksum,
    /// Completions are answered before they are written; all else is as it should be.
    CompletionReleasedBeforeDurable,
    /// A checkpoint is published before the transaction that seals it.
    CheckpointBeforeJournal,
    /// A replaced file's folder is not synced.
    LostDirectorySync,
    /// The first record after a start takes the place of the last one before it.
    ReusedSequenceNumber,
}

/// What is about to be done to a file of ours outside the database.
#[derive(Debug, Clone, Copy)]
pub enum FileOp<'a> {
    /// A new file gets its content.
    Write(&'a Path, &'a [u8]),
    /// A file is synced.
    Sync(&'a Path),
    /// The first becomes the second.
    Rename(&'a Path, &'a Path),
    /// A folder is synced.
    SyncFolder(&'a Path),
}

#[cfg(any(test, feature = "faults"))]
pub use chosen::{choose, hear_early, watch};
#[cfg(any(test, feature = "faults"))]
pub(crate) use chosen::{early, has, seen};

/// Whether this fault is built in.
#[cfg(not(any(test, feature = "faults")))]
pub(crate) const fn has(_: Mutant) -> bool {
    false
}

/// Tells nobody.
#[cfg(not(any(test, feature = "faults")))]
pub(crate) const fn early(_: &crate::EpochRow) {}

/// Tells a watcher, who may refuse it.
#[cfg(not(any(test, feature = "faults")))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the watcher of the other build may refuse"
)]
pub(crate) const fn seen(_: FileOp<'_>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(any(test, feature = "faults"))]
mod chosen {
    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{FileOp, Mutant};
    use crate::EpochRow;

    type Watcher = fn(FileOp<'_>) -> io::Result<()>;
    type Early = fn(&EpochRow);

    static CHOSEN: AtomicU8 = AtomicU8::new(u8::MAX);
    static WATCHER: OnceLock<Watcher> = OnceLock::new();
    static EARLY: OnceLock<Early> = OnceLock::new();

    /// Builds this fault into the whole process, or none.
    pub fn choose(mutant: Option<Mutant>) {
        CHOSEN.store(mutant.map_or(u8::MAX, |m| m as u8), Ordering::SeqCst);
    }

    pub(crate) fn has(mutant: Mutant) -> bool {
        CHOSEN.load(Ordering::SeqCst) == mutant as u8
    }

    /// Has every operation on our own files told to `watcher` before it is
    /// carried out; the first watcher stays.
    pub fn watch(watcher: Watcher) {
        WATCHER.get_or_init(|| watcher);
    }

    pub(crate) fn seen(op: FileOp<'_>) -> io::Result<()> {
        WATCHER.get().map_or(Ok(()), |watcher| watcher(op))
    }

    /// Who hears of a checkpoint too early under [`Mutant::CheckpointBeforeJournal`]: the epoch as
    /// it will stand if its transaction succeeds; the first listener stays.
    pub fn hear_early(listener: Early) {
        EARLY.get_or_init(|| listener);
    }

    /// Tells the listener.
    pub(crate) fn early(signed: &EpochRow) {
        if let Some(listener) = EARLY.get() {
            listener(signed);
        }
    }
}
