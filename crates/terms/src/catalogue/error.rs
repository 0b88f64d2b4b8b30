//! Why facts about terms are refused.

use std::fmt;

/// Why a catalogue cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Not TOML, or a field that is unknown, missing or of another type.
    Syntax {
        /// Name of the source.
        file: String,
        /// Line, from 1; 0 where unknown.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// A value that means nothing here.
    Value {
        /// Name of the source.
        file: String,
        /// Where in it, for example `clause 3.3(e), forbids`.
        place: String,
        /// What was given.
        given: String,
        /// What would be right.
        wanted: String,
    },
    /// Two versions of one document are in force at once.
    Overlap {
        /// The one that begins first.
        earlier: String,
        /// The other.
        later: String,
    },
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { file, line, detail } => write!(f, "{file}/facts.toml:{line}: {detail}"),
            Self::Value {
                file,
                place,
                given,
                wanted,
            } => write!(f, "{file}/facts.toml: {place}: `{given}` is not {wanted}"),
            Self::Overlap { earlier, later } => write!(
                f,
                "`{earlier}` is still in force when `{later}` begins: end the first before the second"
            ),
        }
    }
}

impl std::error::Error for CatalogueError {}
