//! Where is personal data in a text?
//!
//! A pattern proposes, a check disposes: an IBAN must satisfy ISO 13616 (remainder 1 of 97), a
//! card number ISO/IEC 7812 (Luhn), so that order numbers and hashes stay what they are. Names and
//! postal addresses have no checkable form and are not looked for.

use core::net::IpAddr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What kind of personal data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// An international bank account number.
    Iban,
    /// The number of a payment card.
    Card,
    /// A telephone number with its country code.
    Phone,
    /// An IPv4 or IPv6 address.
    Ip,
}

impl Kind {
    /// All of them; where two claim the same text, the earlier one has it.
    pub const ALL: [Self; 5] = [Self::Email, Self::Iban, Self::Card, Self::Phone, Self::Ip];

    /// The word in a pseudonym.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Iban => "IBAN",
            Self::Card => "CARD",
            Self::Phone => "PHONE",
            Self::Ip => "IP",
        }
    }

    fn pattern(self) -> &'static Regex {
        match self {
            Self::Email => &EMAIL,
            Self::Iban => &IBAN,
            Self::Card => &CARD,
            Self::Phone => &PHONE,
            Self::Ip => &IP,
        }
    }

    /// Whether a candidate is what its form claims.
    fn holds(self, text: &str) -> bool {
        match self {
            Self::Email => true,
            Self::Iban => iban(text),
            Self::Card => luhn(text),
            Self::Phone => (8..=15).contains(&digits(text).count()),
            Self::Ip => text.parse::<IpAddr>().is_ok(),
        }
    }
}

#[expect(clippy::expect_used, reason = "constant patterns, compiled by a test")]
fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}\b")
});
static IBAN: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"));
static CARD: LazyLock<Regex> = LazyLock::new(|| compiled(r"\b[0-9](?:[ -]?[0-9]){12,18}\b"));
static PHONE: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"\+[1-9][0-9]{0,2}(?:[ ./-]?\(?[0-9]{1,4}\)?){2,6}\b"));
static IP: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"\b(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?:[0-9A-Fa-f]{1,4}:){2,7}:?[0-9A-Fa-f]{1,4})\b")
});

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// Luhn's sum, over 13 to 19 digits (ISO/IEC 7812).
fn luhn(text: &str) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(n, digit)| match (n % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    (13..=19).contains(&digits(text).count()) && sum.is_multiple_of(10)
}

/// The number, its head moved behind its tail and letters read as 10 to 35, leaves 1 of 97.
fn iban(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (Some(head), Some(tail)) = (plain.get(..4), plain.get(4..)) else {
        return false;
    };
    let remainder = tail.chars().chain(head.chars()).try_fold(0_u32, |rest, c| {
        let value = c.to_digit(36)?;
        let shift = if value > 9 { 100 } else { 10 };
        Some((rest * shift + value) % 97)
    });
    (15..=34).contains(&plain.len()) && remainder == Some(1)
}

/// Personal data in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where it is, in bytes of the text.
    pub at: Range<usize>,
}

/// Everything found, in the order of the text; nothing overlaps.
pub fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for kind in Kind::ALL {
        for hit in kind.pattern().find_iter(text) {
            let taken = found
                .iter()
                .any(|f| f.at.start < hit.end() && hit.start() < f.at.end);
            if !taken && kind.holds(hit.as_str()) {
                let at = hit.range();
                found.push(Found { kind, at });
            }
        }
    }
    found.sort_by_key(|f| f.at.start);
    found
}

#[cfg(test)]
mod tests;
