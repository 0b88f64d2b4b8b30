//! A fleet: accounts with labels, and what they asked and were answered.

use facts::{AccountId, Exchange, ExchangeId, ModelName, Timestamp};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetAccount {
    /// Its name.
    pub name: AccountId,
    /// What it does.
    pub kind: String,
    /// Whether it belongs to the ring.
    pub ring: bool,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetExchange {
    /// Place of its account in the fleet.
    pub account: usize,
    /// What was asked: (role, text).
    pub conversation: Vec<(String, String)>,
    /// What was answered.
    pub answer: String,
    /// The model asked.
    pub model: String,
    /// When.
    pub at: Timestamp,
}

/// Accounts and their exchanges, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The accounts.
    pub accounts: Vec<FleetAccount>,
    /// The exchanges.
    pub exchanges: Vec<FleetExchange>,
}

impl Fleet {
    /// The exchanges as detection reads them, without labels.
    pub fn facts(&self) -> Vec<Exchange> {
        let one = |(n, exchange): (usize, &FleetExchange)| {
            let account = self.accounts.get(exchange.account)?.name.clone();
            Some(Exchange {
                id: ExchangeId::parse(&format!("fleet-{n}")).ok()?,
                account,
                at: exchange.at,
                model: ModelName::parse(&exchange.model).ok(),
                prompt: exchange.conversation.clone(),
                response: Some(exchange.answer.clone()),
                usage: None,
            })
        };
        self.exchanges.iter().enumerate().filter_map(one).collect()
    }
}
