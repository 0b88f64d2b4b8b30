//! What can be proven to a stranger?
#![forbid(unsafe_code)]

mod record;

pub use record::{Commitment, Event, Record};
