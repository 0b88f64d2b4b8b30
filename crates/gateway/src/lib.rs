//! How do programs reach a model? Sockets for programs.
#![forbid(unsafe_code)]

mod config;
mod desk;
mod metrics;
mod upstream;

pub use config::{Config, ConfigError, Kind, Limits, Timeouts, UpstreamConfig};
pub use desk::{Desk, NotRecorded};
pub use metrics::Metrics;
pub use upstream::{Recording, Recordings};
