//! Which words does a text hold, whatever dress they came in?
//!
//! Version 1 of the normaliser; `docs/normaliser.md` is its specification, with vectors. A character
//! is folded alone, never with its neighbours: compatibility decomposition, marks and invisible
//! characters dropped, case folded, look-alikes of Latin letters made Latin. So any cut between
//! two characters gives the same words, and the NFC and NFD forms of a text fold alike. NFKC and NFKD may
//! part words otherwise, where they spell one sign by several with separators between (`½`).
//! Letters and digits in a row are a word; a character of a script that is written without spaces
//! is a word alone; all else separates.

mod fold;

use fold::{Folded, fold};

use crate::boundaries::{Walk, Words};
use crate::key::Secrets;

/// The version of these rules. Fingerprints of different versions cannot be compared.
pub const NORMALISER_VERSION: u16 = 1;

/// What of a word's form the channels ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape(u8);

impl Shape {
    /// Holds a digit.
    pub(crate) const DIGIT: Self = Self(1);
    /// Its first letter is upper case.
    pub(crate) const CAPITAL: Self = Self(2);
    /// Stands in brackets, like `[NAME]` or `{{date}}`.
    pub(crate) const BRACKETED: Self = Self(4);
    /// One character of a script without spaces.
    pub(crate) const ALONE: Self = Self(8);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A word: its first 16 normalised bytes, what follows them as a keyed number, and where it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) lo: u64,
    pub(crate) hi: u64,
    pub(crate) rest: u64,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) shape: Shape,
}

/// What a character does to the word before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Dropped,
    Separator,
    Alone,
    Letter,
}

/// What a character does to the word before it.
#[inline]
pub(crate) fn place(c: char) -> Place {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() {
            Place::Letter
        } else {
            Place::Separator
        };
    }
    fold::place(c)
}

/// What `c` becomes, if it is a word alone; none of a few that are rare.
#[inline(always)]
pub(crate) fn alone(c: char) -> Option<char> {
    fold::alone(c)
}

/// The bytes of a word of one character.
#[inline(always)]
pub(crate) fn letter(c: char) -> u64 {
    let mut bytes = [0; 8];
    c.encode_utf8(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// The words of a text in the normal form, as the specification has them.
///
/// # Source
/// `docs/normaliser.md`; slow and plain, for vectors and for who writes another implementation.
pub fn normal_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        match fold(c) {
            Folded::Dropped => {}
            Folded::Separator => {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            Folded::Alone(a) => {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                found.push(a.to_string());
            }
            Folded::Letters(folded) => word.extend(folded.iter()),
        }
    }
    found.extend((!word.is_empty()).then_some(word));
    found
}

/// Reads the words of a text into `words`, with the places of their bytes counted from `base`.
pub(crate) fn read_words(text: &str, base: usize, secrets: &Secrets, words: &mut Vec<Word>) {
    each_word(text, secrets, |word| {
        words.push(Word {
            start: word.start.wrapping_add(base),
            end: word.end.wrapping_add(base),
            ..word
        });
    });
}

/// Reads the words of a text, one after the other.
#[inline(always)]
pub(crate) fn each_word(text: &str, secrets: &Secrets, take: impl FnMut(Word)) {
    let reading = Reading {
        text,
        secrets,
        take,
        looked: 0,
        bracket: false,
        opens: next_opening(text.as_bytes(), 0),
    };
    Walk(text, reading).done();
}

struct Reading<'a, F: FnMut(Word)> {
    text: &'a str,
    secrets: &'a Secrets,
    take: F,
    /// Bytes before it were looked through for brackets.
    looked: usize,
    /// Whether a bracket is open that closes soon.
    bracket: bool,
    /// Where the next bracket opens.
    opens: usize,
}

impl<F: FnMut(Word)> Words for Reading<'_, F> {
    #[inline]
    fn skips(&self) -> usize {
        0
    }

    #[inline]
    fn skip(&mut self, _: usize) {}

    #[inline(always)]
    fn word(&mut self, start: usize, ends: Option<usize>) {
        let short = ends.and_then(|end| short_word(self.text.as_bytes(), start, end));
        match short {
            Some(word) => self.keep(word),
            None => self.read_slowly(start),
        }
    }

    #[inline(always)]
    fn alone(&mut self, (start, end): (usize, usize), bytes: u64) {
        self.keep(Word {
            lo: bytes,
            hi: 0,
            rest: 0,
            start,
            end,
            shape: Shape::ALONE,
        });
    }
}

impl<F: FnMut(Word)> Reading<'_, F> {
    #[cold]
    #[inline(never)]
    fn read_slowly(&mut self, start: usize) {
        self.keep(long_word(self.text, start, self.secrets));
    }

    /// Inlined into each of its callers: the parts of a short word stay in registers.
    #[inline(always)]
    fn keep(&mut self, word: Word) {
        let bytes = self.text.as_bytes();
        if self.bracket || self.opens < word.start {
            self.pass_brackets(bytes, word.start);
        }
        let mut shape = word.shape;
        if self.bracket {
            shape.add(Shape::BRACKETED);
        }
        self.looked = word.end;
        (self.take)(Word { shape, ..word });
    }

    /// Looks through what is between the word before and the one that begins at `start`.
    #[inline(never)]
    fn pass_brackets(&mut self, bytes: &[u8], start: usize) {
        let between = bytes.get(self.looked..start).unwrap_or_default();
        for (n, byte) in between.iter().enumerate() {
            match byte {
                b'[' | b'{' | b'<' => self.bracket = closes(bytes, self.looked + n),
                b']' | b'}' | b'>' => self.bracket = false,
                _ => {}
            }
        }
        if self.opens < start {
            self.opens = next_opening(bytes, start);
        }
    }
}

