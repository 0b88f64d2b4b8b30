//! What could not be read, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A line, a member or the rest of a file that could not be read. The others were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// The row, from 1; none when it is the rest of the file.
    pub row: Option<u64>,
    /// Why.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "{}:{row}: {}", self.file, self.why),
            None => write!(f, "{}: {}; what came before was read", self.file, self.why),
        }
    }
}
