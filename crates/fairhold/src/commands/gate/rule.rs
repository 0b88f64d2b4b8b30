//! What do the terms of an output's own day say about a use of what was derived from it?

use std::cell::RefCell;
use std::collections::BTreeMap;

use facts::{AccountId, ModelName, Timestamp};
use provenance::Output;
use serde::Serialize;
use terms::{
    Agreement, Authorisation, Catalogue, Countries, Declaration, DocumentId, Library, Lineage,
    Origin, OutputSet, Target, Use, UseQuestion, UseRuling, Verdict, use_output,
};

use crate::args::provenance::UseOf;
use crate::args::terms::{Kind, Verb};
use crate::commands::terms::agreement_of;
use crate::failure::Failure;
use crate::judge::documents;

/// The sets of the question: as made, and as it stands in the corpus.
const MADE: &str = "output";
const ROW: &str = "row";

/// What is said of a row, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// A clause forbids it.
    Blocked,
    /// Nobody knows: no terms are named for its model, or they were not yet in force.
    Undecided,
    /// Allowed as long as the conditions hold.
    AllowedWithConditions,
    /// Allowed.
    Allowed,
}

impl Said {
    /// The word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Undecided => "undecided",
            Self::AllowedWithConditions => "allowed with conditions",
            Self::Allowed => "allowed",
        }
    }
}

/// What the terms say, and why.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) said: Said,
    pub(crate) clauses: Vec<String>,
    pub(crate) terms: Vec<String>,
    pub(crate) conditions: Vec<String>,
    pub(crate) errors: Vec<String>,
}

/// Asks the terms; equal questions are asked once.
#[derive(Debug)]
pub(crate) struct Ruler {
    library: Library,
    /// A model's name, or its beginning followed by `*`, and the documents that bound it.
    bound: Vec<(String, DocumentId)>,
    agreement: Agreement,
    uses: Use,
    customer: AccountId,
    kept: RefCell<BTreeMap<(String, i64), Judgement>>,
}

impl Ruler {
    /// Of what was typed.
    pub(crate) fn of(what: &UseOf) -> Result<Self, Failure> {
        let catalogue = Catalogue::builtin()
            .map_err(|e| Failure::error(format!("failed to read the catalogue: {e}")))?;
        let mut bound = Vec::new();
        for text in &what.terms {
            let Some((model, document)) = text.split_once('=') else {
                return Err(Failure::error(format!(
                    "`{text}` is not `MODEL=provider/document`, for example \
                     `gpt-*=openai/services`"
                )));
            };
            for document in documents(&[document.to_owned()])? {
                if catalogue.of(&document).next().is_none() {
                    return Err(Failure::error(format!(
                        "the catalogue has no `{document}`; `fairhold terms list` shows all"
                    )));
                }
                bound.push((model.to_owned(), document));
            }
        }
        Ok(Self {
            library: Library::new(catalogue, Countries::new()),
            bound,
            agreement: agreement_of(what.agreement.as_deref())?,
            uses: use_of(what),
            customer: AccountId::parse("customer").map_err(|e| Failure::error(e.to_string()))?,
            kept: RefCell::default(),
        })
    }

    /// The use in the terms' own word.
    pub(crate) fn purpose(&self) -> String {
        self.uses.purpose().to_string()
    }

    /// What may be done with what was derived from an output.
    pub(crate) fn judge(&self, output: &Output) -> Judgement {
        let key = (output.model.to_string(), output.at.0);
        if let Some(known) = self.kept.borrow().get(&key) {
            return known.clone();
        }
        let judged = self.judged(&output.model, output.at);
        self.kept.borrow_mut().insert(key, judged.clone());
        judged
    }

    fn judged(&self, model: &ModelName, at: Timestamp) -> Judgement {
        let named = self.bound.iter();
        let mut bound: Vec<DocumentId> = named
            .filter(|(glob, _)| terms::matches(glob, model.as_str()))
            .map(|(_, document)| document.clone())
            .collect();
        let undecided = |why: String, terms: Vec<String>| Judgement {
            said: Said::Undecided,
            clauses: Vec::new(),
            terms,
            conditions: Vec::new(),
            errors: vec![why],
        };
        if bound.is_empty() {
            let why = format!("no terms are named for model `{model}`: give `--terms {model}=..`");
            return undecided(why, Vec::new());
        }
        bound.extend(self.agreement.documents.iter().cloned());
        let (mut versions, mut unknown) = (Vec::new(), None);
        bound.retain(|document| {
            let mut of = self.library.catalogue().of(document);
            let version = of.find(|version| version.covers(at));
            match version {
                Some(version) => versions.push(version.slug()),
                None => unknown = unknown.take().or_else(|| Some(document.clone())),
            }
            version.is_some()
        });
        let Some(unknown) = unknown else {
            return self.ruled(model, at, (bound, versions));
        };
        // What one document forbids is forbidden, whatever nobody knows of another.
        if !bound.is_empty() {
            let ruled = self.ruled(model, at, (bound, versions.clone()));
            if ruled.said == Said::Blocked {
                return ruled;
            }
        }
        let why = format!("no version of `{unknown}` was in force on that day");
        undecided(why, versions)
    }

