//! What can be proven to a stranger?
#![forbid(unsafe_code)]

pub mod bundle;
pub mod checkpoint;
pub mod dsse;
pub mod ledger;
pub mod merkle;
mod record;
pub mod seal;
pub mod submission;
pub mod timestamp;
pub mod verify;

pub use record::{Commitment, Event, Kept, Record, RecordError};
