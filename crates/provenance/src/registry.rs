//! Which outputs have this fingerprint?
//!
//! All segments of an audit under one key, joined in memory: a filter that says no to nearly every
//! stranger, and behind it the sorted fingerprints.

use std::collections::{HashMap, hash_map};

use facts::{AccountId, ExchangeId};

use crate::background::Background;
use crate::filter::Filter;
use crate::segment::{Entry, FINGERPRINT, Output, Role, Segment};

/// An ordered gram of more sources than this is boilerplate. Answers to one prompt are one source,
/// and so are equal texts: an output that was served a thousand times is no less its author's.
const COMMON_ORDERED: usize = 8;
/// A triple of more sources than this tells too little to be asked.
const COMMON_TRIPLE: usize = 64;
/// An ordered gram that so many public documents hold is nobody's.
const PUBLIC_ORDERED: u32 = 1;

/// A gram of a small registry is rarer than that few texts can tell: as if there were so many.
const TEXTS_MIN: f64 = 4096.0;

mod told;

pub use told::{Row, Told};

/// Why segments do not make a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinError {
    /// A segment or the background was made under another key.
    Foreign,
    /// More outputs than 2^32 - 1.
    TooMany,
}

impl std::fmt::Display for JoinError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Foreign => {
                "a segment or the background was made under another key: give those of one audit key"
            }
            Self::TooMany => "there are more than 4,294,967,295 outputs: audit by account or by month",
        })
    }
}

impl std::error::Error for JoinError {}

/// All that one audit looks for.
#[derive(Debug)]
pub struct Registry {
    key_id: u64,
    outputs: Vec<Output>,
    entries: Vec<Entry>,
    /// For each value of the upper `shift`ed bits, where its entries begin.
    begins: Vec<usize>,
    shift: u32,
    filter: Filter,
    background: Option<Background>,
    /// The answers to each prompt that was answered more than once, control twins among them.
    answers: HashMap<u64, Vec<usize>>,
    /// Control twins by prompt.
    twins: HashMap<u64, usize>,
    /// An output of each prompt that has control twins.
    asked: HashMap<u64, usize>,
    /// By output: equal for equal texts, whatever they are called.
    texts: Vec<u64>,
    /// Outputs that are the same text, of the same account, model, role, prompt and day: the first stands
    /// for them.
    copies: HashMap<usize, Vec<usize>>,
    /// Outputs that were not told, and those among them that may be recognised.
    untold: (usize, usize),
}

impl Registry {
    /// Joins segments of one key.
    ///
    /// # Errors
    /// [`JoinError`] when one is of another key.
    pub fn join(
        key_id: u64,
        segments: Vec<Segment>,
        background: Option<Background>,
    ) -> Result<Self, JoinError> {
        if background.as_ref().is_some_and(|b| b.key_id() != key_id) {
            return Err(JoinError::Foreign);
        }
        let mut outputs: Vec<Output> = Vec::new();
        let mut entries = Vec::with_capacity(segments.iter().map(Segment::fingerprints).sum());
        // An exchange may come twice: of a merge that was cut off, or in a log beside the registry.
        let mut known: HashMap<(AccountId, ExchangeId), u32> = HashMap::new();
        for segment in segments {
            if segment.key_id != key_id {
                return Err(JoinError::Foreign);
            }
            let mut fresh = Vec::with_capacity(segment.outputs.len());
            for output in segment.outputs {
                let next = u32::try_from(outputs.len()).map_err(|_| JoinError::TooMany)?;
                match known.entry((output.account.clone(), output.id.clone())) {
                    hash_map::Entry::Vacant(place) => {
                        place.insert(next);
                        outputs.push(output);
                        fresh.push(Some(next));
                    }
                    hash_map::Entry::Occupied(place) => {
                        // An output is not made a twin by being named as one too.
                        if let Some(kept) = outputs.get_mut(*place.get() as usize)
                            && output.role == Role::Output
                        {
                            kept.role = Role::Output;
                        }
                        fresh.push(None);
                    }
                }
            }
            entries.extend(segment.entries.into_iter().filter_map(|entry| {
                let output = fresh.get(entry.output as usize).copied().flatten()?;
                Some(Entry {
                    packed: entry.packed,
                    output,
                })
            }));
        }
        u32::try_from(outputs.len()).map_err(|_| JoinError::TooMany)?;
        Ok(Self::of(key_id, outputs, entries, background))
    }

    fn of(
        key_id: u64,
        outputs: Vec<Output>,
        mut entries: Vec<Entry>,
        background: Option<Background>,
    ) -> Self {
        let texts = texts(outputs.len(), &entries);
        let copies = copies(&outputs, &texts, &mut entries);
        Self::indexed(key_id, (outputs, texts, copies), entries, background)
    }

