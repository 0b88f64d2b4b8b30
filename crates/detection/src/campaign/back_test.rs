//! On how many accounts that did nothing would it have fired?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use facts::{AccountId, Exchange};

use super::matcher::{Matcher, Tally};
use super::{Campaign, campaign_hashes};
use crate::bounds::{clopper_pearson, real};

/// The result, as counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackTest {
    /// Cleared accounts read.
    pub accounts: u64,
    /// Their exchanges.
    pub exchanges: u64,
    /// Accounts on which it fired.
    pub fired: u64,
}

impl BackTest {
    /// Nothing read.
    pub const NONE: Self = Self {
        accounts: 0,
        exchanges: 0,
        fired: 0,
    };

    /// Both fleets together. They must share no account.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            accounts: self.accounts.saturating_add(other.accounts),
            exchanges: self.exchanges.saturating_add(other.exchanges),
            fired: self.fired.saturating_add(other.fired),
        }
    }

    /// The share fired on; 0 of no accounts.
    pub fn rate(self) -> f64 {
        real(count(self.fired)) / real(count(self.accounts).max(1))
    }

    /// The exact 95 % interval of that share (Clopper and Pearson).
    pub fn interval(self) -> (f64, f64) {
        clopper_pearson(count(self.fired), count(self.accounts), 0.05)
    }
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// What is asked of a campaign before it may act.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// The largest share of cleared accounts on which it may fire.
    pub rate_max: f64,
    /// The largest upper end of that share's 95 % interval: with nothing fired on, 5 % needs 72
    /// accounts.
    pub upper_max: f64,
}

impl Demand {
    /// One account in two hundred at most, and enough accounts to rule out one in twenty.
    pub const STANDARD: Self = Self {
        rate_max: 0.005,
        upper_max: 0.05,
    };

    /// Whether the result is good enough.
    ///
    /// # Errors
    /// [`Overreach`] with the figures.
    pub fn judge(self, result: BackTest) -> Result<(), Overreach> {
        if result.rate() <= self.rate_max && result.interval().1 <= self.upper_max {
            Ok(())
        } else {
            Err(Overreach {
                result,
                demand: self,
            })
        }
    }
}

/// The campaign fired on cleared accounts, or too few were there to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overreach {
    /// What was seen.
    pub result: BackTest,
    /// What was asked.
    pub demand: Demand,
}

impl fmt::Display for Overreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BackTest {
            accounts, fired, ..
        } = self.result;
        let Demand {
            rate_max,
            upper_max,
        } = self.demand;
        let (rate, upper) = (self.result.rate() * 100.0, self.result.interval().1 * 100.0);
        write!(
            f,
            "activate the campaign: it fires on {fired} of {accounts} cleared accounts ({rate:.2} %, 95 % interval up to {upper:.2} %); allowed are {:.2} % and {:.2} %. ",
            rate_max * 100.0,
            upper_max * 100.0
        )?;
        if self.result.rate() > rate_max {
            write!(
                f,
                "Look at those accounts: open a case against the ones that are of the campaign, or make the sketch anew with `--common` logs that hold the wording everybody uses"
            )
        } else {
            write!(
                f,
                "Give more cleared accounts with `--logs`: with none fired on, 72 are enough for 5 %"
            )
        }
    }
}

impl std::error::Error for Overreach {}

/// Accounts and programmes on which a campaign fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The result in counts.
    pub result: BackTest,
    /// The accounts, by id.
    pub accounts: Vec<AccountId>,
    /// For each programme of the campaign: accounts on which it took part in a match.
    pub by_programme: Vec<u64>,
}

/// A back-test that is under way: the rule that acts later, on one cleared exchange after the
/// other. An account's exchanges must come in their order.
#[derive(Debug)]
pub struct Trial {
    matcher: Matcher,
    tallies: BTreeMap<AccountId, Tally>,
    fired: BTreeMap<AccountId, BTreeSet<usize>>,
    exchanges: u64,
    programmes: usize,
}

impl Trial {
    /// Tries this campaign.
    pub fn of(campaign: &Campaign) -> Self {
        Self {
            matcher: Matcher::new([campaign.clone()]),
            tallies: BTreeMap::new(),
            fired: BTreeMap::new(),
            exchanges: 0,
            programmes: campaign.parts().programmes.len(),
        }
    }

    /// Takes one exchange of a cleared account.
    pub fn observe(&mut self, exchange: &Exchange) {
        self.observe_hashes(&exchange.account, &campaign_hashes(&exchange.prompt));
    }

    /// The same where the hashes were made already.
    pub fn observe_hashes(&mut self, account: &AccountId, hashes: &[u64]) {
        self.exchanges = self.exchanges.saturating_add(1);
        if !self.tallies.contains_key(account) {
            self.tallies.insert(account.clone(), Tally::new());
        }
        let Some(tally) = self.tallies.get_mut(account) else {
            return;
        };
        for hit in self.matcher.observe(tally, hashes) {
            let programmes = self.fired.entry(account.clone()).or_default();
            programmes.extend(hit.programmes);
        }
    }

    /// What came of it.
    pub fn finish(self) -> Fired {
        let took_part =
            |n: &usize| self.fired.values().filter(|own| own.contains(n)).count() as u64;
        Fired {
            result: BackTest {
                accounts: self.tallies.len() as u64,
                exchanges: self.exchanges,
                fired: self.fired.len() as u64,
            },
            by_programme: (0..self.programmes).map(|n| took_part(&n)).collect(),
            accounts: self.fired.into_keys().collect(),
        }
    }
}
