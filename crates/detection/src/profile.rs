//! What is remembered of an account: a bounded, mergeable sample of sketches.

use std::collections::{BTreeMap, btree_map};

use facts::{AccountId, Exchange};

use crate::account::{Account, frames_of, levels};
use crate::cues::CUES;
use crate::reading::Reader;
use crate::sketch::{self, SketchKey};
use crate::text;

/// Prompts kept for one account; which ones, only their ids decide.
pub const SAMPLE_MAX: usize = 64;

/// However many accounts there are, so many prompts are kept of each.
const SAMPLE_LEAST: usize = 4;

/// Prompts kept over all accounts: at 1 to 2 KB each, half a gigabyte.
pub const PROMPTS_MAX: usize = 330_000;

/// One prompt, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Kept shingle hashes, ascending.
    pub(crate) shingles: Box<[u64]>,
    /// Hashes of longer words, ascending.
    pub(crate) words: Box<[u32]>,
    /// Hash of all that was said, read whole.
    pub(crate) whole: u64,
    /// Levels of its cues; none is above 7,000.
    pub(crate) levels: Box<[u16; CUES]>,
}

impl Prompt {
    fn of(key: SketchKey, exchange: &Exchange, levels: [u32; CUES]) -> Self {
        let pieces = text::pieces(&exchange.prompt);
        Self {
            shingles: sketch::sketch_of(key, &pieces).into(),
            words: sketch::words_of(key, &pieces).into(),
            whole: whole(key, exchange),
            levels: levels
                .map(|level| u16::try_from(level).unwrap_or(u16::MAX))
                .into(),
        }
    }

    /// Levels of its cues.
    pub(crate) fn levels(&self) -> [u32; CUES] {
        self.levels.map(u32::from)
    }
}

fn whole(key: SketchKey, exchange: &Exchange) -> u64 {
    let said: Vec<u8> = exchange
        .prompt
        .iter()
        .flat_map(|(_, text)| key.hash(text.trim().as_bytes()).to_le_bytes())
        .collect();
    key.hash(&said)
}

/// Two sketches were made under different keys and cannot be united.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyMismatch;

impl std::fmt::Display for KeyMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("profiles made under different keys cannot be merged: observe the exchanges again under one key")
    }
}

impl std::error::Error for KeyMismatch {}

/// One account's prompts as sketches.
///
/// The sample holds the prompts whose exchange ids hash lowest, so it does
/// not depend on the order in which exchanges or shards arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    key: SketchKey,
    seen: u64,
    sample: BTreeMap<u64, Prompt>,
    sums: Account,
}

impl Profile {
    /// An empty profile.
    pub fn new(key: SketchKey) -> Self {
        Self {
            key,
            seen: 0,
            sample: BTreeMap::new(),
            sums: Account::default(),
        }
    }

    /// What its prompts sum to.
    pub fn sums(&self) -> &Account {
        &self.sums
    }

    /// Exchanges observed.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes one exchange into account.
    pub fn observe(&mut self, reader: &mut Reader, exchange: &Exchange) {
        self.observe_within(reader, exchange, SAMPLE_MAX);
    }

    fn observe_within(&mut self, reader: &mut Reader, exchange: &Exchange, most: usize) {
        self.seen = self.seen.saturating_add(1);
        let reading = reader.read(&exchange.prompt);
        let levels = levels(reading);
        self.sums.observe_parts(&levels, &frames_of(reading));
        let rank = self.key.hash(exchange.id.as_str().as_bytes());
        let full = self.sample.len() >= most;
        if full && self.sample.last_key_value().is_some_and(|(k, _)| rank > *k) {
            return;
        }
        if let btree_map::Entry::Vacant(free) = self.sample.entry(rank) {
            free.insert(Prompt::of(self.key, exchange, levels));
            self.trim(most);
        }
    }

    fn trim(&mut self, most: usize) {
        while self.sample.len() > most {
            self.sample.pop_last();
        }
    }

    /// Adds what another shard or day saw of this account. Shards must not overlap, or `seen`
    /// counts an exchange twice; the sample never does.
    ///
    /// # Errors
    /// [`KeyMismatch`] when the other was made under another key; nothing changes then.
    pub fn merge(&mut self, other: &Self) -> Result<(), KeyMismatch> {
        self.merge_within(other, SAMPLE_MAX)
    }

