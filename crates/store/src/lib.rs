//! Where is it kept?
//!
//! `SQLite` in the data folder or `PostgreSQL` by URL, from one set of
//! migrations; the journal with group commit; the doors to the clock, to
//! randomness and to files. Nothing here decides anything.
#![forbid(unsafe_code)]

mod bodies;
mod campaigns;
mod casework;
mod check;
mod checkpoints;
mod database;
mod directory;
mod doors;
pub mod faults;
mod folder;
mod holds;
mod imported;
mod issuers;
mod journal;
mod keks;
mod ledgers;
mod links;
mod outbox;
mod people;
mod profiles;
mod reads;
mod registry;
mod sealed;
mod subject_keys;

pub use bodies::{
    FINGERPRINTS, Forget, KeptBody, OldBody, OutputsOf, Scrubbed, ToForget, UnkeyedBody,
};
pub use campaigns::{CampaignChange, CampaignRow};
pub use casework::{
    ClaimRow, ClusterRow, FileRow, HeldRow, OpenedCase, StepTaken, SummariesAsked, SummaryRow,
};
pub use checkpoints::Checkpoint;
pub use database::{Database, StoreError};
pub use directory::{
    AccountRow, CaseStepRow, Change, DirectoryRows, KeyRow, LimitScope, LimitsRow, OrganisationRow,
    ProjectRow, SpendRow,
};
pub use doors::{SystemClock, random, write_atomically};
pub use folder::DataFolder;
pub use holds::{HoldChange, HoldRow};
pub use imported::ImportedAfter;
pub use issuers::SubjectRow;
pub use journal::{
    Entry, HandOver, Journal, JournalError, JournalTask, LeafOf, Passed, SealedBody, Spend, Taken,
};
pub use keks::{KekFiles, SwapStep, read_key, read_key_file};
pub use ledgers::{
    EpochRow, HOUSE, LedgerRow, ROOT, RootCheckpointRow, RootEntryRow, SealBatch, SealableRow,
    TileRow,
};
pub use links::{LinkKind, LinkRow, SeenRow};
pub use outbox::{EndpointRow, OutboxRow, Sending, Tried};
pub use people::{InviteRow, PasskeyRow, PersonRow, ShadowRow, SignInRow, Whose};
pub use profiles::{FindingRow, FleetRank, LookRow, ProfileRow, SealedRequest, WatchBatch};
pub use reads::{JournalRow, OpenIntent};
pub use sealed::SealedRow;
pub use subject_keys::SubjectKeyRow;

#[cfg(test)]
mod tests;
