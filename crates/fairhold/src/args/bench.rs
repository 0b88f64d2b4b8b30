//! What the larger benchmarks are told.

use std::path::PathBuf;

use clap::Args;

/// `--data DIR` (the option of every command) names recorded traffic here: a folder of
/// `<source>.jsonl.zst` with `FAMILIES.json`, split by lineage.
#[derive(Debug, Args)]
pub(crate) struct DetectionBench {
    /// Train and calibrate on this folder only.
    #[arg(long, value_name = "DIR", requires = "test")]
    pub(crate) train: Option<PathBuf>,
    /// Test on this folder only; without `--train` with the shipped detector.
    #[arg(long, value_name = "DIR")]
    pub(crate) test: Option<PathBuf>,
    /// The small set of our own text, also where recorded traffic lies beside the project.
    #[arg(long, conflicts_with_all = ["train", "test"])]
    pub(crate) own: bool,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many seeds; figures are medians.
    #[arg(long, default_value_t = 10)]
    pub(crate) seeds: u64,
    /// Write a report with plots.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}
