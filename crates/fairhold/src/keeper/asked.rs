//! Which record says what the policies were asked? Written once for each
//! question of an account, named by every intent that was ruled on by it, so
//! that a ruling can be made again although the agreement has changed since.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use engine::Admitted;
use evidence::{Event, Record};
use serde_json::Value;
use store::{Entry, JournalError};

use super::Keeper;

/// Questions remembered at once: 10 MB. Beyond that all are forgotten, and recorded once more when
/// they are next asked, as after a restart.
const REMEMBERED_MAX: usize = 100_000;

/// The records of questions, by the digest of the question: it covers the account and the policies.
#[derive(Debug, Default)]
pub(super) struct AskedRecords(Mutex<HashMap<[u8; 32], u64>>);

impl AskedRecords {
    fn of(&self, question: &[u8; 32]) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(question).copied()
    }

    fn remember(&self, question: [u8; 32], seq: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(question, seq);
    }
}

impl Keeper {
    /// The record of what the policies were asked, durable; none where nothing was put to any.
    pub(super) async fn asked_of(&self, admitted: &Admitted) -> Result<Option<u64>, JournalError> {
        let Some(asked) = &admitted.asked else {
            return Ok(None);
        };
        if let Some(seq) = self.asked.of(&asked.sha256) {
            return Ok(Some(seq));
        }
        let Value::Object(context) = &asked.put.context else {
            return Ok(None);
        };
        let entry = Entry::of(Record {
            at: admitted.at,
            account: Some(admitted.account.clone()),
            event: Event::Asked {
                model: admitted.model.clone(),
                policy: admitted.policy_sha256.to_string(),
                documents: asked.documents.clone(),
                context: context.clone(),
            },
        });
        // Two that ask at once may both write it: either record is as good.
        let seq = self.journal.append(entry).await?;
        self.asked.remember(asked.sha256, seq);
        Ok(Some(seq))
    }
}

#[cfg(test)]
mod tests;
