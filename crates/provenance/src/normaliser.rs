//! Which words does a text hold, whatever dress they came in?
//!
//! Version 1 of the normaliser; `docs/normaliser.md` is its specification, with vectors. A character
//! is folded alone, never with its neighbours: compatibility decomposition, marks and invisible
//! characters dropped, case folded, look-alikes of Latin letters made Latin. So any cut between
//! two characters gives the same words, and NFC, NFD, NFKC and NFKD forms of a text fold alike.
//! Letters and digits in a row are a word; a character of a script that is written without spaces
//! is a word alone; all else separates.

mod fold;

use fold::{Folded, fold};

use crate::key::Secrets;

/// The version of these rules. Fingerprints of different versions cannot be compared.
pub const NORMALISER_VERSION: u16 = 1;

/// A run of more letters than this is cut into words of so many.
pub(crate) const LETTERS_MAX: usize = 256;

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

/// The words of a text in the normal form, as the specification has them.
///
/// # Source
/// `docs/normaliser.md`; slow and plain, for vectors and for who writes another implementation.
pub fn normal_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut letters = 0;
    for c in text.chars() {
        match fold(c) {
            Folded::Dropped => {}
            Folded::Separator => {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                letters = 0;
            }
            Folded::Alone(a) => {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                letters = 0;
                found.push(a.to_string());
            }
            Folded::Letters(folded) => {
                word.extend(folded.iter());
                letters += 1;
                if letters == LETTERS_MAX {
                    found.push(std::mem::take(&mut word));
                    letters = 0;
                }
            }
        }
    }
    found.extend((!word.is_empty()).then_some(word));
    found
}

/// A word while it is read.
struct Building {
    bytes: Vec<u8>,
    letters: usize,
    start: usize,
    end: usize,
    shape: Shape,
}

impl Building {
    fn close(&mut self, secrets: &Secrets, words: &mut Vec<Word>) {
        if self.bytes.is_empty() {
            return;
        }
        words.push(word(
            &self.bytes,
            secrets,
            (self.start, self.end),
            self.shape,
        ));
        self.bytes.clear();
        self.letters = 0;
        self.shape = Shape::default();
    }
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
    let both = u128::from_le_bytes(first);
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    let halves = (both as u64, (both >> 64) as u64);
    halves
}

/// Reads the words of a text into `words`, with the places of their bytes counted from `base`.
pub(crate) fn read_words(text: &str, base: usize, secrets: &Secrets, words: &mut Vec<Word>) {
    let mut building = Building {
        bytes: Vec::with_capacity(64),
        letters: 0,
        start: 0,
        end: 0,
        shape: Shape::default(),
    };
    let mut bracket: Option<usize> = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(first) = bytes.get(at).copied() {
        if first.is_ascii_alphanumeric() {
            if building.bytes.is_empty() {
                building.start = base + at;
                if first.is_ascii_uppercase() {
                    building.shape.add(Shape::CAPITAL);
                }
                if bracket.is_some_and(|open| closes(bytes, open)) {
                    building.shape.add(Shape::BRACKETED);
                }
            }
            if first.is_ascii_digit() {
                building.shape.add(Shape::DIGIT);
            }
            building.bytes.push(first | 0x20);
            building.letters += 1;
            at += 1;
            building.end = base + at;
            if building.letters == LETTERS_MAX {
                building.close(secrets, words);
            }
        } else if first.is_ascii() {
            building.close(secrets, words);
            match first {
                b'[' | b'{' | b'<' => bracket = Some(at),
                b']' | b'}' | b'>' => bracket = None,
                _ => {}
            }
            at += 1;
        } else {
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                break;
            };
            other(c, base + at, &mut building, (secrets, words));
            at += c.len_utf8();
        }
    }
    building.close(secrets, words);
}

/// A character beyond ASCII.
fn other(c: char, at: usize, building: &mut Building, to: (&Secrets, &mut Vec<Word>)) {
    let (secrets, words) = to;
    match fold(c) {
        Folded::Dropped => {}
        Folded::Separator => building.close(secrets, words),
        Folded::Alone(a) => {
            building.close(secrets, words);
            let mut utf8 = [0; 4];
            let bytes = a.encode_utf8(&mut utf8).as_bytes();
            words.push(word(bytes, secrets, (at, at + c.len_utf8()), Shape::ALONE));
        }
        Folded::Letters(folded) => {
            if building.bytes.is_empty() {
                building.start = at;
                if c.is_uppercase() {
                    building.shape.add(Shape::CAPITAL);
                }
            }
            for letter in folded.iter() {
                if letter.is_numeric() {
                    building.shape.add(Shape::DIGIT);
                }
                let mut utf8 = [0; 4];
                building
                    .bytes
                    .extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
            }
            building.letters += 1;
            building.end = at + c.len_utf8();
            if building.letters == LETTERS_MAX {
                building.close(secrets, words);
            }
        }
    }
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
