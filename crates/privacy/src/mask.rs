//! How does personal data leave as a pseudonym and come back?
//!
//! `ann@example.org` leaves as `<EMAIL_1>`, the same wherever it stands again; a number is never
//! given that the text already uses. Only [`Pseudonyms`] can put it back: keep it where the data
//! may stay.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::find::{Found, Kind, find};

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<(?:EMAIL|IBAN|CARD|PHONE|IP)_[0-9]{1,9}>").expect("a constant pattern")
});

/// The pseudonyms given so far, and what each stands for.
#[derive(Default)]
pub struct Pseudonyms {
    given: HashMap<(Kind, String), String>,
    originals: HashMap<String, String>,
    /// Placeholders that texts already used for something else.
    used: HashSet<String>,
}

impl std::fmt::Debug for Pseudonyms {
    /// Says how many, never what.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pseudonyms({})", self.originals.len())
    }
}

impl Pseudonyms {
    /// How many are given.
    pub fn len(&self) -> usize {
        self.originals.len()
    }

    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }

    /// `text` with what [`find`] finds replaced.
    pub fn mask(&mut self, text: &str) -> String {
        for hit in PLACEHOLDER.find_iter(text) {
            if !self.originals.contains_key(hit.as_str()) {
                self.used.insert(hit.as_str().to_owned());
            }
        }
        // What two kinds claimed together goes to one of them, and what it leaves of the other's
        // may be a number again. No pseudonym is ever part of what is found, so this ends.
        let mut masked = self.replaced(text, &find(text));
        loop {
            let left = find(&masked);
            if left.is_empty() {
                return masked;
            }
            masked = self.replaced(&masked, &left);
        }
    }

    fn replaced(&mut self, text: &str, all: &[Found]) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut from = 0;
        for found in all {
            masked.push_str(text.get(from..found.at.start).unwrap_or_default());
            let original = text.get(found.at.clone()).unwrap_or_default();
            masked.push_str(&self.pseudonym(found.kind, original));
            from = found.at.end;
        }
        masked.push_str(text.get(from..).unwrap_or_default());
        masked
    }

    fn pseudonym(&mut self, kind: Kind, original: &str) -> String {
        if let Some(given) = self.given.get(&(kind, original.to_owned())) {
            return given.clone();
        }
        let mut n = 1;
        let pseudonym = loop {
            let name = format!("<{}_{n}>", kind.word());
            if !self.originals.contains_key(&name) && !self.used.contains(&name) {
                break name;
            }
            n += 1;
        };
        self.given
            .insert((kind, original.to_owned()), pseudonym.clone());
        self.originals
            .insert(pseudonym.clone(), original.to_owned());
        pseudonym
    }

    /// `text` with every pseudonym given here replaced by what it stands for.
    pub fn restore(&self, text: &str) -> String {
        let original = |hit: &regex::Captures<'_>| {
            let name = hit.get(0).map_or("", |m| m.as_str());
            self.originals
                .get(name)
                .map_or(name, String::as_str)
                .to_owned()
        };
        PLACEHOLDER.replace_all(text, original).into_owned()
    }
}

#[cfg(test)]
mod tests;
