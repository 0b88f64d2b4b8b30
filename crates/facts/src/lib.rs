//! What are we talking about? The vocabulary every room shares.
//!
//! Nothing here behaves: no clock, no serialisation, no I/O. A value that
//! exists has been checked.

#![forbid(unsafe_code)]

mod exchange;
mod id;
mod money;
mod time;

pub use exchange::{Ending, Endpoint, Exchange, Usage};
pub use id::{
    AccountId, CaseId, ClauseId, ExchangeId, IdError, KeyId, ModelName, OrganisationId, PersonId,
    ProjectId,
};
pub use money::MicroUsd;
pub use time::{Span, Timestamp};
