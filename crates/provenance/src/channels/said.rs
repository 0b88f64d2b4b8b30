//! Which keys of a text can be those of another one, too?
//!
//! Only those of words that the other one says. Of a prompt nearly nothing has to be hashed
//! then: eight of an answer's words in a row are rare in it, unless the answer repeats it.

use super::{Triples, kept_gram, sampled, stays, stems};
use crate::key::{Channel, GRAM, Secrets};
use crate::normaliser::Word;

/// A set that forgets nothing and sometimes knows a stranger.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Bits for each member: a stranger in thirty, at most, is taken for one. Eight in a row
    /// are not.
    const EACH: usize = 32;

    fn clear_for(&mut self, members: usize) {
        let words = (members * Self::EACH / 64).max(1).next_power_of_two();
        self.0.clear();
        self.0.resize(words, 0);
    }

    /// The number of 64 bits that a well-mixed number falls on, and the bit among them.
    #[inline(always)]
    fn place(&self, mixed: u64) -> (usize, u64) {
        let last = self.0.len().wrapping_sub(1);
        let at = (mixed >> 38) as usize & last;
        (at, 1 << (mixed >> 32 & 63))
    }

    #[inline(always)]
    fn add(&mut self, mixed: u64) {
        let (at, bit) = self.place(mixed);
        if let Some(bits) = self.0.get_mut(at) {
            *bits |= bit;
        }
    }

    #[inline(always)]
    fn may_hold(&self, mixed: u64) -> bool {
        let (at, bit) = self.place(mixed);
        self.0.get(at).is_some_and(|bits| bits & bit != 0)
    }
}

/// What grams know of a word, mixed.
#[inline(always)]
fn mixed(word: &Word) -> u64 {
    let both = word.lo.wrapping_add(word.rest) ^ word.hi.rotate_left(23);
    spread(both)
}

#[inline(always)]
fn spread(number: u64) -> u64 {
    let once = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    once ^ (once >> 29)
}

/// The words and content stems of a text.
#[derive(Debug, Default)]
pub(crate) struct Said {
    words: Bits,
    stems: Bits,
}

impl Said {
    /// Of these words; their stems are told one by one.
    pub(crate) fn now(&mut self, words: &[Word]) {
        self.words.clear_for(words.len());
        self.stems.clear_for(words.len());
        for word in words {
            self.words.add(mixed(word));
        }
    }

    /// A stem's number.
    #[inline(always)]
    pub(crate) fn stem(&mut self, number: u64) {
        self.stems.add(spread(number));
    }

    /// Every key of another text that can be one of this text's. `kept` is for use within.
    pub(crate) fn keys_of(
        &self,
        words: &[Word],
        secrets: &Secrets,
        wanted: Triples,
        kept: &mut Vec<usize>,
        mut found: impl FnMut(u64),
    ) {
        // Which of the latest words were said, a bit for each: without a jump, for nothing
        // foretells it of one word; of eight in a row it is foretold.
        let (mut row, mut kept_row, mut n) = (0_u8, 0_u8, 0_usize);
        kept.clear();
        kept.resize(words.len(), 0);
        let mut near = [0_u64; 3];
        let mut before = 0;
        for (at, word) in words.iter().enumerate() {
            let said = u8::from(self.words.may_hold(mixed(word)));
            row = row << 1 | said;
            if row == u8::MAX
                && let Some(window) = words.get(..=at).and_then(|w| w.last_chunk::<GRAM>())
            {
                found(secrets.gram(Channel::Words, window.iter()));
            }
            if let Some(place) = kept.get_mut(n) {
                *place = at;
            }
            let stays = stays(word);
            n = n.wrapping_add(usize::from(stays));
            kept_row = if stays {
                kept_row << 1 | said
            } else {
                kept_row
            };
            if kept_row == u8::MAX
                && stays
                && let Some(window) = kept.get(..n).and_then(|k| k.last_chunk::<GRAM>())
                && let Some(key) = kept_gram(words, window, secrets)
            {
                found(key);
            }
            let stem;
            (stem, before) = stems::stem(word, before);
            let Some((lo, hi)) = stem else { continue };
            let new = secrets.stem(lo, hi);
            let new = if self.stems.may_hold(spread(new)) {
                new
            } else {
                0
            };
            if new != 0 {
                triples_with(new, near, secrets, wanted, &mut found);
            }
            let [_, b, c] = near;
            near = [b, c, new];
        }
    }
}

#[inline(always)]
fn triples_with(
    new: u64,
    [a, b, c]: [u64; 3],
    secrets: &Secrets,
    wanted: Triples,
    found: &mut impl FnMut(u64),
) {
    for (one, two) in [(a, b), (a, c), (b, c)] {
        if one == 0 || two == 0 || one == two || one == new || two == new {
            continue;
        }
        let sum = one.wrapping_add(two).wrapping_add(new);
        if wanted == Triples::All || sampled(sum) {
            found(secrets.triple(sum));
        }
    }
}
