//! How a command ends: its exit code, and words that say what to do.

use std::fmt;

use console::OfficeError;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, nothing to report.
    Clean,
    /// 1: a finding, or a check that failed.
    Finding,
    /// 2: an error, or input that cannot be read.
    Error,
    /// 3: it could not be decided.
    Undecided,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Finding => 1,
            Self::Error => 2,
            Self::Undecided => 3,
        }
    }
}

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What failed, and what to do next.
    pub(crate) message: String,
}

impl Failure {
    /// Exit code 2.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// Exit code 2, with the causes behind the error.
    pub(crate) fn chain(error: &dyn std::error::Error) -> Self {
        Self {
            message: format!("failed to {}", with_causes(error)),
        }
    }
}

/// An error with what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        Self::error(error.to_string())
    }
}
