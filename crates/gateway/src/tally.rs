//! What was delivered of an answer: its digest, its bytes, its usage.

use bytes::{Bytes, BytesMut};
use facts::{Endpoint, Usage};
use sha2::{Digest as _, Sha256};
use wire::Reading;

/// Everything delivered so far.
#[derive(Debug)]
pub(crate) struct Delivered {
    hasher: Sha256,
    kept: BytesMut,
    kept_max: usize,
    bytes: u64,
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

    /// Number of bytes, SHA-256 of all of them, and those that were kept.
    pub(crate) fn finish(self) -> (u64, [u8; 32], Bytes) {
        (
            self.bytes,
            self.hasher.finalize().into(),
            self.kept.freeze(),
        )
    }
}

/// Usage as the upstream said, or counted here and marked so. Counting runs on
/// the pool for blocking work: it costs 20 ns per byte.
pub(crate) async fn usage(
    reading: Reading,
    endpoint: Endpoint,
    asked: &Bytes,
    answered: Option<String>,
) -> Usage {
    if let Some(usage) = reading.usage() {
        return usage;
    }
    let asked = asked.clone();
    let count = move || {
        let tokenizer = bpe_openai::o200k_base();
        let of = |text: &str| tokenizer.count(text) as u64;
        let conversation = wire::conversation(endpoint, &asked);
        Usage {
            input_tokens: conversation
                .iter()
                .map(|(role, text)| of(role) + of(text))
                .sum(),
            output_tokens: answered.as_deref().map_or(0, of),
            estimated: true,
        }
    };
    let fallback = Usage {
        estimated: true,
        ..Usage::default()
    };
    tokio::task::spawn_blocking(count).await.unwrap_or(fallback)
}
