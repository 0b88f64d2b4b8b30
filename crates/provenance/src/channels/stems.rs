//! Which words carry content, and what is left of them when they are bent?
//!
//! A crude stem on purpose: it must be the same in a text and in its paraphrase, not right.

use std::sync::OnceLock;

use crate::normaliser::{Shape, Word};

/// English words that say how, not what.
const FUNCTION_WORDS: &str = "a about above after again against all almost also although always am among an and another any \
    are around as at away back be because been before being below between both but by can cannot could did do does doing done \
    don down during each either else enough even ever every few first for from further get gets getting give given go goes \
    going had has have having he her here hers herself him himself his how however i if in indeed instead into is it its itself \
    just know let lets like ll made make makes making many may me might mine more most much must my myself need needs neither \
    never no nor not now of off often on once one only or other others our ours ourselves out over own per perhaps quite rather \
    re really s said same say says see seem seems several shall she should since so some something sometimes still such t take \
    than that the their theirs them themselves then there these they thing things this those though through thus to together \
    too toward towards two under until up upon us use used using ve very via was way ways we well were what when where whether \
    which while who whom whose why will with within without would yes yet you your yours yourself";

/// Chinese and Japanese characters that say how, not what.
const FUNCTION_CHARACTERS: &str = "的了是在和有不我你他她它们这那也就都而及与或一个为以于对并但被把从到使会能可要将其之等中上下\
    のにはをがともでしてるたれさなりすまあいうえお";

fn pair(word: &str) -> (u64, u64) {
    let mut first = [0_u8; 16];
    for (to, from) in first.iter_mut().zip(word.as_bytes()) {
        *to = *from;
    }
    let both = u128::from_le_bytes(first);
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    let halves = (both as u64, (both >> 64) as u64);
    halves
}

/// Places for function words: few enough to stay near, enough that a stranger finds most empty.
const PLACES: usize = 2048;

/// Function words by a multiplication of their letters; the next place is tried until one is empty.
#[derive(Debug)]
struct Table {
    places: Vec<(u64, u64)>,
    /// One bit for each of 4,096 values of the same multiplication: most other words have a zero.
    maybe: [u64; 64],
}

impl Table {
    #[inline(always)]
    fn mixed(lo: u64, hi: u64) -> u64 {
        (lo ^ hi.rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn place(mixed: u64) -> usize {
        usize::try_from(mixed >> 53).unwrap_or(0)
    }

    /// The word of [`Self::maybe`] and the bit in it.
    #[inline(always)]
    fn bit(mixed: u64) -> (usize, u64) {
        ((mixed >> 58) as usize & 63, mixed >> 52 & 63)
    }

    fn make() -> Self {
        let mut places = vec![(0, 0); PLACES];
        let mut maybe = [0; 64];
        let words = FUNCTION_WORDS.split_whitespace().map(pair);
        let characters = FUNCTION_CHARACTERS
            .chars()
            .map(|c| pair(c.encode_utf8(&mut [0; 4])));
        for word in words.chain(characters) {
            let mixed = Self::mixed(word.0, word.1);
            let (n, bit) = Self::bit(mixed);
            if let Some(bits) = maybe.get_mut(n) {
                *bits |= 1 << bit;
            }
            let mut at = Self::place(mixed);
            while places.get(at).is_some_and(|p| *p != (0, 0) && *p != word) {
                at = (at + 1) % PLACES;
            }
            if let Some(place) = places.get_mut(at) {
                *place = word;
            }
        }
        Self { places, maybe }
    }

    #[inline(always)]
    fn holds(&self, lo: u64, hi: u64) -> bool {
        let mixed = Self::mixed(lo, hi);
        let (n, bit) = Self::bit(mixed);
        self.maybe.get(n).is_some_and(|bits| bits >> bit & 1 == 1) && self.finds(mixed, lo, hi)
    }

    fn finds(&self, mixed: u64, lo: u64, hi: u64) -> bool {
        let mut at = Self::place(mixed);
        loop {
            match self.places.get(at) {
                Some((0, 0)) | None => return false,
                Some(place) if *place == (lo, hi) => return true,
                Some(_) => at = (at + 1) % PLACES,
            }
        }
    }
}

/// Whether a word says how and not what.
#[inline(always)]
pub(super) fn is_function_word(word: &Word) -> bool {
    static TABLE: OnceLock<Table> = OnceLock::new();
    word.rest == 0 && TABLE.get_or_init(Table::make).holds(word.lo, word.hi)
}

/// The stem of a content word; of a script without spaces, the character with the one before.
///
/// `before` is what this said of the word before: the character, if it is a word alone that carries
/// content, else 0.
#[inline(always)]
pub(super) fn stem(word: &Word, before: u64) -> (Option<(u64, u64)>, u64) {
    if word.shape.has(Shape::ALONE) {
        if is_function_word(word) {
            return (None, 0);
        }
        let held = before != 0 && !word.shape.has(Shape::BRACKETED);
        return (held.then_some((before, word.lo)), word.lo);
    }
    (stem_of_letters(word), 0)
}

#[inline(always)]
fn stem_of_letters(word: &Word) -> Option<(u64, u64)> {
    if word.shape.has(Shape::DIGIT) || word.shape.has(Shape::BRACKETED) || is_function_word(word) {
        return None;
    }
    let length = 16 - word_zeros(word);
    if length < 3 {
        return None;
    }
    let ascii = (word.lo | word.hi) & 0x8080_8080_8080_8080 == 0;
    if !ascii {
        // Two bytes a letter in the scripts that have endings: five letters.
        return Some((word.lo, word.hi & 0xffff));
    }
    let kept = kept_letters(word.lo, length);
    Some((word.lo & mask(kept), 0))
}

fn word_zeros(word: &Word) -> usize {
    let both = u128::from(word.hi) << 64 | u128::from(word.lo);
    (both.leading_zeros() / 8) as usize
}

fn mask(bytes: usize) -> u64 {
    if bytes >= 8 {
        u64::MAX
    } else {
        (1 << (8 * bytes)) - 1
    }
}

/// At most six letters, fewer where an ending begins earlier.
#[inline(always)]
#[expect(clippy::needless_bitwise_bool, reason = "no jump is wanted")]
fn kept_letters(lo: u64, length: usize) -> usize {
    const LETTERS: usize = 6;
    const ING: u64 = u64::from_le_bytes(*b"ing\0\0\0\0\0");
    const TWO: [u64; 5] = [
        u64::from_le_bytes(*b"ie\0\0\0\0\0\0"),
        u64::from_le_bytes(*b"es\0\0\0\0\0\0"),
        u64::from_le_bytes(*b"ed\0\0\0\0\0\0"),
        u64::from_le_bytes(*b"ly\0\0\0\0\0\0"),
        u64::from_le_bytes(*b"er\0\0\0\0\0\0"),
    ];
    if length > 8 {
        return LETTERS;
    }
    // Each is asked, none is jumped over: which ending a word has cannot be foretold.
    let last = lo >> ((8 * (length - 3)) & 63);
    let [ie, es, ed, ly, er] = TWO;
    let two = last >> 8;
    let two = (two == ie) | (two == es) | (two == ed) | (two == ly) | (two == er);
    let one = last >> 16;
    let [s, e, y] = b"sey".map(u64::from);
    let one = (one == s) | (one == e) | (one == y);
    let mut cut = usize::from(one & (length > 3));
    if two & (length > 4) {
        cut = 2;
    }
    if (last == ING) & (length > 5) {
        cut = 3;
    }
    length.wrapping_sub(cut).min(LETTERS)
}
