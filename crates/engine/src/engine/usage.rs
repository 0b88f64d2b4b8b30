//! How much of an agreed volume is used up? Counted here, because no integer
//! enters a policy: the terms are told only which amounts are passed.

use std::collections::HashMap;

use facts::{AccountId, Timestamp};
use terms::{Exceeded, Purpose, REQUEST_TOKENS_MAX};

use crate::ask::Ask;
use crate::directory::Account;

/// Requests of a calendar month, of the accounts with agreed volumes.
#[derive(Debug, Default)]
pub(super) struct Usages {
    counts: HashMap<(AccountId, Purpose), (String, u64)>,
}

/// The calendar month in UTC, `2026-08`.
fn month(at: Timestamp) -> String {
    at.rfc3339().chars().take(7).collect()
}

impl Usages {
    /// Which agreed amounts this request passes.
    pub(super) fn exceeded(
        &self,
        account: &Account,
        purpose: Option<Purpose>,
        ask: &Ask,
    ) -> Exceeded {
        let agreement = &account.agreement;
        let most = agreement.request_tokens_max.unwrap_or(REQUEST_TOKENS_MAX);
        let agreed = purpose.and_then(|purpose| Some((purpose, agreement.expected_of(purpose)?)));
        Exceeded {
            expected_usage: agreed.is_some_and(|(purpose, volume)| {
                self.asked(&account.id, purpose, ask.at) >= volume
            }),
            request_size: ask.tokens_max > most.min(REQUEST_TOKENS_MAX),
        }
    }

    /// Counts an admitted request, where a volume was agreed.
    pub(super) fn count(&mut self, account: &Account, purpose: Option<Purpose>, at: Timestamp) {
        if let Some(purpose) = purpose
            && account.agreement.expected_of(purpose).is_some()
        {
            let asked = self.asked(&account.id, purpose, at);
            self.restore(&account.id, purpose, at, asked.saturating_add(1));
        }
    }

    /// Sets the count of a month, unless more were counted already.
    pub(super) fn restore(
        &mut self,
        account: &AccountId,
        purpose: Purpose,
        at: Timestamp,
        asked: u64,
    ) {
        let asked = asked.max(self.asked(account, purpose, at));
        self.counts
            .insert((account.clone(), purpose), (month(at), asked));
    }

    fn asked(&self, account: &AccountId, purpose: Purpose, at: Timestamp) -> u64 {
        let counted = self.counts.get(&(account.clone(), purpose));
        counted
            .filter(|(of, _)| *of == month(at))
            .map_or(0, |(_, asked)| *asked)
    }
}
