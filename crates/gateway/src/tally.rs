//! What was delivered of an answer: its digest, its bytes, its usage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::{Bytes, BytesMut};
use facts::{Endpoint, Usage};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wire::Reading;

/// Everything delivered so far.
#[derive(Debug)]
pub(crate) struct Delivered {
    hasher: Sha256,
    kept: BytesMut,
    kept_max: usize,
    bytes: u64,
}

/// What was delivered in the end: its length, its digest, and those of its
/// bytes that are kept to be sealed.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) kept: Bytes,
}

impl Delivered {
    pub(crate) fn new(kept_max: usize) -> Self {
        Self {
            hasher: Sha256::new(),
            kept: BytesMut::new(),
            kept_max,
            bytes: 0,
        }
    }

    pub(crate) fn add(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.bytes += chunk.len() as u64;
        let room = self
            .kept_max
            .saturating_sub(self.kept.len())
            .min(chunk.len());
        self.kept
            .extend_from_slice(chunk.get(..room).unwrap_or_default());
    }

    pub(crate) fn finish(self) -> Sum {
        Sum {
            bytes: self.bytes,
            sha256: self.hasher.finalize().into(),
            kept: self.kept.freeze(),
        }
    }
}

impl Sum {
    /// An answer that is there whole; nothing of it is copied.
    pub(crate) fn of(body: &Bytes, kept_max: usize) -> Self {
        Self {
            bytes: body.len() as u64,
            sha256: Sha256::digest(body).into(),
            kept: body.slice(..kept_max.min(body.len())),
        }
    }
}

/// What is known of an exchange's tokens at its end.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub(crate) endpoint: Endpoint,
    /// The upstream's own figures.
    pub(crate) reading: Reading,
    /// Whether the answer came to its own end: only then do figures of a stream
    /// cover all of it (Anthropic's first event says one output token).
    pub(crate) whole: bool,
    pub(crate) streamed: bool,
    /// The request's body.
    pub(crate) asked: &'a Bytes,
    pub(crate) answered: &'a Sum,
}

/// Exchanges that may wait to be counted; beyond that a coarse figure is taken.
const WAITING: usize = 256;
/// Exchanges that are counted at once.
const AT_ONCE: usize = 2;

/// Counts tokens where the upstream did not say them: 20 ns per byte, on the
/// pool for blocking work, so never on a request's way to its upstream.
#[derive(Debug)]
pub(crate) struct Counter {
    waiting: Semaphore,
    running: Arc<Semaphore>,
    skipped: AtomicU64,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            waiting: Semaphore::new(WAITING),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            skipped: AtomicU64::new(0),
        }
    }
}

impl Counter {
    /// Usage as the upstream said, or counted here and marked so.
    pub(crate) async fn usage(&self, said: Said<'_>) -> Usage {
        let upstream = said.reading.usage();
        if let Some(usage) = upstream
            && said.whole
        {
            return usage;
        }
        let counted = self.count(&said).await;
        match upstream {
            None => counted,
            // What was delivered is at least that much; the input is the upstream's.
            Some(usage) => Usage {
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens.max(counted.output_tokens),
                estimated: true,
            },
        }
    }

    /// How often a coarse figure was taken because too many were waiting.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Relaxed)
    }

    async fn count(&self, said: &Said<'_>) -> Usage {
        let coarse = || {
            self.skipped.fetch_add(1, Relaxed);
            Usage {
                input_tokens: (said.asked.len() as u64).div_ceil(4),
                output_tokens: said.answered.bytes.div_ceil(4),
                estimated: true,
            }
        };
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return coarse();
        };
        let Ok(running) = Arc::clone(&self.running).acquire_owned().await else {
            return coarse();
        };
        let (endpoint, streamed) = (said.endpoint, said.streamed);
        let (asked, answered) = (said.asked.clone(), said.answered.clone());
        let work = move || {
            let usage = tokens(endpoint, streamed, &asked, &answered);
            drop(running);
            usage
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| coarse())
    }
}

fn tokens(endpoint: Endpoint, streamed: bool, asked: &Bytes, answered: &Sum) -> Usage {
    let tokenizer = bpe_openai::o200k_base();
    let of = |text: &str| tokenizer.count(text) as u64;
    let conversation = wire::conversation(endpoint, asked);
    let text = if streamed {
        wire::answer_text_of_stream(endpoint, &answered.kept)
    } else {
        wire::answer_text(endpoint, &answered.kept)
    };
    let output = text.as_deref().map_or(0, of);
    // Of an answer beyond what is kept, the rest is taken to be like its beginning.
    let kept = (answered.kept.len() as u64).max(1);
    let scaled = u128::from(output) * u128::from(answered.bytes.max(kept)) / u128::from(kept);
    Usage {
        input_tokens: conversation
            .iter()
            .map(|(role, text)| of(role) + of(text))
            .sum(),
        output_tokens: u64::try_from(scaled).unwrap_or(u64::MAX),
        estimated: true,
    }
}

#[cfg(test)]
mod tests;
