//! What happens next? The whole product without I/O.
#![forbid(unsafe_code)]

mod ask;

pub use ask::{Admitted, Ask, Completion, LimitState, Refusal};
