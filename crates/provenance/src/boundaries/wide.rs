//! Chinese and its punctuation: sixteen characters of three bytes at a time.
//!
//! An ideograph is a word alone and becomes itself; the punctuation around it separates. Of valid UTF-8
//! the first byte of a character tells how many follow, so that of each byte it is asked what character
//! would begin there, and only every third answer counts.

use ::wide::{CmpEq as _, CmpGt as _, CmpLt as _, i8x16};

use super::{Words, bits, passed_over};

/// Bytes of sixteen such characters.
const STRETCH: usize = 48;
/// And two more, so that what follows the last byte can be asked of it too.
const ASKED: usize = STRETCH + 2;
/// Where the characters of a stretch begin.
const LEADS: u64 = 0x2492_4924_9249;

/// Whether what is at `at` may be passed here.
#[inline(always)]
pub(super) fn may_begin(bytes: &[u8], at: usize) -> bool {
    let asked = bytes.get(at..).and_then(<[u8]>::first_chunk::<ASKED>);
    asked.is_some_and(|[lead, ..]| matches!(lead, 0xe2..=0xe9 | 0xef))
}

/// Passes ideographs and the punctuation around them from `at`; returns where they end, or the text
/// nearly does.
#[inline(always)]
pub(super) fn pass(bytes: &[u8], mut at: usize, to: &mut impl Words) -> usize {
    while let Some(asked) = bytes.get(at..).and_then(<[u8]>::first_chunk::<ASKED>) {
        let (ideographs, separators) = classes(asked);
        let others = LEADS & !(ideographs | separators);
        let length = others.trailing_zeros().min(48) as usize;
        tell(asked, at, ideographs & LEADS & !(u64::MAX << length), to);
        at += length;
        if length < STRETCH {
            break;
        }
    }
    at
}

/// Tells the ideographs that begin at these places of a stretch.
#[inline(always)]
fn tell(asked: &[u8; ASKED], at: usize, mut starts: u64, to: &mut impl Words) {
    while starts != 0 {
        let Some(told) = passed_over(starts, to) else {
            return;
        };
        starts = told;
        let bit = starts.trailing_zeros() as usize;
        starts &= starts.wrapping_sub(1);
        let three = asked.get(bit..).and_then(<[u8]>::first_chunk::<3>);
        let [a, b, c] = three.copied().unwrap_or_default();
        let from = at.wrapping_add(bit);
        let bytes = u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]);
        to.alone((from, from.wrapping_add(3)), bytes);
    }
}

/// Where an ideograph of U+4E00 to U+9FFF would begin, and where a separator.
#[inline(always)]
fn classes(asked: &[u8; ASKED]) -> (u64, u64) {
    let (mut ideographs, mut separators) = (0, 0);
    for n in [0, 16, 32] {
        let from = |shift: usize| {
            let sixteen = asked.get(n + shift..).and_then(<[u8]>::first_chunk::<16>);
            i8x16::from(sixteen.copied().unwrap_or_default().map(u8::cast_signed))
        };
        let (first, second, third) = (from(0), from(1), from(2));
        ideographs |= u64::from(bits(ideograph(first, second))) << n;
        separators |= u64::from(bits(separator(first, second, third))) << n;
    }
    (ideographs, separators)
}

#[inline(always)]
fn all(byte: u8) -> i8x16 {
    i8x16::splat(byte.cast_signed())
}

/// Bytes beyond ASCII are negative, in their order.
#[inline(always)]
fn between(v: i8x16, first: u8, last: u8) -> i8x16 {
    v.cmp_gt(all(first - 1)) & v.cmp_lt(all(last + 1))
}

#[inline(always)]
fn ideograph(first: i8x16, second: i8x16) -> i8x16 {
    let most = between(first, 0xe5, 0xe9);
    let lower = first.cmp_eq(all(0xe4)) & second.cmp_gt(all(0xb7));
    most | lower
}

/// U+3000 to U+3004 and U+3008 to U+3020, fullwidth punctuation before and behind the digits, and dashes,
/// quotation marks and dots of U+2010 to U+2027.
#[inline(always)]
fn separator(first: i8x16, second: i8x16, third: i8x16) -> i8x16 {
    let eighty = second.cmp_eq(all(0x80));
    let ideographic =
        first.cmp_eq(all(0xe3)) & eighty & (third.cmp_lt(all(0x85)) | between(third, 0x88, 0xa0));
    let fullwidth = first.cmp_eq(all(0xef))
        & second.cmp_eq(all(0xbc))
        & (between(third, 0x81, 0x8f) | between(third, 0x9a, 0xa0));
    let general = first.cmp_eq(all(0xe2)) & eighty & between(third, 0x90, 0xa7);
    ideographic | fullwidth | general
}

#[cfg(test)]
mod tests;
