//! What may be typed after `fairhold sketch`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Sketch {
    /// Make the sketch of a campaign from accounts that a case was decided against, or from logs.
    Make(Make),
    /// Try a sketch on cleared accounts; exit 1 when it fires on them, 3 when they are too few.
    Test(Test),
    /// Let a campaign act, unless it fires on cleared accounts.
    Activate(Activate),
    /// List the campaigns that were ever activated.
    List,
    /// End a campaign.
    Expire {
        /// Its name.
        name: String,
        /// Who ends it.
        #[arg(long)]
        by: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    /// The confirmed accounts, read from the store.
    #[arg(required_unless_present = "logs", value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,
    /// Logs of confirmed accounts instead, and of nobody else.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "accounts")]
    pub(crate) logs: Vec<PathBuf>,
    /// Logs of unrelated accounts: wording that two of them share is left out.
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "logs")]
    pub(crate) common: Vec<PathBuf>,
    /// What to call the campaign.
    #[arg(long)]
    pub(crate) name: String,
    /// Days until it ends by itself.
    #[arg(long, default_value_t = 180)]
    pub(crate) days: u32,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The sketch.
    pub(crate) file: PathBuf,
    /// Logs of cleared accounts, instead of the store's.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) logs: Vec<PathBuf>,
    /// The verifier key of who signed it, where another house did.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// The sketch.
    pub(crate) file: PathBuf,
    /// Who activates it.
    #[arg(long)]
    pub(crate) by: String,
    /// Logs of cleared accounts, beside the store's: they must share no account with it.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) logs: Vec<PathBuf>,
    /// The verifier key of who signed it, where another house did.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
}