    fn ruled(
        &self,
        model: &ModelName,
        at: Timestamp,
        (bound, versions): (Vec<DocumentId>, Vec<String>),
    ) -> Judgement {
        let lineage = lineage(model, at, bound);
        let agreement = &self.agreement;
        let declared = (&agreement.declared[..], &agreement.authorisations[..]);
        let ruling = self.ask(&lineage, self.uses, declared);
        let clauses = clauses_of(&ruling);
        let mut judgement = Judgement {
            said: Said::Allowed,
            clauses,
            terms: versions,
            conditions: Vec::new(),
            errors: ruling.errors.clone(),
        };
        if ruling.verdict == Verdict::Deny {
            judgement.said = if judgement.clauses.is_empty() {
                Said::Undecided
            } else {
                Said::Blocked
            };
            return judgement;
        }
        // What would be said had nothing been declared and the model gone to others? An allowance
        // that then falls rests on that.
        let mut open = self.uses;
        if let Some(target) = &mut open.target {
            target.distributed = true;
            target.on_provider = false;
        }
        let bare = self.ask(&lineage, open, (&[], &[]));
        if bare.verdict == Verdict::Deny {
            judgement.said = Said::AllowedWithConditions;
            judgement.clauses = clauses_of(&bare);
            judgement.conditions = self.conditions();
        }
        judgement
    }

    fn ask(
        &self,
        lineage: &Lineage,
        purpose: Use,
        (declared, authorisations): (&[Declaration], &[Authorisation]),
    ) -> UseRuling {
        use_output(
            &self.library,
            lineage,
            &UseQuestion {
                account: &self.customer,
                set: ROW,
                purpose,
                declared,
                conduct: &self.agreement.conduct,
                authorisations,
            },
        )
    }

    /// What the customer said of the use.
    fn conditions(&self) -> Vec<String> {
        let mut conditions = Vec::new();
        let target = self.uses.target;
        if target.is_some_and(|t| !t.distributed) {
            conditions.push("the model is not given to others".to_owned());
        }
        if target.is_some_and(|t| t.on_provider) {
            conditions.push("the model is made inside the provider's own service".to_owned());
        }
        let declared = self.agreement.declared.iter();
        conditions.extend(declared.map(|word| format!("declared: {word}")));
        let authorised = self.agreement.authorisations.iter();
        conditions.extend(authorised.map(|one| format!("authorised: {}", one.clause)));
        conditions
    }
}

fn clauses_of(ruling: &UseRuling) -> Vec<String> {
    let because = ruling.origins.iter().flat_map(|(_, r)| &r.because);
    because.map(ToString::to_string).collect()
}

/// The output, and the row that was made of it in whatever way.
fn lineage(model: &ModelName, at: Timestamp, documents: Vec<DocumentId>) -> Lineage {
    let mut lineage = Lineage::new();
    let made = OutputSet {
        origin: Some(Origin {
            documents,
            model: Some(model.clone()),
            at,
        }),
        ..OutputSet::default()
    };
    lineage.insert(MADE.to_owned(), made);
    let row = OutputSet {
        origin: None,
        sources: vec![MADE.to_owned()],
        transform: Some("copied or altered".to_owned()),
        marked: None,
    };
    lineage.insert(ROW.to_owned(), row);
    lineage
}

fn use_of(what: &UseOf) -> Use {
    let target = what.target.map(|aim| {
        let (kind, competes) = aim.kind();
        Target {
            kind: match kind {
                Kind::Classifier => terms::Kind::Classifier,
                Kind::Finetuned => terms::Kind::Finetuned,
                Kind::Foundation => terms::Kind::Foundation,
            },
            competes,
            distributed: what.distributed,
            on_provider: what.on_provider,
        }
    });
    Use {
        verb: match what.verb {
            Verb::Train => terms::Verb::Train,
            Verb::Distill => terms::Verb::Distill,
            Verb::Evaluate => terms::Verb::Evaluate,
            Verb::Label => terms::Verb::Label,
            Verb::Redistribute => terms::Verb::Redistribute,
        },
        target,
    }
}

#[cfg(test)]
mod tests;
