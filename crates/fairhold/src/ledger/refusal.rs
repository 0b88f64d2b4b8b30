//! Why the ledger does not sign, in words that say what to do.

use std::fmt;

use store::{EpochRow, StoreError};

use super::mark::Mark;
use crate::failure::with_causes;

/// A reason not to sign: what was signed before and what is there now are not one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// More was signed than the database holds.
    Older {
        /// Epoch of the mark.
        epoch: u64,
        /// Entries that were signed.
        signed: u64,
        /// Epoch and entries of the database.
        held: (u64, u64),
    },
    /// The database's tree of that size is not the one that was signed.
    Changed {
        /// The size.
        size: u64,
    },
    /// Somebody changed the ledger while this process held it.
    Moved {
        /// Entries as this process left them.
        left: u64,
        /// Entries found.
        found: u64,
    },
    /// Another process began an epoch while this one was about to.
    Begun {
        /// Its number.
        epoch: u64,
    },
    /// The journal holds less than was sealed.
    Journal {
        /// Records.
        records: u64,
        /// Records sealed.
        sealed: u64,
    },
    /// A record is missing, or its leaf is not what was hashed.
    Record {
        /// Which.
        seq: u64,
    },
    /// What is kept of a tree contradicts itself.
    Edge {
        /// Which ledger.
        ledger: String,
        /// Its size.
        size: u64,
    },
    /// A witness saw a tree that this one does not continue.
    Witness {
        /// Its name.
        name: String,
        /// What it said.
        why: String,
    },
}

impl Refusal {
    /// The database is older than the mark.
    pub(super) fn older(mark: &Mark, held: Option<&EpochRow>) -> Self {
        Self::Older {
            epoch: mark.epoch,
            signed: mark.checkpoint.size,
            held: held.map_or((0, 0), |e| (e.epoch, e.size)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ROTATE: &str = "nothing is signed; restore the newest copy, or begin a new epoch that says why: `fairhold ledger rotate --reason ...`";
        const FSCK: &str = "nothing is signed; `fairhold fsck` names what differs";
        match self {
            Self::Older {
                epoch,
                signed,
                held: (e, size),
            } => write!(
                f,
                "`log.mark` says that {signed} entries of epoch {epoch} were signed, and the database holds {size} of epoch {e}: it was restored from an old copy; {ROTATE}"
            ),
            Self::Changed { size } => write!(
                f,
                "the database's first {size} entries are not those that were signed (`log.mark`): it was restored or altered; {ROTATE}"
            ),
            Self::Moved { left, found } => write!(
                f,
                "the root log had {left} entries when this process last wrote it and has {found} now, not by its doing: {ROTATE}"
            ),
            Self::Begun { epoch } => write!(
                f,
                "another process began epoch {epoch} at the same time, and this one signed nothing: let only one process seal this database, restart this one, and look with `fairhold ledger list`"
            ),
            Self::Journal { records, sealed } => write!(
                f,
                "{sealed} records were sealed and the journal holds {records}: {ROTATE}"
            ),
            Self::Record { seq } => write!(
                f,
                "record {seq} is missing or was altered before it was sealed; {FSCK}"
            ),
            Self::Edge { ledger, size } => write!(
                f,
                "the tree of {ledger} at {size} entries contradicts what is kept of it; {FSCK}"
            ),
            Self::Witness { name, why } => {
                write!(
                    f,
                    "the witness {name} {why}: this log was restored from an old copy or forked; {ROTATE}"
                )
            }
        }
    }
}

/// Why nothing was sealed.
#[derive(Debug)]
pub(crate) enum LedgerError {
    /// It must not be.
    Refused(Refusal),
    /// No witness has said since the start what it knows; tried again. In words.
    Unconfirmed(String),
    /// The database; tried again.
    Store(StoreError),
    /// The high-water mark, in words; tried again.
    Mark(String),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "the ledger refuses to sign: {refusal}"),
            Self::Unconfirmed(why) => write!(
                f,
                "nothing is signed yet: since the start no witness has said what it knows of this log, which may be an old copy ({why}); it is asked again every few seconds: see that one can be reached, or take it out of `witnesses` in `[evidence]`"
            ),
            Self::Store(error) => write!(f, "seal the ledger: {}", with_causes(error)),
            Self::Mark(what) => write!(f, "seal the ledger: {what}"),
        }
    }
}

impl std::error::Error for LedgerError {}

impl From<Refusal> for LedgerError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
