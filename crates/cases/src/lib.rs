//! What is owed to the accused?
//!
//! A case is what its steps made of it. The machine takes the time as an
//! argument, refuses what the rules of due process forbid, and carries nothing
//! out: whoever holds a step records it first and acts on it then.
#![forbid(unsafe_code)]

mod case;
mod step;

pub use case::{APPEAL, Act, Case, Refused, SUMMARY_MAX, State};
pub use step::{Deed, Measure, Proposal, Step, StepError};
