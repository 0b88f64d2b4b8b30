//! Where do words begin? Sixty-four bytes at a time.
//!
//! ASCII is classed by blocks into a mask of letters and digits; a block that holds anything else is
//! walked character by character under the normaliser's rules. Nothing here knows a word's letters:
//! who wants them reads them from where the word begins.

use ::wide::{CmpLt as _, i8x16};

use crate::normaliser::{Place, alone, letter, place};

mod wide;

/// Bytes that are classed at once.
const BLOCK: usize = 64;

/// The letters and digits of a block as a mask, and its bytes beyond ASCII.
#[inline(always)]
fn classes(block: &[u8; BLOCK]) -> (u64, u64) {
    let (mut mask, mut high) = (0, 0);
    for (n, part) in block.as_chunks::<16>().0.iter().enumerate() {
        let (letters, beyond) = sixteen(part);
        mask |= u64::from(letters) << (16 * n);
        high |= u64::from(beyond) << (16 * n);
    }
    (mask, high)
}

/// The letters and digits of sixteen bytes, and the bytes beyond ASCII, which are negative here.
#[inline(always)]
fn sixteen(bytes: &[u8; 16]) -> (u16, u16) {
    let v = i8x16::from(bytes.map(u8::cast_signed));
    let all = i8x16::splat;
    // Moved so that the range begins at the least number: one comparison tells it.
    let moved = |from: u8| all(i8::MIN.wrapping_sub(from.cast_signed()));
    let lower = v | all(0x20);
    let letter = (lower + moved(b'a')).cmp_lt(all(i8::MIN + 26));
    let digit = (v + moved(b'0')).cmp_lt(all(i8::MIN + 10));
    (bits(letter | digit), bits(v))
}

/// The highest bit of each byte.
#[inline(always)]
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
    /// A character that is a word alone: where, and the bytes of what it becomes.
    fn alone(&mut self, at: (usize, usize), bytes: u64);
}

/// Tells where the words of a text begin.
#[inline(always)]
pub(crate) fn walk(text: &str, to: &mut impl Words) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut inside = false;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let (mask, high) = classes(block);
        if high == 0 {
            plainly(text, (at, BLOCK), (mask, inside), to);
            inside = mask >> 63 == 1;
            at += BLOCK;
            continue;
        }
        // What is before the first character beyond ASCII is told by the mask, that by the rules.
        let plain = high.trailing_zeros() as usize;
        let mask = mask & !(u64::MAX << plain);
        plainly(text, (at, plain), (mask, inside), to);
        if plain > 0 {
            inside = mask >> (plain - 1) == 1;
        }
        (at, inside) = walk_beyond(text, at + plain, inside, to);
    }
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (mask, high) = classes(&padded(rest));
        let plain = (high.trailing_zeros() as usize).min(rest.len());
        let mask = mask & !(u64::MAX << plain);
        plainly(text, (at, plain), (mask, inside), to);
        if plain > 0 {
            inside = mask >> (plain - 1) == 1;
        }
        at += plain;
        if plain < rest.len() {
            (at, inside) = walk_beyond(text, at, inside, to);
        }
    }
}

/// Bytes with spaces behind them.
#[inline(always)]
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut padded = [b' '; N];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    padded
}

/// Tells the words of the `plain` ASCII bytes at `at`, whose letters and digits are in the mask.
#[inline(always)]
fn plainly(
    text: &str,
    (at, plain): (usize, usize),
    (mask, inside): (u64, bool),
    to: &mut impl Words,
) {
    let mut starts = mask & !(mask << 1 | u64::from(inside));
    while starts != 0 {
        let Some(told) = passed_over(starts, to) else {
            return;
        };
        starts = told;
        let bit = starts.trailing_zeros();
        starts &= starts.wrapping_sub(1);
        let length = (!(mask >> bit)).trailing_zeros();
        let start = at.wrapping_add(bit as usize);
        let end = start.wrapping_add(length as usize);
        let past = at.wrapping_add(plain);
        let ends = if end < past {
            Some(end)
        } else {
            ends_beyond(text, past)
        };
        to.word(start, ends);
    }
}

/// Where a word ends that reaches the end of what the mask tells; none if that takes the rules.
#[inline(always)]
fn ends_beyond(text: &str, past: usize) -> Option<usize> {
    let more = text.as_bytes().get(past..)?;
    let (letters, beyond) = match more.first_chunk::<16>() {
        Some(more) => sixteen(more),
        None => sixteen(&padded(more)),
    };
    let more = (!u32::from(letters)).trailing_zeros();
    if more == 16 {
        return None;
    }
    let end = past.wrapping_add(more as usize);
    if beyond >> more & 1 == 1 {
        let next = text.get(end..)?.chars().next()?;
        return matches!(place(next), Place::Separator | Place::Alone).then_some(end);
    }
    Some(end)
}

/// Walks from a character beyond ASCII until an ASCII one follows one that is not, or the text ends.
#[inline(always)]
fn walk_beyond(text: &str, from: usize, inside: bool, to: &mut impl Words) -> (usize, bool) {
    let (mut at, mut inside) = (from, inside);
    loop {
        let behind = wide::pass(text.as_bytes(), at, to);
        inside &= behind == at;
        at = behind;
        if text.as_bytes().get(at).is_none_or(u8::is_ascii) {
            return (at, inside);
        }
        (at, inside) = walk_slowly(text, at, inside, to);
    }
}

/// Walks by characters until after one beyond ASCII there is one that goes faster, or the text ends.
#[inline(never)]
fn walk_slowly(text: &str, from: usize, inside: bool, to: &mut impl Words) -> (usize, bool) {
    let mut inside = inside;
    let mut at = from;
    let mut beyond = false;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if beyond && (c.is_ascii() || wide::may_begin(text.as_bytes(), at)) {
            break;
        }
        beyond |= !c.is_ascii();
        let start = at;
        at += c.len_utf8();
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
        if !begins {
            continue;
        }
        if to.skips() > 0 {
            to.skip(1);
        } else if let Some(folded) = alone(c) {
            to.alone((start, at), letter(folded));
        } else {
            to.word(start, None);
        }
    }
    (at, inside)
}

/// Of words that begin at these places, those behind the ones that need not be told; none if that is all.
#[inline(always)]
fn passed_over(mut starts: u64, to: &mut impl Words) -> Option<u64> {
    let skips = to.skips();
    if skips > 0 {
        let words = starts.count_ones() as usize;
        if skips >= words {
            to.skip(words);
            return None;
        }
        to.skip(skips);
        for _ in 0..skips {
            starts &= starts.wrapping_sub(1);
        }
    }
    Some(starts)
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

    fn alone(&mut self, _: (usize, usize), _: u64) {
        self.0 += 1;
    }
}

/// A walk that is done with all that this processor has, where that is more than its architecture asks for:
/// bits are counted and moved by one instruction each. All of it is inlined, or nothing is gained.
pub(crate) struct Walk<'a, W>(pub(crate) &'a str, pub(crate) W);

impl<W: Words> Walk<'_, W> {
    /// Walks; gives back who was told.
    pub(crate) fn done(self) -> W {
        pulp::Arch::new().dispatch(self)
    }
}

impl<W: Words> pulp::WithSimd for Walk<'_, W> {
    type Output = W;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> W {
        let Self(text, mut to) = self;
        walk(text, &mut to);
        to
    }
}

/// How many words a text has.
pub fn count(text: &str) -> usize {
    Walk(text, Counting(0)).done().0
}

#[cfg(test)]
mod tests;
