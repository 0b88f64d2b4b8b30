//! Whom shall we try it on? Fleets of accounts with labels: made of our own
//! words from a seed, or drawn from recorded traffic. A shed: it may read files.
#![forbid(unsafe_code)]

pub mod benchmark;
pub mod desensitize;
mod fleet;
mod generate;
mod pool;
mod random;
pub use random::Random;

pub use fleet::{Fleet, FleetAccount, FleetExchange};
pub use generate::FleetShape;
pub use pool::{HONEST, KnownReport, KnownRow, KnownSettings, PoolError, known_campaigns};
