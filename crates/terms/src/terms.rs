//! The documents that bind, compiled, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};
use facts::{ClauseId, Timestamp};

use crate::question::{Act, Authorisation, Question, Ruling, RulingKey, Verdict};
use crate::{Catalogue, Country, DocumentId, Purpose, Version};

mod alter;
mod load;
mod replay;

pub use load::{HOUSE, LoadError, SCHEMA};
pub use replay::{Answer, Asked, Put, Replay, Sources};

/// The documents that bind one deployment, compiled.
///
/// # Shape
/// Time is cut into epochs in which exactly one version of every document is
/// in force. An epoch's policies are one set, so that the strictest document
/// wins: in Cedar any `forbid` overrides every `permit`.
#[derive(Debug, Clone)]
pub struct Terms {
    documents: Vec<DocumentId>,
    epochs: Vec<Epoch>,
    schema: Schema,
    types: Types,
    countries: Countries,
    sha256: [u8; 32],
}

/// The countries that a document's clause on countries admits, as agreed.
pub type Countries = BTreeMap<DocumentId, BTreeSet<Country>>;

/// A stretch of time without change of the terms.
#[derive(Debug, Clone)]
struct Epoch {
    from: Timestamp,
    until: Option<Timestamp>,
    versions: Vec<Version>,
    policies: PolicySet,
    clauses: BTreeMap<PolicyId, ClauseId>,
    sha256: [u8; 32],
}

/// Names that every request to Cedar repeats.
#[derive(Debug, Clone)]
struct Types {
    account: EntityTypeName,
    model: EntityTypeName,
    outputs: EntityTypeName,
    infer: EntityUid,
    use_output: EntityUid,
}

impl Terms {
    /// Compiles `documents`, every version of each that the catalogue has.
    ///
    /// # Errors
    /// [`LoadError`] when a document is unknown, a policy does not hold
    /// against the schema, or policies and catalogue name different clauses.
    pub fn load(catalogue: &Catalogue, documents: &[DocumentId]) -> Result<Self, LoadError> {
        load::terms(catalogue, documents)
    }

    /// The same, with the countries that each document's clause admits. A
    /// document without a list admits every country; a request whose country
    /// is not known is not held to be outside.
    #[must_use]
    pub fn with_countries(mut self, countries: Countries) -> Self {
        self.countries = countries;
        self
    }

    /// The documents that bind.
    pub fn documents(&self) -> &[DocumentId] {
        &self.documents
    }

    /// The versions in force at `at`, one of each document; none where a
    /// document has no known version for that moment.
    pub fn in_force(&self, at: Timestamp) -> Option<&[Version]> {
        self.epoch(at).map(|epoch| epoch.versions.as_slice())
    }

    /// How many policies decide at `at`, the house's own included.
    pub fn policies(&self, at: Timestamp) -> usize {
        self.epoch(at)
            .map_or(0, |epoch| epoch.policies.num_of_policies())
    }

    /// Digest of all that was loaded, hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.sha256)
    }

    /// What the terms in force at `question.at` say. Pure: equal questions
    /// have equal rulings.
    ///
    /// # Cost
    /// Some tens of microseconds, nearly all of it Cedar's
    /// (`cargo run -p terms --example ruling_cost`): keep rulings by
    /// [`Terms::key`].
    pub fn rule(&self, question: &Question<'_>) -> Ruling {
        let Some(epoch) = self.epoch(question.at) else {
            return self.no_terms(question.at);
        };
        let purpose = match question.purpose.map(Purpose::parse).transpose() {
            Ok(purpose) => purpose,
            Err(unknown) => return epoch.failed(unknown.to_string()),
        };
        let request = match self.request(question, purpose) {
            Ok(request) => request,
            Err(error) => return epoch.failed(error),
        };
        let mut ruling = epoch.decide(&request);
        ruling.until = earliest(epoch.until, next_change(question, purpose));
        ruling
    }

    /// Under what to keep the ruling on `question`; none when it must not be
    /// kept, because it is an error's.
    pub fn key(&self, question: &Question<'_>) -> Option<RulingKey> {
        let epoch = self.epoch(question.at)?;
        let purpose = question.purpose.map(Purpose::parse).transpose().ok()?;
        Some(RulingKey {
            policy: epoch.sha256,
            account: question.account.clone(),
            model: question.act.model().cloned(),
            act: match question.act {
                Act::Infer { endpoint, .. } => endpoint.path().to_owned(),
                Act::Use {
                    set, transformed, ..
                } => format!("{transformed} {set}"),
            },
            purpose,
            declared: question.declared.iter().copied().collect(),
            conduct: question.conduct.iter().copied().collect(),
            waived: waived(question, purpose).into_iter().cloned().collect(),
            outside: self.outside(question),
            exceeded: question.exceeded,
            standing: question.standing,
        })
    }

    fn epoch(&self, at: Timestamp) -> Option<&Epoch> {
        let after = self.epochs.partition_point(|epoch| epoch.from <= at);
        let epoch = self.epochs.get(after.checked_sub(1)?)?;
        epoch.until.is_none_or(|until| at < until).then_some(epoch)
    }

    fn no_terms(&self, at: Timestamp) -> Ruling {
        let names: Vec<_> = self.documents.iter().map(ToString::to_string).collect();
        Ruling {
            verdict: Verdict::Deny,
            because: Vec::new(),
            errors: vec![format!(
                "not every one of `{}` has a known version in force at {}: add it to the catalogue",
                names.join(", "),
                at.rfc3339()
            )],
            policy_sha256: self.sha256(),
            until: self
                .epochs
                .iter()
                .map(|epoch| epoch.from)
                .find(|from| at < *from),
        }
    }

    /// The documents whose list the request's country is not on.
    fn outside(&self, question: &Question<'_>) -> BTreeSet<String> {
        let Some(country) = question.country else {
            return BTreeSet::new();
        };
        let lists = self.countries.iter();
        lists
            .filter(|(document, list)| {
                self.documents.contains(document) && !list.contains(&country)
            })
            .map(|(document, _)| document.to_string())
            .collect()
    }

    /// What Cedar is told beside who asks for what.
    fn facts(&self, question: &Question<'_>, purpose: Option<Purpose>) -> Facts {
        let words = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect();
        let mut texts = vec![("standing", question.standing.word().to_owned())];
        let mut transformed = None;
        match question.act {
            Act::Infer { endpoint, .. } => texts.push(("endpoint", endpoint.path().to_owned())),
            Act::Use { transformed: t, .. } => transformed = Some(t),
        }
        texts.extend(purpose.map(|purpose| ("purpose", purpose.word().to_owned())));
        let waived = waived(question, purpose);
        Facts {
            texts,
            sets: vec![
                (
                    "declared",
                    words(&mut question.declared.iter().map(|d| d.word())),
                ),
                (
                    "conduct",
                    words(&mut question.conduct.iter().map(|c| c.word())),
                ),
                (
                    "waived",
                    words(&mut waived.iter().map(|clause| clause.as_str())),
                ),
                ("outside", self.outside(question)),
                ("exceeded", words(&mut question.exceeded.words())),
            ],
            transformed,
        }
    }

    fn request(
        &self,
        question: &Question<'_>,
        purpose: Option<Purpose>,
    ) -> Result<Request, String> {
        let facts = self.facts(question, purpose);
        let text = RestrictedExpression::new_string;
        let mut pairs: Vec<(String, RestrictedExpression)> = Vec::with_capacity(9);
        for (name, word) in facts.texts {
            pairs.push((name.to_owned(), text(word)));
        }
        for (name, words) in facts.sets {
            let set = RestrictedExpression::new_set(words.into_iter().map(text));
            pairs.push((name.to_owned(), set));
        }
        if let Some(transformed) = facts.transformed {
            let flag = RestrictedExpression::new_bool(transformed);
            pairs.push(("transformed".to_owned(), flag));
        }
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        let entity = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let (action, resource) = match question.act {
            Act::Infer { model, .. } => {
                (&self.types.infer, entity(&self.types.model, model.as_str()))
            }
            Act::Use { set, .. } => (&self.types.use_output, entity(&self.types.outputs, set)),
        };
        Request::new(
            entity(&self.types.account, question.account.as_str()),
            action.clone(),
            resource,
            context,
            Some(&self.schema),
        )
        .map_err(|error| error.to_string())
    }
}

