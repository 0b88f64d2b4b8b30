//! How do programs reach a model? Sockets for programs.
#![forbid(unsafe_code)]

mod desk;

pub use desk::{Desk, NotRecorded};
