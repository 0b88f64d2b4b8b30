//! The profiles that are held in memory: those of the accounts seen last.
//!
//! Each is held as the store holds it, so that letting one go loses nothing.

use std::collections::{BTreeMap, HashMap};

use facts::AccountId;

/// At most so many profiles; the one that was used longest ago leaves first.
#[derive(Debug)]
pub(crate) struct Kept {
    most: usize,
    clock: u64,
    states: HashMap<AccountId, (u64, Vec<u8>)>,
    order: BTreeMap<u64, AccountId>,
}

impl Kept {
    /// Room for so many.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            clock: 0,
            states: HashMap::new(),
            order: BTreeMap::new(),
        }
    }

    /// Takes the profile out, to be changed and put back.
    pub(crate) fn take(&mut self, account: &AccountId) -> Option<Vec<u8>> {
        let (used, state) = self.states.remove(account)?;
        self.order.remove(&used);
        Some(state)
    }

    /// Holds a profile as it is in the store now.
    pub(crate) fn put(&mut self, account: AccountId, state: Vec<u8>) {
        self.clock += 1;
        if let Some((used, _)) = self.states.insert(account.clone(), (self.clock, state)) {
            self.order.remove(&used);
        }
        self.order.insert(self.clock, account);
        while self.states.len() > self.most {
            let Some((_, oldest)) = self.order.pop_first() else {
                return;
            };
            self.states.remove(&oldest);
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.states.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests;
