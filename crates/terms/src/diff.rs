//! What changes for customers between two versions of a document?
//!
//! Every situation that the vocabulary can express, up to one declaration, one
//! established conduct or a country off the agreed list at a time, is put to
//! both versions.

use std::collections::{BTreeMap, BTreeSet};

use facts::{AccountId, Endpoint, ModelName};
use serde::Serialize;

use crate::question::{Act, Question, Verdict};
use crate::{Catalogue, Conduct, Country, Declaration, LoadError, Purpose, Terms, Version};

/// A situation in which the verdict changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `request` or `use of outputs`.
    pub act: &'static str,
    /// The purpose; none declared.
    pub purpose: Option<&'static str>,
    /// What the customer declares.
    pub declared: Option<&'static str>,
    /// What was established against it.
    pub conduct: Option<&'static str>,
    /// It comes from a country off the agreed list.
    pub abroad: bool,
    /// The old verdict.
    pub old: &'static str,
    /// The clauses that decided it.
    pub old_clauses: Vec<String>,
    /// The new verdict.
    pub new: &'static str,
    /// The clauses that decide it.
    pub new_clauses: Vec<String>,
}

impl Change {
    /// The situation, in words.
    pub fn situation(&self) -> String {
        let mut words = vec![self.act.to_owned()];
        words.push(match self.purpose {
            Some(purpose) => format!("for {purpose}"),
            None => "without a purpose".to_owned(),
        });
        words.extend(self.declared.map(|word| format!("declared {word}")));
        words.extend(self.conduct.map(|word| format!("after {word}")));
        if self.abroad {
            words.push("from a country off the list".to_owned());
        }
        words.join(", ")
    }
}

/// Every situation in which the verdict of `new` differs from that of `old`;
/// each is asked on its first day.
///
/// # Errors
/// [`LoadError`] when one of them does not compile.
pub fn diff(old: &Version, new: &Version) -> Result<Vec<Change>, LoadError> {
    // On an empty list is no country: whoever comes from a known one is off it.
    let load = |version: &Version| {
        let document = version.document().clone();
        let terms = Terms::load(&Catalogue::of_one(version), std::slice::from_ref(&document))?;
        Ok::<_, LoadError>(terms.with_countries(BTreeMap::from([(document, BTreeSet::new())])))
    };
    let (before, after) = (load(old)?, load(new)?);
    let mut changes = Vec::new();
    for situation in situations() {
        let first = situation.ruled(&before, old);
        let second = situation.ruled(&after, new);
        if let (Some((a, why_a)), Some((b, why_b))) = (first, second)
            && a != b
        {
            changes.push(Change {
                act: if situation.uses {
                    "use of outputs"
                } else {
                    "request"
                },
                purpose: situation.purpose.map(Purpose::word),
                declared: situation.declared.map(Declaration::word),
                conduct: situation.conduct.map(Conduct::word),
                abroad: situation.country.is_some(),
                old: a.word(),
                old_clauses: why_a,
                new: b.word(),
                new_clauses: why_b,
            });
        }
    }
    Ok(changes)
}

struct Situation {
    uses: bool,
    purpose: Option<Purpose>,
    declared: Option<Declaration>,
    conduct: Option<Conduct>,
    country: Option<Country>,
}

fn situations() -> Vec<Situation> {
    let mut all = vec![Situation {
        uses: false,
        purpose: None,
        declared: None,
        conduct: None,
        country: Country::parse("KP"),
    }];
    let purposes = Purpose::ALL.into_iter().map(Some).chain([None]);
    for purpose in purposes {
        let declarations = Declaration::ALL.iter().copied().map(Some);
        for declared in [None].into_iter().chain(declarations) {
            for uses in [false, true] {
                all.push(Situation {
                    uses,
                    purpose,
                    declared,
                    conduct: None,
                    country: None,
                });
            }
        }
    }
    all.extend(Conduct::ALL.iter().map(|conduct| Situation {
        uses: false,
        purpose: None,
        declared: None,
        conduct: Some(*conduct),
        country: None,
    }));
    all
}

impl Situation {
    fn ruled(&self, terms: &Terms, version: &Version) -> Option<(Verdict, Vec<String>)> {
        let account = AccountId::parse("customer").ok()?;
        let model = ModelName::parse("model").ok()?;
        let act = if self.uses {
            Act::Use {
                set: "outputs",
                model: Some(&model),
                transformed: false,
            }
        } else {
            Act::Infer {
                model: &model,
                endpoint: Endpoint::ChatCompletions,
            }
        };
        let ruling = terms.rule(&Question {
            purpose: self.purpose.map(Purpose::word),
            declared: self.declared.as_slice(),
            conduct: self.conduct.as_slice(),
            country: self.country,
            ..Question::new(&account, act, version.from().0)
        });
        let because = ruling.because.iter().map(ToString::to_string).collect();
        Some((ruling.verdict, because))
    }
}

#[cfg(test)]
mod tests;
