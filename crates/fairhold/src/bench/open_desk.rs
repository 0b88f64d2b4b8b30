//! A desk that lets everything pass and records nothing: what the gateway
//! costs without recording. It never leaves the benchmark.

use bytes::Bytes;
use engine::{Admitted, Ask, Completion, LimitState, Refusal};
use facts::{AccountId, IdError, KeyId, ProjectId};
use gateway::{Desk, NotRecorded, Recorded};

/// One account for everybody.
#[derive(Debug)]
pub(super) struct OpenDesk {
    account: AccountId,
    project: ProjectId,
    key: KeyId,
}

impl OpenDesk {
    /// A desk whose only account is `bench`.
    pub(super) fn new() -> Result<Self, IdError> {
        Ok(Self {
            account: AccountId::parse("bench")?,
            project: ProjectId::parse("bench")?,
            key: KeyId::parse("bench")?,
        })
    }
}

impl Desk for OpenDesk {
    async fn admit(&self, ask: Ask, _: Bytes) -> Result<Recorded<Admitted>, Recorded<Refusal>> {
        Ok(Recorded::nowhere(Admitted {
            exchange: ask.exchange,
            account: self.account.clone(),
            project: self.project.clone(),
            key: self.key.clone(),
            model: ask.model,
            endpoint: ask.endpoint,
            at: ask.at,
            body_sha256: ask.body_sha256,
            clauses: Vec::new(),
            policy_sha256: std::sync::Arc::from(""),
            asked: None,
            purpose: None,
            marked: None,
            limits: LimitState::default(),
        }))
    }

    async fn complete(&self, _: Completion, _: Bytes) -> Result<u64, NotRecorded> {
        Ok(0)
    }

    fn identify(&self, _: &str) -> Result<AccountId, Refusal> {
        Ok(self.account.clone())
    }

    fn still_welcome(&self, _: &Admitted) -> bool {
        true
    }
}
