//! What has just been written, for who follows the log: it need not be read back.
//!
//! The writer that gives the numbers hands over, in the order of the numbers, once they are durable:
//! so what is here is complete by the way it is made. A run is a stretch of the log of which
//! every answer that was kept is here; where one is missing (nobody followed yet when its request came, or
//! there was no room) the run ends, and who follows reads the log from there to the next one.
//! When something is forgotten all of it is let go of before the transaction begins.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use facts::{AccountId, Endpoint, ExchangeId, ModelName, Timestamp};

/// Bytes of requests and answers that are held at most: some 15,000 exchanges of usual length.
const BYTES_MAX: usize = 64 << 20;
/// What an exchange takes beside its bytes.
const OVERHEAD: usize = 256;
/// Runs that are held at most.
const RUNS_MAX: usize = 1_024;

/// An exchange whose ending is durable, with its bodies as they were sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its id.
    pub exchange: ExchangeId,
    /// Who asked.
    pub account: AccountId,
    /// Which model.
    pub model: ModelName,
    /// Which operation.
    pub endpoint: Endpoint,
    /// When the request arrived.
    pub at: Timestamp,
    /// The request.
    pub request: Bytes,
    /// The answer.
    pub answer: Bytes,
}

impl Passed {
    fn size(&self) -> usize {
        OVERHEAD + self.request.len() + self.answer.len()
    }
}

/// What there is from a place of the log on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// All exchanges that ended before the record `to`, in the order of their endings.
    Passed {
        /// The record behind the last one that this speaks of; the place itself when nothing is new.
        to: u64,
        /// The exchanges.
        passed: Vec<Passed>,
    },
    /// It is not here: read the log, up to where it is here again, if that is known.
    InLog {
        /// The next record of which something is here.
        to: Option<u64>,
    },
}

#[derive(Debug)]
struct Run {
    from: u64,
    to: u64,
    /// The next record may belong to it: none behind it is missing.
    open: bool,
    passed: VecDeque<(u64, Passed)>,
}

#[derive(Debug)]
struct Held {
    runs: VecDeque<Run>,
    bytes: usize,
    most: usize,
    /// There was no room: nothing is added until all of it was taken, lest every other record be missing.
    full: bool,
}

/// What a record brings to it.
#[derive(Debug)]
pub(super) enum Brings {
    /// No answer.
    Nothing,
    /// An answer that is kept, whole.
    All(Passed),
    /// An answer that is kept, and is not here.
    Missing,
}

/// Exchanges on their way from the journal's writer to who follows the log.
#[derive(Debug)]
pub struct HandOver {
    followed: AtomicBool,
    held: Mutex<Held>,
}

impl Default for HandOver {
    fn default() -> Self {
        Self::of(BYTES_MAX)
    }
}

impl HandOver {
    fn of(most: usize) -> Self {
        Self {
            followed: AtomicBool::new(false),
            held: Mutex::new(Held {
                runs: VecDeque::new(),
                bytes: 0,
                most,
                full: false,
            }),
        }
    }

    /// Says whether somebody follows. For nobody nothing is held.
    pub fn follow(&self, followed: bool) {
        self.followed.store(followed, Ordering::Release);
        self.let_go();
    }

    /// Whether somebody follows.
    pub fn followed(&self) -> bool {
        self.followed.load(Ordering::Acquire)
    }

    /// Takes what is there from a place of the log on, `most` exchanges at once.
    pub fn take(&self, from: u64, most: usize) -> Taken {
        self.held().take(from, most)
    }

    /// Lets go of everything: who follows reads the log.
    pub(super) fn let_go(&self) {
        let mut held = self.held();
        held.runs.clear();
        (held.bytes, held.full) = (0, false);
    }

    /// Adds records that are durable, in their order.
    pub(super) fn add(&self, records: impl Iterator<Item = (u64, Brings)>) {
        if !self.followed() {
            return;
        }
        let mut held = self.held();
        for (seq, brings) in records {
            held.add(seq, brings);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, seq: u64, brings: Brings) {
        let size = match &brings {
            Brings::All(passed) => passed.size(),
            Brings::Nothing | Brings::Missing => 0,
        };
        let follows = self.runs.back().is_some_and(|r| r.open && r.to == seq);
        let room = self.bytes.saturating_add(size) <= self.most;
        self.full |= !room || !follows && self.runs.len() >= RUNS_MAX;
        if self.full || matches!(brings, Brings::Missing) {
            if let Some(run) = self.runs.back_mut() {
                run.open = false;
            }
            return;
        }
        if !follows {
            self.runs.push_back(Run {
                from: seq,
                to: seq,
                open: true,
                passed: VecDeque::new(),
            });
        }
        let Some(run) = self.runs.back_mut() else {
            return;
        };
        run.to = seq.saturating_add(1);
        if let Brings::All(passed) = brings {
            run.passed.push_back((seq, passed));
            self.bytes += size;
        }
    }

    fn take(&mut self, from: u64, most: usize) -> Taken {
        // What was read from the log or taken already, unless it goes on.
        let over = |run: &Run| run.to < from || run.to == from && !run.open;
        while self.runs.front().is_some_and(over) {
            let gone = self.runs.pop_front().into_iter().flat_map(|r| r.passed);
            self.bytes -= gone.map(|(_, passed)| passed.size()).sum::<usize>();
        }
        let taken = self.taken(from, most);
        if self.runs.iter().all(|run| run.passed.is_empty()) {
            self.full = false;
        }
        taken
    }

    fn taken(&mut self, from: u64, most: usize) -> Taken {
        let Some(run) = self.runs.front_mut() else {
            return Taken::InLog { to: None };
        };
        if run.from > from {
            return Taken::InLog { to: Some(run.from) };
        }
        let mut passed = Vec::with_capacity(most.min(run.passed.len()));
        while passed.len() < most
            && let Some((seq, next)) = run.passed.pop_front()
        {
            self.bytes -= next.size();
            if seq >= from {
                passed.push(next);
            }
        }
        let to = run.passed.front().map_or(run.to, |(seq, _)| *seq);
        run.from = to;
        Taken::Passed { to, passed }
    }
}

#[cfg(test)]
mod tests;
