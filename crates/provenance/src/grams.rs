//! What of a text is compared?
//!
//! Words: runs of letters and digits after NFKC in lower case, an ideograph or kana alone (those
//! scripts put no spaces between words). Eight in a row are a gram, kept only as SipHash-2-4
//! under a secret key: without it a registry tells nothing, and two registries cannot be joined.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher24;
use unicode_normalization::UnicodeNormalization as _;

/// Words in one gram.
pub(crate) const GRAM: usize = 8;

/// The secret of one registry.
#[derive(Clone, Copy)]
pub struct FingerprintKey([u8; 16]);

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(..)")
    }
}

impl FingerprintKey {
    /// A key from 16 secret bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The fingerprints of every gram, in order: `words - 7` of them, or none.
    pub(crate) fn grams(&self, text: &str) -> Vec<u64> {
        let words = words(text);
        let gram = |window: &[String]| {
            let mut hasher = SipHasher24::new_with_key(&self.0);
            for word in window {
                hasher.write(word.as_bytes());
                hasher.write_u8(0xff);
            }
            hasher.finish()
        };
        words.windows(GRAM).map(gram).collect()
    }
}

fn ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// The words of a text, normalised.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.nfkc().flat_map(char::to_lowercase) {
        if ideograph(c) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            words.push(c.to_string());
        } else if c.is_alphanumeric() {
            word.push(c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests;
