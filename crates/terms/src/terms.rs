//! What do the terms that bind this deployment say about one question?

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};
use facts::{AccountId, ClauseId, Endpoint, ModelName, Timestamp};

use crate::{Catalogue, Declaration, DocumentId, Purpose, Version};

mod load;

pub use load::LoadError;

/// What the house's own rule on standings is called in rulings.
pub const STANDING_CLAUSE: &str = "house/standing";

/// What an account may do at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing is held against it.
    Active,
    /// A measure below suspension is in force: notice, throttle or mark.
    Restricted,
    /// It may not ask for now.
    Suspended,
    /// It may not ask again.
    Terminated,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }
}

/// A provider's permission to do what a clause forbids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authorisation {
    /// The clause that it waives, of one version.
    pub clause: ClauseId,
    /// For what.
    pub purpose: Purpose,
    /// The first moment of which it holds.
    pub from: Timestamp,
    /// The first moment of which it no longer holds; none: until revoked.
    pub until: Option<Timestamp>,
}

impl Authorisation {
    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// One request, as the terms see it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub account: &'a AccountId,
    /// The model asked for.
    pub model: &'a ModelName,
    /// The operation.
    pub endpoint: Endpoint,
    /// The purpose declared, in its word. None is allowed by default: a
    /// clause says what is forbidden. A word that is no purpose denies.
    pub purpose: Option<&'a str>,
    /// What the customer declared about its use.
    pub declared: &'a [Declaration],
    /// What the provider authorised for the account.
    pub authorisations: &'a [Authorisation],
    /// What the account may do at all.
    pub standing: Standing,
    /// When: the terms are those of that moment.
    pub at: Timestamp,
}

/// What the terms say. Exhaustive on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It may go on.
    Allow,
    /// It may not.
    Deny,
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What the terms say.
    pub verdict: Verdict,
    /// The clauses that decided, in order. Of an allowance: those that
    /// expressly allow; usually none.
    pub because: Vec<ClauseId>,
    /// What went wrong. Whenever this is not empty the verdict is
    /// [`Verdict::Deny`] and somebody should be told.
    pub errors: Vec<String>,
    /// Digest of the policies that decided, hexadecimal.
    pub policy_sha256: String,
    /// The same question has this ruling until before that moment, when the
    /// terms or an authorisation change; none: always.
    pub until: Option<Timestamp>,
}

/// All that a ruling depends on: questions with equal keys have equal
/// rulings, `until` apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulingKey {
    policy: [u8; 32],
    account: AccountId,
    model: ModelName,
    endpoint: Endpoint,
    purpose: Option<Purpose>,
    declared: BTreeSet<Declaration>,
    waived: BTreeSet<ClauseId>,
    standing: Standing,
}

/// The documents that bind one deployment, compiled.
///
/// # Shape
/// Time is cut into epochs in which exactly one version of every document is
/// in force. An epoch's policies are one set, so that the strictest document
/// wins: in Cedar any `forbid` overrides every `permit`.
#[derive(Debug)]
pub struct Terms {
    documents: Vec<DocumentId>,
    epochs: Vec<Epoch>,
    schema: Schema,
    types: Types,
    sha256: [u8; 32],
}

/// A stretch of time without change of the terms.
#[derive(Debug)]
struct Epoch {
    from: Timestamp,
    until: Option<Timestamp>,
    versions: Vec<Version>,
    policies: PolicySet,
    clauses: BTreeMap<PolicyId, ClauseId>,
    sha256: [u8; 32],
}

/// Names that every request to Cedar repeats.
#[derive(Debug)]
struct Types {
    account: EntityTypeName,
    model: EntityTypeName,
    infer: EntityUid,
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

    /// The documents that bind.
    pub fn documents(&self) -> &[DocumentId] {
        &self.documents
    }

    /// The versions in force at `at`, one of each document; none where a
    /// document has no known version for that moment.
    pub fn in_force(&self, at: Timestamp) -> Option<&[Version]> {
        self.epoch(at).map(|epoch| epoch.versions.as_slice())
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
        let waived = waived(question, purpose);
        let request = match self.request(question, purpose, &waived) {
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
            model: question.model.clone(),
            endpoint: question.endpoint,
            purpose,
            declared: question.declared.iter().copied().collect(),
            waived: waived(question, purpose).into_iter().cloned().collect(),
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

    fn request(
        &self,
        question: &Question<'_>,
        purpose: Option<Purpose>,
        waived: &BTreeSet<&ClauseId>,
    ) -> Result<Request, String> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let declared = question.declared.iter().map(|known| text(known.word()));
        let waived = waived.iter().map(|clause| text(clause.as_str()));
        let mut pairs = vec![
            ("standing".to_owned(), text(question.standing.word())),
            ("endpoint".to_owned(), text(question.endpoint.path())),
            (
                "declared".to_owned(),
                RestrictedExpression::new_set(declared),
            ),
            ("waived".to_owned(), RestrictedExpression::new_set(waived)),
        ];
        if let Some(purpose) = purpose {
            pairs.push(("purpose".to_owned(), text(purpose.word())));
        }
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        let entity = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        Request::new(
            entity(&self.types.account, question.account.as_str()),
            self.types.infer.clone(),
            entity(&self.types.model, question.model.as_str()),
            context,
            Some(&self.schema),
        )
        .map_err(|error| error.to_string())
    }
}

impl Epoch {
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

/// The clauses waived for this question: authorised for its purpose, now.
fn waived<'a>(question: &Question<'a>, purpose: Option<Purpose>) -> BTreeSet<&'a ClauseId> {
    question
        .authorisations
        .iter()
        .filter(|given| Some(given.purpose) == purpose && given.covers(question.at))
        .map(|given| &given.clause)
        .collect()
}

/// When an authorisation for this purpose next begins or ends.
fn next_change(question: &Question<'_>, purpose: Option<Purpose>) -> Option<Timestamp> {
    question
        .authorisations
        .iter()
        .filter(|given| Some(given.purpose) == purpose)
        .flat_map(|given| [Some(given.from), given.until])
        .flatten()
        .filter(|moment| question.at < *moment)
        .min()
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
