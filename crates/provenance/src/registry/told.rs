//! A registry row by row, and one that is made of the rows that somebody told.

use std::collections::HashMap;

use super::{JoinError, Registry};
use crate::segment::{Entry, FINGERPRINT, Output, Role};

/// Where a fingerprint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The upper 48 bits of the key; the lower 16 are 0.
    pub key: u64,
    /// Which output: its place among [`Registry::outputs`].
    pub output: u32,
    /// Its place in the output, in the channel's order.
    pub position: u16,
}

impl Row {
    /// What is kept of a key.
    pub fn kept(key: u64) -> u64 {
        key & FINGERPRINT
    }
}

/// What was told of a registry that stays with its holder.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The outputs of which a fingerprint was told, and the first output to the prompt of each control
    /// twin among them, in their order.
    pub outputs: Vec<Output>,
    /// By output: a number that outputs of the same text share.
    pub texts: Vec<u64>,
    /// The fingerprints, over places among these outputs.
    pub rows: Vec<Row>,
    /// All outputs of the registry, control twins among them.
    pub all: usize,
    /// Those of them that may be recognised.
    pub recognisable: usize,
    /// Control twins by prompt.
    pub twins: HashMap<u64, usize>,
}

impl Registry {
    /// Every fingerprint, sorted.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.entries.iter().map(|entry| Row {
            key: entry.packed & FINGERPRINT,
            output: entry.output,
            #[expect(clippy::cast_possible_truncation, reason = "the lower 16 bits")]
            position: entry.packed as u16,
        })
    }

    /// The part of a registry that was told. A scan that looks up nothing but what was asked comes
    /// to the same verdicts as with all of it, but for outputs that repeat another one of their account
    /// and day: which those are its holder knows.
    ///
    /// # Errors
    /// [`JoinError`] as of [`Self::join`].
    pub fn of_told(key_id: u64, told: Told) -> Result<Self, JoinError> {
        u32::try_from(told.outputs.len()).map_err(|_| JoinError::TooMany)?;
        let recognised = told.outputs.iter().filter(|o| o.role == Role::Output);
        let untold = (
            told.all.saturating_sub(told.outputs.len()),
            told.recognisable.saturating_sub(recognised.count()),
        );
        let entries = told
            .rows
            .iter()
            .map(|row| Entry::new(row.key, usize::from(row.position), row.output))
            .collect();
        let outputs = (told.outputs, told.texts, HashMap::new());
        let mut registry = Self::indexed(key_id, outputs, entries, None);
        registry.twins = told.twins;
        registry.untold = untold;
        Ok(registry)
    }
}
