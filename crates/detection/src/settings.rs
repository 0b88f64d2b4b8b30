//! What a person must decide before anything is tested.

use std::collections::BTreeMap;
use std::sync::Arc;

use facts::{AccountId, OrganisationId};

use crate::catalogue::Catalogue;
use crate::detector::Detector;
use crate::edges::Traits;
use crate::profile::Profiles;
use crate::sketch::SketchKey;

/// Against what a gathering of accounts is tested.
#[derive(Debug, Clone)]
pub enum Background {
    /// Honest accounts of unrelated customers, observed under the same key. The bound is then an
    /// exact permutation bound. They must be other accounts than those tested.
    Reference(Profiles),
    /// No such accounts are at hand: assume that at most this share of unrelated accounts carries
    /// any one uncatalogued programme. The bound holds if the assumption does, and says so.
    Assumed {
        /// The share, for example 0.05.
        rate: f64,
    },
}

/// How to test.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The key of every sketch.
    pub key: SketchKey,
    /// The largest chance, over the whole report, of naming a gathering of unrelated accounts.
    pub alpha: f64,
    /// A gathering of fewer customers is never named.
    pub accounts_min: usize,
    /// What to test against.
    pub background: Background,
    /// Wording that is subtracted first.
    pub catalogue: Catalogue,
    /// Accounts known to belong to one customer count as one.
    pub customers: BTreeMap<AccountId, OrganisationId>,
    /// What programmes are asked of; without it nothing is said of intent.
    pub detector: Option<Arc<Detector>>,
    /// What else is known of accounts; without it no edge is known.
    pub traits: BTreeMap<AccountId, Traits>,
    /// The largest p at which intent passes.
    pub intent_alpha: f64,
}

impl Settings {
    /// Where nothing else is known: one report in a hundred may name strangers, ten customers at
    /// least, and one in twenty strangers may carry the same uncatalogued programme.
    pub fn standard(key: SketchKey) -> Self {
        Self::new(key, 0.01, 10, Background::Assumed { rate: 0.05 })
    }

    /// Settings with the built-in catalogue and no known customers.
    pub fn new(key: SketchKey, alpha: f64, accounts_min: usize, background: Background) -> Self {
        Self {
            key,
            alpha,
            accounts_min,
            background,
            catalogue: Catalogue::built_in(key),
            customers: BTreeMap::new(),
            detector: None,
            traits: BTreeMap::new(),
            intent_alpha: 0.05,
        }
    }
}
