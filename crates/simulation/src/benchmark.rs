//! The public benchmark: how often does detection accuse honest accounts of
//! sources it never saw, and how much of campaigns it never saw does it find?
//!
//! Everything is split by *lineage*, never by account or row; calibration
//! scores come from heads that saw neither the source calibrated on nor the
//! fold tested. What is reported beside every headline, and why, is in
//! `docs/benchmark.md`.

mod accounts;
mod baselines;
mod fleets;
mod folds;
mod leaks;
mod own;
mod pool;
mod rates;
mod rebuild;
mod run;
mod seed;
mod train;
mod trial;

pub use accounts::*;
pub use baselines::{Baseline, baselines};
pub use fleets::{Attacker, Named, hydras};
pub use folds::{FOLDS, folds};
pub use leaks::{LEAK, leaks};
pub use own::own_pool;
pub use pool::{Item, Pool, Source};
pub use rates::{Flagged, flagged, found, mean_of};
pub use rebuild::{
    Manifest, POOL_MANIFEST, POOL_ROWS, PoolDigests, RebuildError, Rebuilt, SourceEntry, rebuild,
    row_digest,
};
pub use run::{Once, once, split_seed, tested_with};
pub use seed::{Recall, SHARES, SIZES, SeedResult, Tests};
pub use train::{Recipe, fit};
pub use trial::*;

#[cfg(test)]
mod tests;