/// The context of one request.
struct Facts {
    texts: Vec<(&'static str, String)>,
    sets: Vec<(&'static str, BTreeSet<String>)>,
    transformed: Option<bool>,
}

impl Epoch {
    /// Cedar's own answer, with the ids of the policies that decided.
    fn decided(&self, request: &Request) -> (Verdict, Vec<String>) {
        let response = Authorizer::new().is_authorized(request, &self.policies, &Entities::empty());
        let verdict = match response.decision() {
            Decision::Allow => Verdict::Allow,
            Decision::Deny => Verdict::Deny,
        };
        let reason = response.diagnostics().reason();
        (verdict, reason.map(ToString::to_string).collect())
    }

    fn decide(&self, request: &Request) -> Ruling {
        let response = Authorizer::new().is_authorized(request, &self.policies, &Entities::empty());
        let errors: Vec<String> = response
            .diagnostics()
            .errors()
            .map(ToString::to_string)
            .collect();
        let because: BTreeSet<&ClauseId> = response
            .diagnostics()
            .reason()
            .filter_map(|policy| self.clauses.get(policy))
            .collect();
        let verdict = match response.decision() {
            Decision::Allow if errors.is_empty() => Verdict::Allow,
            Decision::Allow | Decision::Deny => Verdict::Deny,
        };
        // When an error turned an allowance round, its permits did not decide.
        let turned = response.decision() == Decision::Allow && verdict == Verdict::Deny;
        Ruling {
            verdict,
            because: if turned {
                Vec::new()
            } else {
                because.into_iter().cloned().collect()
            },
            errors,
            policy_sha256: hex::encode(self.sha256),
            until: None,
        }
    }

    fn failed(&self, error: String) -> Ruling {
        Ruling {
            verdict: Verdict::Deny,
            because: Vec::new(),
            errors: vec![error],
            policy_sha256: hex::encode(self.sha256),
            until: self.until,
        }
    }
}

/// The authorisations that concern this question, at whatever moment.
fn concerning<'a>(
    question: &Question<'a>,
    purpose: Option<Purpose>,
) -> impl Iterator<Item = &'a Authorisation> {
    let act = question.act;
    question
        .authorisations
        .iter()
        .filter(move |given| given.concerns(purpose, act.model()))
}

/// The clauses waived for this question: authorised for it, now.
pub(crate) fn waived<'a>(
    question: &Question<'a>,
    purpose: Option<Purpose>,
) -> BTreeSet<&'a ClauseId> {
    concerning(question, purpose)
        .filter(|given| given.lasts(question.at))
        .map(|given| &given.clause)
        .collect()
}

/// When an authorisation for this question next begins or ends.
fn next_change(question: &Question<'_>, purpose: Option<Purpose>) -> Option<Timestamp> {
    concerning(question, purpose)
        .flat_map(|given| [Some(given.from), given.until])
        .flatten()
        .filter(|moment| question.at < *moment)
        .min()
}

pub(crate) fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
