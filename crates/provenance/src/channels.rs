//! Which keys does a text have, and where?

use crate::key::{Channel, GRAM, Secrets};
use crate::normaliser::{Shape, Word};

pub(crate) mod said;
pub(crate) mod stems;

/// A key of a text: its place in the channel's own order, and the first and last word it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keyed {
    pub(crate) key: u64,
    pub(crate) position: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// The ordered grams of all words.
pub(crate) fn words(words: &[Word], secrets: &Secrets, mut found: impl FnMut(Keyed)) {
    for (position, window) in words.windows(GRAM).enumerate() {
        let Some(window) = window.first_chunk::<GRAM>() else {
            continue;
        };
        found(Keyed {
            key: secrets.gram(Channel::Words, window.iter()),
            position,
            first: position,
            last: position + GRAM - 1,
        });
    }
}

/// The words that stay when names, numbers and placeholders go: their places in `words`.
pub(crate) fn skeleton_of(words: &[Word], kept: &mut Vec<usize>) {
    kept.clear();
    kept.resize(words.len(), 0);
    let mut n = 0_usize;
    for (at, word) in words.iter().enumerate() {
        // Without a jump: which stay cannot be foretold.
        if let Some(place) = kept.get_mut(n) {
            *place = at;
        }
        n = n.wrapping_add(usize::from(stays(word)));
    }
    kept.truncate(n);
}

/// Scripts with capitals lose every capitalised word that is not a function word; others lose
/// what holds digits only, and Latin words in them.
#[inline]
pub(crate) fn stays(word: &Word) -> bool {
    if word.shape.has(Shape::DIGIT) || word.shape.has(Shape::BRACKETED) {
        return false;
    }
    !word.shape.has(Shape::CAPITAL) || stems::is_function_word(word)
}

/// The ordered grams of the skeleton.
pub(crate) fn skeleton(
    words: &[Word],
    kept: &[usize],
    secrets: &Secrets,
    mut found: impl FnMut(Keyed),
) {
    for (position, window) in kept.windows(GRAM).enumerate() {
        let Some(window) = window.first_chunk::<GRAM>() else {
            continue;
        };
        let Some(key) = kept_gram(words, window, secrets) else {
            continue;
        };
        let [first, .., last] = *window;
        found(Keyed {
            key,
            position,
            first,
            last,
        });
    }
}

/// The key of eight words of a skeleton.
#[inline(always)]
fn kept_gram(words: &[Word], window: &[usize; GRAM], secrets: &Secrets) -> Option<u64> {
    let mut eight = [words.first()?; GRAM];
    for (word, at) in eight.iter_mut().zip(window) {
        *word = words.get(*at)?;
    }
    Some(secrets.gram(Channel::Skeleton, eight.into_iter()))
}

/// Content words in a window of a triple.
const NEAR: usize = 4;

/// Which triples are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Triples {
    /// One in four, chosen by their sum.
    Sampled,
    /// All: of outputs of few words, and of documents that are opened.
    All,
}

/// The unordered triples of different content stems within four content words.
pub(crate) fn triples(
    words: &[Word],
    secrets: &Secrets,
    wanted: Triples,
    found: impl FnMut(Keyed),
) {
    stems_and_triples(words, secrets, wanted, |_| {}, found);
}

/// The same, and the numbers of all content stems on the way.
pub(crate) fn stems_and_triples(
    words: &[Word],
    secrets: &Secrets,
    wanted: Triples,
    mut stemmed: impl FnMut(u64),
    mut found: impl FnMut(Keyed),
) {
    let mut near: [(u64, usize); NEAR - 1] = [(0, 0); NEAR - 1];
    let mut position = 0_usize;
    let mut before = 0;
    for (at, word) in words.iter().enumerate() {
        let stem;
        (stem, before) = stems::stem(word, before);
        let Some((lo, hi)) = stem else { continue };
        let new = secrets.stem(lo, hi);
        stemmed(new);
        let [a, b, c] = near;
        for ((one, first), (two, second)) in [(a, b), (a, c), (b, c)] {
            if one == 0 || two == 0 || one == two || one == new || two == new {
                continue;
            }
            let sum = one.wrapping_add(two).wrapping_add(new);
            if wanted == Triples::All || sampled(sum) {
                found(Keyed {
                    key: secrets.triple(sum),
                    position,
                    first: first.min(second),
                    last: at,
                });
            }
        }
        near = [b, c, (new, at)];
        position += 1;
    }
}

/// The keys of the triples alone, many at once: sums are gathered without a jump, since one in four
/// is wanted and nothing foretells which.
pub(crate) fn triple_keys(words: &[Word], secrets: &Secrets, wanted: Triples, keys: &mut Vec<u64>) {
    let mut gathering = Gathering::new(wanted);
    for word in words {
        gathering.add(word, secrets, keys);
    }
    gathering.finish(secrets, keys);
}

const GATHERED: usize = 64;

/// The keys of triples, of one word after the other.
pub(crate) struct Gathering {
    sums: [u64; GATHERED + 3],
    count: usize,
    near: [u64; NEAR - 1],
    before: u64,
    all: bool,
}

impl Gathering {
    pub(crate) fn new(wanted: Triples) -> Self {
        Self {
            sums: [0; GATHERED + 3],
            count: 0,
            near: [0; NEAR - 1],
            before: 0,
            all: wanted == Triples::All,
        }
    }

    #[inline(always)]
    #[expect(clippy::needless_bitwise_bool, reason = "no jump is wanted")]
    pub(crate) fn add(&mut self, word: &Word, secrets: &Secrets, keys: &mut Vec<u64>) {
        let stem;
        (stem, self.before) = stems::stem(word, self.before);
        let Some((lo, hi)) = stem else { return };
        let new = secrets.stem(lo, hi);
        let [a, b, c] = self.near;
        for (one, two) in [(a, b), (a, c), (b, c)] {
            let sum = one.wrapping_add(two).wrapping_add(new);
            let none = (one == 0) | (two == 0) | (one == two) | (one == new) | (two == new);
            if let Some(place) = self.sums.get_mut(self.count) {
                *place = sum;
            }
            let kept = usize::from(!none & (self.all | sampled(sum)));
            self.count = self.count.wrapping_add(kept);
        }
        self.near = [b, c, new];
        if self.count >= GATHERED {
            self.finish(secrets, keys);
        }
    }

    /// All sums at once, wanted or not: where the processor can it makes several keys with one instruction.
    #[inline(always)]
    pub(crate) fn finish(&mut self, secrets: &Secrets, keys: &mut Vec<u64>) {
        let mut made = [0; GATHERED + 3];
        for (key, sum) in made.iter_mut().zip(&self.sums) {
            *key = secrets.triple(*sum);
        }
        keys.extend_from_slice(made.get(..self.count).unwrap_or_default());
        self.count = 0;
    }
}

#[inline(always)]
fn sampled(sum: u64) -> bool {
    sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 == 0
}

#[cfg(test)]
mod tests;
