//! Identifiers: one type each, so that no two can be confused.

use std::fmt;

/// Why a string is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    /// Which identifier was asked for.
    pub what: &'static str,
    /// What was given.
    pub given: String,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a {}: use 1 to 128 visible ASCII characters without spaces, quotes or backslashes",
            self.given, self.what
        )
    }
}

impl std::error::Error for IdError {}

fn well_formed(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'\''))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks and takes the text.
            ///
            /// # Errors
            /// [`IdError`] unless it is 1 to 128 visible ASCII characters.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if well_formed(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, given: text.chars().take(160).collect() })
                }
            }

            /// The text as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A legal customer; owns projects.
    OrganisationId, "organisation id"
);
id!(
    /// A project inside an organisation; owns accounts and a purpose.
    ProjectId, "project id"
);
id!(
    /// The unit that is metered, judged and sanctioned.
    AccountId, "account id"
);
id!(
    /// The public part of an API key.
    KeyId, "key id"
);
id!(
    /// One request with its answer.
    ExchangeId, "exchange id"
);
id!(
    /// A due-process case.
    CaseId, "case id"
);
id!(
    /// A reviewer, approver or other human who acts.
    PersonId, "person id"
);
id!(
    /// A clause of a document of terms, for example `openai-services-2026-01-01/3.3(e)`.
    ClauseId, "clause id"
);
id!(
    /// A model as the request names it.
    ModelName, "model name"
);

#[cfg(test)]
mod tests;
