//! Where do words begin? Sixty-four bytes at a time.
//!
//! ASCII is classed by blocks into a mask of letters and digits; a block that holds anything else is
//! walked character by character under the normaliser's rules. Nothing here knows a word's letters:
//! who wants them reads them from where the word begins.

use wide::{CmpGt as _, CmpLt as _, i8x16};

use crate::normaliser::{Place, place};

/// Bytes that are classed at once.
const BLOCK: usize = 64;

/// The letters and digits of a block as a mask, and whether it is all ASCII.
#[inline]
fn classes(block: &[u8; BLOCK]) -> (u64, bool) {
    let (mut mask, mut high) = (0, 0);
    for (n, part) in block.as_chunks::<16>().0.iter().enumerate() {
        let (letters, beyond) = sixteen(part);
        mask |= u64::from(letters) << (16 * n);
        high |= beyond;
    }
    (mask, high == 0)
}

/// The letters and digits of sixteen bytes, and the bytes beyond ASCII, which are negative here.
#[inline]
fn sixteen(bytes: &[u8; 16]) -> (u16, u16) {
    let v = i8x16::from(bytes.map(u8::cast_signed));
    let all = |byte: u8| i8x16::splat(byte.cast_signed());
    let lower = v | all(0x20);
    let letter = lower.cmp_gt(all(b'a' - 1)) & lower.cmp_lt(all(b'z' + 1));
    let digit = v.cmp_gt(all(b'0' - 1)) & v.cmp_lt(all(b'9' + 1));
    (bits(letter | digit), bits(v))
}

/// The highest bit of each byte.
#[inline]
fn bits(v: i8x16) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sixteen bits are set at most"
    )]
    let mask = v.move_mask() as u16;
    mask
}

/// What is told of the words of a block or of a stretch.
pub(crate) trait Words {
    /// How many further words need not be told.
    fn skips(&self) -> usize;
    /// So many words begin, none of which needs to be told.
    fn skip(&mut self, words: usize);
    /// A word begins at a byte. `ends` is where it ends, if it is short and ASCII throughout.
    fn word(&mut self, start: usize, ends: Option<usize>);
}

/// Tells where the words of a text begin.
#[inline]
pub(crate) fn walk(text: &str, to: &mut impl Words) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut inside = false;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let (mask, ascii) = classes(block);
        if !ascii {
            (at, inside) = walk_slowly(text, at, inside, to);
            continue;
        }
        let mut starts = mask & !(mask << 1 | u64::from(inside));
        inside = mask >> 63 == 1;
        let words = starts.count_ones() as usize;
        let mut skips = to.skips().min(words);
        to.skip(skips);
        while skips > 0 {
            starts &= starts.wrapping_sub(1);
            skips -= 1;
            if starts == 0 {
                break;
            }
        }
        while starts != 0 {
            let bit = starts.trailing_zeros();
            starts &= starts - 1;
            let length = (!(mask >> bit)).trailing_zeros();
            let start = at + bit as usize;
            let ends = if bit + length < 64 {
                Some(start + length as usize)
            } else {
                ends_beyond(bytes, at + BLOCK)
            };
            if to.skips() > 0 {
                to.skip(1);
            } else {
                to.word(start, ends);
            }
        }
        at += BLOCK;
    }
    while at < bytes.len() {
        (at, inside) = walk_slowly(text, at, inside, to);
    }
}

/// Where an ASCII word that reaches the end of its block ends; none if it goes on otherwise.
#[inline]
fn ends_beyond(bytes: &[u8], block_end: usize) -> Option<usize> {
    for (n, byte) in bytes.get(block_end..)?.iter().take(16).enumerate() {
        if !byte.is_ascii_alphanumeric() {
            return byte.is_ascii().then_some(block_end + n);
        }
    }
    None
}

/// Walks by characters past at least [`BLOCK`] bytes.
fn walk_slowly(text: &str, from: usize, inside: bool, to: &mut impl Words) -> (usize, bool) {
    let mut inside = inside;
    let until = from + BLOCK;
    let mut at = from;
    for c in text.get(from..).unwrap_or_default().chars() {
        if at >= until {
            break;
        }
        let begins = match place(c) {
            Place::Dropped => false,
            Place::Separator => {
                inside = false;
                false
            }
            Place::Alone => {
                inside = false;
                true
            }
            Place::Letter => !std::mem::replace(&mut inside, true),
        };
        if begins {
            if to.skips() > 0 {
                to.skip(1);
            } else {
                to.word(at, None);
            }
        }
        at += c.len_utf8();
    }
    (at, inside)
}

struct Counting(usize);

impl Words for Counting {
    fn skips(&self) -> usize {
        usize::MAX
    }

    fn skip(&mut self, words: usize) {
        self.0 += words;
    }

    fn word(&mut self, _: usize, _: Option<usize>) {
        self.0 += 1;
    }
}

/// How many words a text has.
pub fn count(text: &str) -> usize {
    let mut counting = Counting(0);
    walk(text, &mut counting);
    counting.0
}

#[cfg(test)]
mod tests;
