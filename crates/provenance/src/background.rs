//! What does everybody say?
//!
//! A sketch of public human text under the audit's key: how many of its documents hold a
//! fingerprint. What the public says is nobody's mark.

use std::collections::HashSet;

use crate::channels::Triples;
use crate::key::AuditKey;
use crate::normaliser::read_words;
use crate::segment::{FINGERPRINT, every_key};

/// The document frequencies of public text.
#[derive(Debug, Clone)]
pub struct Background {
    key_id: u64,
    documents: u32,
    /// 48 bits of fingerprint over 16 of document frequency, sorted.
    counted: Vec<u64>,
}

impl Background {
    /// How many documents it was made of.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    pub(crate) fn key_id(&self) -> u64 {
        self.key_id
    }

    /// In how many documents a fingerprint stood.
    pub(crate) fn frequency(&self, key: u64) -> u32 {
        let at = self.counted.partition_point(|c| *c < key & FINGERPRINT);
        let found = self.counted.get(at).copied().unwrap_or(0);
        if found & FINGERPRINT == key & FINGERPRINT {
            u32::try_from(found & !FINGERPRINT).unwrap_or(0)
        } else {
            0
        }
    }
}

/// Makes a [`Background`].
#[derive(Debug)]
pub struct BackgroundBuilder {
    key: AuditKey,
    documents: u32,
    /// Fingerprints, once for each document, sorted when they are counted.
    seen: Vec<u64>,
}

impl BackgroundBuilder {
    /// An empty sketch.
    pub fn new(key: &AuditKey) -> Self {
        Self {
            key: key.clone(),
            documents: 0,
            seen: Vec::new(),
        }
    }

    /// Adds a document of public text.
    pub fn add(&mut self, text: &str) {
        let mut read = Vec::new();
        read_words(text, 0, self.key.secrets(), &mut read);
        let mut once = HashSet::new();
        every_key(&read, &self.key, Triples::All, |_, keyed| {
            once.insert(keyed.key & FINGERPRINT);
        });
        self.seen.extend(once);
        self.documents = self.documents.saturating_add(1);
    }

    /// The finished sketch.
    pub fn build(mut self) -> Background {
        self.seen.sort_unstable();
        let mut counted: Vec<u64> = Vec::new();
        for key in self.seen {
            match counted.last_mut() {
                Some(last) if *last & FINGERPRINT == key => {
                    if *last & !FINGERPRINT != !FINGERPRINT {
                        *last += 1;
                    }
                }
                _ => counted.push(key | 1),
            }
        }
        Background {
            key_id: self.key.id(),
            documents: self.documents,
            counted,
        }
    }
}
