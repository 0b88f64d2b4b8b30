//! What was agreed with one account, beside the documents that bind everybody.

use std::collections::BTreeSet;

use facts::{ClauseId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::question::Authorisation;
use crate::{Conduct, Declaration, DocumentId, Purpose, day};

/// An agreement between an account and the provider. The empty one adds
/// nothing to what binds everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// Documents that bind this account beside the deployment's own (those of
    /// a cloud or an aggregator, say): the strictest wins.
    pub documents: BTreeSet<DocumentId>,
    /// What the customer declared about its use.
    pub declared: Vec<Declaration>,
    /// What was established against it, by decided cases or its own word.
    pub conduct: Vec<Conduct>,
    /// What the provider authorised.
    pub authorisations: Vec<Authorisation>,
    /// How much of a purpose is expected: at most one volume of each.
    pub expected: Vec<Expected>,
    /// Tokens that one request may ask for; none: no limit of its own.
    pub request_tokens_max: Option<u64>,
}

/// "Minimal usage": a purpose, up to an agreed volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Of which purpose.
    pub purpose: Purpose,
    /// Requests in a calendar month, UTC; further ones are denied.
    pub requests_per_month: u64,
}

/// Why an agreement cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementError(String);

impl std::fmt::Display for AgreementError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "read the agreement: {}", self.0)
    }
}

impl std::error::Error for AgreementError {}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Written {
    documents: BTreeSet<String>,
    declared: Vec<String>,
    conduct: Vec<String>,
    request_tokens_max: Option<u64>,
    expected: Vec<WrittenExpected>,
    authorisation: Vec<WrittenAuthorisation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExpected {
    purpose: String,
    requests_per_month: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAuthorisation {
    clause: String,
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    models: Vec<String>,
    from: String,
    until: Option<String>,
}

impl Agreement {
    /// Reads TOML, as people write it.
    ///
    /// # Errors
    /// [`AgreementError`] at the first thing that is malformed or unknown.
    pub fn from_toml(text: &str) -> Result<Self, AgreementError> {
        let written = toml::from_str(text).map_err(|e| AgreementError(e.to_string()))?;
        Self::of(&written)
    }

    /// Reads JSON, as it is kept and sent.
    ///
    /// # Errors
    /// [`AgreementError`] at the first thing that is malformed or unknown.
    pub fn from_json(text: &str) -> Result<Self, AgreementError> {
        let written = serde_json::from_str(text).map_err(|e| AgreementError(e.to_string()))?;
        Self::of(&written)
    }

    /// Its JSON: equal agreements have equal texts.
    pub fn json(&self) -> serde_json::Value {
        let written = Written {
            documents: self.documents.iter().map(ToString::to_string).collect(),
            declared: self.declared.iter().map(ToString::to_string).collect(),
            conduct: self.conduct.iter().map(ToString::to_string).collect(),
            request_tokens_max: self.request_tokens_max,
            expected: self.expected.iter().map(WrittenExpected::of).collect(),
            authorisation: self
                .authorisations
                .iter()
                .map(WrittenAuthorisation::of)
                .collect(),
        };
        serde_json::to_value(written).unwrap_or_default()
    }

    /// The volume expected of `purpose` in a month, where one was agreed.
    pub fn expected_of(&self, purpose: Purpose) -> Option<u64> {
        let agreed = self
            .expected
            .iter()
            .find(|agreed| agreed.purpose == purpose);
        agreed.map(|agreed| agreed.requests_per_month)
    }

    fn of(written: &Written) -> Result<Self, AgreementError> {
        let unknown = |what: &str, given: &str| AgreementError(format!("`{given}` is not {what}"));
        let purpose =
            |text: &str| Purpose::parse(text).map_err(|error| AgreementError(error.to_string()));
        let documents = written.documents.iter().map(|text| {
            DocumentId::parse(text).ok_or_else(|| unknown("a document, `provider/document`", text))
        });
        let declared = written.declared.iter().map(|word| {
            Declaration::from_word(word)
                .ok_or_else(|| unknown(&format!("a declaration: {}", list(Declaration::ALL)), word))
        });
        let conduct = written.conduct.iter().map(|word| {
            Conduct::from_word(word)
                .ok_or_else(|| unknown(&format!("a conduct: {}", list(Conduct::ALL)), word))
        });
        let moment = |text: &str| day::parse(text).ok_or_else(|| unknown("a day YYYY-MM-DD", text));
        let mut authorisations = Vec::new();
        for given in &written.authorisation {
            let from = moment(&given.from)?;
            let until = given.until.as_deref().map(moment).transpose()?;
            if until.is_some_and(|until| until <= from) {
                return Err(AgreementError(format!(
                    "the authorisation of `{}` ends before it begins",
                    given.clause
                )));
            }
            authorisations.push(Authorisation {
                clause: ClauseId::parse(&given.clause)
                    .map_err(|error| AgreementError(error.to_string()))?,
                purpose: given.purpose.as_deref().map(purpose).transpose()?,
                models: given.models.clone(),
                from,
                until,
            });
        }
        let mut expected: Vec<Expected> = Vec::new();
        for agreed in &written.expected {
            let purpose = purpose(&agreed.purpose)?;
            if expected.iter().any(|other| other.purpose == purpose) {
                return Err(AgreementError(format!(
                    "two volumes of `{purpose}` are agreed"
                )));
            }
            expected.push(Expected {
                purpose,
                requests_per_month: agreed.requests_per_month,
            });
        }
        Ok(Self {
            documents: documents.collect::<Result<_, _>>()?,
            declared: declared.collect::<Result<_, _>>()?,
            conduct: conduct.collect::<Result<_, _>>()?,
            authorisations,
            expected,
            request_tokens_max: written.request_tokens_max,
        })
    }
}

impl WrittenExpected {
    fn of(agreed: &Expected) -> Self {
        Self {
            purpose: agreed.purpose.to_string(),
            requests_per_month: agreed.requests_per_month,
        }
    }
}

impl WrittenAuthorisation {
    fn of(given: &Authorisation) -> Self {
        let day = |at: Timestamp| at.rfc3339().chars().take(10).collect();
        Self {
            clause: given.clause.to_string(),
            purpose: given.purpose.map(|purpose| purpose.to_string()),
            models: given.models.clone(),
            from: day(given.from),
            until: given.until.map(day),
        }
    }
}

fn list<T: std::fmt::Display>(all: &[T]) -> String {
    let words: Vec<_> = all.iter().map(ToString::to_string).collect();
    format!("use one of {}", words.join(", "))
}

#[cfg(test)]
mod tests;
