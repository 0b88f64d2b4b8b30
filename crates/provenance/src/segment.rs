//! What is kept of the outputs of one account in one month?
//!
//! Keyed fingerprints and where each stood in its output; never a text. A segment is written once
//! and does not change; two of the same account and month merge into one.

use std::collections::HashSet;

use facts::{AccountId, ExchangeId, ModelName, Timestamp};

use crate::channels::{self, Triples};
use crate::key::{AuditKey, Channel};
use crate::normaliser::Word;

mod bytes;
mod own;
mod refusal;

pub use bytes::SegmentError;
pub use own::Workspace;

/// Shorter outputs say too little to be told apart.
pub const WORDS_MIN: usize = 40;

/// Of shorter outputs every triple is kept: one in four of them would be too few.
pub(crate) const WORDS_FEW: usize = 128;

/// Why an output was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// Fewer than 40 words.
    Short,
    /// Nothing in it that its prompt did not say.
    Repeats,
    /// It declines to answer, as thousands of others do in the same words.
    Refusal,
}

/// What an output is in the registry for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It may be recognised.
    Output,
    /// An independent answer to the same prompt, by another author: what chance looks like.
    Control,
}

/// An output as it is registered.
#[derive(Debug, Clone)]
pub struct OutputText<'a> {
    /// The exchange it answered; of a control twin, any name.
    pub id: ExchangeId,
    /// Whose output it is.
    pub account: AccountId,
    /// All that was asked. What the output repeats of it is not the output's own.
    pub prompt: &'a str,
    /// The output.
    pub text: &'a str,
    /// When it was given.
    pub at: Timestamp,
    /// Who wrote it.
    pub model: ModelName,
    /// Output or control twin.
    pub role: Role,
}

/// A calendar month, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    /// The month a moment lies in; years before 0 and after 9999 are told as those.
    pub fn of(at: Timestamp) -> Self {
        const DAY: i64 = 86_400_000;
        const FIRST: i64 = -62_167_219_200_000;
        const LAST: i64 = 253_402_300_799_999;
        // Days since 0000-03-01: a year that begins in March ends with the day that leaps.
        let day = at.0.clamp(FIRST, LAST).div_euclid(DAY) + 719_468;
        let era = day.div_euclid(146_097);
        let day_of_era = day.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let since_march = (5 * day_of_year + 2) / 153;
        let month = (since_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
        }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What a registry knows of an output besides its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exchange it answered.
    pub id: ExchangeId,
    /// Whose output it is.
    pub account: AccountId,
    /// When it was given.
    pub at: Timestamp,
    /// Who wrote it.
    pub model: ModelName,
    /// Output or control twin.
    pub role: Role,
    /// Equal for outputs to equal prompts ([`AuditKey::prompt_group`]); 0 without a prompt.
    pub prompt: u64,
    /// Its words.
    pub words: u32,
    /// Its own keys by channel, in the order of [`Channel::ALL`].
    pub own: [u32; 3],
}

/// A fingerprint with its place: the upper 48 bits of a key over the place in the channel's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) packed: u64,
    pub(crate) output: u32,
}

impl Entry {
    pub(crate) fn new(key: u64, position: usize, output: u32) -> Self {
        let position = u64::from(u16::try_from(position).unwrap_or(u16::MAX));
        Self {
            packed: key & FINGERPRINT | position,
            output,
        }
    }
}

/// The bits of a key that are kept.
pub(crate) const FINGERPRINT: u64 = !0xffff;

/// The fingerprints of an account's outputs of a month: immutable, without text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub(crate) key_id: u64,
    pub(crate) account: AccountId,
    pub(crate) month: Month,
    pub(crate) outputs: Vec<Output>,
    /// By output, in their order: [`Output::own`] says how many of each.
    pub(crate) entries: Vec<Entry>,
}

impl Segment {
    /// Whose outputs it holds.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Of which month.
    pub fn month(&self) -> Month {
        self.month
    }

    /// The key its fingerprints were made under ([`AuditKey::id`]).
    pub fn key_id(&self) -> u64 {
        self.key_id
    }

    /// What it knows of its outputs, control twins among them.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// How many fingerprints it holds.
    pub fn fingerprints(&self) -> usize {
        self.entries.len()
    }