    /// Of outputs whose repetitions were taken away.
    fn indexed(
        key_id: u64,
        (outputs, texts, copies): (Vec<Output>, Vec<u64>, HashMap<usize, Vec<usize>>),
        mut entries: Vec<Entry>,
        background: Option<Background>,
    ) -> Self {
        entries.sort_unstable();
        let mut filter = Filter::with_room_for(entries.len());
        for entry in &entries {
            filter.insert(widened(entry.packed));
        }
        let (begins, shift) = index(&entries);
        let mut twins = HashMap::new();
        for output in &outputs {
            if output.role == Role::Control && output.prompt != 0 {
                *twins.entry(output.prompt).or_insert(0) += 1;
            }
        }
        let answers = answers(&outputs);
        let mut asked = HashMap::new();
        for (n, output) in outputs.iter().enumerate() {
            if output.role == Role::Output && twins.contains_key(&output.prompt) {
                asked.entry(output.prompt).or_insert(n);
            }
        }
        Self {
            key_id,
            outputs,
            entries,
            begins,
            shift,
            filter,
            background,
            answers,
            twins,
            asked,
            texts,
            copies,
            untold: (0, 0),
        }
    }

    /// A registry of so many random fingerprints of one output that nobody wrote: what a scan costs
    /// beside a large registry is measured with it.
    pub fn of_strangers(key_id: u64, fingerprints: usize, seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let entries = (0..fingerprints)
            .map(|_| Entry::new(next(), 0, 0))
            .collect();
        Self::of(key_id, Vec::new(), entries, None)
    }

    /// The key its fingerprints were made under.
    pub fn key_id(&self) -> u64 {
        self.key_id
    }

    /// All outputs, control twins among them.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// How many outputs may be recognised.
    pub fn len(&self) -> usize {
        self.outputs
            .iter()
            .filter(|o| o.role == Role::Output)
            .count()
            .saturating_add(self.untold.1)
    }

    /// Whether there is none to recognise.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many fingerprints it holds.
    pub fn fingerprints(&self) -> usize {
        self.entries.len()
    }

    /// The size of the filter in memory.
    pub fn filter_bytes(&self) -> usize {
        self.filter.bytes()
    }

    /// The size of all of it in memory, nearly.
    pub fn bytes(&self) -> usize {
        self.filter.bytes()
            + self.entries.len() * size_of::<Entry>()
            + self.begins.len() * size_of::<usize>()
            + self.outputs.len() * (size_of::<Output>() + 96)
    }

    /// How many control twins a prompt has.
    pub fn twins(&self, prompt: u64) -> usize {
        self.twins.get(&prompt).copied().unwrap_or(0)
    }

    /// Whether a prompt has more than one answer, control twins among them.
    pub(crate) fn answered_again(&self, prompt: u64) -> bool {
        self.answers.contains_key(&prompt)
    }

