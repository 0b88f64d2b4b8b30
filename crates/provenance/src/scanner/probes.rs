//! Which keys of a page are looked up before it is opened?

use super::Guarantee;
use crate::boundaries::{Walk, Words};
use crate::channels::{self, Gathering, Triples};
use crate::filter::Filter;
use crate::key::{Channel, GRAM, Secrets};
use crate::normaliser::{Word, each_word, long_word, short_halves};
use crate::registry::widened;

/// Cache lines that are on their way at once.
const AHEAD: usize = 16;

/// One gram of words in every so many, in a row of sums.
struct Probing<'a> {
    text: &'a str,
    secrets: &'a Secrets,
    /// Words between the end of one gram and the next.
    rest: usize,
    skip: usize,
    sum: u128,
    count: usize,
    words: usize,
    keys: &'a mut Vec<u64>,
}

impl Probing<'_> {
    #[inline(always)]
    fn add(&mut self, lo: u64, hi: u64) {
        let addend = self.secrets.addend(self.count, lo, hi);
        self.sum = self.sum.wrapping_add(addend);
        self.count = self.count.wrapping_add(1);
        self.words = self.words.wrapping_add(1);
        if self.count == GRAM {
            let key = self.secrets.summed(Channel::Words, self.sum);
            self.keys.push(key);
            self.sum = 0;
            self.count = 0;
            self.skip = self.rest;
        }
    }
}

impl Words for Probing<'_> {
    #[inline(always)]
    fn skips(&self) -> usize {
        self.skip
    }

    #[inline(always)]
    fn skip(&mut self, words: usize) {
        self.skip = self.skip.wrapping_sub(words);
        self.words = self.words.wrapping_add(words);
    }

    #[inline(always)]
    fn word(&mut self, start: usize, ends: Option<usize>) {
        let short = ends.and_then(|end| short_halves(self.text.as_bytes(), start, end));
        let (lo, hi) = match short {
            Some(halves) => halves,
            None => long_halves(self.text, start, self.secrets),
        };
        self.add(lo, hi);
    }

    #[inline(always)]
    fn alone(&mut self, _: (usize, usize), bytes: u64) {
        self.add(bytes, 0);
    }
}

#[cold]
#[inline(never)]
fn long_halves(text: &str, start: usize, secrets: &Secrets) -> (u64, u64) {
    let word = long_word(text, start, secrets);
    (word.lo.wrapping_add(word.rest), word.hi)
}

/// The probes of plain words; returns how many words there are.
pub(super) fn of_words(
    text: &str,
    guarantee: Guarantee,
    secrets: &Secrets,
    keys: &mut Vec<u64>,
) -> usize {
    let probing = Probing {
        text,
        secrets,
        rest: guarantee.step() - GRAM,
        skip: 0,
        sum: 0,
        count: 0,
        words: 0,
        keys,
    };
    Walk(text, probing).done().words
}

/// The same probes of words that were read.
pub(super) fn of_read(words: &[Word], step: usize, secrets: &Secrets, keys: &mut Vec<u64>) {
    for window in words.windows(GRAM).step_by(step.max(1)) {
        keys.push(secrets.gram(Channel::Words, window.iter()));
    }
}

/// The probes of skeletons.
pub(super) fn of_skeleton(
    words: &[Word],
    kept: &mut Vec<usize>,
    step: usize,
    (secrets, keys): (&Secrets, &mut Vec<u64>),
) {
    channels::skeleton_of(words, kept);
    for window in kept.windows(GRAM).step_by(step.max(1)) {
        let window = window.iter().filter_map(|at| words.get(*at));
        keys.push(secrets.gram(Channel::Skeleton, window));
    }
}

/// What decides whether a page of many words is opened.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// Words of the page.
    pub(super) words: usize,
    /// One gram of words in eight.
    pub(super) plain: Vec<u64>,
    /// One gram of the skeleton in eight.
    pub(super) skeleton: Vec<u64>,
    /// One triple in four.
    pub(super) triples: Vec<u64>,
}

/// Sums of eight words in a row, one row behind the other.
#[derive(Default)]
struct Row {
    sum: u128,
    count: usize,
}

impl Row {
    #[inline(always)]
    fn add(&mut self, word: &Word, (channel, secrets): (Channel, &Secrets), keys: &mut Vec<u64>) {
        let addend = secrets.addend(self.count, word.lo.wrapping_add(word.rest), word.hi);
        self.sum = self.sum.wrapping_add(addend);
        self.count = self.count.wrapping_add(1);
        if self.count == GRAM {
            keys.push(secrets.summed(channel, self.sum));
            *self = Self::default();
        }
    }
}

/// All that is looked up of a page of many words, in one walk over it: the same keys as of its words
/// when they were read, eight words from one ordered gram to the next.
pub(super) fn near(text: &str, secrets: &Secrets) -> Near {
    let mut found = Near {
        plain: Vec::with_capacity(text.len() / 40),
        skeleton: Vec::with_capacity(text.len() / 40),
        triples: Vec::with_capacity(text.len() / 12),
        ..Near::default()
    };
    let (mut plain, mut kept) = (Row::default(), Row::default());
    let mut triples = Gathering::new(Triples::Sampled);
    each_word(
        text,
        secrets,
        #[inline(always)]
        |word| {
            found.words = found.words.wrapping_add(1);
            plain.add(&word, (Channel::Words, secrets), &mut found.plain);
            if channels::stays(&word) {
                kept.add(&word, (Channel::Skeleton, secrets), &mut found.skeleton);
            }
            triples.add(&word, secrets, &mut found.triples);
        },
    );
    triples.finish(secrets, &mut found.triples);
    found
}

/// Keeps the keys that the filter lets pass. Each is looked up in memory that is anywhere: many are on
/// their way at once.
pub(super) fn passed(keys: &[u64], filter: &Filter, mut found: impl FnMut(u64)) {
    for key in keys.iter().take(AHEAD) {
        filter.expect(widened(*key));
    }
    for (n, key) in keys.iter().enumerate() {
        if let Some(coming) = keys.get(n.wrapping_add(AHEAD)) {
            filter.expect(widened(*coming));
        }
        if filter.holds(widened(*key)) {
            found(*key);
        }
    }
}