    /// One segment of two. An exchange that both hold is kept once, as `self` has it.
    ///
    /// # Errors
    /// [`SegmentError::Foreign`] unless key, account and month are equal.
    pub fn merge(mut self, other: &Self) -> Result<Self, SegmentError> {
        let same = self.key_id == other.key_id
            && self.account == other.account
            && self.month == other.month;
        if !same {
            return Err(SegmentError::Foreign);
        }
        let known: HashSet<ExchangeId> = self.outputs.iter().map(|o| o.id.clone()).collect();
        let mut renumbered = Vec::with_capacity(other.outputs.len());
        for output in &other.outputs {
            renumbered.push(if known.contains(&output.id) {
                None
            } else {
                self.outputs.push(output.clone());
                u32::try_from(self.outputs.len() - 1).ok()
            });
        }
        for entry in &other.entries {
            if let Some(Some(output)) = renumbered.get(entry.output as usize) {
                self.entries.push(Entry {
                    packed: entry.packed,
                    output: *output,
                });
            }
        }
        Ok(self)
    }

    /// Takes out the outputs that `gone` names, with their fingerprints; says how many of each.
    pub fn forget(&mut self, gone: impl Fn(&Output) -> bool) -> (usize, usize) {
        let before = (self.outputs.len(), self.entries.len());
        let mut next = 0_u32;
        let mut renumbered = Vec::with_capacity(self.outputs.len());
        self.outputs.retain(|output| {
            let stays = !gone(output);
            renumbered.push(stays.then_some(next));
            next += u32::from(stays);
            stays
        });
        // Those that stay keep their order, and with it the entries theirs.
        self.entries.retain_mut(|entry| {
            let number = renumbered.get(entry.output as usize).copied().flatten();
            number.is_some_and(|number| {
                entry.output = number;
                true
            })
        });
        (before.0 - self.outputs.len(), before.1 - self.entries.len())
    }
}

/// Makes a segment.
#[derive(Debug)]
pub struct SegmentBuilder {
    key: AuditKey,
    segment: Segment,
    known: HashSet<ExchangeId>,
}

impl SegmentBuilder {
    /// An empty segment of an account and a month.
    pub fn new(key: &AuditKey, account: AccountId, month: Month) -> Self {
        Self {
            key: key.clone(),
            segment: Segment {
                key_id: key.id(),
                account,
                month,
                outputs: Vec::new(),
                entries: Vec::new(),
            },
            known: HashSet::new(),
        }
    }

    /// How many outputs it holds so far.
    pub fn len(&self) -> usize {
        self.segment.outputs.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.segment.outputs.is_empty()
    }

    /// Registers an output. An exchange that is known already changes nothing.
    ///
    /// # Errors
    /// [`Skipped`] when it holds nothing by which it could be told.
    pub fn add(&mut self, output: &OutputText<'_>) -> Result<(), Skipped> {
        self.add_in(output, &mut Workspace::default())
    }

    /// The same in a workspace that many builders share.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_in(
        &mut self,
        output: &OutputText<'_>,
        workspace: &mut Workspace,
    ) -> Result<(), Skipped> {
        if self.known.contains(&output.id) {
            return Ok(());
        }
        let words = workspace.read(output.text, &self.key)?;
        let prompt = workspace.asked(output.prompt, &self.key);
        let number = u32::try_from(self.segment.outputs.len()).unwrap_or(u32::MAX);
        let own = workspace.own(&self.key, number, &mut self.segment.entries);
        if own == [0; 3] {
            return Err(Skipped::Repeats);
        }
        self.known.insert(output.id.clone());
        self.segment.outputs.push(Output {
            id: output.id.clone(),
            account: output.account.clone(),
            at: output.at,
            model: output.model.clone(),
            role: output.role,
            prompt,
            words,
            own,
        });
        Ok(())
    }

    /// Takes out the outputs that `gone` names ([`Segment::forget`]).
    pub fn forget(&mut self, gone: impl Fn(&Output) -> bool) -> (usize, usize) {
        self.segment.forget(gone)
    }

    /// The finished segment.
    pub fn build(self) -> Segment {
        self.segment
    }
}

/// Every key of every channel.
pub(crate) fn every_key(
    read: &[Word],
    key: &AuditKey,
    wanted: Triples,
    mut found: impl FnMut(Channel, channels::Keyed),
) {
    let secrets = key.secrets();
    channels::words(read, secrets, |k| found(Channel::Words, k));
    let mut kept = Vec::new();
    channels::skeleton_of(read, &mut kept);
    channels::skeleton(read, &kept, secrets, |k| found(Channel::Skeleton, k));
    channels::triples(read, secrets, wanted, |k| found(Channel::Triples, k));
}

#[cfg(test)]
mod tests;
