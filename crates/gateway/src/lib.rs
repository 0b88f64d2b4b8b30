//! How do programs reach a model? Sockets for programs.
#![forbid(unsafe_code)]

mod config;
mod desk;
mod exchange;
mod metrics;
mod owners;
mod reply;
mod route;
mod server;
mod tally;
mod upstream;

pub use config::{Config, ConfigError, Kind, Limits, Timeouts, UpstreamConfig};
pub use desk::{Desk, NotRecorded, Recorded};
pub use metrics::Metrics;
pub use reply::{Cut, Reply};
pub use server::{Further, Peer, Server, Setup};
pub use upstream::{Recording, Recordings};
