//! Why can a registry not be read or written, and what is to be done about it?

use std::fmt;
use std::io;
use std::path::PathBuf;

use provenance::SegmentError;

use super::Kind;

/// Why a registry cannot be read or written.
#[derive(Debug)]
pub(crate) enum RegistryError {
    /// The file system says no.
    File(PathBuf, io::Error),
    /// A file is no segment.
    Segment(PathBuf, SegmentError),
    /// There is no registry, or no key in it.
    Missing(PathBuf),
    /// The registry that follows this store is not there, or another one is.
    Gone(PathBuf),
    /// The key or the place cannot be read.
    Form(PathBuf),
    /// Another process writes it.
    Busy(PathBuf),
    /// It is fed by something else.
    Kind(PathBuf, Kind),
    /// A part of the log was taken before these models were named as control twins.
    Twins(PathBuf),
    /// The writer's own process could not be started.
    Start(io::Error),
    /// What it says is not in time or cannot be read.
    Apart(io::Error),
    /// The writer says so.
    Told(String),
    /// There is no writer (any more).
    Lost,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "failed to keep `{}`: {error}", path.display()),
            Self::Segment(path, error) => write!(
                f,
                "failed to read `{}`: {error}; remove it and run `fairhold registry build` again",
                path.display()
            ),
            Self::Missing(path) => write!(
                f,
                "`{}` is no registry: make one with `fairhold registry build --out {}`",
                path.display(),
                path.display()
            ),
            Self::Gone(path) => write!(
                f,
                "the registry that follows this store is not in `{}`: mount its disk or put it \
                 back; if it is gone for good, `fairhold registry build` makes it anew",
                path.display()
            ),
            Self::Busy(path) => write!(
                f,
                "another process writes here (`{}`): wait for it, or stop the server",
                path.display()
            ),
            Self::Kind(path, Kind::Store) => write!(
                f,
                "`{}` follows a store's own log: name another folder for outputs of logs",
                path.display()
            ),
            Self::Kind(path, Kind::Logs) => write!(
                f,
                "`{}` was built of logs or is a copy: name another folder for the store's own",
                path.display()
            ),
            Self::Twins(path) => write!(
                f,
                "`{}` already holds outputs that were taken without these `--twin-model`: name an \
                 empty folder with `--out`",
                path.display()
            ),
            Self::Start(error) => write!(
                f,
                "failed to start the process that writes the registry (this program once more: \
                 `/proc` must be there, and one more process be allowed): {error}"
            ),
            Self::Apart(error) => write!(
                f,
                "the process that writes the registry (`fairhold registry writer`) does not \
                 answer: {error}"
            ),
            Self::Told(why) => f.write_str(why),
            Self::Lost => {
                f.write_str("the process that writes the registry ended before it answered")
            }
            Self::Form(path) => write!(
                f,
                "`{}` is not as it was written; take it from a copy, or build the registry anew",
                path.display()
            ),
        }
    }
}

impl std::error::Error for RegistryError {}
