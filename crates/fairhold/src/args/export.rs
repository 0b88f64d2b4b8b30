//! What the export of tables is told.

use std::path::PathBuf;

use clap::Args;
use facts::Timestamp;

/// Every record of the log with its exact leaf, so that hashes and commitments can be checked.
#[derive(Debug, Args)]
pub(crate) struct Parquet {
    /// The folder to make: `account=.../day=.../part-N.parquet` and `_ledgers/`.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// This account's records only.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// From this day on (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) since: Option<Timestamp>,
    /// Up to this day, which is left out.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) until: Option<Timestamp>,
    /// Open the bodies too, with the salts of their commitments; each reading is recorded. No
    /// server may run.
    #[arg(
        long,
        requires = "by",
        requires = "reason",
        conflicts_with = "database"
    )]
    pub(crate) bodies: bool,
    /// Who reads the bodies.
    #[arg(long, requires = "bodies")]
    pub(crate) by: Option<String>,
    /// Why; its digest is recorded, not its text.
    #[arg(long, requires = "bodies")]
    pub(crate) reason: Option<String>,
    /// A database other than the folder's own: `postgres://...`.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
}

fn day(text: &str) -> Result<Timestamp, String> {
    terms::day(text).ok_or_else(|| "give a day as YYYY-MM-DD".to_owned())
}
