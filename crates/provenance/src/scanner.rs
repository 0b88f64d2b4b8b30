//! Which registered outputs does a document hold?

use std::collections::HashMap;

use crate::boundaries::count;
use crate::channels::{self, Triples};
use crate::key::{AuditKey, Channel, Secrets};
use crate::normaliser::{Shape, Word, read_words};
use crate::registry::{Registry, widened};
use crate::segment::every_key;
use crate::verdict::{Features, Hit, Judge, Verdict, density, features};

mod asking;
mod probes;

pub use asking::seeds;

/// How long a shared run of words must be to be found without fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Every run of 23 words: one gram in sixteen words is looked up.
    Words23,
    /// Every run of 39 words: one in 32.
    Words39,
}

impl Guarantee {
    /// Words from one looked-up gram to the next.
    pub fn step(self) -> usize {
        match self {
            Self::Words23 => 16,
            Self::Words39 => 32,
        }
    }

    /// The shortest run that is always found.
    pub fn words(self) -> usize {
        self.step() + crate::key::GRAM - 1
    }
}

/// How closely documents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Copies: a document is opened when a run of its words is an output's.
    Copies(Guarantee),
    /// Also rewritten ones: skeletons and triples are looked up too.
    Paraphrases(Guarantee),
}

/// A document is read in pages of this size: memory stays bounded.
pub(crate) const PAGE: usize = 1 << 20;
/// What a page repeats of the one before, so that a run across the cut is whole in one of them.
pub(crate) const OVERLAP: usize = 1 << 16;

/// A document of fewer words is looked through more closely: it has few grams to be found by.
const WORDS_SHORT: usize = 256;

/// A gram of characters is shorter than one of words: eight are about five words.
const ALONE_WORTH: f64 = 0.6;

/// Words from one ordered gram to the next where paraphrases are sought.
fn closer(words: usize) -> usize {
    if words < WORDS_SHORT { 2 } else { 8 }
}

/// And the triples.
fn wanted(words: usize) -> Triples {
    if words < WORDS_SHORT {
        Triples::All
    } else {
        Triples::Sampled
    }
}

/// Looks for a registry's outputs in documents.
#[derive(Debug)]
pub struct Scanner<'r> {
    registry: &'r Registry,
    key: &'r AuditKey,
    depth: Depth,
    judge: Judge,
}

impl<'r> Scanner<'r> {
    /// A scanner over `registry`, whose fingerprints were made under `key`.
    pub fn new(registry: &'r Registry, key: &'r AuditKey, depth: Depth, judge: Judge) -> Self {
        Self {
            registry,
            key,
            depth,
            judge,
        }
    }

    /// What a whole document holds.
    pub fn scan(&self, text: &str) -> Verdict {
        if text.len() <= PAGE {
            let mut found = HashMap::new();
            let words = self.page(text, 0, &mut found);
            return self.judge.judge(self.registry, (text.len(), words), found);
        }
        let mut stream = self.stream();
        stream.push(text);
        stream.finish()
    }

    /// What the channels find between a document and every output it shares a key with, control
    /// twins among them, unweighed. For measuring.
    pub fn candidates(&self, text: &str) -> Vec<(usize, Features)> {
        let mut read = Vec::new();
        read_words(text, 0, self.secrets(), &mut read);
        let mut found = HashMap::new();
        self.open(&read, &mut found);
        let words = read.len();
        let all = found.into_iter().filter_map(|(output, hits)| {
            let known = self.registry.outputs().get(output as usize)?;
            Some((output as usize, features(known, words, &hits)))
        });
        all.collect()
    }

    /// A document that comes in pieces. However it is cut, the verdict is that of [`Self::scan`].
    pub fn stream(&self) -> Stream<'_, 'r> {
        Stream {
            scanner: self,
            page: String::new(),
            base: 0,
            bytes: 0,
            words: 0,
            fresh: 0,
            found: HashMap::new(),
        }
    }

    /// Whether an output's prompt has control twins.
    pub fn has_twins(&self, output: usize) -> bool {
        let output = self.registry.outputs().get(output);
        output.is_some_and(|o| self.registry.twins(o.prompt) > 0)
    }

    fn secrets(&self) -> &Secrets {
        self.key.secrets()
    }

    /// Looks through a page; returns how many words it has.
    fn page(&self, page: &str, base: usize, found: &mut HashMap<u32, Vec<Hit>>) -> usize {
        let (count, opened) = self.opened(page, base);
        if let Some(read) = opened {
            self.open(&read, found);
        }
        count
    }

    /// How many words a page has, and the words themselves if it is worth opening.
    fn opened(&self, page: &str, base: usize) -> (usize, Option<Vec<Word>>) {
        let (guarantee, closely) = match self.depth {
            Depth::Copies(guarantee) => (guarantee, false),
            Depth::Paraphrases(guarantee) => (guarantee, true),
        };
        let mut read = Vec::new();
        let (count, open) = if closely {
            let near = probes::near(page, self.secrets());
            if near.words < WORDS_SHORT {
                read_words(page, base, self.secrets(), &mut read);
                (near.words, self.few_resemble(&read))
            } else {
                let ordered = self.any_ordered(&near.plain) || self.any_ordered(&near.skeleton);
                (
                    near.words,
                    ordered || self.triples(&near.triples, near.words),
                )
            }
        } else {
            let mut keys = Vec::with_capacity(page.len() / 64 + 8);
            let count = probes::of_words(page, guarantee, self.secrets(), &mut keys);
            (count, self.any_ordered(&keys))
        };
        if open && read.is_empty() {
            read_words(page, base, self.secrets(), &mut read);
        }
        (count, open.then_some(read))
    }

