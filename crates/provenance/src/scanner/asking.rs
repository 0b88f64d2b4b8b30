//! What would a scan look up? Asked of a registry that is not at hand.
//!
//! First the keys that decide which documents are opened, then, of those, every key. Whoever knows
//! what the registry says of all of them scans with that alone.

use super::{Depth, OVERLAP, PAGE, Scanner, closer, probes, wanted};
use crate::channels::{self, Triples};
use crate::key::AuditKey;
use crate::normaliser::read_words;
use crate::segment::every_key;

/// The keys that decide whether a document is opened.
pub fn seeds(text: &str, key: &AuditKey, depth: Depth, mut found: impl FnMut(u64)) {
    let secrets = key.secrets();
    let mut keys = Vec::new();
    for page in pages(text) {
        match depth {
            Depth::Copies(guarantee) => {
                probes::of_words(page, guarantee, secrets, &mut keys);
            }
            Depth::Paraphrases(guarantee) => {
                let mut read = Vec::new();
                read_words(page, 0, secrets, &mut read);
                let words = read.len();
                let step = closer(words).min(guarantee.step());
                probes::of_read(&read, step, secrets, &mut keys);
                probes::of_skeleton(&read, &mut Vec::new(), closer(words), (secrets, &mut keys));
                channels::triples(&read, secrets, wanted(words), |keyed| keys.push(keyed.key));
            }
        }
        keys.drain(..).for_each(&mut found);
    }
}

impl Scanner<'_> {
    /// Every key of what is opened in a document.
    pub fn opens(&self, text: &str, mut found: impl FnMut(u64)) {
        for page in pages(text) {
            if let (_, Some(read)) = self.opened(page, 0) {
                every_key(&read, self.key, Triples::All, |_, keyed| found(keyed.key));
            }
        }
    }
}

/// The pages of a document, cut as [`super::Stream`] cuts them.
fn pages(text: &str) -> impl Iterator<Item = &str> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        if text.len() - from <= PAGE {
            start = None;
            return text.get(from..);
        }
        let mut end = from + PAGE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut next = end - OVERLAP;
        while !text.is_char_boundary(next) {
            next += 1;
        }
        start = Some(next);
        text.get(from..end)
    })
}

#[cfg(test)]
mod tests;
