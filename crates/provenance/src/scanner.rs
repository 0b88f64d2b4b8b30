//! Which registered outputs does a document hold?

use std::collections::HashMap;

use crate::key::{AuditKey, Channel, Secrets};
use crate::normaliser::{Word, read_words};
use crate::registry::{Registry, widened};
use crate::segment::every_key;
use crate::verdict::{Hit, Judge, Verdict};

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
        let mut stream = self.stream();
        stream.push(text);
        stream.finish()
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

    fn secrets(&self) -> &Secrets {
        self.key.secrets()
    }

    fn page(&self, page: &str, base: usize, found: &mut HashMap<u32, Vec<Hit>>) {
        if !self.worth_opening(page) {
            return;
        }
        let mut read = Vec::new();
        read_words(page, base, self.secrets(), &mut read);
        self.open(&read, found);
    }

    fn worth_opening(&self, _page: &str) -> bool {
        let _ = self.depth;
        true
    }

    /// Looks up every key of a page.
    fn open(&self, read: &[Word], found: &mut HashMap<u32, Vec<Hit>>) {
        let filter = self.registry.filter();
        every_key(read, self.key, |channel, keyed| {
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
        self.words += count_words(self.page.get(self.fresh..).unwrap_or_default());
        self.scanner.page(&self.page, self.base, &mut self.found);
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

fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}
