//! What can be proven to a stranger?
#![forbid(unsafe_code)]

pub mod merkle;
mod record;
pub mod seal;

pub use record::{Commitment, Event, Record, RecordError};
