//! Which wording is everybody's?
//!
//! Instructions that any library, course or benchmark prints are no sign of
//! a bond. Their shingles are subtracted before anything is compared: a
//! small list of our own text, and what a background pool of unrelated
//! accounts shares.

use std::collections::{BTreeMap, HashSet};

use facts::Exchange;

use crate::profile::Profiles;
use crate::sketch::{self, SketchKey};
use crate::text;

/// Phrases written for this list; stock instructions of every trade.
const STOCK: [&str; 24] = [
    "You are a helpful assistant. Answer as helpfully as you can.",
    "You are a helpful, respectful and honest assistant.",
    "You are an expert assistant who answers the questions of our users politely and briefly.",
    "Use only the following context to answer the question at the end of this message.",
    "If you do not know the answer, say that you do not know; do not make up an answer.",
    "Answer the question based on the context below. If the context does not hold the answer, say so.",
    "Summarize the following text in three sentences.",
    "Translate the following text from English to French. Answer with the translation only.",
    "Correct the grammar and the spelling of the following text.",
    "Classify the sentiment of the following text as positive, negative or neutral.",
    "Extract the following fields from the text and answer with a JSON object only.",
    "Think step by step and give your final answer on the last line.",
    "Let us think about this step by step before we answer.",
    "The following are multiple choice questions. Answer with the letter of the right option only.",
    "Answer with yes or no only. Do not explain your answer.",
    "Do not include any other text, explanations or code fences in your answer.",
    "Below is an instruction that describes a task. Write a response that completes the request.",
    "Complete the following function. Answer with the code only and do not repeat the description.",
    "Explain the following code and find the bug in it.",
    "Write a unit test for the following function.",
    "Given the following database schema, write a SQL query that answers the question.",
    "Given the following conversation and a follow-up question, rephrase it as a standalone question.",
    "You have access to the following tools. Use them when you need them to answer the question.",
    "Rewrite the following text so that it is easier to read, and keep its meaning.",
];

/// Shingles that tell nobody apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    common: HashSet<u64>,
}

impl Catalogue {
    /// Nothing is common.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The built-in list, hashed under `key`.
    pub fn built_in(key: SketchKey) -> Self {
        Self {
            common: STOCK
                .iter()
                .flat_map(|phrase| sketch::shingles(key, &text::normalised(phrase)))
                .collect(),
        }
    }

    /// The built-in list and every shingle that at least `accounts_min` accounts of an honest
    /// pool carry.
    ///
    /// The pool must be neither the accounts tested nor those they are compared with: a
    /// catalogue learned from either makes the test's bound untrue.
    pub fn learned<'a>(
        key: SketchKey,
        pool: impl IntoIterator<Item = &'a Exchange>,
        accounts_min: usize,
    ) -> Self {
        let pool = Profiles::of(key, pool);
        let mut carriers: BTreeMap<u64, usize> = BTreeMap::new();
        for (_, profile) in pool.iter() {
            let own: HashSet<u64> = profile
                .prompts()
                .flat_map(|p| p.shingles.iter().copied())
                .collect();
            for hash in own {
                *carriers.entry(hash).or_default() += 1;
            }
        }
        let mut made = Self::built_in(key);
        made.common.extend(
            carriers
                .into_iter()
                .filter(|(_, n)| *n >= accounts_min.max(2))
                .map(|(hash, _)| hash),
        );
        made
    }

    /// How many shingles are held.
    pub fn len(&self) -> usize {
        self.common.len()
    }

    /// How many of these shingles are held.
    pub fn holds(&self, shingles: &[u64]) -> usize {
        shingles.iter().filter(|h| self.common.contains(h)).count()
    }

    /// Whether nothing is common.
    pub fn is_empty(&self) -> bool {
        self.common.is_empty()
    }

    pub(crate) fn without_common(&self, shingles: &[u64]) -> Vec<u64> {
        shingles
            .iter()
            .filter(|h| !self.common.contains(h))
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests;
