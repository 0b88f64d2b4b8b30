//! What may be typed about ledgers, receipts and witnesses.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// List the epochs of the root log and its ledgers.
    List,
    /// Begin a new epoch of the root log: after an old copy was restored, or a key was replaced.
    Rotate {
        /// Why; everybody who reads the log reads it.
        #[arg(long)]
        reason: String,
    },
    /// Print the trust policy: the log's key and its witnesses (C2SP tlog-policy).
    Policy,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Witness {
    /// Cosign the checkpoints of logs that continue what was seen of them (C2SP tlog-witness).
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// A log's verifier key; repeat for more.
    #[arg(long, value_name = "VKEY", required = true)]
    pub(crate) log: Vec<String>,
    /// The witness's name, an address without scheme as a rule.
    #[arg(long, default_value = "fairhold/witness")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Fsck {
    /// The database, `sqlite:PATH` or `postgres://...`; the data folder's own without it.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The log's verifier key; that of the data folder without it.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// Do not ask whether the sealed bodies are there that the records commit to.
    #[arg(long)]
    pub(crate) without_bodies: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Exported {
    /// Ledgers as static files (C2SP tlog-tiles), byte for byte as they are served.
    Ledger(Files),
    /// The log as tables, by account and day, for `DuckDB`, Spark and pandas.
    #[cfg(feature = "parquet")]
    Parquet(super::export::Parquet),
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The folder to write; what is there already and cannot change is not written again.
    pub(crate) dir: PathBuf,
    /// An account's ledger.
    #[arg(long, value_name = "ID", conflicts_with_all = ["root", "all"])]
    pub(crate) account: Option<String>,
    /// The root log, as without any of these.
    #[arg(long, conflicts_with = "all")]
    pub(crate) root: bool,
    /// The root log and every ledger.
    #[arg(long)]
    pub(crate) all: bool,
}
