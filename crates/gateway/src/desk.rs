//! The desk behind the sockets: who decides, and who records.
//!
//! The gateway owns sockets and bytes. Whether a request may go upstream, and
//! making it durable that it did, is asked of a [`Desk`]. The binary provides
//! the real one; tests provide theirs.

use std::future::Future;

use bytes::Bytes;
use engine::{Admitted, Ask, Completion, Refusal};

/// What a desk decided, with the number of the record that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<T> {
    /// What was decided.
    pub what: T,
    /// The record's number, told to the client as `x-evidence-seq`; none where nothing is recorded.
    pub seq: Option<u64>,
}

impl<T> Recorded<T> {
    /// Decided, and not recorded.
    pub fn nowhere(what: T) -> Self {
        Self { what, seq: None }
    }
}

/// Decides and records; one per process, shared by every connection.
pub trait Desk: Send + Sync + 'static {
    /// May this request go upstream? Returns once the intent (or the refusal)
    /// is durable. `body` holds the request's exact bytes, to be sealed.
    fn admit(
        &self,
        ask: Ask,
        body: Bytes,
    ) -> impl Future<Output = Result<Recorded<Admitted>, Recorded<Refusal>>> + Send;

    /// Records how an exchange ended; returns its sequence number once durable.
    /// `answer` holds the bytes delivered, to be sealed. Settles the quota too.
    /// The gateway calls it exactly once for each admitted request.
    ///
    /// # Errors
    /// [`NotRecorded`] when it could not be made durable: the terminal frame
    /// must then be withheld.
    fn complete(
        &self,
        completion: Completion,
        answer: Bytes,
    ) -> impl Future<Output = Result<u64, NotRecorded>> + Send;

    /// Whether the secret is a live key: for routes that consume nothing
    /// (`GET /v1/models`, a customer reading its own case). No record is made.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`] or [`Refusal::RevokedKey`].
    fn identify(&self, secret: &str) -> Result<facts::AccountId, Refusal>;

    /// False as soon as the key behind `admitted` is revoked or its account
    /// suspended: running streams are then stopped.
    fn still_welcome(&self, admitted: &Admitted) -> bool;
}

/// An ending that could not be made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRecorded;
