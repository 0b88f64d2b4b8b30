//! Where is it kept?
//!
//! `SQLite` in the data folder or `PostgreSQL` by URL, from one set of
//! migrations; the journal with group commit; the doors to the clock, to
//! randomness and to files. Nothing here decides anything.
#![forbid(unsafe_code)]

mod campaigns;
mod check;
mod checkpoints;
mod database;
mod directory;
mod doors;
pub mod faults;
mod folder;
mod imported;
mod journal;
mod ledgers;
mod links;
mod profiles;
mod reads;

pub use campaigns::{CampaignChange, CampaignRow};
pub use checkpoints::Checkpoint;
pub use database::{Database, StoreError};
pub use directory::{
    AccountRow, CaseStepRow, Change, DirectoryRows, KeyRow, LimitScope, LimitsRow, OrganisationRow,
    ProjectRow, SpendRow,
};
pub use doors::{SystemClock, random, write_atomically};
pub use folder::DataFolder;
pub use imported::ImportedAfter;
pub use journal::{Entry, Journal, JournalError, JournalTask, LeafOf, SealedBody, Spend};
pub use ledgers::{
    EpochRow, HOUSE, LedgerRow, ROOT, RootCheckpointRow, RootEntryRow, SealBatch, SealableRow,
    TileRow,
};
pub use links::{LinkKind, LinkRow, SeenRow};
pub use profiles::{FindingRow, FleetRank, LookRow, ProfileRow, SealedRequest, WatchBatch};
pub use reads::{JournalRow, OpenIntent};

#[cfg(test)]
mod tests;
