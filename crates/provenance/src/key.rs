//! Under which secret are grams compared?
//!
//! A gram is hashed by NH (universal, fast: one multiplication a word) to 128 bits, and those by
//! SipHash-1-3, a keyed pseudorandom function, to 64: who lacks the key can neither ask a
//! registry for a text nor join two registries. Reasons: `docs/decisions/0015-grams-under-a-key.md`.

use siphasher::sip::SipHasher24;
use std::hash::Hasher as _;

use crate::normaliser::{Word, normal_words, read_words};

/// Words in one gram.
pub const GRAM: usize = 8;

/// The secret of one audit or tenant.
#[derive(Clone)]
pub struct AuditKey {
    secrets: Secrets,
    id: u64,
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditKey({:016x})", self.id)
    }
}

impl AuditKey {
    /// A key from 16 secret bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        let expand = |n: u64| {
            let mut hasher = SipHasher24::new_with_key(&bytes);
            hasher.write(b"fairhold provenance 1");
            hasher.write_u64(n);
            hasher.finish()
        };
        let pair = |n: u64| (expand(2 * n), expand(2 * n + 1));
        Self {
            secrets: Secrets {
                nh: std::array::from_fn(|i| pair(i as u64)),
                words: pair(100),
                stems: pair(101),
                channels: [pair(102), pair(103), pair(104), pair(105)],
            },
            id: expand(1_000),
        }
    }

    /// Names the key without telling it: segments of different keys are never joined.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What a prompt is known by: equal prompts, equal numbers; never 0.
    pub fn prompt_group(&self, prompt: &str) -> u64 {
        let mut words = Vec::new();
        read_words(prompt, 0, &self.secrets, &mut words);
        self.group_of(prompt, &words)
    }

    /// The same of a prompt whose words were read: each in the normal form, closed by a byte that is
    /// in none.
    pub(crate) fn group_of(&self, prompt: &str, words: &[Word]) -> u64 {
        const GATHERED: usize = 1024;
        let mut hasher = keyed(self.secrets.channels[3]);
        let mut bytes = Vec::with_capacity(GATHERED + 32);
        for word in words {
            if word.rest == 0 {
                let both = u128::from(word.hi) << 64 | u128::from(word.lo);
                let end = bytes.len() + 16 - (both.leading_zeros() / 8) as usize;
                // All sixteen and then back: a copy of a length that is known takes no loop.
                bytes.extend_from_slice(&both.to_le_bytes());
                bytes.truncate(end);
            } else {
                // Words keep no more than 16 bytes: the others are in the text.
                let spelt = prompt.get(word.start..word.end).unwrap_or_default();
                bytes.extend(normal_words(spelt).concat().into_bytes());
            }
            bytes.push(0xff);
            if bytes.len() >= GATHERED {
                hasher.write(&bytes);
                bytes.clear();
            }
        }
        hasher.write(&bytes);
        hasher.finish().max(1)
    }
}

fn keyed(key: (u64, u64)) -> SipHasher24 {
    SipHasher24::new_with_keys(key.0, key.1)
}

/// In which sense two texts have something in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// W8: eight words in their order.
    Words,
    /// S8: eight words in their order after names, numbers and placeholders were left out.
    Skeleton,
    /// T3: three content stems near each other, in any order.
    Triples,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Words, Self::Skeleton, Self::Triples];

    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "W8",
            Self::Skeleton => "S8",
            Self::Triples => "T3",
        }
    }
}

/// What the key comes to.
#[derive(Clone)]
pub(crate) struct Secrets {
    nh: [(u64, u64); GRAM],
    words: (u64, u64),
    stems: (u64, u64),
    channels: [(u64, u64); 4],
}

impl Secrets {
    /// What follows the first 16 bytes of a long word.
    pub(crate) fn remainder(&self, bytes: &[u8]) -> u64 {
        let mut hasher = keyed(self.words);
        hasher.write(bytes);
        hasher.finish().max(1)
    }

    /// The key of eight words in their order.
    #[inline(always)]
    pub(crate) fn gram<'a>(&self, channel: Channel, words: impl Iterator<Item = &'a Word>) -> u64 {
        let mut sum = 0_u128;
        for (word, secret) in words.zip(&self.nh) {
            sum = sum.wrapping_add(nh(word.lo.wrapping_add(word.rest), word.hi, *secret));
        }
        self.finish(channel, sum)
    }

    /// What the word at a place of a gram adds to its sum.
    #[inline(always)]
    pub(crate) fn addend(&self, place: usize, lo: u64, hi: u64) -> u128 {
        self.nh.get(place).map_or(0, |secret| nh(lo, hi, *secret))
    }

    /// The key of a sum of eight.
    #[inline]
    pub(crate) fn summed(&self, channel: Channel, sum: u128) -> u64 {
        self.finish(channel, sum)
    }

    /// A number for a stem, to be added to others: the sum knows no order.
    #[inline]
    pub(crate) fn stem(&self, lo: u64, hi: u64) -> u64 {
        let product = u128::from(lo ^ self.stems.0).wrapping_mul(u128::from(hi ^ self.stems.1));
        #[expect(clippy::cast_possible_truncation, reason = "both halves are folded")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded ^ lo.rotate_left(32)
    }

    /// The key of a sum of stems.
    #[inline]
    pub(crate) fn triple(&self, sum: u64) -> u64 {
        self.finish(Channel::Triples, u128::from(sum))
    }

    #[inline(always)]
    fn finish(&self, channel: Channel, sum: u128) -> u64 {
        let key = match channel {
            Channel::Words => self.channels[0],
            Channel::Skeleton => self.channels[1],
            Channel::Triples => self.channels[2],
        };
        #[expect(clippy::cast_possible_truncation, reason = "both halves are hashed")]
        let halves = (sum as u64, (sum >> 64) as u64);
        sip13(key, halves)
    }
}

#[inline(always)]
fn nh(lo: u64, hi: u64, (a, b): (u64, u64)) -> u128 {
    u128::from(lo.wrapping_add(a)).wrapping_mul(u128::from(hi.wrapping_add(b)))
}

/// SipHash-1-3 of sixteen bytes, unrolled; the tests hold it to the `siphasher` crate.
#[inline(always)]
fn sip13(key: (u64, u64), message: (u64, u64)) -> u64 {
    let mut v = [
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ];
    for part in [message.0, message.1, 16 << 56] {
        v[3] ^= part;
        round(&mut v);
        v[0] ^= part;
    }
    v[2] ^= 0xff;
    round(&mut v);
    round(&mut v);
    round(&mut v);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline(always)]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests;
