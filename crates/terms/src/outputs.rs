//! Sets of outputs, where they come from, and whether they may be used for
//! something. A transformed copy keeps the restriction of its source.

use std::collections::{BTreeMap, BTreeSet};

use facts::{AccountId, ModelName, Timestamp};

use crate::question::{Act, Authorisation, Question, Ruling, Verdict};
use crate::{Conduct, Declaration, DocumentId, Library, Purpose};

/// What is to be done with outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Train a model on them.
    Train,
    /// Train a model to behave like the one that made them.
    Distill,
    /// Measure models with them.
    Evaluate,
    /// Keep them as labels.
    Label,
    /// Pass them on.
    Redistribute,
}

impl Verb {
    /// The word typed by people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Distill => "distill",
            Self::Evaluate => "evaluate",
            Self::Label => "label",
            Self::Redistribute => "redistribute",
        }
    }

    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Train,
        Self::Distill,
        Self::Evaluate,
        Self::Label,
        Self::Redistribute,
    ];
}

/// What kind of model is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It categorises, classifies or organises data.
    Classifier,
    /// It answers; fine-tuned from another.
    Finetuned,
    /// It answers; trained from the beginning.
    Foundation,
}

/// The model that is made of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// What kind it is.
    pub kind: Kind,
    /// It competes with the provider, by the customer's own word or the
    /// provider's stated interpretation.
    pub competes: bool,
    /// Others get it.
    pub distributed: bool,
    /// It is made inside the provider's own service.
    pub on_provider: bool,
}

/// A use of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// What is done.
    pub verb: Verb,
    /// The model that is made, where one is.
    pub target: Option<Target>,
}

impl Use {
    /// The purpose that this use amounts to. Training without a known target
    /// is taken to compete: what is not known speaks for nobody.
    pub fn purpose(&self) -> Purpose {
        match (self.verb, self.target) {
            (Verb::Evaluate, _) => Purpose::Evaluation,
            (Verb::Label, _) => Purpose::LabellingInternal,
            (Verb::Redistribute, _) => Purpose::Resale,
            (Verb::Train | Verb::Distill, None) => Purpose::TrainCompetingModel,
            (Verb::Train | Verb::Distill, Some(target)) => target.purpose(self.verb),
        }
    }

    /// What the use itself says, as a customer would declare it.
    pub fn declared(&self) -> impl Iterator<Item = Declaration> {
        let inside = self.target.is_some_and(|target| !target.distributed);
        inside.then_some(Declaration::NotDistributed).into_iter()
    }
}

impl Target {
    fn purpose(self, verb: Verb) -> Purpose {
        match self.kind {
            Kind::Classifier if self.distributed => Purpose::ClassifierDistributed,
            Kind::Classifier => Purpose::ClassifierInternal,
            Kind::Foundation => Purpose::FoundationTraining,
            Kind::Finetuned if self.on_provider => Purpose::FinetuneOnProvider,
            Kind::Finetuned if !self.competes => Purpose::FinetuneNoncompeting,
            Kind::Finetuned if verb == Verb::Distill => Purpose::TrainCompetingModel,
            Kind::Finetuned => Purpose::FinetuneCompeting,
        }
    }
}

/// Where outputs were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The documents that bound their making.
    pub documents: Vec<DocumentId>,
    /// The model that made them, where known.
    pub model: Option<ModelName>,
    /// When they were made: the terms are those of that moment.
    pub at: Timestamp,
}

/// A set of outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputSet {
    /// Where it was made, when it was made by a model.
    pub origin: Option<Origin>,
    /// The sets that it was made from.
    pub sources: Vec<String>,
    /// How it was altered: `paraphrased`, `translated`, `desensitized`.
    pub transform: Option<String>,
    /// What its holder says of it, `unrestricted` for example. It lifts
    /// nothing: only the provider's authorisation does.
    pub marked: Option<String>,
}

/// Every set that is known, by name.
pub type Lineage = BTreeMap<String, OutputSet>;