    /// The control twins of an output's prompt.
    pub(crate) fn controls(&self, output: usize) -> impl Iterator<Item = usize> + '_ {
        let others = self.others(output);
        others
            .filter(|(_, other)| other.role == Role::Control)
            .map(|(n, _)| n)
    }

    /// Answers of other models to other accounts with the same prompt, in other words: outputs that
    /// are independent answers too. One of the same model is none, for it may differ by chance only.
    pub(crate) fn fleet(&self, output: usize) -> impl Iterator<Item = usize> + '_ {
        let text = self.texts.get(output);
        let own = self.outputs.get(output);
        let others = self.others(output).filter(move |(n, other)| {
            let apart = own.is_some_and(|o| o.account != other.account && o.model != other.model);
            other.role == Role::Output && apart && self.texts.get(*n) != text
        });
        others.map(|(n, _)| n)
    }

    /// The other answers to an output's prompt.
    fn others(&self, output: usize) -> impl Iterator<Item = (usize, &Output)> + '_ {
        let prompt = self.outputs.get(output).map_or(0, |o| o.prompt);
        let all = self.answers.get(&prompt).into_iter().flatten().copied();
        let others = all.filter(move |n| *n != output);
        others.filter_map(|n| self.outputs.get(n).map(|o| (n, o)))
    }

    /// The first output to a prompt that has control twins.
    pub fn output_to(&self, prompt: u64) -> Option<usize> {
        self.asked.get(&prompt).copied()
    }

    /// A number that outputs of the same text share.
    pub fn text_of(&self, output: usize) -> u64 {
        self.texts.get(output).copied().unwrap_or(0)
    }

    /// Other outputs that are the same text as this one, of its account, model, prompt and day.
    pub(crate) fn copies(&self, output: usize) -> &[usize] {
        self.copies.get(&output).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The places of a key, and how many bits it tells; none of what everybody says.
    pub(crate) fn find(&self, key: u64, ordered: bool) -> Option<(&[Entry], f64)> {
        let found = self.places(key);
        if found.is_empty() {
            return None;
        }
        let public = self.background.as_ref().map_or(0, |b| b.frequency(key));
        let (sources, texts) = self.sources(found);
        let common = if ordered {
            sources > COMMON_ORDERED || public > PUBLIC_ORDERED
        } else {
            sources > COMMON_TRIPLE
        };
        if common {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let said = texts as f64 + f64::from(public);
        Some((found, (self.texts() / said).log2().max(0.0)))
    }

    /// Of how many sources places are: distinct prompts or distinct texts, whichever are fewer; and of
    /// how many distinct texts.
    fn sources(&self, found: &[Entry]) -> (usize, usize) {
        if found.len() == 1 {
            return (1, 1);
        }
        let distinct = |of: &mut Vec<u64>| {
            of.sort_unstable();
            of.dedup();
            of.len()
        };
        let at = |entry: &Entry| entry.output as usize;
        let text = |entry: &Entry| {
            let known = self.texts.get(at(entry)).copied();
            known.unwrap_or(u64::from(entry.output))
        };
        let mut texts: Vec<u64> = found.iter().map(text).collect();
        let texts = distinct(&mut texts);
        if texts <= COMMON_ORDERED {
            return (texts, texts);
        }
        let prompt = |entry: &Entry| match self.outputs.get(at(entry)) {
            Some(output) if output.prompt != 0 => output.prompt,
            // Nobody knows what was asked: a source alone.
            _ => text(entry),
        };
        let mut prompts: Vec<u64> = found.iter().map(prompt).collect();
        (distinct(&mut prompts).min(texts), texts)
    }

    /// All texts that rarity is counted over.
    pub(crate) fn texts(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let outputs = self.outputs.len().saturating_add(self.untold.0) as f64;
        let public = self.background.as_ref().map_or(0, Background::documents);
        (1.0 + outputs + f64::from(public)).max(TEXTS_MIN)
    }

    fn places(&self, key: u64) -> &[Entry] {
        let bucket = usize::try_from(key >> self.shift).unwrap_or(usize::MAX);
        let (Some(from), Some(to)) = (self.begins.get(bucket), self.begins.get(bucket + 1)) else {
            return &[];
        };
        let bucket = self.entries.get(*from..*to).unwrap_or_default();
        let first = bucket.partition_point(|e| e.packed < key & FINGERPRINT);
        let tail = bucket.get(first..).unwrap_or_default();
        let count = tail
            .iter()
            .take_while(|e| e.packed & FINGERPRINT == key & FINGERPRINT)
            .count();
        tail.get(..count).unwrap_or_default()
    }
}

/// The answers to each prompt that has several; a prompt asked by everybody has the first thousand.
fn answers(outputs: &[Output]) -> HashMap<u64, Vec<usize>> {
    const ANSWERS_MAX: usize = 1_000;
    let mut answers: HashMap<u64, Vec<usize>> = HashMap::new();
    for (n, output) in outputs.iter().enumerate() {
        if output.prompt != 0 {
            let to = answers.entry(output.prompt).or_default();
            if to.len() < ANSWERS_MAX || output.role == Role::Control {
                to.push(n);
            }
        }
    }
    answers.retain(|_, to| to.len() > 1);
    answers
}

/// A number for each output's text: the sum of its entries, each well mixed, in any order.
fn texts(outputs: usize, entries: &[Entry]) -> Vec<u64> {
    let mut texts = vec![0_u64; outputs];
    for entry in entries {
        if let Some(text) = texts.get_mut(entry.output as usize) {
            let mixed = (entry.packed ^ (entry.packed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *text = text.wrapping_add(mixed ^ (mixed >> 31));
        }
    }
    texts
}

/// Takes the entries of repeated outputs away: what is served a hundred thousand times is looked up once.
/// Outputs of other days stay, for other terms may have been in force.
fn copies(
    outputs: &[Output],
    texts: &[u64],
    entries: &mut Vec<Entry>,
) -> HashMap<usize, Vec<usize>> {
    const DAY: i64 = 86_400_000;
    let mut first = HashMap::new();
    let mut copies: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut dropped = vec![false; outputs.len()];
    for (n, ((output, text), dropped)) in outputs.iter().zip(texts).zip(&mut dropped).enumerate() {
        let day = output.at.0.div_euclid(DAY);
        let control = output.role == Role::Control;
        let same = (
            *text,
            output.prompt,
            day,
            control,
            &output.account,
            &output.model,
        );
        let stands = *first.entry(same).or_insert(n);
        if stands != n {
            *dropped = true;
            copies.entry(stands).or_default().push(n);
        }
    }
    if !copies.is_empty() {
        entries.retain(|e| !dropped.get(e.output as usize).is_some_and(|d| *d));
    }
    copies
}

/// The filter's key of a fingerprint: its 48 bits, spread over 64 again.
#[inline]
pub(crate) fn widened(key: u64) -> u64 {
    let kept = key & FINGERPRINT;
    let mixed = (kept ^ (kept >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// About eight entries a bucket.
fn index(entries: &[Entry]) -> (Vec<usize>, u32) {
    let bits = (entries.len() / 8).max(2).ilog2().clamp(1, 28);
    let shift = 64 - bits;
    let mut begins = vec![0; (1 << bits) + 1];
    for entry in entries {
        let bucket = usize::try_from(entry.packed >> shift).unwrap_or(0);
        if let Some(count) = begins.get_mut(bucket + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for begin in &mut begins {
        sum += *begin;
        *begin = sum;
    }
    (begins, shift)
}

#[cfg(test)]
mod tests;