const CASE: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;
const LETTER: u128 = CASE << 1;

/// The bytes of a word of so many letters.
#[expect(clippy::indexing_slicing, reason = "computed when it is compiled")]
const MASKS: [u128; 17] = {
    let mut masks = [0; 17];
    let mut length = 1;
    while length <= 16 {
        masks[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    masks
};

/// The bytes of an ASCII word of at most 16 letters with 16 bytes of text from where it begins,
/// in lower case and as they are.
#[inline(always)]
fn short_bytes(bytes: &[u8], start: usize, end: usize) -> Option<(u128, u128)> {
    let from = bytes.get(start..)?;
    let mask = MASKS.get(end.wrapping_sub(start))?;
    let raw = if let Some(sixteen) = from.first_chunk::<16>() {
        u128::from_le_bytes(*sixteen)
    } else {
        let (lo, hi) = first_bytes(from);
        u128::from(hi) << 64 | u128::from(lo)
    };
    Some(((raw | CASE) & mask, raw & mask))
}

/// The halves of such a word, as grams are made of them.
#[inline(always)]
pub(crate) fn short_halves(bytes: &[u8], start: usize, end: usize) -> Option<(u64, u64)> {
    short_bytes(bytes, start, end).map(|(both, _)| halves(both))
}

/// Such a word.
#[inline(always)]
pub(crate) fn short_word(bytes: &[u8], start: usize, end: usize) -> Option<Word> {
    let (both, raw) = short_bytes(bytes, start, end)?;
    let mut shape = Shape::default();
    if both & LETTER != both << 1 & LETTER {
        shape.add(Shape::DIGIT);
    }
    if raw & 0x60 == 0x40 {
        shape.add(Shape::CAPITAL);
    }
    let (lo, hi) = halves(both);
    Some(Word {
        lo,
        hi,
        rest: 0,
        start,
        end,
        shape,
    })
}

#[inline(always)]
fn halves(both: u128) -> (u64, u64) {
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    let halves = (both as u64, (both >> 64) as u64);
    halves
}

/// Any word that begins at `start`, by the rules.
#[cold]
#[inline(never)]
pub(crate) fn long_word(text: &str, start: usize, secrets: &Secrets) -> Word {
    let text = text.get(start..).unwrap_or_default();
    if let Some(c) = text.chars().next()
        && let Some(a) = fold::alone(c)
    {
        let mut letter = [0; 4];
        let letter = a.encode_utf8(&mut letter).as_bytes();
        return word(letter, secrets, (start, start + c.len_utf8()), Shape::ALONE);
    }
    let mut bytes = Vec::new();
    let mut shape = Shape::default();
    let mut at = start;
    let mut end = start;
    for c in text.chars() {
        at += c.len_utf8();
        match fold(c) {
            Folded::Dropped => {}
            Folded::Separator => break,
            Folded::Alone(a) => {
                if bytes.is_empty() {
                    shape.add(Shape::ALONE);
                    let mut letter = [0; 4];
                    let letter = a.encode_utf8(&mut letter).as_bytes();
                    return word(letter, secrets, (start, at), shape);
                }
                break;
            }
            Folded::Letters(folded) => {
                if bytes.is_empty() && c.is_uppercase() {
                    shape.add(Shape::CAPITAL);
                }
                for letter in folded.iter() {
                    if letter.is_numeric() {
                        shape.add(Shape::DIGIT);
                    }
                    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                end = at;
            }
        }
    }
    word(&bytes, secrets, (start, end), shape)
}

fn word(bytes: &[u8], secrets: &Secrets, at: (usize, usize), shape: Shape) -> Word {
    let (lo, hi) = first_bytes(bytes);
    let rest = bytes.get(16..).filter(|rest| !rest.is_empty());
    Word {
        lo,
        hi,
        rest: rest.map_or(0, |rest| secrets.remainder(rest)),
        start: at.0,
        end: at.1,
        shape,
    }
}

/// The first sixteen bytes as two little-endian numbers, zeros behind a shorter word.
fn first_bytes(bytes: &[u8]) -> (u64, u64) {
    let mut first = [0_u8; 16];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    halves(u128::from_le_bytes(first))
}

/// Where a bracket opens at `from` or later; past all places if none does.
fn next_opening(bytes: &[u8], from: usize) -> usize {
    let opens = |b: &u8| matches!(b, b'[' | b'{' | b'<');
    let mut at = from;
    for part in bytes.get(from..).unwrap_or_default().chunks(32) {
        // Without a jump, so that many bytes are asked at once.
        if part.iter().fold(false, |any, b| any | opens(b)) {
            return at + part.iter().position(opens).unwrap_or(0);
        }
        at += part.len();
    }
    usize::MAX
}

/// Whether the bracket at `open` closes within a placeholder's length.
fn closes(bytes: &[u8], open: usize) -> bool {
    const PLACEHOLDER_MAX: usize = 32;
    bytes
        .iter()
        .skip(open + 1)
        .take(PLACEHOLDER_MAX)
        .any(|b| matches!(b, b']' | b'}' | b'>'))
}

#[cfg(test)]
mod tests;
