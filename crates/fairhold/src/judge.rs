//! Who evaluates the terms for the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::judge::{Judge, Question, Ruling, Verdict};
use facts::ModelName;
use sha2::{Digest as _, Sha256};
use terms::{Act, Agreement, Catalogue, Countries, Country, DocumentId, Library, Standing};

use crate::failure::Failure;

/// No document of terms is configured: nothing is forbidden, and the records
/// say so, because the digest of the empty policy set stands in each of them.
/// The house's own limits of an agreement hold all the same.
#[derive(Debug)]
pub(crate) struct NoTerms {
    digest: Arc<str>,
}

impl NoTerms {
    /// The judge of a house without terms.
    pub(crate) fn new() -> Self {
        Self {
            digest: hex::encode(Sha256::digest(b"")).into(),
        }
    }
}

impl Judge for NoTerms {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let exceeded = question.exceeded;
        let mut clauses = Vec::new();
        for (passed, clause) in [
            (exceeded.expected_usage, terms::EXPECTED_USAGE_CLAUSE),
            (exceeded.request_size, terms::REQUEST_SIZE_CLAUSE),
        ] {
            clauses.extend(facts::ClauseId::parse(clause).ok().filter(|_| passed));
        }
        let verdict = if clauses.is_empty() {
            Verdict::Permit
        } else {
            Verdict::Deny
        };
        Ruling {
            verdict,
            clauses,
            policy_sha256: Arc::clone(&self.digest),
            asked: None,
            until: None,
        }
    }
}

/// What the configuration says about terms, as written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bound {
    /// Documents that bind every request, `provider/document`.
    pub(crate) documents: Vec<String>,
    /// Further documents by model: a name, or a beginning followed by `*`.
    pub(crate) models: BTreeMap<String, Vec<String>>,
    /// The countries that a document's clause admits.
    pub(crate) countries: BTreeMap<String, Vec<String>>,
}

/// The documents of the catalogue that bind this house.
#[derive(Debug)]
pub(crate) struct Documents {
    library: Library,
    everybody: Vec<DocumentId>,
    models: Vec<(String, Vec<DocumentId>)>,
}

fn wrong(what: &dyn std::fmt::Display) -> Failure {
    Failure::error(format!("failed to load the terms: {what}"))
}

/// The documents named.
pub(crate) fn documents(names: &[String]) -> Result<Vec<DocumentId>, Failure> {
    let parsed = names.iter().map(|name| {
        DocumentId::parse(name).ok_or_else(|| {
            wrong(&format!(
                "`{name}` is not `provider/document`; `fairhold terms list` shows all"
            ))
        })
    });
    parsed.collect()
}

impl Documents {
    /// Compiles what the configuration names, so that a mistake is an error at
    /// the start.
    pub(crate) fn load(bound: &Bound) -> Result<Self, Failure> {
        let catalogue = Catalogue::builtin().map_err(|e| wrong(&e))?;
        let mut countries = Countries::new();
        for (name, list) in &bound.countries {
            let document = documents(std::slice::from_ref(name))?;
            let list = list.iter().map(|text| {
                Country::parse(text)
                    .ok_or_else(|| wrong(&format!("`{text}` is no country of two letters")))
            });
            let list: BTreeSet<Country> = list.collect::<Result<_, _>>()?;
            countries.extend(
                document
                    .into_iter()
                    .map(|document| (document, list.clone())),
            );
        }
        let everybody = documents(&bound.documents)?;
        let models = bound
            .models
            .iter()
            .map(|(glob, names)| documents(names).map(|further| (glob.clone(), further)));
        let judge = Self {
            library: Library::new(catalogue, countries),
            everybody,
            models: models.collect::<Result<_, _>>()?,
        };
        let mut sets = vec![judge.everybody.clone()];
        sets.extend(judge.models.iter().map(|(_, further)| {
            let mut set = judge.everybody.clone();
            set.extend(further.iter().cloned());
            set
        }));
        for set in sets.iter().filter(|set| !set.is_empty()) {
            judge.library.bound(set).map_err(|e| wrong(&e))?;
        }
        Ok(judge)
    }

    /// The catalogue with what was compiled of it.
    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// The documents that bind a request of an account for a model; of every
    /// model where none is given. Each with whom it binds, in words.
    pub(crate) fn binding(
        &self,
        agreement: &Agreement,
        model: Option<&ModelName>,
    ) -> Vec<(DocumentId, String)> {
        let mut all: Vec<(DocumentId, String)> = Vec::new();
        let mut add = |document: &DocumentId, whom: String| {
            if !all.iter().any(|(known, _)| known == document) {
                all.push((document.clone(), whom));
            }
        };
        for document in &self.everybody {
            add(document, "every request".to_owned());
        }
        for (glob, further) in &self.models {
            if model.is_none_or(|name| terms::matches(glob, name.as_str())) {
                for document in further {
                    add(document, format!("requests to {glob}"));
                }
            }
        }
        for document in &agreement.documents {
            add(document, "this account".to_owned());
        }
        all
    }

    /// What is wrong with an agreement, if anything: its documents must be
    /// known, and compile together with those that bind everybody; its
    /// authorisations must name clauses.
    pub(crate) fn refuses(&self, agreement: &Agreement) -> Option<String> {
        let unknown = agreement
            .authorisations
            .iter()
            .find(|given| self.library.catalogue().clause(&given.clause).is_none());
        if let Some(given) = unknown {
            return Some(format!(
                "`{}` is no clause of the catalogue; `fairhold terms show DOCUMENT` lists them",
                given.clause
            ));
        }
        let set: Vec<DocumentId> = self
            .everybody
            .iter()
            .chain(&agreement.documents)
            .cloned()
            .collect();
        if set.is_empty() {
            return None;
        }
        self.library
            .bound(&set)
            .err()
            .map(|error| error.to_string())
    }
}

/// The documents on the engine's bench.
#[derive(Debug)]
pub(crate) struct Seated(pub(crate) Arc<Documents>);

impl Judge for Seated {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let documents: Vec<DocumentId> = self
            .0
            .binding(question.agreement, Some(question.model))
            .into_iter()
            .map(|(document, _)| document)
            .collect();
        if documents.is_empty() {
            return NoTerms::new().rule(question);
        }
        let terms = match self.0.library.bound(&documents) {
            Ok(terms) => terms,
            Err(error) => return failed(&error),
        };
        let agreement = question.agreement;
        let asked = terms::Question {
            account: question.account,
            act: Act::Infer {
                model: question.model,
                endpoint: question.endpoint,
            },
            purpose: question.purpose,
            declared: &agreement.declared,
            conduct: &agreement.conduct,
            authorisations: &agreement.authorisations,
            country: question.country,
            exceeded: question.exceeded,
            // Standing is the engine's own matter; it is judged before the terms.
            standing: Standing::Active,
            at: question.at,
        };
        let ruling = terms.rule(&asked);
        let verdict = match ruling.verdict {
            _ if !ruling.errors.is_empty() => Verdict::Error(ruling.errors.join("; ")),
            terms::Verdict::Allow => Verdict::Permit,
            terms::Verdict::Deny => Verdict::Deny,
        };
        Ruling {
            verdict,
            clauses: ruling.because,
            policy_sha256: ruling.policy_sha256.into(),
            asked: terms.asked(&asked).map(Arc::new),
            until: ruling.until,
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> Ruling {
    Ruling {
        verdict: Verdict::Error(error.to_string()),
        clauses: Vec::new(),
        policy_sha256: Arc::from(""),
        asked: None,
        until: None,
    }
}

#[cfg(test)]
mod tests;
