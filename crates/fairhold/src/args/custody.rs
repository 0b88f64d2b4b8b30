//! What may be typed about bodies: erasing, holding, letting go, reading, and their keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where the store and the KEK are, while no server runs.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The configuration of `serve`: its store, KEK file and retention hold here too while no
    /// server runs.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The account.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: String,
    /// The subject as requests name it (`safety_identifier`, `user`, `metadata.user_id`); without
    /// it the whole account is erased.
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// Who orders it.
    #[arg(long)]
    pub(crate) by: String,
    /// Why; its digest is recorded, not its text.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Bind what an account, or one subject of it, sent and got: it is neither erased nor let go.
    Add {
        /// The account.
        #[arg(long, value_name = "ACCOUNT")]
        account: String,
        /// The subject as requests name it; without it the whole account.
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Who orders it.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The day from which it no longer binds; without it until it is released.
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// End a hold.
    Release {
        /// Its id.
        hold: String,
        /// Who ends it.
        #[arg(long)]
        by: String,
        #[command(flatten)]
        place: Where,
    },
    /// List holds.
    List {
        #[command(flatten)]
        place: Where,
    },
}

impl Hold {
    /// Where the store is.
    pub(crate) fn place(&self) -> &Where {
        match self {
            Self::Add { place, .. } | Self::Release { place, .. } | Self::List { place } => place,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Retention {
    /// Let go of bodies whose time is over; `serve` does it at its start and every day.
    Run {
        /// Whole days to keep; those of the configuration (else 30) without it.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        days: Option<u32>,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Kek {
    /// Replace the key that wraps all others; stop the server first. Bodies stay as they are.
    Rotate {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The exchange (`x-request-id`).
    pub(crate) exchange: String,
    /// Who reads.
    #[arg(long)]
    pub(crate) by: String,
    /// Why; its digest is recorded, not its text.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) place: Where,
}
