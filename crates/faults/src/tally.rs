//! What a harness saw.

use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

/// Counts runs and keeps what was lost in the first few.
#[derive(Debug)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
    bar: ProgressBar,
}

#[derive(Debug, Default)]
struct Counts {
    runs: u64,
    losses: u64,
    first: Vec<(u64, String)>,
}

/// Losses described in full.
const DESCRIBED: usize = 5;

impl Tally {
    pub(crate) fn new(bar: ProgressBar) -> Self {
        Self {
            counts: Mutex::default(),
            bar,
        }
    }

    /// Counts one run, and its loss if it had one.
    pub(crate) fn count(&self, seed: u64, judged: Result<(), String>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.runs += 1;
        if let Err(what) = judged {
            counts.losses += 1;
            if counts.first.len() < DESCRIBED {
                counts.first.push((seed, what));
            }
        }
        self.bar.inc(1);
    }

    /// Runs, and those that lost something.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.runs, counts.losses)
    }

    /// The first losses, by seed.
    pub(crate) fn first(&self) -> Vec<(u64, String)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.first.clone()
    }
}
