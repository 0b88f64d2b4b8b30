//! One writer, group commit: an append resolves when its record is durable.
//!
//! What queued while the previous commit ran is the next batch; nobody waits
//! for company. Sequence numbers are dense from 0, and a record's leaf is
//! built by the writer, once its number is known.

mod handed;
#[cfg(any(test, feature = "faults"))]
mod mutants;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use evidence::Record;
use facts::{AccountId, KeyId, MicroUsd, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::database::{Database, StoreError};
use crate::directory::Change;
use crate::subject_keys::SubjectKeyRow;
pub use handed::{HandOver, Passed, Taken};
use writer::Writer;

/// Builds the leaf of a record that got this sequence number.
pub type LeafOf = fn(&Record, u64) -> Vec<u8>;

/// A body, sealed by the caller; the store cannot read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBody {
    /// Which one, for example `request` or `answer`.
    pub what: String,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// The number of the key that opens it.
    pub key: u64,
}

/// What an exchange cost, settled in the same transaction as its completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Who pays.
    pub account: AccountId,
    /// With which key.
    pub key: KeyId,
    /// When; counted under its UTC day.
    pub at: Timestamp,
    /// How much.
    pub amount: MicroUsd,
    /// Tokens of request and answer.
    pub tokens: u64,
    /// Requests.
    pub requests: u64,
}

/// A record with all that must become durable together with it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its bodies.
    pub bodies: Vec<SealedBody>,
    /// Their key, unless it is known to be kept already.
    pub key: Option<Arc<SubjectKeyRow>>,
    /// What it settles.
    pub spend: Option<Spend>,
    /// What it changes in the directory or a case.
    pub change: Option<Change>,
    /// Of an ending whose answer is kept, for who follows the log.
    pub passed: Option<Box<Passed>>,
}

impl Entry {
    /// A record alone.
    pub fn of(record: Record) -> Self {
        Self {
            record,
            bodies: Vec::new(),
            key: None,
            spend: None,
            change: None,
            passed: None,
        }
    }
}

/// Why a record is not durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalError {
    /// A commit failed or its outcome is unknown; nothing is written any more.
    Stopped,
    /// The disk is full: no new exchange; endings still have their reserve.
    Full,
    /// The completion names an intent that is not open.
    NotOpen {
        /// Sequence number named.
        intent: u64,
    },
    /// The change contradicts what is kept; neither it nor its record was written.
    Refused(String),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => write!(
                f,
                "record: the journal stopped after a failed commit; restart the process"
            ),
            Self::Full => write!(f, "record: the disk is full; free some space"),
            Self::NotOpen { intent } => {
                write!(f, "record the ending: intent {intent} is not open")
            }
            Self::Refused(why) => write!(f, "record the change: {why}"),
        }
    }
}

impl std::error::Error for JournalError {}

pub(crate) struct Request {
    entries: Vec<Entry>,
    reply: oneshot::Sender<Result<Vec<u64>, JournalError>>,
}

#[derive(Debug, Default)]
struct State {
    stopped: AtomicBool,
    commits: AtomicU64,
    handed: HandOver,
}

/// The way into the journal; clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    state: Arc<State>,
}

/// The writer's task.
#[derive(Debug)]
pub struct JournalTask {
    handle: JoinHandle<()>,
    interrupted: u64,
}

impl JournalTask {
    /// How many intents found open at the start were given the ending
    /// `interrupted`.
    pub fn interrupted(&self) -> u64 {
        self.interrupted
    }

    /// Resolves once every [`Journal`] is dropped and its last batch written.
    pub async fn finished(self) {
        if let Err(error) = self.handle.await {
            tracing::error!(%error, "the journal's task died");
        }
    }
}

/// As many requests may wait as four full batches hold.
const QUEUE: usize = 4_000;

impl Journal {
    /// Starts the writer. Every intent without an ending first gets the ending
    /// `interrupted`, dated `now`. `reserve` names a file that keeps room on
    /// the disk for endings; see [`JournalError::Full`].
    ///
    /// # Errors
    /// When the database cannot be read or those endings cannot be written.
    pub async fn start(
        database: Database,
        leaf: LeafOf,
        now: Timestamp,
        reserve: Option<PathBuf>,
    ) -> Result<(Self, JournalTask), StoreError> {
        let state = Arc::new(State::default());
        let mut writer = Writer::load(database, leaf, reserve, Arc::clone(&state)).await?;
        let interrupted = writer.close_open_intents(now).await?;
        let (requests, queue) = mpsc::channel(QUEUE);
        let handle = tokio::spawn(writer.run(queue));
        Ok((
            Self { requests, state },
            JournalTask {
                handle,
                interrupted,
            },
        ))
    }

    /// Appends one record; resolves to its sequence number when it is durable.
    ///
    /// # Errors
    /// [`JournalError`]; the record was then not written, except that after
    /// `Stopped` the outcome of the failed commit is unknown.
    pub async fn append(&self, entry: Entry) -> Result<u64, JournalError> {
        let numbers = self.append_all(vec![entry]).await?;
        numbers.first().copied().ok_or(JournalError::Stopped)
    }

    /// Appends all of them or none, with consecutive sequence numbers.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub async fn append_all(&self, entries: Vec<Entry>) -> Result<Vec<u64>, JournalError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        let request = Request { entries, reply };
        if self.requests.send(request).await.is_err() {
            return Err(JournalError::Stopped);
        }
        answer.await.unwrap_or(Err(JournalError::Stopped))
    }

    /// False once a commit has failed: nothing is recorded any more.
    pub fn healthy(&self) -> bool {
        !self.state.stopped.load(Ordering::Acquire) && !self.requests.is_closed()
    }

    /// What was written, for who follows the log.
    pub fn handed(&self) -> &HandOver {
        &self.state.handed
    }

    /// Transactions committed since the start.
    pub fn commits(&self) -> u64 {
        self.state.commits.load(Ordering::Relaxed)
    }
}