/// Whether a set may be used for something.
#[derive(Debug, Clone, Copy)]
pub struct UseQuestion<'a> {
    /// Who asks.
    pub account: &'a AccountId,
    /// Which set.
    pub set: &'a str,
    /// For what.
    pub purpose: Use,
    /// What the customer declared, beside what the use itself says.
    pub declared: &'a [Declaration],
    /// What was established against the customer.
    pub conduct: &'a [Conduct],
    /// What the provider authorised.
    pub authorisations: &'a [Authorisation],
}

/// The ruling on a use, with the origins that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRuling {
    /// The strictest of the rulings: a denial by any origin denies.
    pub verdict: Verdict,
    /// What the terms of each origin say, by the name of the set made there.
    pub origins: Vec<(String, Ruling)>,
    /// What went wrong; whenever this is not empty the verdict is a denial.
    pub errors: Vec<String>,
    /// What was found about the lineage, in words.
    pub analysis: Vec<String>,
}

/// What the terms say about a use: those in force when each origin was made,
/// the strictest winning. A set that is not known, or that comes from nowhere,
/// denies.
pub fn use_output(library: &Library, lineage: &Lineage, question: &UseQuestion<'_>) -> UseRuling {
    let mut walk = Walk::default();
    walk.down(lineage, question.set, false);
    let mut declared: Vec<Declaration> = question.declared.to_vec();
    declared.extend(question.purpose.declared());
    let purpose = question.purpose.purpose();
    let mut origins = Vec::new();
    for (set, origin, transformed) in &walk.origins {
        let ruling = library.bound(&origin.documents).map(|terms| {
            terms.rule(&Question {
                purpose: Some(purpose.word()),
                declared: &declared,
                conduct: question.conduct,
                authorisations: question.authorisations,
                ..Question::new(
                    question.account,
                    Act::Use {
                        set,
                        model: origin.model.as_ref(),
                        transformed: *transformed,
                    },
                    origin.at,
                )
            })
        });
        match ruling {
            Ok(ruling) => {
                walk.errors.extend(ruling.errors.iter().cloned());
                origins.push(((*set).to_owned(), ruling));
            }
            Err(error) => walk.errors.push(format!("set `{set}`: {error}")),
        }
    }
    if origins.is_empty() && walk.errors.is_empty() {
        walk.errors.push(format!(
            "set `{}` comes from no model that is known: name its origin or its sources",
            question.set
        ));
    }
    let allowed =
        walk.errors.is_empty() && origins.iter().all(|(_, r)| r.verdict == Verdict::Allow);
    UseRuling {
        verdict: if allowed {
            Verdict::Allow
        } else {
            Verdict::Deny
        },
        origins,
        errors: walk.errors,
        analysis: walk.analysis,
    }
}

#[derive(Default)]
struct Walk<'a> {
    seen: BTreeSet<&'a str>,
    origins: Vec<(&'a str, &'a Origin, bool)>,
    errors: Vec<String>,
    analysis: Vec<String>,
}

impl<'a> Walk<'a> {
    /// Follows a set to everything that it was made from, each set once.
    fn down(&mut self, lineage: &'a Lineage, set: &str, transformed: bool) {
        let mut open = vec![(set.to_owned(), transformed)];
        while let Some((name, transformed)) = open.pop() {
            let Some((name, found)) = lineage.get_key_value(name.as_str()) else {
                self.errors.push(format!("set `{name}` is not known"));
                continue;
            };
            if !self.seen.insert(name) {
                continue;
            }
            self.tell(name, found);
            let transformed = transformed || found.transform.is_some();
            if let Some(origin) = &found.origin {
                self.origins.push((name, origin, transformed));
            }
            if found.origin.is_none() && found.sources.is_empty() {
                self.errors
                    .push(format!("set `{name}` names neither origin nor sources"));
            }
            open.extend(
                found
                    .sources
                    .iter()
                    .map(|source| (source.clone(), transformed)),
            );
        }
    }

    fn tell(&mut self, name: &str, found: &OutputSet) {
        if found.sources.is_empty() {
            return;
        }
        let sources = found.sources.join("`, `");
        let how = found.transform.as_deref().unwrap_or("made");
        self.analysis.push(format!(
            "`{name}` was {how} from `{sources}` and keeps what binds it there"
        ));
        if let Some(mark) = &found.marked {
            self.analysis.push(format!(
                "the mark `{mark}` on `{name}` lifts nothing: only the provider's authorisation does"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
