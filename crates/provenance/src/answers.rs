//! Which registered answers does a text hold?
//!
//! What is compared is containment: the share of an answer's grams that stand in the text. A page
//! that quotes an answer whole holds it whole, however long the page is. What an answer took from
//! its own prompt, and what more than [`COMMON`] answers say, is nobody's mark and does not count.

use std::collections::{BTreeMap, HashMap, HashSet};

use facts::ExchangeId;

use crate::grams::{FingerprintKey, words};

/// Shorter answers say too little to be told apart.
const WORDS_MIN: usize = 40;
/// A gram of more answers than this is boilerplate.
const COMMON: usize = 8;

/// Why an answer was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// Fewer than 40 words.
    Short,
    /// Nothing in it that its prompt did not say.
    Repeats,
}

/// What a registration came to.
pub type Registered = Result<(), Skipped>;

/// An answer found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The exchange whose answer it is.
    pub exchange: ExchangeId,
    /// The answer's own grams that stand in the text.
    pub grams: usize,
    /// Their share of the answer's own grams, 0 to 1.
    pub share: f64,
    /// The longest run of grams in the order of the answer; `n` grams are `n + 7` words.
    pub run: usize,
}

struct Answer {
    exchange: ExchangeId,
    own: usize,
}

/// The fingerprints of answers, under one key. Several grams of an answer that are the same count
/// once.
pub struct Registry {
    key: FingerprintKey,
    answers: Vec<Answer>,
    /// Where each gram stands: (answer, position).
    at: HashMap<u64, Vec<(usize, usize)>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({} answers)", self.answers.len())
    }
}

impl Registry {
    /// An empty registry.
    pub fn new(key: FingerprintKey) -> Self {
        Self {
            key,
            answers: Vec::new(),
            at: HashMap::new(),
        }
    }

    /// How many answers it knows.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Registers an answer.
    ///
    /// # Errors
    /// When it holds nothing by which it could be told.
    pub fn register(&mut self, exchange: ExchangeId, prompt: &str, answer: &str) -> Registered {
        if words(answer).len() < WORDS_MIN {
            return Err(Skipped::Short);
        }
        let asked: HashSet<u64> = self.key.grams(prompt).into_iter().collect();
        let mut seen = HashSet::new();
        let mut own = Vec::new();
        for (position, gram) in self.key.grams(answer).into_iter().enumerate() {
            if !asked.contains(&gram) && seen.insert(gram) {
                own.push((position, gram));
            }
        }
        if own.is_empty() {
            return Err(Skipped::Repeats);
        }
        let number = self.answers.len();
        for (position, gram) in &own {
            self.at.entry(*gram).or_default().push((number, *position));
        }
        self.answers.push(Answer {
            exchange,
            own: own.len(),
        });
        Ok(())
    }

    /// The answers that `text` holds at least `share_min` of, the most complete first.
    pub fn held(&self, text: &str, share_min: f64) -> Vec<Held> {
        let mut hits: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for gram in self.key.grams(text) {
            let Some(at) = self.at.get(&gram).filter(|at| at.len() <= COMMON) else {
                continue;
            };
            if seen.insert(gram) {
                for (answer, position) in at {
                    hits.entry(*answer).or_default().push(*position);
                }
            }
        }
        let mut held: Vec<Held> = hits
            .into_iter()
            .filter_map(|(n, at)| self.measured(n, &at))
            .filter(|held| held.share >= share_min)
            .collect();
        held.sort_by(|a, b| {
            let order = b.share.total_cmp(&a.share);
            order.then_with(|| a.exchange.as_str().cmp(b.exchange.as_str()))
        });
        held
    }

    fn measured(&self, number: usize, at: &[usize]) -> Option<Held> {
        let answer = self.answers.get(number)?;
        let mut run = 0;
        let mut longest = 0;
        let mut before = None;
        for position in at {
            let follows = before.is_some_and(|b: usize| b + 1 == *position);
            run = if follows { run + 1 } else { 1 };
            longest = longest.max(run);
            before = Some(*position);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let share = at.len() as f64 / answer.own as f64;
        Some(Held {
            exchange: answer.exchange.clone(),
            grams: at.len(),
            share,
            run: longest,
        })
    }
}

#[cfg(test)]
mod tests;
