//! Who may continue which stored response.
//!
//! A `previous_response_id` makes the upstream add a stored conversation to the
//! prompt; all accounts share the upstream's one key, so the upstream cannot
//! tell whose it is. Here it is told: an id continues only for the account that
//! was given it. What is not known, is refused: ids made before this process
//! began, or more than [`KEPT`] ids ago.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use facts::AccountId;
use serde::Deserialize;

/// Ids that are remembered: at most 25 MB.
const KEPT: usize = 100_000;
/// Longer ids are not remembered. `OpenAI`'s have 53 characters.
const ID_MAX: usize = 128;

/// The accounts that stored responses belong to.
#[derive(Debug, Default)]
pub(crate) struct Owners(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of: HashMap<String, AccountId>,
    oldest: VecDeque<String>,
}

impl Owners {
    /// Remembers whose the response is that an answer's body or event names.
    pub(crate) fn learn(&self, json: &[u8], account: &AccountId) {
        #[derive(Deserialize)]
        struct Named {
            id: Option<String>,
            response: Option<Inner>,
        }
        #[derive(Deserialize)]
        struct Inner {
            id: String,
        }
        let Ok(named) = serde_json::from_slice::<Named>(json) else {
            return;
        };
        let id = named.response.map(|inner| inner.id).or(named.id);
        if let Some(id) = id.filter(|id| id.len() <= ID_MAX) {
            self.remember(id, account);
        }
    }

    /// Whether the account was given this response.
    pub(crate) fn owns(&self, id: &str, account: &AccountId) -> bool {
        self.0
            .lock()
            .is_ok_and(|known| known.of.get(id) == Some(account))
    }

    fn remember(&self, id: String, account: &AccountId) {
        let Ok(mut known) = self.0.lock() else {
            return;
        };
        // The first owner stays: an upstream that repeats an id moves nobody's response.
        if known.of.contains_key(&id) {
            return;
        }
        known.of.insert(id.clone(), account.clone());
        known.oldest.push_back(id);
        if known.oldest.len() > KEPT
            && let Some(oldest) = known.oldest.pop_front()
        {
            known.of.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
