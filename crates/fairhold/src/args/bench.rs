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

/// Fills a store and asks for what the console shows.
#[derive(Debug, Args)]
pub(crate) struct ConsoleBench {
    /// Cases in the queue.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) cases: u32,
    /// Exchanges of the busy account.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) exchanges: u64,
}

/// Appends to the real journal, sync on, many in flight.
#[derive(Debug, Args)]
pub(crate) struct RecordBench {
    /// Seconds per engine, after one second that is not counted.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// Appends in flight at once.
    #[arg(long, default_value_t = 3_000)]
    pub(crate) in_flight: u32,
    /// A folder on the disk to measure; the system's temporary one without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// An empty database of a running server instead of an own server: `postgres://...`.
    #[arg(long, value_name = "URL", conflicts_with = "sqlite_only")]
    pub(crate) postgres: Option<String>,
    /// Leave `PostgreSQL` out.
    #[arg(long)]
    pub(crate) sqlite_only: bool,
}

/// A store with a long log, and how long it takes to open.
#[derive(Debug, Args)]
pub(crate) struct RestartBench {
    /// Records of the log.
    #[arg(long, default_value_t = 2_000_000)]
    pub(crate) records: u64,
    /// Data folder to fill and keep; a temporary one without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// A database of a running server instead of the folder's own: `postgres://...`.
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
}

/// What sealing costs, and how soon a receipt is there.
#[derive(Debug, Args)]
pub(crate) struct LedgerBench {
    /// Accounts that take turns.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) accounts: u32,
    /// Records sealed at once, with nothing else running.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) records: u64,
    /// Exchanges per second, of two records each, while the ledger is sealed beside them.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) rate: u32,
    /// For so long.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// An empty database of a running server: `postgres://...`; `SQLite` without it.
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
}

/// Texts by models and people, transformed, in three splits; and timings beside a large registry.
#[derive(Debug, Args)]
pub(crate) struct AuditBench {
    /// A folder of `.jsonl.zst` files of texts; a small set of our own text without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpora: Option<PathBuf>,
    /// The first arrangement of the splits.
    #[arg(long, default_value_t = 11)]
    pub(crate) seed: u64,
    /// How many arrangements.
    #[arg(long, default_value_t = 3)]
    pub(crate) seeds: u64,
    /// Fingerprints of the registry that is scanned beside.
    #[arg(long, default_value_t = 100_000_000)]
    pub(crate) keys: usize,
}
