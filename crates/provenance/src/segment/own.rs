//! Which fingerprints are an output's own? Those that its prompt does not have.

use super::{Entry, FINGERPRINT, Skipped, WORDS_FEW, WORDS_MIN, refusal};
use crate::channels::said::Said;
use crate::channels::{self, Triples};
use crate::key::{AuditKey, Channel};
use crate::normaliser::{Word, read_words};

/// What is needed while an output is registered, kept from one to the next: an output that needs
/// no memory of its own takes half the time.
#[derive(Debug, Default)]
pub struct Workspace {
    text: Vec<Word>,
    prompt: Vec<Word>,
    kept: Vec<usize>,
    keys: Vec<(u64, Channel)>,
    said: Said,
    /// Places of entries, counted from one, by their fingerprints; 0 where there is none.
    table: Vec<u32>,
    struck: Vec<bool>,
}

/// Words for which memory is kept: what a rare long prompt takes goes back.
const KEPT_MAX: usize = 1 << 16;

impl Workspace {
    /// Reads an output; says how many words it has.
    pub(super) fn read(&mut self, text: &str, key: &AuditKey) -> Result<u32, Skipped> {
        self.text.clear();
        self.text.shrink_to(KEPT_MAX);
        read_words(text, 0, key.secrets(), &mut self.text);
        if self.text.len() < WORDS_MIN {
            return Err(Skipped::Short);
        }
        if refusal::is_refusal(text, self.text.len()) {
            return Err(Skipped::Refusal);
        }
        Ok(u32::try_from(self.text.len()).unwrap_or(u32::MAX))
    }

    /// Reads its prompt; says what that is known by, 0 without a word.
    pub(super) fn asked(&mut self, prompt: &str, key: &AuditKey) -> u64 {
        self.prompt.clear();
        self.prompt.shrink_to(KEPT_MAX);
        read_words(prompt, 0, key.secrets(), &mut self.prompt);
        if self.prompt.is_empty() {
            0
        } else {
            key.group_of(prompt, &self.prompt)
        }
    }

    /// Adds the own fingerprints of the output that was read; says how many of each channel.
    pub(super) fn own(
        &mut self,
        key: &AuditKey,
        output: u32,
        entries: &mut Vec<Entry>,
    ) -> [u32; 3] {
        let wanted = if self.text.len() < WORDS_FEW {
            Triples::All
        } else {
            Triples::Sampled
        };
        self.find_keys(key, wanted);
        let from = entries.len();
        let mut own = self.distinct(output, entries);
        if self.strike(key, wanted, entries.get(from..).unwrap_or_default()) {
            let mut to = from;
            let channels = Channel::ALL.into_iter().zip(own);
            let channels =
                channels.flat_map(|(channel, n)| std::iter::repeat_n(channel, n as usize));
            for ((n, struck), channel) in self.struck.iter().enumerate().zip(channels) {
                if *struck {
                    if let Some(count) = own.get_mut(channel as usize) {
                        *count -= 1;
                    }
                } else if to <= from + n {
                    entries.swap(to, from + n);
                    to += 1;
                }
            }
            entries.truncate(to);
        }
        own
    }

    /// The keys of the output, with their places.
    fn find_keys(&mut self, key: &AuditKey, wanted: Triples) {
        let (secrets, text, keys, said) =
            (key.secrets(), &self.text, &mut self.keys, &mut self.said);
        keys.clear();
        let packed = |k: channels::Keyed| Entry::new(k.key, k.position, 0).packed;
        channels::words(text, secrets, |k| keys.push((packed(k), Channel::Words)));
        channels::skeleton_of(text, &mut self.kept);
        channels::skeleton(text, &self.kept, secrets, |k| {
            keys.push((packed(k), Channel::Skeleton));
        });
        said.now(text);
        let stem = |number| said.stem(number);
        channels::stems_and_triples(text, secrets, wanted, stem, |k| {
            keys.push((packed(k), Channel::Triples));
        });
    }

    /// Makes entries of the keys, each once: the first place of one that occurs several times is enough.
    fn distinct(&mut self, output: u32, entries: &mut Vec<Entry>) -> [u32; 3] {
        // Four times as many places as keys: nearly all look at one only.
        let places = (4 * self.keys.len()).next_power_of_two().max(16);
        self.table.clear();
        self.table.resize(places, 0);
        self.table.shrink_to(16 * KEPT_MAX);
        let from = entries.len();
        let mut own = [0_u32; 3];
        for (packed, channel) in &self.keys {
            let made = entries.get(from..).unwrap_or_default();
            let (place, found) = find(&self.table, made, *packed);
            if found.is_some() {
                continue;
            }
            let number = u32::try_from(made.len() + 1).unwrap_or(u32::MAX);
            if let Some(place) = self.table.get_mut(place) {
                *place = number;
            }
            entries.push(Entry {
                packed: *packed,
                output,
            });
            if let Some(count) = own.get_mut(*channel as usize) {
                *count += 1;
            }
        }
        own
    }

    /// Marks the entries that the prompt has too; says whether there are any.
    fn strike(&mut self, key: &AuditKey, wanted: Triples, entries: &[Entry]) -> bool {
        let (table, struck) = (&self.table, &mut self.struck);
        struck.clear();
        struck.resize(entries.len(), false);
        let mut any = false;
        let (prompt, kept) = (&self.prompt, &mut self.kept);
        let secrets = key.secrets();
        self.said.keys_of(prompt, secrets, wanted, kept, |key| {
            if let (_, Some(n)) = find(table, entries, key)
                && let Some(struck) = struck.get_mut(n)
            {
                *struck = true;
                any = true;
            }
        });
        any
    }
}

/// The place of a fingerprint in the table, and which entry is there. Fingerprints are
/// pseudorandom: their first bits choose.
#[inline(always)]
fn find(table: &[u32], entries: &[Entry], key: u64) -> (usize, Option<usize>) {
    let last = table.len().wrapping_sub(1);
    let mut place = (key >> 32) as usize & last;
    loop {
        let number = table.get(place).copied().unwrap_or(0) as usize;
        let Some(n) = number.checked_sub(1) else {
            return (place, None);
        };
        match entries.get(n) {
            Some(entry) if (entry.packed ^ key) & FINGERPRINT == 0 => return (place, Some(n)),
            Some(_) => place = place.wrapping_add(1) & last,
            None => return (place, None),
        }
    }
}

#[cfg(test)]
mod tests;