    fn merge_within(&mut self, other: &Self, most: usize) -> Result<(), KeyMismatch> {
        if self.key != other.key {
            return Err(KeyMismatch);
        }
        self.seen = self.seen.saturating_add(other.seen);
        self.sums.merge(&other.sums);
        for (rank, prompt) in &other.sample {
            self.sample.entry(*rank).or_insert_with(|| prompt.clone());
        }
        self.trim(most);
        Ok(())
    }

    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.sample.values()
    }
}

/// The profiles of many accounts under one key.
///
/// Over all accounts a bounded number of prompts is kept. When there would be
/// more, every account keeps half as many, those whose ids hash lowest. How
/// many that is depends only on how many different ids each account has, so
/// order and shards change nothing here either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles {
    key: SketchKey,
    accounts: BTreeMap<AccountId, Profile>,
    /// Prompts kept at most over all accounts.
    budget: usize,
    /// Prompts kept at most of one account.
    each: usize,
    /// Prompts kept.
    kept: usize,
}

impl Profiles {
    /// No accounts yet; at most [`PROMPTS_MAX`] prompts will be kept.
    pub fn new(key: SketchKey) -> Self {
        Self::within(key, PROMPTS_MAX)
    }

    /// No accounts yet; at most so many prompts will be kept, or four of each account where that
    /// is more.
    pub fn within(key: SketchKey, budget: usize) -> Self {
        Self {
            key,
            accounts: BTreeMap::new(),
            budget,
            each: SAMPLE_MAX,
            kept: 0,
        }
    }

    /// The profiles of all accounts in `exchanges`.
    pub fn of<'a>(key: SketchKey, exchanges: impl IntoIterator<Item = &'a Exchange>) -> Self {
        let mut made = Self::new(key);
        let mut reader = Reader::default();
        for exchange in exchanges {
            made.observe(&mut reader, exchange);
        }
        made
    }

    /// Takes one exchange into account.
    pub fn observe(&mut self, reader: &mut Reader, exchange: &Exchange) {
        if !self.accounts.contains_key(&exchange.account) {
            let fresh = Profile::new(self.key);
            self.accounts.insert(exchange.account.clone(), fresh);
        }
        let Some(profile) = self.accounts.get_mut(&exchange.account) else {
            return;
        };
        let before = profile.sample.len();
        profile.observe_within(reader, exchange, self.each);
        self.kept += profile.sample.len() - before;
        self.halve();
    }

    /// Lets every account keep half as many until the budget holds.
    fn halve(&mut self) {
        while self.kept > self.budget && self.each > SAMPLE_LEAST {
            self.each = (self.each / 2).max(SAMPLE_LEAST);
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.kept = 0;
        for profile in self.accounts.values_mut() {
            profile.trim(self.each);
            self.kept += profile.sample.len();
        }
    }

    /// Adds what another shard or day saw. The smaller budget of the two holds from then on.
    ///
    /// # Errors
    /// [`KeyMismatch`] when it was made under another key; nothing changes then.
    pub fn merge(&mut self, other: &Self) -> Result<(), KeyMismatch> {
        if self.key != other.key {
            return Err(KeyMismatch);
        }
        self.budget = self.budget.min(other.budget);
        self.each = self.each.min(other.each);
        for (account, theirs) in &other.accounts {
            match self.accounts.get_mut(account) {
                Some(ours) => ours.merge_within(theirs, self.each)?,
                None => {
                    self.accounts.insert(account.clone(), theirs.clone());
                }
            }
        }
        self.trim();
        self.halve();
        Ok(())
    }

    /// Prompts kept at most of one account: fewer than [`SAMPLE_MAX`] in a large fleet.
    pub fn sample_max(&self) -> usize {
        self.each
    }

    /// The profile of one account.
    pub fn account(&self, account: &AccountId) -> Option<&Profile> {
        self.accounts.get(account)
    }

    /// Every account with its profile, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountId, &Profile)> {
        self.accounts.iter()
    }

    /// Accounts known.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether no account is known.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Exchanges observed over all accounts.
    pub fn seen(&self) -> u64 {
        self.accounts.values().map(Profile::seen).sum()
    }

    /// The key of every sketch in here.
    pub fn key(&self) -> SketchKey {
        self.key
    }
}

#[cfg(test)]
mod tests;
