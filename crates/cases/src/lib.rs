//! What is owed to the accused?
//!
//! A case is what its steps made of it. The machine takes the time as an
//! argument, refuses what the rules of due process forbid, and carries nothing
//! out: whoever holds a step records it first and acts on it then.
#![forbid(unsafe_code)]

mod actor;
mod case;
mod refused;
mod restriction;
mod statement;
mod step;

pub use actor::{Actor, Identity, Right, Role, may};
pub use case::{
    ATTACHMENT_BYTES_MAX, ATTACHMENT_KINDS, ATTACHMENTS_MAX, Awaited, Awaits, COMMENT_MAX,
    CONDITIONS_MAX, Case, Effect, FACTS_MAX, Outcome, Pending, State, Undertaking,
};
pub use refused::Refused;
pub use restriction::{
    ANSWER, APPEAL, Deadline, EMERGENCY, InForce, REVIEW, Restriction, TERMINATION, Timer,
};
pub use statement::{Language, StatementJson, Template, TemplateError};
pub use step::{
    Attachment, Condition, Deed, Limits, Measure, Notice, Observation, Proposal, Step, StepError,
};