    /// Whether an ordered gram is an output's.
    fn any_ordered(&self, keys: &[u64]) -> bool {
        let mut any = false;
        probes::passed(keys, self.registry.filter(), |key| {
            any = any || self.registry.find(key, true).is_some();
        });
        any
    }

    /// Whether a page of few words is worth opening: it is looked through more closely.
    fn few_resemble(&self, read: &[Word]) -> bool {
        let (words, mut keys) = (read.len(), Vec::new());
        probes::of_read(read, closer(words), self.secrets(), &mut keys);
        let skeleton = (self.secrets(), &mut keys);
        probes::of_skeleton(read, &mut Vec::new(), closer(words), skeleton);
        if self.any_ordered(&keys) {
            return true;
        }
        keys.clear();
        channels::triple_keys(read, self.secrets(), wanted(words), &mut keys);
        self.triples(&keys, words)
    }

    /// Whether triples make a page of so many words worth opening.
    fn triples(&self, keys: &[u64], words: usize) -> bool {
        let mut shared: Vec<(u32, f64)> = Vec::new();
        probes::passed(keys, self.registry.filter(), |key| {
            if let Some((places, bits)) = self.registry.find(key, false) {
                shared.extend(places.iter().map(|place| (place.output, bits)));
            }
        });
        shared.sort_unstable_by_key(|(output, _)| *output);
        let mut outputs = shared.chunk_by(|a, b| a.0 == b.0);
        outputs.any(|hits| self.enough(hits, words))
    }

    /// Whether triples with one output make a document of so many words worth opening.
    fn enough(&self, hits: &[(u32, f64)], words: usize) -> bool {
        let first = hits.first().map_or(0, |(output, _)| *output as usize);
        let Some(output) = self.registry.outputs().get(first) else {
            return false;
        };
        let density = density(output);
        // Where the output has all of its triples and the document was asked for one in four.
        let unasked = if wanted(words) == Triples::Sampled && density < 1.0 {
            4
        } else {
            1
        };
        let bits: f64 = hits.iter().map(|(_, bits)| bits).sum();
        let shared = u32::try_from(hits.len()).unwrap_or(u32::MAX);
        let features = Features {
            bits: [0.0, 0.0, bits * density * f64::from(unasked)],
            shared: [0, 0, shared.saturating_mul(unasked)],
            own: output.own,
            words,
            output_words: output.words as usize,
        };
        self.judge.fusion.bits(&features) >= self.judge.worth_opening(self.registry)
    }

    /// Looks up every key of a page.
    fn open(&self, read: &[Word], found: &mut HashMap<u32, Vec<Hit>>) {
        let filter = self.registry.filter();
        every_key(read, self.key, Triples::All, |channel, keyed| {
            if !filter.holds(widened(keyed.key)) {
                return;
            }
            let ordered = channel != Channel::Triples;
            let Some((places, bits)) = self.registry.find(keyed.key, ordered) else {
                return;
            };
            let (Some(first), Some(last)) = (read.get(keyed.first), read.get(keyed.last)) else {
                return;
            };
            let bits = if first.shape.has(Shape::ALONE) {
                bits * ALONE_WORTH
            } else {
                bits
            };
            for place in places {
                found.entry(place.output).or_default().push(Hit {
                    channel,
                    key: keyed.key,
                    #[expect(clippy::cast_possible_truncation, reason = "the lower 16 bits")]
                    position: place.packed as u16,
                    start: first.start,
                    end: last.end,
                    bits,
                });
            }
        });
    }
}

/// A document that is being read.
#[derive(Debug)]
pub struct Stream<'s, 'r> {
    scanner: &'s Scanner<'r>,
    page: String,
    /// Where the page begins in the document.
    base: usize,
    bytes: usize,
    words: usize,
    /// Where in the page begins what no page before held.
    fresh: usize,
    found: HashMap<u32, Vec<Hit>>,
}

impl Stream<'_, '_> {
    /// Reads on.
    pub fn push(&mut self, mut text: &str) {
        self.bytes += text.len();
        while self.page.len() + text.len() > PAGE {
            let mut cut = PAGE.saturating_sub(self.page.len());
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            let Some((head, tail)) = text.split_at_checked(cut) else {
                break;
            };
            self.page.push_str(head);
            text = tail;
            self.turn();
        }
        self.page.push_str(text);
    }

    fn turn(&mut self) {
        self.look();
        let mut keep = self.page.len().saturating_sub(OVERLAP);
        while !self.page.is_char_boundary(keep) {
            keep += 1;
        }
        self.page.drain(..keep);
        self.base += keep;
        self.fresh = self.page.len();
    }

    fn look(&mut self) {
        let words = self.scanner.page(&self.page, self.base, &mut self.found);
        self.words += if self.fresh == 0 {
            words
        } else {
            // What the page before held was counted with it.
            count(self.page.get(self.fresh..).unwrap_or_default())
        };
    }

    /// The verdict.
    pub fn finish(mut self) -> Verdict {
        self.look();
        let scanner = self.scanner;
        scanner
            .judge
            .judge(scanner.registry, (self.bytes, self.words), self.found)
    }
}

#[cfg(test)]
mod tests;
