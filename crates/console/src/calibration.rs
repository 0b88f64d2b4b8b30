//! A deployment's own calibration, as it is sent.

use serde::{Deserialize, Serialize};

/// What calibrating on a deployment's own accounts gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CalibrationView {
    /// Accounts that were read and that count as honest.
    pub programmes: usize,
    /// Customers that they belong to.
    pub sources: usize,
    /// Exchanges of theirs that were read.
    pub exchanges: usize,
    /// Accounts that have too few exchanges for a look.
    pub too_small: usize,
    /// Accounts that a case names and did not clear.
    pub accused: usize,
    /// Accounts that the watch has found.
    pub found: usize,
    /// What can be told at each look.
    pub looks: Vec<ReachView>,
    /// The least chance that can be told over all looks: no level below it finds anything.
    pub reach: f64,
    /// The detector's file.
    pub detector: String,
}

/// What can be told at one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReachView {
    /// Exchanges.
    pub look: u32,
    /// Honest accounts that reach it.
    pub programmes: usize,
    /// Customers that they belong to.
    pub sources: usize,
    /// 1 / (programmes + 1).
    pub floor: f64,
    /// The least p that can be told.
    pub reach: f64,
}
