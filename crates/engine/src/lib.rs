//! What happens next? The whole product without I/O.
//!
//! Nothing here reads a clock, a socket, a file or a random source: time and
//! randomness are arguments, what is to be done comes back as effects.
#![forbid(unsafe_code)]

mod ask;
pub mod command;
pub mod directory;
pub mod effect;
mod engine;
pub mod judge;
pub mod key;
pub mod prices;
pub mod quota;
pub mod standing;

pub use ask::{Admitted, Ask, Completion, LimitState, Refusal};
pub use command::{CaseStep, Command, CommandError, Scope};
pub use directory::{Directory, Row};
pub use effect::{Alert, Charge, Denial, Effect, Entry};
pub use engine::{Config, Engine, Mode};
pub use standing::{Act, Held, Standing};
