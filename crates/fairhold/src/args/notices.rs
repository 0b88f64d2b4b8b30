//! What may be typed about notices, and by customers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Notices {
    /// List notices, the latest first; exit 1 when some are dead.
    List {
        /// `queued`, `delivered` or `dead`; all without it.
        #[arg(long)]
        state: Option<String>,
        /// Of this case only.
        #[arg(long)]
        case: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Try a notice again at once, dead or waiting.
    Retry {
        /// The notice's id.
        id: String,
    },
    /// Where notices go.
    #[command(subcommand)]
    Endpoint(Endpoint),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Endpoint {
    /// Add a webhook or an address; prints the keys that check its signatures.
    Add {
        /// An `https://` URL, or an e-mail address.
        target: String,
        /// Whose notices; the house's own, which hears of every step, without it.
        #[arg(long)]
        account: Option<String>,
    },
    /// Remove one; what waits for it is dead.
    Remove {
        /// Its id.
        id: String,
    },
    /// Send a trial there.
    Test {
        /// Its id.
        id: String,
    },
    /// List them.
    List,
}

/// How a customer reaches the gateway.
#[derive(Debug, Args)]
pub(crate) struct Door {
    /// The gateway; that of the running server here without it.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Your API key.
    #[arg(
        long,
        value_name = "KEY",
        env = "FAIRHOLD_API_KEY",
        hide_env_values = true
    )]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Appeal {
    /// Contest what is in force.
    Open(Said),
    /// Add to an appeal.
    Add(Said),
    /// Show a case of yours with its statements and what became of your appeal.
    Show {
        /// The case.
        case: String,
        #[command(flatten)]
        door: Door,
    },
}

/// What is said, and with which files.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// The case.
    pub(crate) case: String,
    /// What you say.
    #[arg(long)]
    pub(crate) text: String,
    /// A file: text, CSV, JSON, PDF, PNG or JPEG, at most 5 MiB; repeat for up to five.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) door: Door,
}
